//! [`GroupReceiver`]: what a member knows of one sender in one group (docs/interop.md, section 11).
//!
//! Does not know groups, nor who the sender is. `open` takes a state by reference and says what would change; `apply` cannot
//! fail.

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
use crate::signal::limits::{MAX_JUMP, MAX_SKIPPED};
use crate::signal::xeddsa::VerifyingKey;
use bisik_core::codec::Malformed;

/// The keys of one sender in one group: at most five, the newest first, so that messages under older ones can still arrive.
///
/// A record of its own for each group and sender. Not `Clone`, as a session is not.
#[derive(Default)]
pub struct GroupReceiver {
    pub(super) states: VecDeque<State>,
    pub(super) revision: u64,
}

impl GroupReceiver {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what the sender has told in a session of two: the caller answers for it that the session is that sender's.
    ///
    /// One with the same number and signing key changes nothing, so that messages are not forgotten when a sender says it
    /// again; one with the same number and another signing key replaces what was there; of more than five the oldest goes.
    pub fn process(&mut self, distribution: &Distribution) {
        // S-11.7
        let same = |state: &State| state.is(distribution.format, distribution.id);
        if self.states.iter().any(|state| same(state) && state.signing == distribution.signing) {
            return;
        }
        self.states.retain(|state| !same(state));
        self.states.truncate(MAX_STATES.saturating_sub(1));
        self.states.push_front(State::new(distribution));
        self.revision = self.revision.saturating_add(1);
    }

    /// Verifies and decrypts one message, and commits at once.
    ///
    /// Use [`GroupReceiver::stage`] or [`GroupReceiver::decrypt_held`] to store the receiver before the plaintext is shown.
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

    /// How many keys of the sender are known.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.states.len()
    }

    /// How many messages are waited for, that were passed over by later ones.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.states.iter().map(|state| state.skipped.len()).sum()
    }

    /// How many changes there were: a record is stored only over one with a lower number.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }
}

impl fmt::Debug for GroupReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, revision } = self;
        f.debug_struct("GroupReceiver").field("states", states).field("revision", revision).finish()
    }
}

/// One sender key.
pub(super) struct State {
    pub(super) format: SenderKeyFormat,
    pub(super) id: u32,
    pub(super) signing: PublicKey,
    /// The same, prepared with the first message that asks for it.
    pub(super) verifying: Option<Box<VerifyingKey>>,
    /// The number of the message that `chain` gives next.
    pub(super) next: u32,
    pub(super) chain: Box<ChainKey>,
    pub(super) skipped: BTreeMap<u32, Box<Seed>>,
}

/// A message that verified, and what it changes.
pub(super) struct OpenedMessage {
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) change: Change,
}

/// What a message that was opened changes.
pub(super) enum Change {
    /// It was one of those passed over.
    Taken(u32),
    /// The chain goes on behind it, and these stay behind.
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

    fn is(&self, format: SenderKeyFormat, id: u32) -> bool {
        self.format == format && self.id == id
    }

    /// Prepares the signing key where it is not, which changes nothing that is stored.
    fn has_signed(&mut self, message: &Message<'_>) -> bool {
        if self.verifying.is_none() {
            self.verifying = VerifyingKey::new(&self.signing).ok().map(Box::new);
        }
        self.verifying.as_ref().is_some_and(|key| key.verify(message.signed, message.signature))
    }

    /// S-11.5, S-11.6. The plaintext of a message that the sender has signed.
    fn open(&self, message: &Message<'_>) -> Result<OpenedMessage, GroupDecryptError> {
        let number = message.header.iteration;
        let Some(distance) = number.checked_sub(self.next) else {
            let seed = self.skipped.get(&number).ok_or(GroupDecryptError::Replayed)?;
            return Ok(OpenedMessage { plaintext: decrypt(seed, message)?, change: Change::Taken(number) });
        };
        // S-11.9
        if distance > MAX_JUMP {
            return Err(GroupDecryptError::TooFarAhead);
        }
        // The last number of all has none after it; senders of this library do not use it.
        let next = number.checked_add(1).ok_or(GroupDecryptError::Rejected)?;
        let (chain, skipped) = self.chain.jump(self.next, number);
        let (chain, seed) = chain.step();
        Ok(OpenedMessage { plaintext: decrypt(&seed, message)?, change: Change::Advanced { chain, next, skipped } })
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Taken(number) => {
                self.skipped.remove(&number);
            }
            Change::Advanced { chain, next, skipped } => {
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
