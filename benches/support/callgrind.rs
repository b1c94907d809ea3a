//! Instruction counts: a benchmark runs itself again under valgrind, which counts inside one function.
//!
//! Needs `valgrind` on the path, and reports if it is missing.

use std::collections::{BTreeMap, HashMap};
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
    Some(dumps(expected, &[])?.iter().map(|dump| total(dump)).collect())
}

/// Like [`run_self`]: how often each instruction of each function ran, by address.
pub(crate) fn instructions(expected: usize) -> Option<Vec<HashMap<String, BTreeMap<u64, u64>>>> {
    let options = ["--dump-instr=yes", "--compress-strings=no", "--compress-pos=no"];
    Some(dumps(expected, &options)?.iter().map(|dump| by_function(dump)).collect())
}

/// Runs this program under valgrind, and returns what callgrind writes for each call of [`count`].
fn dumps(expected: usize, options: &[&str]) -> Option<Vec<String>> {
    // Cargo names a folder to benchmarks, and none to the program in benches/peers.
    let folder = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, Into::into);
    let directory = folder.join(format!("callgrind-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "-q"])
        .args(options)
        .args(["--toggle-collect", "--dump-after"].map(|option| format!("{option}={COUNTED}")))
        .arg(format!("--callgrind-out-file={}", directory.join("out").display()))
        .arg(std::env::current_exe().unwrap())
        .arg(ARGUMENT)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let dumps = (1_u32..).map_while(|index| std::fs::read_to_string(directory.join(format!("out.{index}"))).ok());
    let dumps: Vec<_> = dumps.collect();
    std::fs::remove_dir_all(&directory).unwrap();
    status.is_ok_and(|status| status.success() && dumps.len() == expected).then_some(dumps)
}

/// Returns the sum that callgrind writes at the end of each dump.
fn total(dump: &str) -> f64 {
    let line = dump.lines().find_map(|line| line.strip_prefix("totals: "));
    line.expect("a dump of callgrind has its total").trim().parse().unwrap()
}

/// Reads the lines `address line count` below each `fn=name`. The line after `calls=` is the cost of the function called.
fn by_function(dump: &str) -> HashMap<String, BTreeMap<u64, u64>> {
    let mut functions = HashMap::<String, BTreeMap<u64, u64>>::new();
    let (mut function, mut of_a_call) = (None, false);
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = Some(functions.entry(name.to_owned()).or_default());
        } else if let Some(rest) = line.strip_prefix("0x") {
            let mut words = rest.split(' ');
            let address = words.next().and_then(|word| u64::from_str_radix(word, 16).ok()).unwrap();
            let count: u64 = words.next_back().unwrap().parse().unwrap();
            if let (Some(function), false) = (&mut function, of_a_call) {
                *function.entry(address).or_default() += count;
            }
        }
        of_a_call = line.starts_with("calls=");
    }
    functions
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
