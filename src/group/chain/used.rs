//! [`Used`]: the messages of a chain that were received last (docs/spec/chains.md, section 14.4).

use alloc::collections::VecDeque;

use super::limits::MAX_REMEMBERED;
use crate::ratchet::SALT;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert::first;

/// Numbers and salts of the messages of a chain that were received last, oldest first.
#[derive(Default)]
pub(super) struct Used(VecDeque<Entry>);

/// One message that was received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: u32,
    /// The beginning of its salt. Only who has the chain can choose it, and would gain that a message is dropped.
    salt: [u8; BEGINNING],
}

/// What is known of a message whose number is not one to be read.
pub(super) enum Seen {
    /// It is the message that was received.
    Same,
    /// Another message was received under its number.
    Other,
    /// No entry has its number.
    Unknown,
}

impl Entry {
    pub(super) fn new(number: u32, salt: &[u8; SALT]) -> Self {
        Self { number, salt: first(salt) }
    }
}

impl Used {
    /// Adds the newest entry. The oldest goes if there are too many.
    pub(super) fn push(&mut self, entry: Entry) {
        if self.0.len() >= MAX_REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    pub(super) fn compare(&self, entry: &Entry) -> Seen {
        match self.0.iter().find(|known| known.number == entry.number) {
            Some(known) if known == entry => Seen::Same,
            Some(_) => Seen::Other,
            None => Seen::Unknown,
        }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.0.iter().any(|entry| entry.number == number)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        writer.count(self.0.len());
        for Entry { number, salt } in &self.0 {
            writer.u32(*number).bytes(salt);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut used = VecDeque::with_capacity(MAX_REMEMBERED);
        for _ in 0..reader.count(MAX_REMEMBERED)? {
            let entry = Entry { number: reader.u32()?, salt: *reader.array()? };
            if used.iter().any(|known: &Entry| known.number == entry.number) {
                return Err(Malformed);
            }
            used.push_back(entry);
        }
        Ok(Self(used))
    }
}

/// Bytes that are remembered of a salt.
const BEGINNING: usize = 4;
