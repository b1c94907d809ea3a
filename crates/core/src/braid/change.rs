//! [`Change`]: what a message does to a braid, and the keys kept in memory.

use alloc::vec::Vec;
use core::fmt;

use super::authenticator::Authenticator;
use super::erasure::Chunk;
use super::state::State;
use super::{Kem, Machine, Phase};
use crate::internal::InternalError;
use crate::primitives::secret::Secret;

/// What a message does to a braid. It has no effect until [`Machine::apply`].
pub struct Change<K: Kem> {
    pub(super) step: Step,
    pub(super) cache: Option<Cache<K>>,
}

/// The change itself.
pub(super) enum Step {
    /// None.
    Stay,
    /// The next chunk of the text sent has gone, with the chunks that were encoded for it.
    Advance(Vec<Chunk>),
    /// A chunk is kept.
    Keep(u16, Chunk),
    /// The chunks received are forgotten.
    Forget,
    /// Another state, in another epoch or with another authenticator where those are given.
    Become { state: State, authenticator: Option<Authenticator>, epoch: Option<u32> },
}

impl Step {
    /// Another state in the same epoch.
    pub(super) fn to(state: impl Into<State>) -> Self {
        Self::Become { state: state.into(), authenticator: None, epoch: None }
    }
}

/// What is computed from a state's secrets, and kept until another epoch begins.
pub(super) enum Cache<K: Kem> {
    /// The owner's key.
    Key(K::Key),
    /// The encapsulator's ciphertext.
    Encapsulation(K::Encapsulation),
}

impl<K: Kem> Change<K> {
    pub(super) const fn new(step: Step) -> Self {
        Self { step, cache: None }
    }
}

impl<K: Kem> Machine<K> {
    /// Makes a change that [`send`](Self::send) or [`receive`](Self::receive) of this very state gave.
    pub fn apply(&mut self, change: Change<K>) {
        let Change { step, cache } = change;
        if cache.is_some() {
            self.cache = cache;
        }
        match step {
            Step::Stay => {}
            Step::Advance(encoded) => match &mut self.state {
                State::KeysSampled(of) => of.header.advance(encoded),
                State::Ct2Sampled(of) => of.ct2.advance(encoded),
                State::HeaderSent(of) => of.vector.advance(encoded),
                State::Ct1Received(of) => of.vector.advance(encoded),
                State::Ct1Sampled(of) => of.ct1.advance(encoded),
                State::EkReceivedCt1Sampled(of) => of.ct1.advance(encoded),
                State::KeysUnsampled
                | State::EkSentCt1Received(_)
                | State::NoHeaderReceived(_)
                | State::HeaderReceived(_)
                | State::Ct1Acknowledged(_) => {}
            },
            Step::Keep(number, chunk) => {
                if let Some(decoder) = self.state.decoder() {
                    decoder.keep(number, &chunk);
                }
            }
            Step::Forget => {
                if let Some(decoder) = self.state.decoder() {
                    decoder.clear();
                }
            }
            Step::Become { state, authenticator, epoch } => {
                self.state = state;
                if let Some(authenticator) = authenticator {
                    self.authenticator = authenticator;
                }
                if let Some(epoch) = epoch {
                    self.epoch = epoch;
                }
                if matches!(self.phase(), Phase::Ct2Sampled | Phase::NoHeaderReceived) {
                    self.cache = None;
                }
            }
        }
    }

    /// The owner's key: the one kept, or expanded into `fresh`.
    pub(super) fn key<'a>(
        &'a self,
        seed: &Secret<64>,
        fresh: &'a mut Option<Cache<K>>,
    ) -> Result<&'a K::Key, InternalError> {
        if let Some(Cache::Key(key)) = &self.cache {
            return Ok(key);
        }
        match fresh.insert(Cache::Key(K::expand(seed))) {
            Cache::Key(key) => Ok(key),
            Cache::Encapsulation(_) => Err(InternalError),
        }
    }

    /// The encapsulator's ciphertext: the one kept, or made again into `fresh`.
    pub(super) fn encapsulation<'a>(
        &'a self,
        header: &[u8],
        m: &Secret<32>,
        fresh: &'a mut Option<Cache<K>>,
    ) -> Result<&'a K::Encapsulation, InternalError> {
        if let Some(Cache::Encapsulation(encapsulation)) = &self.cache {
            return Ok(encapsulation);
        }
        let (encapsulation, _) = K::start(header, m).ok_or(InternalError)?;
        match fresh.insert(Cache::Encapsulation(encapsulation)) {
            Cache::Encapsulation(encapsulation) => Ok(encapsulation),
            Cache::Key(_) => Err(InternalError),
        }
    }
}

impl<K: Kem> fmt::Debug for Change<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change(..)")
    }
}
