//! Frames written out by hand from the layout, and their sizes.

use super::*;

/// Every field of the layout, written out by hand.
const FULL: [&str; 20] = [
    "02",                                // version
    "01ff",                              // flags: named, lost, replaced, first words, answer, ask, checkpoint, …
    "7f 8001",                           // sequence numbers 127 and 128
    "dddddddddddddddddddddddddddddddd",  // digest of the lists
    "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",  // conversation
    "",                                  // the peer's account key
    "0101010101010101 0202020202020202", // labels
    "0303030303030303 0404040404040404",
    "cccccccccccccccccccccccccccccccc", // checkpoint
    "0000000000000101 8002",            // last = 257, base two hundred and fifty-six below 258
    "0000000000000200 01",              // horizon = 512, which is also the highest
    "02 0505050505050505 0707070707070707",
    "01 0606060606060606",
    "a5a5a5a5",                                                             // ask
    "00000001",                                                             // answer
    "02 f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0 f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1", // digests of the first words
    "4e4e4e4e4e4e4e4e",
    "02 0000000000000002 0909090909090909 0000000000000003 0808080808080808",
    "01 0000000000000101 b0b0b0b0b0b0b0b0", // a message and its name
    "68616c6f",
];

fn full_bytes() -> Vec<u8> {
    let mut parts: Vec<_> = FULL.iter().map(|part| bytes(part)).collect();
    parts[5] = account().to_bytes().to_vec();
    parts.concat()
}

#[test]
fn a_bare_frame_has_the_bytes_that_the_layout_gives() {
    let written = "02 0000 01 02 dddddddddddddddddddddddddddddddd 0000000000000000 00 0000000000000000 00 00 00";
    assert_eq!(**bare().encode(), bytes(written));
    assert_eq!(decoded(&bytes(written)), Ok(bare()));
}

#[test]
fn a_frame_with_every_field_has_the_bytes_that_the_layout_gives() {
    assert_eq!(**full().encode(), full_bytes());
    assert_eq!(decoded(&full_bytes()), Ok(full()));
}

#[test]
fn an_ephemeral_frame_has_its_bytes_and_no_name() {
    let written = "02 0200 01 02 dddddddddddddddddddddddddddddddd 0000000000000000 00 0000000000000000 00 00 00 07";
    let frame = Frame { content: Content::Ephemeral(&[7]), ..bare() };
    assert_eq!(**frame.encode(), bytes(written));
    assert_eq!(decoded(&bytes(written)), Ok(frame));
}

/// One flag each, and where its field is.
#[test]
fn each_flag_adds_its_own_field_only() {
    let head = "01 02 dddddddddddddddddddddddddddddddd";
    let opening = Opening { conversation: ConversationId::from_bytes([0xc0; 16]), peer: None, labels: [[1; 8]; 4] };
    let opened = "c0".repeat(16) + &"01".repeat(32);
    let marks = "0000000000000000 00 0000000000000000 00 00 00";
    let sixteen = "5e".repeat(16);
    for (flags, frame, before, after) in [
        ("0001", Frame { for_own: true, ..bare() }, "", ""),
        ("0002", Frame { opening: Some(opening), ..bare() }, &*opened, ""),
        ("0004", Frame { checkpoint: Some([0x5e; 16]), ..bare() }, &sixteen, ""),
        ("0008", Frame { ask: Some([1, 2, 3, 4]), ..bare() }, "", "01020304"),
        ("0010", Frame { answer: Some([1, 2, 3, 4]), ..bare() }, "", "01020304"),
        ("0020", Frame { first_words: vec![[0x5e; 16]], ..bare() }, "", &std::format!("01{sixteen}")),
        ("0040", Frame { replaced_by: Some([9; 8]), ..bare() }, "", "0909090909090909"),
        ("0080", Frame { lost: vec![name(0, 9)], ..bare() }, "", "01 0000000000000000 0909090909090909"),
    ] {
        let written = bytes(&["02", flags, head, before, marks, after].join(" "));
        assert_eq!(**frame.encode(), written, "{flags}");
        assert_eq!(decoded(&written), Ok(frame), "{flags}");
    }
}

