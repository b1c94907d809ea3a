//! [`Primary`]: the primary device's side: what it issued last, and what it may issue next.
//!
//! Does not know the account's secret: the identity is an argument of everything that signs.

use core::fmt;

use super::list::{CLOCK_SKEW, Content, LIFETIME, MOST_DEVICES};
use super::{
    AccountKey, DeviceCertificate, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, PrimaryError, Terms,
};
use crate::codec::{Malformed, Reader, Writer};
use crate::keys::Identity;
use crate::time::Timestamp;

/// The list that the primary device issued last. Every change issues the next one; store it before it is published, as with
/// everything that must not be said twice differently (docs/spec/accounts.md, section 10.3).
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody, DeviceCertificate, Primary, Terms};
/// use bisik::{Identity, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (phone, server) = (Identity::generate(rng), Identity::generate(rng));
/// let mut primary = Primary::new(&phone, Terms::own_held(Custody::Business)?, now);
/// let terms = Terms::own_held(Custody::SelfHosted)?;
/// let certificate = DeviceCertificate::sign(&server, &AccountKey::of(&phone), primary.next_index(), terms);
/// primary.add(&phone, certificate, now)?;
/// assert_eq!(primary.directory().devices().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Primary {
    list: DeviceList,
}

/// One change of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A device joins, at the next index.
    Add(DeviceCertificate),
    /// The device with this index leaves.
    Remove(u32),
    /// A device that stays takes other terms.
    Update(DeviceCertificate),
}

impl Primary {
    /// A new account, of which `identity` is the primary and only device; its first list is issued.
    #[must_use]
    pub fn new(identity: &Identity, terms: Terms, now: Timestamp) -> Self {
        let account = AccountKey::of(identity);
        let content = Content {
            account,
            sequence: 1,
            previous: [0; 32],
            issued: issued(now),
            expires: issued(now).plus_seconds(LIFETIME),
            certificates: [DeviceCertificate::sign(identity, &account, DeviceEntry::PRIMARY, terms)].into(),
            next_index: DeviceEntry::PRIMARY.saturating_add(1),
        };
        Self { list: DeviceList::sign(content, identity) }
    }

    /// The list that was issued last, for the server and for the account's own devices.
    #[must_use]
    pub const fn list(&self) -> &DeviceList {
        &self.list
    }

    /// Whose primary device this is.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        self.list.account()
    }

    /// The account's own devices, as the others will see them.
    #[must_use]
    pub fn directory(&self) -> DeviceDirectory {
        DeviceDirectory::of(&self.list)
    }

    /// The index that the next device gets.
    #[must_use]
    pub const fn next_index(&self) -> u32 {
        self.list.content.next_index
    }

    /// P-10.8. Whether a list has to be issued although nothing changed: after 7 days, or when the last one is dated
    /// more
    /// than a day ahead.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> bool {
        let issued = self.list.issued();
        now >= issued.plus_seconds(REISSUE) || issued > now.plus_seconds(CLOCK_SKEW)
    }

    /// Issues a list with one more device. The certificate comes from linking, or from a device that the caller knows
    /// without: whoever calls this vouches for it.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]; nothing has changed then.
    pub fn add(
        &mut self,
        identity: &Identity,
        certificate: DeviceCertificate,
        now: Timestamp,
    ) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[Change::Add(certificate)], now)
    }

    /// Issues a list without the device `index`, which never comes back.
    ///
    /// # Errors
    ///
    /// [`PrimaryError::UnknownDevice`], [`PrimaryError::IsPrimary`]; nothing has changed then.
    pub fn remove(&mut self, identity: &Identity, index: u32, now: Timestamp) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[Change::Remove(index)], now)
    }

    /// Issues a list with the same devices and new dates.
    ///
    /// # Errors
    ///
    /// [`PrimaryError::OtherIdentity`] where the identity is not the account's.
    pub fn reissue(&mut self, identity: &Identity, now: Timestamp) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[], now)
    }

    /// Issues one list with all of `changes`, in their order, or none of them.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]; nothing has changed then.
    pub fn issue(
        &mut self,
        identity: &Identity,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<&DeviceList, PrimaryError> {
        if AccountKey::of(identity) != *self.account() {
            return Err(PrimaryError::OtherIdentity);
        }
        let mut content = self.list.content.clone();
        content.sequence = content.sequence.checked_add(1).ok_or(PrimaryError::Exhausted)?;
        content.previous = self.list.hash();
        content.issued = issued(now);
        content.expires = issued(now).plus_seconds(LIFETIME);
        changes.iter().try_for_each(|change| content.apply(change))?;
        self.list = DeviceList::sign(content, identity);
        Ok(&self.list)
    }

    /// Goes on from a later list of its own: for a primary device that was restored from a backup, before it issues
    /// anything. A list that it issues from older state forks the account.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`] where it is not this account's, badly signed, older, or another one with the same number.
    pub fn recover(&mut self, list: &DeviceList) -> Result<(), DeviceListError> {
        if list.account() != self.account() {
            return Err(DeviceListError::OtherAccount);
        }
        list.verify_signature()?;
        list.verify_possession()?;
        match list.sequence().checked_sub(self.list.sequence()) {
            None => Err(DeviceListError::RolledBack),
            Some(0) if *list != self.list => Err(DeviceListError::Forked),
            Some(_) => {
                self.list = list.clone();
                Ok(())
            }
        }
    }

    /// As a part of a record (docs/formats.md, section 10.6): the list.
    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.bytes(&self.list.to_bytes());
    }

    /// Reads what [`encode`](Self::encode) wrote, from a record that was authenticated.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { list: DeviceList::read(reader)? })
    }
}

