//! Secrets leave nothing behind: not in freed memory, not in `Debug`.
//!
//! Freed memory is inspected, and with it values that are dropped in place, by boxing them first. Does not know registers
//! and the stack, which the library makes no promise about (docs/threat-model.md).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub
)]

mod accounts; //   accounts and conversations
mod call; //       calls: signals, keys and frames
mod canaries; //   which bytes must not be seen, and the search for them
mod content; //      what people send each other
mod conversation; // sessions: what is freed from the handshake to the last drop
mod debug; //      what `Debug` shows of every public type
mod derived; //    the secrets that the library computes, computed again
mod device; //     accounts of several devices, and linking
mod endpoints; //  the same of disclosures, decisions and labels
mod freed; //      the allocator
#[cfg(feature = "interop")]
mod groups; //     the Signal protocol: groups, attachments, add-ons
#[cfg(feature = "interop")]
mod interop; //    the Signal protocol: sessions, and what `Debug` shows of all of it
mod keys; //       identities, pre-keys, storage keys
mod media; //      attachments: encryption, decryption, pointers, uploads put away
mod ratchet; //    the ratchet by itself, and messages that were decrypted and not committed
mod recording; //  a generator that remembers what it gave
