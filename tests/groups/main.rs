//! Groups: who is a member, and chains of keys.
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

mod chains; //     one device writes to all devices of a group
mod membership; // who is a member, by signed statements
mod registers; //  what own devices share
mod rooms; //      everything that a device has of a group
mod statuses; //   stories: what one account shows to an audience for a day
