//! Rules that a machine can check: layers, file sizes, first lines, secrets, and the quickstart in the README.

use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom. A file may use modules of lower layers and of its own module.
const LAYERS: &[&[&str]] = &[
    &["labels", "emoji"],
    &["keys"],
    &["ratchet"],
    &["handshake"],
    &["session"],
    &["media", "call", "device"],
    &["content", "hosting"],
    &["account"],
    &["conversation"],
    &["call_link"],
    &["group"],
    &["registers"],
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

/// The sources of the published crates.
fn library() -> Vec<(PathBuf, String)> {
    ["src", "crates/core/src", "crates/interop/src"].into_iter().flat_map(sources).collect()
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

/// Which of the workspace's crates each crate depends on. Cargo then makes everything else unreachable: the suites cannot
/// share a key type, and what is published needs no test code.
#[test]
fn the_crates_depend_only_on_the_crates_below_them() {
    const BELOW: &[(&str, &[&str])] = &[
        ("crates/core/Cargo.toml", &[]),
        ("crates/interop/Cargo.toml", &["bisik-core"]),
        ("Cargo.toml", &["bisik-core", "bisik-interop"]),
    ];
    for (manifest, below) in BELOW {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
        let dependencies = text.split_once("\n[dependencies]\n").unwrap().1.split("\n[").next().unwrap();
        let names = dependencies.lines().filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
        let ours: Vec<_> = names.filter(|name| name.starts_with("bisik")).collect();
        assert_eq!(ours, *below, "{manifest}");
    }
}

/// bisik re-exports types of bisik-core with all of their methods. What only the suites may call is a function of a module
/// that no suite re-exports: hiding a method from the documentation would not keep anyone from calling it.
#[test]
fn nothing_is_public_and_hidden() {
    for (path, text) in library() {
        assert!(!text.contains("doc(hidden)"), "{} hides a public item", path.display());
    }
}

/// A published crate builds and tests itself from its own files, under the licences of the repository.
#[test]
fn each_published_crate_is_complete() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in ["crates/core", "crates/interop"].map(|package| root.join(package)) {
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let same = fs::read(package.join(licence)).unwrap() == fs::read(root.join(licence)).unwrap();
            assert!(same, "{} has another {licence}", package.display());
        }
    }
    for (path, text) in library() {
        let crates = root.join("crates");
        let Ok(inner) = path.strip_prefix(&crates) else {
            continue; // tests/house/package.rs
        };
        let package = crates.join(inner.iter().next().unwrap()).canonicalize().unwrap();
        for begin in ["include_str!(\"", "include_bytes!(\""] {
            for included in text.split(begin).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let included = path.parent().unwrap().join(included).canonicalize().unwrap();
                let inside = included.strip_prefix(&package);
                let packaged =
                    inside.is_ok_and(|file| ["README.md", "src", "vectors"].iter().any(|f| file.starts_with(f)));
                assert!(packaged, "{} includes {}, which is not packaged", path.display(), included.display());
            }
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for (path, text) in library().into_iter().chain(sources("crates/testkit/src")) {
        let lines = without_tests(&text).lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_file_begins_with_its_purpose() {
    for folder in ["src", "crates", "tests", "benches", "examples", "fuzz"] {
        for (path, text) in sources(folder) {
            let generated = path.components().any(|part| part.as_os_str() == "target");
            assert!(generated || text.starts_with("//! "), "{} does not begin with `//! `", path.display());
        }
    }
}

/// A field or constant of raw bytes must be public data; a secret is a `Secret<N>`, which is wiped on drop.
#[test]
fn secrets_are_not_raw_arrays() {
    const SECRET_NAMES: &[&str] = &["secret", "key", "seed", "scalar", "private"];
    for (path, text) in library() {
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

/// The quickstart is compiled as an example. The README, the front page of the documentation and the page of `Session`
/// repeat it exactly, in lines that fit the box in which rustdoc shows code.
#[test]
fn the_readme_and_the_front_page_show_the_quickstart_that_is_compiled() {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let example = read("examples/quickstart.rs");
    let code = example.split_once("\n\n").unwrap().1.trim();
    assert!(read("README.md").contains(code), "README.md does not show examples/quickstart.rs");
    let page = read("src/lib.rs").replace("//! ", "").replace("//!", "");
    assert!(page.contains(code), "src/lib.rs does not show examples/quickstart.rs");
    let page = read("src/session/mod.rs").replace("/// ", "").replace("///", "");
    assert!(page.contains(code), "src/session/mod.rs does not show examples/quickstart.rs");
    assert!(code.lines().all(|line| line.len() <= 88), "a line of the quickstart is cut off in rustdoc");
}
