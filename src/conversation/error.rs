//! Why a conversation did not send or receive: a variant only where the caller acts differently.
//!
//! Does not know the causes below.

use core::fmt;

use crate::device::OwnDeviceError;
use crate::hosting::Blocked;

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
    NotADevice,
    /// The label does not permit it: somebody else would read and the user has not agreed, or nobody can tell who reads. What is
    /// queued waits.
    Blocked(Blocked),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdentityChanged => "the peer's account key has changed",
            Self::ListExpired => "a device list has expired",
            Self::NeedBundles => "bundles are missing for some devices",
            Self::WrongBundle => "a bundle is of another device",
            Self::TooLong => "message is too long",
            Self::NotADevice => "this device is not in its account's list",
            Self::Blocked(_) => "the label does not permit it",
        })
    }
}

impl core::error::Error for SendError {}

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
    Lost,
    /// A last-resort key is overused: rotate one's pre-keys, publish, and let the sender try again.
    ReplayCacheFull,
    /// Damaged or forged, or of sessions that this device lost by going back in time: drop it; if that repeats,
    /// [`ask_again`](super::Conversation::ask_again).
    Rejected,
    /// Written by the device that it comes from, and not what such a device may write here: a broken or hostile device.
    Misbehaved,
    /// This device is not, or no longer, in its own account's list.
    NotADevice,
    /// This device is listed as hosted and does not hold the disclosure of that: nothing is decrypted without a deadline
    /// ([`Account::set_disclosure`](crate::Account::set_disclosure)).
    DisclosureNeeded,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownDevice => "sender is in no known device list",
            Self::ListExpired => "a device list has expired",
            Self::Replayed => "message was received before",
            Self::Lost => "session of the message is lost",
            Self::ReplayCacheFull => "last-resort pre-key cannot remember more sessions",
            Self::Rejected => "message does not verify",
            Self::DisclosureNeeded => "a hosted device needs its disclosure",
            Self::Misbehaved => "message is not what its sender may write",
            Self::NotADevice => "this device is not in its account's list",
        })
    }
}

impl core::error::Error for ReceiveError {}

impl From<OwnDeviceError> for SendError {
    fn from(error: OwnDeviceError) -> Self {
        if error == OwnDeviceError::Expired { Self::ListExpired } else { Self::NotADevice }
    }
}

impl From<OwnDeviceError> for ReceiveError {
    fn from(error: OwnDeviceError) -> Self {
        if error == OwnDeviceError::Expired { Self::ListExpired } else { Self::NotADevice }
    }
}
