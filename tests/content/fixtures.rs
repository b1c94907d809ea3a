//! Content of every kind, content at every bound, and strategies for both.

use std::num::NonZeroU32;

use bisik::content::{
    Blob, Call, Contact, Content, ContentError, ContentId, ContentMeta, Coordinates, Delete, Dimensions, Document,
    Edit, FileName, Kind, LiveStart, LiveStop, LiveUpdate, Location, Mention, PersonId, Photo, Poll, PrivateText,
    Reaction, Receipt, Reference, SentAt, Sticker, Text, Timer, Video, VoiceNote, Votes,
};
use bisik::media::Pointer;
use bisik_testkit::protobuf::{field, varint_field};
use bisik_testkit::{ConstantRng, SeededRng};
use proptest::prelude::*;

use super::group_fixtures::{group_bounds, group_kinds, group_strategy};

pub fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// ---- contents ------------------------------------------------------------------------------------------------------

pub const SQUARE: Dimensions = Dimensions { width: 10, height: 10 };

pub fn now() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_123).unwrap()
}

pub fn person(name: &str) -> PersonId {
    PersonId::new(name.as_bytes()).unwrap()
}

pub fn reference(id: u8) -> Reference {
    Reference { author: person("ana"), id: ContentId::from_bytes([id; 16]) }
}

pub fn here() -> Coordinates {
    Coordinates::from_degrees(-6.2, 106.8).unwrap().with_accuracy(NonZeroU32::new(12).unwrap()).unwrap()
}

pub fn text(body: &str) -> Content {
    Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), Kind::Text(Text::new(body))).unwrap()
}

pub fn pointer_bytes() -> Vec<u8> {
    [&[1], [7; 64].as_slice(), &1_000_u64.to_be_bytes(), &[9], b"image/png", &[0; 4]].concat()
}

pub fn blob() -> Blob {
    Blob { pointer: Pointer::from_bytes(&pointer_bytes()).unwrap(), location: "https://blobs/1".into() }
}

pub fn too_long() -> Result<(), ContentError> {
    Err(ContentError::TooLong)
}

/// Each kind, and whether it is shown.
pub fn one_of_each() -> Vec<(Kind, bool)> {
    let id = ContentId::from_bytes([5; 16]);
    let ana = person("ana");
    let poll = Content::new(
        ContentMeta::new(now(), &mut ConstantRng(4)),
        Kind::Poll(Poll::new("?", ["a", "b"], 1, &mut ConstantRng(5))),
    )
    .unwrap();
    let ballot = Votes::in_poll(&poll, &ana).unwrap().cast(&[0], &ana, now(), None, &mut ConstantRng(6)).unwrap();
    let mut all = vec![
        (Kind::Text(Text::new("halo")), true),
        (Kind::Photo(Photo::new(blob(), SQUARE)), true),
        (Kind::Video(Video::new(blob(), SQUARE, 1_000)), true),
        (Kind::VoiceNote(VoiceNote::new(blob(), 1_000)), true),
        (Kind::Document(Document::new(blob(), FileName::new("laporan.pdf").unwrap())), true),
        (Kind::Sticker(Sticker::new(blob(), SQUARE)), true),
        (Kind::Contact(Contact::new(blob(), "Budi")), true),
        (Kind::Location(Location::new(here())), true),
        (Kind::LiveStart(LiveStart { at: here(), duration: 900 }), true),
        (Kind::LiveUpdate(LiveUpdate { share: id, sequence: 1, at: here() }), false),
        (Kind::LiveStop(LiveStop { share: id }), false),
        (poll.kind().clone(), true),
        (Kind::Ballot(ballot), false),
        (Kind::Edit(Edit { target: id, text: Text::new("hai") }), false),
        (Kind::Delete(Delete { target: id }), false),
        (Kind::Reaction(Reaction { target: reference(1), emoji: "!".into() }), false),
        (Kind::Receipt(Receipt::read(&text("halo").visible().unwrap())), false),
        (Kind::Call(Call { signal: vec![1].into() }), false),
        (Kind::Timer(Timer { seconds: NonZeroU32::new(60) }), false),
    ];
    all.extend(group_kinds());
    all
}

