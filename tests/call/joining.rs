//! Joining a group call: bytes that grow with the call and not with its square, keys that follow from one another, and
//! what somebody who holds them can and cannot do.

use bisik::call::{CallId, EpochKey, FrameSuite, GroupCall, KeyNews, OpenError, Recipients};
use bisik::{Ciphertext, Identity, IdentityKey};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::fixtures::*;

/// P-9.6, P-9.7: when one joins a call of 31, each of them sends it one key, and it sends each of them one. Everybody
/// hears everybody.
#[test]
fn a_join_costs_two_messages_for_each_participant() {
    const PRESENT: usize = 31;
    let rng = &mut rand::rng();
    let identities: Vec<_> = (0..=PRESENT).map(|_| Identity::generate(rng)).collect();
    let id = CallId::generate(rng);
    let start = |who: &Identity| GroupCall::start(id, None, FrameSuite::default(), who.public(), &mut rand::rng());
    let mut calls: Vec<_> = identities.iter().map(start).collect();
    // Participant 0 listens to all others; the newcomer is the last. Only these two need sessions for this.
    let mut listener = Vec::new();
    for at in 0..PRESENT {
        for who in (0..PRESENT).filter(|who| *who != at) {
            let _ = calls[at].join(identities[who].public(), everybody, rng).unwrap();
        }
        // So that each has just sent a fresh key to everybody: eight may follow from it.
        let guest = *Identity::generate(rng).public();
        let _ = calls[at].join(&guest, everybody, rng).unwrap();
        calls[at].leave(&guest, rng).unwrap();
        listener.push((at > 0).then(|| sessions(&identities[at], &identities[0])));
    }
    for at in 1..PRESENT {
        let (ours, theirs) = listener[at].as_ref().unwrap();
        let key = calls[at].key_for(ours).unwrap();
        assert_eq!(calls[0].accept_key(&key, theirs, everybody, rng).unwrap().news, KeyNews::NewStay);
    }

    let (mut messages, mut bytes) = (0, 0);
    let (newcomer, own) = (PRESENT, identities[PRESENT].public());
    for present in &identities[..PRESENT] {
        let _ = calls[newcomer].join(present.public(), everybody, rng).unwrap();
    }
    for (at, present) in identities[..PRESENT].iter().enumerate() {
        let (mut theirs, mut ours) = sessions(present, &identities[newcomer]);
        let recipients = calls[at].join(own, everybody, rng).unwrap();
        assert_eq!(recipients, Recipients::OneDevice);
        let mut send = |message: Ciphertext| {
            messages += 1;
            bytes += message.as_bytes().len();
            message
        };
        let key = calls[newcomer].key_for(&ours).unwrap();
        let message = send(ours.encrypt(&key.to_bytes(), rng).unwrap());
        let read = theirs.decrypt(present, &message).unwrap().plaintext.confirmed().unwrap();
        let taken = calls[at].accept_key(&EpochKey::from_bytes(&read).unwrap(), &theirs, everybody, rng).unwrap();
        assert_eq!(taken.answer, Some(Recipients::OneDevice));
        let key = calls[at].key_for(&theirs).unwrap();
        let message = send(theirs.encrypt(&key.to_bytes(), rng).unwrap());
        let read = ours.decrypt(&identities[newcomer], &message).unwrap().plaintext.confirmed().unwrap();
        let taken = calls[newcomer].accept_key(&EpochKey::from_bytes(&read).unwrap(), &ours, everybody, rng).unwrap();
        assert_eq!(taken.answer, None);
    }
    for (of, identity) in identities.iter().enumerate().skip(1) {
        for at in [0, newcomer].into_iter().filter(|at| *at != of) {
            assert_eq!(heard(&mut calls, at, of), Ok(*identity.public()));
        }
    }
    assert_eq!(messages, 2 * PRESENT);
    let one = bytes / messages;
    println!("{messages} messages of {one} bytes: {bytes} bytes; fresh keys for all: {} bytes", one * 32 * 31);
    assert!(one < 260 && bytes < 16_100, "{bytes} bytes");
}

