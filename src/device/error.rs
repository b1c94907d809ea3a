//! Why a device list, a change of it, a step of linking or a message of an own device is refused.

use crate::session::DecryptError;
use bisik_core::codec::Malformed;

/// Why a device list is refused. On error the directory is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceListError {
    /// The bytes do not encode a device list, or it contradicts itself. Fetch it again; if that repeats, the server is
    /// broken.
    Malformed,
    /// The list belongs to another account: a bug in the caller, or the server returned the wrong list.
    OtherAccount,
    /// The account did not sign it: it is forged, or was damaged in transit.
    BadSignature,
    /// The account signed it, but it lists a device that did not sign its own entry: do not use it; report it.
    BadPossession,
    /// Issued more than a day in the future: the local clock or the issuer's clock is wrong.
    NotYetValid,
    /// More than 30 days old. Ask for a newer one; the primary device may have been away for long.
    Expired,
    /// Older than the known list: the server serves an old one. Fetch again; a server that repeats it hides devices or their
    /// removal.
    RolledBack,
    /// The account has signed two different histories: its primary device was restored from a backup, or its key was
    /// copied. Stop sending, and warn the user as for a changed key. A primary that [recovers](crate::Account::recover)
    /// issues a list that is accepted over the fork.
    Forked,
    /// An index was used again, or stands for another device: no honest primary does that. Treat it as [`Forked`](Self::Forked).
    IndexReused,
    /// The list does not hold the device that is to join the account with it: fetch the one that the primary issued when
    /// the device was linked.
    NotListed,
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
        IndexReused => "device.list.index_reused", "the device list uses an index again";
        NotListed => "device.list.not_listed", "the device list does not hold the joining device";
    }
}

impl From<Malformed> for DeviceListError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why the primary device does not issue a list. On error its list is unchanged.
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
    /// No device has this index, or the certificate is for another device than the one there.
    UnknownDevice,
    /// The primary device cannot be removed: the account's key is its key.
    IsPrimary,
    /// 64 devices, as many as a list holds: remove one first.
    Full,
    /// No index or sequence number is left, after four billion devices.
    Exhausted,
    /// Someone other than the owner has held the key of this device: it cannot become a device of one's own. Make a new
    /// identity for it.
    WasHosted,
    /// This device was shown a list of its account that it did not sign. It was restored from a backup, or its key is in
    /// other hands: [recover](crate::Account::recover) first.
    RecoverFirst,
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
        WasHosted => "device.primary.was_hosted", "a third party has held the key of the device";
        RecoverFirst => "device.primary.recover_first", "the account has a list that this device did not sign";
    }
}

/// Why a device does not recover. On error its state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoverError {
    /// The identity is not the account's: a bug in the caller.
    WrongIdentity,
    /// No list is signed with the account's key. Fetch the lists of the account; to sign without the newest one would
    /// fork it.
    NoList,
    /// No sequence number is left.
    Exhausted,
    /// On a companion device: the lists are refused.
    List(DeviceListError),
}

bisik_core::error_texts! {
    RecoverError {
        WrongIdentity => "device.recover.wrong_identity", "the identity is not the account's primary device";
        NoList => "device.recover.no_list", "no list of the account is there to continue from";
        Exhausted => "device.recover.exhausted", "no sequence number is left";
        List(error) => "device.recover.list", "the device lists are refused";
    }
}

impl From<DeviceListError> for RecoverError {
    fn from(error: DeviceListError) -> Self {
        Self::List(error)
    }
}

/// Why a step of linking failed. Each error ends the linking on this side; it starts again from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The bytes do not encode a linking message, or it is one of the other method.
    Malformed,
    /// It is a linking message, but not the one that is due.
    WrongStep,
    /// It answers another companion, or an earlier attempt.
    OtherLink,
    /// It does not verify: it is damaged, or an attacker is in the middle. Start again, and tell the user if that repeats.
    Rejected,
    /// The device list that ended the linking is refused.
    List(DeviceListError),
    /// The device list is valid and does not hold this device as agreed: the user did not confirm it on the primary.
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

/// Why a message is not accepted as one of an own device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnDeviceError {
    /// The directory is not that of the local account, or the local device was removed from it.
    NotListed,
    /// The local account's list has expired: no device is trusted until the primary device has issued another.
    Expired,
    /// The session is with a device of another account.
    OtherDevice,
    /// The session is not confirmed: its sender may not hold the identity that it names. Answer in the session; what the
    /// device writes then counts.
    Unconfirmed,
    /// The message does not decrypt.
    Decrypt(DecryptError),
}

bisik_core::error_texts! {
    OwnDeviceError {
        NotListed => "device.own.not_listed", "the local device is not in the directory";
        Expired => "device.own.expired", "the local account's device list has expired";
        OtherDevice => "device.own.other_device", "the sender is not a device of the local account";
        Unconfirmed => "device.own.unconfirmed", "the session with the device is not confirmed";
        Decrypt(error) => "device.own.decrypt", "the message does not decrypt";
    }
}

impl From<DecryptError> for OwnDeviceError {
    fn from(error: DecryptError) -> Self {
        Self::Decrypt(error)
    }
}
