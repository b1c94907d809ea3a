//! The comparison with `counts.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, ExitCode};

/// A count that differs by more than this share is reported; of crates, every difference.
const TOLERANCE: f64 = 0.03;

/// How many crates somebody builds who depends on this one, with the default features, all of them included.
pub(crate) fn crates() -> (&'static str, u64) {
    let options = ["tree", "--locked", "--package=bisik", "--edges=normal,build", "--prefix=none", "--format={p}"];
    let tree = Command::new(env!("CARGO")).args(options).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<_> = lines.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    ("crates built with default features", crates.len() as u64)
}

/// Compares the counts with those of the file, and fails if one differs, is new, or is not measured any more. With
/// `BISIK_COUNTS=accept` writes the file instead.
pub(crate) fn compare(counts: &[(&str, u64)]) -> ExitCode {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/operations/counts.txt");
    if std::env::var_os("BISIK_COUNTS").is_some_and(|value| value == "accept") {
        let lines = counts.iter().map(|(name, count)| format!("{count:>12}  {name}\n"));
        std::fs::write(file, lines.collect::<String>()).unwrap();
        return ExitCode::SUCCESS;
    }
    let before = std::fs::read_to_string(file).unwrap();
    let mut before: BTreeMap<_, u64> =
        before.lines().map(|line| (&line[14..], line[..12].trim().parse().unwrap())).collect();
    let mut differences = Vec::new();
    for (name, now) in counts {
        match before.remove(name) {
            Some(before) if *now == before => {}
            Some(before) if before > 1_000 && (*now as f64 / before as f64 - 1.0).abs() <= TOLERANCE => {}
            Some(before) => {
                differences.push(format!("{name}: {now}, was {before} ({:.2})", *now as f64 / before as f64))
            }
            None => differences.push(format!("{name}: {now}, is new")),
        }
    }
    differences.extend(before.keys().map(|name| format!("{name}: not measured any more")));
    if differences.is_empty() {
        println!("\nThese are the counts of counts.txt, within {} %.", TOLERANCE * 100.0);
        return ExitCode::SUCCESS;
    }
    println!("\nNO: these are not the counts of counts.txt. If that is meant: BISIK_COUNTS=accept.");
    differences.iter().for_each(|difference| println!("  {difference}"));
    ExitCode::FAILURE
}
