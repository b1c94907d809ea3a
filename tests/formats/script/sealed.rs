//! The steps about answers to events and sealed reactions (docs/spec/content.md, section 7.9).
//!
//! They are taken apart by hand, as sealed votes are, since the public interface does not show them.

#![allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.

use std::collections::BTreeMap;

use bisik::content::{Attendance, Content, Kind, OpenedReaction, PersonId, Reactions, RsvpAnswer, Rsvps};

use super::content::{decimal, part, person, sent, varint};
use super::runner::{Outcome, word};
use super::step::Step;
use crate::draws::{Draws, to_hex};

/// The last answer and reaction of each person to each content, by body and author.
#[derive(Default)]
pub(crate) struct Answers {
    rsvps: BTreeMap<(Vec<u8>, PersonId, PersonId), RsvpAnswer>,
    reactions: BTreeMap<(Vec<u8>, PersonId, PersonId), OpenedReaction>,
}

impl Answers {
    pub(super) fn rsvp(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (event, author, person) = read(step)?;
        let rsvps = Rsvps::in_event(&event, &author).ok_or("malformed")?;
        let last = self.rsvps.get(&name(step));
        let guests = decimal(step, "guests");
        let attendance = match decimal(step, "attendance") {
            0 => Attendance::Withdrawn,
            1 => Attendance::Going { guests },
            2 => Attendance::Maybe { guests },
            _ => Attendance::NotGoing,
        };
        let rsvp = rsvps.answer(attendance, &person, sent(step), last, draws).map_err(word)?;
        self.rsvps.insert(name(step), rsvps.open(&rsvp, &person).map_err(word)?);
        Ok(sealed::<60>(&event, Kind::Rsvp(rsvp)))
    }

    pub(super) fn open_rsvp(step: &Step) -> Outcome {
        let (event, author, person) = read(step)?;
        let rsvps = Rsvps::in_event(&event, &author).ok_or("malformed")?;
        let arrived = arrived(step, 38, &event, &author)?;
        let Kind::Rsvp(rsvp) = arrived.kind() else { panic!("{arrived:?}") };
        let answer = rsvps.open(rsvp, &person).map_err(word)?;
        let (attendance, guests) = match answer.attendance() {
            Attendance::Withdrawn => (0, 0),
            Attendance::Going { guests } => (1, guests),
            Attendance::Maybe { guests } => (2, guests),
            Attendance::NotGoing => (3, 0),
        };
        let sent = answer.sent().as_unix_milliseconds().to_string();
        Ok(vec![("sent_ms", sent), ("attendance", attendance.to_string()), ("guests", guests.to_string())])
    }

    pub(super) fn react(&mut self, step: &Step, draws: &mut Draws) -> Outcome {
        let (content, author, person) = read(step)?;
        let reactions = Reactions::to(&content, &author).ok_or("malformed")?;
        let emoji = String::from_utf8(step.hex("words")).expect("UTF-8");
        let last = self.reactions.get(&name(step));
        let reaction = reactions.seal(&emoji, &person, sent(step), last, draws).map_err(word)?;
        self.reactions.insert(name(step), reactions.open(&reaction, &person).map_err(word)?);
        Ok(sealed::<121>(&content, Kind::SealedReaction(reaction)))
    }

    pub(super) fn open_reaction(step: &Step) -> Outcome {
        let (content, author, person) = read(step)?;
        let reactions = Reactions::to(&content, &author).ok_or("malformed")?;
        let arrived = arrived(step, 39, &content, &author)?;
        let Kind::SealedReaction(reaction) = arrived.kind() else { panic!("{arrived:?}") };
        let opened = reactions.open(reaction, &person).map_err(word)?;
        let sent = opened.sent().as_unix_milliseconds().to_string();
        Ok(vec![("sent_ms", sent), ("words", to_hex(opened.emoji().as_bytes()))])
    }
}

fn read(step: &Step) -> Result<(Content, PersonId, PersonId), String> {
    let content = Content::from_body(&step.hex("body")).map_err(word)?;
    Ok((content, person(step, "author"), person(step, "person")))
}

fn name(step: &Step) -> (Vec<u8>, PersonId, PersonId) {
    (step.hex("body"), person(step, "author"), person(step, "person"))
}

/// The last bytes of the content, which are the sealed answer.
fn sealed<const N: usize>(of: &Content, kind: Kind) -> Vec<(&'static str, String)> {
    let meta = bisik::content::ContentMeta::new(of.sent(), &mut Draws::listed(&[7; 16]));
    let content = Content::new(meta, kind).expect("within bounds");
    let (length, protobuf) = content.as_body().split_first_chunk().expect("a length");
    let protobuf = &protobuf[..u32::from_be_bytes(*length).try_into().expect("short")];
    vec![("sealed_answer", to_hex(protobuf.last_chunk::<N>().expect("a sealed answer")))]
}

/// The content that carries the step's sealed answer.
fn arrived(step: &Step, kind: usize, to: &Content, author: &PersonId) -> Result<Content, String> {
    let reference = [part(1, author.as_bytes()), part(2, to.id().as_bytes())].concat();
    let answer = [part(1, &reference), part(2, &step.hex("sealed_answer"))].concat();
    let kind = [varint(kind << 3 | 2), varint(answer.len()), answer].concat();
    let protobuf = [part(1, &[7; 16]), kind].concat();
    let mut body = [&u32::try_from(protobuf.len()).expect("short").to_be_bytes(), protobuf.as_slice()].concat();
    // Below 512 bytes, a PADMÉ class is a multiple of 32 or less.
    let arrived = (0..64).find_map(|_| {
        let arrived = Content::from_body(&body);
        body.push(0);
        arrived.ok()
    });
    arrived.ok_or_else(|| "malformed".to_owned())
}
