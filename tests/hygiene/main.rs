//! No secret is left in freed memory, and none is shown by `Debug`.
//!
//! An allocator of this program inspects freed memory. Values on the stack are boxed first, so that their drop is seen
//! too. Registers and the stack itself are out of scope (docs/threat-model.md).
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

mod accounts; //     accounts and conversations
mod blocks; //       skipped message keys in a store, and what is deleted there
mod call; //         calls: signals, keys and frames
mod canaries; //     secrets to search for, and the search
mod chains; //       chains of groups
mod content; //      message content
mod conversation; // sessions, from the handshake to the last drop
mod debug; //        `Debug` of every public type
mod derived; //      the derived secrets, computed a second time
mod device; //       accounts of several devices, and linking
mod explained; //    what examples/explain prints
mod freed; //        the allocator that keeps freed memory
#[cfg(feature = "interop")]
mod groups; //       interop: groups, attachments, add-ons
mod hosting; //      disclosures, decisions, labels
#[cfg(feature = "interop")]
mod interop; //      interop: sessions, and `Debug` of all its types
mod keys; //         identities, pre-keys, storage keys
mod media; //        attachments, pointers, suspended uploads
mod membership; //   who is a member of a group
mod ratchet; //      the ratchet, and staged messages that are not committed
mod recording; //    a generator that records its output
mod rooms; //        everything of one group
mod talks; //        conversations of accounts: texts and links that are gone, in memory and in the store
#[cfg(feature = "interop")]
mod version4; //     interop: sessions of version 4
