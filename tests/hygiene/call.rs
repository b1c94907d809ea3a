//! Calls: `Debug` of their types shows no secret, and no key of a call is left in freed memory.

use bisik::call::{
    Answer, AnswerError, BaseKey, CallGroup, CallId, CallKeys, Calling, CompareError, Comparison, EpochKey,
    EpochKeyError, FrameOpener, FrameSealer, FrameSuite, GroupCall, InstallError, KeyNews, MemberError, Offer,
    OpenError, Participant, Recipients, SealError, SenderKey, ShortTag, Signal, SignalError, Standing, no_group,
};
use bisik::call_link::{CallDoor, CallLink, CallLinkError, LinkPolicy};
use bisik::device::DeviceTerms;
use bisik::{Accepted, Account, Identity, PreKeys, Session, StorageKey, Trust};

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::freed::freed_by;
use super::keys::NOW;
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x3B; 32];

/// Two devices and both ends of a session between them.
struct Pair {
    alice: Identity,
    bob: Identity,
    at_alice: Session,
    at_bob: Session,
}

impl Pair {
    fn new(rng: &mut Recording) -> Self {
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let keys = PreKeys::generate(&bob, NOW, rng);
        let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
        let mut at_alice = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
        let hello = at_alice.encrypt(b"halo", rng).unwrap();
        let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        let Accepted { session: mut at_bob, .. } = accepted;
        // Both are confirmed, as the sessions of calls are.
        let answer = at_bob.encrypt(b"hai", rng).unwrap();
        assert!(at_alice.decrypt(&alice, &answer).unwrap().confirms);
        let proof = at_alice.encrypt(b"apa kabar", rng).unwrap();
        assert!(at_bob.decrypt(&bob, &proof).unwrap().confirms);
        Self { alice, bob, at_alice, at_bob }
    }

    fn group(&self, rng: &mut Recording) -> (GroupCall, GroupCall) {
        let (id, suite) = (CallId::from_bytes([5; 16]), FrameSuite::default());
        let mut at_alice = GroupCall::start(id, None, suite, self.alice.public(), rng);
        let mut at_bob = GroupCall::start(id, None, suite, self.bob.public(), rng);
        assert_eq!(at_alice.join(self.bob.public(), no_group, rng), Ok(Recipients::OneDevice));
        assert_eq!(at_bob.join(self.alice.public(), no_group, rng), Ok(Recipients::OneDevice));
        (at_alice, at_bob)
    }
}

fn add_keys(canaries: &mut Canaries, keys: &CallKeys) {
    for direction in [&keys.sending, &keys.receiving] {
        canaries.add("SRTP key and salt", direction.srtp.expose_key_and_salt());
        canaries.add("base key of a call", direction.base.expose_bytes());
    }
}

fn sender_key(rng: &mut Recording, epoch: u64) -> SenderKey {
    SenderKey::new(FrameSuite::default(), Participant(7), epoch, BaseKey::from_bytes(&rng.secret()).unwrap())
}

pub fn debug(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let link = CallLink::generate(rng);
    show(shown, &link);
    show(shown, &link.locator());
    show(shown, &link.admission());
    let mut door = CallDoor::new(link, CallId::from_bytes([5; 16]));
    show(shown, &door);
    let visitor = Account::create(DeviceTerms::person(), NOW, rng);
    let notice = door.notice(rng).unwrap();
    let knock = door.link().knock(&visitor, &notice, rng).unwrap();
    let knock = door.hear(&knock).unwrap();
    show(shown, &knock);
    show(shown, &knock.verify(visitor.devices(), NOW).unwrap());
    show(shown, &LinkPolicy::Ask);
    show(shown, &CallLinkError::Rejected);

    let pair = Pair::new(rng);
    let (calling, offer) = Calling::start(CallId::from_bytes([5; 16]), pair.alice.public(), &pair.at_alice, rng);
    show(shown, &calling);
    show(shown, &offer);
    show(shown, &calling.call());
    show(shown, &Signal::from_bytes(&offer.to_bytes()).unwrap());
    let (keys, answer) = offer.accept(pair.bob.public(), &pair.at_bob, rng).unwrap();
    add_keys(canaries, &keys);
    show(shown, &answer);
    show(shown, &keys);
    show(shown, &keys.sending);
    show(shown, &keys.sending.srtp);
    show(shown, &keys.sending.base);
    let refused = calling.complete(&answer, &pair.at_bob).unwrap_err();
    show(shown, &refused.error);
    show(shown, &refused);
    group_and_frames(shown, &pair, rng);

    show(shown, &BaseKey::from_bytes(&[]).unwrap_err());
    show(shown, &EpochKeyError::Crowded);
    show(shown, &InstallError::Full);
    show(shown, &MemberError::Full);
    show(shown, &OpenError::Rejected);
    show(shown, &SealError::TooLong);
    show(shown, &SignalError::Malformed);
    assert_eq!(refused.error, AnswerError::OtherDevice);
}

