//! Calls: what two and many agree on, what whoever was not there cannot open, and what no packet changes.
//!
//! Does not know how keys are derived or frames look: tests/vectors.rs and the tests in src/call compare those.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;

use bisik::call::{
    Answer, AnswerError, BaseKey, CallId, CallKeys, Calling, EpochKey, EpochKeyError, FrameOpener, FrameSealer,
    FrameSuite, GroupCall, InstallError, MemberError, Offer, OpenError, Participant, SealError, SenderKey, ShortTag,
    Signal, SignalError,
};
use bisik::{Accepted, Identity, PreKeys, Session, StorageKey, Timestamp, Trust, UnsealError};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A session between two, the initiator's end first.
fn sessions(initiator: &Identity, responder: &Identity) -> (Session, Session) {
    let rng = &mut rand::rng();
    let keys = PreKeys::generate(responder, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(responder.public()), NOW).unwrap();
    let mut ours = Session::initiate(initiator, &bundle, rng).unwrap();
    let hello = ours.encrypt(b"halo", rng).unwrap();
    let Accepted { session, .. } = Session::accept(responder, &keys, &hello, Trust::OnFirstUse).unwrap();
    (ours, session)
}

/// Two devices and a session between them.
struct Pair {
    alice: Identity,
    bob: Identity,
    at_alice: Session,
    at_bob: Session,
}

impl Pair {
    fn new() -> Self {
        let [alice, bob] = [(); 2].map(|()| Identity::generate(&mut rand::rng()));
        let (at_alice, at_bob) = sessions(&alice, &bob);
        Self { alice, bob, at_alice, at_bob }
    }

    fn offer(&self) -> (Calling, Vec<u8>) {
        let rng = &mut rand::rng();
        let (calling, offer) = Calling::start(CallId::generate(rng), self.alice.public(), &self.at_alice, rng);
        (calling, offer.to_bytes().to_vec())
    }

    fn accept(&self, offer: &[u8]) -> Result<(CallKeys, Vec<u8>), SignalError> {
        let offer = Offer::from_bytes(offer)?;
        let (keys, answer) = offer.accept(self.bob.public(), &self.at_bob, &mut rand::rng())?;
        Ok((keys, answer.to_bytes()))
    }
}

fn secrets(keys: &CallKeys) -> [Vec<u8>; 4] {
    let [ours, theirs] = [&keys.sending, &keys.receiving];
    [
        ours.srtp.expose_key_and_salt().to_vec(),
        theirs.srtp.expose_key_and_salt().to_vec(),
        ours.base.expose_bytes().to_vec(),
        theirs.base.expose_bytes().to_vec(),
    ]
}

/// P-9.4
#[test]
fn both_sides_of_a_call_have_the_same_keys_and_each_direction_its_own() {
    let pair = Pair::new();
    let (calling, offer) = pair.offer();
    let (at_bob, answer) = pair.accept(&offer).unwrap();
    assert_eq!((offer.len(), answer.len()), (Offer::LENGTH, Answer::LENGTH));
    let at_alice = calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).unwrap();
    let [ours, theirs, our_base, their_base] = secrets(&at_alice);
    assert_eq!(secrets(&at_bob), [theirs.clone(), ours.clone(), their_base.clone(), our_base.clone()]);
    let beginnings: BTreeSet<_> = [ours, theirs, our_base, their_base].map(|secret| secret[..32].to_vec()).into();
    assert_eq!(beginnings.len(), 4, "no two keys begin alike");
}

/// P-9.1
#[test]
fn no_two_offers_and_no_two_answers_share_a_key() {
    let pair = Pair::new();
    let [(_, one), (_, other)] = [pair.offer(), pair.offer()];
    for part in [1..17, 17..49, 49..81, 1233..1265] {
        assert_ne!(one[part.clone()], other[part]);
    }
    let [(first, one), (second, other)] = [pair.accept(&one).unwrap(), pair.accept(&one).unwrap()];
    assert_ne!(one[17..49], other[17..49]);
    assert_ne!(one[49..81], other[49..81]);
    assert_ne!(secrets(&first), secrets(&second));
}

