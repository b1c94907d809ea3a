//! The cases of benches/media, and in addition the `age` crate.
//!
//! benches/media/table.rs does the measuring.

// The path leads out of this package: `age` needs a workspace of its own, and the cases must be those of the benchmark.
#[path = "../../media/cases.rs"]
mod cases;
#[path = "../../media/table.rs"]
mod table;

use std::hint::black_box;
use std::io::{Write, sink};

use age::Encryptor;
use age::x25519::Identity;

fn main() {
    table::main(&[("age", age_stream)]);
}

/// One endless stream, so that its header and key agreement are not measured.
fn age_stream() -> cases::Work {
    let recipient = Identity::generate().to_public();
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as _)).expect("a recipient");
    let mut stream = encryptor.wrap_output(sink()).expect("a sink takes everything");
    let plaintext = vec![7; cases::BUFFER];
    Box::new(move |bytes| {
        for _ in 0..bytes / cases::BUFFER as u64 {
            stream.write_all(black_box(&plaintext)).expect("a sink takes everything");
        }
    })
}
