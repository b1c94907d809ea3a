//! Checks that timing does not depend on secrets. Valgrind reports each branch and address that depends on a tainted
//! value. `ctgrind checks`: nothing may be reported. `ctgrind controls`: everything must be, or the tool detects
//! nothing.

mod checks;
mod controls;
mod parts;
mod tainted;
mod valgrind;

use std::process::ExitCode;

/// A name and a function to run. The function taints its secrets.
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

/// Runs every case, even after a failure, so that the output lists them all.
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
