//! Tests of frames.
#![allow(clippy::arithmetic_side_effects)]

mod any; //     any frame and any bytes
mod known; //   frames written out by hand, and their sizes
mod refused; // bytes that are no frame, each for one reason
#[allow(
    dead_code,
    unreachable_pub,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "fuzz targets include this file too"
)]
mod second; //  a reader written from the specification
mod vectors; // tests/vectors/frame-format.txt

use alloc::vec;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::string::String;

use super::*;
use crate::keys::Identity;

/// Bytes written as hexadecimal digits, with any space between them.
fn bytes(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn account() -> AccountKey {
    AccountKey::of(&Identity::generate(&mut StdRng::seed_from_u64(1)))
}

fn tag(byte: u8) -> Tag {
    Tag([byte; 8])
}

fn name(number: u64, byte: u8) -> MessageId {
    MessageId::new(number, tag(byte))
}

fn lists() -> Lists {
    Lists { own: 1, peer: 2, digest: [0xdd; 16] }
}

/// The first frame that a device can write: nothing was given, nothing was received.
fn bare() -> Frame<'static> {
    Frame {
        lists: lists(),
        for_own: false,
        opening: None,
        checkpoint: None,
        last: 0,
        base: 1,
        horizon: 0,
        highest: None,
        shown: vec![],
        closed: vec![],
        ask: None,
        answer: None,
        first_words: vec![],
        replaced_by: None,
        lost: vec![],
        content: Content::Nothing,
    }
}

/// A frame with every field except the ephemeral content.
fn full() -> Frame<'static> {
    Frame {
        lists: Lists { own: 127, peer: 128, digest: [0xdd; 16] },
        for_own: true,
        opening: Some(Opening {
            conversation: ConversationId::from_bytes([0xc0; 16]),
            peer: Some(account()),
            labels: [[1; 8], [2; 8], [3; 8], [4; 8]],
        }),
        checkpoint: Some([0xcc; 16]),
        last: 0x0101,
        base: 2,
        horizon: 0x0200,
        highest: Some(0x0200),
        shown: vec![tag(5), tag(7)],
        closed: vec![tag(6)],
        ask: Some([0xa5; 4]),
        answer: Some([0, 0, 0, 1]),
        first_words: vec![[0xf0; 16], [0xf1; 16]],
        replaced_by: Some([0x4e; 8]),
        lost: vec![name(2, 9), name(3, 8)],
        content: Content::Named { kind: Kind::Message, id: name(0x0101, 0xb0), bytes: b"halo" },
    }
}

/// A second reader, written from the specification, finds the same in a frame.
#[track_caller]
fn agree(frame: &Frame<'_>, second: &second::Read<'_>) {
    let tags = |tags: &[Tag]| tags.iter().flat_map(Tag::as_bytes).copied().collect::<Vec<_>>();
    let names = |names: &[MessageId]| names.iter().flat_map(|name| name.to_bytes()).collect::<Vec<_>>();
    assert_eq!((frame.for_own, frame.last, frame.base), (second.for_own, second.last, second.base));
    assert_eq!(
        (frame.horizon, frame.highest, &*tags(&frame.shown), &*tags(&frame.closed)),
        (second.horizon, second.highest, second.shown, second.closed)
    );
    let opening = frame.opening.map(|opening| *opening.conversation.as_bytes());
    assert_eq!(opening.as_ref().map(|id| id.as_slice()), second.opening.map(|(conversation, _)| conversation));
    assert_eq!(frame.ask.as_ref().map(|ask| ask.as_slice()), second.ask);
    assert_eq!(frame.answer.as_ref().map(|answer| answer.as_slice()), second.answer);
    assert_eq!((frame.first_words.as_flattened(), &*names(&frame.lost)), (second.first_words, second.lost));
    match (frame.content, &second.content) {
        (Content::Nothing, second::Content::Nothing) => {}
        (Content::Named { kind, id, bytes }, second::Content::Named(byte, its, rest)) => {
            assert_eq!((kind.byte(), &id.to_bytes()[..], bytes), (*byte, *its, *rest));
        }
        (Content::Ephemeral(bytes), second::Content::Ephemeral(rest)) => assert_eq!(bytes, *rest),
        (one, other) => panic!("{one:?}, {other:?}"),
    }
}

/// The decoded frame, if the bytes are one; every decoded frame encodes to the same bytes, and a second reader takes
/// and refuses the same.
#[track_caller]
fn decoded(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let frame = Frame::decode(bytes);
    let second = second::read(bytes);
    assert_eq!(second.is_some(), frame.is_ok(), "{frame:?}, {second:?}: {bytes:02x?}");
    if let (Ok(frame), Some(second)) = (&frame, second) {
        agree(frame, &second);
    }
    if let Ok(frame) = &frame {
        assert_eq!(&**frame.encode(), bytes, "a decoded frame has one encoding");
    }
    frame
}
