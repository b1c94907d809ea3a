//! Accounts of several devices: device lists, linking, and conversations between accounts.
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

mod conversation; // every device, lists, account keys, records
mod crashes; //      what a stored record gives again, and what it releases
mod delivery; //     loss, duplicates, repeats, giving up, withdrawing
mod device_lists;
mod linking; //      QR code and typed code, with an attacker in the middle
mod list_format; //  malformed device lists
mod own; //          copies for one's own devices, notes to oneself
mod parties; //      devices with known keys, for the tests of lists and linking
mod primary; //      what the primary device signs
mod recovering; //   a primary device that was restored, once, twice, or stolen
mod relay; //        garbage, replays, stolen pre-keys, damaged envelopes and restores
mod sessions; //     which session is sent in, and what its replacement tells
mod storage; //      a head and its blocks
mod strangers; //    message requests, and what a stranger cannot learn
mod transport; //    addressed envelopes, at a relay and at a device
mod upkeep; //       what a server needs, loses, and lies about
mod watched; //      what an owner is told of his own account
