//! Composing and reading a content: one encoding, unknown fields survive, and a hostile body allocates little.

use allocation_counter::measure;
use bisik::Timestamp;
use bisik::content::{Content, ContentError, ContentMeta, Kind, Photo};
use bisik_testkit::ConstantRng;
use bisik_testkit::protobuf::{body, field, protobuf, varint_field};
use proptest::prelude::*;

use super::fixtures::*;

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn composed_content_reads_back_unchanged(meta in metas(), kind in kinds()) {
        let content = Content::new(meta, kind).unwrap();
        let read = Content::from_body(content.as_body()).unwrap();
        prop_assert_eq!(&read, &content);
        prop_assert_eq!(read.meta(), content.meta());
        prop_assert_eq!(read.kind(), content.kind());
        // The padding is correct for any content: to the length of its class.
        let length = content.as_body().len();
        prop_assert!(length >= 32 && length <= (protobuf(&content).len() + 4).max(32) * 9 / 8);
    }

    /// Arbitrary bytes in a correctly padded body.
    #[test]
    fn any_protobuf_is_refused_or_read_without_losing_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = body(&bytes);
        if let Ok(content) = Content::from_body(&body) {
            prop_assert_eq!(content.as_body(), body);
        }
        let _ = Content::from_body(&bytes);
    }

    /// Slightly changed valid content.
    #[test]
    fn changed_content_is_read_or_refused_without_panic(
        meta in metas(),
        kind in kinds(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let content = Content::new(meta, kind).unwrap();
        let mut bytes = protobuf(&content).to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(content) = Content::from_body(&body(&bytes)) {
            prop_assert_eq!(protobuf(&content), bytes);
            let _ = (format!("{content:?}"), content.visible(), content.disappears(Timestamp::from_unix_seconds(u64::MAX)));
            let _ = content.forward(ContentMeta::new(now(), &mut ConstantRng(1)));
        }
    }
}