/// P-9.3: a changed offer is not an offer, or the answer to it is refused; and the call still completes.
#[test]
fn an_offer_with_any_byte_changed_gives_no_call() {
    let pair = Pair::new();
    let (mut calling, offer) = pair.offer();
    let mut reached = 0;
    for at in 0..offer.len() {
        let mut changed = offer.clone();
        changed[at] ^= 1;
        let Ok((_, answer)) = pair.accept(&changed) else { continue };
        let refused = calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).unwrap_err();
        let expected = if (1..17).contains(&at) { AnswerError::OtherCall } else { AnswerError::Rejected };
        assert_eq!(refused.error, expected, "byte {at}");
        calling = refused.calling;
        reached += 1;
    }
    assert!(reached > 1_000, "most changes decode: {reached}");
    let (_, answer) = pair.accept(&offer).unwrap();
    assert!(calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).is_ok());
}

/// P-9.2, P-9.3
#[test]
fn an_answer_with_any_byte_changed_is_refused_and_the_call_goes_on_waiting() {
    let pair = Pair::new();
    let (mut calling, offer) = pair.offer();
    let (_, answer) = pair.accept(&offer).unwrap();
    for at in 0..answer.len() {
        for bit in [0, 7] {
            let mut changed = answer.clone();
            changed[at] ^= 1 << bit;
            let Ok(changed) = Answer::from_bytes(&changed) else { continue };
            calling = calling.complete(&changed, &pair.at_alice).unwrap_err().calling;
        }
    }
    assert!(calling.complete(&Answer::from_bytes(&answer).unwrap(), &pair.at_alice).is_ok());
}

/// P-9.2
#[test]
fn crossed_answers_are_told_apart_and_change_nothing() {
    let pair = Pair::new();
    let [(first, first_offer), (second, second_offer)] = [pair.offer(), pair.offer()];
    let [first_answer, second_answer] =
        [first_offer, second_offer].map(|offer| Answer::from_bytes(&pair.accept(&offer).unwrap().1).unwrap());
    let refused = first.complete(&second_answer, &pair.at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::OtherCall);

    let carol = Identity::generate(&mut rand::rng());
    let (with_carol, _) = sessions(&pair.alice, &carol);
    let refused = refused.calling.complete(&first_answer, &with_carol).unwrap_err();
    assert_eq!(refused.error, AnswerError::OtherDevice);
    assert!(refused.calling.complete(&first_answer, &pair.at_alice).is_ok());
    assert!(second.complete(&second_answer, &pair.at_alice).is_ok());
}