/// The last valid value and the first invalid one of every limit that a composer can exceed.
pub fn at_the_bounds() -> Vec<(Kind, Result<(), ContentError>)> {
    let (range, long) = (Err(ContentError::OutOfRange), too_long());
    let words = |length: usize| PrivateText::from("a".repeat(length));
    let located = |length| Blob { location: words(length), ..blob() };
    let poll = |question, option: usize, options: u32, most| {
        let options = (0..options).map(|number| format!("{number:0option$}"));
        Kind::Poll(Poll::new(words(question), options, most, &mut ConstantRng(1)))
    };
    let mut table = vec![
        (Kind::Text(Text::new("")), range),
        (Kind::Text(Text::new(words(65_536))), Ok(())),
        (Kind::Text(Text::new(words(65_537))), long),
        (Kind::Photo(Photo::new(located(0), SQUARE)), range),
        (Kind::Photo(Photo::new(located(2_048), SQUARE)), Ok(())),
        (Kind::Photo(Photo::new(located(2_049), SQUARE)), long),
        (Kind::Photo(Photo::new(blob(), Dimensions { width: 0, height: 1 })), range),
        (Kind::Photo(Photo::new(blob(), Dimensions { width: 1, height: 65_536 })), range),
        (Kind::Video(Video::new(blob(), SQUARE, 86_400_000)), Ok(())),
        (Kind::Video(Video::new(blob(), SQUARE, 86_400_001)), range),
        (Kind::VoiceNote(VoiceNote::new(blob(), 86_400_001)), range),
        (Kind::Contact(Contact::new(blob(), words(255))), Ok(())),
        (Kind::Contact(Contact::new(blob(), words(256))), long),
        (Kind::Contact(Contact::new(blob(), "")), range),
        (Kind::Reaction(Reaction { target: reference(1), emoji: words(0) }), Ok(())),
        (Kind::Reaction(Reaction { target: reference(1), emoji: words(64) }), Ok(())),
        (Kind::Reaction(Reaction { target: reference(1), emoji: words(65) }), long),
        (Kind::LiveStart(LiveStart { at: here(), duration: 0 }), range),
        (Kind::LiveUpdate(LiveUpdate { share: reference(1).id, sequence: 0, at: here() }), range),
        (Kind::Edit(Edit { target: reference(1).id, text: Text::new("") }), range),
        (Kind::Call(Call { signal: vec![1; 16_384].into() }), Ok(())),
        (Kind::Call(Call { signal: vec![1; 16_385].into() }), long),
        (Kind::Timer(Timer { seconds: NonZeroU32::new(31_536_000) }), Ok(())),
        (Kind::Timer(Timer { seconds: NonZeroU32::new(31_536_001) }), range),
        (poll(1_024, 255, 32, 32), Ok(())),
        (poll(1_025, 1, 2, 1), long),
        (poll(0, 1, 2, 1), range),
        (poll(1, 256, 2, 1), long),
        (poll(1, 1, 1, 1), range),
        (poll(1, 2, 33, 1), long),
        (poll(1, 1, 2, 3), range),
        (Kind::Poll(Poll::new("?", ["a", "b", "a"], 1, &mut ConstantRng(1))), range),
    ];
    table.extend([(255, 1_024, Ok(())), (256, 0, long), (0, 1_025, long)].map(|(name, address, outcome)| {
        let mut place = Location::new(here());
        (place.name, place.address) = (words(name), words(address));
        (Kind::Location(place), outcome)
    }));
    table.extend([(256, Ok(())), (257, long)].map(|(length, outcome)| {
        let mut note = VoiceNote::new(blob(), 0);
        note.waveform = vec![1; length].into();
        (Kind::VoiceNote(note), outcome)
    }));
    table.extend([(64, Ok(())), (65, long)].map(|(length, outcome)| {
        let mut sticker = Sticker::new(blob(), SQUARE);
        sticker.emoji = words(length);
        (Kind::Sticker(sticker), outcome)
    }));
    table.extend([(256, Ok(())), (257, long)].map(|(count, outcome)| {
        let mut text = Text::new(words(300));
        text.mentions = (0..count).map(|start| Mention { start, length: 1, person: person("budi") }).collect();
        (Kind::Text(text), outcome)
    }));
    let empty = || Some(Text::new(""));
    let (mut photo, mut video, mut document) =
        (Photo::new(blob(), SQUARE), Video::new(blob(), SQUARE, 0), Document::new(blob(), FileName::new("a").unwrap()));
    (photo.caption, video.caption, document.caption) = (empty(), empty(), empty());
    table.extend([Kind::Photo(photo), Kind::Video(video), Kind::Document(document)].map(|kind| (kind, range)));
    table.extend(group_bounds());
    table
}

pub fn metas() -> impl Strategy<Value = ContentMeta> {
    let reply = prop::option::of((any::<[u8; 16]>(), prop::collection::vec(any::<u8>(), 1..=128)));
    let sent = 0..=253_402_300_799_999_u64;
    (any::<u8>(), sent, reply, 0..=31_536_000_u32, any::<bool>()).prop_map(|(id, sent, reply, seconds, forwarded)| {
        let mut meta = ContentMeta::new(SentAt::from_unix_milliseconds(sent).unwrap(), &mut ConstantRng(id));
        meta.reply_to = reply
            .map(|(id, author)| Reference { author: PersonId::new(&author).unwrap(), id: ContentId::from_bytes(id) });
        (meta.disappears_after, meta.forwarded) = (NonZeroU32::new(seconds), forwarded);
        meta
    })
}

