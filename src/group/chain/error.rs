//! Why something of a chain is refused: a variant only where the caller acts differently.

use bisik_core::held::Poisoned;

/// Why bytes are not a [`Distribution`](super::Distribution).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DistributionError {
    /// The bytes do not encode a distribution. Drop it.
    Malformed,
    /// A later version wrote it. Update.
    UnsupportedVersion(u8),
    /// The signing key is not the canonical encoding of a point: no honest device makes such a key.
    NonCanonical,
    /// The signing key is of small order: hostile.
    LowOrder,
}

bisik_core::error_texts! {
    DistributionError {
        Malformed => "group.distribution.malformed", "the bytes are not the distribution of a chain";
        UnsupportedVersion => "group.distribution.unsupported_version", "a newer version wrote the distribution";
        NonCanonical => "group.distribution.non_canonical", "the chain's signing key is not in canonical encoding";
        LowOrder => "group.distribution.low_order", "the chain's signing key is of small order";
    }
}

/// Why bytes are not a [`GroupMessage`](super::GroupMessage).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupMessageError {
    /// The bytes do not encode a message. Drop it.
    Malformed,
    /// A later version wrote it. Update.
    UnsupportedVersion(u8),
}

bisik_core::error_texts! {
    GroupMessageError {
        Malformed => "group.message.malformed", "the bytes are not a message of a group";
        UnsupportedVersion => "group.message.unsupported_version", "a newer version wrote the message";
    }
}

/// Why a chain was not begun. The former one, if there is one, is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BeginError {
    /// The origin of a chain in a group is `0^32`, which is no entry of a log: a bug in the caller.
    NoOrigin,
    /// The place is another group or audience than that of the former chain: a bug in the caller.
    OtherGroup,
}

bisik_core::error_texts! {
    BeginError {
        NoOrigin => "group.begin.no_origin", "a chain of a group has no entry of the log as its origin";
        OtherGroup => "group.begin.other_group", "the new chain is for another group than the former one";
    }
}

/// Why a device was not given the chain. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DistributeError {
    /// The device is not among those that the message is to go to, or is this device itself: a bug in the caller.
    NotATarget,
    /// 16,384 devices have been given this chain.
    Full,
    /// The chain has its 1,000 messages: [plan](super::SendingChain::plan) again, and begin a new one.
    Ended,
}

bisik_core::error_texts! {
    DistributeError {
        NotATarget => "group.distribute.not_a_target", "the device is not one that the message is to go to";
        Full => "group.distribute.full", "as many devices as possible have the chain";
        Ended => "group.distribute.ended", "the chain has as many messages as it may have";
    }
}

/// Why a message was not encrypted. The chain is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// More than 64 MiB: send it as an attachment.
    TooLong,
    /// The chain has its 1,000 messages: [plan](super::SendingChain::plan) again, and begin a new one.
    Ended,
}

bisik_core::error_texts! {
    EncryptError {
        TooLong => "group.encrypt.too_long", "the message is longer than 64 MiB";
        Ended => "group.encrypt.ended", "the chain has as many messages as it may have";
    }
}

/// Why a distribution was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TakeError {
    /// The session in which it came is not with the device whose chains these are: look for those of that device.
    OtherDevice,
    /// It is for another group or audience, or for an audience where a group is meant, or the reverse.
    OtherGroup,
    /// The chain has ended. Drop it.
    Closed,
    /// It says something else of a chain than was said before: its sender is faulty or hostile. Drop it.
    Contradicts,
    /// A staged message was sealed and then dropped: drop this value too, and load the stored record.
    Poisoned,
}

bisik_core::error_texts! {
    TakeError {
        OtherDevice => "group.take.other_device", "the distribution came from another device";
        OtherGroup => "group.take.other_group", "the distribution is for another group or audience";
        Closed => "group.take.closed", "the chain has ended";
        Contradicts => "group.take.contradicts", "the distribution contradicts what is known of its chain";
        Poisoned => "group.take.poisoned", "a sealed message was not committed: load the stored record";
    }
}

impl From<Poisoned> for TakeError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// Why the chains of a sender were not ended. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseError {
    /// A staged message was sealed and then dropped: drop this value too, load the stored record, and end them there.
    Poisoned,
}

bisik_core::error_texts! {
    CloseError {
        Poisoned => "group.close.poisoned", "a sealed message was not committed: load the stored record";
    }
}

impl From<Poisoned> for CloseError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// Why a message was not opened. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// This device was not given the chain, or not yet: keep the message for a while, and ask its sender for the chain.
    /// Nothing of it was verified.
    NeedsChain,
    /// The chain has ended, and the message is not one of those that could still be read. Drop it; if its sender is a
    /// member, ask that device for a new chain, seldom.
    Closed,
    /// The sender did not make it, or it was changed in transit. Drop it.
    Rejected,
    /// This very message was received before. Drop it.
    Replayed,
    /// The sender has gone back in time: it wrote another message under a number that it had used. It has restored a
    /// backup, or somebody has its keys. Ask that device for a new chain, seldom.
    WentBack {
        /// The number of both messages in the chain.
        index: u32,
    },
    /// Its key was used, or given up, too long ago to tell whether it is a repetition. If the sender has restored a
    /// backup, it is lost: ask that device for a new chain, seldom. Otherwise drop it.
    Spent,
    /// It was written before this device was given the chain. This device cannot read it.
    NotGiven,
    /// A staged message was sealed and then dropped: drop this value too, load the stored record, and receive the message
    /// again.
    Poisoned,
}

bisik_core::error_texts! {
    OpenError {
        NeedsChain => "group.open.needs_chain", "this device was not given the message's chain";
        Closed => "group.open.closed", "the message's chain has ended";
        Rejected => "group.open.rejected", "the message does not verify";
        Replayed => "group.open.replayed", "the message was received before";
        WentBack => "group.open.went_back", "the sender wrote another message under a number that it had used";
        Spent => "group.open.spent", "the message's key was used or deleted";
        NotGiven => "group.open.not_given", "the message is older than what this device was given";
        Poisoned => "group.open.poisoned", "a sealed message was not committed: load the stored record";
    }
}

impl OpenError {
    /// Whether the sender's device is asked for its chain (section 14.4).
    pub(in crate::group) const fn asks_for_the_chain(self) -> bool {
        match self {
            Self::NeedsChain | Self::Closed | Self::WentBack { .. } | Self::Spent => true,
            Self::Rejected | Self::Replayed | Self::NotGiven | Self::Poisoned => false,
        }
    }
}

impl From<Poisoned> for OpenError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}
