//! Content of messages: text, attachments, polls, places, business content, and the published schema.
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

mod business; //          carts, catalogues, quick replies, links, automated messages
mod business_fixtures; // business content of every kind
mod events; //            events, and sealed answers to them
mod file_names; //        names of documents: refused, cleaned
mod fixtures; //          content of every kind
mod group_fixtures; //    content for groups of every kind
mod limits; //            sizes, lengths, counts
mod pins; //              pins, removals, albums, tallies: who may, and what counts
mod polls; //             sealed votes
mod reactions; //         sealed reactions, and the secret they need
mod reading; //           one encoding, unknown fields, hostile bodies
mod references; //        edits, deletions, live locations, receipts, timers
mod schema; //            content.proto, the prost types and the shape checks agree
mod windows; //           for how long an author may edit and delete
