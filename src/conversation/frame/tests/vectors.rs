//! Known answers: tests/vectors/frame-format.txt, which a second implementation made. `BISIK_VECTORS` names another
//! directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::string::{String, ToString};
use std::{env, fs, println};

use super::*;

/// The lines `name = value` of a step.
type Step = BTreeMap<String, String>;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

/// The fields of a frame as a step names them. What the frame does not have is not there.
fn fields(frame: &Frame<'_>) -> Step {
    let Frame { lists, for_own, opening, checkpoint, last, base, horizon, highest, .. } = frame;
    let Frame { shown, closed, ask, answer, first_words, replaced_by, lost, content, .. } = frame;
    let tags = |tags: &[Tag]| Some(tags.iter().map(|tag| hex(tag.as_bytes())).collect::<String>());
    let (kind, name, body, ephemeral) = match content {
        Content::Nothing => (None, None, None, None),
        Content::Named { kind, id, bytes } => (Some(kind.byte()), Some(id.to_bytes()), Some(*bytes), None),
        Content::Ephemeral(bytes) => (None, None, None, Some(*bytes)),
    };
    let all = [
        ("own_list", Some(lists.own.to_string())),
        ("other_list", Some(lists.peer.to_string())),
        ("lists_digest", Some(hex(&lists.digest))),
        ("for_own", Some(u8::from(*for_own).to_string())),
        ("conversation", opening.map(|opening| hex(opening.conversation.as_bytes()))),
        ("account", opening.and_then(|opening| opening.peer).map(|account| hex(&account.to_bytes()))),
        ("offered", opening.map(|opening| hex(opening.labels.as_flattened()))),
        ("checkpoint", checkpoint.map(|checkpoint| hex(&checkpoint))),
        ("last", Some(last.to_string())),
        ("base", Some(base.to_string())),
        ("horizon", Some(horizon.to_string())),
        ("highest", highest.map(|highest| highest.to_string())),
        ("shown", tags(shown)),
        ("closed", tags(closed)),
        ("ask", ask.map(|ask| hex(&ask))),
        ("answer", answer.map(|answer| hex(&answer))),
        ("first_words", Some(hex(first_words.as_flattened()))),
        ("replaced_by", replaced_by.map(|session| hex(&session))),
        ("lost", Some(lost.iter().map(|name| hex(&name.to_bytes())).collect())),
        ("kind", kind.map(|kind| kind.to_string())),
        ("name", name.map(|name| hex(&name))),
        ("body", body.map(hex)),
        ("ephemeral", ephemeral.map(hex)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect()
}

/// P-12.8, P-12.9, P-12.10, P-12.11
#[test]
fn frame_vectors_have_the_same_fields_and_bytes_and_what_is_no_frame_is_refused() {
    let directory = env::var_os("BISIK_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors")), PathBuf::from);
    let text = fs::read_to_string(directory.join("frame-format.txt")).unwrap();
    let mut outcomes = BTreeMap::new();
    for lines in text.split("\n\n").skip(1) {
        let lines = lines.lines().filter_map(|line| line.split_once(" ="));
        let mut step: Step = lines.map(|(name, value)| (name.to_string(), value.trim().to_string())).collect();
        if step["do"] != "read-frame" {
            continue; // an account's key is made
        }
        let bytes = unhex(&step["frame_read"]);
        println!("{step:?}");
        let outcome = match Frame::decode(&bytes) {
            Ok(frame) => {
                assert_eq!(**frame.encode(), bytes);
                step.retain(|name, _| !["do", "frame_read"].contains(&&**name));
                assert_eq!(step, fields(&frame));
                "frame"
            }
            Err(error) => {
                let expected = match error {
                    FrameError::Malformed => "malformed",
                    FrameError::NewerVersion(version) => {
                        assert_eq!(bytes[0], version);
                        "unsupported-version"
                    }
                };
                assert_eq!(step.get("expect").map(|word| &**word), Some(expected));
                expected
            }
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    assert!(
        outcomes["frame"] > 50 && outcomes["malformed"] > 100 && outcomes["unsupported-version"] > 5,
        "{outcomes:?}"
    );
}
