//! The wire of others: known answers first, then what must hold for every schedule.
//!
//! Does not know other implementations: what was recorded from them is in tests/vectors/interop.
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
mod known; //        reads tests/vectors/interop
mod live; //         what was recorded with other implementations
mod media; //        attachments
mod pair; //         two devices
mod secrets; //      votes and other add-ons
mod sessions; //     delivery, order, loss, replays, and what a refused message leaves
mod shared; //       what the devices of an account share
mod signatures; //   XEdDSA
mod wire; //         messages as bytes
