//! Does time depend on a secret? Runs under valgrind, which reports each branch and address that does.
//! `ctgrind checks`: nothing may be reported. `ctgrind controls`: everything must be, or the tool is blind.

mod checks;
mod controls;
mod parts;
mod tainted;
mod valgrind;

use std::process::ExitCode;

/// A name and what is run; the secret is tainted inside.
pub type Case = (&'static str, fn());

fn main() -> ExitCode {
    if !valgrind::running() {
        eprintln!("this program means nothing outside valgrind");
        return ExitCode::from(2);
    }
    let good = match std::env::args().nth(1).as_deref() {
        Some("checks") => all([parts::ALL, checks::ALL], |reports| reports == 0),
        Some("controls") => all([controls::ALL], |reports| reports > 0),
        _ => {
            eprintln!("usage: ctgrind checks|controls");
            return ExitCode::from(2);
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs every case, even after one has failed: the list is the result.
fn all<const N: usize>(lists: [&[Case]; N], expected: fn(usize) -> bool) -> bool {
    let mut good = true;
    for (name, run) in lists.concat() {
        let before = valgrind::reports();
        run();
        let reports = valgrind::reports() - before;
        let verdict = if expected(reports) { "ok" } else { "FAILED" };
        println!("{verdict:6} {name}: {reports} reports");
        good &= expected(reports);
    }
    good
}
