//! Group calls: a new device opens no earlier frames, one that left opens no later ones, and a key is for one device.

use bisik::Identity;
use bisik::call::{
    EpochKey, EpochKeyError, FrameSuite, GroupCall, KeyNews, MemberError, OpenError, Recipients, ShortTag, no_group,
};

use super::fixtures::*;

#[test]
fn each_participant_of_a_group_call_opens_frames_of_all_others() {
    let mut room = Room::with_all(4);
    for of in 0..4 {
        let frame = room.seal(of);
        for at in 0..4 {
            let expected = if at == of { Err(OpenError::UnknownKey) } else { Ok(of) };
            assert_eq!(room.open(at, &frame), expected);
        }
    }
}

/// P-9.6, P-9.7: what was said before stays closed to the newcomer, and the others need no new key.
#[test]
fn a_new_participant_cannot_open_earlier_frames() {
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
    let key = room.key(0, 2);
    assert_eq!(room.give(0, 2, &key), Ok(KeyNews::NewStay));
    assert_eq!(room.open(2, &before), Err(OpenError::UnknownKey));
    let now = room.seal(0);
    assert_eq!(room.open(2, &now), Ok(0));
    assert_eq!(room.open(1, &now), Ok(0), "derived from the key that it has");
    assert_eq!(room.open(1, &before), Ok(0), "late, but earlier participants still open it");
    assert_eq!([room.open(1, &now), room.open(1, &before)], [Err(OpenError::Replayed); 2]);
}

/// P-9.6, P-9.7
#[test]
fn a_participant_who_left_cannot_open_or_send_later_frames() {
    let mut room = Room::with_all(3);
    for at in [0, 1] {
        room.leave(at, 2);
    }
    let session = room.sessions[0][2].as_ref().unwrap();
    assert_eq!(room.calls[0].key_for(session).unwrap_err(), MemberError::NotInCall);
    room.share(&[0, 1]);
    let after = room.seal(0);
    assert_eq!(room.open(2, &after), Err(OpenError::UnknownKey));
    assert_eq!(room.open(1, &after), Ok(0));

    let uninvited = room.seal(2);
    assert_eq!(room.open(0, &uninvited), Err(OpenError::UnknownKey));
    let key = room.key(2, 0);
    assert_eq!(room.give(2, 0, &key), Err(EpochKeyError::NotInCall));

    // Even an epoch key passed on by another participant does not open it: it is not addressed to them.
    let passed_on = room.key(0, 1);
    assert_eq!(room.give(0, 2, &passed_on), Err(EpochKeyError::Rejected));
}

/// P-9.7: a new epoch for each change, and only for a change.
#[test]
fn members_are_listed_once_and_each_change_starts_an_epoch() {
    let mut room = Room::new(3);
    let [me, other, third] = [0, 1, 2].map(|index| room.identity(index));
    let (call, rng) = (&mut room.calls[0], &mut rand::rng());
    assert_eq!((call.epoch(), call.join(&other, no_group, rng)), (0, Ok(Recipients::OneDevice)));
    assert_eq!(call.join(&other, no_group, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(&me, no_group, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.leave(&third, rng), Err(MemberError::NotInCall));
    assert_eq!(call.epoch(), 1);
    assert_eq!(call.leave(&other, rng), Ok(()));
    assert_eq!((call.epoch(), call.others().count()), (2, 0));
    for _ in 1..GroupCall::MAX_PARTICIPANTS {
        let _ = call.join(Identity::generate(rng).public(), no_group, rng).unwrap();
    }
    let epoch = call.epoch();
    assert_eq!(call.join(&third, no_group, rng), Err(MemberError::Full));
    assert_eq!((call.epoch(), call.others().count()), (epoch, 255));
}

/// P-9.5
#[test]
fn an_epoch_key_with_any_byte_changed_is_refused() {
    let mut room = Room::new(2);
    room.join(0, 1);
    room.join(1, 0);
    let bytes = room.key(0, 1).to_bytes();
    assert_eq!(bytes.len(), EpochKey::LENGTH);
    let frame = room.seal(0);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(key) = EpochKey::from_bytes(&changed) else { continue };
            let expected = if (1..17).contains(&at) { EpochKeyError::OtherCall } else { EpochKeyError::Rejected };
            assert_eq!(room.give(0, 1, &key), Err(expected), "byte {at}");
        }
    }
    assert_eq!(room.open(1, &frame), Err(OpenError::UnknownKey), "none of them was installed");
    assert_eq!(room.give(0, 1, &EpochKey::from_bytes(&bytes).unwrap()), Ok(KeyNews::NewStay));
    assert_eq!(room.open(1, &frame), Ok(0));
}

