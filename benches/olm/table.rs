//! The table of ratios: samples of all cases, interleaved in one process.

use crate::support::callgrind;
use crate::support::interleaved::{median, ratio, sample};
use crate::support::meter::{Case, allocations};

/// One row: an operation, and the one it is compared with.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The greatest ratio that is promised, if any.
    pub(crate) at_most: Option<f64>,
    pub(crate) ours: Case,
    pub(crate) base: Case,
    /// How many messages one run of `ours` processes.
    pub(crate) messages: u64,
}

/// The measurements of one row: this library's, then the base's.
struct Row {
    nanoseconds: [f64; 2],
    ratio: f64,
    allocations: [f64; 2],
}

/// Measures all operations and prints the tables.
pub(crate) fn print(operations: &mut [Operation]) {
    let rows = measure(operations);
    println!("\n| operation | bisik | vodozemac | ratio | at most | met |\n|---|---:|---:|---:|---:|---|");
    for (operation, Row { nanoseconds: [ours, base], ratio, .. }) in operations.iter().zip(&rows) {
        let (at_most, met) = match operation.at_most {
            Some(bound) => (format!("{bound:.2}"), *ratio <= bound),
            None => (String::from("-"), true),
        };
        let (ours, base, met) = (duration(*ours), duration(*base), if met { "yes" } else { "NO" });
        println!("| {} | {ours} | {base} | {ratio:.2} | {at_most} | {met} |", operation.name);
    }
    println!("\nMedians of {ROUNDS} rounds; a ratio is the median of the rounds' own ratios.");
    print_counts(operations, &rows);
}

fn measure(operations: &mut [Operation]) -> Vec<Row> {
    let mut cases: Vec<&mut Case> = operations.iter_mut().flat_map(|row| [&mut row.ours, &mut row.base]).collect();
    let samples = sample(&mut cases, ROUNDS);
    let row = |(operation, samples): (&mut Operation, &[Vec<f64>])| {
        let (messages, runs) = (operation.messages as f64, operation.counted_runs());
        Row {
            nanoseconds: [median(&samples[0]) / messages, median(&samples[1])],
            ratio: ratio(&samples[0], &samples[1]) / messages,
            allocations: [allocations(&mut operation.ours, runs) / messages, allocations(&mut operation.base, runs)],
        }
    };
    operations.iter_mut().zip(samples.chunks_exact(2)).map(row).collect()
}

/// Prints the second table: values that do not depend on what else the machine does.
fn print_counts(operations: &[Operation], rows: &[Row]) {
    let instructions = callgrind::run_self(2 * operations.len());
    println!("\n| operation | instructions | vodozemac's | ratio | allocations | vodozemac's |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (index, (operation, row)) in operations.iter().zip(rows).enumerate() {
        let [ours, base] = row.allocations;
        let counted = instructions.as_ref().map(|counts| {
            let runs = operation.counted_runs() as f64;
            let ours = counts[2 * index] / runs / operation.messages as f64;
            let base = counts[2 * index + 1] / runs;
            format!("{ours:.0} | {base:.0} | {:.2}", ours / base)
        });
        let counted = counted.unwrap_or_else(|| String::from("- | - | -"));
        println!("| {} | {counted} | {ours:.1} | {base:.1} |", operation.name);
    }
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
    /// Returns the runs whose instructions or allocations are counted: no more than a case prepares at a time, so that
    /// they are counted in one piece.
    const fn counted_runs(&self) -> u64 {
        if self.messages == 1 { 8 } else { 1 }
    }
}

fn duration(nanoseconds: f64) -> String {
    if nanoseconds < 10_000.0 { format!("{nanoseconds:.0} ns") } else { format!("{:.1} us", nanoseconds / 1_000.0) }
}

/// Rounds of interleaved samples: some seconds in total.
const ROUNDS: usize = 201;