/// P-9.2: the answer may come in another session with the same peer, but is to the offer of the first.
#[test]
fn a_call_belongs_to_the_session_its_offer_came_in() {
    let pair = Pair::new();
    let (also_at_bob, also_at_alice) = sessions(&pair.bob, &pair.alice);
    let (calling, offer) = pair.offer();
    let offer = || Offer::from_bytes(&offer).unwrap();
    let (_, elsewhere) = offer().accept(pair.bob.public(), &also_at_bob, &mut rand::rng()).unwrap();
    let refused = calling.complete(&elsewhere, &also_at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::Rejected);
    let (_, other_identity) = offer().accept(pair.alice.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    let refused = refused.calling.complete(&other_identity, &pair.at_alice).unwrap_err();
    assert_eq!(refused.error, AnswerError::Rejected);
    let (_, answer) = offer().accept(pair.bob.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    assert!(refused.calling.complete(&answer, &also_at_alice).is_ok());
}

#[test]
fn a_signal_is_known_by_its_first_byte_and_names_its_call() {
    let mut pair = Pair::new();
    let (calling, offer) = pair.offer();
    let message = pair.at_alice.encrypt(&offer, &mut rand::rng()).unwrap();
    let Ok(Signal::Offer(offer)) = Signal::from_bytes(&pair.at_bob.decrypt(&message).unwrap()) else { panic!("offer") };
    assert_eq!(offer.call(), calling.call());
    let (_, answer) = offer.accept(pair.bob.public(), &pair.at_bob, &mut rand::rng()).unwrap();
    assert!(matches!(Signal::from_bytes(&answer.to_bytes()), Ok(Signal::Answer(_))));
    assert!(pair.at_bob.decrypt(&message).is_err(), "an offer that comes twice is refused by the session");
    for bytes in [&[][..], &[0x40], &[0x44], &[0x41], &[0x42], &[0x43]] {
        assert!(matches!(Signal::from_bytes(bytes), Err(SignalError::Malformed)), "{bytes:?}");
    }
}

/// A group call with a session between any two.
struct Room {
    people: Vec<Identity>,
    /// `sessions[i][j]` is the session of `i` with `j`.
    sessions: Vec<Vec<Option<Session>>>,
    calls: Vec<GroupCall>,
}

impl Room {
    /// Everybody's calls are there; nobody has joined anybody's.
    fn new(size: usize) -> Self {
        let rng = &mut rand::rng();
        let people: Vec<_> = (0..size).map(|_| Identity::generate(rng)).collect();
        let mut sessions: Vec<Vec<Option<Session>>> = (0..size).map(|_| (0..size).map(|_| None).collect()).collect();
        for i in 0..size {
            for j in i + 1..size {
                let (ours, theirs) = self::sessions(&people[i], &people[j]);
                (sessions[i][j], sessions[j][i]) = (Some(ours), Some(theirs));
            }
        }
        let id = CallId::generate(rng);
        let calls = people
            .iter()
            .enumerate()
            .map(|(i, person)| GroupCall::start(id, FrameSuite::default(), number(i), person.public(), rng))
            .collect();
        Self { people, sessions, calls }
    }

    fn with_all(size: usize) -> Self {
        let mut room = Self::new(size);
        for i in 0..size {
            for j in (0..size).filter(|j| *j != i) {
                room.join(i, j);
            }
        }
        room.share(&(0..size).collect::<Vec<_>>());
        room
    }

    fn join(&mut self, at: usize, who: usize) {
        let identity = *self.people[who].public();
        self.calls[at].join(number(who), &identity, &mut rand::rng()).unwrap();
    }

    fn session(&self, of: usize, with: usize) -> &Session {
        self.sessions[of][with].as_ref().unwrap()
    }

    fn key(&self, of: usize, to: usize) -> EpochKey {
        EpochKey::from_bytes(&self.calls[of].key_for(self.session(of, to)).unwrap().to_bytes()).unwrap()
    }

    fn give(&mut self, of: usize, to: usize, key: EpochKey) -> Result<(), EpochKeyError> {
        let session = self.sessions[to][of].as_ref().unwrap();
        self.calls[to].accept_key(key, session)
    }

    /// Everybody among `who` gets everybody's present key.
    fn share(&mut self, who: &[usize]) {
        for of in who {
            for to in who.iter().filter(|to| *to != of) {
                let key = self.key(*of, *to);
                self.give(*of, *to, key).unwrap();
            }
        }
    }

    fn seal(&mut self, of: usize) -> Vec<u8> {
        let mut frame = Vec::new();
        self.calls[of].seal(b"audio", b"20 ms of sound", &mut frame).unwrap();
        frame
    }

    fn open(&mut self, at: usize, frame: &[u8]) -> Result<Participant, OpenError> {
        let mut frame = frame.to_vec();
        let opened = self.calls[at].open(b"audio", &mut frame)?;
        assert_eq!(opened.plaintext, b"20 ms of sound");
        Ok(opened.participant)
    }
}

fn number(index: usize) -> Participant {
    Participant(u16::try_from(index).unwrap())
}

#[test]
fn everybody_in_a_group_call_hears_everybody_else() {
    let mut room = Room::with_all(4);
    for of in 0..4 {
        let frame = room.seal(of);
        for at in 0..4 {
            let expected = if at == of { Err(OpenError::UnknownKey) } else { Ok(number(of)) };
            assert_eq!(room.open(at, &frame), expected);
        }
    }
}

/// P-9.6, P-9.7
#[test]
fn whoever_joins_opens_nothing_from_before() {
    let mut room = Room::new(3);
    room.join(0, 1);
    room.join(1, 0);
    room.share(&[0, 1]);
    let before = room.seal(0);
    let epoch = room.calls[0].epoch();
    for at in [0, 1] {
        room.join(at, 2);
        room.join(2, at);
    }
    assert_eq!(room.calls[0].epoch(), epoch + 1);
    room.share(&[0, 1, 2]);
    assert_eq!(room.open(2, &before), Err(OpenError::UnknownKey));
    let now = room.seal(0);
    assert_eq!(room.open(2, &now), Ok(number(0)));
    assert_eq!(room.open(1, &now), Ok(number(0)));
    assert_eq!(room.open(1, &before), Ok(number(0)), "late, and still heard by whoever was there");
}

/// P-9.6, P-9.7
#[test]
fn whoever_left_opens_nothing_after_and_is_not_heard() {
    let mut room = Room::with_all(3);
    for at in [0, 1] {
        room.calls[at].leave(number(2), &mut rand::rng()).unwrap();
    }
    assert_eq!(room.calls[0].key_for(room.session(0, 2)).unwrap_err(), MemberError::NotInCall);
    room.share(&[0, 1]);
    let after = room.seal(0);
    assert_eq!(room.open(2, &after), Err(OpenError::UnknownKey));
    assert_eq!(room.open(1, &after), Ok(number(0)));

    let uninvited = room.seal(2);
    assert_eq!(room.open(0, &uninvited), Err(OpenError::UnknownKey));
    let key = room.key(2, 0);
    assert_eq!(room.give(2, 0, key), Err(EpochKeyError::NotInCall));

    // Not even a key that somebody else passes on opens it for them: it is no key of theirs.
    let passed_on = room.key(0, 1);
    assert_eq!(room.give(0, 2, passed_on), Err(EpochKeyError::Rejected));
}

/// P-9.7: a new epoch for each change, and only for a change.
#[test]
fn members_are_there_once_and_every_change_is_an_epoch() {
    let mut room = Room::new(3);
    let [me, other, third] = [0, 1, 2].map(|index| *room.people[index].public());
    let (call, rng) = (&mut room.calls[0], &mut rand::rng());
    assert_eq!(call.join(number(1), &other, rng), Ok(()));
    assert_eq!(call.join(number(1), &third, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(2), &other, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(0), &third, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(2), &me, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.leave(number(2), rng), Err(MemberError::NotInCall));
    assert_eq!(call.epoch(), 1);
    assert_eq!(call.leave(number(1), rng), Ok(()));
    assert_eq!((call.epoch(), call.others().count()), (2, 0));
    for index in 1..GroupCall::MAX_PARTICIPANTS {
        call.join(number(index), Identity::generate(rng).public(), rng).unwrap();
    }
    assert_eq!(call.join(Participant(999), &third, rng), Err(MemberError::Full));
}

/// P-9.5
#[test]
fn an_epoch_key_with_any_byte_changed_is_refused() {
    let mut room = Room::new(2);
    room.join(0, 1);
    room.join(1, 0);
    let bytes = room.calls[0].key_for(room.session(0, 1)).unwrap().to_bytes();
    let frame = room.seal(0);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(key) = EpochKey::from_bytes(&changed) else { continue };
            let expected = if (1..17).contains(&at) { EpochKeyError::OtherCall } else { EpochKeyError::Rejected };
            assert_eq!(room.give(0, 1, key), Err(expected), "byte {at}");
        }
    }
    assert_eq!(room.open(1, &frame), Err(OpenError::UnknownKey), "none of them was installed");
    assert_eq!(room.give(0, 1, EpochKey::from_bytes(&bytes).unwrap()), Ok(()));
    assert_eq!(room.open(1, &frame), Ok(number(0)));
}

/// P-9.5: nobody can pass on somebody else's key, as that one's or as their own; nor can a key come in another session.
#[test]
fn an_epoch_key_is_for_one_recipient_in_one_session_from_one_sender() {
    let mut room = Room::with_all(3);
    for at in 0..3 {
        room.calls[at].leave(number((at + 1) % 3), &mut rand::rng()).unwrap();
        room.join(at, (at + 1) % 3);
    }
    let for_carol = room.key(0, 2);
    assert_eq!(room.give(0, 1, for_carol), Err(EpochKeyError::Rejected), "made for another");
    let alices = room.key(0, 1);
    assert_eq!(room.give(2, 1, alices), Err(EpochKeyError::Rejected), "sent by another");
    let (_, another_session) = sessions(&room.people[0], &room.people[1]);
    let key = room.key(0, 1);
    assert_eq!(room.calls[1].accept_key(key, &another_session), Err(EpochKeyError::Rejected));
    room.share(&[0, 1, 2]);
}

/// P-9.5: Carol, who is in the call, takes Alice's number, or a suite that the others did not choose.
#[test]
fn nobody_takes_the_number_of_another_or_another_suite() {
    let mut room = Room::with_all(3);
    let id = room.calls[2].call();
    let weaker = FrameSuite::ShortTag(ShortTag::Aes128CtrHmac32);
    for (suite, claimed) in [(FrameSuite::default(), number(0)), (weaker, number(2))] {
        let mut hostile = GroupCall::start(id, suite, claimed, room.people[2].public(), &mut rand::rng());
        // Later epochs than those that Bob knows: it is not for being old that it is refused.
        for other in [1, 5, 6, 7] {
            let identity = if other == 1 { &room.people[1] } else { &Identity::generate(&mut rand::rng()) };
            hostile.join(number(other), identity.public(), &mut rand::rng()).unwrap();
        }
        let key = hostile.key_for(room.session(2, 1)).unwrap();
        assert_eq!(room.give(2, 1, key), Err(EpochKeyError::Rejected), "{suite:?}, {claimed:?}");
    }
    let frame = room.seal(0);
    assert_eq!(room.open(1, &frame), Ok(number(0)));
}

/// P-9.14
#[test]
fn an_old_epoch_key_is_stale_and_replaces_nothing() {
    let mut room = Room::with_all(2);
    let old = room.key(0, 1);
    assert_eq!(room.give(0, 1, old), Err(EpochKeyError::Stale), "the same once more");
    let old = room.key(0, 1);
    let next = room.calls[0].epoch() + 2;
    let carol = *Identity::generate(&mut rand::rng()).public();
    room.calls[0].join(Participant(9), &carol, &mut rand::rng()).unwrap();
    room.calls[0].leave(Participant(9), &mut rand::rng()).unwrap();
    assert_eq!(room.calls[0].epoch(), next);
    let new = room.key(0, 1);
    assert_eq!(room.give(0, 1, new), Ok(()));
    assert_eq!(room.give(0, 1, old), Err(EpochKeyError::Stale));
    let frame = room.seal(0);
    assert_eq!(room.open(1, &frame), Ok(number(0)));
}

fn key(suite: FrameSuite, participant: u16, epoch: u32) -> SenderKey {
    let secret = [u8::try_from(epoch % 251).unwrap(); 32];
    SenderKey::new(suite, Participant(participant), epoch, BaseKey::from_bytes(&secret).unwrap())
}

fn ends(suite: FrameSuite) -> (FrameSealer, FrameOpener) {
    let mut opener = FrameOpener::new();
    opener.install(key(suite, 3, 0)).unwrap();
    (FrameSealer::new(key(suite, 3, 0)), opener)
}

const SUITES: [FrameSuite; 5] = [
    FrameSuite::Aes128Gcm,
    FrameSuite::Aes256Gcm,
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac80),
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac64),
    FrameSuite::ShortTag(ShortTag::Aes128CtrHmac32),
];

