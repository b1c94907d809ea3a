//! The published schema, the prost types and the checked shapes are the same, compared as text.

use std::collections::BTreeMap;

const SCHEMA: &str = include_str!("../../src/content/content.proto");
/// One after the other.
const MESSAGES: &str = concat!(
    include_str!("../../src/content/wire.rs"),
    include_str!("../../src/content/group/wire.rs"),
    include_str!("../../src/content/business/wire.rs")
);
const SHAPES: &str = include_str!("../../src/content/shape.rs");

/// A field by its number: name, type, and whether it is a list.
type Fields = BTreeMap<u32, (String, String, bool)>;

#[test]
fn the_schema_and_the_messages_agree() {
    let schema = schema();
    assert!(schema.len() > 20 && schema["Content"].len() > 20, "it was read");
    assert_eq!(messages(), schema);
}

#[test]
fn the_schema_and_the_shapes_agree() {
    let nameless = |messages: BTreeMap<String, Fields>| -> BTreeMap<_, BTreeMap<_, _>> {
        let nameless = |fields: Fields| fields.into_iter().map(|(at, (_, kind, list))| (at, (kind, list))).collect();
        messages.into_iter().map(|(name, fields)| (name, nameless(fields))).collect()
    };
    assert_eq!(nameless(shapes()), nameless(schema()));
}

#[test]
fn field_numbers_are_reserved_for_business_and_envelope() {
    let content = &schema()["Content"];
    let reserved = |number: &u32| matches!(number, 8 | 10..=15 | 74..=95);
    assert!(!content.keys().any(reserved));
    for reserved in ["reserved 8, 10 to 15;", "reserved 74 to 95;"] {
        assert!(SCHEMA.contains(reserved), "{reserved}");
    }
}

/// `message Name { .. }`, with the fields of a `oneof` as the message's own; enumerations are numbers.
fn schema() -> BTreeMap<String, Fields> {
    let lines = SCHEMA.lines().map(|line| line.split("//").next().unwrap().trim());
    let (mut messages, mut message) = (BTreeMap::<_, Fields>::new(), String::new());
    for line in lines {
        if let Some(name) = line.strip_prefix("message ") {
            message = name.trim_end_matches(" {").to_owned();
            messages.insert(message.clone(), Fields::new());
        } else if line.starts_with("enum ") {
            message = String::new();
        } else if let Some((field, number)) = line.trim_end_matches(';').split_once(" = ")
            && line.ends_with(';')
            && !line.starts_with("syntax")
            && !message.is_empty()
        {
            let words = field.split(' ').collect::<Vec<_>>();
            let (list, kind, name) = match words[..] {
                ["repeated", kind, name] => (true, kind, name),
                [kind, name] => (false, kind, name),
                _ => panic!("{line}"),
            };
            let kind = if SCHEMA.contains(&format!("enum {kind} {{")) { "int32" } else { kind };
            let fields = messages.get_mut(&message).unwrap();
            let known = fields.insert(number.parse().unwrap(), (name.to_owned(), kind.to_owned(), list));
            assert!(known.is_none(), "{line}: the number stands twice");
        } else {
            let expected = ["", "}", "oneof kind {", "package bisik.content;", "syntax = \"proto3\";"];
            let value = line.split(" = ").next().unwrap().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            let other = line.starts_with("reserved ") || (message.is_empty() && value);
            assert!(other || expected.contains(&line), "unknown line: {line}");
        }
    }
    messages
}

/// `pub(super) struct Name { #[prost(..)] pub(super) name: Type, .. }`, and the variants of the one `oneof`.
fn messages() -> BTreeMap<String, Fields> {
    let (mut messages, mut message, mut attribute) = (BTreeMap::<_, Fields>::new(), String::new(), "");
    let messages_of_both = MESSAGES.replace("pub(in crate::content) ", "pub(super) ");
    for line in messages_of_both.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub(super) struct ") {
            message = name.trim_end_matches(" {").to_owned();
            messages.insert(message.clone(), Fields::new());
        } else if line.starts_with("pub(super) enum ") {
            "Content".clone_into(&mut message);
        } else if let Some(inner) = line.strip_prefix("#[prost(").and_then(|line| line.strip_suffix(")]")) {
            attribute = inner;
        } else if let Some(number) = quoted(attribute, "tag") {
            let (name, kind) = field(line);
            let list = attribute.contains("repeated");
            let kind = match attribute.split([' ', ',']).next().unwrap() {
                "message" => kind,
                scalar => scalar.to_owned(),
            };
            messages.get_mut(&message).unwrap().insert(number.parse().unwrap(), (name, kind, list));
            attribute = "";
        }
    }
    let tags = quoted(MESSAGES, "tags").unwrap().split(", ").map(|tag| tag.parse().unwrap()).collect::<Vec<u32>>();
    assert!(
        messages["Content"].keys().filter(|number| **number > 15).eq(&tags),
        "the tags of the oneof are its variants'"
    );
    messages
}

/// `pub(super) live_start: Option<LiveStart>,` or `LiveStart(LiveStart),`: the name as the schema has it, and the inner type.
fn field(line: &str) -> (String, String) {
    if let Some((name, kind)) = line.strip_prefix("pub(super) ").and_then(|field| field.split_once(": ")) {
        let kind = kind.trim_end_matches([',', '>']).rsplit('<').next().unwrap();
        return (name.to_owned(), kind.to_owned());
    }
    let (variant, kind) = line.trim_end_matches("),").split_once('(').unwrap();
    (words(variant).join("_").to_lowercase(), kind.to_owned())
}

/// `const NAME: Shape = &[one(1, Bytes), many(2, Message(MENTION), ..)];`
fn shapes() -> BTreeMap<String, Fields> {
    let dense = SHAPES.split("\n#[cfg(test)]").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let shapes = dense.split("const ").filter_map(|part| part.split_once(": Shape = &["));
    shapes.map(|(name, rest)| (camel(name), shape(rest.split("];").next().unwrap()))).collect()
}

fn shape(fields: &str) -> Fields {
    let ends = |list: bool| move |(at, _): (usize, &str)| (at, list);
    let mut starts = fields.match_indices("one(").map(ends(false)).collect::<Vec<_>>();
    starts.extend(fields.match_indices("many(").map(ends(true)));
    let field = |(at, list): (usize, bool)| {
        let (number, kind) = fields[at..].split_once('(').unwrap().1.split_once(", ").unwrap();
        let kind = kind.split([',', ')']).next().unwrap();
        let kind = match kind.strip_prefix("Message(") {
            Some(message) => camel(message),
            None => match kind {
                "Text" => "string".to_owned(),
                "Enum" => "int32".to_owned(),
                scalar => scalar.to_lowercase(),
            },
        };
        (number.parse().unwrap(), (String::new(), kind, list))
    };
    starts.into_iter().map(field).collect()
}

fn quoted<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(&format!("{name} = \""))?.1.split('"').next()
}

/// `LiveStart` is `Live`, `Start`.
fn words(camel: &str) -> Vec<String> {
    let starts = camel.char_indices().filter(|(_, letter)| letter.is_uppercase()).map(|(at, _)| at).collect::<Vec<_>>();
    let ends = starts.iter().skip(1).copied().chain([camel.len()]);
    starts.iter().zip(ends).map(|(start, end)| camel[*start..end].to_owned()).collect()
}

/// `LIVE_START` is `LiveStart`.
fn camel(upper: &str) -> String {
    upper.split('_').map(|word| word[..1].to_owned() + &word[1..].to_lowercase()).collect()
}
