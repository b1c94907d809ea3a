//! Every error of the crate in one place, and what a caller does about each variant.
//!
//! | variant | of | what happened | what the caller does |
//! |---|---|---|---|
//! | `Malformed` | all decoders | not an encoding | drop |
//! | `Replayed` | [`DecryptError`], [`AcceptError`] | a duplicate, or very late | drop |
//! | `TooFarAhead` | [`DecryptError`], [`AcceptError`] | more than 25,000 messages missing | set up a new session |
//! | `Diverged` | [`DecryptError`] | one side lost or restored its state | set up a new session |
//! | `OtherSession` | [`DecryptError`] | opens another session | [`Session::accept`](crate::Session::accept) |
//! | `NotFirst` | [`AcceptError`] | of a session that is not here | ask the sender for a new session |
//! | `UnknownPreKey` | [`AcceptError`] | pre-keys used, expired or lost | ask the sender to fetch a new bundle |
//! | `IdentityMismatch` | [`AcceptError`], [`BundleError`] | another identity than the pinned one | warn the user |
//! | `ReplayCacheFull` | [`AcceptError`] | last-resort key overused | rotate and publish |
//! | `Expired`, `NotYetValid` | [`BundleError`] | outside its dates | fetch a newer bundle, check the clock |
//! | `RolledBack`, `Gap` | [`DeviceListError`] | the server hands out old lists, or leaves some out | fetch again, all that are missing |
//! | `Forked`, `IndexReused`, `BadPossession` | [`DeviceListError`] | an account contradicts itself | stop sending, warn the user |
//! | `BadSignature`, `LowOrder`, `NonCanonical` | [`BundleError`] | hostile or broken | do not use; report |
//! | `TooLong`, `OutOfRange`, `Unfit` | [`ContentError`] | content that cannot be sent so | correct it; what arrived, drop |
//! | `Invalid` | [`BallotError`] | no vote that the poll allows | drop |
//! | `Incomplete` | [`MediaDecryptError`] | the end of an attachment is missing | fetch the rest |
//! | `OtherSize` | [`MediaEncryptError`] | the file has changed | begin again |
//! | `UnknownKey` | `GroupDecryptError` | under a sender key that was not distributed here | ask its sender for the distribution |
//! | `Different` | `ScanError` | another key or person than the code's | do not mark as verified, warn the user |
//! | `Rejected` | all | damaged or forged: one answer, no oracle | drop |
//!
//! docs/errors.md tells the whole story.

#[cfg(feature = "call")]
pub use crate::call::{
    AnswerError, BaseKeyError, EpochKeyError, InstallError as FrameKeyError, MemberError as CallMemberError,
    OpenError as FrameOpenError, SealError as FrameSealError, SignalError, Unanswered,
};
#[cfg(feature = "content")]
pub use crate::content::{BallotError, ContentError};
pub use crate::conversation::{ReceiveError, SendError};
pub use crate::device::{DeviceListError, LinkError, OwnDeviceError, PrimaryError, TermsError};
pub use crate::handshake::RespondError;
pub use crate::hosting::{
    Blocked, DecideError, DecisionError, DisclosureError, DraftError, LedgerFull, RotationError, TextError,
};
pub use crate::keys::{BundleError, IdentityKeyError, PreKeysError};
pub use crate::media::{
    DecryptError as MediaDecryptError, EncryptError as MediaEncryptError, MediaTypeError, PointerError,
};
pub use crate::ratchet::{DecryptError as RatchetDecryptError, PublicKeyError};
pub use crate::session::{AcceptError, CiphertextError, DecryptError, EncryptError, InitiateError};
pub use crate::storage::UnsealError;
