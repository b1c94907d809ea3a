//! [`Signal`]: the messages that the parties of a call exchange inside their sessions (docs/spec/calls.md, section
//! 9.1).

use super::commitment::{Commitment, Opening};
use super::epoch::EpochKey;
use super::error::SignalError;
use super::id::{ANSWER, COMMITMENT, CallId, EPOCH_KEY, OFFER, OPENING};
use super::offer::{Answer, Offer};
use bisik_core::codec::Malformed;
use bisik_core::primitives::x25519::InvalidKey;

/// A signal of any kind, from the plaintext of a session's message. The first byte tells the kinds apart.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// The peer calls this device.
    Offer(Offer),
    /// The called device answers.
    Answer(Answer),
    /// A participant of a group call sends its next key.
    EpochKey(EpochKey),
    /// A device commits itself in a spoken comparison.
    Commitment(Commitment),
    /// A device opens its commitment.
    Opening(Opening),
}

impl Signal {
    /// Decodes a signal.
    ///
    /// # Errors
    ///
    /// [`SignalError`] if the bytes do not encode a signal, or contain a key that no honest device generates.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        match bytes.first() {
            Some(&OFFER) => Offer::from_bytes(bytes).map(Self::Offer),
            Some(&ANSWER) => Answer::from_bytes(bytes).map(Self::Answer),
            Some(&EPOCH_KEY) => EpochKey::from_bytes(bytes).map(Self::EpochKey),
            Some(&COMMITMENT) => Commitment::from_bytes(bytes).map(Self::Commitment),
            Some(&OPENING) => Opening::from_bytes(bytes).map(Self::Opening),
            Some(_) | None => Err(SignalError::Malformed),
        }
    }

    /// Returns the id of the call that the signal belongs to.
    #[must_use]
    pub const fn call(&self) -> CallId {
        match self {
            Self::Offer(offer) => offer.call(),
            Self::Answer(answer) => answer.call(),
            Self::EpochKey(key) => key.call(),
            Self::Commitment(commitment) => commitment.call(),
            Self::Opening(opening) => opening.call(),
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
