//! Tests of what devices of a group send each other.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod hearing; // chains and lists, by the word of members
mod vectors; // known answers, of a second implementation
