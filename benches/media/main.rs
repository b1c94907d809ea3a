//! Attachments, compared with ChaCha20-Poly1305, with their own cipher and hash, and with AES-256-CBC and HMAC-SHA256:
//! `cargo bench --bench media --features rayon`. benches/peers does the same and includes the `age` crate.
//!
//! Only ratios within one run are meaningful. The table at the end shows each ratio that is below its aim. Timings are
//! for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
mod memory;
mod table;

fn main() {
    table::main(&[]);
    memory::main();
}
