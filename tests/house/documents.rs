//! Documents have one form, every path and link in them resolves, and the manual in rustdoc has the same links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::files;

const MANUAL: &str = "src/manual.rs";
const MANUAL_LINKS: &str = "src/manual.links.md";

/// The beginnings by which a path in a text is recognised.
const FOLDERS: &[&str] =
    &["src/", "tests/", "docs/", "examples/", "crates/", "fuzz/", "benches/", "ci/", ".ci/", ".github/"];

/// Markdown that people read outside of `docs/`.
const OTHER_PAGES: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "tests/README.md",
    "tests/vectors/README.md",
    "examples/business/README.md",
    "crates/core/README.md",
    "crates/interop/README.md",
];

fn pages() -> Vec<(String, String)> {
    let others = OTHER_PAGES.iter().map(|path| (path.to_string(), files::read(path)));
    files::under("docs", ".md").into_iter().chain(others).collect()
}

/// Lines outside of fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// A line without the text in backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

#[test]
fn specification_documents_have_title_version_and_security_section() {
    for (path, text) in files::normative() {
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("# "), "{path}: the first line is the title");
        assert!(
            lines[2].starts_with("Version: ") && lines[2].contains("bisik-1, draft "),
            "{path}: the third is the version"
        );
        assert!(lines[4].len() > 20 && !lines[4].starts_with('#'), "{path}: then what the document specifies");
        assert!(lines.contains(&"## Security considerations"), "{path}: security considerations");
    }
}

#[test]
fn prose_has_at_most_120_columns() {
    for (path, text) in pages() {
        for (number, line) in prose(&text) {
            let exempt = line.starts_with(['|', '[']);
            assert!(exempt || line.chars().count() <= 120, "{path}:{number}: more than 120 columns");
        }
    }
}

/// The map of the tests names functions that exist, each in the files of its row.
#[test]
fn the_map_of_the_tests_names_tests_that_exist() {
    let mut named = 0;
    for (number, row) in files::read("tests/README.md").lines().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let targets = cells.get(1).into_iter().flat_map(|cell| cell.split("](").skip(1));
        let targets: Vec<_> = targets.map(|rest| rest.split(')').next().unwrap()).collect();
        let text: String = targets
            .iter()
            .flat_map(|target| match target.ends_with(".rs") {
                true => vec![files::read(&format!("tests/{target}"))],
                false => files::under(&format!("tests/{target}"), ".rs").into_iter().map(|(_, text)| text).collect(),
            })
            .collect();
        for name in cells.get(2).into_iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            named += 1;
            assert!(text.contains(&format!("fn {name}(")), "tests/README.md:{}: no test `{name}`", number + 1);
        }
    }
    assert!(named > 30, "the map was read");
}

/// Paths that a line names, from the root of the repository.
fn paths(line: &str) -> Vec<String> {
    let of_a_path = |c: char| c.is_ascii_alphanumeric() || "_./*-".contains(c);
    let words = line.split(|c: char| !of_a_path(c));
    let words = words.map(|word| word.trim_end_matches(['.', '-', '*']).trim_start_matches("./"));
    words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder))).map(str::to_owned).collect()
}

/// Whether there is such a file or folder. One `*` in the last part matches anything.
fn exists(path: &str) -> bool {
    let Some((before, after)) = path.split_once('*') else { return files::root().join(path).exists() };
    let (folder, start) = before.rsplit_once('/').unwrap_or((".", before));
    let entries = fs::read_dir(files::root().join(folder)).into_iter().flatten().filter_map(Result::ok);
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with(start) && name.ends_with(after.trim_start_matches('*')))
}

#[test]
fn every_path_that_documents_and_comments_name_exists() {
    let mut missing = Vec::new();
    for (file, text) in pages() {
        // Another test checks relative links; a line that begins with `[` defines one.
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('[')) {
            missing.extend(
                paths(line).iter().filter(|path| !exists(path)).map(|path| format!("{file}:{}: {path}", number + 1)),
            );
        }
    }
    for (file, text) in files::sources() {
        let folder = file.split("src/").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            let found = |path: &&String| exists(path) || exists(&format!("{folder}{path}"));
            missing.extend(
                paths(line).iter().filter(|path| !found(path)).map(|path| format!("{file}:{}: {path}", number + 1)),
            );
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "paths that do not exist");
}

