//! Content: what is composed is read again as it was, nothing unknown is lost, and whatever is out of shape or bounds is refused.
//!
//! Does not know how bodies are encrypted. Bodies that no honest program makes are written here by hand, field by field.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use allocation_counter::measure;
use bisik::content::{
    BallotError, Blob, Call, Contact, Content, ContentError, ContentId, Coordinates, Delete, Dimensions, Document,
    Edit, Envelope, Kind, LiveShare, LiveStart, LiveStop, LiveUpdate, Location, Mention, PersonId, Photo, Poll,
    PrivateText, Reaction, Receipt, ReceiptStatus, Reference, SentAt, Sticker, Text, Timer, Video, VoiceNote, Votes,
};
use bisik::media::Pointer;
use bisik::{Identity, Timestamp};
use proptest::prelude::*;
use support::protobuf::{body, double, field, protobuf, varint_field};
use support::{ConstantRng, SeededRng};

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_composed_is_read_again_as_it_was(envelope in envelopes(), kind in kinds()) {
        let content = Content::new(envelope, kind).unwrap();
        let read = Content::from_body(content.as_body()).unwrap();
        prop_assert_eq!(&read, &content);
        prop_assert_eq!(read.envelope(), content.envelope());
        prop_assert_eq!(read.kind(), content.kind());
        // And is padded as it should be: to a length of the class, in which nothing but the length differs by content.
        let length = content.as_body().len();
        prop_assert!(length >= 32 && length <= (protobuf(&content).len() + 4).max(32) * 9 / 8);
    }

    /// Any bytes at all, in a body that is padded well.
    #[test]
    fn any_protobuf_is_read_or_refused_and_what_is_read_keeps_its_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = body(&bytes);
        if let Ok(content) = Content::from_body(&body) {
            prop_assert_eq!(content.as_body(), body);
        }
        let _ = Content::from_body(&bytes);
    }

    /// The same from the neighbourhood of what is valid.
    #[test]
    fn a_changed_content_is_read_or_refused(
        envelope in envelopes(),
        kind in kinds(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let content = Content::new(envelope, kind).unwrap();
        let mut bytes = protobuf(&content).to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(content) = Content::from_body(&body(&bytes)) {
            prop_assert_eq!(protobuf(&content), bytes);
            let _ = (format!("{content:?}"), content.visible(), content.disappears(Timestamp::from_unix_seconds(u64::MAX)));
            let _ = content.forward(Envelope::new(now(), &mut ConstantRng(1)));
        }
    }
}

/// P-7.1, P-7.2
#[test]
fn of_all_bodies_with_one_content_exactly_one_is_read() {
    for length in [1, 3, 20, 100, 1_000, 5_000] {
        let content = text(&"a".repeat(length));
        let (good, end) = (content.as_body(), 4 + protobuf(&content).len());
        assert!(Content::from_body(good).is_ok());
        let malformed = |body: &[u8]| assert_eq!(Content::from_body(body), Err(ContentError::Malformed));
        for at in (0..4).chain(end..good.len()) {
            for bit in 0..8 {
                let mut changed = good.to_vec();
                changed[at] ^= 1 << bit;
                malformed(&changed);
            }
        }
        for cut in 0..good.len() {
            malformed(&good[..cut]);
        }
        for more in 1..good.len() {
            malformed(&[good, &vec![0; more]].concat());
        }
    }
}

/// P-7.1
#[test]
fn a_body_has_at_most_256_kib() {
    let unknown = |length: usize| [&envelope_bytes()[..], &field(40, &vec![7; length])].concat();
    let head = unknown(1 << 17).len() - (1 << 17) + 4;
    let longest = unknown((256 << 10) - head);
    assert_eq!(body(&longest).len(), 256 << 10);
    assert!(Content::from_body(&body(&longest)).is_ok());
    let too_long = body(&unknown((256 << 10) - head + 1));
    let allocated = measure(|| assert_eq!(Content::from_body(&too_long), Err(ContentError::TooLong)));
    assert_eq!(allocated.count_total, 0);
}

