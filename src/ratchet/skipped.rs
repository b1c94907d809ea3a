//! Skipped message keys: the keys of messages that have not arrived, by chain and number (docs/spec/session.md, section
//! 4.7), in groups that a session stores as blocks (docs/formats.md, section 6.5).
//!
//! All chains have one queue. Keys are kept at its end, end at its front, and are used anywhere.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::chain::ChainKey;
use super::group::{Group, Run};
use super::limits::{GROUP, KEPT_FOR, MAX_KEPT};
use super::message_key::MessageKey;
use crate::labels::kind;
use bisik_core::blocks::{BlockId, BlockWriter, Ended, Place};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::storage::{StorageKey, UnsealError};

/// The skipped message keys of all chains, oldest first. Only the last group may take more; while it has fewer than
/// [`GROUP`] keys it is *loose*: part of the state's own record.
#[derive(Default)]
pub(super) struct SkippedKeys {
    groups: VecDeque<Group>,
    /// How many keys are in them.
    count: u32,
    ended: Ended,
}

/// Which keys the encoding of a state contains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeysIn {
    /// All of them.
    State,
    /// The loose ones; the others are in blocks.
    Blocks,
}

impl SkippedKeys {
    /// The key of a message, if it is kept.
    pub(super) fn get(&self, step: u32, number: u32) -> Option<MessageKey> {
        self.groups.get(self.group_of(step, number)).and_then(|group| group.get(step, number))
    }

    pub(super) fn remove(&mut self, step: u32, number: u32) {
        let index = self.group_of(step, number);
        let Some(group) = self.groups.get_mut(index) else { return };
        if group.remove(step, number) {
            self.count = self.count.saturating_sub(1);
            self.ended.end(&mut group.place);
        }
        if group.is_empty() {
            self.groups.retain(|group| !group.is_empty());
        }
    }

    /// Keeps the keys that a message has skipped in the chain of `step`, which come after all others.
    pub(super) fn keep(&mut self, step: u32, skipped: &NewlySkipped) {
        let NewlySkipped { first, at, keys } = skipped;
        let (mut rest, _) = keys.as_chunks();
        let mut number = *first;
        while !rest.is_empty() {
            let room = self.groups.back().and_then(|group| GROUP.checked_sub(group.len())).filter(|room| *room > 0);
            if room.is_none() {
                self.groups.push_back(Group::default());
            }
            let Some(group) = self.groups.back_mut() else { return };
            let (now, later) = rest.split_at_checked(room.unwrap_or(GROUP)).unwrap_or((rest, &[]));
            self.ended.end(&mut group.place);
            let end = group.append(step, *at, number, now);
            self.count = self.count.saturating_add(number.abs_diff(end));
            number = end;
            rest = later;
        }
    }

    /// Deletes the oldest keys, at most `count`.
    pub(super) fn remove_oldest(&mut self, mut count: u32) {
        while let Some(run) = self.oldest().filter(|_| count > 0) {
            let now = run.len().min(count);
            self.remove_front(now);
            count = count.saturating_sub(now);
        }
    }

    /// P-4.17: deletes the keys after which `received` says that [`KEPT_FOR`] messages were received.
    pub(super) fn expire(&mut self, received: u32) {
        // Later keys were kept later.
        while let Some(run) = self.oldest().filter(|run| !run.is_alive(received)) {
            self.remove_front(run.len());
        }
    }

    /// Deletes the keys of the chains before that of `step`.
    pub(super) fn end_chains_before(&mut self, step: u32) {
        while let Some(run) = self.oldest().filter(|run| run.step < step) {
            self.remove_front(run.len());
        }
    }

    pub(super) const fn len(&self) -> u32 {
        self.count
    }

    /// Whether a key of the chain of `step` is kept.
    pub(super) fn holds(&self, step: u32) -> bool {
        let index = self.group_of(step, 0);
        self.groups.get(index).is_some_and(|group| group.runs.iter().any(|run| run.step == step))
    }

