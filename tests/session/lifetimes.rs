//! Lifetimes of pre-keys (docs/spec/session.md, section 2.4): when they rotate, when they are deleted, and how long a
//! bundle works.

use bisik::{AcceptError, Ciphertext, Identity, PreKeys, PreKeysError, Session, Timestamp, Trust};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::state_of;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn pre_keys_rotate_after_a_week() {
    let mut both = AliceAndBob::new(1);
    let bundle = both.keys.bundle();
    assert!(!rotate(&mut both, 7 * DAY - 1));
    assert!(both.keys.bundle() == bundle, "nothing was due");
    assert!(rotate(&mut both, 7 * DAY));
    assert!(both.keys.bundle() != bundle);
    assert_eq!(both.keys.bundle().expires(), after(&both, 37 * DAY));
    assert!(!rotate(&mut both, 7 * DAY), "not twice");
}

/// A bundle is valid for 30 days, and a message may arrive 14 days later.
#[test]
fn a_bundle_can_be_answered_until_44_days_after_it_was_made() {
    for one_time in [true, false] {
        let mut both = AliceAndBob::new(2);
        let hello = both.initiate(one_time).encrypt(b"halo", &mut both.rng).unwrap();
        for day in (7..44).step_by(7) {
            rotate(&mut both, day * DAY);
        }
        rotate(&mut both, 44 * DAY - 1);
        assert_eq!(both.accept(&hello).plaintext, b"halo");
        rotate(&mut both, 44 * DAY);
        assert_eq!(not_accepted(&both, &hello), AcceptError::UnknownPreKey);
    }
}

/// A device that was offline for long rotates once, and messages written to it meanwhile still open.
#[test]
fn a_device_offline_for_weeks_still_answers_first_messages() {
    let mut both = AliceAndBob::new(3);
    let hello = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    assert!(rotate(&mut both, 40 * DAY));
    assert_eq!(both.accept(&hello).plaintext, b"halo");
    assert_eq!(both.keys.count(after(&both, 40 * DAY)).one_time, 0, "no peer can use the old pairs any more");
}

#[test]
fn pre_keys_dated_in_the_future_are_replaced() {
    let mut both = AliceAndBob::new(4);
    let wrong = both.now.plus_seconds(400 * DAY);
    both.keys = PreKeys::generate(&both.bob, wrong, &mut both.rng);
    assert!(both.keys.bundle().verify(Trust::OnFirstUse, both.now).is_err());
    assert!(rotate(&mut both, 0));
    assert!(both.keys.bundle().verify(Trust::OnFirstUse, both.now).is_ok());
    // One day of clock difference is tolerated.
    both.keys = PreKeys::generate(&both.bob, both.now.plus_seconds(DAY), &mut both.rng);
    assert!(!rotate(&mut both, 0));
    both.keys = PreKeys::generate(&both.bob, both.now.plus_seconds(DAY + 1), &mut both.rng);
    assert!(rotate(&mut both, 0));
}

/// P-2.7
#[test]
fn at_most_sixteen_older_pre_key_generations_are_kept() {
    let mut both = AliceAndBob::new(8);
    let mut messages = vec![both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap()];
    // A clock that goes backwards: at each call the generation is dated two days in the future, and none expires.
    for _ in 0..18 {
        both.now = Timestamp::from_unix_seconds(both.now.as_unix_seconds() - 2 * DAY);
        assert!(rotate(&mut both, 0));
        messages.push(both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap());
    }
    let opens: Vec<_> = messages.iter().map(|message| accepts(&both, message)).collect();
    assert_eq!(opens.iter().filter(|opens| **opens).count(), 16 + 1, "sixteen, and the current one");
    assert!(opens.is_sorted(), "the oldest have gone");
}

#[test]
fn pre_key_rotation_survives_a_restart() {
    let mut both = AliceAndBob::new(5);
    both.bundle(true);
    for day in [7, 14, 21] {
        rotate(&mut both, day * DAY);
        let record = state_of(&both.keys);
        both.keys = PreKeys::unseal(
            &bisik_testkit::simulation::checked_session::storage_key(),
            bisik_testkit::simulation::checked_session::CONTEXT,
            &record,
        )
        .unwrap();
        assert!(state_of(&both.keys) == record);
    }
}