/// P-7.3
#[test]
fn what_is_not_of_the_schemas_types_is_refused() {
    let good = field(16, &field(1, b"halo"));
    let refused = |records: &[u8]| {
        let body = body(&[envelope_bytes(), good.clone(), records.to_vec()].concat());
        assert_eq!(Content::from_body(&body), Err(ContentError::Malformed), "{records:x?}");
    };
    refused(&[0x20, 0x80]); // a varint without an end
    refused(&[0x25, 1, 0, 0, 0]); // disappears_after_s as four bytes
    refused(&varint_field(4, 1 << 32)); // and more than it holds
    refused(&varint_field(5, 2)); // view_once that is neither
    refused(&field(4, &[1])); // disappears_after_s as bytes
    refused(&[200 << 3 & 0x7f | 0x83, 0x0c]); // a group, of a field that nobody knows
    refused(&field(3, &[0x0a, 5, 1])); // reply_to that is cut short
    let text = |bytes: &[u8]| body(&[envelope_bytes(), field(16, &field(1, bytes))].concat());
    assert!(Content::from_body(&text("halo é".as_bytes())).is_ok());
    let no_text = text(b"halo \xe9");
    let allocated = measure(|| assert_eq!(Content::from_body(&no_text), Err(ContentError::Malformed)));
    assert_eq!(allocated.count_total, 0, "and before a copy is made");
}

/// P-7.4
#[test]
fn a_singular_field_stands_once_at_every_depth() {
    let (text, mention) = (field(1, b"halo"), [varint_field(1, 0), varint_field(2, 1), field(3, b"budi")].concat());
    let with = |text: &[u8]| Content::from_body(&body(&[envelope_bytes(), field(16, text)].concat()));
    let twice = Err(ContentError::Malformed);
    assert!(with(&[text.clone(), field(2, &mention)].concat()).is_ok());
    assert_eq!(with(&[text.clone(), text.clone()].concat()), twice);
    assert_eq!(with(&[text.clone(), field(2, &[mention, varint_field(1, 0)].concat())].concat()), twice);
    let again = [envelope_bytes(), field(16, &text), varint_field(2, 7)].concat();
    assert_eq!(Content::from_body(&body(&again)), twice);
    // What nobody knows may stand as often as it likes.
    assert!(with(&[text, field(99, b"a"), field(99, b"b")].concat()).is_ok());
}

/// P-7.5
#[test]
fn a_content_is_exactly_one_thing() {
    let read = |records: &[u8]| Content::from_body(&body(&[&envelope_bytes(), records].concat()));
    let text = field(16, &field(1, b"halo"));
    assert_eq!(read(&[]), Err(ContentError::Malformed), "nothing");
    assert_eq!(read(&[text.clone(), text.clone()].concat()), Err(ContentError::Malformed), "the same twice");
    for other in [34, 35, 64, 74, 127] {
        assert_eq!(read(&[text.clone(), field(other, &[])].concat()), Err(ContentError::Malformed), "and a {other}");
    }
    for unknown in [35, 63, 74, 95, 127] {
        let content = read(&field(unknown, b"later")).unwrap();
        let Kind::Unknown(kind) = content.kind() else { panic!("{content:?}") };
        assert_eq!(u64::from(kind.number()), unknown);
        assert_eq!(read(&varint_field(unknown, 1)), Err(ContentError::Malformed), "a kind is a message");
    }
    // Outside of these numbers fields are no kinds.
    assert!(read(&[text, varint_field(8, 1), field(128, b"x")].concat()).is_ok());
}

/// P-7.16
#[test]
fn what_is_not_known_survives_being_read_and_forwarded() {
    let unknown = [varint_field(8, 1), field(200, b"of the envelope")].concat();
    let kinds = [
        field(16, &[field(1, b"halo"), field(77, b"a style")].concat()),
        field(94, &[field(1, b"an invoice"), field(2, b"4.50")].concat()),
    ];
    for kind in kinds {
        let bytes = [envelope_bytes(), varint_field(4, 60), kind.clone(), unknown.clone()].concat();
        let content = Content::from_body(&body(&bytes)).unwrap();
        assert_eq!(protobuf(&content), bytes);

        let mut envelope = Envelope::new(now(), &mut ConstantRng(9));
        envelope.reply_to = Some(reference(5));
        let forwarded = content.forward(envelope.clone()).unwrap();
        let read = Content::from_body(forwarded.as_body()).unwrap();
        envelope.forwarded = true;
        assert_eq!(
            (read.envelope(), read.kind()),
            (&envelope, content.kind()),
            "in the new envelope, without the timer"
        );
        let tail = [kind, unknown.clone()].concat();
        assert!(protobuf(&read).ends_with(&tail), "everything else, byte for byte");
        assert!(read.forward(Envelope::new(now(), &mut ConstantRng(8))).is_ok(), "and again");
    }
}

