//! No file of the library imports another in a circle.
//!
//! Imports between a folder's `mod.rs` and its files, and names that a file takes from its own folder's `mod.rs`, do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Modules in circles that are known, with the reason.
const KNOWN: &[(&str, &str)] = &[
    ("content::wire", "one protobuf schema, whose messages hold each other, in two files"),
    ("content::business::wire", "the other file of that schema"),
    ("content::group::wire", "the third file of that schema"),
];

/// A module's path, such as `hosting::label::state`; the root is empty.
type Name = String;

/// The source of every module below `folder`, without tests and comments.
fn read_modules(folder: &Path, module: &str, found: &mut BTreeMap<Name, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let below = if module.is_empty() { stem.clone() } else { format!("{module}::{stem}") };
        if path.is_dir() {
            read_modules(&path, &below, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            let name = if ["mod", "lib"].contains(&stem.as_str()) { module.to_owned() } else { below };
            found.insert(name, code);
        }
    }
}

/// The paths in a `use` tree: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return vec![format!("{prefix}{path}")];
    };
    let prefix = format!("{prefix}{}", head.trim());
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start, mut found) = (0_i32, 0, Vec::new());
    for (at, letter) in inner.char_indices() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && depth == 0 {
            found.extend(expand(&prefix, &inner[start..at]));
            start = at + 1;
        }
    }
    if !inner[start..].trim().is_empty() {
        found.extend(expand(&prefix, &inner[start..]));
    }
    found
}

/// Every path that a module's code imports or writes out, beginning with `crate`, `super`, `self` or a child's name.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let begins = code[..at].rsplit('\n').next().unwrap().trim();
        if begins.is_empty() || begins.starts_with("pub") {
            found.extend(expand("", code[at + 4..].split(';').next().unwrap()));
        }
    }
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let path = code[at..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next().unwrap();
            if !code[..at].ends_with("::") {
                found.push(path.trim_end_matches(':').to_owned());
            }
        }
    }
    found
}

/// The module that a path in `module` leads to. Re-exports of another folder are followed to the file that has the name.
fn resolve(module: &str, path: &str, modules: &BTreeMap<Name, String>, depth: usize) -> Option<Name> {
    let mut at: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts = path.split("::").peekable();
    match parts.peek().copied()? {
        "crate" => {
            at.clear();
            parts.next();
        }
        "super" => {
            while parts.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        "self" => {
            parts.next();
        }
        child => {
            let child = if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") };
            modules.contains_key(&child).then_some(())?;
        }
    }
    while let Some(part) = parts.peek().copied() {
        let child = at.iter().copied().chain([part]).collect::<Vec<_>>().join("::");
        if !modules.contains_key(&child) {
            break;
        }
        at.push(part);
        parts.next();
    }
    let found = at.join("::");
    let Some(name) = parts.next().filter(|_| !is_family(module, &found)) else { return Some(found) };
    let reexported = paths(&modules[&found]).into_iter().find(|path| path.rsplit("::").next() == Some(name));
    let further = reexported.filter(|_| depth > 0).and_then(|path| resolve(&found, &path, modules, depth - 1));
    Some(further.unwrap_or(found))
}

/// Whether one is a folder's `mod.rs` and the other below it.
fn is_family(one: &str, other: &str) -> bool {
    let below = |upper: &str, lower: &str| upper.is_empty() || lower.starts_with(&format!("{upper}::"));
    one == other || below(one, other) || below(other, one)
}

/// The modules that remain after repeatedly removing those that import nothing and those that nothing imports.
fn in_circles(modules: &BTreeMap<Name, String>) -> BTreeSet<Name> {
    let mut edges = BTreeSet::new();
    for (module, code) in modules.iter().filter(|(module, _)| !module.is_empty()) {
        for path in paths(code) {
            let Some(used) = resolve(module, &path, modules, 4) else { continue };
            if !is_family(module, &used) {
                edges.insert((module.clone(), used));
            }
        }
    }
    assert!(edges.len() > modules.len(), "imports were found");
    loop {
        let (from, to): (BTreeSet<_>, BTreeSet<_>) = edges.iter().cloned().unzip();
        let before = edges.len();
        edges.retain(|(one, other)| to.contains(one) && from.contains(other));
        if edges.len() == before {
            return from;
        }
    }
}

#[test]
fn no_file_imports_another_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).into_iter().flatten().map(|entry| entry.unwrap().path());
    let crates = crates.filter(|path| !path.ends_with("testkit"));
    let mut excused = BTreeSet::new();
    for folder in crates.chain([root.to_owned()]).map(|folder| folder.join("src")).filter(|folder| folder.is_dir()) {
        let mut modules = BTreeMap::new();
        read_modules(&folder, "", &mut modules);
        let known = |name: &Name| KNOWN.iter().any(|(module, _)| module == name);
        let (found, unknown): (Vec<_>, Vec<_>) = in_circles(&modules).into_iter().partition(known);
        assert_eq!(unknown, Vec::<Name>::new(), "files in {} that import each other in a circle", folder.display());
        excused.extend(found);
    }
    let stale: Vec<_> = KNOWN.iter().filter(|(module, _)| !excused.contains(*module)).collect();
    assert!(stale.is_empty(), "no longer in a circle: remove them from KNOWN: {stale:?}");
}

#[test]
fn a_circle_is_found() {
    let sources = [
        ("", "mod a; mod b;"),
        ("a", "mod one;\nmod two;\npub(crate) use one::{\n    First,\n    Other,\n};"),
        ("a::one", "use crate::b::Last;"),
        ("a::two", "use super::one::First;"),
        ("b", "pub use {c::Last};\nmod c;"),
        ("b::c", "fn last(first: crate::a::First) {}"),
        ("d", "use crate::a::two::Second;\nuse crate::b::Last;\nuse crate::a::Other;\nuse crate::e::Leaf;"),
        ("e", "use crate::a::Other as Another;\nuse crate::b::{self, c::Last};"),
    ];
    let modules = sources.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
    assert_eq!(in_circles(&modules), BTreeSet::from(["a::one".to_owned(), "b::c".to_owned()]));
}
