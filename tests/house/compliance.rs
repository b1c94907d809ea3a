//! Every requirement of the specification is enforced in source and shown by a test, and none changes unnoticed.
//!
//! `requirements.txt` has a line for each requirement: its name, a digest of its text, and the files that cite it. A
//! reworded requirement, and a citation that was added or removed, fails here until a person has read the citing lines
//! and accepted the change. `exceptions.txt` lists requirements that source or tests cannot cite, with reasons.
//!
//! A citation is the requirement's name in source before its tests, or in the comment or body of a `#[test]` function.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs};

use sha2::{Digest, Sha256};

use super::files;

const TABLE: &str = "tests/house/requirements.txt";
const EXCEPTIONS: &str = "tests/house/exceptions.txt";

/// Section and number, so that names sort numerically; `P-4.6` is `("P", 4, 3)`.
pub(crate) type Name = (char, u32, u32);

pub(crate) fn written((letter, section, number): Name) -> String {
    format!("{letter}-{section}.{number}")
}

fn name(text: &str) -> Option<Name> {
    let (section, number) = text.get(2..)?.split_once('.')?;
    let letter = text.chars().next()?;
    Some((letter, section.parse().ok()?, number.parse().ok()?))
}

/// Names in a text. `P-1.2 to P-1.4` are three.
pub(crate) fn names(text: &str) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut last = 0;
    for (at, _) in text.match_indices("P-").chain(text.match_indices("S-")).collect::<BTreeMap<_, _>>() {
        let within_a_word = text[..at].ends_with(|before: char| before.is_alphanumeric());
        let end =
            text[at + 2..].find(|c: char| c != '.' && !c.is_ascii_digit()).map_or(text.len(), |length| at + 2 + length);
        let Some(this) = name(text[at..end].trim_end_matches('.')).filter(|_| !within_a_word) else { continue };
        let before = found.last().copied().filter(|before| (before.0, before.1) == (this.0, this.1));
        if let Some((letter, section, first)) = before.filter(|_| &text[last..at] == " to ") {
            found.extend((first + 1..this.2).map(|number| (letter, section, number)));
        }
        found.push(this);
        last = end;
    }
    found
}

pub(crate) struct Requirement {
    pub(crate) name: Name,
    document: String,
    text: String,
}

impl Requirement {
    /// The first four bytes of SHA-256 of the text, independent of line breaks.
    pub(crate) fn digest(&self) -> String {
        let words: Vec<_> = self.text.split_whitespace().collect();
        let digest = Sha256::digest(words.join(" ").as_bytes());
        digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The requirements of one document, in its order, and its text without them.
fn parse(document: &str, text: &str) -> (Vec<Requirement>, String) {
    let mut requirements: Vec<Requirement> = Vec::new();
    let (mut inside, mut rest) = (false, String::new());
    for line in text.lines() {
        if let Some((named, first)) = line.strip_prefix("* **[").and_then(|line| line.split_once("]** ")) {
            let name = name(named).unwrap_or_else(|| panic!("{document}: `{named}` is no name of a requirement"));
            requirements.push(Requirement { name, document: document.to_owned(), text: first.to_owned() });
            inside = true;
        } else if inside && (line.starts_with("  ") || line.is_empty()) {
            let last = requirements.last_mut().unwrap();
            last.text.push('\n');
            last.text.push_str(line);
        } else {
            inside = false;
            rest.push_str(line);
            rest.push('\n');
        }
    }
    (requirements, rest)
}

pub(crate) fn requirements() -> Vec<Requirement> {
    files::normative().iter().flat_map(|(path, text)| parse(path, text).0).collect()
}

/// Lines that cite requirements, as `path:line`.
#[derive(Default)]
struct Citations {
    source: BTreeMap<Name, BTreeSet<(String, usize)>>,
    tests: BTreeMap<Name, BTreeSet<(String, usize)>>,
}

impl Citations {
    fn read() -> Self {
        let mut citations = Self::default();
        for (path, text) in files::sources() {
            let tests_only = path.ends_with("wycheproof.rs") || path.ends_with("/tests.rs") || path.contains("/tests/");
            let tests_begin = text.lines().position(|line| line.contains("#[cfg(test)]"));
            let tests_begin = if tests_only { 0 } else { tests_begin.unwrap_or(usize::MAX) };
            let lines: Vec<_> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                if at < tests_begin {
                    note(&mut citations.source, &path, at, line);
                } else if in_a_test(&lines, at) {
                    note(&mut citations.tests, &path, at, line);
                }
            }
        }
        let crates =
            files::under("crates", ".rs").into_iter().filter(|(path, _)| path.split('/').nth(2) == Some("tests"));
        for (path, text) in files::under("tests", ".rs").into_iter().chain(crates) {
            let lines: Vec<_> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                if !path.starts_with("tests/house/") && in_a_test(&lines, at) {
                    note(&mut citations.tests, &path, at, line);
                }
            }
        }
        citations
    }

