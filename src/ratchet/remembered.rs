//! The last messages received, remembered to tell a duplicate from a fork (docs/spec/session.md, section 4.9).

use alloc::collections::VecDeque;

use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert::first;

/// The digests of the last messages received, newest first.
#[derive(Clone, Default)]
pub(super) struct Remembered(VecDeque<Entry>);

/// One message that was received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The step of its chain.
    pub(super) step: u32,
    /// `N`: its number in the chain.
    pub(super) number: u32,
    /// The first bytes of its digest `D`. To pass a fork off as a duplicate takes a second preimage of 64 bits.
    digest: [u8; DIGEST],
}

impl Entry {
    pub(super) fn new(step: u32, number: u32, digest: &[u8; 32]) -> Self {
        Self { step, number, digest: first(digest) }
    }
}

/// What is known of a message whose number was used before.
pub(super) enum Known {
    /// It is the message that was received.
    Same,
    /// Another message was received under its number.
    Other,
    /// No entry is left.
    Forgotten,
}

impl Remembered {
    /// Adds the newest entry. The oldest goes if there are too many.
    pub(super) fn push(&mut self, entry: Entry) {
        self.0.push_front(entry);
        self.0.truncate(REMEMBERED);
    }

    /// Compares a message whose number was used with what was received under that number.
    pub(super) fn compare(&self, entry: &Entry) -> Known {
        match self.0.iter().find(|known| (known.step, known.number) == (entry.step, entry.number)) {
            Some(known) if known == entry => Known::Same,
            Some(_) => Known::Other,
            None => Known::Forgotten,
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        writer.count(self.0.len());
        for Entry { step, number, digest } in &self.0 {
            writer.u32(*step).u32(*number).bytes(digest);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut entries = VecDeque::with_capacity(REMEMBERED);
        for _ in 0..reader.count(REMEMBERED)? {
            let entry = Entry { step: reader.u32()?, number: reader.u32()?, digest: *reader.array()? };
            if entries.iter().any(|known: &Entry| (known.step, known.number) == (entry.step, entry.number)) {
                return Err(Malformed);
            }
            entries.push_back(entry);
        }
        Ok(Self(entries))
    }
}

/// Bytes kept of each digest.
const DIGEST: usize = 8;

/// How many messages are remembered: enough for what a network delivers twice at once, small in every record.
const REMEMBERED: usize = 8;
