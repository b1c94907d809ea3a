//! Skipped message keys: the keys of messages that have not arrived, by chain and number (docs/spec/session.md, section
//! 4.7).
//!
//! Keys are boxed, so that a growing store never leaves copies of them behind.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::chain::ChainKey;
use super::limits::MAX_SKIPPED;
use super::message_key::MessageKey;

/// The skipped message keys of one chain.
#[derive(Default)]
pub(super) struct SkippedKeys(BTreeMap<u32, Box<MessageKey>>);

impl SkippedKeys {
    pub(super) fn get(&self, number: u32) -> Option<&MessageKey> {
        self.0.get(&number).map(AsRef::as_ref)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.0.remove(&number);
    }

    pub(super) fn insert(&mut self, number: u32, key: Box<MessageKey>) {
        self.0.insert(number, key);
    }

    pub(super) fn remove_oldest(&mut self) -> bool {
        self.0.pop_first().is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &MessageKey)> {
        self.0.iter().map(|(number, key)| (*number, key.as_ref()))
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.iter().map(|(number, key)| (number, Box::new(key.duplicate()))).collect())
    }
}

impl FromIterator<(u32, Box<MessageKey>)> for SkippedKeys {
    fn from_iter<I: IntoIterator<Item = (u32, Box<MessageKey>)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// The keys of the messages that one received message has skipped, oldest first.
pub(super) type NewlySkipped = Vec<(u32, Box<MessageKey>)>;

/// Advances `chain` from number `from` to number `to` and returns the keys between: only the newest [`MAX_SKIPPED`], if
/// there are more. The caller has checked the distance.
pub(super) fn skip_to(chain: &ChainKey, from: u32, to: u32) -> (ChainKey, NewlySkipped) {
    let room = u32::try_from(MAX_SKIPPED).unwrap_or(u32::MAX);
    let keep_from = to.saturating_sub(room).max(from);
    let mut chain = chain.duplicate();
    for _ in from..keep_from {
        chain = chain.skip();
    }
    let mut newly_skipped = Vec::with_capacity(usize::try_from(to.saturating_sub(keep_from)).unwrap_or_default());
    for number in keep_from..to {
        let (next, key) = chain.step();
        newly_skipped.push((number, Box::new(key)));
        chain = next;
    }
    (chain, newly_skipped)
}