    fn lines(&self, name: Name) -> Vec<String> {
        let both = [&self.source, &self.tests].into_iter().filter_map(|citations| citations.get(&name)).flatten();
        both.map(|(path, line)| format!("{path}:{line}")).collect()
    }

    fn files(&self, name: Name) -> Vec<String> {
        let both = [&self.source, &self.tests].into_iter().filter_map(|citations| citations.get(&name)).flatten();
        both.map(|(path, _)| path.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn note(citations: &mut BTreeMap<Name, BTreeSet<(String, usize)>>, path: &str, at: usize, line: &str) {
    for name in names(line) {
        citations.entry(name).or_default().insert((path.to_owned(), at + 1));
    }
}

/// Whether a line is in the comment before a `#[test]` function, or in the function.
fn in_a_test(lines: &[&str], at: usize) -> bool {
    let is_attached = |line: &&str| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    let attached_test = |mut lines: Box<dyn Iterator<Item = &&str> + '_>| lines.any(|line| line.contains("#[test]"));
    if is_attached(&lines[at]) && attached_test(Box::new(lines[at..].iter().take_while(|line| is_attached(line)))) {
        return true;
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    let begins_outside = |line: &str| line.trim_start().starts_with("fn ") && depth(line) < depth(lines[at]);
    lines[..at].iter().rposition(|line| begins_outside(line)).is_some_and(|function| {
        attached_test(Box::new(lines[..function].iter().rev().take_while(|line| is_attached(line))))
    })
}

/// `P-x.y source because ...`: requirements without a line in source, or without a test, and why.
fn exceptions(text: &str) -> BTreeMap<(Name, String), String> {
    let entries = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut words = line.splitn(3, ' ');
        let (Some(named), Some(place), Some(reason)) = (words.next().and_then(name), words.next(), words.next()) else {
            panic!("{EXCEPTIONS}: `{line}` is not `NAME source|test REASON`");
        };
        assert!(["source", "test"].contains(&place), "{EXCEPTIONS}: {line}: `source` or `test`");
        assert!(reason.len() > 20, "{EXCEPTIONS}: {line}: give the reason");
        ((named, place.to_owned()), reason.to_owned())
    });
    entries.collect()
}

/// Names of `required` that are neither cited nor excused, and excuses that are not needed.
fn uncited(
    required: &[Requirement],
    cited: &BTreeMap<Name, BTreeSet<(String, usize)>>,
    excused: &BTreeMap<(Name, String), String>,
    place: &str,
) -> Vec<String> {
    let missing = required.iter().filter(|requirement| {
        !cited.contains_key(&requirement.name) && !excused.contains_key(&(requirement.name, place.to_owned()))
    });
    let missing = missing.map(|requirement| format!("{} has no line in {place}", written(requirement.name)));
    let needless = excused.keys().filter(|(name, of)| of == place && cited.contains_key(name));
    let needless =
        needless.map(|(name, _)| format!("{EXCEPTIONS} excuses {}, which is cited in {place}", written(*name)));
    missing.chain(needless).collect()
}

#[test]
fn every_requirement_is_cited_in_source_and_in_a_test() {
    let (required, citations) = (requirements(), Citations::read());
    let excused = exceptions(&files::read(EXCEPTIONS));
    assert!(required.len() > 200, "the documents were read");

    assert_eq!(uncited(&required, &citations.source, &excused, "source"), Vec::<String>::new());
    assert_eq!(uncited(&required, &citations.tests, &excused, "test"), Vec::<String>::new());
    let known: BTreeSet<_> = required.iter().map(|requirement| requirement.name).collect();
    let cited = citations.source.keys().chain(citations.tests.keys()).chain(excused.keys().map(|(name, _)| name));
    let invented: Vec<_> = cited.filter(|name| !known.contains(name)).map(|name| written(*name)).collect();
    assert_eq!(invented, Vec::<String>::new(), "names that no document has");
}

#[test]
fn requirements_are_unique_and_in_order_and_have_keywords() {
    let keywords = ["MUST", "SHOULD", "MAY", "SHALL", "REQUIRED", "RECOMMENDED", "OPTIONAL"];
    let has_keyword = |text: &str| text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| keywords.contains(&word));
    let mut seen = BTreeSet::new();
    for (path, text) in files::normative() {
        let (required, rest) = parse(&path, &text);
        for requirement in &required {
            let shown = written(requirement.name);
            assert!(has_keyword(&requirement.text), "{path}: {shown} has no keyword of BCP 14");
            assert!(seen.insert(requirement.name), "{path}: {shown} is there twice");
        }
        let order: Vec<_> = required.iter().map(|requirement| requirement.name).collect();
        assert!(order.is_sorted(), "{path}: requirements are not in order");
        if !path.ends_with("conventions.md") {
            let unnamed: Vec<_> = rest.lines().filter(|line| has_keyword(line)).collect();
            assert_eq!(unnamed, Vec::<&str>::new(), "{path}: keywords outside of named requirements");
        }
    }
}

#[test]
fn no_requirement_and_no_citation_changes_unnoticed() {
    let (mut required, citations) = (requirements(), Citations::read());
    required.sort_by_key(|requirement| requirement.name);
    let mut table = String::from(
        "# Every requirement: its name, a digest of its text, and the files that cite it. Written by tests/house/compliance.rs.\n",
    );
    for requirement in &required {
        let line = [vec![written(requirement.name), requirement.digest()], citations.files(requirement.name)].concat();
        table.push_str(&line.join(" "));
        table.push('\n');
    }
    if env::var("BISIK_REQUIREMENTS").is_ok_and(|value| value == "accept") {
        fs::write(files::root().join(TABLE), &table).unwrap();
    }
    let accepted = files::read(TABLE);
    let changes = changes(&accepted, &table, &required, &citations);
    assert!(
        accepted == table,
        "the accepted requirements are not those of the documents and the source:\n\n{}\n\
         Read each requirement and every line above against each other: does the line still do what the requirement says, \
         and does the test still show it? Correct what does not. Then accept all of it, and commit {TABLE}:\n\n    \
         BISIK_REQUIREMENTS=accept cargo test --test house compliance\n",
        changes.join("\n"),
    );
}

/// The differences between the accepted table and the present one, with the lines to read.
fn changes(accepted: &str, table: &str, required: &[Requirement], citations: &Citations) -> Vec<String> {
    let rows = |text: &str| -> BTreeMap<String, Vec<String>> {
        let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().unwrap_or_default(), words.collect())
        });
        rows.collect()
    };
    let (before, after) = (rows(accepted), rows(table));
    let mut changes = Vec::new();
    for requirement in required {
        let shown = written(requirement.name);
        let now = &after[&shown];
        let mut what = Vec::new();
        match before.get(&shown) {
            None => what.push("is new".to_owned()),
            Some(then) => {
                if then.first() != now.first() {
                    what.push("has another text".to_owned());
                }
                let added = now.iter().skip(1).filter(|file| !then.contains(file));
                what.extend(added.map(|file| format!("is now cited in {file}")));
                let removed = then.iter().skip(1).filter(|file| !now.contains(file));
                what.extend(removed.map(|file| format!("is no longer cited in {file}")));
            }
        }
        if !what.is_empty() {
            let lines = citations.lines(requirement.name).join("\n    ");
            changes.push(format!("{shown} ({}) {}\n    {lines}\n", requirement.document, what.join(", ")));
        }
    }
    changes.extend(before.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("{name} is gone\n")));
    changes
}

