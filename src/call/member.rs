//! [`CallGroup`]: the group that a call belongs to, and what its caller knows of the group. [`KeyTaken`]: what a key told.

use crate::keys::IdentityKey;

/// The group that a call belongs to, and the local device's view of it.
///
/// Two devices whose histories of the group differ have different views, so their keys fail at one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallGroup {
    /// The id of the group.
    pub id: [u8; 32],
    /// The hash of the newest entry of the group's log that the local device knows.
    pub view: [u8; 32],
}

/// What a view of the group says about a device, for [`GroupCall::join`](super::GroupCall::join),
/// [`accept_key`](super::GroupCall::accept_key), [`retry_aside`](super::GroupCall::retry_aside) and
/// [`group_changed`](super::GroupCall::group_changed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In this view, the device belongs to a live member and may receive keys.
    Live,
    /// In this view, it does not: its account was removed or suspended, or the device has gone from its list.
    Gone,
    /// This device does not know the view.
    UnknownView,
}

/// The `standing` of a call without a group, which asks nothing. For a call of a group it knows no view, and so refuses.
#[must_use]
pub const fn no_group(_: &[u8; 32], _: &IdentityKey) -> Standing {
    Standing::UnknownView
}

/// To whom the local [key](super::GroupCall::key_for) must be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the key has to be sent"]
pub enum Recipients {
    /// To the one device that joined, or whose key was taken; all others derive it.
    OneDevice,
    /// To every other device in the call.
    Everybody,
}

/// An epoch key that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "its sender may want the local key"]
#[non_exhaustive]
pub struct KeyTaken {
    /// What it told.
    pub news: KeyNews,
    /// Its sender has no key of this device's stay: it has just come, has lost its state, or was told that this device
    /// left. Send the local [key](super::GroupCall::key_for) to these.
    pub answer: Option<Recipients>,
}

/// What an epoch key told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyNews {
    /// The first key of a stay: its sender has come, or come again.
    NewStay,
    /// The next key in a stay that is known.
    NewEpoch,
    /// Nothing: the key was known, or follows from the newest one.
    Known,
    /// Nothing: its device has said a key of a later epoch in this stay, or another one of this epoch; or frames under
    /// it may have been opened before the device left. It is not used.
    Old,
}
