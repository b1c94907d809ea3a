//! Restarts in a group call: a device that lost its state draws another number, and is heard whatever arrives first.

use bisik::Identity;
use bisik::call::{CallId, EpochKey, EpochKeyError, FrameSuite, GroupCall, KeyNews, OpenError};

use super::fixtures::*;

/// P-9.15: a program restarts in a call. A key of its former stay is still on its way, and what the roster tells may come
/// before, between or after both, or not at all.
#[test]
fn a_participant_who_restarts_and_joins_again_is_heard() {
    const ORDERS: [&[&str]; 8] = [
        &["roster", "old", "new"],
        &["roster", "new", "old"],
        &["old", "roster", "new"],
        &["new", "roster", "old"],
        &["old", "new", "roster"],
        &["new", "old", "roster"],
        &["old", "new"],
        &["new", "old"],
    ];
    for order in ORDERS {
        let mut room = Room::with_all(2);
        for _ in 5..300 {
            let _ = room.guest(1, true);
        }
        let old = room.key(1, 0).to_bytes();
        room.restart(1, 77);
        room.join(1, 0);
        let new = room.key(1, 0).to_bytes();
        for step in order {
            let wanted = match *step {
                "roster" => {
                    room.leave(0, 1);
                    room.join(0, 1);
                    true
                }
                step => {
                    let key = EpochKey::from_bytes(if step == "old" { &old } else { &new }).unwrap();
                    let session = room.sessions[0][1].as_ref().unwrap();
                    let taken = room.calls[0].accept_key(&key, session, everybody, &mut rand::rng()).unwrap();
                    taken.answer.is_some()
                }
            };
            // Each sends what the other asks for, until nobody asks.
            let mut asked = if wanted { Some((0, 1)) } else { None };
            while let Some((of, to)) = asked {
                let key = room.key(of, to);
                let session = room.sessions[to][of].as_ref().unwrap();
                let taken = room.calls[to].accept_key(&key, session, everybody, &mut rand::rng()).unwrap();
                asked = taken.answer.map(|_| (to, of));
            }
        }
        assert!(room.hears(0, 1) && room.hears(1, 0), "{order:?}");
    }
}

/// P-9.15: a key of a former stay stands beside that of the new one and shuts out nothing, with whatever epoch.
#[test]
fn epochs_are_compared_within_one_stay_only() {
    let mut room = Room::with_all(2);
    let mut frames = Vec::new();
    for number in [50, 51] {
        room.restart(1, number);
        room.join(1, 0);
        for _ in 0..=number {
            let _ = room.guest(1, true);
        }
        let key = room.key(1, 0);
        assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewStay));
        frames.push(room.seal(1));
    }
    for frame in frames.iter().rev() {
        assert_eq!(room.open(0, frame), Ok(1));
        assert_eq!(room.open(0, frame), Err(OpenError::Replayed));
    }
}

/// P-9.15: at most three stays of a device; the one that has opened nothing for longest goes. Whoever leaves is forgotten
/// whole.
#[test]
fn three_stays_of_a_device_are_kept_and_none_after_it_left() {
    let mut room = Room::with_all(2);
    let mut stays = vec![room.seal(1)];
    for number in 2..4 {
        room.restart(1, number);
        room.join(1, 0);
        let key = room.key(1, 0);
        assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewStay));
        stays.push(room.seal(1));
    }
    assert_eq!(room.calls[0].keys(), 3);
    for of in [0, 2] {
        assert_eq!(room.open(0, &stays[of]), Ok(1));
    }
    room.restart(1, 4);
    room.join(1, 0);
    let key = room.key(1, 0);
    assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewStay));
    assert_eq!(room.calls[0].keys(), 3);
    assert_eq!(room.open(0, &stays[1]), Err(OpenError::UnknownKey), "it had opened nothing");
    assert_eq!([0, 2].map(|of| room.open(0, &stays[of])), [Err(OpenError::Replayed); 2]);
    assert!(room.hears(0, 1));
    room.leave(0, 1);
    assert_eq!(room.calls[0].keys(), 0);
}

/// P-9.15, P-9.18: where stays have one number, the tag decides, among four. A fifth is refused until its device draws another.
#[test]
fn devices_that_draw_the_same_number_are_told_apart_by_their_tags() {
    let mut room = Room::new(6);
    for of in 1..6 {
        room.restart(of, 0xABCD);
        room.join(0, of);
        room.join(of, 0);
    }
    for of in 1..5 {
        let key = room.key(of, 0);
        assert_eq!(room.give(of, 0, &key), Ok(KeyNews::NewStay));
    }
    let key = room.key(5, 0);
    assert_eq!(room.give(5, 0, &key), Err(EpochKeyError::Crowded));
    for of in 1..5 {
        assert!(room.hears(0, of), "{of}");
    }
    let frame = room.seal(5);
    assert_eq!(room.open(0, &frame), Err(OpenError::Replayed), "its counter is one that all four have had");
    let frame = room.seal(5);
    assert_eq!(room.open(0, &frame), Err(OpenError::Rejected));
    room.calls[5].begin_stay(&mut Chosen(0xABCE));
    let key = room.key(5, 0);
    assert_eq!(room.give(5, 0, &key), Ok(KeyNews::NewStay));
    assert!(room.hears(0, 5));
    // One of the four goes on to its next epoch, and a frame overtakes the key: it is not called forged.
    let _ = room.guest(1, true);
    let (frame, key) = (room.seal(1), room.key(1, 0));
    assert_eq!(room.open(0, &frame), Err(OpenError::UnknownKey));
    assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewEpoch));
    assert_eq!(room.open(0, &frame), Ok(1));
}

