//! Content: texts, places and attachment keys are not left in freed memory.
//!
//! A decrypted body belongs to the caller, which wipes it.

#![allow(clippy::wildcard_enum_match_arm)] // Whatever other kinds there will be.

use std::num::NonZeroU32;

use bisik::Timestamp;
use bisik::content::{
    Action, Album, Answered, Attendance, Availability, Away, Ballot, BallotError, Blob, Button, Buttons, Call, Cart,
    CartLine, CatalogueItem, Contact, Content, ContentError, ContentId, ContentMeta, Coordinates, Count, Delete,
    Dimensions, Document, Edit, Event, FileName, Greeting, Kind, ListMenu, LiveShare, LiveStart, LiveStop, LiveUpdate,
    Location, Mention, OpeningHours, Origin, PersonId, Photo, Pin, PinWord, Policy, Poll, Price, Profile, QuickReplies,
    Reaction, Reactions, Receipt, Reference, Referral, Remove, ReplyOption, Row, Rsvps, Section, Selection, SentAt,
    Sticker, Tally, Text, Timer, Times, Unpin, Video, VoiceNote, Vote, Votes,
};
use bisik::media::Pointer;

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::freed::freed_by;
use super::recording::Recording;

const SAID: &str = "kutunggu di warung Bu Sri pukul tujuh";
const QUESTION: &str = "jadi berangkat ke Bromo hari Sabtu?";
const OPTION: &str = "ya, pagi-pagi benar sekali";
const PLACE: &str = "jalan Cempaka 27, pagar hijau";
const FILE: &str = "berkas://9f3c-71ab/gambar-sungai";
const SIGNAL: &[u8] = &[0xE5, 0x3A, 0x91, 0xD4, 0x7E, 0xB8, 0x26, 0xCF, 0x63, 0xA9, 0x14, 0xF7, 0x58, 0x8D, 0xE2, 0x3B];
const PERSON: &[u8] = b"+62 812 3456 7890";

fn canaries(rng: &Recording) -> Canaries {
    let mut canaries = Canaries::new();
    canaries.add_drawn("a poll", rng);
    for (name, said) in [("text", SAID), ("question", QUESTION), ("option", OPTION), ("place", PLACE), ("file", FILE)] {
        canaries.add(name, said.as_bytes());
    }
    canaries.add("signal", SIGNAL);
    canaries.add("file key", &file_key());
    canaries
}

fn file_key() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(37) ^ 0x5C)
}

fn sent() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_000).unwrap()
}

/// Ids are not secret, and so not from the generator whose output is searched for.
fn meta() -> ContentMeta {
    ContentMeta::new(sent(), &mut Recording::new(99))
}

fn person() -> PersonId {
    PersonId::new(PERSON).unwrap()
}

fn blob() -> Blob {
    let key = file_key();
    let pointer = [&[1], key.as_slice(), &[9; 32], &[0, 0, 0, 0, 0, 0, 1, 0], &[9], b"image/png", &[0; 4]];
    let pointer = zeroize::Zeroizing::new(pointer.concat());
    Blob { pointer: Pointer::from_bytes(&pointer).unwrap(), location: FILE.into() }
}

fn poll(rng: &mut Recording) -> Content {
    Content::new(meta(), Kind::Poll(Poll::new(QUESTION, [OPTION, "tidak"], 1, rng))).unwrap()
}

fn event(rng: &mut Recording) -> Content {
    let mut event = Event::new(QUESTION, Timestamp::from_unix_seconds(1_800_100_000), rng);
    (event.description, event.place) = (SAID.into(), PLACE.into());
    event.at = Coordinates::from_degrees(1.0, 2.0).ok();
    Content::new(meta(), Kind::Event(event)).unwrap()
}

/// A text with a secret for reactions.
fn news(rng: &mut Recording) -> Content {
    Content::new(meta().with_secret(rng), Kind::Text(Text::new(SAID))).unwrap()
}

fn tally() -> Tally {
    Tally { target: ContentId::from_bytes([1; 16]), counts: vec![count()] }
}

fn count() -> Count {
    Count { answer: Answered::Emoji(SAID.into()), people: 1 }
}

