//! A group of skipped message keys: what a session stores as one block (docs/formats.md, section 6.5).

use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use super::limits::GROUP;
use super::message_key::MessageKey;
use bisik_core::blocks::Place;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// At most [`GROUP`] keys, by chain and number.
///
/// The keys are in one buffer that never grows, so that no copies of them are left behind.
pub(super) struct Group {
    pub(super) runs: Vec<Run>,
    /// 32 bytes each, in the order of the runs.
    pub(super) keys: Zeroizing<Vec<u8>>,
    /// The block that holds this group as it is.
    pub(super) place: Place,
}

/// Consecutive messages of one chain whose keys were kept at the same time.
#[derive(Clone)]
pub(super) struct Run {
    /// The step of their chain.
    pub(super) step: u32,
    /// How many messages had been received when they were kept, the one that skipped them included.
    pub(super) at: u32,
    pub(super) numbers: Range<u32>,
}

impl Run {
    pub(super) fn len(&self) -> u32 {
        self.numbers.start.abs_diff(self.numbers.end)
    }

    /// Whether a run is longer by this one.
    pub(super) fn continues(&self, before: &Self) -> bool {
        (self.step, self.at, self.numbers.start) == (before.step, before.at, before.numbers.end)
    }

    /// Whether this run can come after `before`: later messages were skipped later.
    pub(super) fn follows(&self, before: &Self) -> bool {
        (self.step, self.numbers.start) >= (before.step, before.numbers.end) && self.at >= before.at
    }

    /// Reads a run and its keys.
    pub(super) fn read<'a>(step: u32, reader: &mut Reader<'a>) -> Result<(Self, &'a [u8]), Malformed> {
        let (start, at, count) = (reader.u32()?, reader.u32()?, reader.count_of(KEY)?);
        let end = u32::try_from(count).ok().and_then(|count| start.checked_add(count)).ok_or(Malformed)?;
        let keys = reader.slice(count.checked_mul(KEY).ok_or(Malformed)?)?;
        if count == 0 { Err(Malformed) } else { Ok((Self { step, at, numbers: start..end }, keys)) }
    }
}

impl Default for Group {
    fn default() -> Self {
        let keys = Zeroizing::new(Vec::with_capacity(GROUP.saturating_mul(KEY)));
        Self { runs: Vec::new(), keys, place: Place::default() }
    }
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.keys.len() / KEY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn get(&self, step: u32, number: u32) -> Option<MessageKey> {
        let key = self.find(step, number)?;
        let (keys, _) = self.keys.as_chunks();
        keys.get(key).map(|key| MessageKey::new(Secret::copy_of(key)))
    }

    /// Whether all of its messages come before this one.
    pub(super) fn ends_before(&self, step: u32, number: u32) -> bool {
        self.runs.last().is_none_or(|run| (run.step, run.numbers.end) <= (step, number))
    }

    /// Adds keys of consecutive messages, the first of which is `number`: no more than there is room for. Returns the
    /// number after them.
    pub(super) fn append(&mut self, step: u32, at: u32, number: u32, keys: &[[u8; KEY]]) -> u32 {
        let end = u32::try_from(keys.len()).ok().and_then(|count| number.checked_add(count)).unwrap_or(number);
        let run = Run { step, at, numbers: number..end };
        match self.runs.last_mut() {
            Some(last) if run.continues(last) => last.numbers.end = end,
            Some(_) | None => self.runs.push(run),
        }
        self.keys.extend_from_slice(keys.as_flattened());
        end
    }

    /// Deletes the key of one message. Returns whether there was one.
    pub(super) fn remove(&mut self, step: u32, number: u32) -> bool {
        let Some(key) = self.find(step, number) else { return false };
        let found = self.runs.iter().position(|run| run.step == step && run.numbers.contains(&number));
        let Some(index) = found else { return false };
        let Some(run) = self.runs.get_mut(index) else { return false };
        let later = Run { numbers: number.saturating_add(1)..run.numbers.end, ..*run };
        run.numbers.end = number;
        if !later.numbers.is_empty() {
            // Into its place, after the run that it was a part of: those behind move on by one.
            let mut moved = later;
            self.runs.iter_mut().skip(index.saturating_add(1)).for_each(|run| core::mem::swap(run, &mut moved));
            self.runs.push(moved);
        }
        self.runs.retain(|run| !run.numbers.is_empty());
        self.cut(key, 1);
        true
    }

