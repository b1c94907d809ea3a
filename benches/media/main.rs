//! Attachments, compared with ChaCha20-Poly1305, with their own cipher and hash, and with AES-256-CBC and HMAC-SHA256:
//! `cargo bench --bench media --features rayon`. benches/peers does the same and includes the `age` crate.
//!
//! Only ratios within one run mean something. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
mod memory;
#[allow(dead_code)] // what other benchmarks use
#[path = "../support/mod.rs"]
mod support;
mod table;

use support::Asked;
use support::report::Report;

fn main() {
    match support::asked() {
        Asked::List => {}
        Asked::Run => table::run(&[]),
        Asked::Measure => {
            let mut report = Report::start();
            table::print(&[], &mut report);
            memory::print();
            report.end();
        }
    }
}
