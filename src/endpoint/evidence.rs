//! [`Evidence`]: what a label follows from.
//!
//! Does not verify device lists: whoever fills it in has taken it from one that was verified.

use super::disclosure::VerifiedDisclosure;
use super::error::DisclosureError;
use crate::device::{Custody, DeviceEntry};
use crate::disclosure::DisclosureHash;
use crate::keys::IdentityKey;
use crate::time::Timestamp;

/// What is known of all endpoints of one account.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// The account's device list, verified, with what was presented for the hosted ones among its devices.
    Devices {
        /// When the list expires.
        expires: Timestamp,
        /// All its devices; none left out.
        devices: &'a [EndpointDevice<'a>],
    },
    /// There is no list, or none that verifies: it has expired, was rolled back, forked, or is badly signed.
    NoDeviceList,
}

/// One device of a verified list.
#[derive(Clone, Copy, Debug)]
pub struct EndpointDevice<'a> {
    /// The device's key.
    pub key: IdentityKey,
    /// Who holds it, as the list says.
    pub custody: Custody,
    /// The hash of its disclosure, as the list says; `None` for one that the account holds itself.
    pub disclosure: Option<DisclosureHash>,
    /// The disclosure that came with it.
    pub presented: Presented<'a>,
}

impl<'a> EndpointDevice<'a> {
    /// A device of a verified list, with what was presented for it.
    #[must_use]
    pub const fn new(entry: &DeviceEntry, presented: Presented<'a>) -> Self {
        let (custody, disclosure) = (entry.custody(), entry.terms().disclosure());
        Self { key: *entry.identity(), custody, disclosure, presented }
    }
}

/// What was presented for a device.
#[derive(Clone, Copy, Debug)]
pub enum Presented<'a> {
    /// Nothing. Right for a device that the account holds itself; of another the disclosure is missing.
    Nothing,
    /// A disclosure that verifies.
    Verified(&'a VerifiedDisclosure),
    /// A disclosure that does not.
    Rejected(DisclosureError),
}
