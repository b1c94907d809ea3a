//! Why a call's signal or frame is refused: one small enum for each operation. On error nothing has changed.

use core::fmt;

use super::Calling;

/// Why bytes are not a signal of a call: an [`Offer`](super::Offer), an [`Answer`](super::Answer) or an
/// [`EpochKey`](super::EpochKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalError {
    /// The bytes do not encode a signal. Drop it.
    Malformed,
    /// A key in it is not in canonical encoding, or is a point of the twist: no honest device makes such a key.
    NonCanonical,
    /// A key in it is of small order: hostile.
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
    /// It answers another call: look for the [`Calling`] of that call.
    OtherCall,
    /// It came from another device than the one that was called.
    OtherDevice,
    /// It was not made from this offer: it is damaged, or the two devices mean different sessions or identities.
    Rejected,
}

bisik_core::error_texts! {
    AnswerError {
        OtherCall => "call.answer.other_call", "the answer belongs to another call";
        OtherDevice => "call.answer.other_device", "the answer came from another device than the called one";
        Rejected => "call.answer.rejected", "the answer was not made from this offer";
    }
}

/// A refused answer, and the caller's unchanged state: the right answer may still come.
#[derive(Debug)]
pub struct Unanswered {
    /// The call, which still waits for its answer.
    pub calling: Calling,
    /// Why the answer was refused.
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
    /// The reserved counters are used up: [`FrameSealer::reserve`](super::FrameSealer::reserve) more.
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
        @Internal => "call.seal.internal";
    }
}

/// Why a frame did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes do not encode a frame. Drop it.
    Malformed,
    /// This device has no key with this id: the key may still arrive, so keep the frame for a moment, or its epoch is over.
    UnknownKey,
    /// A frame with this counter was opened before. Drop it. (Not authenticated: a forged frame may cause this too.)
    Replayed,
    /// The frame is 1,024 or more behind the newest one of its key. Drop it. (Not authenticated either.)
    TooLate,
    /// The frame is damaged or forged, or its metadata differs. Drop it.
    Rejected,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    OpenError {
        Malformed => "call.open.malformed", "the frame is malformed";
        UnknownKey => "call.open.unknown_key", "the frame is under an unknown key";
        Replayed => "call.open.replayed", "the frame was opened before";
        TooLate => "call.open.too_late", "the frame is too far behind the newest one";
        Rejected => "call.open.rejected", "the frame does not verify";
        @Internal => "call.open.internal";
    }
}

/// Why a sender's key was not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// The epoch is not after the newest known one of that participant: the key is old or a duplicate. Drop it.
    Stale,
    /// Keys of 256 participants are known already.
    Full,
}

bisik_core::error_texts! {
    InstallError {
        Stale => "call.install.stale", "a key of this epoch or a later one is known";
        Full => "call.install.full", "keys of 256 participants are known already";
    }
}

/// Why a group call refused an epoch key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EpochKeyError {
    /// It belongs to another call: look for that call.
    OtherCall,
    /// Its sender is not in the call: news of its joining may not have arrived yet.
    NotInCall,
    /// This sender did not make it for this device in this session, or group or suite differ. Drop it.
    Rejected,
    /// Its sender has not proved yet that it takes part in the session: whoever has stolen a pre-key of this device could
    /// have sent it. Try again when the session is [confirmed](crate::Session::is_confirmed).
    Unconfirmed,
    /// This device does not know the state of the group that its sender names: keep the key
    /// [aside](super::GroupCall::keep_aside), ask the sender for the entries of the group, and try again.
    UnknownView,
    /// By what its sender or this device knows of the group, one of the two is not a member.
    NotMember,
    /// Four stays have the number of this one, which hardly happens by chance: its sender has to draw another
    /// ([`GroupCall::begin_stay`](super::GroupCall::begin_stay)).
    Crowded,
}

bisik_core::error_texts! {
    EpochKeyError {
        OtherCall => "call.epoch_key.other_call", "the epoch key belongs to another call";
        NotInCall => "call.epoch_key.not_in_call", "the sender of the epoch key is not in the call";
        Rejected => "call.epoch_key.rejected", "the epoch key was not made by this sender for this device";
        Unconfirmed => "call.epoch_key.unconfirmed", "the session in which the epoch key arrived is not confirmed";
        UnknownView => "call.epoch_key.unknown_view", "the state of the group that the epoch key names is unknown";
        NotMember => "call.epoch_key.not_member", "the sender or the receiver of the epoch key is not a member";
        Crowded => "call.epoch_key.crowded", "four stays in the call have the number of the epoch key";
    }
}

/// Why a device was not added, removed or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberError {
    /// The device is in the call already.
    AlreadyInCall,
    /// The device is not in the call.
    NotInCall,
    /// The device is not a member of the call's group.
    NotMember,
    /// A call has at most 256 participants.
    Full,
}

bisik_core::error_texts! {
    MemberError {
        AlreadyInCall => "call.member.already_in_call", "the device is in the call already";
        NotInCall => "call.member.not_in_call", "the device is not in the call";
        NotMember => "call.member.not_member", "the device is not a member of the call's group";
        Full => "call.member.full", "the call has 256 participants already";
    }
}

/// Why a signal of a spoken comparison was refused, or none was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompareError {
    /// It belongs to another call: look for that call.
    OtherCall,
    /// Its sender does not take part here: news of its joining may not have arrived yet. Or nobody takes part, more than
    /// 255 do, or the local device is one of them.
    NotInCall,
    /// Its sender has not proved yet that it takes part in the session: whoever has stolen a pre-key of this device could
    /// have sent it. Try again when the session is [confirmed](crate::Session::is_confirmed).
    Unconfirmed,
    /// It is of an earlier round, or of one that is too far ahead. Drop it.
    OtherRound,
    /// Its sender begins another round, after this device has opened its commitment in the present one. Keep it, and ask
    /// the user; if the user wants to compare [again](super::Comparison::again), try it again after that. If it comes
    /// before any emoji were shown, or often, warn: its sender may try to choose what is shown.
    BeginsAgain,
    /// It opens a commitment that has not arrived yet. Keep it, and try it again after the next commitment.
    TooEarly,
    /// It is another commitment in the same round, or does not open the one that was given. Its sender tries to choose
    /// what is shown: warn the user.
    Changed,
    /// There were 65,535 rounds in this call.
    Exhausted,
}

bisik_core::error_texts! {
    CompareError {
        OtherCall => "call.compare.other_call", "the comparison belongs to another call";
        NotInCall => "call.compare.not_in_call", "the device does not take part in the comparison";
        Unconfirmed => "call.compare.unconfirmed", "the session in which the signal arrived is not confirmed";
        OtherRound => "call.compare.other_round", "the comparison is in another round";
        BeginsAgain => "call.compare.begins_again", "the device begins another round of the comparison";
        TooEarly => "call.compare.too_early", "the opening came before its commitment";
        Changed => "call.compare.changed", "the device has changed what it committed itself to";
        Exhausted => "call.compare.exhausted", "the call has had too many comparisons";
    }
}

/// The bytes are not a [`BaseKey`](super::BaseKey): fewer than 16, or more than 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaseKeyError;

bisik_core::error_texts! {
    BaseKeyError => "call.base_key.length", "the base key is shorter than 16 or longer than 64 bytes"
}