/// The links of a page.
#[derive(Default)]
struct Links {
    /// Targets of `[text](target)`.
    inline: Vec<String>,
    /// Labels of `[text][label]`.
    labels: BTreeSet<String>,
    /// `[label]: target`.
    definitions: BTreeMap<String, String>,
}

impl Links {
    fn read(text: &str) -> Self {
        let mut links = Self::default();
        let mut body = String::new();
        for (_, line) in prose(text) {
            match line.strip_prefix('[').and_then(|line| line.split_once("]: ")) {
                Some((label, target)) => {
                    let other = links.definitions.insert(label.to_owned(), target.to_owned());
                    assert!(other.is_none(), "{label} is defined twice");
                }
                None => body.push_str(&without_code(line)),
            }
            body.push('\n');
        }
        let after = |mark: &'static str, end: char| {
            let body = body.clone();
            let found: Vec<_> = body.match_indices(mark).map(|(at, _)| at + mark.len()).collect();
            found.into_iter().filter_map(move |at| Some(body[at..].split_once(end)?.0.to_owned())).collect::<Vec<_>>()
        };
        links.inline = after("](", ')');
        links.labels = after("][", ']').into_iter().collect();
        links
    }
}

/// The anchor of a heading, as git hosts and rustdoc both make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text)
        .filter_map(|(_, line)| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    headings.map(anchor).collect()
}

/// The file that a link on the page `from` leads to, and the anchor in it.
fn target(from: &str, link: &str) -> (String, Option<String>) {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    if path.is_empty() {
        return (from.to_owned(), anchor);
    }
    let mut whole: Vec<_> = from.split('/').collect();
    whole.pop();
    for part in path.split('/').filter(|part| *part != ".") {
        if part == ".." {
            assert!(whole.pop().is_some(), "{from}: {link} leaves the repository");
        } else {
            whole.push(part);
        }
    }
    (whole.join("/"), anchor)
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let mut dead = Vec::new();
    for (page, text) in pages() {
        let links = Links::read(&text);
        dead.extend(
            links
                .labels
                .iter()
                .filter(|label| !links.definitions.contains_key(*label))
                .map(|label| format!("{page}: [{label}]")),
        );
        let unused = links.definitions.keys().filter(|label| !links.labels.contains(*label));
        dead.extend(unused.map(|label| format!("{page}: [{label}] is defined and not used")));
        for link in links.inline.iter().chain(links.definitions.values()).filter(|link| !link.contains("://")) {
            let (path, anchor) = target(&page, link);
            if !exists(&path) {
                dead.push(format!("{page}: {link}: no such file"));
            } else if anchor.is_some_and(|anchor| !anchors(&files::read(&path)).contains(&anchor)) {
                dead.push(format!("{page}: {link}: no such heading"));
            }
        }
    }
    assert_eq!(dead, Vec::<String>::new());
}

/// Modules of the manual, as paths from the crate's root, with the documents that they include.
fn manual() -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    let (mut outer, mut included, mut has_links) = (vec!["manual".to_owned()], None, false);
    for line in files::read(MANUAL).lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[doc = include_str!(\"").and_then(|line| line.strip_suffix("\")]")) {
            match path.strip_prefix("../") {
                Some(document) => {
                    assert!(has_links, "{MANUAL}: manual.links.md comes before {document}");
                    included = Some(document.to_owned());
                }
                None => has_links = path == "manual.links.md",
            }
        } else if let Some(name) = line.strip_prefix("pub mod ") {
            let (name, body) = name.split_once(' ').unwrap();
            let path = [outer.as_slice(), &[name.to_owned()]].concat();
            modules.insert(
                path.join("::"),
                included.take().unwrap_or_else(|| panic!("{MANUAL}: {name} includes nothing")),
            );
            has_links = false;
            if body == "{" {
                outer = path;
            }
        } else if line == "}" {
            outer.pop();
        }
    }
    modules
}

