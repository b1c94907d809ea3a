//! [`DeviceEntry`]: one device of an account; [`DeviceCertificate`]: the same with the device's own signature.
//!
//! Does not know lists: who may be in one is decided in `list.rs` and `directory.rs`.

use alloc::vec::Vec;
use core::fmt;

use super::{AccountKey, Custody, DeviceListError, Terms};
use crate::codec::{Malformed, Reader, Writer};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use crate::primitives::ed25519::SIGNATURE;

/// One device of an account: its index, its identity, and the terms under which it takes part (docs/spec/accounts.md,
/// section 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceEntry {
    index: u32,
    identity: IdentityKey,
    terms: Terms,
}

impl DeviceEntry {
    /// Bytes of an entry.
    pub(crate) const LENGTH: usize = 4 + IdentityKey::LENGTH + Terms::LENGTH;
    /// The index of an account's primary device.
    pub const PRIMARY: u32 = 0;

    /// The device's number in its account. 0 is the primary device; no number is given twice.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Whether this is the account's primary device, which signs the list.
    #[must_use]
    pub const fn is_primary(&self) -> bool {
        self.index == Self::PRIMARY
    }

    /// Who the device is: what sessions with it are pinned to.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// In whose hands its keys are.
    #[must_use]
    pub const fn custody(&self) -> Custody {
        self.terms.custody()
    }

    /// Custody, automation and disclosure.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// `u32(index) ‖ identity key ‖ terms`.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let Self { index, identity, terms } = self;
        writer.u32(*index).bytes(&identity.to_bytes());
        terms.write(writer);
    }

    /// Without decompressing the identity's points: [`DeviceCertificate::verify`] does that, once the account has signed.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let index = reader.u32()?;
        let identity = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        Ok(Self { index, identity, terms: Terms::read(reader)? })
    }
}

/// An entry with the device's own signature: the device takes part in this account, at this index, under these terms.
/// Without it an account could list somebody else's device as its own. 166 bytes.
///
/// Linking makes one (see [`link`](super::link)). A device whose terms change makes another, with [`DeviceCertificate::sign`].
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
/// use bisik::device::{AccountKey, Custody, DeviceCertificate, Terms};
///
/// let (phone, server) = (Identity::generate(rng), Identity::generate(rng));
/// let terms = Terms::own_held(Custody::SelfHosted)?.automated();
/// let certificate = DeviceCertificate::sign(&server, &AccountKey::of(&phone), 1, terms);
/// assert_eq!(DeviceCertificate::from_bytes(&certificate.to_bytes())?, certificate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceCertificate {
    entry: DeviceEntry,
    possession: [u8; SIGNATURE],
}

impl DeviceCertificate {
    /// Bytes of a certificate.
    pub const LENGTH: usize = DeviceEntry::LENGTH + SIGNATURE;

    /// What a device says of itself: that it takes part in `account`, as number `index`, under `terms`.
    ///
    /// P-10.2. A device says so only to the account that it joins: in linking, after the commitments; later, when its terms
    /// change.
    #[must_use]
    pub fn sign(device: &Identity, account: &AccountKey, index: u32, terms: Terms) -> Self {
        let entry = DeviceEntry { index, identity: *device.public(), terms };
        let possession = device.sign_labelled(labels::DEVICE_POSSESSION, &statement(&entry, account));
        Self { entry, possession }
    }

    /// Puts a certificate together again from what linking has fixed and the signature that came.
    pub(crate) const fn join(index: u32, identity: IdentityKey, terms: Terms, possession: [u8; SIGNATURE]) -> Self {
        Self { entry: DeviceEntry { index, identity, terms }, possession }
    }

    /// Reads a certificate, without trusting it: [`Primary::add`](super::Primary::add) and
    /// [`DeviceDirectory::accept`](super::DeviceDirectory::accept) verify.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::Malformed`] where it is not an encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceListError> {
        let mut reader = Reader::new(bytes);
        let certificate = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(certificate)
    }

    /// `u32(index) ‖ identity key ‖ terms ‖ signature`, 166 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        self.write(&mut writer);
        writer.finish()
    }

    /// What it certifies.
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

    /// P-10.4. The device itself has said that it is in this account, and both halves of its identity can be used.
    pub(crate) fn verify(&self, account: &AccountKey) -> Result<(), DeviceListError> {
        let Self { entry, possession } = self;
        IdentityKey::from_bytes(&entry.identity.to_bytes()).map_err(|_| DeviceListError::Malformed)?;
        let statement = statement(entry, account);
        if entry.identity.verify_labelled(labels::DEVICE_POSSESSION, &statement, possession) {
            Ok(())
        } else {
            Err(DeviceListError::BadPossession)
        }
    }
}

impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, possession: _ } = self;
        f.debug_struct("DeviceCertificate").field("entry", entry).finish_non_exhaustive()
    }
}

/// `account key ‖ u32(index) ‖ terms`; the device's own key is in every signed text.
fn statement(entry: &DeviceEntry, account: &AccountKey) -> Vec<u8> {
    let DeviceEntry { index, identity: _, terms } = entry;
    let mut writer = Writer::with_capacity(AccountKey::LENGTH + 4 + Terms::LENGTH);
    writer.bytes(&account.to_bytes()).u32(*index);
    terms.write(&mut writer);
    writer.finish()
}
