//! Replays the seeds of every fuzz target, on any toolchain and without libFuzzer.
//!
//! Searching for new inputs is `cargo fuzz run`: see CONTRIBUTING.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bisik_testkit::fuzz::{TARGETS, seeds};

#[test]
fn every_fuzz_seed_passes_its_target() {
    for (name, target) in TARGETS {
        for path in entries(&corpus().join(name)) {
            println!("{}", path.display());
            target(&fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_fuzz_target_has_seeds_and_every_folder_a_target() {
    let targets = TARGETS.iter().map(|(name, _)| String::from(*name)).collect::<BTreeSet<_>>();
    let here = |name: &String| match name.as_str() {
        "content" | "poll_vote" | "sealed_answer" => cfg!(feature = "content"),
        "call_frame" | "call_group" | "call_signal" => cfg!(feature = "call"),
        name => cfg!(feature = "interop") || !name.starts_with("interop_"),
    };
    let folders = entries(&corpus()).iter().map(|path| stem(path)).filter(here).collect();
    let files = entries(&corpus().join("../fuzz_targets")).iter().map(|path| stem(path)).filter(here).collect();
    assert_eq!(targets, folders);
    assert_eq!(targets, files);
    for (name, _) in TARGETS {
        assert!(!entries(&corpus().join(name)).is_empty(), "{name} has seeds");
    }
}

/// Fails after a change of the protocol: `cargo test --test house write_seeds -- --ignored` writes the seeds again, so
/// that they still test what their names say.
#[test]
fn committed_fuzz_seeds_match_their_generator() {
    for (target, name, bytes) in seeds() {
        let path = corpus().join(target).join(name);
        assert!(
            fs::read(&path).is_ok_and(|seed| seed == bytes),
            "stale, run `cargo test --test house write_seeds -- --ignored`: {}",
            path.display()
        );
    }
}

#[test]
#[ignore = "writes fuzz/corpus"]
fn write_seeds() {
    for (target, name, bytes) in seeds() {
        fs::create_dir_all(corpus().join(target)).unwrap();
        fs::write(corpus().join(target).join(name), bytes).unwrap();
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The entries, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