fn heard(calls: &mut [GroupCall], at: usize, of: usize) -> Result<IdentityKey, OpenError> {
    let mut frame = Vec::new();
    calls[of].seal(b"", b"sound", &mut frame).unwrap();
    calls[at].open(b"", &mut frame).map(|frame| frame.device)
}

/// P-9.6: after eight that followed from one another, a ninth key is fresh and goes to everybody.
#[test]
fn somebody_who_says_nothing_while_many_join_is_heard_afterwards() {
    let mut room = Room::with_all(2);
    let mut fresh = Vec::new();
    for joined in 1..40 {
        match room.guest(0, false) {
            Recipients::OneDevice => {}
            Recipients::Everybody => {
                let key = room.key(0, 1);
                assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewEpoch));
                fresh.push(joined);
            }
        }
        if joined % 13 == 0 {
            assert!(room.hears(1, 0), "after {joined}");
        }
    }
    assert!(room.hears(1, 0));
    assert_eq!(fresh, [8, 17, 26, 35], "the first of the eight was the join of the two");
    assert!(room.calls[1].keys() <= 11);
}

/// P-9.18: the id of an older key is that of a key sixteen epochs later, which may be on its way.
#[test]
fn a_frame_under_a_key_on_its_way_is_not_called_forged_for_an_older_key_with_its_id() {
    let mut room = Room::with_all(2);
    let say = |room: &mut Room, epochs: u32| {
        for _ in 0..epochs / 2 {
            let _ = room.guest(0, true);
        }
        let (key, frame) = (room.key(0, 1), room.seal(0));
        (key, frame)
    };
    for epochs in [2, 6] {
        let (key, _) = say(&mut room, epochs);
        assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewEpoch));
    }
    let (key, frame) = say(&mut room, 10);
    assert_eq!(room.open(1, &frame), Err(OpenError::UnknownKey));
    assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewEpoch));
    assert_eq!(room.open(1, &frame), Ok(0));
}

/// P-9.14: a key that follows from a known one is derived once, and its counters are remembered.
#[test]
fn a_key_that_follows_from_a_known_one_and_is_said_too_opens_no_frame_twice() {
    let mut room = Room::with_all(2);
    let _ = room.guest(0, false);
    let frame = room.seal(0);
    assert_eq!(room.open(1, &frame), Ok(0));
    let key = room.key(0, 1);
    assert_eq!(room.give(0, 1, &key), Ok(KeyNews::Known));
    assert_eq!(room.open(1, &frame), Err(OpenError::Replayed));
    assert!(room.hears(1, 0));
}

/// P-9.6: frames under every key that follows open in any order, each once; those of a ninth do not.
#[test]
fn frames_under_keys_that_follow_open_in_any_order() {
    let mut room = Room::with_all(2);
    let mut frames = vec![room.seal(0)];
    for _ in 0..7 {
        assert_eq!(room.guest(0, false), Recipients::OneDevice);
        frames.push(room.seal(0));
    }
    for at in [5, 0, 7, 6, 1, 2, 4, 3] {
        assert_eq!(room.open(1, &frames[at]), Ok(0), "{at}");
    }
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(room.open(1, frame), Err(OpenError::Replayed), "{at}");
    }
    assert_eq!(room.calls[1].keys(), 8);
    // A fresh one: the two before it stay for late frames, until somebody says that they shall not.
    let late = room.seal(0);
    let _ = room.guest(0, true);
    let key = room.key(0, 1);
    assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewEpoch));
    assert_eq!(room.calls[1].keys(), 3);
    assert_eq!(room.open(1, &late), Ok(0));
    room.calls[1].forget_older();
    assert_eq!(room.calls[1].keys(), 1);
    assert!(room.hears(1, 0));
}

