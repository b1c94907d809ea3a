//! How many cryptographic operations and how many instructions the frequent operations take, counted in the running program:
//! `cargo bench --bench operations`.
//!
//! The instructions are compared with those in `counts.txt`, and a row that differs by more than 3 % fails, in either
//! direction: who makes something faster writes it down with `BISIK_COUNTS=accept`. They depend on the compiler and on the
//! processor's AVX2, and on nothing else: random scalars and keys change them by 0.2 %.
//!
//! Nothing is derived from lengths or from the source: valgrind says how often each instruction ran. A function was called
//! as often as its first instruction ran, and SHA-256, whose rounds are written out, took as many blocks as most of its
//! instructions ran. Needs valgrind, which hides SHA-NI; with it the numbers are the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod counts;
mod media;
mod sessions;
#[allow(dead_code)] // what other benchmarks use
#[path = "../support/mod.rs"]
mod support;
mod talks;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::process::ExitCode;

use support::callgrind;
use support::meter::{Case, time};

/// The operations, and the functions that are one each.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("X25519 key", &["BasepointTable>::mul_base"]),
    (
        "X25519 agreement",
        &[
            "<&curve25519_dalek::edwards::EdwardsPoint as core::ops::arith::Mul<&curve25519_dalek::scalar::Scalar>>::mul",
        ],
    ),
    ("signature verified", &["EdwardsPoint::vartime_double_scalar_mul_basepoint"]),
    ("ML-KEM key", &["mlkem768::generate_key_pair", "mlkem768::incremental::generate_key_pair_compressed"]),
    ("encapsulation", &["mlkem768::encapsulate", "mlkem768::incremental::encapsulate1"]),
    ("its second part", &["mlkem768::incremental::encapsulate2"]),
    ("decapsulation", &["mlkem768::decapsulate", "mlkem768::incremental::decapsulate_compressed_key"]),
];

fn main() -> ExitCode {
    let mut rows: Vec<_> = sessions::rows().into_iter().chain(talks::rows()).chain(media::rows()).collect();
    if callgrind::is_child() {
        rows.iter_mut().for_each(|(_, case)| callgrind::count(case, 1));
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        rows.iter_mut().for_each(|(_, case)| _ = time(case, 1));
        return ExitCode::SUCCESS;
    }
    let Some(dumps) = callgrind::instructions(rows.len()) else {
        println!("No counts: valgrind is not on the path.");
        return ExitCode::FAILURE;
    };
    let instructions = dumps.iter().map(|functions| functions.values().flat_map(BTreeMap::values).sum());
    let instructions: Vec<(&str, u64)> = rows.iter().map(|(name, _)| *name).zip(instructions).collect();
    println!(
        "\n| operation | instructions | SHA-256 blocks |{}",
        COLUMNS.map(|(name, _)| format!(" {name} |")).concat()
    );
    println!("|---|---:|---:|{}", COLUMNS.map(|_| "---:|").concat());
    let mut met = [0; COLUMNS.len()];
    for ((name, sum), functions) in instructions.iter().zip(&dumps) {
        let counts = COLUMNS.map(|(_, of)| of.iter().map(|name| calls(functions, name)).sum::<u64>());
        println!("| {name} | {sum} | {} |{}", blocks(functions), counts.map(|count| format!(" {count} |")).concat());
        met.iter_mut().zip(counts).for_each(|(met, count)| *met += count);
    }
    for ((name, _), met) in COLUMNS.iter().zip(met) {
        assert!(met > 0, "{name}: its function is not found under this name any more");
    }
    let crates = counts::crates();
    println!("\n{}: {}", crates.0, crates.1);
    counts::compare(&[instructions, vec![crates]].concat())
}

/// How often the functions whose name ends like this were called.
fn calls(functions: &HashMap<String, BTreeMap<u64, u64>>, name: &str) -> u64 {
    let named = functions.iter().filter(|(function, _)| function.ends_with(name));
    named.filter_map(|(_, instructions)| instructions.first_key_value()).map(|(_, count)| count).sum()
}

/// How many blocks SHA-256 compressed: how often most instructions of its function ran.
fn blocks(functions: &HashMap<String, BTreeMap<u64, u64>>) -> u64 {
    let mut times = BTreeMap::<u64, usize>::new();
    let compress = functions.iter().filter(|(function, _)| function.ends_with("sha256::compress256"));
    compress
        .flat_map(|(_, instructions)| instructions.values())
        .for_each(|count| *times.entry(*count).or_default() += 1);
    let Some((count, instructions)) = times.iter().max_by_key(|(_, instructions)| **instructions) else { return 0 };
    assert!(*instructions > 1_000, "64 rounds are written out");
    *count
}

/// An operation, by its name in the tables.
type Row = (&'static str, Case);

/// Runs of `work`, each on what `prepare` makes.
fn case<T: 'static>(prepare: impl Fn() -> T + 'static, work: impl Fn(&mut T) + 'static) -> Case {
    Box::new(move |count, meter| {
        for _ in 0..count {
            let mut prepared = prepare();
            meter.measure(&mut || work(black_box(&mut prepared)));
        }
    })
}