/// Every kind that holds a secret.
fn secret_kinds(rng: &mut Recording) -> Vec<Kind> {
    let square = Dimensions { width: 9, height: 9 };
    let captioned = |mut photo: Photo| {
        photo.caption = Some(Text::new(SAID));
        photo
    };
    let mut place = Location::new(Coordinates::from_degrees(1.0, 2.0).unwrap());
    (place.name, place.address) = (PLACE.into(), PLACE.into());
    let target = Reference { author: person(), id: ContentId::from_bytes([1; 16]) };
    vec![
        Kind::Text(Text::new(SAID)),
        Kind::Photo(captioned(Photo::new(blob(), square))),
        Kind::Video(Video::new(blob(), square, 1)),
        Kind::VoiceNote(VoiceNote::new(blob(), 1)),
        Kind::Document(Document::new(blob(), FileName::cleaned(SAID))),
        Kind::Sticker(Sticker::new(blob(), square)),
        Kind::Contact(Contact::new(blob(), SAID)),
        Kind::Location(place),
        poll(rng).kind().clone(),
        Kind::Edit(Edit { target: target.id, text: Text::new(SAID) }),
        Kind::Reaction(Reaction { target, emoji: SAID.into() }),
        Kind::Call(Call { signal: SIGNAL.into() }),
        event(rng).kind().clone(),
        Kind::Tally(tally()),
    ]
    .into_iter()
    .chain(business_kinds())
    .collect()
}

fn offered() -> QuickReplies {
    QuickReplies { text: Text::new(QUESTION), choices: vec![ReplyOption { id: SAID.into(), title: OPTION.into() }] }
}

fn row() -> Row {
    Row { choice: ReplyOption { id: SAID.into(), title: OPTION.into() }, description: PLACE.into() }
}

fn section() -> Section {
    Section { title: SAID.into(), rows: vec![row()] }
}

fn button() -> Button {
    Button { title: OPTION.into(), action: Action::Answer(SAID.into()) }
}

fn item() -> CatalogueItem {
    let mut item = CatalogueItem::new(SAID, QUESTION);
    item.description = PLACE.into();
    item.price = Some(Price::new(700, "IDR").unwrap());
    item.picture = Some(blob());
    item
}

fn line() -> CartLine {
    CartLine::of(&item(), 2).unwrap()
}

fn business_kinds() -> Vec<Kind> {
    let asked = Content::new(meta(), Kind::QuickReplies(offered())).unwrap();
    let mut profile = Profile::new(SAID);
    (profile.about, profile.address) = (QUESTION.into(), PLACE.into());
    let mut referral = Referral::new(Origin::LINK, SAID, "");
    (referral.headline, referral.text) = (QUESTION.into(), PLACE.into());
    let mut cart = Cart::new([line()]);
    cart.note = Some(Text::new(PLACE));
    vec![
        Kind::Greeting(Greeting { text: Text::new(SAID) }),
        Kind::Away(Away { text: Text::new(SAID) }),
        Kind::Profile(profile),
        Kind::CatalogueItem(item()),
        Kind::Cart(cart),
        Kind::QuickReplies(offered()),
        Kind::List(ListMenu { text: Text::new(QUESTION), label: SAID.into(), sections: vec![section()] }),
        Kind::Buttons(Buttons { text: Text::new(QUESTION), footer: PLACE.into(), buttons: vec![button()] }),
        Kind::Selection(Selection::new(&asked, &person(), SAID).unwrap()),
        Kind::Referral(referral),
    ]
}

#[test]
fn message_content_leaves_nothing_in_freed_memory() {
    let mut rng = Recording::new(7);
    let ((), freed) = freed_by(|| {
        for kind in secret_kinds(&mut rng) {
            let content = Box::new(Content::new(meta(), kind).unwrap());
            let read = Box::new(Content::from_body(content.as_body()).unwrap());
            drop(read.forward(meta()));
            drop(read.clone());
            // Refused after all of it was read, and after a part.
            let mut refused = read.meta().clone();
            refused.disappears_after = Some(NonZeroU32::MAX);
            assert!(Content::new(refused, read.kind().clone()).is_err());
            drop(read);
            // A caller's collection moves its elements when it grows.
            let mut growing = vec![];
            growing.extend((0..9).map(|_| content.as_ref().clone()));
        }
    });
    canaries(&rng).assert_absent(&freed);
}

