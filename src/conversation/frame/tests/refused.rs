//! Bytes that are no frame, each for one reason; and frames that a careless caller makes.

use super::*;

/// P-12.8.
#[test]
fn a_frame_of_a_later_version_is_told_from_a_malformed_one() {
    assert_eq!(decoded(&[]), Err(FrameError::Malformed));
    for version in 0..=u8::MAX {
        let mut frame = full().encode().to_vec();
        frame[0] = version;
        match decoded(&frame) {
            Ok(_) => assert_eq!(version, 2),
            Err(FrameError::Malformed) => assert!(version < 2),
            Err(FrameError::NewerVersion(newer)) => assert!(newer == version && version > 2),
        }
        assert!(decoded(&[version]).is_err());
    }
}

/// Every piece of a frame is a frame only where its content begins.
#[test]
fn a_truncated_or_extended_frame_is_malformed() {
    let whole = full().encode().to_vec();
    for length in 0..whole.len() - 4 {
        assert_eq!(decoded(&whole[..length]), Err(FrameError::Malformed), "{length}");
    }
    let bare = bare().encode();
    for length in 0..bare.len() {
        assert_eq!(decoded(&bare[..length]), Err(FrameError::Malformed), "{length}");
    }
    assert_eq!(decoded(&[bare.as_slice(), &[0]].concat()), Err(FrameError::Malformed));
}

/// P-12.9: each rule by bytes that break it alone.
#[test]
fn a_frame_that_breaks_one_rule_is_malformed() {
    let lists = "01 02 dddddddddddddddddddddddddddddddd";
    let marks = "0000000000000000 00 0000000000000000 00";
    let tags = "00 00";
    let one = "01 0101010101010101";
    let digests = |[one, other]: [u8; 2]| std::format!("02{one:032x}{other:032x}");
    for (rule, written) in [
        ("an unknown flag", ["0400", lists, marks, tags, ""]),
        ("the highest flag", ["8000", lists, marks, tags, ""]),
        ("a name and no name", ["0300", lists, marks, tags, "01 0000000000000000 0101010101010101"]),
        ("a sequence number of 2^35", ["0000", "808080808001 02 dddddddddddddddddddddddddddddddd", marks, tags, ""]),
        (
            "a sequence number in two bytes for one",
            ["0000", "8100 02 dddddddddddddddddddddddddddddddd", marks, tags, ""],
        ),
        ("a last number of 2^60", ["0000", lists, "1000000000000000 01 0000000000000000 00", tags, ""]),
        ("a base of 2^60", ["0000", lists, "0fffffffffffffff 00 0000000000000000 00", tags, ""]),
        ("a base below 0", ["0000", lists, "0000000000000000 02 0000000000000000 00", tags, ""]),
        ("a base in two bytes for one", ["0000", lists, "0000000000000000 8000 0000000000000000 00", tags, ""]),
        ("a base in ten bytes", ["0000", lists, "0000000000000000 80808080808080808000 0000000000000000 00", tags, ""]),
        ("a horizon of 2^60", ["0000", lists, "0000000000000000 00 1000000000000000 00", tags, ""]),
        ("a highest number of 2^60", ["0000", lists, "0000000000000000 00 0fffffffffffffff 02", tags, ""]),
        ("shown tags twice", ["0000", lists, marks, "02 0101010101010101 0101010101010101 00", ""]),
        ("shown tags in descending order", ["0000", lists, marks, "02 0101010101010102 0101010101010101 00", ""]),
        ("closed tags twice", ["0000", lists, marks, "00 02 0101010101010101 0101010101010101", ""]),
        ("closed tags in descending order", ["0000", lists, marks, "00 02 0101010101010102 0101010101010101", ""]),
        ("a tag both shown and closed", ["0000", lists, marks, one, one]),
        ("a count in two bytes for one", ["0000", lists, marks, "8000 00", ""]),
        ("no digest where one is flagged", ["0020", lists, marks, tags, "00"]),
        ("a digest twice", ["0020", lists, marks, tags, &digests([1, 1])]),
        ("digests in descending order", ["0020", lists, marks, tags, &digests([2, 1])]),
        ("no lost name where one is flagged", ["0080", lists, marks, tags, "00"]),
        ("a lost name with a number of 2^60", ["0080", lists, marks, tags, "01 1000000000000000 0101010101010101"]),
        ("kind 0", ["0100", lists, marks, tags, "00 0000000000000000 0101010101010101"]),
        ("a number of 2^60", ["0100", lists, marks, tags, "01 1000000000000000 0101010101010101"]),
        ("a withdrawn message with bytes", ["0100", lists, marks, tags, "02 0000000000000000 0101010101010101 68"]),
        ("bytes after a bare frame", ["0000", lists, marks, tags, "00"]),
    ] {
        let written = bytes(&["02", &*written.join(" ")].join(" "));
        assert_eq!(decoded(&written), Err(FrameError::Malformed), "{rule}");
    }
    // In the middle of lists that are long enough to be cut anywhere.
    let lost = "0000000000000001 0000000000000002 0000000000000001 0000000000000001";
    let written = ["02 0080", lists, marks, tags, "02", lost].join(" ");
    assert_eq!(decoded(&bytes(&written)), Err(FrameError::Malformed), "lost names in descending order");
}

