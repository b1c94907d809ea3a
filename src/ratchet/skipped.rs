//! Skipped message keys: the keys of messages that have not arrived, by chain and number (docs/spec/session.md, section
//! 4.9).
//!
//! Keys are boxed, so that a growing store never leaves copies of them behind.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::chain::ChainKey;
use super::limits::{KEPT_FOR, MAX_KEPT};
use super::message_key::MessageKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// The skipped message keys of one chain.
#[derive(Default)]
pub(super) struct SkippedKeys(BTreeMap<u32, Box<Kept>>);

/// A message key, and how many messages had been received when it was kept, the one that skipped it included.
pub(super) struct Kept {
    key: MessageKey,
    at: u32,
}

impl Kept {
    fn duplicate(&self) -> Box<Self> {
        Box::new(Self { key: self.key.duplicate(), at: self.at })
    }
}

impl SkippedKeys {
    pub(super) fn get(&self, number: u32) -> Option<&MessageKey> {
        self.0.get(&number).map(|kept| &kept.key)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.0.remove(&number);
    }

    /// Keeps the keys that a message has skipped.
    pub(super) fn keep(&mut self, keys: NewlySkipped) {
        self.0.extend(keys);
    }

    pub(super) fn remove_oldest(&mut self) -> bool {
        self.0.pop_first().is_some()
    }

    /// P-4.17: deletes the keys after which `received` says that [`KEPT_FOR`] messages were received. Returns how many.
    pub(super) fn expire(&mut self, received: u32) -> u32 {
        let mut ended: u32 = 0;
        // Later numbers were kept later.
        while let Some(oldest) = self.0.first_entry() {
            if received.checked_sub(oldest.get().at).is_none_or(|age| age < KEPT_FOR) {
                break;
            }
            oldest.remove();
            ended = ended.saturating_add(1);
        }
        ended
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.iter().map(|(number, kept)| (*number, kept.duplicate())).collect())
    }

    /// Writes runs: consecutive numbers whose keys were kept at the same time.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let mut runs: Vec<Vec<(u32, &Kept)>> = Vec::new();
        for (number, kept) in &self.0 {
            let continues = runs
                .last()
                .and_then(|run| run.last())
                .is_some_and(|(before, last)| before.checked_add(1) == Some(*number) && last.at == kept.at);
            match runs.last_mut() {
                Some(run) if continues => run.push((*number, kept)),
                Some(_) | None => runs.push([(*number, kept.as_ref())].into()),
            }
        }
        writer.count(runs.len());
        for run in runs {
            if let Some((first, Kept { key: _, at })) = run.first() {
                writer.u32(*first).u32(*at).count(run.len());
            }
            for (_, Kept { key, at: _ }) in run {
                writer.bytes(key.secret().expose());
            }
        }
    }

    /// Whether each key was kept among `received` messages, and has not ended yet.
    pub(super) fn is_alive(&self, received: u32) -> bool {
        self.0.values().all(|kept| received.checked_sub(kept.at).is_some_and(|age| age < KEPT_FOR))
    }

    /// Reads the keys of a chain whose next number is `next`, at most `room` of them.
    pub(super) fn read(reader: &mut Reader<'_>, next: u32, room: u32) -> Result<Self, Malformed> {
        let mut skipped = Self::default();
        let mut before: Option<(u32, u32)> = None;
        for _ in 0..reader.count_of(RUN)? {
            let (first, at, count) = (reader.u32()?, reader.u32()?, reader.count_of(32)?);
            // Later numbers were kept later. A run that continues the one before it would have been one with it.
            let ordered = before.is_none_or(|(last, kept)| {
                first > last && at >= kept && (last.checked_add(1), kept) != (Some(first), at)
            });
            if count == 0 || !ordered {
                return Err(Malformed);
            }
            for number in (first..next).take(count) {
                if skipped.len() >= room {
                    return Err(Malformed);
                }
                let key = MessageKey::new(Secret::copy_of(reader.array()?));
                skipped.0.insert(number, Box::new(Kept { key, at }));
                before = Some((number, at));
            }
            let length = usize::try_from(next.checked_sub(first).ok_or(Malformed)?).map_err(|_| Malformed)?;
            if length < count {
                return Err(Malformed);
            }
        }
        Ok(skipped)
    }
}

/// The keys of the messages that one received message has skipped, oldest first.
pub(super) type NewlySkipped = Vec<(u32, Box<Kept>)>;

pub(super) fn duplicate_newly_skipped(newly_skipped: &NewlySkipped) -> NewlySkipped {
    newly_skipped.iter().map(|(number, kept)| (*number, kept.duplicate())).collect()
}

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
    let keep_from = to.saturating_sub(MAX_KEPT).max(from);
    let mut chain = chain.duplicate();
    for _ in from..keep_from {
        chain = chain.skip();
    }
    let mut keys = Vec::with_capacity(usize::try_from(to.saturating_sub(keep_from)).unwrap_or_default());
    for number in keep_from..to {
        let (next, key) = chain.step();
        keys.push((number, Box::new(Kept { key, at })));
        chain = next;
    }
    SkippedTo { chain, keys, given_up: keep_from.saturating_sub(from) }
}

/// Bytes of a run with one key: first number, when it was kept, count, key.
const RUN: usize = 4 + 4 + 4 + 32;
