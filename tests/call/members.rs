//! A call of a group: keys are bound to its history, who is not a live member fails, and a removal is a leaving.

use bisik::IdentityKey;
use bisik::call::{CallGroup, EpochKeyError, KeyNews, MemberError, OpenError, Recipients, Standing};

use super::fixtures::*;

const GROUP: [u8; 32] = [1; 32];
const VIEW: [u8; 32] = [2; 32];
const LATER: [u8; 32] = [3; 32];

fn room(size: usize) -> Room {
    let mut room = Room::of_group(size, Some(CallGroup { id: GROUP, view: VIEW }));
    for at in 0..size {
        (0..size).filter(|who| *who != at).for_each(|who| room.join(at, who));
    }
    room
}

/// Somebody who knows these views, in which all but `gone` are live.
fn knows(views: &[[u8; 32]], gone: Option<IdentityKey>) -> impl FnMut(&[u8; 32], &IdentityKey) -> Standing {
    move |view, device| match () {
        () if !views.contains(view) => Standing::UnknownView,
        () if gone == Some(*device) => Standing::Gone,
        () => Standing::Live,
    }
}

/// P-9.5: a key of one group, or of none, opens nothing in the call of another.
#[test]
fn a_key_is_bound_to_its_group_and_view() {
    let mut room = room(2);
    let key = room.key(0, 1);
    assert_eq!(key.view(), &VIEW);
    let id = room.calls[1].call();
    for group in [None, Some(CallGroup { id: [9; 32], view: VIEW })] {
        let own = room.identity(1);
        let mut other = bisik::call::GroupCall::start(id, group, Default::default(), &own, &mut rand::rng());
        let _ = other.join(&room.identity(0), everybody, &mut rand::rng()).unwrap();
        assert_eq!(
            other.accept_key(&key, room.session(1, 0), everybody, &mut rand::rng()),
            Err(EpochKeyError::Rejected)
        );
    }
    assert_eq!(room.give(0, 1, &key), Ok(KeyNews::NewStay));
    assert!(room.hears(1, 0));
}

/// P-9.16: members whose histories differ do not share keys, and neither does a device that one of them knows as gone.
#[test]
fn a_device_that_is_not_a_live_member_fails() {
    let mut room = room(2);
    let key = room.key(0, 1);
    let (alice, bob) = (room.identity(0), room.identity(1));
    let mut give = |standing: &mut dyn FnMut(&[u8; 32], &IdentityKey) -> Standing| {
        let session = room.sessions[1][0].as_ref().unwrap();
        room.calls[1].accept_key(&key, session, standing, &mut rand::rng()).map(|taken| taken.news)
    };
    assert_eq!(give(&mut knows(&[LATER], None)), Err(EpochKeyError::UnknownView));
    assert_eq!(give(&mut knows(&[VIEW], Some(alice))), Err(EpochKeyError::NotMember), "the sender");
    assert_eq!(give(&mut knows(&[VIEW], Some(bob))), Err(EpochKeyError::NotMember), "the receiver");
    assert_eq!(give(&mut knows(&[VIEW], None)), Ok(KeyNews::NewStay));
}

/// P-9.16: both views are asked, that of the sender and that of the receiver.
#[test]
fn a_key_of_somebody_removed_since_is_refused_although_its_view_had_him() {
    let mut room = room(2);
    let key = room.key(0, 1);
    let (alice, rng) = (room.identity(0), &mut rand::rng());
    assert_eq!(room.calls[1].group_changed(LATER, everybody, rng), Ok(Vec::new()));
    let session = room.sessions[1][0].as_ref().unwrap();
    let mut gone_later = |view: &[u8; 32], device: &IdentityKey| {
        if *view == LATER && *device == alice { Standing::Gone } else { Standing::Live }
    };
    assert_eq!(room.calls[1].accept_key(&key, session, &mut gone_later, rng), Err(EpochKeyError::NotMember));
    assert_eq!(room.calls[1].join(&alice, &mut gone_later, rng), Err(MemberError::AlreadyInCall));
    let mut asked = Vec::new();
    let taken = room.calls[1].accept_key(
        &key,
        session,
        |view, device| {
            asked.push((*view, *device));
            Standing::Live
        },
        rng,
    );
    assert_eq!(taken.map(|taken| taken.news), Ok(KeyNews::NewStay));
    let bob = room.identity(1);
    assert_eq!(asked, [(LATER, alice), (LATER, bob), (VIEW, alice), (VIEW, bob)]);
}

/// P-9.16: who is out by what the receiver knows is out, even by a key that names a view which nobody knows.
#[test]
fn a_key_of_somebody_removed_is_refused_whatever_view_it_names() {
    let mut room = room(2);
    let (alice, rng) = (room.identity(0), &mut rand::rng());
    assert_eq!(room.calls[0].group_changed(LATER, everybody, rng), Ok(Vec::new()));
    let key = room.key(0, 1);
    let session = room.sessions[1][0].as_ref().unwrap();
    let taken = room.calls[1].accept_key(&key, session, knows(&[VIEW], Some(alice)), rng);
    assert_eq!(taken, Err(EpochKeyError::NotMember));
}

