//! [`FromOwnDevice`]: what provably came from another device of one's own account.
//!
//! Does not know what is in it: synchronisation of consent, history, read positions.

use alloc::vec::Vec;
use core::fmt;

use super::{DeviceDirectory, DeviceEntry, OwnDeviceError};
use crate::keys::{Identity, IdentityKey};
use crate::session::{Ciphertext, Session};
use crate::time::Timestamp;

/// The directory of one's own account, seen from a device that is in it: the only thing that makes a [`FromOwnDevice`].
#[derive(Clone, Copy, Debug)]
pub struct OwnDevices<'a> {
    directory: &'a DeviceDirectory,
    this: &'a DeviceEntry,
}

impl DeviceDirectory {
    /// P-10.11. This directory as one's own: whoever holds the secret of a device in it is in the account.
    ///
    /// # Errors
    ///
    /// [`OwnDeviceError::NotListed`] where `this` is not in the directory; [`OwnDeviceError::Expired`].
    pub fn own(&self, this: &Identity, now: Timestamp) -> Result<OwnDevices<'_>, OwnDeviceError> {
        let this = self.find(this.public()).ok_or(OwnDeviceError::NotListed)?;
        if self.is_expired(now) { Err(OwnDeviceError::Expired) } else { Ok(OwnDevices { directory: self, this }) }
    }
}

impl OwnDevices<'_> {
    /// This device.
    #[must_use]
    pub const fn this(&self) -> &DeviceEntry {
        self.this
    }

    /// All other devices of the account.
    pub fn others(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.directory.devices().iter().filter(|entry| entry.index() != self.this.index())
    }

    /// Decrypts a message of another own device.
    ///
    /// # Errors
    ///
    /// [`OwnDeviceError::OtherDevice`] where the session is with anyone else; [`OwnDeviceError::Decrypt`]. The session has
    /// not changed then.
    pub fn decrypt(
        &self,
        session: &mut Session,
        message: &Ciphertext,
    ) -> Result<FromOwnDevice<Vec<u8>>, OwnDeviceError> {
        let sender = *self.other(session.peer())?;
        Ok(FromOwnDevice { sender, payload: session.decrypt(message)? })
    }

    /// Vouches for a payload that a session with `sender` has decrypted.
    pub(crate) fn vouch<T>(&self, sender: &IdentityKey, payload: T) -> Result<FromOwnDevice<T>, OwnDeviceError> {
        Ok(FromOwnDevice { sender: *self.other(sender)?, payload })
    }

    fn other(&self, sender: &IdentityKey) -> Result<&DeviceEntry, OwnDeviceError> {
        self.others().find(|entry| entry.identity() == sender).ok_or(OwnDeviceError::OtherDevice)
    }
}

/// A payload from another device of one's own account. Only [`OwnDevices`] makes one: where a function asks for this type,
/// no peer and no server can reach it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FromOwnDevice<T> {
    sender: DeviceEntry,
    payload: T,
}

impl<T> FromOwnDevice<T> {
    /// Which device it came from. One in another's custody is an own device too: what it may say is the caller's rule.
    #[must_use]
    pub const fn sender(&self) -> &DeviceEntry {
        &self.sender
    }

    /// What it says.
    #[must_use]
    pub const fn payload(&self) -> &T {
        &self.payload
    }

    /// What it says, without where it came from.
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// The same payload, decoded.
    ///
    /// # Errors
    ///
    /// Those of `decode`.
    pub fn try_map<U, E>(self, decode: impl FnOnce(T) -> Result<U, E>) -> Result<FromOwnDevice<U>, E> {
        let Self { sender, payload } = self;
        Ok(FromOwnDevice { sender, payload: decode(payload)? })
    }
}

/// Without the payload, which was encrypted.
impl<T> fmt::Debug for FromOwnDevice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sender, payload: _ } = self;
        f.debug_struct("FromOwnDevice").field("sender", sender).finish_non_exhaustive()
    }
}
