//! Hosted devices: disclosures, decisions, labels, retention. Every edge and every transition of docs/spec/hosting.md,
//! section 11.4, has a test named after it.
//!
//! Known answers are in tests/vectors/endpoint.txt.
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

mod asking; //        what a refused business may do
mod bytes; //         encodings and signatures, and changed ones that are refused
mod clocks; //        clocks that are wrong
mod conversations; // whole conversations with a hosted device
mod decisions; //     consent, refusal, withdrawal, on several devices
mod edges; //         every edge of the state machine
mod model; //         a second implementation of the state machine
mod parties; //       a customer, a business, operators
mod properties; //    random walks beside the model
mod retention; //     deletion deadlines and the ledger
mod sides; //         hosting on one's own side, and keys that were hosted
mod transitions; //   transitions in whole conversations
mod wording; //       operator names and notices
