//! [`Kept`]: keys of messages that have not arrived, in one chain (docs/spec/chains.md, section 14.5).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use super::limits::KEPT_FOR;
use crate::ratchet::{ChainKey, MessageKey};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// Keys of messages that have not arrived, by number.
#[derive(Default)]
pub(super) struct Kept {
    keys: BTreeMap<u32, KeptKey>,
    /// None of them was kept before this.
    oldest: u32,
}

struct KeptKey {
    /// How many messages had been received when it was kept, the one that skipped it included.
    at: u32,
    key: Box<MessageKey>,
}

/// A chain that was advanced over messages that have not arrived.
pub(super) struct Skipped {
    /// The chain key at the number that it was advanced to.
    pub(super) chain: Box<ChainKey>,
    numbers: Range<u32>,
    /// Of these numbers, in their order.
    keys: Vec<KeptKey>,
}

/// Advances `chain` from number `from` to number `to`, both of which are at most 1,000.
pub(super) fn skip(chain: &ChainKey, from: u32, to: u32) -> Skipped {
    let mut chain = Box::new(chain.duplicate());
    let mut keys = Vec::with_capacity((from..to).len());
    for _ in from..to {
        let (next, key) = chain.step();
        // Boxed at once, so that no copy is left where it was.
        keys.push(KeptKey { at: 0, key: Box::new(key) });
        *chain = next;
    }
    Skipped { chain, numbers: from..to, keys }
}

impl Kept {
    pub(super) fn get(&self, number: u32) -> Option<&MessageKey> {
        self.keys.get(&number).map(|kept| &*kept.key)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.keys.remove(&number);
    }

    /// Keeps keys. `at` is how many messages were received. Returns the chain behind them.
    pub(super) fn keep(&mut self, skipped: Skipped, at: u32) -> Box<ChainKey> {
        let Skipped { chain, numbers, keys } = skipped;
        if self.keys.is_empty() {
            self.oldest = at;
        }
        self.oldest = self.oldest.min(at);
        for (number, kept) in numbers.zip(keys) {
            self.keys.insert(number, KeptKey { at, ..kept });
        }
        chain
    }

    /// P-14.22: deletes the keys after which `received` says that [`KEPT_FOR`] messages were received. Returns how many.
    pub(super) fn expire(&mut self, received: u32) -> u32 {
        if is_alive(self.oldest, received) {
            return 0;
        }
        let before = self.len();
        self.keys.retain(|_, kept| is_alive(kept.at, received));
        self.oldest = self.keys.values().map(|kept| kept.at).min().unwrap_or(received);
        before.abs_diff(self.len())
    }

    /// Deletes the keys of the lowest numbers, at most `count`. Returns how many.
    pub(super) fn remove_lowest(&mut self, count: u32) -> u32 {
        let before = self.len();
        (0..count).map_while(|_| self.keys.pop_first()).for_each(drop);
        before.abs_diff(self.len())
    }

    /// Deletes the keys of `number` and above. Returns how many.
    pub(super) fn remove_from(&mut self, number: u32) -> u32 {
        let before = self.len();
        self.keys.retain(|kept, _| *kept < number);
        before.abs_diff(self.len())
    }

    pub(super) fn len(&self) -> u32 {
        // At most 1,000, those of the whole chain.
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }

    /// Writes runs: consecutive numbers whose keys were kept at the same time.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        for (number, KeptKey { at, key: _ }) in &self.keys {
            match runs.last_mut() {
                Some((_, end, same)) if *end == *number && same == at => *end = after(*number),
                Some(_) | None => runs.push((*number, after(*number), *at)),
            }
        }
        writer.count(runs.len());
        for (first, end, at) in runs {
            writer.u32(first).u32(at).count((first..end).len());
            for KeptKey { at: _, key } in self.keys.range(first..end).map(|(_, kept)| kept) {
                writer.bytes(key.secret().expose());
            }
        }
    }

    /// Reads what [`Kept::write`] wrote: keys of numbers from `numbers`, which are not ended after `received` messages.
    pub(super) fn read(reader: &mut Reader<'_>, numbers: Range<u32>, received: u32) -> Result<Self, Malformed> {
        let mut kept = Self { keys: BTreeMap::new(), oldest: received };
        let mut before: Option<(u32, u32)> = None;
        for _ in 0..reader.count_of(RUN)? {
            let (first, at, count) = (reader.u32()?, reader.u32()?, reader.count(MAX_RUN)?);
            let end = u32::try_from(count).ok().and_then(|count| first.checked_add(count)).ok_or(Malformed)?;
            let ordered = before.is_none_or(|(end, same)| end < first || end == first && same != at);
            if !ordered || count == 0 || first < numbers.start || end > numbers.end || !is_alive(at, received) {
                return Err(Malformed);
            }
            for number in first..end {
                let key = Box::new(MessageKey::new(Secret::copy_of(reader.array()?)));
                kept.keys.insert(number, KeptKey { at, key });
            }
            kept.oldest = kept.oldest.min(at);
            before = Some((end, at));
        }
        Ok(kept)
    }
}

/// Whether a key that was kept at `at` has not ended after `received` messages. One that was kept later does not exist.
fn is_alive(at: u32, received: u32) -> bool {
    received.checked_sub(at).is_some_and(|age| age < KEPT_FOR)
}

/// The number after one that a message has, which is at most 999.
fn after(number: u32) -> u32 {
    number.saturating_add(1)
}

/// Bytes of a run with one key: first number, when it was kept, count, key.
const RUN: usize = 4 + 4 + 4 + 32;
/// Most keys of a run: those of a whole chain.
const MAX_RUN: usize = 1_000;
