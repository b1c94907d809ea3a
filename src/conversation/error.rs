//! Why a conversation did not send or receive: a variant only where the caller acts differently.

use crate::device::OwnDeviceError;
use crate::hosting::Blocked;
use bisik_core::internal::InternalError;

/// Why nothing was sent. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The peer's account key has changed and nobody has acknowledged that: show it, then
    /// [`acknowledge`](super::Conversation::acknowledge).
    IdentityChanged,
    /// A device list has expired, the peer's or one's own: fetch a newer one.
    ListExpired,
    /// Devices without a session are neither among the bundles nor among those known to be unavailable: see
    /// [`plan`](super::Conversation::plan).
    NeedBundles,
    /// A bundle is of another device than its address says.
    WrongBundle,
    /// Longer than [`MAX_BODY`](super::MAX_BODY).
    TooLong,
    /// This device is not, or no longer, in its own account's list.
    DeviceNotListed,
    /// The label does not permit it: somebody else would read and the user has not agreed, or nobody can tell who reads. What is
    /// queued waits.
    Blocked(Blocked),
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
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
        Internal => "conversation.send.internal", InternalError::TEXT;
    }
}

impl From<InternalError> for SendError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
    }
}

/// Why a message was not received. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Its sender is in no device list that is known here: fetch that account's newer lists, then try again.
    UnknownDevice,
    /// A device list has expired, the peer's or one's own: fetch a newer one, then try again.
    ListExpired,
    /// It was received before: drop it.
    Replayed,
    /// The session that it belongs to is lost on one side: [`ask_again`](super::Conversation::ask_again).
    SessionLost,
    /// A last-resort key is overused: rotate one's pre-keys, publish, and let the sender try again.
    ReplayCacheFull,
    /// Damaged or forged, or of sessions that this device lost by going back in time: drop it; if that repeats,
    /// [`ask_again`](super::Conversation::ask_again).
    Rejected,
    /// Written by the device that it comes from, and not what such a device may write here: a broken or hostile device.
    ProtocolViolation,
    /// This device is not, or no longer, in its own account's list.
    DeviceNotListed,
    /// This device is listed as hosted and does not hold the disclosure of that: nothing is decrypted without a deadline
    /// ([`Account::set_disclosure`](crate::Account::set_disclosure)).
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
