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

bisik_core::error_texts! {
    SignalError {
        Malformed => "call.signal.malformed", "the call signal is malformed";
        NonCanonical => "call.signal.non_canonical", "a key of the call signal is not in canonical encoding";
        LowOrder => "call.signal.low_order", "a key of the call signal is of small order";
    }
}

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

bisik_core::error_texts! {
    AnswerError {
        OtherCall => "call.answer.other_call", "the answer belongs to another call";
        OtherDevice => "call.answer.other_device", "the answer came from another device than the called one";
        Rejected => "call.answer.rejected", "the answer was not made from this offer";
    }
}

/// An answer that did not fit, and the caller's state, which is as before: the right answer may still come.
#[derive(Debug)]
pub struct Unanswered {
    /// Still waiting.
    pub calling: Calling,
    /// Why.
    pub error: AnswerError,
}

impl Unanswered {
    /// The code of its [`error`](Self::error).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.error.code()
    }
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

bisik_core::error_texts! {
    SealError {
        NotReserved => "call.seal.not_reserved", "no frame counter is reserved";
        Exhausted => "call.seal.exhausted", "the frame key has no counters left";
        TooLong => "call.seal.too_long", "the frame is longer than 16 MiB or its metadata longer than 256 bytes";
        Internal => "call.seal.internal", InternalError::TEXT;
    }
}

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

bisik_core::error_texts! {
    OpenError {
        Malformed => "call.open.malformed", "the frame is malformed";
        UnknownKey => "call.open.unknown_key", "the frame is under an unknown key";
        Replayed => "call.open.replayed", "the frame was opened before";
        TooLate => "call.open.too_late", "the frame is too far behind the newest one";
        Rejected => "call.open.rejected", "the frame does not verify";
    }
}

/// Why a sender's key was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// That participant's epoch is not after the newest known one: an old key, or the same once more. Drop it.
    Stale,
    /// There are keys of 256 participants already.
    Full,
}

bisik_core::error_texts! {
    InstallError {
        Stale => "call.install.stale", "a key of this epoch or a later one is known";
        Full => "call.install.full", "keys of 256 participants are known already";
    }
}

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

bisik_core::error_texts! {
    EpochKeyError {
        OtherCall => "call.epoch_key.other_call", "the epoch key belongs to another call";
        NotInCall => "call.epoch_key.not_in_call", "the sender of the epoch key is not in the call";
        Stale => "call.epoch_key.stale", "a key of this epoch or a later one is known";
        Rejected => "call.epoch_key.rejected", "the epoch key was not made by this sender for this device";
    }
}

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

bisik_core::error_texts! {
    MemberError {
        AlreadyInCall => "call.member.already_in_call", "the participant is in the call already";
        NotInCall => "call.member.not_in_call", "the participant is not in the call";
        Full => "call.member.full", "the call has 256 participants already";
        Exhausted => "call.member.exhausted", "the call has no epochs left";
    }
}

/// The bytes are no [`BaseKey`](super::BaseKey): less than 16, or more than 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaseKeyError;

bisik_core::error_texts! {
    BaseKeyError => "call.base_key.length", "the base key is shorter than 16 or longer than 64 bytes"
}
