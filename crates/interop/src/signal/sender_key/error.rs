//! Why a message of a group was not encrypted, read or decrypted: a variant only where the caller acts differently.

use bisik_core::held::Poisoned;

/// The bytes are not a distribution, or not a message of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistributionError;

bisik_core::error_texts! {
    DistributionError => "interop.signal.distribution.malformed",
        "the bytes are not a message of a group with sender keys"
}

/// Why a message was not encrypted. The sender key is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEncryptError {
    /// More than 64 MiB: send it as an attachment.
    TooLong,
    /// The chain has ended, after 4,294,967,295 messages: make a new sender key.
    Exhausted,
}

bisik_core::error_texts! {
    GroupEncryptError {
        TooLong => "interop.signal.group_encrypt.too_long", "the message is longer than 64 MiB";
        Exhausted => "interop.signal.group_encrypt.exhausted", "the sender key's chain is exhausted";
    }
}

/// Why a message was not decrypted. On error the sender's state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupDecryptError {
    /// It is under a key that was not distributed to this member, or was displaced long ago: ask the sender for the
    /// distribution, and keep the message until then. Nothing of it was verified.
    UnknownKey,
    /// The sender made it, and it was received before. Drop it.
    Replayed,
    /// The sender made it before the first message that the distributions cover, and it was not received: keep it if an
    /// earlier distribution may still arrive, which makes it readable; otherwise drop it.
    NotDistributed,
    /// The sender made it, and its key was deleted, because more than 2,000 others are kept or a later distribution took
    /// the place of the chain. Whether it was received before is unknown. If the application knows that it was not, ask
    /// the sender to send it again.
    TooLate,
    /// The sender made it, and more than 25,000 messages before it are missing: ask for a new distribution.
    TooFarAhead,
    /// It is damaged or forged, or the sender's software made it wrongly. Drop it.
    Rejected,
    /// A staged message was sealed and then dropped: drop the receiver too, load the stored record, and receive the message
    /// again.
    Poisoned,
}

bisik_core::error_texts! {
    GroupDecryptError {
        UnknownKey => "interop.signal.group_decrypt.unknown_key", "the message is under an unknown sender key";
        Replayed => "interop.signal.group_decrypt.replayed", "the message was received before";
        NotDistributed => "interop.signal.group_decrypt.not_distributed",
            "the message is older than the distribution of its sender key";
        TooLate => "interop.signal.group_decrypt.too_late", "the message is so late that its key was deleted";
        TooFarAhead => "interop.signal.group_decrypt.too_far_ahead", "too many messages before this one are missing";
        Rejected => "interop.signal.group_decrypt.rejected", "the message does not verify";
        Poisoned => "interop.signal.group_decrypt.poisoned",
            "a sealed message was not committed: load the stored record";
    }
}

impl From<Poisoned> for GroupDecryptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}
