//! Every fault at once.

use std::ops::Range;
use std::panic::catch_unwind;
use std::{env, mem};

use super::faults::disturbed;
use super::promises::Outcome;
use super::world::{DAY, Tally};

/// `BISIK_WORLDS=1000..3000` for more of them.
fn worlds() -> Range<u64> {
    env::var("BISIK_WORLDS").ok().map_or(0..50, |text| {
        let (from, to) = text.split_once("..").unwrap();
        from.parse().unwrap()..to.parse().unwrap()
    })
}

/// P-12.16 to P-12.31: everything that can go wrong, in random worlds; then silence, and an account of each message at
/// each device.
#[test]
fn a_message_is_shown_once_or_reported_lost_whatever_the_network_does() {
    let seeds = worlds();
    let (mut all, mut tally, mut failed, mut frames) = (Outcome::default(), Tally::default(), Vec::new(), 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let outcome = catch_unwind(|| {
            let mut world = disturbed(seed);
            let mut outcome = world.quiet();
            world.account_for_everything(&mut outcome);
            (outcome, world.sent.len(), mem::take(&mut world.tally))
        });
        match outcome {
            Ok((outcome, sent, of_world)) => {
                all.add(outcome);
                tally.add(&of_world);
                frames += sent;
            }
            Err(_) => {
                eprintln!("world {seed}");
                failed.push(seed);
            }
        }
    }
    println!("{count} worlds, {frames} frames; {tally:?}; {all:?}");
    assert!(failed.is_empty(), "worlds {failed:?}");
    assert!(
        all.arrived > 5 * count
            && (count < 50 || tally.restores > 0 && tally.hosted > 0 && tally.decisions > 0 && tally.vouched_for > 0),
        "the worlds are not empty"
    );
    // What is bounded: frames that nobody wrote, and the time until everything is said and done.
    assert!(all.bare_frames_an_hour <= 40 && all.shown_after <= 3 * DAY && all.silent_after <= 4 * DAY, "{all:?}");
}
