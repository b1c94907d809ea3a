//! Bytes to a frame. A frame has one encoding, and nothing is allocated before it is known to be there.

use alloc::vec::Vec;

use super::{
    Content, Frame, FrameError, Kind, Lists, MAX_CLOSED, MAX_CONTENT, MAX_LOST, MAX_SHOWN, MAX_WORDS, MessageId, NAME,
    NUMBERS, Opening, TAG, Tag, VERSION, WORDS, flags,
};
use crate::conversation::ConversationId;
use crate::device::AccountKey;
use bisik_core::codec::{Malformed, Reader};

impl<'a> Frame<'a> {
    /// P-12.8, P-12.9.
    ///
    /// # Errors
    ///
    /// [`FrameError::NewerVersion`] by the first byte alone, [`FrameError::Malformed`] for everything else that section
    /// 12.2 does not allow.
    pub(in crate::conversation) fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            ..VERSION => Err(FrameError::Malformed),
            VERSION => Ok(Self::read(reader)?),
            newer => Err(FrameError::NewerVersion(newer)),
        }
    }

    fn read(mut reader: Reader<'a>) -> Result<Self, Malformed> {
        let flags = Flags::read(&mut reader)?;
        let for_own = flags.has(flags::FOR_OWN);
        let lists = Lists {
            own: below(SEQUENCES, varint(&mut reader)?)?,
            peer: below(SEQUENCES, varint(&mut reader)?)?,
            digest: *reader.array()?,
        };
        let opening = flags.when(flags::OPENING, || Opening::read(&mut reader, for_own))?;
        let checkpoint = flags.array(flags::CHECKPOINT, &mut reader)?;
        let last = below(NUMBERS, reader.u64()?)?;
        let next = last.checked_add(1).ok_or(Malformed)?;
        let base = below(NUMBERS, next.checked_sub(varint(&mut reader)?).ok_or(Malformed)?)?;
        let horizon = below(NUMBERS, reader.u64()?)?;
        let highest = match varint(&mut reader)?.checked_sub(1) {
            Some(above) => Some(below(NUMBERS, horizon.checked_add(above).ok_or(Malformed)?)?),
            None => None,
        };
        let shown = tags(&mut reader, MAX_SHOWN)?;
        let closed = tags(&mut reader, MAX_CLOSED)?;
        if closed.iter().any(|tag| shown.binary_search(tag).is_ok()) {
            return Err(Malformed);
        }
        let ask = flags.array(flags::ASK, &mut reader)?;
        let answer = flags.array(flags::ANSWER, &mut reader)?;
        let first_words = if flags.has(flags::FIRST_WORDS) { words(&mut reader)? } else { Vec::new() };
        let replaced_by = flags.array(flags::REPLACED_BY, &mut reader)?;
        let lost = if flags.has(flags::LOST) { lost(&mut reader)? } else { Vec::new() };
        let content = Content::read(reader, flags)?;
        Ok(Self {
            lists,
            for_own,
            opening,
            checkpoint,
            last,
            base,
            horizon,
            highest,
            shown,
            closed,
            ask,
            answer,
            first_words,
            replaced_by,
            lost,
            content,
        })
    }
}

/// The flags of a frame, all of them known.
#[derive(Clone, Copy)]
struct Flags(u16);

impl Flags {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let flags = reader.u16()?;
        if flags & !flags::KNOWN == 0 { Ok(Self(flags)) } else { Err(Malformed) }
    }

    const fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    fn when<T>(self, flag: u16, read: impl FnOnce() -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        if self.has(flag) { read().map(Some) } else { Ok(None) }
    }

    fn array<const N: usize>(self, flag: u16, reader: &mut Reader<'_>) -> Result<Option<[u8; N]>, Malformed> {
        self.when(flag, || reader.array().copied())
    }
}