#[test]
fn only_what_means_the_same_elsewhere_is_forwarded() {
    let envelope = || Envelope::new(now(), &mut ConstantRng(7));
    for (kind, shown) in one_of_each() {
        let tied = matches!(kind, Kind::LiveStart(_) | Kind::Poll(_));
        let forwarded = Content::new(envelope(), kind).unwrap().forward(envelope());
        assert_eq!(forwarded.is_ok(), shown && !tied, "{forwarded:?}");
    }
    let mut once = envelope();
    once.view_once = true;
    let once = Content::new(once, Kind::Photo(Photo::new(blob(), SQUARE))).unwrap();
    assert_eq!(once.forward(envelope()), Err(ContentError::Unfit));
}

/// P-7.6. Each bound from both sides: composed, and read from bytes that a careless program made.
#[test]
fn every_bound_holds() {
    for (kind, outcome) in at_the_bounds() {
        let shown = format!("{kind:?}");
        let composed = Content::new(Envelope::new(now(), &mut ConstantRng(1)), kind);
        assert_eq!(composed.clone().map(drop), outcome, "{shown}");
        composed.iter().for_each(|content| assert_eq!(Content::from_body(content.as_body()).as_ref(), Ok(content)));
    }
    for (person, outcome) in [(0, Err(ContentError::OutOfRange)), (1, Ok(())), (128, Ok(())), (129, too_long())] {
        assert_eq!(PersonId::new(&vec![1; person]).map(drop), outcome);
    }
    let year_9999 = 253_402_300_799_999;
    assert!(SentAt::from_unix_milliseconds(year_9999).is_ok());
    assert_eq!(SentAt::from_unix_milliseconds(year_9999 + 1), Err(ContentError::OutOfRange));
    let mut envelope = Envelope::new(now(), &mut ConstantRng(1));
    for (seconds, fits) in [(31_536_000, true), (31_536_001, false)] {
        envelope.disappears_after = seconds;
        assert_eq!(Content::new(envelope.clone(), Kind::Text(Text::new("halo"))).is_ok(), fits);
    }
}

/// P-7.6. The same bounds on bytes: the peer's program may be careless, or hostile.
#[test]
fn every_bound_holds_for_what_is_read() {
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
        (field(34, &varint_field(1, 31_536_001)), range),
    ];
    for (kind, outcome) in table {
        let read = Content::from_body(&body(&[envelope_bytes(), kind.clone()].concat()));
        assert_eq!(read.map(drop), outcome, "{kind:x?}");
    }
    for (envelope, outcome) in [
        (envelope_bytes(), Ok(())),
        (varint_field(2, 5), malformed),
        ([field(1, &[1; 15]), varint_field(2, 5)].concat(), malformed),
        ([field(1, &[1; 16]), varint_field(2, 253_402_300_800_000)].concat(), range),
        ([envelope_bytes(), varint_field(4, 31_536_001)].concat(), range),
        ([envelope_bytes(), field(3, &field(2, &[1; 16]))].concat(), range), // an answer to nobody
        ([envelope_bytes(), varint_field(5, 1)].concat(), Err(ContentError::Unfit)), // a text to be shown once
    ] {
        let read = Content::from_body(&body(&[envelope, field(16, &field(1, b"halo"))].concat()));
        assert_eq!(read.map(drop), outcome);
    }
}

/// P-7.10
#[test]
fn a_file_name_is_no_path_and_shows_what_it_is() {
    let outcome = |name: &str| {
        let document = Kind::Document(Document::new(blob(), name));
        Content::new(Envelope::new(now(), &mut ConstantRng(1)), document).map(drop)
    };
    for name in ["laporan.pdf", "..pdf", "...", "été 2026.tar.gz", "報告.pdf", ".profile"] {
        assert_eq!(outcome(name), Ok(()), "{name}");
    }
    let deceiving = [
        "/etc/passwd",
        "a/b",
        "a\\b",
        ".",
        "..",
        "a\0b",
        "a\nb",
        "a\u{7f}",
        "a\u{202e}fdp.exe",
        "\u{2066}a",
        "\u{200f}a",
    ];
    for name in deceiving {
        assert_eq!(outcome(name), Err(ContentError::OutOfRange), "{name:?}");
    }
}