fn sealed(sealer: &mut FrameSealer, plaintext: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    sealer.seal(b"audio", plaintext, &mut frame).unwrap();
    frame
}

/// P-9.8: the frames of RFC 9605, appendix C.3, by the interface that everybody has.
#[test]
fn the_published_frames_come_out_of_a_sealer_and_open() {
    let published: serde_json::Value =
        serde_json::from_str(include_str!("vectors/sframe/sframe-tv.json")).expect("the RFC's vectors");
    for vector in published["sframe"].as_array().unwrap() {
        let bytes = |name: &str| -> Vec<u8> {
            let digits = vector[name].as_str().unwrap();
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
        };
        let suite = SUITES.into_iter().find(|suite| vector["cipher_suite"] == suite.number()).unwrap();
        // Key id 0x123 is participant 0x12 in epoch 3.
        let key = || SenderKey::new(suite, Participant(0x12), 3, BaseKey::from_bytes(&bytes("base_key")).unwrap());
        assert_eq!((&vector["kid"], &vector["ctr"]), (&0x123.into(), &0x4567.into()));
        let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
        opener.install(key()).unwrap();
        let mut frame = Vec::new();
        let (metadata, plaintext) = (bytes("metadata"), bytes("pt"));
        for _ in 0..=0x4567 {
            frame.clear();
            sealer.seal(&metadata, &plaintext, &mut frame).unwrap();
        }
        assert_eq!(frame, bytes("ct"), "{suite:?}");
        let opened = opener.open(&metadata, &mut frame).unwrap();
        assert_eq!((opened.counter, &*opened.plaintext), (0x4567, plaintext.as_slice()));
    }
}

