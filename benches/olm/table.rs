//! The tables of versus: samples of all cases, interleaved in one process.

use super::{ours, theirs};
use crate::support::callgrind;
use crate::support::interleaved::{Compared, sample};
use crate::support::meter::{Case, allocations};
use crate::support::picture::{Bar, Picture};
use crate::support::report::{self, Aim, Report, Row, duration, titled};

/// One row: an operation, and the one it is compared with.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) aim: Aim,
    pub(crate) ours: Case,
    pub(crate) base: Case,
    /// How many messages one run of `ours` processes.
    pub(crate) messages: u64,
}

/// Measures all operations and prints the tables.
pub(crate) fn print(operations: &mut [Operation], report: &mut Report) {
    let compared = measure(operations);
    let rows = || operations.iter().zip(&compared);
    let lines: Vec<_> = rows().map(|(row, compared)| Row::compared(row.name, compared, row.aim)).collect();
    report.comparison(&titled("Beside vodozemac 0.11"), "vodozemac", &lines);
    println!(
        "\nvodozemac does less in places: it encrypts no headers, has no post-quantum part, and verifies nothing when a \
         session is set up."
    );
    let bar = |(row, compared): (&Operation, &Compared)| {
        let at_most = if let Aim::AtMost(bound) = row.aim { Some(bound) } else { None };
        Bar { name: row.name.to_owned(), ratio: compared.ratio, at_most }
    };
    let mut picture = Picture::new("bisik beside vodozemac 0.11");
    picture
        .bars("Time of bisik in times that of vodozemac; upright marks are aims", &rows().map(bar).collect::<Vec<_>>());
    picture.write("versus");
    print_derived();
    print_counts(operations);
}

fn measure(operations: &mut [Operation]) -> Vec<Compared> {
    let mut cases: Vec<&mut Case> = operations.iter_mut().flat_map(|row| [&mut row.ours, &mut row.base]).collect();
    let samples = sample(&mut cases, ROUNDS);
    let compared = |(operation, samples): (&mut Operation, &[Vec<f64>])| {
        Compared::new(&samples[0], &samples[1], operation.messages as f64)
    };
    operations.iter_mut().zip(samples.chunks_exact(2)).map(compared).collect()
}

/// How much of vodozemac's encryption is its ratchet key, which it derives from the secret again for each message.
fn print_derived() {
    let lines = [32, 1024].map(|length| {
        let (mut ours, mut theirs, mut key) = (ours::encrypt(length), theirs::encrypt(length), ours::ratchet_key());
        let samples = sample(&mut [&mut ours, &mut theirs, &mut key], ROUNDS);
        let without: Vec<_> = samples[1].iter().zip(&samples[2]).map(|(theirs, key)| theirs - key).collect();
        let [whole, less] = [&samples[1], &without].map(|base| Compared::new(&samples[0], base, 1.0));
        let times = [whole.ours, whole.base, whole.base - less.base, less.base].map(duration);
        [&[format!("encrypt {length} B")], &times[..], &[whole.ratio, less.ratio].map(|ratio| format!("{ratio:.2}"))]
            .concat()
    });
    let columns = ["operation", "bisik", "vodozemac", "its X25519 key", "without", "ratio", "ratio without"];
    report::print("A key that vodozemac derives again for each message", &columns, &lines);
}

/// Prints what does not depend on what else the machine does.
fn print_counts(operations: &mut [Operation]) {
    let instructions = callgrind::run_self(2 * operations.len());
    let line = |(index, operation): (usize, &mut Operation)| {
        let (runs, messages) = (operation.counted_runs(), operation.messages as f64);
        let counted = instructions.as_ref().map_or([const { String::new() }; 3], |counts| {
            let ours = counts[2 * index] / runs as f64 / messages;
            let base = counts[2 * index + 1] / runs as f64;
            [format!("{ours:.0}"), format!("{base:.0}"), format!("{:.2}", ours / base)]
        });
        let ours = allocations(&mut operation.ours, runs) / messages;
        let allocated = [ours, allocations(&mut operation.base, runs)].map(|count| format!("{count:.1}"));
        [&[operation.name.to_owned()], &counted[..], &allocated].concat()
    };
    let lines: Vec<_> = operations.iter_mut().enumerate().map(line).collect();
    let columns = ["operation", "instructions", "vodozemac's", "ratio", "allocations", "vodozemac's"];
    report::print("Instructions and allocations", &columns, &lines);
    match instructions {
        Some(_) => println!(
            "\nInstructions by callgrind, which hides SHA-NI and AVX-512 from the program: hashing counts as software\nSHA-256, about thirty times the instructions of the hardware. They show regressions, not cost."
        ),
        None => println!("\nNo instruction counts: valgrind is not on the path."),
    }
}

/// Under valgrind: counts all cases, in the order of the table.
pub(crate) fn count_instructions(operations: &mut [Operation]) {
    for operation in operations {
        let runs = operation.counted_runs();
        callgrind::count(&mut operation.ours, runs);
        callgrind::count(&mut operation.base, runs);
    }
}

impl Operation {
    /// One message on each side.
    pub(crate) const fn against(name: &'static str, aim: Aim, ours: Case, base: Case) -> Self {
        Self { name, aim, ours, base, messages: 1 }
    }

    /// Returns the runs whose instructions or allocations are counted: no more than a case prepares at a time, so that
    /// they are counted in one piece.
    const fn counted_runs(&self) -> u64 {
        if self.messages == 1 { 8 } else { 1 }
    }
}

/// Rounds of interleaved samples: some seconds in total.
const ROUNDS: usize = 201;
