//! [`Inbox`]: what waits for the program, as far as the database has it (docs/spec/rooms.md, section 15.4).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// What arrived, oldest first. Each has a number, under which it is given until the program settles it. P-15.11.
pub(super) struct Inbox<T> {
    entries: VecDeque<Entry<T>>,
    /// The number of the newest entry.
    last: u64,
    /// The revision of the record that the database certainly has.
    durable: u64,
}

struct Entry<T> {
    number: u64,
    revision: u64,
    received: T,
}

/// Something that waits for the program.
pub(super) trait Waiting: Sized {
    /// Bytes that count for the bound.
    fn len(&self) -> usize;
    /// When it has to be gone.
    fn delete_by(&self) -> Option<Timestamp>;
    /// What the program is told where it was deleted before the program took it.
    fn lost(&self) -> Option<Self>;
    fn write(&self, writer: &mut SecretWriter);
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

impl<T: Waiting> Inbox<T> {
    pub(super) const fn new() -> Self {
        Self { entries: VecDeque::new(), last: 0, durable: 0 }
    }

    /// Whether there is room for one more thing of so many bytes.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.has_room_for(1, length)
    }

    pub(super) fn has_room_for(&self, count: usize, length: usize) -> bool {
        let bytes = self.entries.iter().fold(length, |sum, entry| sum.saturating_add(entry.received.len()));
        self.entries.len().saturating_add(count) <= INBOX && bytes <= INBOX_BYTES
    }

    /// Gives something to the program with the record of this revision, which counts the change.
    pub(super) fn give(&mut self, received: T, revision: u64) {
        self.last = self.last.saturating_add(1);
        self.entries.push_back(Entry { number: self.last, revision, received });
    }

    /// Whether such a thing waits, stored or not.
    pub(super) fn has(&self, is_it: impl Fn(&T) -> bool) -> bool {
        self.entries.iter().any(|entry| is_it(&entry.received))
    }

    /// Takes note that the record of this revision is stored.
    pub(super) fn stored(&mut self, revision: u64) {
        self.durable = self.durable.max(revision);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let stored = self.entries.iter().take_while(|entry| entry.revision <= self.durable);
        stored.map(|entry| (entry.number, &entry.received))
    }

    /// Forgets what was given, up to this number. Whether there was anything.
    pub(super) fn settle(&mut self, through: u64) -> bool {
        let (before, durable) = (self.entries.len(), self.durable);
        while self.entries.front().is_some_and(|entry| entry.number <= through && entry.revision <= durable) {
            self.entries.pop_front();
        }
        self.entries.len() != before
    }

    /// Drops what has to be gone by now, and returns what the program is told of it; `None` if there was nothing.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<Vec<T>> {
        self.remove(|received| received.delete_by().is_some_and(|delete_by| delete_by <= now))
    }

    /// Drops what waits and is such a thing, and returns what the program is told of it; `None` if there was nothing.
    pub(super) fn remove(&mut self, is_over: impl Fn(&T) -> bool) -> Option<Vec<T>> {
        let before = self.entries.len();
        let over = self.entries.iter().filter(|entry| is_over(&entry.received));
        let lost = over.filter_map(|entry| entry.received.lost()).collect();
        self.entries.retain(|entry| !is_over(&entry.received));
        (self.entries.len() != before).then_some(lost)
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { entries, last, durable: _ } = self;
        writer.u64(*last).count(entries.len());
        for Entry { number, revision: _, received } in entries {
            received.write(writer.u64(*number));
        }
    }

    /// Reads what the record of this revision has.
    pub(super) fn read(revision: u64, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut inbox = Self { last: reader.u64()?, durable: revision, ..Self::new() };
        for _ in 0..reader.count_of(9)? {
            let number = reader.u64()?;
            if number > inbox.last || inbox.entries.back().is_some_and(|last| last.number >= number) {
                return Err(Malformed);
            }
            inbox.entries.push_back(Entry { number, revision, received: T::read(reader)? });
        }
        Ok(inbox)
    }
}

/// Things that wait for the program: messages and events. What arrives when it is full stays with the relay.
const INBOX: usize = 1_024;
/// Bytes of their bodies together.
const INBOX_BYTES: usize = 4 << 20;