fn group_and_frames(shown: &mut Shown, pair: &Pair, rng: &mut Recording) {
    let (mut at_alice, mut at_bob) = pair.group(rng);
    let key = at_alice.key_for(&pair.at_alice).unwrap();
    show(shown, &key);
    show(shown, &at_bob.accept_key(&key, &pair.at_bob, no_group, rng).unwrap());
    let mut frame = Vec::new();
    at_alice.seal(b"", &rng.secret(), &mut frame).unwrap();
    show(shown, &at_bob.open(b"", &mut frame).unwrap());
    show(shown, &at_alice);
    show(shown, &CallGroup { id: [1; 32], view: [2; 32] });
    show(shown, &Standing::Live);
    show(shown, &KeyNews::NewStay);
    let call = CallId::from_bytes([5; 16]);
    let (mut one, _) = Comparison::start(call, pair.alice.public(), [pair.bob.public()], rng).unwrap();
    let (_, commitment) = Comparison::start(call, pair.bob.public(), [pair.alice.public()], rng).unwrap();
    one.take_commitment(&commitment, &pair.at_alice, rng).unwrap();
    show(shown, &one.opening().unwrap());
    show(shown, &one);
    show(shown, &commitment);
    show(shown, &CompareError::TooEarly);
    show(shown, &Recipients::Everybody);
    let secret = rng.secret();
    let key = || SenderKey::new(FrameSuite::default(), Participant(7), 0, BaseKey::from_bytes(&secret).unwrap());
    show(shown, &key());
    show(shown, &key().suite());
    show(shown, &key().participant());
    show(shown, &ShortTag::Aes128CtrHmac80);
    let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
    opener.install(key()).unwrap();
    let mut frame = Vec::new();
    sealer.seal(b"", &rng.secret(), &mut frame).unwrap();
    show(shown, &opener.open(b"", &mut frame).unwrap());
    show(shown, &opener);
    let mut held = sealer.reserve(1, rng).unwrap();
    show(shown, &held.seal(&StorageKey::from_bytes(STORAGE), b"", rng).unwrap());
    show(shown, &held);
    show(shown, &sealer);
}

#[test]
fn a_two_party_call_leaves_nothing_in_freed_memory() {
    let mut rngs = [Recording::new(31), Recording::new(32)];
    let pair = Pair::new(&mut Recording::new(30));
    let mut canaries = Canaries::new();
    let [alices, bobs] = &mut rngs;
    let (keys, mut freed) = freed_by(|| {
        let (calling, offer) = Calling::start(CallId::from_bytes([5; 16]), pair.alice.public(), &pair.at_alice, alices);
        let sent = offer.to_bytes();
        drop(Box::new(offer));
        let offer = Box::new(Offer::from_bytes(&sent).unwrap());
        drop(sent);
        let (at_bob, answer) = offer.accept(pair.bob.public(), &pair.at_bob, bobs).unwrap();
        let mut damaged = answer.to_bytes();
        *damaged.last_mut().unwrap() ^= 1;
        let refused = calling.complete(&Answer::from_bytes(&damaged).unwrap(), &pair.at_alice).unwrap_err();
        let at_alice = refused.calling.complete(&answer, &pair.at_alice).unwrap();
        // A call that is abandoned.
        let (given_up, _) = Calling::start(CallId::from_bytes([6; 16]), pair.alice.public(), &pair.at_alice, alices);
        drop(vec![given_up]);
        (at_alice, at_bob)
    });
    add_keys(&mut canaries, &keys.0);
    freed.extend(freed_by(|| drop(vec![keys.0, keys.1])).1);
    canaries.add_agreements(alices, bobs);
    canaries.add_expanded("alice", alices);
    canaries.add_expanded("bob", bobs);
    canaries.assert_absent(&freed);
}