pub fn texts() -> impl Strategy<Value = Text> {
    ("\\PC{1,200}", prop::collection::vec(any::<bool>(), 200)).prop_map(|(body, named)| {
        let mut text = Text::new(body.as_str());
        let mention = |((start, character), _): ((usize, char), bool)| Mention {
            start: start.try_into().unwrap(),
            length: character.len_utf8().try_into().unwrap(),
            person: person("budi"),
        };
        text.mentions = body.char_indices().zip(named).filter(|(_, named)| *named).map(mention).collect();
        text
    })
}

/// Each kind with all its fields filled at random.
pub fn kinds() -> impl Strategy<Value = Kind> {
    let caption = || prop::option::of(texts());
    let size = || (1..=65_535_u32, 1..=65_535_u32).prop_map(|(width, height)| Dimensions { width, height });
    let at = || {
        (-90.0..=90.0, -180.0..=180.0, 0..=20_037_508_u32).prop_map(|(north, east, metres)| {
            let point = Coordinates::from_degrees(north, east).unwrap();
            match NonZeroU32::new(metres) {
                Some(metres) => point.with_accuracy(metres).unwrap(),
                None => point,
            }
        })
    };
    let id = || any::<[u8; 16]>().prop_map(ContentId::from_bytes);
    prop_oneof![
        texts().prop_map(Kind::Text),
        (size(), caption()).prop_map(|(size, caption)| {
            let mut photo = Photo::new(blob(), size);
            photo.caption = caption;
            Kind::Photo(photo)
        }),
        (size(), 0..=86_400_000_u32, caption()).prop_map(|(size, duration, caption)| {
            let mut video = Video::new(blob(), size, duration);
            video.caption = caption;
            Kind::Video(video)
        }),
        (0..=86_400_000_u32, prop::collection::vec(any::<u8>(), 0..=256)).prop_map(|(duration, waveform)| {
            let mut note = VoiceNote::new(blob(), duration);
            note.waveform = waveform.into();
            Kind::VoiceNote(note)
        }),
        ("\\PC{1,50}\\.pdf", caption()).prop_map(|(name, caption)| {
            let mut document = Document::new(blob(), FileName::cleaned(&name));
            document.caption = caption;
            Kind::Document(document)
        }),
        (size(), "\\PC{0,8}").prop_map(|(size, emoji)| {
            let mut sticker = Sticker::new(blob(), size);
            sticker.emoji = emoji.into();
            Kind::Sticker(sticker)
        }),
        "\\PC{1,50}".prop_map(|name| Kind::Contact(Contact::new(blob(), name))),
        (at(), "\\PC{0,50}", "\\PC{0,50}").prop_map(|(at, name, address)| {
            let mut place = Location::new(at);
            (place.name, place.address) = (name.into(), address.into());
            Kind::Location(place)
        }),
        (at(), 1..=86_400_u32).prop_map(|(at, duration)| Kind::LiveStart(LiveStart { at, duration })),
        (id(), 1..=u32::MAX, at()).prop_map(|(share, sequence, at)| Kind::LiveUpdate(LiveUpdate {
            share,
            sequence,
            at
        })),
        (id(), texts()).prop_map(|(target, text)| Kind::Edit(Edit { target, text })),
        id().prop_map(|target| Kind::Delete(Delete { target })),
        (id(), "\\PC{0,8}").prop_map(|(id, emoji)| {
            Kind::Reaction(Reaction { target: Reference { author: person("ana"), id }, emoji: emoji.into() })
        }),
        (2..=32_u32, any::<u64>()).prop_map(|(options, seed)| {
            let options = (0..options).map(|option| option.to_string());
            Kind::Poll(Poll::new("?", options, 1, &mut SeededRng::new(seed)))
        }),
        group_strategy(),
        prop::sample::select(one_of_each()).prop_map(|(kind, _)| kind),
    ]
}

// ---- bytes ---------------------------------------------------------------------------------------------------------

pub fn meta_bytes() -> Vec<u8> {
    [field(1, &[1; 16]), varint_field(2, 1_800_000_000_000)].concat()
}

pub fn blob_bytes() -> Vec<u8> {
    [field(1, &pointer_bytes()), field(2, b"https://blobs/1")].concat()
}

pub fn reference_bytes(reference: &Reference) -> Vec<u8> {
    [field(1, reference.author.as_bytes()), field(2, reference.id.as_bytes())].concat()
}
