//! Known answers: tests/vectors/group-letter.txt, which a second implementation made. `BISIK_VECTORS` names another
//! directory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use std::path::PathBuf;
use std::string::{String, ToString};
use std::{env, format, fs, println};

use super::super::ask::{answer_to, known_by};
use super::super::error::HistoryError;
use super::super::history::History;
use super::super::items::{Item, read_items, write_items};
use super::super::wire::{Body, Known, Note};
use crate::group::chain::ListsDigest;
use crate::group::membership::known::part_digests;
use crate::group::membership::{ActHash, Membership, Signers, Statement};
use crate::keys::Identity;
use crate::labels::group as labels;
use bisik_core::codec::{Reader, SecretWriter};
use bisik_core::primitives::kdf::digest;

/// The lines `name = value` of a step.
type Step = BTreeMap<String, String>;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Items as they travel.
fn encoded(items: &[Item]) -> Vec<u8> {
    let mut writer = SecretWriter::with_capacity(1_024);
    write_items(items, &mut writer);
    writer.finish().to_vec()
}

fn of_items(items: &[Item]) -> Vec<(&'static str, String)> {
    let each = items.iter().map(|item| encoded(core::slice::from_ref(item)));
    let kinds: Vec<_> = each.clone().map(|item| item[0]).collect();
    let lengths: Vec<_> = each.flat_map(|item| item[1..5].to_vec()).collect();
    [("item_kinds", hex(&kinds)), ("item_lengths", hex(&lengths))].into()
}

fn of_body(body: &[u8]) -> Option<Vec<(&'static str, String)>> {
    Some(match Body::decode(body).ok()? {
        Body::Content => [("content", hex(&body[1..]))].into(),
        Body::Statements(items) => {
            assert_eq!(**Body::statements(&items), *body);
            of_items(&items)
        }
    })
}

fn of_letter(letter: &[u8]) -> Option<Vec<(&'static str, String)>> {
    let note = Note::decode(letter).ok()?;
    assert_eq!(**note.encode(), *letter);
    let group = Note::group(letter).unwrap();
    let (form, fields): (_, Vec<_>) = match note {
        Note::Chain(given) => ("chain", [("distribution", hex(&given.to_bytes()))].into()),
        Note::Statements { items, .. } => ("statements", of_items(&items)),
        Note::Ask { known, .. } => {
            let Known { epoch, entry, settled, lists, buckets } = *known;
            let numbers = [("newest_epoch", epoch.to_string()), ("settled_epoch", settled.to_string())];
            let entry = [("entry", hex(entry.as_bytes())), ("lists", hex(lists.as_bytes()))];
            ("question", [&numbers[..], &entry, &[("parts", hex(buckets.as_flattened()))]].concat())
        }
        Note::NeedChain { chain, .. } => ("lacking-chain", [("chain", hex(chain.as_bytes()))].into()),
        Note::Lacking { messages, .. } => {
            let names = messages.iter().map(|id| hex(id.chain.as_bytes()) + &hex(&id.index.to_be_bytes()));
            ("lacking-messages", [("lacking", names.collect())].into())
        }
        Note::Again(again) => {
            let name = [("chain", hex(again.id.chain.as_bytes())), ("index", again.id.index.to_string())];
            let said = [("view", hex(again.view.as_bytes())), ("content", hex(&again.body))];
            ("again", [name, said].concat())
        }
        Note::Knock { link, stay, proof, .. } => {
            let (link, random) = (hex(link.as_bytes()), hex(stay.as_bytes()));
            ("knock", [("link", link), ("random", random), ("link_signature", hex(&*proof))].into())
        }
        Note::History { pointer, .. } => ("history", [("pointer", hex(&pointer.encode()))].into()),
    };
    Some([&[("form", form.to_string()), ("group", hex(group.as_bytes()))], &fields[..]].concat())
}