/// P-9.14: everybody who has a key can derive those that follow and seal frames in its owner's name. That must not shut
/// out the owner, nor the fresh key that it says next.
#[test]
fn frames_that_a_participant_forges_under_keys_ahead_do_not_deafen_anyone() {
    let mut room = Room::with_all(3);
    // A twin that draws the same has all of Alice's secrets, as Carol has.
    let (id, own) = (room.calls[0].call(), room.identity(0));
    let start = || GroupCall::start(id, None, FrameSuite::default(), &own, &mut StdRng::seed_from_u64(1));
    let mut twin = start();
    room.calls[0] = start();
    for who in [1, 2] {
        room.join(0, who);
    }
    for who in [1, 2] {
        let other = room.identity(who);
        let _ = twin.join(&other, everybody, &mut rand::rng()).unwrap();
        let key = room.key(0, who);
        assert_eq!(room.give(0, who, &key), Ok(KeyNews::NewStay));
    }
    let mut forged = Vec::new();
    for _ in 0..6 {
        let guest = *Identity::generate(&mut rand::rng()).public();
        assert_eq!(twin.join(&guest, everybody, &mut rand::rng()), Ok(Recipients::OneDevice));
        let mut frame = Vec::new();
        twin.seal(b"audio", b"20 ms of sound", &mut frame).unwrap();
        forged.push(frame);
    }
    for frame in forged.iter().rev() {
        assert_eq!(room.open(1, frame), Ok(0), "frames carry no signature");
    }
    assert!(room.hears(1, 0), "under the key of before");
    let _ = room.guest(0, false);
    let mut frame = Vec::new();
    room.calls[0].seal(b"audio", b"20 ms of sound", &mut frame).unwrap();
    let outcome = room.open(1, &frame);
    assert_eq!(outcome, Err(OpenError::Replayed), "the counter of a forged frame, which has no tag of its own");
    assert!(room.hears(1, 0), "and the next is heard");
    // Carol leaves. What Alice says next is the key of an epoch under which Carol has forged.
    room.leave(0, 2);
    let key = room.key(0, 1);
    let early = room.seal(0);
    let early = [early, room.seal(0)];
    assert_eq!(room.open(1, &early[1]), Err(OpenError::UnknownKey), "it can wait for its key");
    assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewEpoch));
    assert_eq!(early.map(|frame| room.open(1, &frame)), [Ok(0); 2]);
    assert_eq!(room.open(1, forged.last().unwrap()), Err(OpenError::UnknownKey), "keys ahead went with their base");
}

/// P-9.13: frames under key ids that nobody has change nothing, whatever they name.
#[test]
fn forged_frames_under_every_key_id_change_nothing() {
    let mut room = Room::with_all(2);
    let genuine = room.seal(0);
    let keys = room.calls[1].keys();
    let number = room.calls[0].participant().0;
    for key_id in (0..=u32::from(number) * 16 + 40).filter(|id| *id >= 8) {
        let bytes = key_id.to_be_bytes();
        let id: Vec<_> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        let config = 0x80 | (u8::try_from(id.len()).unwrap() - 1) << 4;
        let mut frame = [vec![config], id, genuine[2..].to_vec()].concat();
        let before = frame.clone();
        let outcome = room.calls[1].open(b"audio", &mut frame).map(drop);
        assert!(matches!(outcome, Err(OpenError::UnknownKey | OpenError::Rejected)), "{key_id}: {outcome:?}");
        assert_eq!(frame, before);
    }
    assert_eq!(room.calls[1].keys(), keys);
    assert!(room.hears(1, 0));
}

/// P-9.14, P-9.15: what one device can make another keep: three stays, each with a key that was said, eight that follow
/// from it, and two older ones.
#[test]
fn memory_of_a_group_call_is_bounded_for_each_device() {
    let mut room = Room::with_all(2);
    let info = allocation_counter::measure(|| {
        for number in 0..5 {
            room.restart(0, 100 + number);
            room.join(0, 1);
            for _ in 0..3 {
                let _ = room.guest(0, true);
                let key = room.key(0, 1);
                assert!(room.give(0, 1, &key).is_ok());
                for _ in 0..8 {
                    assert_eq!(room.guest(0, false), Recipients::OneDevice);
                    assert!(room.hears(1, 0));
                }
            }
            assert!(room.calls[1].keys() <= 33);
        }
    });
    assert_eq!(room.calls[1].keys(), 33);
    println!("{} bytes for 33 keys, and what the sender keeps", info.bytes_current);
    assert!(info.bytes_current < 48 << 10, "{} bytes", info.bytes_current);
}
