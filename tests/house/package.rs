//! The published packages: what is in them is whole, and what their pages say is true there as well as in the repository.

use std::collections::BTreeSet;
use std::fs;

use super::files;

/// Cargo adds these to a package, or reads them.
const ALWAYS: &[&str] = &["Cargo.toml", "Cargo.lock"];

/// The patterns of `include`, without the slash before and after them.
fn included() -> Vec<String> {
    let manifest = files::read("Cargo.toml");
    let list = manifest.split_once("\ninclude = [\n").unwrap().1.split_once("\n]").unwrap().0;
    list.lines().map(|line| line.trim().trim_matches(['"', ',', '/']).trim_matches('"').to_owned()).collect()
}

/// Whether the package of bisik has this file or something in this folder.
fn is_packaged(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let inside = |pattern: &str| match pattern.split_once('*') {
        Some((before, after)) => path.starts_with(before) && path.ends_with(after),
        None => path == pattern || path.starts_with(&format!("{pattern}/")) || pattern.starts_with(&format!("{path}/")),
    };
    ALWAYS.contains(&path) || included().iter().any(|pattern| inside(pattern))
}

/// The files of the package that end in `ending`.
fn packaged(ending: &str) -> Vec<(String, String)> {
    let all = ["src", "tests", "examples"].into_iter().flat_map(|folder| files::under(folder, ending));
    all.filter(|(path, _)| is_packaged(path)).collect()
}

#[test]
fn the_package_lists_what_exists() {
    for pattern in included() {
        let (folder, name) = pattern.split_once('*').map_or((pattern.as_str(), None), |(before, after)| {
            (before.rsplit_once('/').unwrap().0, Some((before.rsplit_once('/').unwrap().1, after)))
        });
        let path = files::root().join(folder);
        let there = match name {
            None => path.exists(),
            Some((start, end)) => fs::read_dir(path).unwrap().any(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.starts_with(start) && name.ends_with(end)
            }),
        };
        assert!(there, "Cargo.toml: include names {pattern}, which does not exist");
    }
}

/// bisik-testkit is not published. A test or an example that names it does not build from the package.
#[test]
fn nothing_in_the_package_needs_an_unpublished_crate() {
    let files = packaged(".rs");
    assert!(files.iter().any(|(path, _)| path == "tests/formats/vectors.rs"), "tests were found");
    let needing: Vec<_> =
        files.iter().filter(|(_, text)| text.contains("bisik_testkit")).map(|(path, _)| path).collect();
    assert_eq!(needing, Vec::<&String>::new());
}

/// Files that source, tests and examples of the package include, or take as modules, by their paths.
#[test]
fn what_the_package_includes_is_in_it() {
    for (path, text) in packaged(".rs") {
        let folder = path.rsplit_once('/').unwrap().0;
        for begin in ["include_str!(\"", "include_bytes!(\"", "#[path = \""] {
            for named in text.split(begin).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let whole = files::root().join(folder).join(named).canonicalize().unwrap();
                let inside = whole.strip_prefix(files::root().canonicalize().unwrap()).unwrap();
                assert!(is_packaged(&inside.to_string_lossy()), "{path} includes {named}, which is not packaged");
            }
        }
    }
}

/// A copy, because a package cannot have files from outside of its folder.
#[test]
fn the_braid_is_tested_against_the_published_vectors() {
    assert!(files::read("crates/core/vectors/braid-steps.txt") == files::read("tests/vectors/braid.txt"));
}

/// A registry's page shows the README without the files around it, and does not know where the repository is.
#[test]
fn readmes_have_no_relative_links() {
    for page in ["README.md", "crates/core/README.md", "crates/interop/README.md"] {
        let text = files::read(page);
        let inline = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let labels = text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
        for target in inline.chain(labels.map(|(_, target)| target)) {
            assert!(target.starts_with("https://"), "{page}: {target} is dead on the page of a registry");
        }
    }
}

/// Paragraphs, items and rows of a page: what a reader takes in at once.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        if line.is_empty() || line.starts_with(['|', '*', '#']) {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push_str(line);
        parts.last_mut().unwrap().push(' ');
    }
    parts
}

/// What the README names is in the package as well, or the README says that it is in the repository.
#[test]
fn the_readme_is_true_in_the_package_and_in_the_repository() {
    let text = files::read("README.md");
    let mut named = BTreeSet::new();
    let mut section = String::new();
    for part in parts(&text) {
        if part.starts_with('*') {
            section.push_str(&part); // a list belongs to the sentence before it
        } else if !part.trim().is_empty() {
            section = part.clone();
        }
        for word in part.split('`').skip(1).step_by(2) {
            let is_path = word.contains('/') || word.ends_with(".md") || word.starts_with("LICENSE");
            if is_path && !word.contains([' ', '"', ':', '<']) {
                assert!(files::root().join(word).exists(), "README.md: there is no {word}");
                assert!(is_packaged(word) || section.contains("repository"), "README.md: {word} is not in the package");
                named.insert(word.to_owned());
            }
        }
    }
    assert!(named.contains("docs/persistence.md"), "paths were found: {named:?}");
    let mut commands = text.lines().filter(|line| line.starts_with("cargo ") && !line.starts_with("cargo add"));
    assert_eq!(commands.next(), Some("cargo run --release --example conversation"));
    assert_eq!(commands.next(), Some("cargo test"));
    let mut before = "";
    for line in text.lines() {
        if let Some((_, example)) = line.split_once("--example ") {
            let example = example.split(' ').next().unwrap();
            let main = [format!("examples/{example}.rs"), format!("examples/{example}/main.rs")];
            let there = main.iter().any(|main| files::root().join(main).exists() && is_packaged(main));
            assert!(there || before.contains("repository"), "README.md: {line}");
        } else if line.starts_with("cargo ") && line.contains("--package ") {
            assert!(before.contains("repository"), "README.md: {line}");
        }
        before = line;
    }
}
