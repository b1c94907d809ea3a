//! Attachments against the cipher beneath them, the digest beside it, and AES-256-CBC with HMAC-SHA256:
//! `cargo bench --bench media --features rayon`. benches/peers does the same with the `age` crate as well.
//!
//! Does not know absolute truths: only ratios of one run mean anything. Ends by printing a table, which says where a ratio
//! is below its aim; a timing is read, not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
mod table;

fn main() {
    table::main(&[]);
}