/// P-9.12
#[test]
fn a_frame_with_any_byte_changed_is_refused_and_changes_nothing() {
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        let frame = sealed(&mut sealer, b"20 ms of sound");
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut changed = frame.clone();
                changed[at] ^= 1 << bit;
                let before = changed.clone();
                let refused = opener.open(b"audio", &mut changed).unwrap_err();
                assert_eq!(changed, before, "a refused buffer is left as it was");
                let in_header = at < 2;
                assert!(in_header || refused == OpenError::Rejected, "{suite:?}, byte {at}: {refused}");
            }
        }
        for length in 0..frame.len() {
            assert!(opener.open(b"audio", &mut frame[..length].to_vec()).is_err(), "{suite:?}, cut to {length}");
        }
        assert_eq!(opener.open(b"video", &mut frame.clone()).unwrap_err(), OpenError::Rejected);
        assert_eq!(opener.open(b"audio", &mut frame.clone()).unwrap().plaintext, b"20 ms of sound");
        assert_eq!(opener.open(b"audio", &mut frame.clone()).unwrap_err(), OpenError::Replayed);
    }
}

/// P-9.12: a forged counter must not push genuine frames out of the window.
#[test]
fn forged_frames_do_not_move_the_window() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let first = sealed(&mut sealer, b"first");
    // One byte of key id, eight of the counter.
    let mut ahead = [&[0x8f, 0x30][..], &u64::MAX.to_be_bytes(), &first[2..]].concat();
    assert_eq!(opener.open(b"audio", &mut ahead).unwrap_err(), OpenError::Rejected);
    assert!(opener.open(b"audio", &mut first.clone()).is_ok());
}

