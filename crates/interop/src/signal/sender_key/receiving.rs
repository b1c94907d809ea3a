//! [`GroupReceiver`]: one sender's keys at a member of a group (docs/interop.md, section 11).
//!
//! `open` takes a state by reference and returns what would change; `apply` cannot fail.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::MAX_STATES;
use super::error::GroupDecryptError;
use super::state::{OpenedMessage, State};
use super::wire::{Distribution, Message};
use bisik_core::codec::Malformed;
use bisik_core::held::Lineage;

/// The sender keys of one sender in one group: at most five, so that messages under older keys can still be decrypted.
///
/// Store one record for each group and sender. Not `Clone`, like a session.
#[derive(Default)]
pub struct GroupReceiver {
    pub(super) states: VecDeque<State>,
    /// The revision, and what ties the value to its records and to what it holds.
    pub(super) lineage: Lineage,
}

impl GroupReceiver {
    /// A receiver without sender keys: [`process`](Self::process) adds them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the sender key of a distribution. The caller ensures that it came in a pairwise session with this sender.
    ///
    /// A distribution with a known id and signing key adds what it can and loses nothing: a later one moves the chain
    /// forward, however far, and an earlier one gives the keys of messages before the first distribution. A repeated one
    /// changes nothing. One with a known id and another signing key replaces the known key. Of more than five keys, the
    /// oldest is discarded.
    pub fn process(&mut self, distribution: &Distribution) {
        // S-11.7
        let same = |state: &State| state.is(distribution.format, distribution.id);
        let known = self.states.iter_mut().find(|state| same(state) && state.signing == distribution.signing);
        if let Some(state) = known {
            if state.add(distribution) {
                self.lineage.change();
            }
            return;
        }
        self.states.retain(|state| !same(state));
        self.states.truncate(MAX_STATES - 1);
        self.states.push_front(State::new(distribution));
        self.lineage.change();
    }

    /// Verifies and decrypts one message, and commits at once.
    ///
    /// Use [`GroupReceiver::stage`] or [`GroupReceiver::decrypt_held`] to store the receiver before the plaintext is
    /// shown.
    ///
    /// # Errors
    ///
    /// [`GroupDecryptError`]; the receiver is then unchanged.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, GroupDecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Verifies and decrypts a message without changing the receiver: gives the index of its state too.
    pub(super) fn open(&mut self, message: &[u8]) -> Result<(usize, OpenedMessage), GroupDecryptError> {
        let message = Message::parse(message).map_err(|Malformed| GroupDecryptError::Rejected)?;
        let mut states = self.states.iter_mut().enumerate();
        let state = states.find(|(_, state)| state.is(message.header.format, message.header.id));
        let (index, state) = state.ok_or(GroupDecryptError::UnknownKey)?;
        // S-11.4. First, so that a message that the sender did not sign causes no work.
        if !state.has_signed(&message) {
            return Err(GroupDecryptError::Rejected);
        }
        Ok((index, state.open(&message)?))
    }

    /// The number of the sender's keys that are stored.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.states.len()
    }

    /// The number of skipped message keys, over all sender keys.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.states.iter().map(|state| state.skipped.len()).sum()
    }

    /// Counts changes: store a record only over one with a lower revision.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }
}

impl fmt::Debug for GroupReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, lineage } = self;
        f.debug_struct("GroupReceiver")
            .field("states", states)
            .field("revision", &lineage.revision())
            .finish_non_exhaustive()
    }
}
