//! The epochs of the post-quantum ratchet in whole conversations, on good and bad networks, and the records that come of
//! them.

use bisik::{InitiateOptions, Session};
use bisik_testkit::AliceAndBob;

use super::ends::{round, sealed, state};
use super::line::{LARGEST, Line, Traffic};

/// P-5.3, P-5.8
#[test]
fn the_secret_of_an_epoch_enters_both_roots_after_about_90_messages() {
    let mut line = Line::new(9, Traffic::default());
    let first = line.until(1, 110);
    assert!(first >= 60, "{first}");
    let age = line.sessions[0].post_quantum_age();
    assert!((age.turns, age.faulted) < (2, false) && age.sent + age.received <= 2, "{age:?}");
    let ten = line.until(10, 1_100);
    println!("no loss: the first epoch after {first} messages, ten after {ten}");
}

/// P-5.3, P-5.7
#[test]
fn epochs_advance_over_a_network_that_loses_and_reorders() {
    for (loss, window, limit) in [(0, 10, 400), (30, 1, 400), (30, 10, 600), (30, 30, 1_200)] {
        let mut line = Line::new(10, Traffic { loss, window, ..Traffic::default() });
        let five = line.until(5, limit * 5);
        println!("{loss} % loss, {window} in flight: {} messages an epoch", five / 5);
    }
}

#[test]
fn a_restart_after_every_message_changes_nothing_in_two_epochs() {
    for (loss, window) in [(0, 1), (30, 10)] {
        let [with, without] = [true, false].map(|restarts| {
            let mut line = Line::new(11, Traffic { loss, window, restarts, ..Traffic::default() });
            let sent = line.until(2, 1_200);
            let states = line.sessions.each_mut().map(state);
            (sent, line.in_flight, states)
        });
        assert!(with == without);
    }
}

#[test]
fn a_record_without_kept_keys_stays_below_4_kib_and_half_of_them_below_1_9_kib() {
    let mut all = Vec::new();
    for (loss, window, turn) in [(0, 1, 1), (0, 1, 3), (0, 1, 50), (0, 10, 1), (30, 1, 1)] {
        let mut line = Line::new(12, Traffic { loss, window, turns: [(turn, turn); 2], ..Traffic::default() });
        line.until(4, 4_000);
        let mut sizes = line.sizes;
        assert!(sizes.len() > 20, "{}", sizes.len());
        sizes.sort_unstable();
        let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        println!(
            "{loss} % loss, {window} in flight, turns of {turn}: {} records, {median} median, {largest} largest",
            sizes.len()
        );
        assert!(median < 1_945, "1.9 KiB: {median}");
        all.extend(sizes);
    }
    // Before the first answer, with as many older sessions as can be named.
    let mut both = AliceAndBob::new(13);
    let (mut alice, mut bob) = both.established();
    round(&mut both, &mut alice, &mut bob);
    let offers = [(); 4].map(|()| alice.offer().unwrap());
    let bundle = both.verified(true);
    let options = InitiateOptions { offers: &offers, ..InitiateOptions::default() };
    let mut waiting = Session::initiate_with(&both.alice, &bundle, options, both.now, &mut both.rng).unwrap();
    let new = sealed(&mut waiting).len();
    let hello = waiting.encrypt(b"halo", &mut both.rng).unwrap();
    let mut accepted = both.accept(&hello).session;
    let sizes = [new, sealed(&mut waiting).len(), sealed(&mut accepted).len()];
    println!("waiting, waiting and sent, accepted: {sizes:?}");
    all.extend(sizes);
    all.sort_unstable();
    println!("all: {} to {}", all[0], all[all.len() - 1]);
    assert!(all[all.len() - 1] <= LARGEST && LARGEST < 4_096);
}
