//! Delivery, whatever happens: real conversations in worlds of loss, replays, thieves, crashes, restored devices and
//! wrong clocks, each compared with what docs/spec/conversations.md promises.
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

mod arrivals; // what arrives and is shown
mod device; //   one device: its records, and the rows of its program
mod faults; //   random worlds
mod hosts; //    devices that somebody else holds
mod orders; //   every order of a small script
mod pair; //     two devices with a session
mod promises; // what holds once the faults have stopped
mod scripts; //  restores in a row, a relay that adds, no faults
mod server; //   device lists and bundles
mod thief; //    whoever has an identity key and nothing else
mod world;
mod worlds; //   every fault at once //    devices, a network, a time