#[test]
fn votes_leave_nothing_of_the_poll_secret_in_freed_memory() {
    let mut rng = Recording::new(8);
    let ((), freed) = freed_by(|| {
        let poll = Box::new(poll(&mut rng));
        let votes = Votes::in_poll(&poll, &person()).unwrap();
        let ballot = votes.cast(&[0], &person(), sent(), None, &mut rng).unwrap();
        assert!(votes.open(&ballot, &person()).is_ok());
        assert!(votes.open(&ballot, &PersonId::new(b"else").unwrap()).is_err());
    });
    canaries(&rng).assert_absent(&freed);
}

#[test]
fn sealed_answers_leave_nothing_of_their_secret_in_freed_memory() {
    let mut rng = Recording::new(8);
    let ((), freed) = freed_by(|| {
        let (somebody, other) = (person(), PersonId::new(b"else").unwrap());
        for content in [event(&mut rng), news(&mut rng)].map(Box::new) {
            let read = Box::new(Content::from_body(content.as_body()).unwrap());
            if let Some(answers) = Rsvps::in_event(&read, &somebody) {
                let rsvp = answers.answer(Attendance::NotGoing, &somebody, sent(), None, &mut rng).unwrap();
                assert!(answers.open(&rsvp, &somebody).is_ok() && answers.open(&rsvp, &other).is_err());
            }
            if let Some(reactions) = Reactions::to(&read, &somebody) {
                let sealed = reactions.seal(OPTION, &somebody, sent(), None, &mut rng).unwrap();
                assert!(reactions.open(&sealed, &somebody).is_ok() && reactions.open(&sealed, &other).is_err());
            }
            drop(read.forward(read.meta().clone()));
            drop(read.forward(meta().with_secret(&mut rng)));
            drop(read.meta().clone());
            // Refused after the secret was read.
            let mut refused = read.meta().clone();
            refused.view_once = true;
            assert!(Content::new(refused, read.kind().clone()).is_err());
        }
    });
    canaries(&rng).assert_absent(&freed);
}

/// For `debug`: every public type of the module, with secrets in all of its fields.
pub fn debug(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let text = Content::new(meta(), Kind::Text(Text::new(SAID))).unwrap();
    show(shown, &text);
    show(shown, news(rng).meta());
    show(shown, &FileName::cleaned(SAID));
    show(shown, &text.id());
    show(shown, &text.sent());
    show(shown, &text.reference(&person()));
    show(shown, &person());
    show(shown, &text.visible().unwrap());
    show(shown, &Receipt::read(&text.visible().unwrap()));
    show(shown, &Receipt::read(&text.visible().unwrap()).status());
    show(shown, &blob());
    show(shown, &blob().location);
    show(shown, &Call { signal: SIGNAL.into() }.signal);
    show(shown, &Mention { start: 0, length: 1, person: person() });
    for kind in secret_kinds(rng) {
        debug_of_kind(shown, &kind);
    }
    show(shown, &item().price.unwrap());
    show(shown, &line());
    show(shown, &row());
    show(shown, &row().choice);
    show(shown, &section());
    show(shown, &button());
    show(shown, &button().action);
    show(shown, &Availability::IN_STOCK);
    show(shown, &Origin::LINK);
    show(shown, &OpeningHours { day: 1, from: 0, to: 1 });
    let start = LiveStart { at: Coordinates::from_degrees(1.0, 2.0).unwrap(), duration: 900 };
    let started = Content::new(meta(), Kind::LiveStart(start.clone())).unwrap();
    show(shown, &start.at);
    show(shown, &LiveShare::follow(&started, &person()).unwrap());
    show(shown, &LiveUpdate { share: started.id(), sequence: 1, at: start.at.clone() });
    show(shown, &LiveStop { share: started.id() });
    show(shown, &start);
    show(shown, &Delete { target: started.id() });
    show(shown, &Timer { seconds: NonZeroU32::new(60) });
    show(shown, &Dimensions { width: 9, height: 9 });
    let poll = poll(rng);
    let votes = Votes::in_poll(&poll, &person()).unwrap();
    let ballot: Ballot = votes.cast(&[0], &person(), sent(), None, rng).unwrap();
    let vote: Vote = votes.open(&ballot, &person()).unwrap();
    show(shown, &votes);
    show(shown, &ballot);
    show(shown, &vote);
    debug_of_group(shown, rng);
    show(shown, text.kind());
    show(shown, &unknown());
    show(shown, &ContentError::Malformed);
    show(shown, &BallotError::Rejected);
    for (name, secret) in [("text", SAID), ("question", QUESTION), ("option", OPTION), ("place", PLACE), ("file", FILE)]
    {
        canaries.add(name, secret.as_bytes());
    }
    canaries.add("signal", SIGNAL);
    canaries.add("file key", &file_key());
    canaries.add("person", PERSON);
}

