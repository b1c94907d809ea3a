//! The text that a state sends, chunk by chunk: whole where it is short, and of a long one only the chunks that come next.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::erasure::{self, CHUNK, Chunk};
use crate::codec::{Malformed, Reader, SecretWriter};

/// A long text is encoded this many chunks at a time.
const AHEAD: u16 = 8;

/// A text of a few chunks, kept whole: header and tag, or the second part of a ciphertext and the tag.
#[derive(Clone)]
pub(super) struct Short {
    next: u16,
    text: Box<[u8]>,
    /// Chunks beyond the text that were encoded together. Not stored: they are encoded again.
    ahead: VecDeque<Chunk>,
}

impl Short {
    pub(super) fn new(text: &[&[u8]]) -> Self {
        Self { next: 0, text: text.concat().into(), ahead: VecDeque::new() }
    }

    /// The next chunk, its number, and those that were encoded with it. Mostly a copy, which needs no memory.
    pub(super) fn encode(&self) -> Option<(u16, Chunk, Vec<Chunk>)> {
        let block = self.text.as_chunks().0.get(usize::from(self.next));
        if let Some(chunk) = block.or_else(|| self.ahead.front()) {
            return Some((self.next, *chunk, Vec::new()));
        }
        let chunks = erasure::encode(&self.text, self.next, AHEAD);
        Some((self.next, *chunks.first()?, chunks))
    }

    /// Goes on by one chunk, with the chunks that [`Self::encode`] gave.
    pub(super) fn advance(&mut self, encoded: Vec<Chunk>) {
        let beyond = self.text.as_chunks::<CHUNK>().0.get(usize::from(self.next)).is_none();
        self.ahead.extend(encoded);
        if beyond {
            self.ahead.pop_front();
        }
        self.next = self.next.wrapping_add(1);
        // After number 65,535 the text begins again.
        if self.next == 0 {
            self.ahead.clear();
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        writer.bytes(&self.next.to_be_bytes()).bytes(&self.text);
    }

    pub(super) fn read(blocks: usize, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let next = u16::from_be_bytes(*reader.array()?);
        Ok(Self { next, text: reader.slice(blocks.saturating_mul(CHUNK))?.into(), ahead: VecDeque::new() })
    }
}

/// A long text: the vector, or the first part of a ciphertext. It can be recomputed, so only chunks are kept, up to
/// the next number that eight divides.
#[derive(Clone, Default)]
pub(super) struct Long {
    next: u16,
    ahead: VecDeque<Chunk>,
}

impl Long {
    /// The next chunk and its number, where it has been encoded already.
    pub(super) fn chunk(&self) -> Option<(u16, Chunk)> {
        self.ahead.front().map(|chunk| (self.next, *chunk))
    }

    /// The next chunk, its number, and those that are to be kept with it.
    pub(super) fn encode(&self, text: &[u8]) -> Option<(u16, Chunk, Vec<Chunk>)> {
        let chunks = erasure::encode(text, self.next, AHEAD);
        Some((self.next, *chunks.first()?, chunks))
    }

    /// Goes on by one chunk, with the chunks that [`Self::encode`] gave.
    pub(super) fn advance(&mut self, encoded: Vec<Chunk>) {
        self.ahead.extend(encoded);
        self.ahead.pop_front();
        self.next = self.next.wrapping_add(1);
    }

    /// How many chunks are kept before number `next`.
    const fn ahead(next: u16) -> u16 {
        0_u16.wrapping_sub(next) & (AHEAD - 1)
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let count = u8::try_from(self.ahead.len()).unwrap_or(u8::MAX);
        writer.bytes(&self.next.to_be_bytes()).u8(count);
        for chunk in &self.ahead {
            writer.bytes(chunk);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let next = u16::from_be_bytes(*reader.array()?);
        let count = reader.u8()?;
        if u16::from(count) != Self::ahead(next) {
            return Err(Malformed);
        }
        let mut ahead = VecDeque::with_capacity(usize::from(count));
        for _ in 0..count {
            ahead.push_back(*reader.array()?);
        }
        Ok(Self { next, ahead })
    }
}
