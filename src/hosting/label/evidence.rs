//! [`Evidence`]: what a verified device list shows about an account's devices (docs/spec/hosting.md, section 11.3).
//!
//! It is not checked here that the list verifies: take it from a [`DeviceDirectory`](crate::device::DeviceDirectory).

use crate::device::{Custody, DeviceEntry};
use crate::hosting::disclosure::{DisclosureError, VerifiedDisclosure};
use crate::keys::IdentityKey;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// What is known about all devices of the two accounts.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// The peer's verified device list, with what was presented for its hosted devices.
    Devices {
        /// When the list expires.
        expires: Timestamp,
        /// All devices of the list, hosted or not.
        devices: &'a [HostedDevice<'a>],
        /// All devices of the user's own account. Whatever they are, they block nothing.
        own: &'a [HostedDevice<'a>],
    },
    /// There is no list, or it does not verify: it has expired, was rolled back or forked, or a signature is wrong.
    NoDeviceList,
}

/// A device of a verified list, as the rules of hosting see it: who holds its key, and under which disclosure.
#[derive(Clone, Copy, Debug)]
pub struct HostedDevice<'a> {
    /// The device's key.
    pub key: IdentityKey,
    /// Who holds the key, according to the list. A device in the account's own custody is not hosted.
    pub custody: Custody,
    /// Whether a program answers on it, according to the list.
    pub automated: bool,
    /// The hash of its disclosure, according to the list; `None` if the account holds the device itself.
    pub disclosure: Option<DisclosureHash>,
    /// The disclosure that was presented for it.
    pub presented: Presented<'a>,
}

impl<'a> HostedDevice<'a> {
    /// Takes key, custody and disclosure hash from an entry of a verified list.
    #[must_use]
    pub fn new(entry: &DeviceEntry, presented: Presented<'a>) -> Self {
        let terms = entry.terms();
        let (custody, automated, disclosure) = (terms.custody(), terms.is_automated(), terms.disclosure());
        Self { key: *entry.identity(), custody, automated, disclosure, presented }
    }
}

/// What was presented for a device.
#[derive(Clone, Copy, Debug)]
pub enum Presented<'a> {
    /// Nothing. Correct for a device that the account holds itself; for a hosted device the disclosure is missing.
    Nothing,
    /// A disclosure that verifies.
    Verified(&'a VerifiedDisclosure),
    /// A disclosure that does not verify.
    Rejected(DisclosureError),
    /// For a device that the list calls own-held: a disclosure of its key, of any age, that all three parties have signed.
    Former(&'a VerifiedDisclosure),
}
