//! Known answers: every script in tests/vectors. This program needs nothing that is not published.
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

#[allow(dead_code, reason = "shared with other test programs")]
#[path = "../random/draws.rs"]
mod draws; //   randomness that is given in advance
mod script; //  the language of the vector files
mod vectors; // one test for each file
