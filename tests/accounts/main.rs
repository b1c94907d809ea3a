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

mod conversation; // delivery to every device, acknowledgements, requests, lost sessions
mod device_lists; // the chain of device lists: rollback, fork, gap, expiry, forgery
mod held; //         what a stored record releases
mod linking; //      QR code and typed code, with an attacker in the middle
mod list_format; //  malformed device lists
mod model; //        random conversations beside a reference without cryptography
mod parties; //      devices with known keys, for the tests of lists and linking
mod primary; //      what the primary device signs
mod recovering; //   a primary device that was restored, once, twice, or stolen
mod upkeep; //       what a server needs, loses, and lies about
mod watched; //      what an owner is told of his own account