    /// A copy that is nowhere stored.
    pub(super) fn duplicate(&self) -> Self {
        let Self { groups, count, ended: _ } = self;
        Self { groups: groups.iter().map(Group::duplicate).collect(), count: *count, ended: Ended::default() }
    }

    /// Writes the runs of one chain: consecutive numbers whose keys were kept at the same time.
    pub(super) fn write(&self, step: u32, keys: KeysIn, writer: &mut SecretWriter) {
        let blocks = match keys {
            KeysIn::State => 0,
            KeysIn::Blocks => self.groups.len().saturating_sub(usize::from(self.has_loose())),
        };
        let pieces = || self.groups.iter().skip(blocks).flat_map(Group::iter).filter(|(run, _)| run.step == step);
        let mut runs: Vec<Run> = Vec::new();
        for (run, _) in pieces() {
            match runs.last_mut() {
                // Of two groups.
                Some(last) if run.continues(last) => last.numbers.end = run.numbers.end,
                Some(_) | None => runs.push(run.clone()),
            }
        }
        writer.count(runs.len());
        let mut runs = runs.iter().peekable();
        for (piece, keys) in pieces() {
            if let Some(Run { step: _, at, numbers }) = runs.next_if(|run| run.numbers.start == piece.numbers.start) {
                writer.u32(numbers.start).u32(*at).count(numbers.len());
            }
            writer.bytes(keys);
        }
    }

    fn has_loose(&self) -> bool {
        self.groups.back().is_some_and(|last| last.len() < GROUP)
    }

    /// Names the groups that are blocks, and puts those that the store does not have.
    pub(super) fn write_blocks(&mut self, writer: &mut BlockWriter<'_>) {
        let loose = usize::from(self.has_loose());
        let Self { groups, count: _, ended } = self;
        let blocks = groups.len().saturating_sub(loose);
        writer.reserve(blocks);
        for (index, group) in groups.iter_mut().enumerate() {
            if index >= blocks {
                // It may have been a block before those after it ended.
                ended.end(&mut group.place);
            } else if !writer.name(&group.place) {
                let content = group.encode();
                writer.put(kind::SKIPPED_KEYS, &mut group.place, ended, &content);
            }
        }
    }

    /// What has ended since the last record that was confirmed.
    pub(super) const fn ended(&mut self) -> &mut Ended {
        &mut self.ended
    }

    /// Adds a block that a record names, after those before it.
    pub(super) fn add_block(&mut self, id: BlockId, key: &StorageKey, block: Option<&[u8]>) -> Result<(), UnsealError> {
        let content = bisik_core::blocks::open(key, kind::SKIPPED_KEYS, id, block)?;
        let group = Group::decode(&content, Place::stored(id)).map_err(|Malformed| UnsealError::Rejected)?;
        self.count = u32::try_from(group.len())
            .ok()
            .and_then(|more| self.count.checked_add(more))
            .ok_or(UnsealError::Rejected)?;
        self.groups.push_back(group);
        Ok(())
    }

    /// Adds the keys that a record has beside its blocks, oldest first. `keys` is where such a record has its keys.
    pub(super) fn add_loose(&mut self, runs: &[(u32, NewlySkipped)], keys: KeysIn) -> Result<(), Malformed> {
        let blocks = self.groups.len();
        self.groups.push_back(Group::default());
        for (step, run) in runs {
            self.keep(*step, run);
        }
        if self.groups.back().is_some_and(Group::is_empty) {
            self.groups.pop_back();
        }
        let full = self.groups.back().is_none_or(|last| last.len() == GROUP);
        let fits = match keys {
            KeysIn::State => blocks == 0,
            // Nothing is loose that fills a block, and without loose keys the last block is full.
            KeysIn::Blocks if self.groups.len() == blocks => full,
            KeysIn::Blocks => blocks.checked_add(1) == Some(self.groups.len()) && !full,
        };
        if fits { Ok(()) } else { Err(Malformed) }
    }

