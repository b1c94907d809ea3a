//! Attachments: round trips, tampering, pointers, memory, and the adapters for files and for several cores.
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

#[cfg(feature = "std")]
mod adapters; //   `std::io`
mod fixtures; //   files, blobs, pointers, and dishonest blobs
mod memory; //     bounded for files of any size
#[cfg(feature = "rayon")]
mod parallel; //   on several cores
mod pointer; //    malformed pointers, thumbnails
#[allow(dead_code, reason = "shared with other test programs")]
#[path = "../random/rng.rs"]
mod rng; //        generators that a seed determines
mod round_trip; // every size, every cut, ranges, resumed uploads
mod tampering; //  changed, truncated and swapped blobs