/// In rustdoc the definitions of `manual.links.md` win, because they come first: each must lead to the module of the document to
/// which the document's own definition leads, and to the same heading.
#[test]
fn the_manual_in_rustdoc_has_the_links_of_the_documents() {
    let (modules, links) = (manual(), Links::read(&files::read(MANUAL_LINKS)).definitions);
    let mut used = BTreeSet::new();
    for document in modules.values() {
        let own = Links::read(&files::read(document));
        let relative: Vec<_> =
            own.inline.iter().filter(|link| !link.contains("://") && !link.starts_with('#')).collect();
        assert_eq!(
            relative,
            Vec::<&String>::new(),
            "{document}: a link of the manual is [text][label], or dead in rustdoc"
        );
        // Pictures are in a file of their own; another test checks it.
        for (label, link) in own.definitions.into_iter().filter(|(_, link)| !link.ends_with(".svg")) {
            let (path, anchor) = target(document, &link);
            let in_rustdoc =
                links.get(&label).unwrap_or_else(|| panic!("{MANUAL_LINKS}: [{label}] of {document} is missing"));
            let (module, in_module) =
                in_rustdoc.split_once('#').map_or((in_rustdoc.as_str(), None), |(m, a)| (m, Some(a.to_owned())));
            let module = module.strip_prefix("crate::").unwrap_or(module);
            assert_eq!(modules.get(module), Some(&path), "{MANUAL_LINKS}: [{label}] of {document}");
            assert_eq!(in_module, anchor, "{MANUAL_LINKS}: [{label}] of {document}");
            used.insert(label);
        }
    }
    let unused: Vec<_> = links.keys().filter(|label| !used.contains(*label)).collect();
    assert_eq!(unused, Vec::<&String>::new(), "{MANUAL_LINKS}: labels that no document uses");
}

/// Links from the documentation of items to pages of the manual, which rustdoc checks without their anchors, and names
/// of such pages in the crates that cannot link to them.
#[test]
fn every_page_of_the_manual_that_the_documentation_names_exists() {
    let modules = manual();
    let mut links = 0;
    for (file, text) in files::sources() {
        for found in text.split("bisik::manual").skip(1).chain(text.split("crate::manual").skip(1)) {
            let of_a_path = |c: char| c.is_ascii_alphanumeric() || "_:#-".contains(c);
            let path = found.split(|c| !of_a_path(c)).next().unwrap().trim_end_matches(':');
            let (module, heading) =
                path.split_once('#').map_or((path, None), |(module, anchor)| (module, Some(anchor)));
            let Some(document) = modules.get(&format!("manual{module}")) else {
                assert!(module.is_empty(), "{file}: the manual has no page {module}");
                continue;
            };
            let known = heading.is_none_or(|heading| anchors(&files::read(document)).contains(heading));
            assert!(known, "{file}: {document} has no heading #{}", heading.unwrap_or_default());
            links += 1;
        }
    }
    assert!(links > 40, "links were found");
}

#[test]
fn the_manual_has_every_document_of_the_specification() {
    let included: BTreeSet<_> = manual().into_values().collect();
    let missing: Vec<_> =
        files::normative().into_iter().map(|(path, _)| path).filter(|path| !included.contains(path)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn paths_and_anchors_are_recognised() {
    assert_eq!(
        paths("see `src/lib.rs`, (docs/spec/session.md), https://c2sp.org/src/x and ./tests/live."),
        ["src/lib.rs", "docs/spec/session.md", "tests/live"]
    );
    assert!(exists("tests/vectors/*.txt") && !exists("tests/vectors/*.nothing") && !exists("docs/nothing.md"));
    assert_eq!(anchor("3.1 Transcript and secrets"), "31-transcript-and-secrets");
    assert_eq!(target("docs/spec/a.md", "../b.md#c"), ("docs/b.md".to_owned(), Some("c".to_owned())));
}
