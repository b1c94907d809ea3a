//! [`DeviceEntry`]: one device of an account. [`DeviceCertificate`]: an entry with the device's own signature.
//!
//! `list.rs` and `directory.rs` decide which entries a list may contain.

use alloc::vec::Vec;
use core::fmt;

use super::{AccountKey, Custody, DeviceListError, DeviceTerms};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::ed25519::{SIGNATURE, Unverified};

/// One device of an account: its index, its identity, and the terms under which it takes part
/// ([section 10.2](crate::manual::spec::accounts#102-entries-and-certificates)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceEntry {
    index: u32,
    identity: IdentityKey,
    terms: DeviceTerms,
}

impl DeviceEntry {
    /// Bytes in an entry.
    pub(crate) const LENGTH: usize = 4 + IdentityKey::LENGTH + DeviceTerms::LENGTH;
    /// The index of an account's primary device.
    pub const PRIMARY: u32 = 0;

    /// Returns the device's index in its account. 0 is the primary device; no index is assigned twice.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Returns whether this is the account's primary device, which signs the lists.
    #[must_use]
    pub const fn is_primary(&self) -> bool {
        self.index == Self::PRIMARY
    }

    /// Returns the device's identity, to which sessions with it are pinned.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// Returns who holds its keys.
    #[must_use]
    pub const fn custody(&self) -> Custody {
        self.terms.custody()
    }

    /// Returns custody, automation and disclosure.
    #[must_use]
    pub const fn terms(&self) -> &DeviceTerms {
        &self.terms
    }

    /// Writes `u32(index) ‖ identity key ‖ terms`.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let Self { index, identity, terms } = self;
        writer.u32(*index).bytes(&identity.to_bytes());
        terms.write(writer);
    }

    /// Reads an entry without decompressing the points of the identity key. [`DeviceCertificate::verify`] does that
    /// once the account's signature has verified.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let index = reader.u32()?;
        let identity = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        Ok(Self { index, identity, terms: DeviceTerms::read(reader)? })
    }
}

/// An entry with the device's own signature, 166 bytes: the device takes part in this account, at this index, under
/// these terms.
///
/// Without the signature, an account could list someone else's device as its own. Linking creates a certificate (see
/// [`link`](super::link)). A device whose terms change creates a new one with [`DeviceCertificate::sign`].
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
/// use bisik::device::{AccountKey, Custody, DeviceCertificate, DeviceTerms};
///
/// let (phone, server) = (Identity::generate(rng), Identity::generate(rng));
/// let terms = DeviceTerms::own_held(Custody::SelfHosted)?.automated();
/// let certificate = DeviceCertificate::sign(&server, &AccountKey::of(&phone), 1, terms);
/// assert_eq!(DeviceCertificate::from_bytes(&certificate.to_bytes())?, certificate);
/// assert_eq!(certificate.to_string().parse(), Ok(certificate)); // Base64, for JSON
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceCertificate {
    entry: DeviceEntry,
    possession: [u8; SIGNATURE],
}

bisik_core::base64_text! {
    DeviceCertificate: at most DeviceCertificate::LENGTH, or DeviceListError = DeviceListError::Malformed;
    from |bytes| DeviceCertificate::from_bytes(bytes);
    to |certificate| certificate.to_bytes();
}

impl DeviceCertificate {
    /// Bytes in a certificate.
    pub const LENGTH: usize = DeviceEntry::LENGTH + SIGNATURE;

    /// Signs, as `device`, that it takes part in `account` with this index and these terms.
    ///
    /// A device signs only for the account that it joins: in linking, after the commitments, and later when its terms
    /// change. Requirement P-10.2.
    #[must_use]
    pub fn sign(device: &Identity, account: &AccountKey, index: u32, terms: DeviceTerms) -> Self {
        let entry = DeviceEntry { index, identity: *device.public(), terms };
        let possession = device.sign_labelled(labels::DEVICE_POSSESSION, &statement(&entry, account));
        Self { entry, possession }
    }

    /// Joins the fields that linking has fixed with the signature that was received.
    pub(crate) const fn join(
        index: u32,
        identity: IdentityKey,
        terms: DeviceTerms,
        possession: [u8; SIGNATURE],
    ) -> Self {
        Self { entry: DeviceEntry { index, identity, terms }, possession }
    }

    /// Reads a certificate without verifying it. [`Primary::add`](super::Primary::add) and
    /// [`DeviceDirectory::accept`](super::DeviceDirectory::accept) verify it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::Malformed`] if the bytes do not encode a certificate.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceListError> {
        let mut reader = Reader::new(bytes);
        let certificate = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(certificate)
    }

    /// Returns `u32(index) ‖ identity key ‖ terms ‖ signature`, 166 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        self.write(&mut writer);
        writer.finish()
    }

    /// Returns the entry that it certifies.
    #[must_use]
    pub const fn entry(&self) -> &DeviceEntry {
        &self.entry
    }

    pub(crate) const fn possession(&self) -> &[u8; SIGNATURE] {
        &self.possession
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let Self { entry, possession } = self;
        entry.write(writer);
        writer.bytes(possession);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { entry: DeviceEntry::read(reader)?, possession: *reader.array()? })
    }

    /// Verifies that the device agreed to be in this account, and that both halves of its identity key are usable.
    /// Requirement P-10.4.
    pub(crate) fn verify(&self, account: &AccountKey) -> Result<(), DeviceListError> {
        super::verified::count(1);
        if self.unverified(account)?.verify() { Ok(()) } else { Err(DeviceListError::BadPossession) }
    }

    /// Does everything that [`verify`](Self::verify) does, except that the signature is yet to be verified.
    pub(crate) fn unverified(&self, account: &AccountKey) -> Result<Unverified, DeviceListError> {
        let Self { entry, possession } = self;
        let key = entry.identity.checked_signing().map_err(|_| DeviceListError::Malformed)?;
        let text = [labels::DEVICE_POSSESSION, &entry.identity.to_bytes(), &statement(entry, account)];
        key.unverified(&text, possession).ok_or(DeviceListError::BadPossession)
    }
}

impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, possession: _ } = self;
        f.debug_struct("DeviceCertificate").field("entry", entry).finish_non_exhaustive()
    }
}

/// Returns the signed text `account key ‖ u32(index) ‖ terms`. The device's own key precedes every text that it signs.
fn statement(entry: &DeviceEntry, account: &AccountKey) -> Vec<u8> {
    let DeviceEntry { index, identity: _, terms } = entry;
    let mut writer = Writer::with_capacity(AccountKey::LENGTH + 4 + DeviceTerms::LENGTH);
    writer.bytes(&account.to_bytes()).u32(*index);
    terms.write(&mut writer);
    writer.finish()
}
