//! Limits of content: sizes, lengths, counts and file names, for what is composed and for what is read.

use std::num::NonZeroU32;

use allocation_counter::measure;
use bisik::content::{Content, ContentError, ContentMeta, Kind, PersonId, SentAt, Text};
use bisik_testkit::ConstantRng;
use bisik_testkit::protobuf::{body, double, field, varint_field};

use super::fixtures::*;

/// P-7.1
#[test]
fn a_body_has_at_most_256_kib() {
    let unknown = |length: usize| [&meta_bytes()[..], &field(60, &vec![7; length])].concat();
    let head = unknown(1 << 17).len() - (1 << 17) + 4;
    let longest = unknown((256 << 10) - head);
    assert_eq!(body(&longest).len(), 256 << 10);
    assert!(Content::from_body(&body(&longest)).is_ok());
    let too_long = body(&unknown((256 << 10) - head + 1));
    let allocated = measure(|| assert_eq!(Content::from_body(&too_long), Err(ContentError::TooLong)));
    assert_eq!(allocated.count_total, 0);
}

/// P-7.7. Each limit from both sides, when composing.
#[test]
fn content_limits_hold_when_composing() {
    for (kind, outcome) in at_the_bounds() {
        let shown = format!("{kind:?}");
        let composed = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), kind);
        assert_eq!(composed.clone().map(drop), outcome, "{shown}");
        composed.iter().for_each(|content| assert_eq!(Content::from_body(content.as_body()).as_ref(), Ok(content)));
    }
    for (person, outcome) in [(0, Err(ContentError::OutOfRange)), (1, Ok(())), (128, Ok(())), (129, too_long())] {
        let bytes = vec![1; person];
        assert_eq!(PersonId::new(&bytes).map(drop), outcome);
        assert_eq!(PersonId::try_from(bytes.as_slice()), PersonId::new(&bytes));
        assert!(PersonId::new(&bytes).is_ok_and(|id| id.as_ref() == bytes) == outcome.is_ok());
    }
    let year_9999 = 253_402_300_799_999;
    assert!(SentAt::from_unix_milliseconds(year_9999).is_ok());
    assert_eq!(SentAt::from_unix_milliseconds(year_9999 + 1), Err(ContentError::OutOfRange));
    let mut meta = ContentMeta::new(now(), &mut ConstantRng(1));
    for (seconds, fits) in [(31_536_000, true), (31_536_001, false)] {
        meta.disappears_after = NonZeroU32::new(seconds);
        assert_eq!(Content::new(meta.clone(), Kind::Text(Text::new("halo"))).is_ok(), fits);
    }
}

