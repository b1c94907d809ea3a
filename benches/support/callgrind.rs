//! Instruction counts: a benchmark runs itself again under valgrind, which counts inside one function.
//!
//! Needs `valgrind` on the path, and reports if it is missing.

use std::hint::black_box;
use std::process::{Command, Stdio};

use super::meter::{Case, Meter};

/// The argument by which the benchmark recognises that it runs under valgrind.
const ARGUMENT: &str = "--count-instructions";

/// The function that valgrind watches, by its name in the binary.
const COUNTED: &str = concat!(module_path!(), "::instructions_are_counted_here");

/// Returns whether this process runs under valgrind.
pub(crate) fn is_child() -> bool {
    std::env::args().any(|argument| argument == ARGUMENT)
}

/// Under valgrind: counts `count` runs of a case that has run before, so that tables and buffers exist.
pub(crate) fn count(case: &mut Case, count: u64) {
    case(1, &mut Ignore);
    case(count, &mut Callgrind);
}

/// Outside of valgrind: returns the results of all calls of [`count`], in order. Returns `None` if there are not
/// `expected` numbers, because valgrind is missing.
pub(crate) fn run_self(expected: usize) -> Option<Vec<f64>> {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "-q"])
        .args(["--toggle-collect", "--dump-after"].map(|option| format!("{option}={COUNTED}")))
        .arg(format!("--callgrind-out-file={}", directory.join("out").display()))
        .arg(std::env::current_exe().unwrap())
        .arg(ARGUMENT)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let dumps = (1_u32..).map_while(|index| std::fs::read_to_string(directory.join(format!("out.{index}"))).ok());
    let counts: Vec<_> = dumps.map(|dump| total(&dump)).collect();
    std::fs::remove_dir_all(&directory).unwrap();
    status.is_ok_and(|status| status.success() && counts.len() == expected).then_some(counts)
}

/// Returns the sum that callgrind writes at the end of each dump.
fn total(dump: &str) -> f64 {
    let line = dump.lines().find_map(|line| line.strip_prefix("totals: "));
    line.expect("a dump of callgrind has its total").trim().parse().unwrap()
}

struct Ignore;

impl Meter for Ignore {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        work();
    }
}

struct Callgrind;

impl Meter for Callgrind {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        instructions_are_counted_here(work);
    }
}

/// Callgrind counts from entry to exit of this function, and writes a dump at each exit.
#[inline(never)]
fn instructions_are_counted_here(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from becoming a jump, which would leave no exit to see.
    black_box(());
}
