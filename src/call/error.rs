//! Why a call's message or frame was refused: one small enum for each operation. Nothing has changed then.
//!
//! Does not know the causes below.

use core::fmt;

use super::Calling;
use crate::internal::InternalError;

/// Why bytes are not a signal of a call: an [`Offer`](super::Offer), an [`Answer`](super::Answer) or an
/// [`EpochKey`](super::EpochKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalError {
    /// Not the encoding of one. Drop it.
    Malformed,
    /// A key in it is not in its one canonical encoding, or a point of the twist: no honest key.
    NonCanonical,
    /// A key in it is of small order: made to break, never by accident.
    LowOrder,
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a signal of a call",
            Self::NonCanonical => "a key of the call is not canonical",
            Self::LowOrder => "a key of the call is of small order",
        })
    }
}

impl core::error::Error for SignalError {}

/// Why an answer did not complete a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// It answers another call: look for the [`Calling`] of that one.
    OtherCall,
    /// It came from another device than the one that was called.
    OtherDevice,
    /// Not made from this offer: damaged, or the two devices do not mean the same session or identities.
    Rejected,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherCall => "the answer is of another call",
            Self::OtherDevice => "the answer came from another device than the one that was called",
            Self::Rejected => "the answer was not made from this offer",
        })
    }
}

impl core::error::Error for AnswerError {}

/// An answer that did not fit, and the caller's state, which is as before: the right answer may still come.
#[derive(Debug)]
pub struct Unanswered {
    /// Still waiting.
    pub calling: Calling,
    /// Why.
    pub error: AnswerError,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for Unanswered {}

/// Why a frame was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The counters that were reserved are used up: [`FrameSealer::reserve`](super::FrameSealer::reserve) more.
    NotReserved,
    /// The key has no counters left: begin a new epoch.
    Exhausted,
    /// More than 16 MiB of plaintext, or 256 bytes of metadata.
    TooLong,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReserved => "no counter is reserved",
            Self::Exhausted => "the key has no counters left",
            Self::TooLong => "more than 16 MiB of plaintext or 256 bytes of metadata",
            Self::Internal => InternalError::TEXT,
        })
    }
}

impl core::error::Error for SealError {}

impl From<InternalError> for SealError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
    }
}

/// Why a frame did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Not the encoding of a frame. Drop it.
    Malformed,
    /// No key by its id is here: it may be on its way, so keep the frame for a moment; or its epoch is over.
    UnknownKey,
    /// A frame with this counter was opened before. Drop it. (Not authenticated: a forged frame may say so too.)
    Replayed,
    /// 1,024 or more behind the newest frame of its key. Drop it. (Not authenticated either.)
    TooLate,
    /// Damaged, forged, or under other metadata. Drop it.
    Rejected,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a frame",
            Self::UnknownKey => "the frame's key is not here",
            Self::Replayed => "the frame was opened before",
            Self::TooLate => "the frame is too far behind",
            Self::Rejected => "the frame is not authentic",
        })
    }
}

impl core::error::Error for OpenError {}

/// Why a sender's key was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// That participant's epoch is not after the newest known one: an old key, or the same once more. Drop it.
    Stale,
    /// There are keys of 256 participants already.
    Full,
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "a key of this epoch or a later one is there",
            Self::Full => "there are keys of as many participants as there can be",
        })
    }
}

impl core::error::Error for InstallError {}

/// Why an epoch key was not taken into a group call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EpochKeyError {
    /// Of another call: look for that one.
    OtherCall,
    /// Whoever wrote it is not in the call: its joining may not be known here yet.
    NotInCall,
    /// Not after the newest epoch of its sender: an old key, or the same once more. Drop it.
    Stale,
    /// Not made by this sender for us in this session, or under another suite.
    Rejected,
}

impl fmt::Display for EpochKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherCall => "the key is of another call",
            Self::NotInCall => "its sender is not in the call",
            Self::Stale => "a key of this epoch or a later one is there",
            Self::Rejected => "the key was not made by this sender for this device",
        })
    }
}

impl core::error::Error for EpochKeyError {}

/// Why the members of a call did not change, or a member was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberError {
    /// That participant, or that identity, is in the call already.
    AlreadyInCall,
    /// That participant, or that identity, is not in the call.
    NotInCall,
    /// A call has at most 256 participants.
    Full,
    /// Four billion epochs have passed.
    Exhausted,
}

impl fmt::Display for MemberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInCall => "already in the call",
            Self::NotInCall => "not in the call",
            Self::Full => "the call has as many participants as there can be",
            Self::Exhausted => "the call has no epochs left",
        })
    }
}

impl core::error::Error for MemberError {}

/// The bytes are no [`BaseKey`](super::BaseKey): less than 16, or more than 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaseKeyError;

impl fmt::Display for BaseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a base key has 16 to 64 bytes")
    }
}

impl core::error::Error for BaseKeyError {}