/// P-7.4. Two bytes for each empty message, which would be a hundred in memory; refused before the first is built.
#[test]
fn a_list_of_a_hundred_thousand_allocates_nothing() {
    let many = |record: Vec<u8>| record.repeat(200_000 / record.len());
    let bombs = [
        field(16, &[field(1, b"halo"), many(field(2, &[]))].concat()),
        field(27, &[field(1, &[7; 32]), many(field(3, &[]))].concat()),
        field(32, &[varint_field(1, 1), many(field(2, &[]))].concat()),
        field(17, &field(4, &many(field(2, &[])))),
        many(field(16, &[])),
    ];
    for bomb in bombs {
        let body = body(&[envelope_bytes(), bomb].concat());
        let allocated = measure(|| assert_eq!(Content::from_body(&body), Err(ContentError::Malformed)));
        assert_eq!(allocated.count_total, 0);
    }
}

/// Whatever is accepted takes a small multiple of its body, and its lists a constant.
#[test]
fn memory_is_bounded_by_the_body() {
    let mention = |at| [varint_field(1, at), varint_field(2, 1), field(3, b"x")].concat();
    let mentions = (0..256).flat_map(|at| field(2, &mention(at))).collect();
    let largest = [
        field(16, &[field(1, &[b'a'; 65_536]), mentions].concat()),
        field(40, &vec![7; 250_000]),
        field(16, &[field(1, b"a"), field(9, &[]).repeat(100_000)].concat()),
    ];
    for kind in largest {
        let body = body(&[envelope_bytes(), kind].concat());
        let allocated = measure(|| assert!(Content::from_body(&body).is_ok()));
        let bound = 3 * u64::try_from(body.len()).unwrap() + 64 * 1024;
        assert!(allocated.bytes_max <= bound, "{} bytes for {}", allocated.bytes_max, body.len());
    }
}

/// P-7.7
#[test]
fn one_id_of_two_authors_names_two_contents() {
    let content = text("halo");
    let (ana, budi) = (person("ana"), person("budi"));
    assert_eq!(content.reference(&ana), content.reference(&ana));
    assert_ne!(content.reference(&ana), content.reference(&budi));
    let key = Identity::generate(&mut SeededRng::new(1));
    assert_eq!(PersonId::from(key.public()).as_bytes(), key.public().to_bytes(), "a device is named by its whole key");
}

/// P-7.8
#[test]
fn an_edit_and_a_deletion_reach_only_their_senders_contents() {
    let (mallory, target) = (person("mallory"), ContentId::from_bytes([5; 16]));
    let edit = Edit { target, text: Text::new("I owe you a million") };
    for named in [edit.target_of(&mallory), Delete { target }.target_of(&mallory)] {
        assert_eq!(named, Reference { author: mallory.clone(), id: target });
    }
}

/// P-7.9
#[test]
fn a_shared_position_never_moves_back() {
    let start = Content::new(
        Envelope::new(now(), &mut ConstantRng(1)),
        Kind::LiveStart(LiveStart { at: here(), duration: 900 }),
    );
    let start = start.unwrap();
    assert!(LiveShare::follow(&text("halo")).is_none());
    let mut share = LiveShare::follow(&start).unwrap();
    assert_eq!(share.until.as_unix_milliseconds(), now().as_unix_milliseconds() + 900_000);
    let update = |share, sequence| LiveUpdate { share, sequence, at: here() };
    let (ours, other) = (start.id(), ContentId::from_bytes([9; 16]));
    let taken = [1, 3, 2, 3, 4, 0].map(|sequence| share.update(&update(ours, sequence)));
    assert_eq!(taken, [true, true, false, false, true, false]);
    assert!(!share.update(&update(other, 5)) && !share.stop(LiveStop { share: other }));
    assert!(share.update(&update(ours, 5)), "another share's stop is not ours");
    assert!(share.stop(LiveStop { share: ours }) && !share.update(&update(ours, 6)));
}