    /// Whether these keys can be kept after `received` messages: in order, not ended, and of messages before the next one of
    /// their chain, which `next` tells by its step.
    pub(super) fn is_possible(&self, received: u32, next: impl Fn(u32) -> Option<u32>) -> bool {
        let mut before: Option<&Run> = None;
        for run in self.groups.iter().flat_map(|group| &group.runs) {
            let ordered = before.is_none_or(|before| run.follows(before));
            let ahead = next(run.step).is_none_or(|next| run.numbers.end > next);
            if !ordered || ahead || !run.is_alive(received) {
                return false;
            }
            before = Some(run);
        }
        self.len() <= MAX_KEPT
    }

    /// The index of the first group that ends with this message or a later one.
    fn group_of(&self, step: u32, number: u32) -> usize {
        self.groups.partition_point(|group| group.ends_before(step, number))
    }

    fn oldest(&self) -> Option<Run> {
        self.groups.front().and_then(|group| group.runs.first()).cloned()
    }

    /// Deletes `count` keys of the oldest run.
    fn remove_front(&mut self, count: u32) {
        let Some(group) = self.groups.front_mut() else { return };
        group.remove_front(count);
        self.count = self.count.saturating_sub(count);
        self.ended.end(&mut group.place);
        if group.is_empty() {
            self.groups.pop_front();
        }
    }
}

/// The keys of consecutive messages that one received message has skipped, oldest first.
#[derive(Default)]
pub(super) struct NewlySkipped {
    first: u32,
    /// How many messages had been received when they were kept, the one that skipped them included.
    at: u32,
    /// 32 bytes each.
    keys: Zeroizing<Vec<u8>>,
}

impl NewlySkipped {
    pub(super) fn duplicate(&self) -> Self {
        Self { first: self.first, at: self.at, keys: self.keys.clone() }
    }

    /// Reads the runs of one chain.
    pub(super) fn read_runs(step: u32, reader: &mut Reader<'_>) -> Result<LooseKeys, Malformed> {
        let mut runs = Vec::new();
        let mut before: Option<Run> = None;
        for _ in 0..reader.count_of(RUN)? {
            let (run, keys) = Run::read(step, reader)?;
            if before.is_some_and(|before| !run.follows(&before) || run.continues(&before)) {
                return Err(Malformed);
            }
            let keys = Zeroizing::new(keys.to_vec());
            runs.push((step, Self { first: run.numbers.start, at: run.at, keys }));
            before = Some(run);
        }
        Ok(runs)
    }
}

/// The keys in the encoding of a state, oldest first: runs, with the step of their chain.
pub(super) type LooseKeys = Vec<(u32, NewlySkipped)>;

/// A chain that was advanced over missing messages.
pub(super) struct SkippedTo {
    pub(super) chain: ChainKey,
    /// The keys of the newest messages that were skipped, at most [`MAX_KEPT`].
    pub(super) keys: NewlySkipped,
    /// How many more were skipped, whose keys are not kept.
    pub(super) given_up: u32,
}

/// Advances `chain` from number `from` to number `to`. The caller has checked the distance. `at` is how many messages
/// were received, this one included.
pub(super) fn skip_to(chain: &ChainKey, from: u32, to: u32, at: u32) -> SkippedTo {
    let first = to.saturating_sub(MAX_KEPT).max(from);
    let mut chain = chain.duplicate();
    for _ in from..first {
        chain = chain.skip();
    }
    let mut keys = Zeroizing::new(Vec::with_capacity((first..to).len().saturating_mul(KEY)));
    for _ in first..to {
        let (next, key) = chain.step();
        keys.extend_from_slice(key.secret().expose());
        chain = next;
    }
    SkippedTo { chain, keys: NewlySkipped { first, at, keys }, given_up: first.saturating_sub(from) }
}

impl Run {
    /// P-4.17: whether the keys were kept among `received` messages, and have not ended yet.
    fn is_alive(&self, received: u32) -> bool {
        received.checked_sub(self.at).is_some_and(|age| age < KEPT_FOR)
    }
}

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a run with one key: first number, when it was kept, count, key.
const RUN: usize = 4 + 4 + 4 + KEY;
