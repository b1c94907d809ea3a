//! Group calls: a new participant opens no earlier frames, one who left opens no later ones, and no participant takes
//! another's number.

use bisik::Identity;
use bisik::call::{EpochKey, EpochKeyError, FrameSuite, GroupCall, MemberError, OpenError, Participant, ShortTag};

use super::fixtures::*;

#[test]
fn each_participant_of_a_group_call_opens_frames_of_all_others() {
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
    room.share(&[0, 1, 2]);
    assert_eq!(room.open(2, &before), Err(OpenError::UnknownKey));
    let now = room.seal(0);
    assert_eq!(room.open(2, &now), Ok(number(0)));
    assert_eq!(room.open(1, &now), Ok(number(0)));
    assert_eq!(room.open(1, &before), Ok(number(0)), "late, but earlier participants still open it");
}

/// P-9.6, P-9.7
#[test]
fn a_participant_who_left_cannot_open_or_send_later_frames() {
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

    // Even an epoch key passed on by another participant does not open it: it is not addressed to them.
    let passed_on = room.key(0, 1);
    assert_eq!(room.give(0, 2, passed_on), Err(EpochKeyError::Rejected));
}

/// P-9.7: a new epoch for each change, and only for a change.
#[test]
fn members_are_listed_once_and_each_change_starts_an_epoch() {
    let mut room = Room::new(3);
    let [me, other, third] = [0, 1, 2].map(|index| *room.identities[index].public());
    let (call, rng) = (&mut room.calls[0], &mut rand::rng());
    assert_eq!(call.join(number(1), &other, rng), Ok(()));
    assert_eq!(call.join(number(1), &third, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(2), &other, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(0), &third, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.join(number(2), &me, rng), Err(MemberError::AlreadyInCall));
    assert_eq!(call.leave(number(2), rng), Err(MemberError::NotInCall));
    let first = NOW.as_unix_seconds() << 16;
    assert_eq!(call.epoch(), first + 1);
    assert_eq!(call.leave(number(1), rng), Ok(()));
    assert_eq!((call.epoch(), call.others().count()), (first + 2, 0));
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

/// P-9.5: a participant cannot pass on another's key under either name, and no key is accepted in another session.
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
    let (_, another_session) = sessions(&room.identities[0], &room.identities[1]);
    let key = room.key(0, 1);
    assert_eq!(room.calls[1].accept_key(key, &another_session), Err(EpochKeyError::Rejected));
    room.share(&[0, 1, 2]);
}

/// P-9.5: Carol, a participant, takes Alice's number or a suite that the others did not choose.
#[test]
fn a_participant_cannot_take_another_number_or_another_suite() {
    let mut room = Room::with_all(3);
    let id = room.calls[2].call();
    let weaker = FrameSuite::ShortTag(ShortTag::Aes128CtrHmac32);
    for (suite, claimed) in [(FrameSuite::default(), number(0)), (weaker, number(2))] {
        let mut hostile = GroupCall::start(id, suite, claimed, room.identities[2].public(), NOW, &mut rand::rng());
        // These epochs are later than those that Bob knows, so they are not refused as old.
        for other in [1, 5, 6, 7] {
            let identity = if other == 1 { &room.identities[1] } else { &Identity::generate(&mut rand::rng()) };
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

/// P-9.15: a program restarts in a call. The key of its former stay is still on its way, and the roster overtakes both.
#[test]
fn a_participant_who_restarts_and_joins_again_is_heard() {
    for order in [["roster", "old", "new"], ["roster", "new", "old"], ["old", "roster", "new"]] {
        let mut room = Room::with_all(2);
        for index in 5..300 {
            let guest = *Identity::generate(&mut rand::rng()).public();
            room.calls[1].join(Participant(index), &guest, &mut rand::rng()).unwrap();
            room.calls[1].leave(Participant(index), &mut rand::rng()).unwrap();
        }
        let old = room.key(1, 0).to_bytes();
        // His program loses the call and starts again, one second later.
        let (id, own) = (room.calls[1].call(), *room.identities[1].public());
        let later = NOW.plus_seconds(1);
        room.calls[1] = GroupCall::start(id, FrameSuite::default(), number(1), &own, later, &mut rand::rng());
        room.join(1, 0);
        let new = room.key(1, 0).to_bytes();
        for step in order {
            let key = match step {
                "old" => &old,
                "new" => &new,
                _ => {
                    room.calls[0].leave(number(1), &mut rand::rng()).unwrap();
                    room.join(0, 1);
                    continue;
                }
            };
            let result = room.give(1, 0, EpochKey::from_bytes(key).unwrap());
            assert!(result.is_ok() || (step == "old" && result == Err(EpochKeyError::Stale)), "{order:?}: {result:?}");
        }
        let frame = room.seal(1);
        assert_eq!(room.open(0, &frame), Ok(number(1)), "{order:?}");
    }
}