#[test]
fn a_reworded_requirement_has_another_digest_and_rewrapped_lines_have_not() {
    let digest = |text: &str| parse("a document", text).0.first().unwrap().digest();
    let original = digest("* **[P-4.6]** A sender MUST\n  compute it.\n\nOther text.");
    assert_eq!(original, digest("* **[P-4.6]** A sender MUST compute it.\n* **[P-4.8]** Another MUST.\n"));
    assert_ne!(original, digest("* **[P-4.6]** A sender SHOULD compute it.\n"));
}

#[test]
fn names_and_tests_are_found_where_they_are() {
    assert_eq!(names("/// P-1.2 to P-1.4, S-10.1. HTTP-1.1"), [('P', 1, 2), ('P', 1, 3), ('P', 1, 4), ('S', 10, 1)]);
    let file = "/// P-1.1\n#[test]\nfn promise() {\n    // P-1.2\n}\n\n/// P-1.3\nfn helper() {\n    // P-1.4\n}\n";
    let lines: Vec<_> = file.lines().collect();
    let cited: Vec<_> = (0..lines.len()).filter(|&at| in_a_test(&lines, at)).flat_map(|at| names(lines[at])).collect();
    assert_eq!(cited, [('P', 1, 1), ('P', 1, 2)]);
}

#[test]
fn an_exception_excuses_one_place_and_only_while_it_is_needed() {
    let (required, _) = parse("a document", "* **[P-1.1]** A server MUST.\n* **[P-1.2]** A device MUST.\n");
    let excused = exceptions("# reasons\nP-1.1 source it binds the server, which is not here\n");
    let cited = |number| BTreeMap::from([(('P', 1, number), BTreeSet::new())]);
    assert_eq!(uncited(&required, &cited(2), &excused, "source"), Vec::<String>::new());
    assert_eq!(uncited(&required, &cited(2), &excused, "test"), ["P-1.1 has no line in test"]);
    assert_eq!(uncited(&required, &cited(1), &excused, "source").len(), 2, "one is missing, one excuse needless");
}
