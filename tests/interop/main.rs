//! `interop`, the Signal protocol: known answers first, then what must hold for every schedule.
//!
//! What was recorded from other implementations is in tests/vectors/interop.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod bounds; //       each is reached, and one more is refused
mod conversation; // whole conversations, byte for byte
mod fingerprints; // safety numbers
mod forged; //       messages that nobody wrote
mod golden; //       records of format 1
mod groups; //       sender keys
mod held; //         messages that wait until their state is stored
mod known; //        reads tests/vectors/interop
mod live; //         what was recorded with other implementations
mod media; //        attachments
mod pair; //         two devices
#[allow(dead_code)]
#[path = "../support/rng.rs"]
mod rng; // generators
mod secrets; //      votes and other add-ons
mod sessions; //     delivery, order, loss, replays, and what a refused message leaves
mod shared; //       what the devices of an account share
mod signatures; //   XEdDSA
mod wire; //         messages as bytes
