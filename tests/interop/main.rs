//! The Signal protocol, version 3, as deployed by WhatsApp clients: known answers first, then properties under any
//! delivery order.
//!
//! Recordings of other implementations are in tests/vectors/interop.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod bounds; //       limits: each is reached, and one more is refused
mod conversation; // known conversations, byte for byte
#[allow(dead_code, reason = "shared with other test programs")]
#[path = "../random/draws.rs"]
mod draws; //       randomness that is given in advance
mod fingerprints; // safety numbers
mod forged; //       messages of an attacker without keys
mod golden; //       records of format 1
mod groups; //       sender keys
mod held; //         messages that wait until their state is stored
mod known; //        reads tests/vectors/interop
mod live; //         recordings of other implementations
mod media; //        attachments
mod pair; //         two devices
#[allow(dead_code, reason = "shared with other test programs")]
#[path = "../random/rng.rs"]
mod rng; //          generators that a seed determines
mod secrets; //      message secrets: votes and other add-ons
mod sessions; //     delivery, order, loss, replays, unchanged state
mod shared; //       app state
mod signatures; //   XEdDSA
mod version4; //     version 4: recordings, then properties and adversaries
mod wire; //         messages as bytes
