//! Errors of sender keys. There is a variant only where the caller acts differently.

use core::fmt;

/// The bytes are not a distribution, or not a message of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistributionError;

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a sender key distribution or a message of a group")
    }
}

impl core::error::Error for DistributionError {}

/// Why a message was not encrypted. The sender key is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEncryptError {
    /// More than 64 MiB: send it as an attachment.
    TooLong,
    /// The chain has ended, after 4,294,967,295 messages: make a new sender key.
    Exhausted,
}

impl fmt::Display for GroupEncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "plaintext is too long for one message",
            Self::Exhausted => "the chain of the sender key is exhausted",
        })
    }
}

impl core::error::Error for GroupEncryptError {}

/// Why a message was not decrypted. The receiver is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupDecryptError {
    /// The message is under a sender key that this member does not have, or no longer has: ask the sender for the
    /// distribution, and keep the message until it arrives. Nothing of the message was verified.
    UnknownKey,
    /// Authentic, but received before, or so late that its key was discarded. Drop it.
    Replayed,
    /// Authentic, but more than 25,000 messages before it are missing: ask for a new distribution.
    TooFarAhead,
    /// Damaged or forged, or signed by the sender and malformed. Drop it.
    Rejected,
}

impl fmt::Display for GroupDecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKey => "message is under an unknown sender key",
            Self::Replayed => "message was received before",
            Self::TooFarAhead => "too many messages before this one are missing",
            Self::Rejected => "message does not verify",
        })
    }
}

impl core::error::Error for GroupDecryptError {}