/// P-9.7: both have restarted, and to both a key of the other's former stay comes last. Each asks for what it lacks, and
/// not for ever.
#[test]
fn asking_for_keys_comes_to_an_end() {
    let mut room = Room::with_all(2);
    for who in [0, 1] {
        let _ = room.guest(who, true);
    }
    let former = [room.key(0, 1), room.key(1, 0)];
    for (who, number) in [(0, 70), (1, 80)] {
        room.restart(who, number);
        room.join(who, 1 - who);
    }
    room.share(&[0, 1]);
    for (of, key) in former.iter().enumerate() {
        assert_eq!(room.give(of, 1 - of, key), Ok(KeyNews::NewStay));
    }
    let (mut of, mut messages) = (0, 0);
    loop {
        let key = room.key(of, 1 - of);
        let session = room.sessions[1 - of][of].as_ref().unwrap();
        messages += 1;
        let taken = room.calls[1 - of].accept_key(&key, session, everybody, &mut rand::rng()).unwrap();
        if taken.answer.is_none() {
            break;
        }
        of = 1 - of;
        assert!(messages < 10, "they go on asking");
    }
    assert_eq!(messages, 2);
    assert!(room.hears(0, 1) && room.hears(1, 0));
}

/// P-9.13, P-9.15: the roster says that a device left and came, and it did neither. A key of its that was on its way, and
/// from which one follows that had opened frames, opens none of them again.
#[test]
fn what_was_opened_before_a_device_left_is_not_opened_again() {
    let mut room = Room::with_all(2);
    let mut late = Vec::new();
    let mut frames = Vec::new();
    for _ in 0..4 {
        let _ = room.guest(1, false);
        late.push(room.key(1, 0));
        frames.push(room.seal(1));
    }
    assert_eq!(room.open(0, &frames[2]), Ok(1));
    room.leave(0, 1);
    room.join(0, 1);
    for key in &late[..3] {
        assert_eq!(room.give(1, 0, key), Ok(KeyNews::Old));
    }
    assert_eq!(room.open(0, &frames[2]), Err(OpenError::UnknownKey));
    assert_eq!(room.give(1, 0, &late[3]), Ok(KeyNews::NewStay));
    assert_eq!(room.open(0, &frames[2]), Err(OpenError::UnknownKey));
    assert_eq!(room.open(0, &frames[3]), Ok(1));
}

/// P-9.15: whoever draws a number that it had before, one in 65,536, is told so and draws another.
#[test]
fn a_number_drawn_twice_gives_old_keys_and_another_is_drawn() {
    let mut room = Room::with_all(2);
    let number = room.calls[1].participant().0;
    let _ = room.guest(1, true);
    let key = room.key(1, 0);
    assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewEpoch));
    room.restart(1, number);
    room.join(1, 0);
    let key = room.key(1, 0);
    assert_eq!(room.give(1, 0, &key), Ok(KeyNews::Old));
    room.calls[1].begin_stay(&mut Chosen(number ^ 1));
    let key = room.key(1, 0);
    assert_eq!(room.give(1, 0, &key), Ok(KeyNews::NewStay));
    assert!(room.hears(0, 1));
}

/// P-9.15: a device that begins one stay after another makes a receiver forget its own stays, and nobody else's.
#[test]
fn a_flood_of_stays_makes_no_frame_of_another_device_open_twice() {
    let mut room = Room::with_all(3);
    let _ = room.guest(1, false);
    let (late, frame) = (room.key(1, 0), room.seal(1));
    assert_eq!(room.open(0, &frame), Ok(1));
    room.leave(0, 1);
    room.join(0, 1);
    for number in 1_000..1_300 {
        room.calls[2].begin_stay(&mut Chosen(number));
        let key = room.key(2, 0);
        assert_eq!(room.give(2, 0, &key), Ok(KeyNews::NewStay));
    }
    assert_eq!(room.give(1, 0, &late), Ok(KeyNews::Old));
    assert_eq!(room.open(0, &frame), Err(OpenError::UnknownKey));
}

/// P-9.5: who has stolen a pre-key can set up a session in anybody's name, and is not heard as that person.
#[test]
fn a_key_from_a_session_that_nobody_confirmed_is_refused() {
    let rng = &mut rand::rng();
    let [alice, bob] = [(); 2].map(|()| Identity::generate(rng));
    let (mut at_alice, mut at_bob) = unconfirmed(&alice, &bob);
    let id = CallId::generate(rng);
    let [mut calls_alice, mut calls_bob] =
        [&alice, &bob].map(|of| GroupCall::start(id, None, FrameSuite::default(), of.public(), &mut rand::rng()));
    let _ = calls_alice.join(bob.public(), everybody, rng).unwrap();
    let _ = calls_bob.join(alice.public(), everybody, rng).unwrap();
    let key = calls_alice.key_for(&at_alice).unwrap();
    assert_eq!(calls_bob.accept_key(&key, &at_bob, everybody, rng), Err(EpochKeyError::Unconfirmed));
    let again = calls_alice.key_for(&at_alice).unwrap();
    assert_eq!(calls_bob.keep_aside(again, &at_bob), Err(EpochKeyError::Unconfirmed));
    confirm((&alice, &mut at_alice), (&bob, &mut at_bob));
    let taken = calls_bob.accept_key(&key, &at_bob, everybody, rng).unwrap();
    assert_eq!(taken.news, KeyNews::NewStay);
}
