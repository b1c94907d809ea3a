//! The lifetimes of pre-keys (docs/protocol.md, section 2.4): when they are replaced, when they go, and who can still write.
//!
//! Does not know any clock: a test says what time it is.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod support;

use bisik::{AcceptError, Ciphertext, Identity, PreKeys, PreKeysError, Session, Timestamp, Trust};
use support::People;
use support::people::state_of;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_generation_is_replaced_after_a_week_and_not_before() {
    let mut people = People::new(1);
    let bundle = people.keys.bundle();
    assert!(!rotate(&mut people, 7 * DAY - 1));
    assert!(people.keys.bundle() == bundle, "nothing was due");
    assert!(rotate(&mut people, 7 * DAY));
    assert!(people.keys.bundle() != bundle);
    assert_eq!(people.keys.bundle().expires(), after(&people, 37 * DAY));
    assert!(!rotate(&mut people, 7 * DAY), "not twice");
}

/// A bundle lasts 30 days, and a message may be 14 days on its way.
#[test]
fn a_first_message_is_answered_until_44_days_after_its_bundle_was_made() {
    for one_time in [true, false] {
        let mut people = People::new(2);
        let hello = people.initiate(one_time).encrypt(b"halo", &mut people.rng).unwrap();
        for day in (7..44).step_by(7) {
            rotate(&mut people, day * DAY);
        }
        rotate(&mut people, 44 * DAY - 1);
        assert_eq!(people.accept(&hello).plaintext, b"halo");
        rotate(&mut people, 44 * DAY);
        assert_eq!(not_accepted(&people, &hello), AcceptError::UnknownPreKey);
    }
}

/// A device that was away for long replaces its keys once, and what was written to it meanwhile still opens.
#[test]
fn a_device_that_was_away_for_weeks_answers_what_came_meanwhile() {
    let mut people = People::new(3);
    let hello = people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap();
    assert!(rotate(&mut people, 40 * DAY));
    assert_eq!(people.accept(&hello).plaintext, b"halo");
    assert_eq!(people.keys.count(after(&people, 40 * DAY)).one_time, 0, "nobody can use the old pairs any more");
}

#[test]
fn a_generation_dated_in_the_future_is_replaced() {
    let mut people = People::new(4);
    let wrong = people.now.plus_seconds(400 * DAY);
    people.keys = PreKeys::generate(&people.bob, wrong, &mut people.rng);
    assert!(people.keys.bundle().verify(Trust::OnFirstUse, people.now).is_err());
    assert!(rotate(&mut people, 0));
    assert!(people.keys.bundle().verify(Trust::OnFirstUse, people.now).is_ok());
    // A day is forgiven: clocks differ.
    people.keys = PreKeys::generate(&people.bob, people.now.plus_seconds(DAY), &mut people.rng);
    assert!(!rotate(&mut people, 0));
    people.keys = PreKeys::generate(&people.bob, people.now.plus_seconds(DAY + 1), &mut people.rng);
    assert!(rotate(&mut people, 0));
}

/// P-2.6
#[test]
fn sixteen_older_generations_are_kept_and_the_oldest_goes_first() {
    let mut people = People::new(8);
    let mut messages = vec![people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap()];
    // A clock that goes backwards: each generation is dated two days ahead at the next look, and none expires.
    for _ in 0..18 {
        people.now = Timestamp::from_unix_seconds(people.now.as_unix_seconds() - 2 * DAY);
        assert!(rotate(&mut people, 0));
        messages.push(people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap());
    }
    let opens: Vec<_> = messages.iter().map(|message| accepts(&people, message)).collect();
    assert_eq!(opens.iter().filter(|opens| **opens).count(), 16 + 1, "sixteen, and the current one");
    assert!(opens.is_sorted(), "the oldest have gone");
}

#[test]
fn rotation_survives_a_restart() {
    let mut people = People::new(5);
    people.bundle(true);
    for day in [7, 14, 21] {
        rotate(&mut people, day * DAY);
        let record = state_of(&people.keys);
        people.keys = PreKeys::unseal(&support::seat::storage_key(), support::seat::CONTEXT, &record).unwrap();
        assert!(state_of(&people.keys) == record);
    }
}