#[test]
fn a_group_call_leaves_no_epoch_secret_in_freed_memory() {
    let mut rng = Recording::new(33);
    let pair = Pair::new(&mut Recording::new(34));
    let ((), freed) = freed_by(|| {
        let (mut at_alice, mut at_bob) = pair.group(&mut rng);
        let [carol, dewi] = [(); 2].map(|()| Identity::generate(&mut rng));
        let mut before = None;
        for round in 0..6 {
            let sent = at_alice.key_for(&pair.at_alice).unwrap().to_bytes();
            let key = EpochKey::from_bytes(&sent).unwrap();
            if round == 3 {
                at_bob.keep_aside(key, &pair.at_bob).unwrap();
                assert_eq!(at_bob.retry_aside(no_group, &mut rng).len(), 1);
            } else {
                assert!(at_bob.accept_key(&key, &pair.at_bob, no_group, &mut rng).is_ok());
            }
            let again = EpochKey::from_bytes(&sent).unwrap();
            assert!(at_bob.accept_key(&again, &pair.at_bob, no_group, &mut rng).is_ok());
            if let Some(before) = before.filter(|_| round % 3 == 0) {
                let taken = at_bob.accept_key(&before, &pair.at_bob, no_group, &mut rng).unwrap();
                assert_eq!(taken.news, KeyNews::Old);
            }
            before = Some(again);
            // Two keys follow from this one, then comes a fresh one.
            match round % 3 {
                0 => drop(at_alice.join(carol.public(), no_group, &mut rng).unwrap()),
                1 => drop(at_alice.join(dewi.public(), no_group, &mut rng).unwrap()),
                _ => [&carol, &dewi].map(|who| at_alice.leave(who.public(), &mut rng).unwrap()).into_iter().collect(),
            }
            let mut frame = Vec::new();
            at_alice.seal(b"", b"sound", &mut frame).unwrap();
            assert_eq!(at_bob.open(b"", &mut frame).is_ok(), round % 3 != 2);
        }
        at_alice.begin_stay(&mut rng);
        at_bob.leave(pair.alice.public(), &mut rng).unwrap();
        // A caller's collection grows, and moves them.
        let mut calls = Vec::with_capacity(1);
        calls.extend([at_alice, at_bob]);
    });
    let mut canaries = Canaries::new();
    canaries.add_expanded("the participants", &rng);
    canaries.assert_absent(&freed);
}

#[test]
fn frames_leave_no_key_in_freed_memory() {
    let mut rng = Recording::new(35);
    let key = StorageKey::from_bytes(STORAGE);
    let ((), freed) = freed_by(|| {
        let mut opener = FrameOpener::new();
        let mut sealers = Vec::new();
        for epoch in 0..5 {
            let mut sealer = FrameSealer::new(sender_key(&mut rng, epoch));
            let mut held = sealer.reserve(5, &mut rng).unwrap();
            let sealed = held.seal(&key, b"call", &mut rng).unwrap();
            let record = sealed.as_bytes().to_vec();
            held.release(&sealed.stored()).unwrap();
            sealer.seal(b"", b"sound", &mut Vec::new()).unwrap();
            sealers.push(sealer);
            sealers.push(FrameSealer::unseal(&key, b"call", &record).unwrap());
            opener.install(sender_key(&mut rng, epoch)).unwrap();
        }
        opener.remove(Participant(7));
    });
    let mut canaries = Canaries::new();
    canaries.add_drawn("a sender", &rng);
    canaries.assert_absent(&freed);
}

/// The secret of a link, in its text and its address too.
#[test]
fn a_call_link_leaves_no_secret_in_freed_memory() {
    let mut rng = Recording::new(36);
    let (text, freed) = freed_by(|| {
        let link = CallLink::generate(&mut rng);
        let text: [u8; 44] = link.expose_text().as_bytes().try_into().unwrap();
        let address = link.expose_address("https://call.example/join");
        let same = CallLink::from_address(&address).unwrap();
        let mut door = CallDoor::new(link, CallId::from_bytes([5; 16]));
        let mut others = rand::rng();
        let visitor = Account::create(DeviceTerms::person(), NOW, &mut others);
        let notice = door.notice(&mut others).unwrap();
        let knock = same.knock(&visitor, &notice, &mut others).unwrap();
        assert!(door.hear(&knock).is_ok());
        text
    });
    let mut canaries = Canaries::new();
    canaries.add_drawn("a call link", &rng);
    canaries.add("its text", &text);
    canaries.assert_absent(&freed);
}
