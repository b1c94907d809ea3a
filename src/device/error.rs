//! Why a device list, a change of one, a step of linking or an own device's message is refused.
//!
//! Does not know what was tried: after any of these, nothing has changed.

use crate::codec::Malformed;
use crate::session::DecryptError;

/// Why a device list is refused. The directory is the same as before, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceListError {
    /// Not the encoding of a device list, or one that contradicts itself. Fetch it again; a server that repeats it is
    /// broken.
    Malformed,
    /// The list of another account. A bug in the caller, or the server's answer to another question.
    OtherAccount,
    /// Not signed by the account: hostile, or damaged on the way.
    BadSignature,
    /// Signed by the account, but it claims a device that has not said so itself: do not use; report.
    BadPossession,
    /// Dated more than a day after the caller's clock: one of two clocks is wrong.
    NotYetValid,
    /// More than 30 days old. Ask for a newer one; the primary device may have been away for long.
    Expired,
    /// Older than the list that is known: the server hands out what is past. Ask again; a server that repeats it hides
    /// devices, or their removal.
    RolledBack,
    /// The account has signed two different histories: its primary device was restored from a backup, or its key is in
    /// two hands. Stop sending, and warn the user as for a changed key.
    Forked,
    /// Lists between the known one and this one are missing: fetch them, and give all to
    /// [`DeviceDirectory::catch_up`](crate::device::DeviceDirectory::catch_up).
    Gap,
    /// An index came back, or stands for another device: no honest primary does that. Treat as [`Forked`](Self::Forked).
    IndexReused,
}

bisik_core::error_texts! {
    DeviceListError {
        Malformed => "device.list.malformed", "the device list is malformed";
        OtherAccount => "device.list.other_account", "the device list belongs to another account";
        BadSignature => "device.list.bad_signature", "the signature of the device list does not verify";
        BadPossession => "device.list.bad_possession", "the device list holds a device that did not sign its entry";
        NotYetValid => "device.list.not_yet_valid", "the device list is dated more than a day in the future";
        Expired => "device.list.expired", "the device list has expired";
        RolledBack => "device.list.rolled_back", "the device list is older than the known one";
        Forked => "device.list.forked", "the device list does not continue the known one";
        Gap => "device.list.gap", "device lists before this one are missing";
        IndexReused => "device.list.index_reused", "the device list uses an index again";
    }
}

impl From<Malformed> for DeviceListError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why the primary device does not issue a list. Its list is the same as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrimaryError {
    /// The identity is not the account's: a bug in the caller.
    WrongIdentity,
    /// The certificate is for another index than the next one, or another list was issued since: link again.
    OtherIndex,
    /// The device is in the list already. A device makes a new identity each time it is linked.
    AlreadyListed,
    /// The certificate is not signed by its device, or is for another account.
    BadPossession,
    /// No device has this index, or the certificate is of another one than the device there.
    UnknownDevice,
    /// The primary device cannot be removed: whose key would the account have then?
    IsPrimary,
    /// 1,024 devices, as many as a list holds: remove one first.
    Full,
    /// No index or sequence number is left, after four billion devices.
    Exhausted,
}

bisik_core::error_texts! {
    PrimaryError {
        WrongIdentity => "device.primary.wrong_identity", "the identity is not the account's primary device";
        OtherIndex => "device.primary.other_index", "the device certificate is for another index";
        AlreadyListed => "device.primary.already_listed", "the device is in the list already";
        BadPossession => "device.primary.bad_possession",
            "the device certificate is not signed by its device for this account";
        UnknownDevice => "device.primary.unknown_device", "the device is not in the list";
        IsPrimary => "device.primary.is_primary", "the primary device cannot be removed";
        Full => "device.primary.full", "the device list is full";
        Exhausted => "device.primary.exhausted", "no device index or sequence number is left";
    }
}

/// Why a step of linking failed. Linking is over then on this side, and starts again from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// Not a message of linking, or one for the other method.
    Malformed,
    /// A message of linking, and not the one that is due.
    WrongStep,
    /// The answer to another companion, or to an earlier attempt.
    OtherLink,
    /// It does not verify: damaged, or somebody is in the middle. Start again, and tell the user if that repeats.
    Rejected,
    /// The device list that ended the linking is refused.
    List(DeviceListError),
    /// The device list is good and does not hold this device as it was agreed: the primary did not confirm it.
    NotListed,
}

bisik_core::error_texts! {
    LinkError {
        Malformed => "device.link.malformed", "the linking message is malformed";
        WrongStep => "device.link.wrong_step", "the linking message is not the one that is due";
        OtherLink => "device.link.other_link", "the linking message belongs to another linking";
        Rejected => "device.link.rejected", "the linking message does not verify";
        List(error) => "device.link.list", "the device list is refused";
        NotListed => "device.link.not_listed", "the device list does not hold the linked device";
    }
}

impl From<Malformed> for LinkError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<DeviceListError> for LinkError {
    fn from(error: DeviceListError) -> Self {
        Self::List(error)
    }
}

/// Why something is not taken for a message of one's own devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnDeviceError {
    /// The directory is not this device's own, or this device was removed from it.
    NotListed,
    /// The own list has expired: it vouches for nobody until the primary device has issued another.
    Expired,
    /// The session is with a device that is not one's own.
    OtherDevice,
    /// The message does not decrypt.
    Decrypt(DecryptError),
}

bisik_core::error_texts! {
    OwnDeviceError {
        NotListed => "device.own.not_listed", "the local device is not in the directory";
        Expired => "device.own.expired", "the local account's device list has expired";
        OtherDevice => "device.own.other_device", "the sender is not a device of the local account";
        Decrypt(error) => "device.own.decrypt", "the message does not decrypt";
    }
}

impl From<DecryptError> for OwnDeviceError {
    fn from(error: DecryptError) -> Self {
        Self::Decrypt(error)
    }
}
