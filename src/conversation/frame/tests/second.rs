//! Frames of a conversation, written and read from docs/spec/conversations.md, section 12.2, without the library.
//!
//! The fuzz targets include this file too: one that writes frames of its own computes here whether they are frames.

use std::{vec, vec::Vec};

use super::AccountKey;

/// What a reader finds in a frame, as far as the result of receiving it depends on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Read<'a> {
    pub for_own: bool,
    /// The conversation, and for an own device the peer's account key, of a frame with a first flight.
    pub opening: Option<(&'a [u8], Option<&'a [u8]>)>,
    pub last: u64,
    pub base: u64,
    pub horizon: u64,
    pub highest: Option<u64>,
    /// Tags, of eight bytes each.
    pub shown: &'a [u8],
    pub closed: &'a [u8],
    pub ask: Option<&'a [u8]>,
    pub answer: Option<&'a [u8]>,
    /// Digests of what an initiator wrote before it was answered, of 16 bytes each.
    pub first_words: &'a [u8],
    /// Names, of 16 bytes each.
    pub lost: &'a [u8],
    pub content: Content<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Nothing,
    /// Kind, name and bytes.
    Named(u8, &'a [u8], &'a [u8]),
    Ephemeral(&'a [u8]),
}

/// Bits of the flags, from the lowest.
pub const FOR_OWN: u16 = 1;
pub const OPENING: u16 = 1 << 1;
pub const CHECKPOINT: u16 = 1 << 2;
pub const ASK: u16 = 1 << 3;
pub const ANSWER: u16 = 1 << 4;
pub const FIRST_WORDS: u16 = 1 << 5;
pub const REPLACED_BY: u16 = 1 << 6;
pub const LOST: u16 = 1 << 7;
pub const NAMED: u16 = 1 << 8;
pub const EPHEMERAL: u16 = 1 << 9;

/// What a frame says of both sides' messages.
#[derive(Clone, Copy, Default)]
pub struct Marks<'a> {
    pub last: u64,
    /// `last` + 1 less the base.
    pub waiting: u64,
    pub horizon: u64,
    /// The highest number less the horizon, and 1 more.
    pub above: u64,
    /// Tags, of eight bytes each.
    pub shown: &'a [u8],
    pub closed: &'a [u8],
}

/// A frame of a device that goes by lists of the number 0. `fields` are those of the flags after the lists of tags;
/// `opening` and a checkpoint are before them.
pub fn write(flags: u16, opening: &[u8], marks: &Marks<'_>, fields: &[u8]) -> Vec<u8> {
    let Marks { last, waiting, horizon, above, shown, closed } = marks;
    let [high, low] = flags.to_be_bytes();
    let tags = |tags: &[u8]| [varint(tags.len() as u64 / 8).as_slice(), tags].concat();
    let (waiting, above) = (varint(*waiting), varint(*above));
    let numbers = [&last.to_be_bytes(), waiting.as_slice(), &horizon.to_be_bytes(), &above].concat();
    [&[2, high, low], [0; 2 + 16].as_slice(), opening, &numbers, &tags(shown), &tags(closed), fields].concat()
}

fn varint(value: u64) -> Vec<u8> {
    let low = value as u8 & 0x7f;
    if value < 0x80 { vec![low] } else { [vec![low | 0x80], varint(value >> 7)].concat() }
}