#[test]
fn unknown_keys_are_told_from_forged_frames() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut frame = sealed(&mut sealer, b"sound");
    for mut other in [FrameOpener::new(), FrameOpener::default()] {
        assert_eq!(other.open(b"audio", &mut frame).unwrap_err(), OpenError::UnknownKey);
    }
    // No participant has a number that long.
    let mut beyond = [&[0xa0, 0x10, 0, 0][..], &[0; 16]].concat();
    assert_eq!(opener.open(b"audio", &mut beyond).unwrap_err(), OpenError::UnknownKey);
    opener.remove(Participant(3));
    assert_eq!(opener.open(b"audio", &mut frame).unwrap_err(), OpenError::UnknownKey);
}

#[test]
fn too_long_is_refused_on_both_sides() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let long = [7; FrameSealer::MAX_METADATA + 1];
    let mut output = vec![1, 2, 3];
    assert_eq!(sealer.seal(&long, b"", &mut output), Err(SealError::TooLong));
    let plaintext = vec![0; FrameSealer::MAX_PLAINTEXT + 1];
    assert_eq!(sealer.seal(b"", &plaintext, &mut output), Err(SealError::TooLong));
    assert_eq!(output, [1, 2, 3]);
    sealer.seal(&long[1..], b"sound", &mut output).unwrap();
    let frame = &mut output[3..];
    assert_eq!(opener.open(&long, frame).unwrap_err(), OpenError::Rejected);
    let opened = opener.open(&long[1..], frame).unwrap();
    assert_eq!((opened.counter, &*opened.plaintext), (0, b"sound".as_slice()));
    for length in [15, 65] {
        assert!(BaseKey::from_bytes(&long[..length]).is_err());
    }
}

#[test]
fn frames_in_buffers_that_are_there_allocate_nothing() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let (plaintext, mut frame) = ([7; 1200], Vec::with_capacity(1300));
    let allocations = allocation_counter::measure(|| {
        for _ in 0..100 {
            frame.clear();
            sealer.seal(b"audio", &plaintext, &mut frame).unwrap();
            assert!(opener.open(b"audio", &mut frame).is_ok());
        }
    });
    assert_eq!(allocations.count_total, 0);
}

/// P-9.14
#[test]
fn older_epochs_open_late_frames_for_a_while_and_are_then_forgotten() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut late: Vec<_> = (0..600).map(|_| sealed(&mut sealer, b"late")).collect();
    opener.install(key(FrameSuite::default(), 3, 1)).unwrap();
    for (index, frame) in late.iter_mut().enumerate() {
        let opened = opener.open(b"audio", frame).map(|opened| opened.epoch);
        assert_eq!(opened, if index < 512 { Ok(0) } else { Err(OpenError::UnknownKey) }, "frame {index}");
    }
    assert_eq!(opener.keys(), 1);
}