/// P-7.1, P-7.2
#[test]
fn a_content_has_exactly_one_padded_body() {
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

/// P-7.3
#[test]
fn fields_of_the_wrong_type_are_refused() {
    let good = field(16, &field(1, b"halo"));
    let refused = |records: &[u8]| {
        let body = body(&[meta_bytes(), good.clone(), records.to_vec()].concat());
        assert_eq!(Content::from_body(&body), Err(ContentError::Malformed), "{records:x?}");
    };
    refused(&[0x20, 0x80]); // a varint without an end
    refused(&[0x25, 1, 0, 0, 0]); // disappears_after_s as four bytes
    refused(&varint_field(4, 1 << 32)); // and more than it holds
    refused(&varint_field(5, 2)); // view_once that is neither
    refused(&field(4, &[1])); // disappears_after_s as bytes
    refused(&[200 << 3 & 0x7f | 0x83, 0x0c]); // a group, in an unknown field
    refused(&field(3, &[0x0a, 5, 1])); // reply_to that is cut short
    let text = |bytes: &[u8]| body(&[meta_bytes(), field(16, &field(1, bytes))].concat());
    assert!(Content::from_body(&text("halo é".as_bytes())).is_ok());
    let no_text = text(b"halo \xe9");
    let allocated = measure(|| assert_eq!(Content::from_body(&no_text), Err(ContentError::Malformed)));
    assert_eq!(allocated.count_total, 0, "and before a copy is made");
}

/// P-7.4
#[test]
fn duplicate_singular_fields_are_refused_at_every_depth() {
    let (text, mention) = (field(1, b"halo"), [varint_field(1, 0), varint_field(2, 1), field(3, b"budi")].concat());
    let with = |text: &[u8]| Content::from_body(&body(&[meta_bytes(), field(16, text)].concat()));
    let twice = Err(ContentError::Malformed);
    assert!(with(&[text.clone(), field(2, &mention)].concat()).is_ok());
    assert_eq!(with(&[text.clone(), text.clone()].concat()), twice);
    assert_eq!(with(&[text.clone(), field(2, &[mention, varint_field(1, 0)].concat())].concat()), twice);
    let again = [meta_bytes(), field(16, &text), varint_field(2, 7)].concat();
    assert_eq!(Content::from_body(&body(&again)), twice);
    // Unknown fields may be repeated.
    assert!(with(&[text, field(99, b"a"), field(99, b"b")].concat()).is_ok());
}

/// P-7.5
#[test]
fn content_of_no_kind_or_two_kinds_is_refused() {
    let read = |records: &[u8]| Content::from_body(&body(&[&meta_bytes(), records].concat()));
    let text = field(16, &field(1, b"halo"));
    assert_eq!(read(&[]), Err(ContentError::Malformed), "nothing");
    assert_eq!(read(&[text.clone(), text.clone()].concat()), Err(ContentError::Malformed), "the same twice");
    for other in [34, 35, 64, 74, 127] {
        assert_eq!(read(&[text.clone(), field(other, &[])].concat()), Err(ContentError::Malformed), "and a {other}");
    }
    for unknown in [43, 63, 74, 95, 127] {
        let content = read(&field(unknown, b"later")).unwrap();
        let Kind::Unknown(kind) = content.kind() else { panic!("{content:?}") };
        assert_eq!(u64::from(kind.number()), unknown);
        assert_eq!(read(&varint_field(unknown, 1)), Err(ContentError::Malformed), "a kind is a message");
    }
    // Field numbers outside this range are not kinds.
    assert!(read(&[text, varint_field(8, 1), field(128, b"x")].concat()).is_ok());
}

/// P-7.6
#[test]
fn unknown_fields_survive_reading_and_forwarding() {
    let unknown = [varint_field(8, 1), field(200, b"of the metadata")].concat();
    let kinds = [
        field(16, &[field(1, b"halo"), field(77, b"a style")].concat()),
        field(94, &[field(1, b"an invoice"), field(2, b"4.50")].concat()),
    ];
    for kind in kinds {
        let bytes = [meta_bytes(), varint_field(4, 60), kind.clone(), unknown.clone()].concat();
        let content = Content::from_body(&body(&bytes)).unwrap();
        assert_eq!(protobuf(&content), bytes);

        let mut meta = ContentMeta::new(now(), &mut ConstantRng(9));
        meta.reply_to = Some(reference(5));
        let forwarded = content.forward(meta.clone()).unwrap();
        let read = Content::from_body(forwarded.as_body()).unwrap();
        meta.forwarded = true;
        assert_eq!((read.meta(), read.kind()), (&meta, content.kind()), "under the new metadata, without the timer");
        let tail = [kind, unknown.clone()].concat();
        assert!(protobuf(&read).ends_with(&tail), "everything else, byte for byte");
        assert!(read.forward(ContentMeta::new(now(), &mut ConstantRng(8))).is_ok(), "and again");
    }
}

#[test]
fn polls_live_locations_and_view_once_content_cannot_be_forwarded() {
    let meta = || ContentMeta::new(now(), &mut ConstantRng(7));
    for (kind, shown) in one_of_each() {
        let tied = matches!(kind, Kind::LiveStart(_) | Kind::Poll(_) | Kind::Event(_));
        let forwarded = Content::new(meta(), kind).unwrap().forward(meta());
        assert_eq!(forwarded.is_ok(), shown && !tied, "{forwarded:?}");
    }
    let mut once = meta();
    once.view_once = true;
    let once = Content::new(once, Kind::Photo(Photo::new(blob(), SQUARE))).unwrap();
    assert_eq!(once.forward(meta()), Err(ContentError::NotAllowed));
}

/// P-7.4. Each empty message is two bytes, and would take a hundred in memory; it is refused before the first is built.
#[test]
fn an_overlong_list_allocates_nothing() {
    let many = |record: Vec<u8>| record.repeat(200_000 / record.len());
    let bombs = [
        field(16, &[field(1, b"halo"), many(field(2, &[]))].concat()),
        field(27, &[field(1, &[7; 32]), many(field(3, &[]))].concat()),
        field(32, &[varint_field(1, 1), many(field(2, &[]))].concat()),
        field(17, &field(4, &many(field(2, &[])))),
        field(40, &[field(1, &[1; 16]), many(field(2, &[]))].concat()),
        field(41, &many(field(1, &[]))),
        many(field(16, &[])),
    ];
    for bomb in bombs {
        let body = body(&[meta_bytes(), bomb].concat());
        let allocated = measure(|| assert_eq!(Content::from_body(&body), Err(ContentError::Malformed)));
        assert_eq!(allocated.count_total, 0);
    }
}

/// Accepted content takes a small multiple of its body, and its lists a constant.
#[test]
fn memory_for_reading_is_bounded_by_the_body() {
    let mention = |at| [varint_field(1, at), varint_field(2, 1), field(3, b"x")].concat();
    let mentions = (0..256).flat_map(|at| field(2, &mention(at))).collect();
    let largest = [
        field(16, &[field(1, &[b'a'; 65_536]), mentions].concat()),
        field(60, &vec![7; 250_000]),
        field(16, &[field(1, b"a"), field(9, &[]).repeat(100_000)].concat()),
    ];
    for kind in largest {
        let body = body(&[meta_bytes(), kind].concat());
        let allocated = measure(|| assert!(Content::from_body(&body).is_ok()));
        let bound = 3 * u64::try_from(body.len()).unwrap() + 64 * 1024;
        assert!(allocated.bytes_max <= bound, "{} bytes for {}", allocated.bytes_max, body.len());
    }
}
