//! Sessions between two devices: set-up, delivery in any order, bounds, rollback, storage, and a simulated network.
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

mod blocks; //        skipped message keys in blocks, and crashes between the steps of storing them
mod bounds; //        skipped message keys, chains and lengths: each bound is reached and not exceeded
mod ends; //          what ends, and when: kept keys, chains, the own pair; forgeries under old header keys
mod epochs; //        post-quantum epochs on bad networks, and how big records get
mod first_contact; // pre-key messages under old, used or restored pre-keys
mod healing; //       how soon a copied state is useless, to a thief without and with a quantum computer
mod hedging; //       a generator that repeats itself reuses no nonce of a header
mod held; //          received messages that wait until the session is stored
mod lifetimes; //     when pre-keys are replaced, expire and are deleted
mod line; //          two devices on a network that loses and reorders, for epochs and healing
mod properties; //    each message is read once, in any order; a changed one changes nothing
mod restarts; //      a restart in any state changes nothing that follows
mod rollback; //      a restored backup reuses no key and nonce
mod setup; //         bundles and pre-key messages that are refused, simultaneous initiation
mod simulation; //    hundreds of pairs on a bad network: forward secrecy, healing
mod standing; //      who has proved what, and sessions bound to older ones
mod takeover; //     what a thief of pre-keys and identities forges, and what it is worth
mod thief; //         who copies a state and reads on, with and without discrete logarithms
mod transactional; // ciphertexts leave only after their state was stored
