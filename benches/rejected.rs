//! The cost of a forged message to a session that is as full as possible: `cargo bench --bench rejected`.
//!
//! Fails if a forgery costs as much as twenty honest decryptions or more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod full;
#[allow(dead_code)] // counts by function, which another benchmark uses
mod support;

use std::hint::black_box;
use std::process::ExitCode;

use bisik::Ciphertext;

use full::Full;
use support::callgrind;
use support::interleaved::{median, ratio, sample};
use support::meter::{Case, allocations, pieces, time};

/// One forgery of one length. The honest decryption, to which forgeries are compared, comes first in its group.
struct Row {
    name: &'static str,
    case: Case,
    /// Whether it can be created without the session's keys, so that the bound applies to it.
    forged: bool,
}

fn main() -> ExitCode {
    let full = Full::new();
    let mut groups = LENGTHS.map(|(_, length)| group(&full, length));
    if callgrind::is_child() {
        groups.iter_mut().flatten().for_each(|row| callgrind::count(&mut row.case, COUNTED));
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        groups.iter_mut().flatten().for_each(|row| _ = time(&mut row.case, 1));
        return ExitCode::SUCCESS;
    }
    let rows = groups.iter().flatten().count();
    let instructions = callgrind::run_self(rows);
    println!("\n| plaintext | message | time | vs. honest | instructions | vs. honest | allocations |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    let mut counts = instructions.iter().flatten().copied();
    let mut worst = 0.0_f64;
    for ((length, _), group) in LENGTHS.iter().zip(&mut groups) {
        worst = worst.max(print(length, group, &mut counts));
    }
    if instructions.is_none() {
        println!("\nNo instruction counts: valgrind is not on the path.");
    }
    println!(
        "\nThe reader holds five receiving chains and 2,000 skipped message keys. Worst forgery: {worst:.2} honest \
         decryptions; bound {AT_MOST}.\nThe last line of each length is no forgery: only the peer can create it, and if \
         genuine it is accepted once.\nCallgrind hides SHA-NI: it counts a software SHA-256."
    );
    if worst < AT_MOST { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures and prints one length. Returns the worst ratio of a forgery, in time or in instructions.
fn print(length: &str, group: &mut [Row], counts: &mut impl Iterator<Item = f64>) -> f64 {
    let mut cases: Vec<&mut Case> = group.iter_mut().map(|row| &mut row.case).collect();
    let samples = sample(&mut cases, ROUNDS);
    let mut worst = 0.0_f64;
    let mut honest_instructions = None;
    for (row, times) in group.iter_mut().zip(&samples) {
        let in_time = ratio(times, &samples[0]);
        let instructions = counts.next().map(|count| count / COUNTED as f64);
        let honest = *honest_instructions.get_or_insert(instructions);
        let in_instructions = instructions.zip(honest).map(|(count, honest)| count / honest);
        if row.forged {
            worst = worst.max(in_time).max(in_instructions.unwrap_or(0.0));
        }
        let counted = instructions.zip(in_instructions).map(|(count, ratio)| format!("{count:.0} | {ratio:.2}"));
        println!(
            "| {length} | {} | {:.0} ns | {in_time:.2} | {} | {:.1} |",
            row.name,
            median(times),
            counted.unwrap_or_else(|| String::from("- | -")),
            allocations(&mut row.case, COUNTED),
        );
    }
    worst
}

/// Returns all messages of one length, the honest one first.
fn group(full: &Full, length: usize) -> Vec<Row> {
    let mut rows = vec![Row { name: "honest, decrypted", case: honest(full, length), forged: false }];
    for (name, message) in full.forgeries(length) {
        rows.push(Row { name, case: refused(full, message), forged: true });
    }
    let ahead = staged(full, &full.far_ahead(length));
    rows.push(Row { name: "genuine, 20,000 ahead, not committed", case: ahead, forged: false });
    rows
}

fn honest(full: &Full, length: usize) -> Case {
    let (mut writer, mut reader, bob, plaintext) = (full.writer(), full.reader(), full.identity(), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let encrypt = |_| writer.encrypt(&plaintext, &mut rand::rng()).unwrap().into_bytes();
            let messages: Vec<_> = (0..piece).map(encrypt).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = Ciphertext::from_bytes(black_box(message)).unwrap();
                    drop(black_box(reader.decrypt(&bob, &message).unwrap()));
                }
            });
        }
    })
}

fn refused(full: &Full, message: Vec<u8>) -> Case {
    let (mut reader, bob) = (full.reader(), full.identity());
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                let message = Ciphertext::from_bytes(black_box(&message)).unwrap();
                black_box(reader.decrypt(&bob, &message).unwrap_err());
            }
        });
    })
}

fn staged(full: &Full, message: &[u8]) -> Case {
    let (mut reader, bob, message) = (full.reader(), full.identity(), message.to_vec());
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                let message = Ciphertext::from_bytes(black_box(&message)).unwrap();
                drop(black_box(reader.stage_giving_up(&bob, &message).unwrap()));
            }
        });
    })
}

/// Bound for a forgery, in honest decryptions.
const AT_MOST: f64 = 2.0;
const LENGTHS: [(&str, usize); 3] = [("32 B", 32), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10)];
/// Messages prepared at a time.
const PREPARED: u64 = 16;
/// Runs whose instructions and allocations are counted, in one piece.
const COUNTED: u64 = 2;
const ROUNDS: usize = 51;