/// P-7.11, P-7.12
#[test]
fn a_vote_opens_only_for_its_voter_in_its_poll_as_it_is() {
    let rng = &mut SeededRng::new(4);
    let (ana, budi, cici) = (person("ana"), person("budi"), person("cici"));
    let poll = Content::new(Envelope::new(now(), rng), Kind::Poll(Poll::new("makan?", ["nasi", "mi", "roti"], 2, rng)))
        .unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let ballot = votes.cast(&[2, 0], &budi, now(), None, rng).unwrap();
    let vote = votes.open(&ballot, &budi).unwrap();
    assert_eq!((vote.choices().collect::<Vec<_>>(), vote.sent()), (vec![0, 2], now()));
    assert_eq!(votes.open(&ballot, &cici), Err(BallotError::Rejected), "another voter");
    assert_eq!(votes.open(&ballot, &person("bud")), Err(BallotError::Rejected), "a part of the name");

    let rejected_in = |content: &Content, author: &PersonId, why: &str| {
        // The ballot that says itself that it is for that poll, sealed as it was.
        let moved = reworked(&ballot_content(&ballot), &reference_bytes(&content.reference(author)));
        let Kind::Ballot(moved) = moved.kind() else { panic!() };
        let others = Votes::in_poll(content, author).unwrap();
        assert_eq!(others.open(&ballot, &budi), Err(BallotError::Rejected), "{why}: as it was sent");
        assert_eq!(others.open(moved, &budi), Err(BallotError::Rejected), "{why}: renamed");
    };
    let with = |change: &dyn Fn(&mut Poll, &mut Envelope)| {
        let (Kind::Poll(mut poll), mut envelope) = (poll.kind().clone(), poll.envelope().clone()) else { panic!() };
        change(&mut poll, &mut envelope);
        Content::new(envelope, Kind::Poll(poll)).unwrap()
    };
    rejected_in(&poll, &cici, "the same poll of another author");
    rejected_in(&with(&|_, envelope| envelope.id = ContentId::from_bytes([3; 16])), &ana, "another id");
    let same_name = |change: &dyn Fn(&mut Poll, &mut Envelope), why: &str| {
        let other = with(change);
        assert_eq!(Votes::in_poll(&other, &ana).unwrap().open(&ballot, &budi), Err(BallotError::Rejected), "{why}");
    };
    same_name(&|poll, _| poll.options.reverse(), "options in another order");
    same_name(&|poll, _| poll.options.push("sate".into()), "one option more");
    same_name(&|poll, _| poll.question = "makan".into(), "another question");
    same_name(&|poll, _| poll.most_choices = 3, "another rule");
    let other = Poll::new("makan?", ["nasi", "mi", "roti"], 2, rng);
    same_name(&|poll, _| *poll = other.clone(), "another secret");
    let at_end =
        |poll: &mut Poll, _: &mut Envelope| (poll.question, poll.options[0]) = ("makan?n".into(), "asi".into());
    same_name(&at_end, "a letter on the other side of a border");
    let between = |poll: &mut Poll, _: &mut Envelope| poll.options = ["nasim", "i", "roti"].map(Into::into).to_vec();
    same_name(&between, "a letter in the other option");
    let elsewhere = reworked(&ballot_content(&ballot), &reference_bytes(&reference(9)));
    let Kind::Ballot(elsewhere) = elsewhere.kind() else { panic!() };
    assert_eq!(votes.open(elsewhere, &budi), Err(BallotError::Rejected), "it says that it is for another poll");
}

#[test]
fn a_ballot_with_any_byte_changed_is_refused() {
    let rng = &mut SeededRng::new(5);
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Content::new(Envelope::new(now(), rng), Kind::Poll(Poll::new("?", ["a", "b"], 1, rng))).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let content = ballot_content(&votes.cast(&[1], &budi, now(), None, rng).unwrap());
    let bytes = protobuf(&content);
    let sealed = bytes.len() - 60;
    for at in sealed..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            let content = Content::from_body(&body(&changed)).unwrap();
            let Kind::Ballot(ballot) = content.kind() else { panic!() };
            assert_eq!(votes.open(ballot, &budi), Err(BallotError::Rejected), "byte {at}");
        }
    }
}