/// The bytes of each rule above are a frame once the rule is kept: they break that rule and no other.
#[test]
fn the_bounds_themselves_are_allowed() {
    let lists = "ffffffff7f 00 dddddddddddddddddddddddddddddddd";
    for (what, written) in [
        ("the largest numbers", ["0fffffffffffffff 01 0fffffffffffffff 01", "00 00"]),
        ("base 0", ["0000000000000000 01 0000000000000000 00", "00 00"]),
        ("base 0 below the largest number", ["0fffffffffffffff 808080808080808010 0000000000000000 00", "00 00"]),
        (
            "the highest number far above the horizon",
            ["0000000000000000 00 0000000000000000 808080808080808010", "00 00"],
        ),
        (
            "tags that differ in one bit",
            ["0000000000000000 00 0000000000000000 00", "02 0101010101010101 0101010101010103 01 0101010101010102"],
        ),
    ] {
        let written = bytes(&["02 0000", lists, written[0], written[1]].join(" "));
        assert!(decoded(&written).is_ok(), "{what}: {:?}", decoded(&written));
    }
}

#[test]
fn counts_are_refused_before_anything_is_allocated_for_them() {
    let head = bytes("02 0000 01 02 dddddddddddddddddddddddddddddddd 0000000000000000 00 0000000000000000 00");
    let with = |count: &str, tags: u64, rest: &[u8]| {
        let tags: Vec<u8> = (0..tags).flat_map(u64::to_be_bytes).collect();
        [&*head, &bytes(count), &tags, rest].concat()
    };
    assert!(decoded(&with("9001", 144, &[0])).is_ok());
    assert_eq!(decoded(&with("9101", 145, &[0])), Err(FrameError::Malformed));
    assert!(decoded(&with("00 8001", 128, &[])).is_ok());
    assert_eq!(decoded(&with("00 8101", 129, &[])), Err(FrameError::Malformed));
    // More than there are, up to what no memory holds.
    for count in ["01", "8001", "ffffffff0f", "ffffffffffffffff0f", "ffffffffffffffff7f"] {
        assert_eq!(decoded(&with(count, 0, &[0])), Err(FrameError::Malformed), "{count}");
    }
    let names = |count: u8| {
        let lost = (0..u64::from(count)).map(|number| MessageId::new(number, tag(1))).collect();
        Frame { lost, ..bare() }.encode()
    };
    assert!(decoded(&names(64)).is_ok());
    assert_eq!(decoded(&names(65)), Err(FrameError::Malformed));
    let words = |count: u8| Frame { first_words: (0..count).map(|byte| [byte; 16]).collect(), ..bare() }.encode();
    assert!(decoded(&words(64)).is_ok());
    assert_eq!(decoded(&words(65)), Err(FrameError::Malformed));
}

