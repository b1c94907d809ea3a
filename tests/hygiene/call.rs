//! Calls: `Debug` of their types shows no secret, and no key of a call is left in freed memory.

use bisik::call::{
    Answer, AnswerError, BaseKey, CallId, CallKeys, Calling, EpochKey, EpochKeyError, FrameOpener, FrameSealer,
    FrameSuite, GroupCall, InstallError, MemberError, Offer, OpenError, Participant, SealError, SenderKey, ShortTag,
    Signal, SignalError,
};
use bisik::{Accepted, Identity, PreKeys, Session, StorageKey, Trust};

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
        let Accepted { session: at_bob, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        Self { alice, bob, at_alice, at_bob }
    }

    fn group(&self, rng: &mut Recording) -> (GroupCall, GroupCall) {
        let (id, suite) = (CallId::from_bytes([5; 16]), FrameSuite::default());
        let mut at_alice = GroupCall::start(id, suite, Participant(0), self.alice.public(), NOW, rng);
        let mut at_bob = GroupCall::start(id, suite, Participant(1), self.bob.public(), NOW, rng);
        at_alice.join(Participant(1), self.bob.public(), rng).unwrap();
        at_bob.join(Participant(0), self.alice.public(), rng).unwrap();
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
    show(shown, &EpochKeyError::Stale);
    show(shown, &InstallError::Full);
    show(shown, &MemberError::Full);
    show(shown, &OpenError::Rejected);
    show(shown, &SealError::TooLong);
    show(shown, &SignalError::Malformed);
    assert_eq!(refused.error, AnswerError::OtherDevice);
}

fn group_and_frames(shown: &mut Shown, pair: &Pair, rng: &mut Recording) {
    let (at_alice, _) = pair.group(rng);
    show(shown, &at_alice.key_for(&pair.at_alice).unwrap());
    show(shown, &at_alice);
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
        let carol = Identity::generate(&mut rng);
        for round in 0..5 {
            let sent = at_alice.key_for(&pair.at_alice).unwrap().to_bytes();
            let key = EpochKey::from_bytes(&sent).unwrap();
            at_bob.accept_key(key, &pair.at_bob).unwrap();
            let again = EpochKey::from_bytes(&sent).unwrap();
            assert_eq!(at_bob.accept_key(again, &pair.at_bob), Err(EpochKeyError::Stale));
            match round % 2 {
                0 => at_alice.join(Participant(2), carol.public(), &mut rng).unwrap(),
                _ => at_alice.leave(Participant(2), &mut rng).unwrap(),
            }
        }
        at_bob.leave(Participant(0), &mut rng).unwrap();
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