/// P-7.13
#[test]
fn a_vote_that_the_poll_does_not_allow_is_neither_cast_nor_counted() {
    let rng = &mut SeededRng::new(6);
    let (ana, budi) = (person("ana"), person("budi"));
    let all = (0..32).map(|option| option.to_string()).collect::<Vec<_>>();
    for options in [2, 31, 32] {
        let poll = Poll::new("?", all[..options].to_vec(), 2, rng);
        let poll = Content::new(Envelope::new(now(), rng), Kind::Poll(poll)).unwrap();
        let votes = Votes::in_poll(&poll, &ana).unwrap();
        let outcome = |choices: &[usize], rng: &mut SeededRng| {
            votes
                .cast(choices, &budi, now(), None, rng)
                .map(|ballot| votes.open(&ballot, &budi).unwrap().choices().collect())
        };
        assert_eq!(outcome(&[], rng), Ok(vec![]));
        assert_eq!(outcome(&[options - 1, 0], rng), Ok(vec![0, options - 1]));
        for refused in [[options].as_slice(), &[0, 0], &[usize::MAX], &[32], &[64], &[1 << 31]] {
            assert_eq!(outcome(refused, rng), Err(ContentError::OutOfRange), "{refused:?} of {options}");
        }
        if options > 2 {
            assert_eq!(outcome(&[0, 1, 2], rng), Err(ContentError::OutOfRange));
        }
    }
}

/// P-7.14
#[test]
fn of_several_votes_the_latest_counts_in_whatever_order_they_come() {
    let rng = &mut SeededRng::new(7);
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Content::new(Envelope::new(now(), rng), Kind::Poll(Poll::new("?", ["a", "b", "c"], 3, rng))).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let mut cast = |choices: &[usize], at: u64, earlier| {
        let sent = SentAt::from_unix_milliseconds(at).unwrap();
        votes.open(&votes.cast(choices, &budi, sent, earlier, rng).unwrap(), &budi).unwrap()
    };
    let first = cast(&[0], 1_000, None);
    // Two devices that do not know of each other; and a clock that was put back, which does not matter.
    let (phone, tablet) = (cast(&[1], 2_000, Some(&first)), cast(&[2], 3_000, Some(&first)));
    let last = cast(&[], 500, Some(&phone));
    assert!(first < phone && phone < tablet && tablet < last);
    for order in [[first, phone, tablet, last], [last, tablet, phone, first], [tablet, last, first, phone]] {
        assert_eq!(order.into_iter().max(), Some(last));
    }
}

/// P-7.12. A generator that repeats itself gives two votes two nonces, and one ballot no more than the other's length.
#[test]
fn ballots_are_hedged_and_all_of_one_length() {
    let (ana, budi) = (person("ana"), person("budi"));
    let poll = Poll::new("?", ["a", "b", "c"], 3, &mut ConstantRng(1));
    let poll = Content::new(Envelope::new(now(), &mut ConstantRng(2)), Kind::Poll(poll)).unwrap();
    let votes = Votes::in_poll(&poll, &ana).unwrap();
    let sealed = |choices: &[usize]| {
        let ballot = votes.cast(choices, &budi, now(), None, &mut ConstantRng(3)).unwrap();
        let content = ballot_content(&ballot);
        (protobuf(&content).len(), protobuf(&content).last_chunk::<60>().unwrap().to_vec())
    };
    let ((length, one), (same, other)) = (sealed(&[0]), sealed(&[0, 1, 2]));
    assert_eq!(length, same);
    assert_ne!(one[..24], other[..24]);
}

/// P-7.15
#[test]
fn only_what_is_shown_gives_receipts() {
    for (kind, shown) in one_of_each() {
        let content = Content::new(Envelope::new(now(), &mut ConstantRng(1)), kind).unwrap();
        let content = Content::from_body(content.as_body()).unwrap();
        assert_eq!(content.visible().is_some(), shown, "{content:?}");
        let Some(visible) = content.visible() else { continue };
        let plays = matches!(content.kind(), Kind::Video(_) | Kind::VoiceNote(_));
        assert_eq!(Receipt::played(&visible).is_some(), plays);
        let receipt = Receipt::read(&visible);
        assert_eq!((receipt.status(), receipt.messages()), (ReceiptStatus::Read, [content.id()].as_slice()));
        let receipt = Content::new(Envelope::new(now(), &mut ConstantRng(2)), Kind::Receipt(receipt)).unwrap();
        assert!(receipt.visible().is_none(), "receipts are not confirmed");
    }
    let unknown = Content::from_body(&body(&[envelope_bytes(), field(94, b"later")].concat())).unwrap();
    assert!(unknown.visible().is_none(), "what is not known is not shown");
    let mut once = Envelope::new(now(), &mut ConstantRng(3));
    once.view_once = true;
    let once = Content::new(once, Kind::Photo(Photo::new(blob(), SQUARE))).unwrap();
    let opened = Receipt::played(&once.visible().unwrap()).unwrap();
    assert_eq!(opened.status(), ReceiptStatus::Played);
}

