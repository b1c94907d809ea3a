//! Calls: keys for two and for many, and SFrame.
//!
//! Known answers are in tests/vectors/call.txt and in the unit tests of src/call.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics where a promise is broken"
)]

mod comparison; // four emoji that everybody shows
mod counters; //   frame counters that a restored sealer does not repeat
mod fixtures; //   pairs, group calls, ends of a stream
mod frames; //     SFrame: replay, forgery, late frames, bounds
mod group; //      joining, leaving, epoch keys
mod joining; //    keys that follow from one another
mod links; //      who has a link may ask to be let in
mod members; //    the group that a call belongs to
#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
mod peer; //       SFrame: another implementation
mod simulation; // devices that come, go and restart, over a network that does as it likes
mod stays; //      restarts, and numbers that two have drawn
mod two_party; //  offer and answer
