//! Formats: canonical encodings, stored records, sizes. Known answers are the program `known` (tests/formats/known.rs).
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

mod chain_golden; // records of chains of groups still open
mod encodings; //    decoded values encode to the same bytes, and everything else is refused
mod group_golden; // records of who is a member of a group still open
mod register_golden; // what own devices share still opens
mod room_golden; //  a group at one device still opens
#[cfg(feature = "serde")]
mod serialized; //   public values in the formats of serde, and no secret in any
mod session_golden; // records of sessions and ratchets still open
mod sizes; //        sizes of messages, bundles and records
mod state_golden; // records of released formats still open
mod status_golden; // an audience and a feed still open
mod text; //         texts of public values and of QR codes
mod upload_golden; // records of uploads still open