fn debug_of_group(shown: &mut Shown, rng: &mut Recording) {
    let (event, news, somebody) = (event(rng), news(rng), person());
    let answers = Rsvps::in_event(&event, &somebody).unwrap();
    let rsvp = answers.answer(Attendance::NotGoing, &somebody, sent(), None, rng).unwrap();
    show(shown, &answers);
    show(shown, &rsvp);
    show(shown, &answers.open(&rsvp, &somebody).unwrap());
    show(shown, &Attendance::NotGoing);
    let reactions = Reactions::to(&news, &somebody).unwrap();
    let sealed = reactions.seal(SAID, &somebody, sent(), None, rng).unwrap();
    show(shown, &reactions);
    show(shown, &sealed);
    show(shown, &reactions.open(&sealed, &somebody).unwrap());
    let target = news.reference(&somebody);
    let pin = Pin { target: target.clone(), until: None };
    show(shown, &PinWord::of(&Content::new(meta(), Kind::Pin(pin.clone())).unwrap(), &somebody).unwrap());
    show(shown, &pin);
    show(shown, &Unpin { target: target.clone() });
    show(shown, &Remove::new(target));
    show(shown, &count());
    show(shown, &count().answer);
    show(shown, &Album { items: vec![news.id(), event.id()] });
    show(shown, &Policy::default());
    show(shown, &Times::own(sent()));
}

fn debug_of_kind(shown: &mut Shown, kind: &Kind) {
    match kind {
        Kind::Text(text) => show(shown, text),
        Kind::Photo(photo) => show(shown, photo),
        Kind::Video(video) => show(shown, video),
        Kind::VoiceNote(note) => show(shown, note),
        Kind::Document(document) => show(shown, document),
        Kind::Sticker(sticker) => show(shown, sticker),
        Kind::Contact(contact) => show(shown, contact),
        Kind::Location(location) => show(shown, location),
        Kind::Poll(poll) => show(shown, poll),
        Kind::Edit(edit) => show(shown, edit),
        Kind::Reaction(reaction) => show(shown, reaction),
        Kind::Call(call) => show(shown, call),
        Kind::Event(event) => show(shown, event),
        Kind::Tally(tally) => show(shown, tally),
        Kind::Greeting(greeting) => show(shown, greeting),
        Kind::Away(away) => show(shown, away),
        Kind::Profile(profile) => show(shown, profile),
        Kind::CatalogueItem(item) => show(shown, item),
        Kind::Cart(cart) => show(shown, cart),
        Kind::QuickReplies(replies) => show(shown, replies),
        Kind::List(list) => show(shown, list),
        Kind::Buttons(buttons) => show(shown, buttons),
        Kind::Selection(selection) => show(shown, selection),
        Kind::Referral(referral) => show(shown, referral),
        other => panic!("{other:?} holds nothing secret"),
    }
}

fn unknown() -> bisik::content::Unknown {
    let text = [0x0a, 16].iter().chain(&[1; 16]).chain(&[0xf2, 0x05, 0]).copied().collect::<Vec<u8>>();
    let mut body = [&[0, 0, 0, 21], text.as_slice()].concat();
    body.resize(32, 0);
    match Content::from_body(&body).unwrap().kind() {
        Kind::Unknown(unknown) => *unknown,
        other => panic!("{other:?}"),
    }
}