/// P-9.5: a participant cannot pass on another's key under either name, and no key is accepted in another session.
#[test]
fn an_epoch_key_is_for_one_recipient_in_one_session_from_one_sender() {
    let mut room = Room::with_all(3);
    for at in 0..3 {
        room.leave(at, (at + 1) % 3);
        room.join(at, (at + 1) % 3);
    }
    let for_carol = room.key(0, 2);
    assert_eq!(room.give(0, 1, &for_carol), Err(EpochKeyError::Rejected), "made for another");
    let alices = room.key(0, 1);
    assert_eq!(room.give(2, 1, &alices), Err(EpochKeyError::Rejected), "sent by another");
    let (_, another_session) = sessions(&room.identities[0], &room.identities[1]);
    let key = room.key(0, 1);
    assert_eq!(
        room.calls[1].accept_key(&key, &another_session, everybody, &mut rand::rng()),
        Err(EpochKeyError::Rejected)
    );
    room.share(&[0, 1, 2]);
}

/// P-9.5, P-9.15: Carol, a participant, takes Alice's number, or a suite that the others did not choose.
#[test]
fn a_participant_who_takes_anothers_number_is_still_herself() {
    let mut room = Room::with_all(3);
    let (id, own) = (room.calls[2].call(), room.identity(2));
    let alices = room.calls[0].participant().0;
    room.calls[2] = GroupCall::start(id, None, FrameSuite::default(), &own, &mut Chosen(alices));
    for who in [0, 1] {
        room.join(2, who);
    }
    let key = room.key(2, 1);
    assert_eq!(room.give(2, 1, &key), Ok(KeyNews::NewStay));
    for of in [0, 2] {
        assert!(room.hears(1, of), "both have number {alices}, and the tag decides");
    }
    let weaker = FrameSuite::ShortTag(ShortTag::Aes128CtrHmac32);
    room.calls[2] = GroupCall::start(id, None, weaker, &own, &mut Chosen(9));
    room.join(2, 1);
    let key = room.key(2, 1);
    assert_eq!(room.give(2, 1, &key), Err(EpochKeyError::Rejected));
    assert!(room.hears(1, 0));
}

/// P-9.14
#[test]
fn an_old_epoch_key_replaces_nothing_and_neither_does_a_known_one() {
    let mut room = Room::with_all(2);
    let old = room.key(0, 1);
    assert_eq!(room.give(0, 1, &old), Ok(KeyNews::Known), "the same once more");
    let heard = room.seal(0);
    assert_eq!(room.open(1, &heard), Ok(0));
    assert_eq!(room.give(0, 1, &old), Ok(KeyNews::Known));
    assert_eq!(room.open(1, &heard), Err(OpenError::Replayed), "its counters are remembered");
    let _ = room.guest(0, true);
    let new = room.key(0, 1);
    assert_eq!(room.give(0, 1, &new), Ok(KeyNews::NewEpoch));
    assert_eq!(room.give(0, 1, &old), Ok(KeyNews::Old));
    assert!(room.hears(1, 0));
    assert_eq!(room.open(1, &heard), Err(OpenError::Replayed), "late frames of the old key are counted too");
}
