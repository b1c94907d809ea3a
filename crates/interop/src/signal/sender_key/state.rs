//! One sender key at a member: its chain, and which messages it has keys for (docs/interop.md, section 11).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::GroupDecryptError;
use super::format::SenderKeyFormat;
use super::message_key;
use super::wire::{Distribution, Message};
use crate::signal::chain::{ChainKey, Seed, SkippedKeys};
use crate::signal::key::PublicKey;
use crate::signal::limits::{MAX_SKIP, MAX_SKIPPED};
use crate::signal::xeddsa::VerifyingKey;

/// One sender key.
pub(super) struct State {
    pub(super) format: SenderKeyFormat,
    pub(super) id: u32,
    pub(super) signing: PublicKey,
    /// The same, prepared when the first message is verified.
    pub(super) verifying: Option<Box<VerifyingKey>>,
    /// Every message from here up to `next` was decrypted, or its key is in `skipped`.
    pub(super) complete_from: u32,
    /// No key of a message from here up to `complete_from` was ever held, so that none of them was decrypted. Before it,
    /// that is unknown.
    pub(super) missing_from: u32,
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
    pub(super) fn new(distribution: &Distribution) -> Self {
        Self {
            format: distribution.format,
            id: distribution.id,
            signing: distribution.signing,
            verifying: None,
            complete_from: distribution.iteration,
            missing_from: 0,
            next: distribution.iteration,
            chain: Box::new(distribution.chain()),
            skipped: BTreeMap::new(),
        }
    }

    /// Adds what a distribution of this sender key gives, and returns whether that is anything. S-11.7.
    pub(super) fn add(&mut self, distribution: &Distribution) -> bool {
        match distribution.iteration.checked_sub(self.next) {
            Some(0) => false,
            Some(distance) => {
                self.move_forward(distribution, distance);
                true
            }
            None => self.reach_back(distribution),
        }
    }

    /// Continues from a later distribution. Within the bound of S-11.9 the messages before it stay readable; beyond it,
    /// those that have a key.
    fn move_forward(&mut self, distribution: &Distribution, distance: u32) {
        if distance <= MAX_SKIP {
            let (_, skipped) = self.chain.skip(self.next, distribution.iteration);
            self.keep(skipped);
        } else {
            self.missing_from = self.next;
            self.complete_from = distribution.iteration;
        }
        *self.chain = distribution.chain();
        self.next = distribution.iteration;
    }

    /// Keeps keys that an earlier distribution gives: of messages that never had one, as many as there is room for, the
    /// newest.
    fn reach_back(&mut self, distribution: &Distribution) -> bool {
        let end = self.complete_from;
        let room = u32::try_from(MAX_SKIPPED.saturating_sub(self.skipped.len())).unwrap_or(u32::MAX);
        let start = distribution.iteration.max(self.missing_from).max(end.saturating_sub(room));
        let within = end.checked_sub(distribution.iteration).is_some_and(|steps| steps <= MAX_SKIP);
        if start >= end || !within {
            return false;
        }
        let (_, skipped) = distribution.chain().forward(distribution.iteration, start).skip(start, end);
        self.skipped.extend(skipped);
        self.complete_from = start;
        true
    }

    pub(super) fn is(&self, format: SenderKeyFormat, id: u32) -> bool {
        self.format == format && self.id == id
    }

    /// Prepares the signing key if it is not prepared, which changes nothing that is stored.
    pub(super) fn has_signed(&mut self, message: &Message<'_>) -> bool {
        if self.verifying.is_none() {
            self.verifying = VerifyingKey::new(&self.signing).ok().map(Box::new);
        }
        self.verifying.as_ref().is_some_and(|key| key.verify(message.signed, message.signature))
    }

    /// Opens a message whose signature verified. S-11.5, S-11.6.
    pub(super) fn open(&self, message: &Message<'_>) -> Result<OpenedMessage, GroupDecryptError> {
        let number = message.header.iteration;
        let Some(distance) = number.checked_sub(self.next) else {
            let seed = self.skipped.get(&number).ok_or_else(|| self.why_not(number))?;
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

    /// Why there is no key for a message before `next`. S-11.6.
    const fn why_not(&self, number: u32) -> GroupDecryptError {
        if number >= self.complete_from {
            GroupDecryptError::Replayed
        } else if number >= self.missing_from {
            GroupDecryptError::NotDistributed
        } else {
            GroupDecryptError::TooLate
        }
    }

    pub(super) fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::Taken(number) => {
                self.skipped.remove(&number);
            }
            StateChange::Advanced { chain, next, skipped } => {
                self.keep(skipped);
                *self.chain = chain;
                self.next = next;
            }
        }
    }

    /// Keeps the keys of messages from `next` on: only the newest, if there would be too many. S-11.9.
    fn keep(&mut self, skipped: SkippedKeys) {
        if let Some((first, _)) = skipped.first()
            && *first > self.next
        {
            self.forget_before(*first);
        }
        self.skipped.extend(skipped);
        while self.skipped.len() > MAX_SKIPPED
            && let Some((number, _)) = self.skipped.pop_first()
        {
            self.forget_before(number.saturating_add(1));
        }
    }

    /// From now on it is unknown which messages before `number` were decrypted.
    fn forget_before(&mut self, number: u32) {
        if number > self.complete_from {
            self.complete_from = number;
            self.missing_from = number;
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, id, signing, verifying: _, complete_from: _, missing_from: _, next, chain: _, skipped } =
            self;
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
