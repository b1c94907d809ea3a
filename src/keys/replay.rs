//! [`ReplayMemory`]: which sessions the last-resort key of one generation has set up (docs/spec/session.md, section
//! 3.3).

use alloc::collections::BTreeSet;

use super::IdentityKey;
use crate::labels;
use bisik_core::primitives::kdf::digest;

/// The sessions that one last-resort key has set up. P-3.8: nothing is evicted, because an evicted entry is a replay.
#[derive(Default)]
pub(super) struct ReplayMemory(BTreeSet<Entry>);

/// One session: eight bytes that name its initiator, then the first eight of its id. All entries of an initiator are
/// next to one another.
pub(crate) type Entry = [u8; 16];

/// Why a last-resort key sets up no session with an initiator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It has set up this session before.
    Replayed,
    /// The initiator has as many entries as one may have.
    TooMany,
    /// There is no room for this initiator.
    Full,
}

impl ReplayMemory {
    /// The entry of a session.
    pub(super) fn entry(initiator: &IdentityKey, session: &[u8; 16]) -> Entry {
        let name = digest(&[labels::REPLAY_INITIATOR, &initiator.to_bytes()]);
        let mut entry = [0; 16];
        let bytes = name.iter().take(8).chain(session.iter().take(8));
        entry.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        entry
    }

    /// Whether the session of `entry` may be set up. `known` says that the caller expected this initiator: a quarter of
    /// the memory is for such, so that strangers cannot shut them out.
    pub(super) fn check(&self, entry: Entry, known: bool) -> Result<(), Refusal> {
        if self.0.contains(&entry) {
            return Err(Refusal::Replayed);
        }
        let (mut first, mut last) = (entry, entry);
        first.iter_mut().skip(8).for_each(|byte| *byte = 0x00);
        last.iter_mut().skip(8).for_each(|byte| *byte = 0xff);
        if self.0.range(first..=last).count() >= OF_ONE {
            return Err(Refusal::TooMany);
        }
        let room = if known { ALL } else { OF_STRANGERS };
        if self.0.len() < room { Ok(()) } else { Err(Refusal::Full) }
    }

    /// Remembers a session that was set up. Sessions that were checked at the same time are all remembered.
    pub(super) fn remember(&mut self, entry: Entry) {
        self.0.insert(entry);
    }

    /// Whether initiators that are not known find no room.
    pub(super) fn is_full_for_strangers(&self) -> bool {
        self.0.len() >= OF_STRANGERS
    }

    /// The entries, in ascending order.
    pub(super) fn entries(&self) -> &BTreeSet<Entry> {
        &self.0
    }

    /// Entries that were stored.
    pub(super) fn from_entries(entries: BTreeSet<Entry>) -> Self {
        Self(entries)
    }
}

/// Most entries of one initiator. With more, it shuts only its own door.
const OF_ONE: usize = 16;
/// Most entries that initiators who are not known may fill.
const OF_STRANGERS: usize = 768;
/// Most entries.
const ALL: usize = 1_024;
