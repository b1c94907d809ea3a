//! [`Signal`]: what the parties of a call send each other through their sessions, told apart by the first byte.
//!
//! Does not know what follows from one.

use core::fmt;

use rand_core::CryptoRng;

use super::epoch::EpochKey;
use super::error::SignalError;
use super::offer::{Answer, Offer};
use crate::codec::Malformed;
use crate::primitives::dh::InvalidKey;

/// The name of a call: 16 random bytes, known to its parties alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId([u8; 16]);

impl CallId {
    /// A new name from 16 bytes of `rng`.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    /// A name that arrived.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth, ..] = self.0;
        write!(f, "CallId({first:02x}{second:02x}{third:02x}{fourth:02x}..)")
    }
}

/// Any signal of a call, as it came out of a session (docs/spec/calls.md, section 9.1).
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// Somebody calls.
    Offer(Offer),
    /// Somebody who was called has answered.
    Answer(Answer),
    /// The next key of a participant of a group call.
    EpochKey(EpochKey),
}

impl Signal {
    /// Reads a signal.
    ///
    /// # Errors
    ///
    /// [`SignalError`] where it is not the one encoding of a signal, or holds a key that no honest device makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        match bytes.first() {
            Some(&OFFER) => Offer::from_bytes(bytes).map(Self::Offer),
            Some(&ANSWER) => Answer::from_bytes(bytes).map(Self::Answer),
            Some(&EPOCH_KEY) => EpochKey::from_bytes(bytes).map(Self::EpochKey),
            Some(_) | None => Err(SignalError::Malformed),
        }
    }

    /// Which call it belongs to.
    #[must_use]
    pub const fn call(&self) -> CallId {
        match self {
            Self::Offer(offer) => offer.call(),
            Self::Answer(answer) => answer.call(),
            Self::EpochKey(key) => key.call(),
        }
    }
}

impl From<Malformed> for SignalError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<InvalidKey> for SignalError {
    fn from(error: InvalidKey) -> Self {
        match error {
            InvalidKey::NonCanonical => Self::NonCanonical,
            InvalidKey::LowOrder => Self::LowOrder,
        }
    }
}

/// First byte of an offer.
pub(super) const OFFER: u8 = 0x41;
/// First byte of an answer.
pub(super) const ANSWER: u8 = 0x42;
/// First byte of an epoch key.
pub(super) const EPOCH_KEY: u8 = 0x43;
