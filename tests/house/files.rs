//! Reads the files of the repository as text, for the rules that check them.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of the file at `path`, which is relative to the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Path and text of every file below `folder` whose name ends in `ending`, sorted; empty if there is no such folder.
pub(crate) fn under(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found.into_iter().map(relative).map(|path| (path.clone(), read(&path))).collect()
}

/// `src`, and the same folder of each published crate in `crates`.
pub(crate) fn sources() -> Vec<(String, String)> {
    let crates = under("crates", ".rs").into_iter().filter(|(path, _)| path.split('/').nth(2) == Some("src"));
    let crates = crates.filter(|(path, _)| !path.starts_with("crates/testkit/"));
    under("src", ".rs").into_iter().chain(crates).collect()
}

/// The specification and the other documents with requirements.
pub(crate) fn normative() -> Vec<(String, String)> {
    let others = ["docs/formats.md", "docs/interop.md"].map(|path| (path.to_owned(), read(path)));
    under("docs/spec", ".md").into_iter().chain(others).collect()
}
