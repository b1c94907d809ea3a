//! [`Aside`]: entries and acts that wait for something, bounded.
//!
//! What is aside is not stored: a device that restarts asks again. When there are too many, the oldest go, which loses
//! nothing: they are asked for again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::limits::{ASIDE_ACTS, ASIDE_BYTES, ASIDE_ENTRIES};
use super::{ActHash, ActId, EntryHash, Stay};
use crate::device::{AccountKey, ListId};

/// What an act lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The entry that it names.
    Entry(u64, EntryHash),
    List(AccountKey, ListId),
    Floor([u8; 32]),
    /// The act that opens the link by which the stay joins.
    Link(ActId, Stay),
    /// What adds its stay.
    Stay(Stay),
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside {
    entries: VecDeque<(EntryHash, Vec<u8>)>,
    acts: VecDeque<(ActHash, Lack, Vec<u8>)>,
}

impl Aside {
    /// Keeps an entry that waits for the one before it. P-13.3.
    pub(super) fn keep_entry(&mut self, before: EntryHash, bytes: &[u8]) {
        if self.entries.iter().any(|(_, kept)| kept == bytes) {
            return;
        }
        self.entries.push_back((before, bytes.to_vec()));
        let size = |(_, bytes): &(EntryHash, Vec<u8>)| bytes.len();
        while self.entries.len() > ASIDE_ENTRIES || total(self.entries.iter().map(size)) > ASIDE_BYTES {
            self.entries.pop_front();
        }
    }

    /// Keeps an act. P-13.6.
    pub(super) fn keep_act(&mut self, hash: ActHash, lack: Lack, bytes: &[u8]) {
        if let Some(kept) = self.acts.iter_mut().find(|(kept, ..)| *kept == hash) {
            kept.1 = lack;
            return;
        }
        self.acts.push_back((hash, lack, bytes.to_vec()));
        let size = |(_, _, bytes): &(ActHash, Lack, Vec<u8>)| bytes.len();
        while self.acts.len() > ASIDE_ACTS || total(self.acts.iter().map(size)) > ASIDE_BYTES {
            self.acts.pop_front();
        }
    }

    /// Takes the entries that wait for this one.
    pub(super) fn entries_after(&mut self, before: &EntryHash) -> Vec<Vec<u8>> {
        let (found, left): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(&mut self.entries).into_iter().partition(|(waits, _)| waits == before);
        self.entries = left;
        found.into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// Takes the acts that lack nothing any more, to try them again.
    pub(super) fn take_acts(&mut self, is_here: impl Fn(&ActHash, &Lack) -> bool) -> Vec<Vec<u8>> {
        let (found, left): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(&mut self.acts).into_iter().partition(|(hash, lack, _)| is_here(hash, lack));
        self.acts = left;
        found.into_iter().map(|(.., bytes)| bytes).collect()
    }

    /// The entries before those that wait.
    pub(super) fn entries_before(&self) -> impl Iterator<Item = EntryHash> {
        self.entries.iter().map(|(before, _)| *before)
    }

    /// What the acts lack that wait.
    pub(super) fn lacks(&self) -> impl Iterator<Item = Lack> {
        self.acts.iter().map(|(_, lack, _)| *lack)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many entries and acts wait.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.entries.len(), self.acts.len())
    }
}

fn total(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(0, usize::saturating_add)
}
