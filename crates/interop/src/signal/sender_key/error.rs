//! Why a message of a group was not encrypted, read or decrypted: a variant only where the caller acts differently.
//!
//! Does not know the operations.

use core::fmt;

/// The bytes are not a distribution or a message of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistributionError;

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a message of a group with sender keys")
    }
}

impl core::error::Error for DistributionError {}

/// Why a message was not encrypted. Nothing was changed.
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
            Self::TooLong => "message is too long",
            Self::Exhausted => "sender key is used up",
        })
    }
}

impl core::error::Error for GroupEncryptError {}

/// Why a message was not decrypted. What is known of the sender is the same as before, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupDecryptError {
    /// Under a key that has not been distributed to this member, or one of long ago: ask the sender for the distribution, and
    /// keep the message until then. Nothing of it was verified.
    UnknownKey,
    /// The sender's, and received before; or so late that its key was given up. Drop it.
    Replayed,
    /// The sender's, and more than 25,000 messages before it are missing: ask for a new distribution.
    TooFarAhead,
    /// Damaged, forged, or not as the sender's software should have made it. Drop it.
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
