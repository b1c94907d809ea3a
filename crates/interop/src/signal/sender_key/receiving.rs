//! [`GroupReceiver`]: one sender's keys at a member of a group (docs/interop.md, section 11).
//!
//! `open` takes a state by reference and returns what would change; `apply` cannot fail.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::MAX_STATES;
use super::error::GroupDecryptError;
use super::format::SenderKeyFormat;
use super::message_key;
use super::wire::{Distribution, Message};
use crate::signal::chain::{ChainKey, Seed, SkippedKeys};
use crate::signal::key::PublicKey;
use crate::signal::limits::{MAX_SKIP, MAX_SKIPPED};
use crate::signal::xeddsa::VerifyingKey;
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
    /// A distribution with a known id and signing key changes nothing, so that a repeated one loses no skipped message
    /// keys. One with a known id and another signing key replaces the known key. Of more than five keys, the oldest is
    /// discarded.
    pub fn process(&mut self, distribution: &Distribution) {
        // S-11.7
        let same = |state: &State| state.is(distribution.format, distribution.id);
        if self.states.iter().any(|state| same(state) && state.signing == distribution.signing) {
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

/// One sender key.
pub(super) struct State {
    pub(super) format: SenderKeyFormat,
    pub(super) id: u32,
    pub(super) signing: PublicKey,
    /// The same, prepared when the first message is verified.
    pub(super) verifying: Option<Box<VerifyingKey>>,
    /// The number of the message that `chain` gives next.
    pub(super) next: u32,
    pub(super) chain: Box<ChainKey>,
    pub(super) skipped: BTreeMap<u32, Box<Seed>>,
}

/// A message that verified, and what it changes.
pub(super) struct OpenedMessage {
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) change: StateChange,
}

/// What a message that was opened changes.
pub(super) enum StateChange {
    /// A skipped message key is used.
    Taken(u32),
    /// The chain advances past the message, and these message keys are skipped.
    Advanced { chain: ChainKey, next: u32, skipped: SkippedKeys },
}

impl State {
    fn new(distribution: &Distribution) -> Self {
        Self {
            format: distribution.format,
            id: distribution.id,
            signing: distribution.signing,
            verifying: None,
            next: distribution.iteration,
            chain: Box::new(distribution.chain()),
            skipped: BTreeMap::new(),
        }
    }

    pub(super) fn is(&self, format: SenderKeyFormat, id: u32) -> bool {
        self.format == format && self.id == id
    }

    /// Prepares the signing key if it is not prepared, which changes nothing that is stored.
    fn has_signed(&mut self, message: &Message<'_>) -> bool {
        if self.verifying.is_none() {
            self.verifying = VerifyingKey::new(&self.signing).ok().map(Box::new);
        }
        self.verifying.as_ref().is_some_and(|key| key.verify(message.signed, message.signature))
    }

    /// Opens a message whose signature verified. S-11.5, S-11.6.
    fn open(&self, message: &Message<'_>) -> Result<OpenedMessage, GroupDecryptError> {
        let number = message.header.iteration;
        let Some(distance) = number.checked_sub(self.next) else {
            let seed = self.skipped.get(&number).ok_or(GroupDecryptError::Replayed)?;
            return Ok(OpenedMessage { plaintext: decrypt(seed, message)?, change: StateChange::Taken(number) });
        };
        // S-11.9
        if distance > MAX_SKIP {
            return Err(GroupDecryptError::TooFarAhead);
        }
        // The greatest number has no successor; this library's senders do not use it.
        let next = number.checked_add(1).ok_or(GroupDecryptError::Rejected)?;
        let (chain, skipped) = self.chain.skip(self.next, number);
        let (chain, seed) = chain.step();
        Ok(OpenedMessage {
            plaintext: decrypt(&seed, message)?,
            change: StateChange::Advanced { chain, next, skipped },
        })
    }

    pub(super) fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::Taken(number) => {
                self.skipped.remove(&number);
            }
            StateChange::Advanced { chain, next, skipped } => {
                *self.chain = chain;
                self.next = next;
                self.skipped.extend(skipped);
                while self.skipped.len() > MAX_SKIPPED {
                    self.skipped.pop_first();
                }
            }
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, id, signing, verifying: _, next, chain: _, skipped } = self;
        f.debug_struct("State")
            .field("format", format)
            .field("id", id)
            .field("signing", signing)
            .field("next", next)
            .field("skipped", &skipped.len())
            .finish_non_exhaustive()
    }
}

fn decrypt(seed: &Seed, message: &Message<'_>) -> Result<Zeroizing<Vec<u8>>, GroupDecryptError> {
    message_key::decrypt(seed, message.body).ok_or(GroupDecryptError::Rejected)
}
