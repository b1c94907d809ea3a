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
    /// Some devices have no session, no bundle in `supply`, and are not listed as unavailable: see
    /// [`plan`](super::Conversation::plan).
    NeedBundles,
    /// A bundle belongs to another device than its address names.
    WrongBundle,
    /// The message is longer than [`MAX_BODY`](super::MAX_BODY).
    TooLong,
    /// This device is not, or no longer, in its account's device list.
    DeviceNotListed,
    /// The label does not permit sending: a third party would read and the user has not agreed, or it is not known who
    /// would read. Queued messages wait.
    Blocked(Blocked),
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    SendError {
        IdentityChanged => "conversation.send.identity_changed", "the peer's account key has changed";
        ListExpired => "conversation.send.list_expired", "a device list has expired";
        NeedBundles => "conversation.send.need_bundles", "pre-key bundles are missing for some devices";
        WrongBundle => "conversation.send.wrong_bundle", "a pre-key bundle belongs to another device";
        TooLong => "conversation.send.too_long", "the message is too long";
        DeviceNotListed => "conversation.send.device_not_listed", "the local device is not in its account's list";
        Blocked(error) => "conversation.send.blocked", "the conversation's label does not permit sending";
        @Internal => "conversation.send.internal";
    }
}

/// Why a message was not received. On error the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Its sender is in no known device list: fetch the account's newer lists, then try again.
    UnknownDevice,
    /// A device list has expired, the peer's or the local account's: fetch a newer one, then try again.
    ListExpired,
    /// It was received before: drop it.
    Replayed,
    /// One side has lost the session that it belongs to: call [`ask_again`](super::Conversation::ask_again).
    SessionLost,
    /// A last-resort key has set up too many sessions: rotate the pre-keys, publish them, and let the sender try again.
    ReplayCacheFull,
    /// It is damaged or forged, or belongs to sessions that this device lost by a rollback. Drop it; if that repeats,
    /// call [`ask_again`](super::Conversation::ask_again).
    Rejected,
    /// Its authenticated sender may not send such a message here: the device is broken or hostile.
    ProtocolViolation,
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
        Replayed => "conversation.receive.replayed", "the message was received before";
        SessionLost => "conversation.receive.session_lost", "the session of the message is lost";
        ReplayCacheFull => "conversation.receive.replay_cache_full",
            "the last-resort pre-key cannot remember more sessions";
        Rejected => "conversation.receive.rejected", "the message does not verify";
        DisclosureNeeded => "conversation.receive.disclosure_needed",
            "the local device is hosted and its disclosure is missing";
        ProtocolViolation => "conversation.receive.protocol_violation",
            "the message is not one that its sender may write";
        DeviceNotListed => "conversation.receive.device_not_listed", "the local device is not in its account's list";
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