impl Content {
    fn apply(&mut self, change: &Change) -> Result<(), PrimaryError> {
        match change {
            Change::Add(certificate) => self.add(certificate),
            Change::Remove(DeviceEntry::PRIMARY) => Err(PrimaryError::IsPrimary),
            Change::Remove(index) => {
                let position = self.position(*index).ok_or(PrimaryError::UnknownDevice)?;
                self.certificates.remove(position);
                Ok(())
            }
            Change::Update(certificate) => self.update(certificate),
        }
    }

    fn add(&mut self, certificate: &DeviceCertificate) -> Result<(), PrimaryError> {
        let entry = certificate.entry();
        if entry.index() != self.next_index {
            return Err(PrimaryError::OtherIndex);
        }
        if self.certificates.iter().any(|listed| listed.entry().identity() == entry.identity()) {
            return Err(PrimaryError::AlreadyListed);
        }
        if self.certificates.len() >= MOST_DEVICES {
            return Err(PrimaryError::Full);
        }
        certificate.verify(&self.account).map_err(|_| PrimaryError::BadPossession)?;
        self.next_index = self.next_index.checked_add(1).ok_or(PrimaryError::Exhausted)?;
        self.certificates.push(*certificate);
        Ok(())
    }

    fn update(&mut self, certificate: &DeviceCertificate) -> Result<(), PrimaryError> {
        let entry = certificate.entry();
        let position = self.position(entry.index()).ok_or(PrimaryError::UnknownDevice)?;
        let listed = self.certificates.get_mut(position).ok_or(PrimaryError::UnknownDevice)?;
        if listed.entry().identity() != entry.identity() {
            return Err(PrimaryError::UnknownDevice);
        }
        certificate.verify(&self.account).map_err(|_| PrimaryError::BadPossession)?;
        *listed = *certificate;
        Ok(())
    }

    fn position(&self, index: u32) -> Option<usize> {
        self.certificates.binary_search_by_key(&index, |listed| listed.entry().index()).ok()
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list } = self;
        f.debug_struct("Primary").field("list", list).finish()
    }
}

/// A clock at the end of time leaves room for a list's lifetime.
fn issued(now: Timestamp) -> Timestamp {
    now.min(Timestamp::from_unix_seconds(u64::MAX - LIFETIME))
}

/// After how many seconds a list is issued again: a week, so that three may be missed.
const REISSUE: u64 = 7 * 24 * 60 * 60;