    /// Deletes the first `count` keys, which are of its first run.
    pub(super) fn remove_front(&mut self, count: u32) {
        let Some(run) = self.runs.first_mut() else { return };
        run.numbers.start = run.numbers.start.saturating_add(count).min(run.numbers.end);
        self.runs.retain(|run| !run.numbers.is_empty());
        self.cut(0, usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// The runs, each with its keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Run, &[u8])> {
        let mut rest = self.keys.as_slice();
        self.runs.iter().map(move |run| {
            let length = run.numbers.len().saturating_mul(KEY);
            let (keys, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = later;
            (run, keys)
        })
    }

    pub(super) fn duplicate(&self) -> Self {
        let mut copy = Self { runs: self.runs.clone(), ..Self::default() };
        copy.keys.extend_from_slice(&self.keys);
        copy
    }

    /// The content of a block: the runs, and then all keys.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let size = self.runs.len().saturating_mul(RUN).saturating_add(self.keys.len());
        let mut writer = SecretWriter::with_capacity(size.saturating_add(4));
        writer.count(self.runs.len());
        for run in &self.runs {
            let fields = [run.step, run.numbers.start, run.at, run.len()];
            writer.bytes(fields.map(u32::to_be_bytes).as_flattened());
        }
        writer.bytes(&self.keys);
        writer.finish()
    }

    /// Reads the content of a block: 1 to [`GROUP`] keys in order.
    pub(super) fn decode(content: &[u8], place: Place) -> Result<Self, Malformed> {
        let mut reader = Reader::new(content);
        let mut group = Self { place, ..Self::default() };
        for _ in 0..reader.count(GROUP)? {
            let (step, start, at, count) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
            let numbers = start..start.checked_add(count).ok_or(Malformed)?;
            let run = Run { step, at, numbers };
            let ordered = group.runs.last().is_none_or(|before| run.follows(before) && !run.continues(before));
            if run.numbers.is_empty() || !ordered {
                return Err(Malformed);
            }
            group.runs.push(run);
        }
        let keys = reader.rest();
        let count = group.runs.iter().try_fold(0_usize, |sum, run| sum.checked_add(run.numbers.len()));
        if count.is_none_or(|count| count == 0 || count > GROUP || keys.len() != count.saturating_mul(KEY)) {
            return Err(Malformed);
        }
        group.keys.extend_from_slice(keys);
        Ok(group)
    }

    /// The place of a message's key among all.
    fn find(&self, step: u32, number: u32) -> Option<usize> {
        let mut before: usize = 0;
        for run in &self.runs {
            if run.step == step && run.numbers.contains(&number) {
                let within = usize::try_from(run.numbers.start.abs_diff(number)).ok()?;
                return before.checked_add(within);
            }
            before = before.checked_add(run.numbers.len())?;
        }
        None
    }

    /// Removes `count` keys in place, and wipes what is free then.
    fn cut(&mut self, key: usize, count: usize) {
        let (start, removed) = (key.saturating_mul(KEY), count.saturating_mul(KEY));
        let bytes = Cell::from_mut(self.keys.as_mut_slice()).as_slice_of_cells();
        let later = bytes.iter().skip(start.saturating_add(removed));
        bytes.iter().skip(start).zip(later).for_each(|(to, from)| to.set(from.get()));
        let left = self.keys.len().saturating_sub(removed).max(start);
        self.keys.get_mut(left..).into_iter().for_each(Zeroize::zeroize);
        self.keys.truncate(left);
    }
}

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a run before its keys: step, first number, when they were kept, count.
const RUN: usize = 4 + 4 + 4 + 4;
