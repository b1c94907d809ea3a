//! The cases of benches/media, and in addition the `age` crate.
//!
//! benches/media/table.rs does the measuring.

// The paths lead out of this package: `age` needs a workspace of its own, and the cases must be those of the benchmark.
#[path = "../../media/cases.rs"]
mod cases;
#[allow(dead_code)] // what other benchmarks use
#[path = "../../support/mod.rs"]
mod support;
#[path = "../../media/table.rs"]
mod table;

use std::hint::black_box;
use std::io::{Write, sink};

use age::Encryptor;
use age::x25519::Identity;
use support::meter::{Case, repeated};
use support::report::Report;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return table::run(&[("age", age_stream)]);
    }
    let mut report = Report::start();
    table::print(&[("age", age_stream)], &mut report);
    report.end();
}

/// One endless stream, so that its header and key agreement are not measured.
fn age_stream(bytes: u64) -> Case {
    let recipient = Identity::generate().to_public();
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as _)).expect("a recipient");
    let mut stream = encryptor.wrap_output(sink()).expect("a sink takes everything");
    let plaintext = vec![7; bytes.min(cases::BUFFER) as usize];
    repeated(move || {
        for _ in 0..bytes / plaintext.len() as u64 {
            stream.write_all(black_box(&plaintext)).expect("a sink takes everything");
        }
    })
}
