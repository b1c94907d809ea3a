//! Labels separate domains: no two are equal, and none is a prefix of another if the two could be confused.

use std::collections::{BTreeMap, BTreeSet};

use super::files;

/// Labels that are prefixes of others, and why the two cannot be confused.
const PREFIXES: &[(&str, &str, &str)] = &[
    (
        "bisik-1 ratchet root",
        "bisik-1 ratchet root step",
        "each is the whole info of an HKDF-Expand, which ends it with a counter byte, under different PRKs",
    ),
    (
        "bisik-1 poll",
        "bisik-1 poll vote",
        "the first begins an input of SHA-256, the second an info of HKDF-Expand: different functions",
    ),
    (
        "bisik-1 decision",
        "bisik-1 decision receipt",
        "the two signed texts have fixed lengths that differ: 318 and 462 bytes with label and signer's key",
    ),
];

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
        assert!(label.is_ascii() && !label.contains('\\'), "{name}: {label}");
        assert!(label.starts_with("bisik-1") || label.starts_with("Wh"), "{name}: {label} has no version");
        if let Some(other) = seen.insert(label.clone(), name.clone()) {
            panic!("{name} and {other} are both `{label}`");
        }
    }
}

/// The domains stay separate without separators, because no label continues another one.
#[test]
fn labels_are_prefix_free_but_for_three_pairs_that_cannot_be_confused() {
    let labels: Vec<_> = labels().into_iter().map(|(_, label)| label).collect();
    let pairs = labels.iter().flat_map(|short| labels.iter().map(move |long| (short.as_str(), long.as_str())));
    let found: BTreeSet<_> = pairs.filter(|(short, long)| short != long && long.starts_with(short)).collect();
    let known: BTreeSet<_> = PREFIXES.iter().map(|&(short, long, _)| (short, long)).collect();
    assert_eq!(found, known, "a label continues another: choose other words, or show here why they cannot be confused");
}

#[test]
fn the_table_of_labels_in_the_specification_is_that_of_the_source() {
    let conventions = files::read("docs/spec/conventions.md");
    let rows = conventions.lines().filter(|line| line.starts_with("| `L_"));
    let written: BTreeSet<_> = rows.filter_map(|row| row.split('"').nth(1)).map(str::to_owned).collect();
    let used: BTreeSet<_> =
        labels().into_iter().map(|(_, label)| label).filter(|label| label.starts_with("bisik-1")).collect();
    assert_eq!(written, used);
}
