//! Every numbered requirement of docs/spec and docs/interop.md is named where the source enforces it and where a test
//! shows it.
//!
//! Does not know whether they are right: only that none was forgotten, and none invented.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names like `P-4.3` in a text, for each of the documents' letters.
fn names(text: &str) -> BTreeSet<String> {
    let found = |letter: &'static str| {
        text.match_indices(letter).filter_map(move |(at, _)| {
            let rest = text.get(at + letter.len()..)?;
            let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let number = number.trim_end_matches('.');
            number.contains('.').then(|| format!("{letter}{number}"))
        })
    };
    found("P-").chain(found("S-")).collect()
}

/// Names in all files under `folder` whose name ends in one of `endings`; in source, either outside or inside tests.
fn names_under(folder: &Path, endings: &[&str], part: fn(&str) -> &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(names_under(&path, endings, part));
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.extend(names(part(&fs::read_to_string(&path).unwrap())));
        }
    }
    found
}

fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn in_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
}

fn whole(text: &str) -> &str {
    text
}

#[test]
fn every_requirement_is_named_in_source_and_in_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = |name| names(&fs::read_to_string(root.join("docs").join(name)).unwrap());
    let required: BTreeSet<_> = document("protocol.md").union(&document("interop.md")).cloned().collect();
    let enforced = names_under(&root.join("src"), &[".rs"], before_tests);
    let mut tested = names_under(&root.join("src"), &[".rs"], in_tests);
    tested.extend(names_under(&root.join("src/primitives"), &["wycheproof.rs"], whole));
    tested.extend(names_under(&root.join("tests"), &[".rs"], whole));
    tested.extend(names_under(&root.join("crates/testkit"), &[".rs"], whole));

    assert!(required.len() > 30, "the documents were read");
    let missing = |found: &BTreeSet<String>| required.difference(found).cloned().collect::<Vec<_>>();
    assert_eq!(missing(&enforced), Vec::<String>::new(), "requirements that no line of src/ names");
    assert_eq!(missing(&tested), Vec::<String>::new(), "requirements that no test names");
    let known: BTreeSet<_> = enforced.union(&tested).cloned().collect();
    let invented: Vec<_> = known.difference(&required).cloned().collect();
    assert_eq!(invented, Vec::<String>::new(), "names that the documents do not have");
}