#[test]
fn receipts_that_say_the_same_travel_together() {
    let rng = &mut SeededRng::new(8);
    let contents: Vec<_> =
        (0..257).map(|_| Content::new(Envelope::new(now(), rng), Kind::Text(Text::new("halo"))).unwrap()).collect();
    let read: Vec<_> = contents.iter().map(|content| Receipt::read(&content.visible().unwrap())).collect();
    let all = read[1..].iter().skip(1).try_fold(read[1].clone(), |all, one| all.merge(one)).unwrap();
    assert_eq!(all.messages().len(), 256);
    assert_eq!(all.clone().merge(&read[1]).as_ref(), Ok(&all), "each once");
    assert_eq!(all.clone().merge(&read[0]), Err(ContentError::TooLong));
    assert_eq!(read[0].clone().merge(&Receipt::delivered(&contents[1].visible().unwrap())), Err(ContentError::Unfit));
    let later = field(32, &[varint_field(1, 4), field(2, &[1; 16])].concat());
    let later = Content::from_body(&body(&[envelope_bytes(), later].concat())).unwrap();
    let Kind::Receipt(later) = later.kind() else { panic!() };
    assert_eq!(later.status(), ReceiptStatus::Unknown);
}

#[test]
fn a_timer_counts_from_reading() {
    let mut envelope = Envelope::new(now(), &mut ConstantRng(1));
    let read = Timestamp::from_unix_seconds(1_000);
    let content = |envelope: &Envelope| Content::new(envelope.clone(), Kind::Text(Text::new("halo"))).unwrap();
    assert_eq!(content(&envelope).disappears(read), None);
    envelope.disappears_after = 60;
    assert_eq!(content(&envelope).disappears(read), Some(Timestamp::from_unix_seconds(1_060)));
}

// ---- contents ------------------------------------------------------------------------------------------------------

const SQUARE: Dimensions = Dimensions { width: 10, height: 10 };

fn now() -> SentAt {
    SentAt::from_unix_milliseconds(1_800_000_000_123).unwrap()
}

fn person(name: &str) -> PersonId {
    PersonId::new(name.as_bytes()).unwrap()
}

fn reference(id: u8) -> Reference {
    Reference { author: person("ana"), id: ContentId::from_bytes([id; 16]) }
}

fn here() -> Coordinates {
    Coordinates::from_degrees(-6.2, 106.8).unwrap().with_accuracy(12).unwrap()
}

fn text(body: &str) -> Content {
    Content::new(Envelope::new(now(), &mut ConstantRng(1)), Kind::Text(Text::new(body))).unwrap()
}

fn pointer_bytes() -> Vec<u8> {
    [&[1], [7; 64].as_slice(), &1_000_u64.to_be_bytes(), &[9], b"image/png", &[0; 4]].concat()
}

fn blob() -> Blob {
    Blob { pointer: Pointer::from_bytes(&pointer_bytes()).unwrap(), location: "https://blobs/1".into() }
}

fn too_long() -> Result<(), ContentError> {
    Err(ContentError::TooLong)
}