fn of_history(bytes: &[u8]) -> Result<Vec<(&'static str, String)>, HistoryError> {
    let history = History::decode(bytes)?;
    assert_eq!(**history.encode(), *bytes);
    let (mut names, mut times, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    for message in history.messages() {
        names.extend(message.claimed_author.to_bytes());
        names.extend(message.claimed_device.to_be_bytes());
        names.extend(message.id.chain.as_bytes());
        names.extend(message.id.index.to_be_bytes());
        times.extend(message.claimed_at.as_unix_seconds().to_be_bytes());
        contents.extend(u32::try_from(message.body.len()).unwrap().to_be_bytes());
        contents.extend(message.body.iter());
    }
    let whose = [("group", hex(history.group.as_bytes())), ("account", hex(&history.by().to_bytes()))];
    let said = [("names", hex(&names)), ("times", hex(&times)), ("contents", hex(&contents))];
    let made = [("made", history.made().as_unix_seconds().to_string())];
    Ok([&whose[..], &said, &made].concat())
}

/// A device that was told of a group.
struct Told {
    membership: Membership,
    names: Vec<Item>,
    lists: ListsDigest,
}

impl Told {
    fn new(statements: &[u8], lists_of: &[u8]) -> Self {
        let items = read_items(Reader::new(statements)).unwrap();
        let Some(Item::Statement(Statement::Entry(first))) = items.first() else { panic!("the first entry") };
        let own = Identity::generate(&mut rand::rng());
        let id = crate::group::GroupId::from_bytes(digest(&[labels::ID, first]));
        let account = crate::device::AccountKey::of(&own);
        let mut membership = Membership::follow(id, first, &account, own.public()).unwrap();
        for item in &items[1..] {
            let Item::Statement(statement) = item else { panic!("a statement") };
            let _offered = membership.offer(statement, &Signers::new()).unwrap();
        }
        let names = lists_of.chunks(104).flat_map(|name| {
            let item = [&[4, 0, 0, 0, 104], name].concat();
            read_items(Reader::new(&item)).unwrap()
        });
        let lists = ListsDigest::from_bytes(digest(&[crate::labels::GROUP_LISTS, lists_of]));
        Self { membership, names: names.collect(), lists }
    }

    fn question(&self) -> Vec<u8> {
        let known = known_by(&self.membership, self.lists);
        Note::Ask { group: self.membership.id(), known: known.into() }.encode().to_vec()
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let Ok(Note::Ask { known, .. }) = Note::decode(question) else { panic!("a question") };
        encoded(&answer_to(&known, &self.membership, self.lists, || self.names.iter().cloned()))
    }
}

/// P-15.1, P-15.2, P-15.7, P-15.8, P-15.19, P-15.20
#[test]
fn letter_vectors_have_the_same_fields_and_bytes_and_what_is_no_letter_is_refused() {
    let directory = env::var_os("BISIK_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors")), PathBuf::from);
    let text = fs::read_to_string(directory.join("group-letter.txt")).unwrap();
    let (mut told, mut outcomes) = (None, BTreeMap::new());
    for lines in text.split("\n\n").skip(1) {
        let lines = lines.lines().filter_map(|line| line.split_once(" ="));
        let mut step: Step = lines.map(|(name, value)| (name.to_string(), value.trim().to_string())).collect();
        println!("{step:?}");
        let (what, _of) = (step.remove("do").unwrap(), step.remove("of"));
        let expected = step.remove("expect");
        let mut input = |name: &str| unhex(&step.remove(name).unwrap());
        let results = match what.as_str() {
            "read-group-body" => of_body(&input("group_body")).ok_or("malformed"),
            "read-letter" => of_letter(&input("letter_read")).ok_or("malformed"),
            "read-history" => of_history(&input("history_read")).map_err(|error| {
                let is_newer = error == HistoryError::NewerVersion;
                assert!(is_newer || error == HistoryError::Malformed);
                if is_newer { "newer-version" } else { "malformed" }
            }),
            "part-digests" => {
                let hashes = input("act_hashes");
                let hashes: Vec<_> =
                    hashes.chunks(32).map(|hash| ActHash::from_bytes(hash.try_into().unwrap())).collect();
                let mut sorted = hashes.clone();
                sorted.sort_unstable();
                Ok([("parts", hex(part_digests(sorted.iter()).as_flattened()))].into())
            }
            "tell-group" => {
                let group = told.insert(Told::new(&input("statements"), &input("lists_of")));
                Ok([("question", hex(&group.question()))].into())
            }
            "answer-question" => {
                let group: &Told = told.as_ref().unwrap();
                Ok([("answer", hex(&group.answer(&input("letter_read"))))].into())
            }
            other => panic!("{other}"),
        };
        let fields = match &results {
            Ok(fields) => fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            Err(_) => Step::new(),
        };
        assert_eq!(step, fields);
        assert_eq!(results.err(), expected.as_deref());
        *outcomes.entry((what, expected.is_some())).or_insert(0) += 1;
    }
    let of = |what: &str, refused| outcomes[&(what.to_string(), refused)];
    for (what, good, bad) in [("read-group-body", 5, 15), ("read-letter", 11, 40), ("read-history", 6, 15)] {
        assert!(of(what, false) >= good && of(what, true) >= bad, "{what}: {outcomes:?}");
    }
    assert!(of("answer-question", false) >= 20);
}
