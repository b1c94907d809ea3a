//! Why something is refused: a variant only where the caller acts differently.

use crate::device::OwnDeviceError;
use crate::group::chain::{GroupMessageError, OpenError, TakeError};
use crate::group::membership::OfferError;
use crate::media::DecryptError;
use bisik_core::codec::Malformed;

/// Why a device does nothing in a group now. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupSendError {
    /// This device is in no list of its account, the list has expired, somebody else holds the device's keys, or the record
    /// of the group is another device's: maintain the account, and send again.
    NotListed,
    /// The account is no member of the group: it was removed, has left, or has not accepted.
    NotAMember,
    /// Only admins write in this group, or the account is a reader.
    MayNotWrite,
    /// More than 256 KiB: send it as an attachment.
    TooLong,
    /// 64 messages and letters wait to be handed to the transport: [flush](super::Group::flush) and
    /// [hand them over](super::Group::handed) first.
    OutboxFull,
    /// The owner has ended the group, or written two different logs, or the newest floor is missing.
    ReadOnly,
    /// More devices than a chain may be given to.
    TooManyDevices,
    /// The group's log does not permit this account, or this hosted device, to pass messages on; or the pointer is not one of
    /// a [`History`](super::History).
    MayNotPassOn,
    /// No device list of the account is known, it has expired, or nobody but others holds its devices' keys:
    /// [fetch it](super::Group::needs).
    NoDevice,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    GroupSendError {
        NotListed => "group.send.not_listed", "the local device is not in its account's newest list";
        NotAMember => "group.send.not_a_member", "the account is no member of the group";
        MayNotWrite => "group.send.may_not_write", "the account may read in the group, and not write";
        TooLong => "group.send.too_long", "the message is longer than 256 KiB";
        OutboxFull => "group.send.outbox_full", "too much waits to be handed to the transport";
        ReadOnly => "group.send.read_only", "nobody writes in the group now";
        TooManyDevices => "group.send.too_many_devices", "the group has more devices than a chain may be given to";
        MayNotPassOn => "group.send.may_not_pass_on", "the account may not pass messages of the group on";
        NoDevice => "group.send.no_device", "no device that the account holds itself is known";
        @Internal => "group.send.internal";
    }
}

impl From<OwnDeviceError> for GroupSendError {
    fn from(_: OwnDeviceError) -> Self {
        Self::NotListed
    }
}

/// Why a message or a letter of a group was not taken. Nothing has changed, except where the variant says that something
/// is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupReceiveError {
    /// The bytes are no message or letter of a group: drop them.
    Malformed,
    /// A later version wrote them: keep them until this library is updated.
    NewerVersion,
    /// They belong to another group: see [`ReceivedLetter::group`](crate::conversation::ReceivedLetter::group).
    OtherGroup,
    /// This device was not given the message's chain, or not yet. It is asked for with the next flush. Keep the message for some
    /// days, and receive it again after each letter: also one of somebody who is out, and gives no chain any more, looks so.
    NeedsChain,
    /// The chain has ended, or the key was used or given up, or it was written before this device was given the chain: drop
    /// the message.
    TooLate,
    /// It was received before: drop it.
    Duplicate,
    /// It does not verify, or its sender wrote another message under the same number: drop it.
    Rejected,
    /// Its sender may read and not write, by the rights that are known here: keep it if statements are missing, or drop it.
    NotPermitted,
    /// The sender is no device of the newest list that is known of its account, or the account is no member: drop it. If it
    /// only is not known yet, it was kept, and no error was returned.
    UnknownDevice,
    /// The chain of this letter contradicts what is known, or has ended: drop it.
    Chain(TakeError),
    /// A statement of a group that nobody has joined here was refused.
    Statement(OfferError),
    /// On a hosted device: the disclosure that it is listed under is not known here: see
    /// [`Account::set_disclosure`](crate::Account::set_disclosure). Keep the message.
    DisclosureNeeded,
    /// What waits for the program fills its room: [settle](super::Group::settle) some of it first. Keep the message.
    InboxFull,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    GroupReceiveError {
        Malformed => "group.receive.malformed", "the bytes are no message or letter of a group";
        NewerVersion => "group.receive.newer_version", "a later version wrote the message or letter";
        OtherGroup => "group.receive.other_group", "the letter belongs to another group";
        NeedsChain => "group.receive.needs_chain", "the message's chain has not arrived";
        TooLate => "group.receive.too_late", "the message's key is gone, or was never given";
        Duplicate => "group.receive.duplicate", "the message was received before";
        Rejected => "group.receive.rejected", "the message does not verify";
        NotPermitted => "group.receive.not_permitted", "the sender may not write in the group";
        UnknownDevice => "group.receive.unknown_device", "the sender is no device of a member";
        Chain(error) => "group.receive.chain", "the chain of the letter was refused";
        Statement(error) => "group.receive.statement", "a statement about the group was refused";
        DisclosureNeeded => "group.receive.disclosure_needed", "the disclosure of this hosted device is not known";
        InboxFull => "group.receive.inbox_full", "too much waits for the program";
        @Internal => "group.receive.internal";
    }
}

/// Why what a member passes on was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// The blob is not the one that the pointer names, or not all of it.
    Blob(DecryptError),
    /// The bytes are no history: drop it.
    Malformed,
    /// A later version made it: keep it until this library is updated.
    NewerVersion,
    /// It was made for another group, or by another member than the one who passes it on: drop it.
    OtherGroup,
    /// It names another author of a chain than the device that gave the chain to this one: it is false. Drop it, and tell the
    /// user.
    Contradicts,
}

bisik_core::error_texts! {
    HistoryError {
        Blob(error) => "group.history.blob", "the blob of the history was refused";
        Malformed => "group.history.malformed", "the bytes are no history of a group";
        NewerVersion => "group.history.newer_version", "a later version made the history";
        OtherGroup => "group.history.other_group", "the history is for another group, or by another member";
        Contradicts => "group.history.contradicts", "the history names a false author";
    }
}

impl From<GroupMessageError> for GroupReceiveError {
    fn from(error: GroupMessageError) -> Self {
        match error {
            GroupMessageError::Malformed => Self::Malformed,
            GroupMessageError::UnsupportedVersion(_) => Self::NewerVersion,
        }
    }
}

impl From<OpenError> for GroupReceiveError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NeedsChain => Self::NeedsChain,
            OpenError::Closed | OpenError::Spent | OpenError::NotGiven => Self::TooLate,
            OpenError::Replayed => Self::Duplicate,
            OpenError::Rejected | OpenError::WentBack { .. } => Self::Rejected,
            OpenError::Poisoned => Self::Internal,
        }
    }
}

impl From<Malformed> for GroupReceiveError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
