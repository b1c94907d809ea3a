//! Any frame, and any bytes.

use proptest::collection::{btree_set, vec as vec_of};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn any_tags(most: usize) -> impl Strategy<Value = Vec<Tag>> {
    btree_set(any::<[u8; 8]>().prop_map(Tag), 0..=most).prop_map(|tags| tags.into_iter().collect())
}

fn any_name() -> impl Strategy<Value = MessageId> {
    (0..NUMBERS, any::<[u8; 8]>()).prop_map(|(number, tag)| MessageId::new(number, Tag(tag)))
}

fn any_opening() -> impl Strategy<Value = Opening> {
    any::<([u8; 16], [[u8; 8]; 4])>().prop_map(|(conversation, labels)| Opening {
        conversation: ConversationId::from_bytes(conversation),
        peer: None,
        labels,
    })
}

fn any_content(words: &[u8]) -> impl Strategy<Value = Content<'_>> {
    let named = (1..=u8::MAX, any_name(), 0..=words.len()).prop_map(move |(kind, name, length)| {
        let length = if kind == 2 { 0 } else { length };
        Content::Named { kind: Kind::from_byte(kind).unwrap(), id: name, bytes: &words[..length] }
    });
    let ephemeral = (0..=words.len()).prop_map(move |length| Content::Ephemeral(&words[..length]));
    prop_oneof![Just(Content::Nothing), named, ephemeral]
}

/// Small and large numbers, so that the distances between them have every length.
fn any_number(below: u64) -> impl Strategy<Value = u64> {
    (0..below, 0..60_u32).prop_map(|(number, shift)| number >> shift)
}

fn any_frame() -> impl Strategy<Value = Frame<'static>> {
    let lists = (any_number(1 << 35), any_number(1 << 35), any::<[u8; 16]>());
    let lists = lists.prop_map(|(own, peer, digest)| Lists { own, peer, digest });
    let marks = (any_number(NUMBERS), any::<bool>(), any_number(NUMBERS), option::of(any_number(NUMBERS)));
    let names = (any_tags(MAX_SHOWN), any_tags(MAX_CLOSED), btree_set(any_name(), 0..=MAX_LOST));
    let head = (any::<bool>(), option::of(any_opening()), option::of(any::<[u8; 16]>()));
    let rest = any::<(Option<[u8; 4]>, Option<[u8; 4]>, Option<[u8; 8]>)>();
    let words = btree_set(any::<[u8; 16]>(), 0..=MAX_WORDS);
    let all = (lists, head, marks, names, (rest, words), any_content(b"halo, apa kabar?"));
    all.prop_map(|(lists, head, (last, waits, horizon, above), (shown, mut closed, lost), rest, content)| {
        let (for_own, opening, checkpoint) = head;
        let ((ask, answer, replaced_by), words) = rest;
        closed.retain(|tag| !shown.contains(tag));
        Frame {
            lists,
            for_own,
            opening: opening.map(|opening| Opening { peer: for_own.then(account), ..opening }),
            checkpoint,
            last,
            base: if waits { last / 2 } else { (last + 1).min(NUMBERS - 1) },
            horizon,
            highest: above.map(|above| (horizon + above).min(NUMBERS - 1)),
            shown,
            closed,
            ask,
            answer,
            first_words: words.into_iter().collect(),
            replaced_by,
            lost: lost.into_iter().collect(),
            content,
        }
    })
}

proptest! {
    /// P-12.9.
    #[test]
    fn every_frame_decodes_to_itself(frame in any_frame()) {
        let encoded = frame.encode();
        prop_assert!(encoded.len() <= frame_room(&frame));
        prop_assert_eq!(decoded(&encoded), Ok(frame));
    }

    /// Any bytes, most of which are refused within the head.
    #[test]
    fn any_bytes_are_refused_or_encode_to_themselves(
        flags in 0..1_u16 << 11,
        mut bytes in vec_of(any::<u8>(), 0..400),
        is_frame in any::<bool>(),
    ) {
        if is_frame && let Some((head, _)) = bytes.split_first_chunk_mut::<3>() {
            let [high, low] = flags.to_be_bytes();
            *head = [VERSION, high, low];
        }
        let _ = decoded(&bytes);
    }

    /// A frame with a few bytes changed, inserted or removed, which a lenient decoder would accept.
    #[test]
    fn a_changed_frame_is_refused_or_encodes_to_itself(
        frame in any_frame(),
        changes in vec_of((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = frame.encode().to_vec();
        for (at, value, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                _ => drop(bytes.remove(at)),
            }
        }
        let _ = decoded(&bytes);
    }
}

/// The documented bound: the overhead, and the lists and the content as they are.
fn frame_room(frame: &Frame<'_>) -> usize {
    let content = match frame.content {
        Content::Nothing => 0,
        Content::Named { bytes, .. } | Content::Ephemeral(bytes) => bytes.len(),
    };
    OVERHEAD
        + 8 * (frame.shown.len() + frame.closed.len())
        + 16 * (frame.first_words.len() + frame.lost.len())
        + content
}
