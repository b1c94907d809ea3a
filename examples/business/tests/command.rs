//! What the command says: its options, and how a run has ended.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};

fn business(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_business")).args(arguments).output().unwrap();
    let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
    (output, text)
}

#[test]
fn help_names_every_option_and_a_wrong_one_points_to_it() {
    let (output, text) = business(&["--help"]);
    assert!(output.status.success());
    for option in ["--engine", "--customers", "--questions", "--workers", "--kill-every", "--measure", "ETCD_URL"] {
        assert!(text.contains(option), "{option}");
    }
    for wrong in [["--engine", "none"].as_slice(), &["--customers"], &["--colour", "red"]] {
        let (output, text) = business(wrong);
        assert!(!output.status.success() && text.contains("--help"), "{wrong:?}: {text}");
    }
}

#[test]
fn a_run_in_which_nobody_was_killed_says_that_and_not_that_a_promise_was_broken() {
    let (output, text) =
        business(&["--measure", "0", "--customers", "5", "--questions", "1", "--kill-every", "600000"]);
    assert!(!output.status.success());
    assert!(text.contains("every promise was kept, but no worker was killed"), "{text}");
    assert!(!text.contains("BROKEN") && !text.contains("are kept in"), "{text}");
}