/// Every kind, and whether it is shown.
fn one_of_each() -> Vec<(Kind, bool)> {
    let id = ContentId::from_bytes([5; 16]);
    let ana = person("ana");
    let poll = Content::new(
        Envelope::new(now(), &mut ConstantRng(4)),
        Kind::Poll(Poll::new("?", ["a", "b"], 1, &mut ConstantRng(5))),
    )
    .unwrap();
    let ballot = Votes::in_poll(&poll, &ana).unwrap().cast(&[0], &ana, now(), None, &mut ConstantRng(6)).unwrap();
    vec![
        (Kind::Text(Text::new("halo")), true),
        (Kind::Photo(Photo::new(blob(), SQUARE)), true),
        (Kind::Video(Video::new(blob(), SQUARE, 1_000)), true),
        (Kind::VoiceNote(VoiceNote::new(blob(), 1_000)), true),
        (Kind::Document(Document::new(blob(), "laporan.pdf")), true),
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
        (Kind::Timer(Timer { seconds: 60 }), false),
    ]
}

/// The last that fits and the first that does not, of everything that a composer can get wrong.
fn at_the_bounds() -> Vec<(Kind, Result<(), ContentError>)> {
    let (range, long) = (Err(ContentError::OutOfRange), too_long());
    let words = |length: usize| PrivateText::from("a".repeat(length));
    let located = |length| Blob { location: words(length), ..blob() };
    let document = |name| Kind::Document(Document::new(blob(), words(name)));
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
        (document(255), Ok(())),
        (document(256), long),
        (document(0), range),
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
        (Kind::Timer(Timer { seconds: 31_536_000 }), Ok(())),
        (Kind::Timer(Timer { seconds: 31_536_001 }), range),
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
        (Photo::new(blob(), SQUARE), Video::new(blob(), SQUARE, 0), Document::new(blob(), "a"));
    (photo.caption, video.caption, document.caption) = (empty(), empty(), empty());
    table.extend([Kind::Photo(photo), Kind::Video(video), Kind::Document(document)].map(|kind| (kind, range)));
    table
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    let reply = prop::option::of((any::<[u8; 16]>(), prop::collection::vec(any::<u8>(), 1..=128)));
    let sent = 0..=253_402_300_799_999_u64;
    (any::<u8>(), sent, reply, 0..=31_536_000_u32, any::<bool>()).prop_map(|(id, sent, reply, seconds, forwarded)| {
        let mut envelope = Envelope::new(SentAt::from_unix_milliseconds(sent).unwrap(), &mut ConstantRng(id));
        envelope.reply_to = reply
            .map(|(id, author)| Reference { author: PersonId::new(&author).unwrap(), id: ContentId::from_bytes(id) });
        (envelope.disappears_after, envelope.forwarded) = (seconds, forwarded);
        envelope
    })
}

fn texts() -> impl Strategy<Value = Text> {
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

/// Each kind with whatever it can hold.
fn kinds() -> impl Strategy<Value = Kind> {
    let caption = || prop::option::of(texts());
    let size = || (1..=65_535_u32, 1..=65_535_u32).prop_map(|(width, height)| Dimensions { width, height });
    let at = || {
        (-90.0..=90.0, -180.0..=180.0, 0..=20_037_508_u32).prop_map(|(north, east, metres)| {
            Coordinates::from_degrees(north, east).unwrap().with_accuracy(metres).unwrap()
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
        ("[a-z]{1,50}\\.pdf", caption()).prop_map(|(name, caption)| {
            let mut document = Document::new(blob(), name);
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
        prop::sample::select(one_of_each()).prop_map(|(kind, _)| kind),
    ]
}

// ---- bytes ---------------------------------------------------------------------------------------------------------

fn envelope_bytes() -> Vec<u8> {
    [field(1, &[1; 16]), varint_field(2, 1_800_000_000_000)].concat()
}

fn blob_bytes() -> Vec<u8> {
    [field(1, &pointer_bytes()), field(2, b"https://blobs/1")].concat()
}

fn reference_bytes(reference: &Reference) -> Vec<u8> {
    [field(1, reference.author.as_bytes()), field(2, reference.id.as_bytes())].concat()
}

fn ballot_content(ballot: &bisik::content::Ballot) -> Content {
    Content::new(Envelope::new(now(), &mut ConstantRng(1)), Kind::Ballot(ballot.clone())).unwrap()
}

/// The same sealed vote under another name of a poll.
fn reworked(ballot: &Content, poll: &[u8]) -> Content {
    let sealed = protobuf(ballot).last_chunk::<60>().unwrap();
    let kind = field(28, &[field(1, poll), field(2, sealed)].concat());
    Content::from_body(&body(&[envelope_bytes(), kind].concat())).unwrap()
}
