//! [`FromOwnDevice`]: a payload that provably came from another device of the local account.

use alloc::vec::Vec;
use core::fmt;

use super::{DeviceDirectory, DeviceEntry, OwnDeviceError};
use crate::keys::{Identity, IdentityKey};
use crate::session::{Ciphertext, Session};
use bisik_core::time::Timestamp;

/// The directory of the local account, seen from one of its devices. Only this type creates a [`FromOwnDevice`].
#[derive(Clone, Copy, Debug)]
pub struct OwnDevices<'a> {
    directory: &'a DeviceDirectory,
    this: &'a DeviceEntry,
}

impl DeviceDirectory {
    /// Returns this directory as that of the local account. `this` proves it: a device in the directory, with its
    /// secrets. Requirement P-10.11.
    ///
    /// # Errors
    ///
    /// [`OwnDeviceError::NotListed`] if `this` is not in the directory; [`OwnDeviceError::Expired`].
    pub fn own(&self, this: &Identity, now: Timestamp) -> Result<OwnDevices<'_>, OwnDeviceError> {
        let this = self.find(this.public()).ok_or(OwnDeviceError::NotListed)?;
        if self.is_expired(now) { Err(OwnDeviceError::Expired) } else { Ok(OwnDevices { directory: self, this }) }
    }
}

impl OwnDevices<'_> {
    /// Returns the local device.
    #[must_use]
    pub const fn this(&self) -> &DeviceEntry {
        self.this
    }

    /// Returns all other devices of the account.
    pub fn others(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.directory.devices().iter().filter(|entry| entry.index() != self.this.index())
    }

    /// Decrypts a message from another own device, in a session that is confirmed with it. `identity` is the local one.
    /// On error the session is unchanged.
    ///
    /// # Errors
    ///
    /// [`OwnDeviceError::OtherDevice`] if the session is not with another own device; [`OwnDeviceError::Unconfirmed`];
    /// [`OwnDeviceError::Decrypt`].
    pub fn decrypt(
        &self,
        identity: &Identity,
        session: &mut Session,
        message: &Ciphertext,
    ) -> Result<FromOwnDevice<Vec<u8>>, OwnDeviceError> {
        let sender = *self.other(session.peer())?;
        let staged = session.stage(identity, message)?;
        staged.plaintext().confirmed().map_err(|_| OwnDeviceError::Unconfirmed)?;
        let payload = staged.commit().plaintext.confirmed().map_err(|_| OwnDeviceError::Unconfirmed)?;
        Ok(FromOwnDevice { sender, payload })
    }

    /// Marks a payload that a session with `sender` has decrypted as coming from an own device.
    pub(crate) fn vouch<T>(&self, sender: &IdentityKey, payload: T) -> Result<FromOwnDevice<T>, OwnDeviceError> {
        Ok(FromOwnDevice { sender: *self.other(sender)?, payload })
    }

    fn other(&self, sender: &IdentityKey) -> Result<&DeviceEntry, OwnDeviceError> {
        self.others().find(|entry| entry.identity() == sender).ok_or(OwnDeviceError::OtherDevice)
    }
}

/// A payload from another device of the local account. Only [`OwnDevices`] creates one, so neither a peer nor a server
/// can reach a function that takes this type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FromOwnDevice<T> {
    sender: DeviceEntry,
    payload: T,
}

impl<T> FromOwnDevice<T> {
    /// What a record says of a payload that was [vouched for](OwnDevices::vouch) before.
    pub(crate) const fn recorded(sender: DeviceEntry, payload: T) -> Self {
        Self { sender, payload }
    }

    /// Returns the device that it came from. A hosted device is an own device too: the caller decides what it may do.
    #[must_use]
    pub const fn sender(&self) -> &DeviceEntry {
        &self.sender
    }

    /// Returns the payload.
    #[must_use]
    pub const fn payload(&self) -> &T {
        &self.payload
    }

    /// Returns the payload without its origin.
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// Decodes the payload and keeps its origin.
    ///
    /// # Errors
    ///
    /// Those of `decode`.
    pub fn try_map<U, E>(self, decode: impl FnOnce(T) -> Result<U, E>) -> Result<FromOwnDevice<U>, E> {
        let Self { sender, payload } = self;
        Ok(FromOwnDevice { sender, payload: decode(payload)? })
    }
}

/// Omits the payload, which was encrypted.
impl<T> fmt::Debug for FromOwnDevice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sender, payload: _ } = self;
        f.debug_struct("FromOwnDevice").field("sender", sender).finish_non_exhaustive()
    }
}