/// P-12.11: the key that an own device pins is a key, and it is there exactly where the frame is for an own device.
#[test]
fn an_opening_for_an_own_device_names_the_peers_account() {
    let good = Frame { opening: full().opening, for_own: true, ..bare() };
    let encoded = good.encode();
    assert_eq!(decoded(&encoded), Ok(good.clone()));
    let at = encoded.windows(64).position(|window| window == account().to_bytes()).unwrap();
    for key in [[0; 64], [0xff; 64]] {
        let mut changed = encoded.to_vec();
        changed[at..at + 64].copy_from_slice(&key);
        assert_eq!(decoded(&changed), Err(FrameError::Malformed));
    }
    let opening = full().opening.map(|opening| Opening { peer: None, ..opening });
    assert_eq!(decoded(&Frame { opening, ..good.clone() }.encode()), Err(FrameError::Malformed));
    let to_the_peer = Frame { for_own: false, ..good };
    assert_eq!(decoded(&to_the_peer.encode()), Ok(Frame { opening, ..to_the_peer.clone() }), "a peer is told no key");
}

/// The encoder cannot fail, and cuts nothing off: what breaks a bound is refused by whoever receives it.
#[test]
fn a_frame_outside_its_bounds_is_refused_where_it_arrives() {
    let descending = vec![tag(2), tag(1)];
    let many = |count: u64| (0..count).map(|number| Tag(number.to_be_bytes())).collect::<Vec<_>>();
    for (what, frame) in [
        ("own list", Frame { lists: Lists { own: 1 << 35, ..lists() }, ..bare() }),
        ("other list", Frame { lists: Lists { peer: 1 << 35, ..lists() }, ..bare() }),
        ("last", Frame { last: NUMBERS, base: 1, ..bare() }),
        ("greatest last", Frame { last: u64::MAX, base: 0, ..bare() }),
        ("base", Frame { last: 5, base: 7, ..bare() }),
        ("horizon", Frame { horizon: NUMBERS, ..bare() }),
        ("highest", Frame { highest: Some(NUMBERS), ..bare() }),
        ("greatest highest", Frame { highest: Some(u64::MAX), ..bare() }),
        ("highest just below the horizon", Frame { horizon: 9, highest: Some(8), ..bare() }),
        ("highest far below the horizon", Frame { horizon: 9, highest: Some(0), ..bare() }),
        ("order of the shown", Frame { shown: descending.clone(), ..bare() }),
        ("order of the closed", Frame { closed: descending, ..bare() }),
        ("both", Frame { shown: vec![tag(1)], closed: vec![tag(1)], ..bare() }),
        ("shown", Frame { shown: many(145), ..bare() }),
        ("closed", Frame { closed: many(129), ..bare() }),
        ("closed, very many", Frame { closed: many(1 << 15), ..bare() }),
        ("order of the first words", Frame { first_words: vec![[2; 16], [1; 16]], ..bare() }),
        ("first words twice", Frame { first_words: vec![[1; 16]; 2], ..bare() }),
        ("order of the lost", Frame { lost: vec![name(2, 1), name(1, 2)], ..bare() }),
        ("lost twice", Frame { lost: vec![name(1, 1), name(1, 1)], ..bare() }),
        ("lost number", Frame { lost: vec![name(NUMBERS, 1)], ..bare() }),
        (
            "number",
            Frame { content: Content::Named { kind: Kind::Decision, id: name(NUMBERS, 1), bytes: &[] }, ..bare() },
        ),
        (
            "withdrawn",
            Frame { content: Content::Named { kind: Kind::Withdrawn, id: name(1, 1), bytes: b"kata" }, ..bare() },
        ),
    ] {
        assert_eq!(decoded(&frame.encode()), Err(FrameError::Malformed), "{what}");
    }
}