impl Opening {
    fn read(reader: &mut Reader<'_>, for_own: bool) -> Result<Self, Malformed> {
        let conversation = ConversationId::from_bytes(*reader.array()?);
        let peer = if for_own { Some(AccountKey::from_bytes(reader.array()?).map_err(|_| Malformed)?) } else { None };
        let labels = [*reader.array()?, *reader.array()?, *reader.array()?, *reader.array()?];
        Ok(Self { conversation, peer, labels })
    }
}

impl<'a> Content<'a> {
    /// The content is what is left.
    fn read(mut reader: Reader<'a>, flags: Flags) -> Result<Self, Malformed> {
        match (flags.has(flags::NAMED), flags.has(flags::EPHEMERAL)) {
            (false, false) => {
                reader.finish()?;
                Ok(Self::Nothing)
            }
            (true, false) => {
                let kind = Kind::from_byte(reader.u8()?)?;
                let id = name(reader.array()?)?;
                let bytes = within_bounds(reader.rest())?;
                if matches!(kind, Kind::Withdrawn) && !bytes.is_empty() {
                    return Err(Malformed);
                }
                Ok(Self::Named { kind, id, bytes })
            }
            (false, true) => Ok(Self::Ephemeral(within_bounds(reader.rest())?)),
            (true, true) => Err(Malformed),
        }
    }
}

const fn within_bounds(content: &[u8]) -> Result<&[u8], Malformed> {
    if content.len() <= MAX_CONTENT { Ok(content) } else { Err(Malformed) }
}

/// At most `most` tags, strictly ascending.
fn tags(reader: &mut Reader<'_>, most: usize) -> Result<Vec<Tag>, Malformed> {
    let bytes = items::<TAG>(reader, most)?;
    ascending(bytes.iter().map(|bytes| Ok(Tag(*bytes))), bytes.len())
}

/// At least one name, strictly ascending.
fn lost(reader: &mut Reader<'_>) -> Result<Vec<MessageId>, Malformed> {
    let bytes = items::<NAME>(reader, MAX_LOST)?;
    if bytes.is_empty() { Err(Malformed) } else { ascending(bytes.iter().map(name), bytes.len()) }
}

/// At least one digest, strictly ascending.
fn words(reader: &mut Reader<'_>) -> Result<Vec<[u8; WORDS]>, Malformed> {
    let words = items::<WORDS>(reader, MAX_WORDS)?;
    if words.is_empty() { Err(Malformed) } else { ascending(words.iter().copied().map(Ok), words.len()) }
}

/// A count of at most `most`, and as many items of `N` bytes.
fn items<'a, const N: usize>(reader: &mut Reader<'a>, most: usize) -> Result<&'a [[u8; N]], Malformed> {
    let count = usize::try_from(varint(reader)?)?;
    if count > most {
        return Err(Malformed);
    }
    let (items, _) = reader.slice(count.checked_mul(N).ok_or(Malformed)?)?.as_chunks();
    Ok(items)
}

fn ascending<T: Ord>(items: impl Iterator<Item = Result<T, Malformed>>, count: usize) -> Result<Vec<T>, Malformed> {
    let mut all = Vec::with_capacity(count);
    for item in items {
        let item = item?;
        if all.last().is_some_and(|before| *before >= item) {
            return Err(Malformed);
        }
        all.push(item);
    }
    Ok(all)
}

fn name(bytes: &[u8; NAME]) -> Result<MessageId, Malformed> {
    let [number @ .., _, _, _, _, _, _, _, _] = bytes;
    let [_, _, _, _, _, _, _, _, tag @ ..] = bytes;
    Ok(MessageId::new(below(NUMBERS, u64::from_be_bytes(*number))?, Tag(*tag)))
}

const fn below(limit: u64, value: u64) -> Result<u64, Malformed> {
    if value < limit { Ok(value) } else { Err(Malformed) }
}

/// A number below 2^63, in at most nine bytes and in its shortest form.
fn varint(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // A number ends in a byte of zeros only if it is 0.
            return if byte != 0 || shift == 0 { Ok(value) } else { Err(Malformed) };
        }
    }
    Err(Malformed)
}

/// Sequence numbers of device lists are smaller: five bytes are enough for each.
const SEQUENCES: u64 = 1 << 35;