/// What is in a frame, or nothing if the bytes are none.
pub fn read(bytes: &[u8]) -> Option<Read<'_>> {
    let mut rest = Rest(bytes);
    let [version, high, low] = *rest.take(3)?.first_chunk()?;
    let flags = u16::from_be_bytes([high, low]);
    let has = |flag| flags & flag != 0;
    if version != 2 || flags >= EPHEMERAL << 1 || has(NAMED) && has(EPHEMERAL) {
        return None;
    }
    let lists_fit = [rest.varint()?, rest.varint()?].iter().all(|number| *number < 1 << 35);
    rest.take(16)?;
    let mut opening = None;
    if has(OPENING) {
        let conversation = rest.take(16)?;
        let account = if has(FOR_OWN) { Some(rest.take(64)?) } else { None };
        if let Some(key) = account {
            AccountKey::from_bytes(key.try_into().ok()?).ok()?;
        }
        rest.take(32)?;
        opening = Some((conversation, account));
    }
    rest.take_if(has(CHECKPOINT), 16)?;
    let (last, waiting) = (rest.number()?, rest.varint()?);
    let base = last.checked_add(1)?.checked_sub(waiting)?;
    let (horizon, above) = (rest.number()?, rest.varint()?);
    let highest = if above == 0 { None } else { Some(horizon.checked_add(above)? - 1) };
    let shown = rest.items(8, 144)?;
    let closed = rest.items(8, 128)?;
    let one_is_both = closed.chunks(8).any(|tag| shown.chunks(8).any(|other| tag == other));
    let ask = rest.take_if(has(ASK), 4)?;
    let answer = rest.take_if(has(ANSWER), 4)?;
    let first_words = if has(FIRST_WORDS) { rest.items(16, 64)? } else { &[] };
    rest.take_if(has(REPLACED_BY), 8)?;
    let lost = if has(LOST) { rest.items(16, 64)? } else { &[] };
    let content = match (has(NAMED), has(EPHEMERAL)) {
        (true, _) => Content::Named(*rest.take(1)?.first()?, rest.take(16)?, rest.0),
        (_, true) => Content::Ephemeral(rest.0),
        _ if rest.0.is_empty() => Content::Nothing,
        _ => return None,
    };
    let named = if let Content::Named(_, name, _) = content { name } else { &[] };
    let numbers =
        [last, base, horizon].into_iter().chain(highest).chain(lost.chunks(16).chain(named.chunks(16)).map(number_of));
    let content_fits = match content {
        Content::Nothing => true,
        Content::Named(kind, _, bytes) => kind != 0 && bytes.len() <= LONGEST && (kind != 2 || bytes.is_empty()),
        Content::Ephemeral(bytes) => bytes.len() <= LONGEST,
    };
    let fits = lists_fit && !one_is_both && has(LOST) != lost.is_empty() && has(FIRST_WORDS) != first_words.is_empty();
    let fits = fits && content_fits;
    (fits && numbers.into_iter().all(|number| number < 1 << 60)).then_some(Read {
        for_own: has(FOR_OWN),
        opening,
        last,
        base,
        horizon,
        highest,
        shown,
        closed,
        ask,
        answer,
        first_words,
        lost,
        content,
    })
}

/// The number of a name.
pub fn number_of(name: &[u8]) -> u64 {
    let Some(number) = name.first_chunk() else { return u64::MAX };
    u64::from_be_bytes(*number)
}

/// The bytes that have not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// `None` if the bytes end; nothing is taken where `there` is false.
    fn take_if(&mut self, there: bool, length: usize) -> Option<Option<&'a [u8]>> {
        if there { self.take(length).map(Some) } else { Some(None) }
    }

    fn number(&mut self) -> Option<u64> {
        self.take(8).map(number_of)
    }

    /// Nine bytes at most, and none that could be left out.
    fn varint(&mut self) -> Option<u64> {
        let length = self.0.iter().take(9).position(|byte| *byte < 0x80)? + 1;
        let bytes = self.take(length)?;
        let value = bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
        (length == 1 || bytes.last() != Some(&0)).then_some(value)
    }

    /// A count of at most `most`, and so many items of `size` bytes, each larger than the one before.
    fn items(&mut self, size: usize, most: u64) -> Option<&'a [u8]> {
        let count = self.varint().filter(|count| *count <= most)?;
        let items = self.take(usize::try_from(count).ok()? * size)?;
        items.chunks(size).is_sorted_by(|one, other| one < other).then_some(items)
    }
}

/// Longest content.
pub const LONGEST: usize = 256 << 10;