/// P-9.10, P-9.14
#[test]
fn the_memory_of_an_opener_is_bounded() {
    let suite = FrameSuite::default();
    let mut opener = FrameOpener::new();
    for epoch in 0..40 {
        opener.install(key(suite, 0, epoch)).unwrap();
        assert_eq!(opener.keys(), usize::try_from(epoch + 1).unwrap().min(3));
        assert_eq!(opener.install(key(suite, 0, epoch)), Err(InstallError::Stale));
    }
    // Sixteen after the newest: the same key id, so that one goes, and the two older ones stay.
    let mut late = [39, 38, 37].map(|epoch| sealed(&mut FrameSealer::new(key(suite, 0, epoch)), b"late"));
    opener.install(key(suite, 0, 55)).unwrap();
    let opened = late.each_mut().map(|frame| opener.open(b"audio", frame).map(|opened| opened.epoch));
    assert_eq!(opened.map(Result::ok), [None, Some(38), Some(37)]);
    opener.forget_older();
    assert_eq!(opener.keys(), 1);
    for participant in 1..256 {
        opener.install(key(suite, participant, 0)).unwrap();
    }
    assert_eq!(opener.install(key(suite, 256, 0)), Err(InstallError::Full));
    assert_eq!(opener.install(key(suite, 255, 1)), Ok(()));
}

const STORAGE: [u8; 32] = [7; 32];

fn reserve(sealer: &mut FrameSealer, count: u32, rng: &mut StdRng) -> Result<Vec<u8>, SealError> {
    let mut held = sealer.reserve(count, rng)?;
    let record = held.seal(&StorageKey::from_bytes(STORAGE), b"call", rng);
    let bytes = record.as_bytes().to_vec();
    held.release(&record.stored()).unwrap();
    Ok(bytes)
}

fn unseal(record: &[u8]) -> FrameSealer {
    FrameSealer::unseal(&StorageKey::from_bytes(STORAGE), b"call", record).unwrap()
}

/// P-9.11
#[test]
fn counters_are_there_when_they_are_stored_and_not_before() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut sealer = FrameSealer::new(key(FrameSuite::default(), 0, 0));
    sealed(&mut sealer, b"in memory");
    let mut dropped = sealer.reserve(5, rng).unwrap();
    let of_dropped = dropped.seal(&StorageKey::from_bytes(STORAGE), b"call", rng).stored();
    drop(dropped);
    let mut output = Vec::new();
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    assert!(output.is_empty());
    let unsealed = sealer.reserve(5, rng).unwrap();
    let mut unsealed = unsealed.release(&of_dropped).expect_err("no record of these counters was sealed");
    drop(unsealed.seal(&StorageKey::from_bytes(STORAGE), b"call", rng));
    drop(unsealed.release(&of_dropped).expect_err("the record of other counters was stored"));
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    let record = reserve(&mut sealer, 2, rng).unwrap();
    assert_eq!(sealer.remaining(), 2);
    sealed(&mut sealer, b"one");
    sealed(&mut sealer, b"two");
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    assert_eq!(unseal(&record).seal(b"", b"", &mut output), Err(SealError::NotReserved));
}

#[test]
fn a_record_of_counters_opens_as_it_was_stored_or_not_at_all() {
    let rng = &mut StdRng::seed_from_u64(1);
    let record = reserve(&mut FrameSealer::new(key(FrameSuite::default(), 5, 2)), 9, rng).unwrap();
    assert!(record.len() < 200);
    let storage_key = StorageKey::from_bytes(STORAGE);
    let open = |record: &[u8], context: &[u8]| FrameSealer::unseal(&storage_key, context, record).map(drop);
    for at in 0..record.len() {
        let mut changed = record.clone();
        changed[at] ^= 1;
        let expected = if at == 0 { UnsealError::UnknownVersion } else { UnsealError::Rejected };
        assert_eq!(open(&changed, b"call"), Err(expected), "byte {at}");
    }
    assert_eq!(open(&record, b"another call"), Err(UnsealError::Rejected));
    assert_eq!(open(&record, b"call"), Ok(()));
}

/// P-9.13: 56 bits at each restart leave room for some hundred restarts, and then a new epoch has to come.
#[test]
fn a_key_that_was_restored_too_often_has_no_counters_left() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut record = reserve(&mut FrameSealer::new(key(FrameSuite::default(), 0, 0)), 1, rng).unwrap();
    for restarts in 0..1_000 {
        match reserve(&mut unseal(&record), 1, rng) {
            Ok(next) => record = next,
            Err(error) => {
                assert_eq!(error, SealError::Exhausted);
                assert!(restarts > 400, "2^56 counters each at most, half of that as a rule: {restarts}");
                return;
            }
        }
    }
    panic!("it goes on");
}