/// P-9.16: a key that names a state of the group which has not arrived waits, and the state opens it.
#[test]
fn a_key_under_an_unknown_view_waits_until_the_view_is_known() {
    let mut room = room(3);
    let rng = &mut rand::rng();
    for of in [0, 2] {
        assert_eq!(room.calls[of].group_changed(LATER, everybody, rng), Ok(Vec::new()));
        let _ = room.guest(of, false);
        let key = room.key(of, 1);
        assert_eq!(key.view(), &LATER);
        let session = room.sessions[1][of].as_ref().unwrap();
        let refused = room.calls[1].accept_key(&key, session, knows(&[VIEW], None), rng);
        assert_eq!(refused, Err(EpochKeyError::UnknownView));
        room.calls[1].keep_aside(key, session).unwrap();
    }
    assert_eq!(room.calls[1].retry_aside(knows(&[VIEW], None), &mut rand::rng()), []);
    let [alice, carol] = [0, 2].map(|who| room.identity(who));
    let taken = room.calls[1].retry_aside(knows(&[VIEW, LATER], Some(carol)), &mut rand::rng());
    assert_eq!(
        taken.iter().map(|(device, taken)| (*device, taken.news)).collect::<Vec<_>>(),
        [(alice, KeyNews::NewStay)]
    );
    assert!(room.hears(1, 0));
    assert_eq!(room.calls[1].retry_aside(everybody, &mut rand::rng()), [], "that of somebody who is gone was dropped");
}

/// P-9.16: three keys of a device wait at most, and none that could not be taken anyway.
#[test]
fn keys_that_wait_are_bounded_for_each_device() {
    let mut room = room(2);
    let mut keys = Vec::new();
    for _ in 0..5 {
        let _ = room.guest(0, true);
        let key = room.key(0, 1);
        keys.push(room.seal(0));
        let session = room.sessions[1][0].as_ref().unwrap();
        room.calls[1].keep_aside(key, session).unwrap();
    }
    let key = room.key(0, 1);
    let session = room.sessions[0][1].as_ref().unwrap();
    assert_eq!(room.calls[0].keep_aside(key, session), Err(EpochKeyError::Rejected), "its own key");
    assert_eq!(room.calls[1].retry_aside(everybody, &mut rand::rng()).len(), 3);
    let opened: Vec<_> = keys.iter().map(|frame| room.open(1, frame)).collect();
    assert_eq!(opened[..2], [Err(OpenError::UnknownKey); 2]);
    assert_eq!(opened[2..], [Ok(0); 3]);
    let key = room.key(0, 1);
    let session = room.sessions[1][0].as_ref().unwrap();
    room.calls[1].keep_aside(key, session).unwrap();
    room.leave(1, 0);
    room.join(1, 0);
    assert_eq!(room.calls[1].retry_aside(everybody, &mut rand::rng()), [], "they go when their device leaves");
}

/// P-9.17: a removal in the group ends a device's part in the call at once, and the roster cannot bring it back.
#[test]
fn a_removal_from_the_group_is_a_leaving_whatever_the_roster_says() {
    let mut room = room(3);
    room.share(&[0, 1, 2]);
    let (carol, rng) = (room.identity(2), &mut rand::rng());
    for at in [0, 1] {
        let gone = room.calls[at].group_changed(LATER, knows(&[VIEW, LATER], Some(carol)), rng);
        assert_eq!(gone, Ok(vec![carol]));
        let again = room.calls[at].join(&carol, knows(&[VIEW, LATER], Some(carol)), rng);
        assert_eq!(again, Err(MemberError::NotMember), "as a server's roster may ask");
        let session = room.sessions[at][2].as_ref().unwrap();
        assert!(room.calls[at].key_for(session).is_err());
    }
    for (of, to) in [(0, 1), (1, 0)] {
        let key = room.key(of, to);
        assert_eq!(key.view(), &LATER);
        assert_eq!(room.give(of, to, &key), Ok(KeyNews::NewEpoch));
    }
    let frame = room.seal(0);
    assert_eq!(room.open(2, &frame), Err(OpenError::UnknownKey));
    assert_eq!(room.open(1, &frame), Ok(0));
    let frame = room.seal(2);
    assert_eq!(room.open(0, &frame), Err(OpenError::UnknownKey));
}

/// P-9.6: a key that follows from another is of its view. In a later view a newcomer is sent a fresh one.
#[test]
fn after_a_change_of_the_group_the_next_key_is_fresh() {
    let mut room = room(2);
    let rng = &mut rand::rng();
    assert_eq!(room.guest(0, false), Recipients::OneDevice);
    assert_eq!(room.calls[0].group_changed(LATER, everybody, rng), Ok(Vec::new()));
    assert_eq!(room.guest(0, false), Recipients::Everybody);
    assert_eq!(room.guest(0, false), Recipients::OneDevice);
    assert_eq!(room.key(0, 1).view(), &LATER);
    let mut none = Room::new(1);
    assert_eq!(none.calls[0].group_changed(LATER, everybody, rng), Err(MemberError::NotMember));
}