#[test]
fn the_stock_is_what_peers_can_still_use() {
    let mut people = People::new(6);
    let stock = |people: &People, seconds| people.keys.count(after(people, seconds));
    let first = people.keys.replenish(&people.bob, 20, &mut people.rng).unwrap();
    assert_eq!((first.len(), stock(&people, 0).one_time, stock(&people, 0).is_low()), (20, 20, false));
    let mut published: Vec<_> = first.iter().map(|bundle| bundle.to_bytes()).collect();
    let mut held: Vec<_> = people.keys.one_time_bundles(people.now).iter().map(|bundle| bundle.to_bytes()).collect();
    published.sort();
    held.sort();
    assert!(published == held, "a server that lost them gets the same again");

    let bundle = first.first().unwrap().clone().verify(Trust::OnFirstUse, people.now).unwrap();
    let hello =
        Session::initiate(&people.alice, &bundle, &mut people.rng).unwrap().encrypt(b"", &mut people.rng).unwrap();
    let used = people.accept(&hello).used;
    people.keys.remove(used);
    assert_eq!((stock(&people, 0).one_time, stock(&people, 0).is_low()), (19, true));
    assert_eq!(stock(&people, 30 * DAY).one_time, 0);
}

/// P-2.9
#[test]
fn pre_keys_refuse_another_identity_and_too_many_pairs() {
    let mut people = People::new(7);
    let (now, stranger) = (people.now, Identity::generate(&mut people.rng));
    let before = state_of(&people.keys);
    let rotated = people.keys.rotate(&stranger, now.plus_seconds(9 * DAY), &mut people.rng);
    assert_eq!(rotated, Err(PreKeysError::OtherIdentity));
    assert_eq!(people.keys.replenish(&stranger, 1, &mut people.rng).unwrap_err(), PreKeysError::OtherIdentity);
    let too_many = PreKeys::MAX_ONE_TIME + 1;
    assert_eq!(people.keys.replenish(&people.bob, too_many, &mut people.rng).unwrap_err(), PreKeysError::Full);
    assert!(before == state_of(&people.keys), "refused, and nothing was made");
    assert_eq!(people.keys.replenish(&people.bob, PreKeys::MAX_ONE_TIME, &mut people.rng).unwrap().len(), 1_000);
    assert_eq!(people.keys.replenish(&people.bob, 1, &mut people.rng).unwrap_err(), PreKeysError::Full);
}

#[test]
fn the_revision_counts_every_change() {
    let mut people = People::new(8);
    let hello = people.initiate(true).encrypt(b"", &mut people.rng).unwrap();
    let mut last = people.keys.revision();
    let used = people.accept(&hello).used;
    assert_eq!(people.keys.revision(), last, "accepting changes nothing by itself");
    let mut changed = |keys: &PreKeys| {
        assert!(keys.revision() > last);
        last = keys.revision();
    };
    people.keys.remove(used);
    changed(&people.keys);
    people.bundle(true);
    changed(&people.keys);
    assert!(rotate(&mut people, 7 * DAY));
    changed(&people.keys);
    assert!(!rotate(&mut people, 8 * DAY));
    assert_eq!(people.keys.revision(), last, "nothing was due, nothing changed");
}

fn after(people: &People, seconds: u64) -> Timestamp {
    people.now.plus_seconds(seconds)
}

fn rotate(people: &mut People, seconds: u64) -> bool {
    let now = after(people, seconds);
    people.keys.rotate(&people.bob, now, &mut people.rng).unwrap()
}

fn accepts(people: &People, message: &Ciphertext) -> bool {
    Session::accept(&people.bob, &people.keys, message, Trust::OnFirstUse).is_ok()
}

fn not_accepted(people: &People, message: &Ciphertext) -> AcceptError {
    Session::accept(&people.bob, &people.keys, message, Trust::OnFirstUse).unwrap_err()
}
