//! The steps about content (docs/spec/content.md, section 7): bodies, polls, votes.
//!
//! Sealed votes are taken apart by hand, since the public interface does not show them.

#![allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.

use std::collections::BTreeMap;

use bisik::content::{Content, ContentError, ContentMeta, Kind, PersonId, Poll, SentAt, Text, Vote, Votes};

use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// Polls by name, each with its author and the last vote of each voter.
#[derive(Default)]
pub(crate) struct Polls(BTreeMap<String, (Content, PersonId, BTreeMap<PersonId, Vote>)>);

pub(super) fn text(step: &Step, draws: &mut Draws) -> Outcome {
    let words = String::from_utf8(step.hex("words")).expect("UTF-8");
    let content = Content::new(ContentMeta::new(sent(step), draws), Kind::Text(Text::new(words))).map_err(word)?;
    Ok(vec![("body", to_hex(content.as_body()))])
}

pub(super) fn read_body(step: &Step) -> Outcome {
    let (body, name) = (step.hex("body"), "words");
    let content = Content::from_body(&body).map_err(word)?;
    assert_eq!(content.as_body(), body, "its bytes are unchanged");
    match content.kind() {
        Kind::Text(text) => Ok(vec![(name, to_hex(text.body.as_bytes()))]),
        Kind::Document(document) => Ok(vec![("file_name", to_hex(document.file_name.as_bytes()))]),
        Kind::Unknown(unknown) => Ok(vec![("kind", unknown.number().to_string())]),
        other => composed_again(&content, other),
    }
}

/// The kind of any other content, and the total of a cart. Composing it again gives the same body.
fn composed_again(content: &Content, kind: &Kind) -> Outcome {
    let composed = Content::new(content.meta().clone(), kind.clone());
    assert_eq!(composed.as_ref(), Ok(content), "composed again, it is unchanged");
    let number = match kind {
        Kind::Pin(_) => 35,
        Kind::Unpin(_) => 36,
        Kind::Event(_) => 37,
        Kind::Rsvp(_) => 38,
        Kind::SealedReaction(_) => 39,
        Kind::Tally(_) => 40,
        Kind::Album(_) => 41,
        Kind::Remove(_) => 42,
        Kind::Greeting(_) => 64,
        Kind::Away(_) => 65,
        Kind::Profile(_) => 66,
        Kind::CatalogueItem(_) => 67,
        Kind::Cart(_) => 68,
        Kind::QuickReplies(_) => 69,
        Kind::List(_) => 70,
        Kind::Buttons(_) => 71,
        Kind::Selection(_) => 72,
        Kind::Referral(_) => 73,
        other => panic!("no step reads {other:?}"),
    };
    let mut results = vec![("kind", number.to_string())];
    if let Kind::Cart(cart) = kind {
        results.push(("total", cart.total().map_err(word)?.amount().to_string()));
    }
    Ok(results)
}

pub(super) fn answers(step: &Step) -> Outcome {
    let [asked, answer] = ["body", "answer"].map(|name| Content::from_body(&step.hex(name)));
    let (asked, answer) = (asked.map_err(word)?, answer.map_err(word)?);
    let Kind::Selection(selection) = answer.kind() else { return Err(word(ContentError::NotAllowed)) };
    let offered = selection.answers(&asked, &person(step, "author"));
    if offered { Ok(vec![("title", to_hex(selection.title.as_bytes()))]) } else { Err("not-offered".to_owned()) }
}

impl Polls {
    pub(super) fn poll(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (listed, mut options) = (step.hex("options"), Vec::new());
        let mut rest = listed.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk() {
            let (option, tail) = tail.split_at(u32::from_be_bytes(*length).try_into().expect("short"));
            options.push(std::str::from_utf8(option).expect("UTF-8"));
            rest = tail;
        }
        let question = String::from_utf8(step.hex("question")).expect("UTF-8");
        let poll = Poll::new(question, options, decimal(step, "most_choices"), draws);
        let content = Content::new(ContentMeta::new(sent(step), draws), Kind::Poll(poll)).map_err(word)?;
        let body = to_hex(content.as_body());
        self.0.insert(step.need("of").to_owned(), (content, person(step, "author"), BTreeMap::new()));
        Ok(vec![("body", body)])
    }

    pub(super) fn vote(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (content, author, last) = self.0.get_mut(step.need("of")).expect("a poll by that name");
        let (votes, voter) = (Votes::in_poll(content, author).expect("a poll"), person(step, "voter"));
        let bits: u32 = decimal(step, "choices");
        let choices = (0..32).filter(|choice| bits >> choice & 1 == 1).collect::<Vec<_>>();
        let ballot = votes.cast(&choices, &voter, sent(step), last.get(&voter), draws).map_err(word)?;
        last.insert(voter.clone(), votes.open(&ballot, &voter).map_err(word)?);
        let content = Content::new(content.meta().clone(), Kind::Ballot(ballot)).map_err(word)?;
        let protobuf = content.as_body().split_first_chunk().expect("a length");
        let protobuf = &protobuf.1[..u32::from_be_bytes(*protobuf.0).try_into().expect("short")];
        Ok(vec![("ballot", to_hex(protobuf.last_chunk::<60>().expect("a sealed vote")))])
    }

    pub(super) fn open_vote(&self, step: &Step) -> Outcome {
        let (content, author, _) = &self.0[step.need("of")];
        let reference = [part(1, author.as_bytes()), part(2, content.id().as_bytes())].concat();
        let ballot = [part(1, &reference), part(2, &step.hex("ballot"))].concat();
        let protobuf = [part(1, &[7; 16]), part(28, &ballot)].concat();
        let mut body = [&u32::try_from(protobuf.len()).expect("short").to_be_bytes(), protobuf.as_slice()].concat();
        // Below 256 bytes, a PADMÉ class is a multiple of 16, 8 or less.
        let arrived = (0..32).find_map(|_| {
            let arrived = Content::from_body(&body);
            body.push(0);
            arrived.ok()
        });
        let arrived = arrived.ok_or("malformed")?;
        let Kind::Ballot(ballot) = arrived.kind() else { panic!("{arrived:?}") };
        let votes = Votes::in_poll(content, author).expect("a poll");
        let vote = votes.open(ballot, &person(step, "voter")).map_err(word)?;
        let bits = vote.choices().fold(0_u32, |bits, choice| bits | 1 << choice);
        let sent = vote.sent().as_unix_milliseconds();
        Ok(vec![("sent_ms", sent.to_string()), ("choices", bits.to_string())])
    }
}

pub(super) fn person(step: &Step, name: &str) -> PersonId {
    PersonId::new(&step.hex(name)).expect("a name")
}

pub(super) fn sent(step: &Step) -> SentAt {
    SentAt::from_unix_milliseconds(decimal(step, "sent_ms")).expect("before the year 10000")
}

pub(super) fn decimal<T: std::str::FromStr>(step: &Step, name: &str) -> T {
    step.need(name).parse().unwrap_or_else(|_| panic!("{name} is a decimal number"))
}

/// A protobuf field that is bytes.
pub(super) fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    [varint(usize::from(number) << 3 | 2), varint(bytes.len()), bytes.to_vec()].concat()
}

pub(super) fn varint(value: usize) -> Vec<u8> {
    let low = u8::try_from(value & 0x7f).expect("seven bits");
    if value < 128 { vec![low] } else { [vec![low | 0x80], varint(value >> 7)].concat() }
}