/// P-7.7. The same limits when reading the bytes of a faulty or hostile peer.
#[test]
fn content_limits_hold_when_reading() {
    let (blob, at) = (field(1, &blob_bytes()), field(1, &[double(1, 1.0), double(2, 2.0)].concat()));
    let photo = |width, height| field(17, &[blob.clone(), varint_field(2, width), varint_field(3, height)].concat());
    let place = |bytes: Vec<u8>| field(23, &field(1, &bytes));
    let poll = |options: usize, most| {
        let options = (0..options).flat_map(|option| field(3, option.to_string().as_bytes())).collect();
        field(27, &[field(1, &[7; 32]), field(2, b"?"), options, varint_field(4, most)].concat())
    };
    let mention = |start, length| [varint_field(1, start), varint_field(2, length), field(3, b"budi")].concat();
    let text = |mentions: &[Vec<u8>]| {
        let mentions = mentions.iter().flat_map(|mention| field(2, mention)).collect();
        field(16, &[field(1, "é halo".as_bytes()), mentions].concat())
    };
    let event = |more: &[Vec<u8>]| field(37, &[field(1, &[7; 32]), field(2, b"x"), more.concat()].concat());
    let answer = |kind, length| {
        let reference = [field(1, b"ana"), field(2, &[1; 16])].concat();
        field(kind, &[field(1, &reference), field(2, &vec![7; length])].concat())
    };
    let count = |fields: &[Vec<u8>]| field(40, &[field(1, &[1; 16]), field(2, &fields.concat())].concat());
    let (range, malformed) = (Err(ContentError::OutOfRange), Err(ContentError::Malformed));
    let table = [
        (photo(1, 65_535), Ok(())),
        (photo(0, 1), range),
        (photo(1, 65_536), range),
        (field(17, &[varint_field(2, 1), varint_field(3, 1)].concat()), malformed), // no blob
        (place([double(1, -90.0), double(2, 180.0)].concat()), Ok(())),
        (place([double(1, 90.1), double(2, 0.0)].concat()), range),
        (place([double(1, 0.0), double(2, -180.1)].concat()), range),
        (place([double(1, f64::NAN), double(2, 0.0)].concat()), range),
        (place([double(1, 0.0), double(2, f64::INFINITY)].concat()), range),
        (place([double(1, 0.0), double(2, 0.0), varint_field(3, 20_037_509)].concat()), range),
        (field(24, &[at.clone(), varint_field(2, 86_400)].concat()), Ok(())),
        (field(24, &at), range),
        (field(24, &[at.clone(), varint_field(2, 86_401)].concat()), range),
        (field(25, &[field(1, &[1; 16]), field(3, &at[2..])].concat()), range), // sequence 0
        (poll(2, 2), Ok(())),
        (poll(32, 1), Ok(())),
        (poll(1, 1), range),
        (poll(33, 1), malformed),
        (poll(2, 0), range),
        (poll(2, 3), range),
        (field(27, &[field(1, &[7; 31]), field(2, b"?"), field(3, b"a"), field(3, b"b")].concat()), malformed),
        (text(&[mention(0, 2), mention(2, 5)]), Ok(())),
        (text(&[mention(0, 1)]), range),                // in the middle of a character
        (text(&[mention(0, 3), mention(2, 2)]), range), // overlapping
        (text(&[mention(3, 1), mention(0, 2)]), range), // not in order
        (text(&[mention(0, 0)]), range),
        (text(&[mention(2, 6)]), range),
        (text(&[mention(2, u64::from(u32::MAX))]), range),
        (text(&vec![mention(0, 2); 257]), malformed),
        (field(29, &field(1, &[1; 16])), malformed), // an edit without a text
        (field(30, &field(1, &[1; 15])), malformed),
        (field(31, &field(2, b"!")), malformed), // a reaction to nothing
        (field(32, &field(2, &[1; 16])), range), // a receipt that says nothing
        (field(32, &varint_field(1, 1)), range),
        (field(32, &[varint_field(1, 9), field(2, &[1; 16])].concat()), Ok(())),
        (field(32, &[varint_field(1, 1), field(2, &[1; 16]).repeat(257)].concat()), malformed),
        (field(33, &[]), range),
        (field(35, &field(1, &field(2, &[1; 16]))), range), // a pin of nobody's content
        (field(35, &field(1, &[field(1, b"ana"), field(2, &[1; 15])].concat())), malformed),
        (event(&[varint_field(4, 253_402_300_799)]), Ok(())),
        (event(&[varint_field(4, 253_402_300_800)]), range),
        (event(&[varint_field(5, 253_402_300_800)]), range),
        (event(&[varint_field(10, 1)]), range), // cancelled, and replaces none
        (event(&[varint_field(10, 1), field(9, &[1; 16])]), Ok(())),
        (event(&[field(9, &[1; 15])]), malformed),
        (event(&[varint_field(8, 101)]), range),
        (event(&[field(7, &[])]), Ok(())), // 0 degrees and 0 degrees
        (field(37, &[field(1, &[7; 31]), field(2, b"x")].concat()), malformed),
        (answer(38, 60), Ok(())),
        (answer(38, 61), malformed),
        (answer(39, 121), Ok(())),
        (answer(39, 60), malformed),
        (count(&[varint_field(1, 32), varint_field(3, 1)]), Ok(())),
        (count(&[varint_field(1, 33), varint_field(3, 1)]), range),
        (count(&[varint_field(1, 1)]), range), // nobody
        (count(&[varint_field(3, 1)]), malformed),
        (count(&[varint_field(1, 1), field(2, b"!"), varint_field(3, 1)]), malformed),
        (field(41, &[field(1, &[1; 16]), field(1, &[2; 16])].concat()), Ok(())),
        (field(41, &[field(1, &[1; 16]), field(1, &[1; 16])].concat()), range),
        (field(41, &[field(1, &[1; 16]), field(1, &[2; 15])].concat()), malformed),
        (field(41, &field(1, &[1; 16]).repeat(101)), malformed),
        (field(42, &[]), malformed),
        (field(34, &varint_field(1, 31_536_001)), range),
    ];
    for (kind, outcome) in table {
        let read = Content::from_body(&body(&[meta_bytes(), kind.clone()].concat()));
        assert_eq!(read.map(drop), outcome, "{kind:x?}");
    }
    for (meta, outcome) in [
        (meta_bytes(), Ok(())),
        (varint_field(2, 5), malformed),
        ([field(1, &[1; 15]), varint_field(2, 5)].concat(), malformed),
        ([field(1, &[1; 16]), varint_field(2, 253_402_300_800_000)].concat(), range),
        ([meta_bytes(), varint_field(4, 31_536_001)].concat(), range),
        ([meta_bytes(), field(3, &field(2, &[1; 16]))].concat(), range), // a reply without an author
        ([meta_bytes(), varint_field(5, 1)].concat(), Err(ContentError::NotAllowed)), // a text to be shown once
        ([meta_bytes(), field(9, &[1; 32])].concat(), Ok(())),
        ([meta_bytes(), field(9, &[1; 31])].concat(), malformed),
    ] {
        let read = Content::from_body(&body(&[meta, field(16, &field(1, b"halo"))].concat()));
        assert_eq!(read.map(drop), outcome);
    }
}