/// P-12.10.
#[test]
fn a_kind_of_a_newer_program_keeps_its_byte() {
    let known = [Kind::Message, Kind::Withdrawn, Kind::Decision, Kind::DecisionReceipt, Kind::Private, Kind::Letter];
    for byte in 0..=u8::MAX {
        match Kind::from_byte(byte) {
            Err(Malformed) => assert_eq!(byte, 0),
            Ok(kind) => {
                assert_eq!(kind.byte(), byte);
                assert_eq!(matches!(kind, Kind::Unknown(_)), byte > 5 && byte != 16);
            }
        }
    }
    assert_eq!(known.map(Kind::byte), [1, 2, 3, 4, 5, 16]);
    let newer = Content::Named { kind: Kind::from_byte(17).unwrap(), id: name(0, 9), bytes: b"baru" };
    let frame = Frame { content: newer, ..bare() };
    assert_eq!(decoded(&frame.encode()), Ok(frame));
}

/// Of a message, and with each acknowledged name eight more.
#[test]
fn a_frame_of_a_conversation_that_goes_on_has_58_to_62_bytes() {
    let last = 1_800_000_000 << 10;
    let overhead = |base_below: u64, known: Option<u64>, names: u8| {
        let content = Content::Named { kind: Kind::Message, id: name(last, 1), bytes: b"halo" };
        let base = last - base_below;
        let highest = known.map(|above| last + above);
        let shown = (0..names).map(tag).collect();
        Frame { last, base, horizon: last, highest, shown, content, ..bare() }.encode().len() - 4
    };
    assert_eq!(overhead(0, None, 0), 58);
    assert_eq!(overhead(0, Some(0), 1), 58 + 8);
    assert_eq!(overhead(0, Some(100), 8), 58 + 64);
    // A message that waited for a quarter of an hour, beside another that arrived that long after the horizon.
    assert_eq!(overhead(900 << 10, Some(900 << 10), 0), 62);
}

#[test]
fn the_longest_frame_is_its_overhead_its_lists_and_its_content() {
    let tags = |from: u16, count: usize| {
        (from..).map(|number| Tag(u64::from(number).to_be_bytes())).take(count).collect::<Vec<_>>()
    };
    let content = vec![0x68; MAX_CONTENT];
    let frame = Frame {
        lists: Lists { own: (1 << 35) - 1, peer: (1 << 35) - 1, digest: [0xdd; 16] },
        last: NUMBERS - 1,
        base: 0,
        highest: Some(NUMBERS - 1),
        horizon: 0,
        shown: tags(0, MAX_SHOWN),
        closed: tags(1_000, MAX_CLOSED),
        first_words: (0..64).map(|number| [number; 16]).collect(),
        lost: (0..64).map(|number| name(number, 9)).collect(),
        content: Content::Named { kind: Kind::Message, id: name(NUMBERS - 1, 1), bytes: &content },
        ..full()
    };
    let encoded = frame.encode();
    assert_eq!(encoded.len(), OVERHEAD + 8 * (MAX_SHOWN + MAX_CLOSED) + 16 * (MAX_WORDS + MAX_LOST) + MAX_CONTENT);
    assert_eq!((OVERHEAD, encoded.len()), (230, 266_598));
    assert_eq!(encoded.len(), encoded.capacity(), "memory is taken once");
    assert_eq!(decoded(&encoded), Ok(frame.clone()));

    let longer = vec![0x68; MAX_CONTENT + 1];
    for content in [Content::Ephemeral(&longer), Content::Named { kind: Kind::Message, id: name(1, 1), bytes: &longer }]
    {
        assert_eq!(decoded(&Frame { content, ..frame.clone() }.encode()), Err(FrameError::Malformed));
    }
}

#[test]
fn debug_shows_no_word_of_the_content() {
    let frame = Frame { content: Content::Named { kind: Kind::Message, id: name(1, 1), bytes: b"rahasia" }, ..full() };
    let ephemeral = Frame { content: Content::Ephemeral(b"rahasia"), ..bare() };
    for shown in [std::format!("{frame:?}"), std::format!("{ephemeral:?}")] {
        assert!(shown.contains("length: 7"), "{shown}");
        assert!(!shown.contains("rahasia") && !shown.contains("114, 97, 104"), "{shown}");
    }
}