#[test]
fn pre_key_stock_counts_only_usable_one_time_keys() {
    let mut both = AliceAndBob::new(6);
    let stock = |both: &AliceAndBob, seconds| both.keys.count(after(both, seconds));
    let first = both.keys.replenish(&both.bob, 20, &mut both.rng).unwrap();
    assert_eq!((first.len(), stock(&both, 0).one_time, stock(&both, 0).is_low()), (20, 20, false));
    let mut published: Vec<_> = first.iter().map(|bundle| bundle.to_bytes()).collect();
    let mut held: Vec<_> = both.keys.one_time_bundles(both.now).iter().map(|bundle| bundle.to_bytes()).collect();
    published.sort();
    held.sort();
    assert!(published == held, "a server that lost them gets the same again");

    let bundle = first.first().unwrap().clone().verify(Trust::OnFirstUse, both.now).unwrap();
    let hello = Session::initiate(&both.alice, &bundle, &mut both.rng).unwrap().encrypt(b"", &mut both.rng).unwrap();
    let used = both.accept(&hello).used;
    both.keys.remove(used);
    assert_eq!((stock(&both, 0).one_time, stock(&both, 0).is_low()), (19, true));
    assert_eq!(stock(&both, 30 * DAY).one_time, 0);
}

/// P-2.8
#[test]
fn pre_keys_refuse_another_identity_and_too_many_pairs() {
    let mut both = AliceAndBob::new(7);
    let (now, stranger) = (both.now, Identity::generate(&mut both.rng));
    let before = state_of(&both.keys);
    let rotated = both.keys.rotate(&stranger, now.plus_seconds(9 * DAY), &mut both.rng);
    assert_eq!(rotated, Err(PreKeysError::WrongIdentity));
    assert_eq!(both.keys.replenish(&stranger, 1, &mut both.rng).unwrap_err(), PreKeysError::WrongIdentity);
    let too_many = PreKeys::MAX_ONE_TIME + 1;
    assert_eq!(both.keys.replenish(&both.bob, too_many, &mut both.rng).unwrap_err(), PreKeysError::Full);
    assert!(before == state_of(&both.keys), "refused, and nothing was made");
    assert_eq!(both.keys.replenish(&both.bob, PreKeys::MAX_ONE_TIME, &mut both.rng).unwrap().len(), 1_000);
    assert_eq!(both.keys.replenish(&both.bob, 1, &mut both.rng).unwrap_err(), PreKeysError::Full);
}

#[test]
fn the_pre_key_revision_counts_every_change() {
    let mut both = AliceAndBob::new(8);
    let hello = both.initiate(true).encrypt(b"", &mut both.rng).unwrap();
    let mut last = both.keys.revision();
    let used = both.accept(&hello).used;
    assert_eq!(both.keys.revision(), last, "accepting changes nothing by itself");
    let mut changed = |keys: &PreKeys| {
        assert!(keys.revision() > last);
        last = keys.revision();
    };
    both.keys.remove(used);
    changed(&both.keys);
    both.bundle(true);
    changed(&both.keys);
    assert!(rotate(&mut both, 7 * DAY));
    changed(&both.keys);
    assert!(!rotate(&mut both, 8 * DAY));
    assert_eq!(both.keys.revision(), last, "nothing was due, nothing changed");
}

fn after(both: &AliceAndBob, seconds: u64) -> Timestamp {
    both.now.plus_seconds(seconds)
}

fn rotate(both: &mut AliceAndBob, seconds: u64) -> bool {
    let now = after(both, seconds);
    both.keys.rotate(&both.bob, now, &mut both.rng).unwrap()
}

fn accepts(both: &AliceAndBob, message: &Ciphertext) -> bool {
    Session::accept(&both.bob, &both.keys, message, Trust::OnFirstUse).is_ok()
}

fn not_accepted(both: &AliceAndBob, message: &Ciphertext) -> AcceptError {
    Session::accept(&both.bob, &both.keys, message, Trust::OnFirstUse).unwrap_err()
}