/// What happens to a sender and its database.
#[derive(Clone, Debug)]
enum Fate {
    Seal(u8),
    Reserve(u8),
    /// The record was written, and the program died before it knew.
    ReserveThenCrash(u8),
    /// The program died before anything was written.
    Crash,
    /// The database is one from the past.
    Restore(u8),
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => any::<u8>().prop_map(Fate::Seal),
        3 => any::<u8>().prop_map(Fate::Reserve),
        1 => any::<u8>().prop_map(Fate::ReserveThenCrash),
        1 => Just(Fate::Crash),
        1 => any::<u8>().prop_map(Fate::Restore),
    ];
    proptest::collection::vec(fate, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P-9.11, P-9.13
    #[test]
    fn no_counter_is_used_twice_whatever_is_restored(fates in fates(), seed: u64) {
        let (rng, suite) = (&mut StdRng::seed_from_u64(seed), FrameSuite::default());
        let mut sealer = FrameSealer::new(key(suite, 0, 0));
        let mut records = vec![reserve(&mut sealer, 1, rng).unwrap()];
        let mut used = BTreeSet::new();
        for fate in fates {
            match fate {
                Fate::Seal(count) => {
                    let mut frame = Vec::new();
                    for _ in 0..count {
                        frame.clear();
                        if sealer.seal(b"", b"", &mut frame).is_err() {
                            break;
                        }
                        // Key id 0 and an empty plaintext: what stands before the tag is the counter's encoding.
                        let header = frame[..frame.len() - 16].to_vec();
                        prop_assert!(used.insert(header), "a counter is used twice");
                    }
                }
                Fate::Reserve(count) => records.push(reserve(&mut sealer, count.into(), rng).unwrap()),
                Fate::ReserveThenCrash(count) => {
                    let storage_key = StorageKey::from_bytes(STORAGE);
                    let mut held = sealer.reserve(count.into(), rng).unwrap();
                    records.push(held.seal(&storage_key, b"call", rng).into_bytes());
                    sealer = unseal(records.last().unwrap());
                }
                Fate::Crash => sealer = unseal(records.last().unwrap()),
                Fate::Restore(age) => {
                    records.truncate(usize::from(age) % records.len() + 1);
                    sealer = unseal(records.last().unwrap());
                }
            }
        }
    }

    /// P-9.12: lost, doubled and reordered as networks do it, every frame opens once.
    #[test]
    fn every_frame_opens_once_in_any_order(order in proptest::collection::vec(0..200_usize, 1..400)) {
        let (mut sealer, mut opener) = ends(FrameSuite::Aes128Gcm);
        let frames: Vec<_> = (0..200_u8).map(|number| sealed(&mut sealer, &[number])).collect();
        let mut opened = BTreeSet::new();
        for number in order {
            let mut frame = frames[number].clone();
            let outcome = opener.open(b"audio", &mut frame).map(|opened| usize::from(opened.plaintext[0]));
            prop_assert_eq!(outcome, if opened.insert(number) { Ok(number) } else { Err(OpenError::Replayed) });
        }
    }
}

/// P-9.12
#[test]
fn a_frame_a_thousand_and_twenty_four_behind_is_too_late() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut frames: Vec<_> = (0..1025).map(|_| sealed(&mut sealer, b"")).collect();
    assert!(opener.open(b"audio", &mut frames[1024]).is_ok());
    assert_eq!(opener.open(b"audio", &mut frames[0]).unwrap_err(), OpenError::TooLate);
    assert!(opener.open(b"audio", &mut frames[1]).is_ok());
}

/// P-9.9: longer encodings of the same header, with a tag that would fit the short one.
#[test]
fn a_frame_whose_header_is_not_the_shortest_is_malformed() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let frame = sealed(&mut sealer, b"sound");
    assert_eq!(frame[..2], [0x80, 0x30]);
    for header in [&[0x90, 0, 0x30][..], &[0x88, 0x30, 0]] {
        let mut longer = [header, &frame[2..]].concat();
        assert_eq!(opener.open(b"audio", &mut longer).unwrap_err(), OpenError::Malformed);
    }
}
