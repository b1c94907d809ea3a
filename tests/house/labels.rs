//! Labels separate domains: no two are equal, and none is a prefix of another if the two could be confused.

use std::collections::{BTreeMap, BTreeSet};

use super::files;

/// The labels of every `labels.rs`, as they are written: the name of the constant, and its text.
fn labels() -> Vec<(String, String)> {
    let files = files::sources().into_iter().filter(|(path, _)| path.ends_with("/labels.rs"));
    let mut found = Vec::new();
    for (_, text) in files {
        for line in text.lines().filter(|line| line.contains("const ")) {
            let name = line.split_once("const ").and_then(|(_, rest)| rest.split_once(':')).map(|(name, _)| name);
            let label = line.split_once("b\"").and_then(|(_, rest)| rest.split_once('"')).map(|(label, _)| label);
            if let (Some(name), Some(label)) = (name, label) {
                found.push((name.to_owned(), label.to_owned()));
            }
        }
    }
    assert!(found.len() > 40, "the labels were read");
    found
}

#[test]
fn labels_are_distinct_and_begin_with_the_version() {
    let mut seen = BTreeMap::new();
    for (name, label) in labels() {
        assert!(label.is_ascii(), "{name}: {label}");
        let version = ["bisik-1", "Wh", "Signal"].iter().any(|version| label.starts_with(version));
        assert!(version, "{name}: {label} has no version");
        if let Some(other) = seen.insert(label.clone(), name.clone()) {
            panic!("{name} and {other} are both `{label}`");
        }
    }
}

/// Whatever follows them, no label is the beginning of another: each of the native suite ends in the only zero byte
/// that it holds.
#[test]
fn labels_end_in_a_zero_byte_and_none_is_the_beginning_of_another() {
    let labels: Vec<_> = labels().into_iter().map(|(_, label)| label).collect();
    for label in labels.iter().filter(|label| label.starts_with("bisik-1")) {
        assert_eq!(label.strip_suffix("\\0").map(|words| words.contains('\\')), Some(false), "{label}");
    }
    for (short, long) in labels.iter().flat_map(|short| labels.iter().map(move |long| (short, long))) {
        // The versions 3 and 4 of Signal's handshake: of each the label is the whole `info`.
        let handshakes = short == "WhisperText" && long.starts_with("WhisperText_X25519");
        assert!(short == long || handshakes || !long.starts_with(short.as_str()), "{short} is the beginning of {long}");
    }
}

#[test]
fn the_table_of_labels_in_the_specification_is_that_of_the_source() {
    let conventions = files::read("docs/spec/conventions.md");
    let rows = conventions.lines().filter(|line| line.starts_with("| `L_"));
    let written: BTreeSet<_> = rows.filter_map(|row| row.split('"').nth(1)).map(str::to_owned).collect();
    let native = labels().into_iter().map(|(_, label)| label).filter(|label| label.starts_with("bisik-1"));
    let used: BTreeSet<_> = native.map(|label| label.trim_end_matches("\\0").to_owned()).collect();
    assert_eq!(written, used);
}
