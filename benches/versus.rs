//! This library against vodozemac 0.11, an implementation of Olm: `cargo bench --bench versus`.
//!
//! Only ratios within one run are meaningful. Prints the README's table at the end, which shows each ratio that is
//! above its aim. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod olm;
#[allow(dead_code)] // counts by function, which another benchmark uses
mod support;

use std::time::Duration;

use criterion::Criterion;

use olm::table::Operation;
#[cfg(feature = "interop")]
use olm::{groups, interop};
use olm::{ours, table, theirs};
use support::callgrind;
use support::meter::{Case, time};

/// Messages or stores that a case prepares at a time.
const PREPARED: u64 = 64;

/// What setting up may cost beside vodozemac's, which has no signature and no post-quantum part.
const SET_UP: f64 = if cfg!(feature = "graviola") { 1.1 } else { 1.3 };

/// Messages that arrive in reverse order.
const REVERSED: u64 = 1_000;

fn main() {
    if callgrind::is_child() {
        table::count_instructions(&mut operations());
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .nresamples(10_000)
        .configure_from_args();
    for Operation { name, ours, base, .. } in &mut operations() {
        let mut group = criterion.benchmark_group(format!("versus, {name}"));
        let mut add = |side: &str, case: &mut Case| {
            group.bench_function(side, |bencher| bencher.iter_custom(|count| time(case, count)));
        };
        add("bisik", ours);
        add("compared", base);
        group.finish();
    }
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    table::print(&mut operations());
    println!(
        "\nReversed messages are compared with this library's own decryption in order.\n\
         vodozemac does less work in places: it encrypts no headers, has no post-quantum part, and verifies \
         nothing\nwhen a session is set up."
    );
}

/// Returns the rows of the table. On both sides, messages are bytes as on the wire.
fn operations() -> Vec<Operation> {
    #[cfg(feature = "interop")]
    return native().into_iter().chain(interop::operations()).chain(groups::operations()).collect();
    #[cfg(not(feature = "interop"))]
    native().into()
}

fn native() -> [Operation; 12] {
    let against = |name, at_most, ours, base| Operation { name, at_most, ours, base, messages: 1 };
    [
        against("encrypt 32 B", Some(0.20), ours::encrypt(32), theirs::encrypt(32)),
        against("encrypt 1 KiB", Some(0.22), ours::encrypt(1024), theirs::encrypt(1024)),
        against("decrypt 32 B", Some(1.0), ours::decrypt(32), theirs::decrypt(32)),
        against("decrypt 1 KiB", Some(1.2), ours::decrypt(1024), theirs::decrypt(1024)),
        against("there and back, a DH step each", Some(0.7), ours::turn(), theirs::turn()),
        against("initiate, first encrypt", Some(SET_UP), ours::initiate(), theirs::initiate()),
        against("accept, first decrypt", Some(SET_UP), ours::accept(), theirs::accept()),
        against("seal, fresh", Some(0.3), ours::seal(ours::fresh()), theirs::seal(theirs::fresh())),
        against("unseal, fresh", Some(0.25), ours::unseal(ours::fresh()), theirs::unseal(theirs::fresh())),
        against("seal, waiting for an answer", None, ours::seal(ours::waiting()), theirs::seal(theirs::waiting())),
        against(
            "unseal, waiting for an answer",
            None,
            ours::unseal(ours::waiting()),
            theirs::unseal(theirs::waiting()),
        ),
        Operation {
            name: "1,000 in reverse order, each, against own decrypt in order",
            at_most: Some(2.0),
            ours: ours::reversed(),
            base: ours::decrypt(32),
            messages: REVERSED,
        },
    ]
}
