//! docs/errors.md lists every error of the library, and each error has one code and one text of the same form.

use std::collections::{BTreeMap, BTreeSet};

use super::files;

/// Error types whose text and code are those of an error that they contain.
const FORWARDING: &[&str] = &["Unanswered"];

/// Public types that are errors without the word in their name.
const OTHER_NAMES: &[&str] = &["Blocked", "LedgerFull", "Unanswered"];

/// The beginnings of a table.
const TABLES: &[&str] = &["\nbisik_core::error_texts! {\n", "\ncrate::error_texts! {\n"];

/// One line of a table of `error_texts!`.
struct Line {
    file: String,
    kind: String,
    /// The variant; for a struct, its own name.
    variant: String,
    code: String,
    text: String,
}

/// Every table of `error_texts!` in the sources.
fn lines() -> Vec<Line> {
    let mut found = Vec::new();
    for (file, source) in files::sources() {
        for table in TABLES.iter().flat_map(|begin| source.split(begin).skip(1)) {
            let table = table.split("\n}\n").next().unwrap();
            let kind = table.split_whitespace().next().unwrap();
            let lines = if table.contains('{') { table.split_once('{').unwrap().1 } else { table };
            for line in lines.split(';').filter(|line| line.contains("=>")) {
                let (variant, rest) = line.split_once("=>").unwrap();
                let mut quoted = rest.split('"').skip(1).step_by(2);
                found.push(Line {
                    file: file.clone(),
                    kind: kind.to_owned(),
                    variant: variant.trim().trim_start_matches('@').split('(').next().unwrap().to_owned(),
                    code: quoted.next().unwrap().to_owned(),
                    text: quoted.next().unwrap_or_default().to_owned(),
                });
            }
        }
    }
    assert!(found.len() > 200, "the tables were read");
    found
}

/// The public enums and structs of the sources that are errors: file and name.
fn declared() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (file, source) in files::sources() {
        for line in source.lines() {
            let Some(rest) = line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct ")) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if name.ends_with("Error") || OTHER_NAMES.contains(&name.as_str()) {
                found.insert((file.clone(), name));
            }
        }
    }
    found
}

/// The sections of docs/errors.md: the public path of a type, and its codes by variant.
fn documented() -> Vec<(String, BTreeMap<String, String>)> {
    let document = files::read("docs/errors.md");
    let sections = document.split("\n### `").skip(1);
    let read = |section: &str| {
        let path = section.split('`').next().unwrap().to_owned();
        let name = path.rsplit("::").next().unwrap().to_owned();
        let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
        let rows = rows.map(|row| {
            let mut cells = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`']));
            let variant = cells.next().unwrap();
            let variant = if variant == "(the struct)" { &name } else { variant };
            (variant.to_owned(), cells.next().unwrap().to_owned())
        });
        let rows = rows.collect();
        (path, rows)
    };
    sections.map(read).collect()
}

fn is_code(code: &str) -> bool {
    code.split('.').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

#[test]
fn codes_are_unique_and_texts_are_sentences_without_capital_and_period() {
    let mut codes = BTreeSet::new();
    for Line { file, kind, variant, code, text } in lines() {
        let what = format!("{file}: {kind}::{variant}: `{code}`, \"{text}\"");
        assert!(codes.insert(code.clone()), "{what}: the code of another error");
        assert!(is_code(&code), "{what}: lower-case words joined by dots and underscores");
        if variant == "Internal" || kind == "InternalError" {
            assert!(text.is_empty() && code.ends_with("internal"), "{what}: one text and one word for our own bugs");
            continue;
        }
        assert!(text.starts_with(|c: char| c.is_lowercase()), "{what}: begins in lower case");
        assert!(text.len() > 10 && text.contains(' '), "{what}: says what went wrong");
        assert!(!text.ends_with(['.', '!', ' ']), "{what}: ends without a period");
    }
}

#[test]
fn every_error_type_has_a_table_of_codes_and_texts() {
    let tables: BTreeSet<_> = lines().into_iter().map(|line| (line.file, line.kind)).collect();
    for (file, kind) in declared() {
        let found = tables.contains(&(file.clone(), kind.clone())) || FORWARDING.contains(&kind.as_str());
        assert!(found, "{file}: `{kind}` has no table: write one with error_texts!");
    }
}

#[test]
fn the_manual_names_every_error_and_variant_with_its_code_and_no_other() {
    let mut left: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for Line { file, kind, variant, code, .. } in lines() {
        left.entry((file, kind)).or_default().insert(variant, code);
    }
    for (path, rows) in documented() {
        let name = path.rsplit("::").next().unwrap().to_owned();
        if FORWARDING.contains(&name.as_str()) {
            assert!(declared().iter().any(|(_, kind)| *kind == name), "docs/errors.md: no type {path}");
            continue;
        }
        let found = left.iter().find(|((_, kind), codes)| *kind == name && **codes == rows).map(|(key, _)| key.clone());
        let found = found.unwrap_or_else(|| {
            let same = left.iter().filter(|((_, kind), _)| *kind == name).collect::<Vec<_>>();
            panic!("docs/errors.md: {path} has {rows:#?}; the sources have {same:#?}")
        });
        left.remove(&found);
    }
    assert!(left.is_empty(), "docs/errors.md says nothing of {:#?}", left.keys());
    for name in FORWARDING {
        assert!(documented().iter().any(|(path, _)| path.ends_with(name)), "docs/errors.md says nothing of {name}");
    }
}

/// Checks that the module of a path declares or exports the last part of the path.
#[test]
fn the_paths_of_errors_in_the_manual_exist() {
    for (path, _) in documented() {
        let parts = path.split("::").collect::<Vec<_>>();
        let (name, modules) = parts.split_last().unwrap();
        let (root, modules) = match modules {
            ["bisik", "interop", modules @ ..] => ("crates/interop/src", modules),
            ["bisik_core", modules @ ..] => ("crates/core/src", modules),
            ["bisik", modules @ ..] => ("src", modules),
            _ => panic!("docs/errors.md: {path} does not begin with a crate of this repository"),
        };
        let module = modules.iter().fold(root.to_owned(), |path, module| format!("{path}/{module}"));
        let files = files::sources();
        let maps = if modules.is_empty() {
            vec![format!("{module}/lib.rs")]
        } else {
            vec![format!("{module}.rs"), format!("{module}/mod.rs")]
        };
        let exported = files.iter().filter(|(file, _)| maps.contains(file)).any(|(_, source)| {
            let items = source.split("\npub use ").skip(1).map(|item| item.split(';').next().unwrap());
            let declares = ["enum", "struct"].iter().any(|kind| source.contains(&format!("\npub {kind} {name}")));
            declares || items.flat_map(|item| item.split(|c: char| !c.is_alphanumeric())).any(|word| word == *name)
        });
        assert!(exported, "docs/errors.md: {path} is not public: looked into {maps:?}");
    }
}
