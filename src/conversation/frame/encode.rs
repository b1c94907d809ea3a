//! A frame to bytes. It cannot fail: what is outside the bounds of a frame becomes bytes that every receiver refuses.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{Content, Frame, Lists, NAME, OVERHEAD, Opening, TAG, Tag, VERSION, WORDS, flags};
use bisik_core::codec::SecretWriter;
use bisik_core::convert;

impl Frame<'_> {
    /// Returns the bytes of section 12.2.
    pub(in crate::conversation) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let Self { lists, for_own, opening, checkpoint, last, base, horizon, highest, .. } = self;
        let Self { shown, closed, ask, answer, first_words, replaced_by, lost, content, .. } = self;
        let mut writer = SecretWriter::with_capacity(self.room());
        let [high, low] = self.flags().to_be_bytes();
        writer.u8(VERSION).u8(high).u8(low);
        let Lists { own, peer, digest } = lists;
        varint(&mut writer, *own);
        varint(&mut writer, *peer);
        writer.bytes(digest);
        if let Some(opening) = opening {
            opening.encode(&mut writer, *for_own);
        }
        optional(&mut writer, checkpoint);
        writer.u64(*last);
        varint(&mut writer, or_refused(last.checked_add(1).and_then(|next| next.checked_sub(*base))));
        writer.u64(*horizon);
        varint(
            &mut writer,
            match highest {
                Some(highest) => or_refused(highest.checked_sub(*horizon).and_then(|above| above.checked_add(1))),
                None => 0,
            },
        );
        tags(&mut writer, shown);
        tags(&mut writer, closed);
        optional(&mut writer, ask);
        optional(&mut writer, answer);
        if !first_words.is_empty() {
            varint(&mut writer, convert::widened(first_words.len()));
            writer.bytes(first_words.as_flattened());
        }
        optional(&mut writer, replaced_by);
        if !lost.is_empty() {
            varint(&mut writer, convert::widened(lost.len()));
            for name in lost {
                writer.bytes(&name.to_bytes());
            }
        }
        content.encode(&mut writer);
        writer.finish()
    }

    fn flags(&self) -> u16 {
        let Self { for_own, opening, checkpoint, ask, answer, first_words, replaced_by, lost, content, .. } = self;
        let set = [
            (*for_own, flags::FOR_OWN),
            (opening.is_some(), flags::OPENING),
            (checkpoint.is_some(), flags::CHECKPOINT),
            (ask.is_some(), flags::ASK),
            (answer.is_some(), flags::ANSWER),
            (!first_words.is_empty(), flags::FIRST_WORDS),
            (replaced_by.is_some(), flags::REPLACED_BY),
            (!lost.is_empty(), flags::LOST),
            (matches!(content, Content::Named { .. }), flags::NAMED),
            (matches!(content, Content::Ephemeral(_)), flags::EPHEMERAL),
        ];
        set.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag)
    }

    /// Bytes that the frame has at most.
    fn room(&self) -> usize {
        let Self { shown, closed, first_words, lost, content, .. } = self;
        let tags = shown.len().saturating_add(closed.len()).saturating_mul(TAG);
        let words = first_words.len().saturating_mul(WORDS);
        let names = lost.len().saturating_mul(NAME);
        let content = match content {
            Content::Nothing => 0,
            Content::Named { bytes, .. } | Content::Ephemeral(bytes) => bytes.len(),
        };
        OVERHEAD.saturating_add(tags).saturating_add(words).saturating_add(names).saturating_add(content)
    }
}

impl Opening {
    fn encode(&self, writer: &mut SecretWriter, for_own: bool) {
        let Self { conversation, peer, labels } = self;
        writer.bytes(conversation.as_bytes());
        if for_own {
            // Zeros are no key.
            writer.bytes(&peer.map_or([0; 64], |peer| peer.to_bytes()));
        }
        writer.bytes(labels.as_flattened());
    }
}

impl Content<'_> {
    fn encode(&self, writer: &mut SecretWriter) {
        match self {
            Self::Nothing => {}
            Self::Named { kind, id, bytes } => {
                writer.u8(kind.byte()).bytes(&id.to_bytes()).bytes(bytes);
            }
            Self::Ephemeral(bytes) => {
                writer.bytes(bytes);
            }
        }
    }
}

fn tags(writer: &mut SecretWriter, tags: &[Tag]) {
    varint(writer, convert::widened(tags.len()));
    for Tag(tag) in tags {
        writer.bytes(tag);
    }
}

fn optional<const N: usize>(writer: &mut SecretWriter, field: &Option<[u8; N]>) {
    if let Some(bytes) = field {
        writer.bytes(bytes);
    }
}

/// A distance; of numbers in the wrong order, one that every receiver refuses.
fn or_refused(distance: Option<u64>) -> u64 {
    distance.unwrap_or(u64::MAX)
}

/// Seven bits a byte, the lowest first; all bytes but the last have their high bit set.
fn varint(writer: &mut SecretWriter, value: u64) {
    let mut left = value;
    while left > 0x7f {
        let [low, ..] = left.to_le_bytes();
        writer.u8(low | 0x80);
        left >>= 7;
    }
    let [low, ..] = left.to_le_bytes();
    writer.u8(low);
}
