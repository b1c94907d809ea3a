//! Pictures are small and plain, documents show them, and the manual in rustdoc has them too.
//!
//! Benchmarks draw them: `BISIK_PICTURES=docs/pictures cargo bench --bench NAME`. rustdoc takes no files along, so the
//! manual has their bytes, which `BISIK_MANUAL=accept cargo test --test house pictures` writes.

use std::fmt::Write;
use std::fs;

use super::files;

const MANUAL: &str = "src/manual.pictures.md";

/// Bytes of one picture.
const MOST: usize = 15_000;

/// The pictures by name, without folder and ending.
fn pictures() -> Vec<(String, String)> {
    let found = files::under("docs/pictures", ".svg").into_iter();
    let name = |path: String| path.rsplit_once('/').unwrap().1.trim_end_matches(".svg").to_owned();
    found.map(|(path, text)| (name(path), text)).collect()
}

/// The definition of a label whose target is the picture itself.
fn definition((name, svg): &(String, String)) -> String {
    let mut line = format!("[{name}]: data:image/svg+xml,");
    for byte in svg.trim_end().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => line.push(char::from(byte)),
            b'-' | b'.' | b'/' | b':' | b'=' | b',' => line.push(char::from(byte)),
            _ => write!(line, "%{byte:02X}").unwrap(),
        }
    }
    line + "\n"
}

#[test]
fn the_manual_has_the_pictures_of_the_documents() {
    let definitions: String = pictures().iter().map(definition).collect();
    if std::env::var_os("BISIK_MANUAL").is_some_and(|value| value == "accept") {
        fs::write(files::root().join(MANUAL), &definitions).unwrap();
    }
    let same = files::read(MANUAL) == definitions;
    assert!(same, "the pictures have changed: BISIK_MANUAL=accept cargo test --test house pictures");
}

#[test]
fn documents_show_each_picture_under_its_name_and_with_a_description() {
    let pages = files::under("docs", ".md");
    let pictures = pictures();
    assert!(pictures.len() >= 4, "pictures were found");
    for (name, _) in pictures {
        let defined = format!("\n[{name}]: pictures/{name}.svg\n");
        let page = pages.iter().find(|(_, text)| text.contains(&defined));
        let (path, text) = page.unwrap_or_else(|| panic!("no page of docs has a line{defined}"));
        let shown = text.split("![").skip(1).filter_map(|rest| rest.split_once("]["));
        let described = shown.filter(|(_, rest)| rest.starts_with(&format!("{name}]"))).map(|(words, _)| words.len());
        assert!(described.min() > Some(40), "{path} shows {name} with a description");
    }
}

/// A page may be dark, and may refuse scripts, styles and what comes from elsewhere.
#[test]
fn pictures_are_small_and_bring_all_that_they_need() {
    for (name, svg) in pictures() {
        assert!(svg.len() <= MOST, "{name} has {} bytes", svg.len());
        assert!(svg.contains("<title>"), "{name} has a title");
        assert!(svg.contains("<rect width=\"100%\" height=\"100%\""), "{name} has a background");
        for absent in ["<script", "<style", "<image", "href", "url(", "@import", "<!", "foreignObject"] {
            assert!(!svg.contains(absent), "{name} has {absent}");
        }
    }
}
