//! [`Signal`]: what the parties of a call send each other through their sessions (docs/spec/calls.md, section 9.1).

use super::epoch::EpochKey;
use super::error::SignalError;
use super::id::{ANSWER, CallId, EPOCH_KEY, OFFER};
use super::offer::{Answer, Offer};
use crate::codec::Malformed;
use crate::primitives::x25519::InvalidKey;

/// Any signal of a call, as a session decrypted it. The first byte tells them apart.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// A call of two begins.
    Offer(Offer),
    /// The called device has answered.
    Answer(Answer),
    /// The next key of a participant of a group call.
    EpochKey(EpochKey),
}

impl Signal {
    /// Reads a signal.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the bytes do not encode a signal, or hold a key that no honest device makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        match bytes.first() {
            Some(&OFFER) => Offer::from_bytes(bytes).map(Self::Offer),
            Some(&ANSWER) => Answer::from_bytes(bytes).map(Self::Answer),
            Some(&EPOCH_KEY) => EpochKey::from_bytes(bytes).map(Self::EpochKey),
            Some(_) | None => Err(SignalError::Malformed),
        }
    }

    /// The call it belongs to.
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
