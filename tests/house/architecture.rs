//! Rules that a machine can check: layers, file sizes, first lines, raw secrets, and the quickstart in the README.

use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom. A file may use modules of lower layers and of its own module.
const LAYERS: &[&[&str]] = &[
    &["labels"],
    &["codec", "convert", "disclosure", "internal", "primitives", "revision", "shared_secret", "storage", "time"],
    &["keys"],
    &["handshake", "ratchet"],
    &["session"],
    &["media", "call", "device"],
    &["content", "hosting"],
    &["account"],
    &["conversation"],
    &["manual"],
];

/// Non-test lines in one file.
const MOST_LINES: usize = 400;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.sort();
    found
}

/// The part of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap()
}

fn module(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|names| names.contains(&module));
    found.unwrap_or_else(|| panic!("module `{module}` has no layer: give it one in tests/house/architecture.rs"))
}

#[test]
fn a_file_uses_only_lower_layers() {
    for (path, text) in sources("src") {
        let own = module(&path);
        if own == "lib" {
            continue;
        }
        for line in without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let allowed = used == own || layer(&used) < layer(&own);
                assert!(allowed, "{}: `{own}` uses `{used}`, which is not below it: {line}", path.display());
            }
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for (path, text) in sources("src") {
        let lines = without_tests(&text).lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_file_says_first_what_it_is() {
    for folder in ["src", "crates", "tests", "benches", "examples", "fuzz"] {
        for (path, text) in sources(folder) {
            let generated = path.components().any(|part| part.as_os_str() == "target");
            assert!(generated || text.starts_with("//! "), "{} does not begin with `//! `", path.display());
        }
    }
}

/// A field or constant of raw bytes is public data; whatever is secret is a `Secret<N>`, which wipes itself.
#[test]
fn secrets_are_not_raw_arrays() {
    const SECRET_NAMES: &[&str] = &["secret", "key", "seed", "scalar", "private"];
    for (path, text) in sources("src") {
        if path.ends_with("primitives/secret.rs") {
            continue;
        }
        for line in without_tests(&text).lines().map(str::trim_start) {
            let Some((name, kind)) =
                line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").split_once(": [u8;")
            else {
                continue;
            };
            let is_field = name.chars().all(|c| c.is_alphanumeric() || c == '_') && kind.trim_end().ends_with(',');
            let secret = SECRET_NAMES.iter().any(|secret| name.split('_').any(|word| word == *secret));
            assert!(!(is_field && secret), "{}: raw secret `{line}`", path.display());
        }
    }
}

/// The quickstart is compiled once, as an example; the crate's documentation includes that file, and the README repeats it.
#[test]
fn the_readme_shows_the_quickstart_that_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("examples/quickstart.rs")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let code = example.split_once("\n\n").unwrap().1.trim();
    assert!(readme.contains(code), "README.md does not show examples/quickstart.rs");
}
