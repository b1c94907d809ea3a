//! Content for groups of every kind, at every bound, and strategies for it.

use bisik::Timestamp;
use bisik::content::{
    Album, Answered, Attendance, Content, ContentError, ContentId, ContentMeta, Count, Event, Kind, Pin, Reactions,
    Remove, Rsvps, Tally, Text, Unpin,
};
use bisik_testkit::{ConstantRng, SeededRng};
use proptest::prelude::*;

use super::fixtures::{here, now, person, reference, too_long};

pub const LAST_SECOND: u64 = 253_402_300_799;

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub fn dinner() -> Event {
    Event::new("makan malam", at(1_800_100_000), &mut ConstantRng(5))
}

/// An event as a content, changed before it is composed.
pub fn event(change: impl FnOnce(&mut Event, &mut ContentMeta)) -> Content {
    let (mut event, mut meta) = (dinner(), ContentMeta::new(now(), &mut ConstantRng(4)));
    change(&mut event, &mut meta);
    Content::new(meta, Kind::Event(event)).unwrap()
}

/// A text with a secret.
pub fn news(words: &str) -> Content {
    let meta = ContentMeta::new(now(), &mut ConstantRng(7)).with_secret(&mut ConstantRng(8));
    Content::new(meta, Kind::Text(Text::new(words))).unwrap()
}

pub fn id(byte: u8) -> ContentId {
    ContentId::from_bytes([byte; 16])
}

pub fn emoji(words: &str, people: u32) -> Count {
    Count { answer: Answered::Emoji(words.into()), people }
}

pub fn choice(choice: u32, people: u32) -> Count {
    Count { answer: Answered::Choice(choice), people }
}

/// Each kind, and whether it is shown.
pub fn group_kinds() -> Vec<(Kind, bool)> {
    let (ana, rng) = (person("ana"), &mut ConstantRng(6));
    let (event, news) = (event(|_, _| {}), news("buka pukul sembilan"));
    let rsvp = Rsvps::in_event(&event, &ana).unwrap().answer(Attendance::NotGoing, &ana, now(), None, rng).unwrap();
    let reaction = Reactions::to(&news, &ana).unwrap().seal("!", &ana, now(), None, rng).unwrap();
    vec![
        (Kind::Pin(Pin { target: reference(1), until: Some(at(1_800_604_800)) }), false),
        (Kind::Unpin(Unpin { target: reference(1) }), false),
        (event.kind().clone(), true),
        (Kind::Rsvp(rsvp), false),
        (Kind::SealedReaction(reaction), false),
        (Kind::Tally(Tally { target: id(1), counts: vec![emoji("!", 17), choice(0, 2)] }), false),
        (Kind::Album(Album { items: vec![id(1), id(2)] }), false),
        (Kind::Remove(Remove::new(reference(1))), false),
    ]
}

/// The last valid value and the first invalid one of every limit that a composer can exceed.
pub fn group_bounds() -> Vec<(Kind, Result<(), ContentError>)> {
    let (range, long) = (Err(ContentError::OutOfRange), too_long());
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = dinner();
        change(&mut event);
        Kind::Event(event)
    };
    let words = |length: usize| "a".repeat(length);
    let pin = |until| Kind::Pin(Pin { target: reference(1), until: Some(at(until)) });
    let album = |items: u8| Kind::Album(Album { items: (0..items).map(id).collect() });
    let tally = |counts: Vec<Count>| Kind::Tally(Tally { target: id(1), counts });
    vec![
        (pin(1), Ok(())),
        (pin(0), range), // the encoding of no moment
        (pin(LAST_SECOND), Ok(())),
        (pin(LAST_SECOND + 1), range),
        (with(&|event| event.title = "".into()), range),
        (with(&|event| event.title = words(255).into()), Ok(())),
        (with(&|event| event.title = words(256).into()), long),
        (with(&|event| event.description = words(4_096).into()), Ok(())),
        (with(&|event| event.description = words(4_097).into()), long),
        (with(&|event| event.place = words(1_024).into()), Ok(())),
        (with(&|event| event.place = words(1_025).into()), long),
        (with(&|event| event.from = at(0)), Ok(())),
        (with(&|event| event.from = at(LAST_SECOND)), Ok(())),
        (with(&|event| event.from = at(LAST_SECOND + 1)), range),
        (with(&|event| event.to = Some(at(1_800_100_001))), Ok(())),
        (with(&|event| event.to = Some(at(1_800_100_000))), range), // ends when it begins
        (with(&|event| event.to = Some(at(LAST_SECOND + 1))), range),
        (with(&|event| event.most_guests = 100), Ok(())),
        (with(&|event| event.most_guests = 101), range),
        (with(&|event| event.cancelled = true), range),
        (with(&|event| (event.cancelled, event.replaces) = (true, Some(id(1)))), Ok(())),
        (album(2), Ok(())),
        (album(1), range),
        (album(100), Ok(())),
        (album(101), long),
        (Kind::Album(Album { items: vec![id(1), id(2), id(1)] }), range),
        (tally(vec![]), Ok(())),
        (tally((0..64).map(|number| emoji(&number.to_string(), 1)).collect()), Ok(())),
        (tally((0..65).map(|number| emoji(&number.to_string(), 1)).collect()), long),
        (tally(vec![emoji("", 1)]), range),
        (tally(vec![emoji(&words(64), u32::MAX)]), Ok(())),
        (tally(vec![emoji(&words(65), 1)]), long),
        (tally(vec![emoji("!", 0)]), range),
        (tally(vec![choice(31, 1)]), Ok(())),
        (tally(vec![choice(32, 1)]), range),
        (tally(vec![choice(u32::MAX, 1)]), range),
        (tally(vec![choice(1, 1), choice(1, 2)]), range),
        (tally(vec![emoji("1", 1), choice(1, 1), emoji("1", 3)]), range),
    ]
}

/// Each kind that has fields, filled at random.
pub fn group_strategy() -> impl Strategy<Value = Kind> {
    let id = || any::<[u8; 16]>().prop_map(ContentId::from_bytes);
    let moment = || prop::option::of((1..=LAST_SECOND).prop_map(at));
    let texts = ("\\PC{1,60}", "\\PC{0,200}", "\\PC{0,200}");
    let event =
        (texts, 0..LAST_SECOND, any::<bool>(), any::<bool>(), 0..=100_u32, prop::option::of(id()), any::<u64>());
    prop_oneof![
        (id(), moment()).prop_map(|(id, until)| {
            let target = bisik::content::Reference { author: person("ana"), id };
            Kind::Pin(Pin { target, until })
        }),
        event.prop_map(|((title, description, place), from, ends, placed, most_guests, replaces, seed)| {
            let mut event = Event::new(title, at(from), &mut SeededRng::new(seed));
            (event.description, event.place) = (description.into(), place.into());
            (event.to, event.at) = (ends.then(|| at(LAST_SECOND)), placed.then(here));
            (event.most_guests, event.replaces, event.cancelled) = (most_guests, replaces, replaces.is_some() && ends);
            Kind::Event(event)
        }),
        (id(), prop::collection::btree_set("\\PC{1,8}", 0..=64), 1..=u32::MAX).prop_map(|(target, words, people)| {
            Kind::Tally(Tally { target, counts: words.iter().map(|words| emoji(words, people)).collect() })
        }),
        prop::collection::btree_set(any::<[u8; 16]>(), 2..=100)
            .prop_map(|ids| Kind::Album(Album { items: ids.into_iter().map(ContentId::from_bytes).collect() })),
    ]
}
