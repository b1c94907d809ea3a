//! Why a conversation did not send or receive. An enum has a variant only if the caller acts differently on it.

use crate::device::OwnDeviceError;
use crate::hosting::Blocked;

/// Why nothing was sent. On error the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The peer's account key has changed and was not acknowledged yet: show it to the user, then
    /// [`acknowledge`](super::Conversation::acknowledge) it.
    IdentityChanged,
    /// A device list has expired, the peer's or the local account's: fetch a newer one.
    ListExpired,
    /// A bundle belongs to another device than its address names.
    WrongBundle,
    /// The message is longer than [`MAX_BODY`](super::MAX_BODY).
    TooLong,
    /// This device is not, or no longer, in its account's device list.
    DeviceNotListed,
    /// Too much waits for the program: [settle](super::Conversation::settle) what it has stored, then try again.
    InboxFull,
    /// This is a primary device that was restored behind its own lists: [recover](crate::Account::recover) first.
    RecoverFirst,
    /// The one device that the message is for is in no known device list.
    UnknownDevice,
    /// The label does not permit sending: a third party would read and the user has not agreed, or it is not known who
    /// would read. Kept messages wait.
    Blocked(Blocked),
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    SendError {
        IdentityChanged => "conversation.send.identity_changed", "the peer's account key has changed";
        ListExpired => "conversation.send.list_expired", "a device list has expired";
        WrongBundle => "conversation.send.wrong_bundle", "a pre-key bundle belongs to another device";
        TooLong => "conversation.send.too_long", "the message is too long";
        DeviceNotListed => "conversation.send.device_not_listed", "the local device is not in its account's list";
        RecoverFirst => "conversation.send.recover_first", "the account has lists that this device has not signed";
        InboxFull => "conversation.send.inbox_full", "too much waits for the program";
        UnknownDevice => "conversation.send.unknown_device", "the receiving device is in no known device list";
        Blocked(error) => "conversation.send.blocked", "the conversation's label does not permit sending";
        @Internal => "conversation.send.internal";
    }
}

/// Why an arrival was not received. Except for [`Unreadable`](Self::Unreadable), which the conversation remembers to ask
/// about, the state is unchanged. Nothing has to be answered: what its author still keeps comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Its sender is in no known device list: fetch the account's newer lists, then try again.
    UnknownDevice,
    /// A device list has expired, the peer's or the local account's: fetch a newer one, then try again.
    ListExpired,
    /// It was received before: drop it.
    Duplicate,
    /// No session here reads it: it is damaged or forged, or one side has lost the session. Drop it.
    Unreadable,
    /// A later version of this library wrote it. Keep it until this one is updated.
    NewerVersion,
    /// Its authenticated sender may not write such a message here: the device is broken or hostile. Drop it.
    ProtocolViolation,
    /// Another own device wrote it for another conversation: [find](super::Conversation::find) it, and receive the message
    /// there.
    AnotherConversation,
    /// Last-resort pre-keys have set up too many sessions: rotate the pre-keys, publish them, then try again.
    ReplayCacheFull,
    /// Too much waits for the program: [settle](super::Conversation::settle) what it has stored, then try again.
    InboxFull,
    /// This device is not, or no longer, in its account's device list.
    DeviceNotListed,
    /// This device is listed as hosted, but does not have its disclosure
    /// ([`Account::set_disclosure`](crate::Account::set_disclosure)). Without one there is no deadline for deletion, so
    /// nothing is decrypted.
    DisclosureNeeded,
}

bisik_core::error_texts! {
    ReceiveError {
        UnknownDevice => "conversation.receive.unknown_device", "the sender is in no known device list";
        ListExpired => "conversation.receive.list_expired", "a device list has expired";
        Duplicate => "conversation.receive.duplicate", "the message was received before";
        Unreadable => "conversation.receive.unreadable", "no session reads the message";
        NewerVersion => "conversation.receive.newer_version", "a later version wrote the message";
        ProtocolViolation => "conversation.receive.protocol_violation",
            "the message is not one that its sender may write";
        AnotherConversation => "conversation.receive.another_conversation",
            "another own device wrote the message for another conversation";
        ReplayCacheFull => "conversation.receive.replay_cache_full",
            "the last-resort pre-key cannot remember more sessions";
        InboxFull => "conversation.receive.inbox_full", "too much waits for the program";
        DeviceNotListed => "conversation.receive.device_not_listed", "the local device is not in its account's list";
        DisclosureNeeded => "conversation.receive.disclosure_needed",
            "the local device is hosted and its disclosure is missing";
    }
}

impl From<OwnDeviceError> for SendError {
    fn from(error: OwnDeviceError) -> Self {
        if error == OwnDeviceError::Expired { Self::ListExpired } else { Self::DeviceNotListed }
    }
}

impl From<OwnDeviceError> for ReceiveError {
    fn from(error: OwnDeviceError) -> Self {
        if error == OwnDeviceError::Expired { Self::ListExpired } else { Self::DeviceNotListed }
    }
}
