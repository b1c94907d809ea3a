//! [`Primary`]: the primary device's side: the list that it issued last, and the changes that it may make.
//!
//! Holds no secrets: every method that signs takes the identity as an argument.

use alloc::vec::Vec;
use core::fmt;

use super::list::{CLOCK_SKEW, Content, LIFETIME, MOST_DEVICES};
use super::recent::Recent;
use super::{AccountKey, DeviceCertificate, DeviceDirectory, DeviceEntry, DeviceList, DeviceTerms, PrimaryError};
use crate::keys::{Identity, IdentityKey};
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::time::Timestamp;

/// The last list that the primary device issued. Every change issues the next one
/// ([section 10.3](crate::manual::spec::accounts#103-device-list)).
///
/// Store a new list before you publish it. Otherwise a crash could make the device sign two different lists with one
/// number. On error a method leaves the state unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody, DeviceCertificate, Primary, DeviceTerms};
/// use bisik::{Identity, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (phone, server) = (Identity::generate(rng), Identity::generate(rng));
/// let mut primary = Primary::new(&phone, DeviceTerms::own_held(Custody::Business)?, now);
/// let terms = DeviceTerms::own_held(Custody::SelfHosted)?;
/// let certificate = DeviceCertificate::sign(&server, &AccountKey::of(&phone), primary.next_index(), terms);
/// primary.add(&phone, certificate, now)?;
/// assert_eq!(primary.directory().devices().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Primary {
    pub(super) list: DeviceList,
    /// The last lists that this device signed.
    pub(super) signed: Recent,
    /// The last lists of the account that this device was shown and did not sign.
    pub(super) foreign: Recent,
    /// Whether one of those is as new as `list`, or newer.
    pub(super) behind: bool,
    /// The keys of devices that were listed as hosted, oldest first.
    pub(super) hosted: Vec<IdentityKey>,
}

/// A change to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// Adds a device at the next index.
    Add(DeviceCertificate),
    /// Removes the device with this index.
    Remove(u32),
    /// Changes the terms of a device that stays.
    Update(DeviceCertificate),
}

impl Primary {
    /// Creates an account with `identity` as its primary and only device, and issues its first list.
    #[must_use]
    pub fn new(identity: &Identity, terms: DeviceTerms, now: Timestamp) -> Self {
        let account = AccountKey::of(identity);
        let content = Content {
            account,
            sequence: 1,
            previous: [0; 32],
            issued: issued(now),
            expires: issued(now).plus_seconds(LIFETIME),
            certificates: [DeviceCertificate::sign(identity, &account, DeviceEntry::PRIMARY, terms)].into(),
            next_index: DeviceEntry::PRIMARY + 1,
        };
        Self::of(DeviceList::sign(content, identity))
    }

    /// The state of a primary that has signed `list` and nothing else.
    pub(super) fn of(list: DeviceList) -> Self {
        let mut primary =
            Self { list, signed: Recent::default(), foreign: Recent::default(), behind: false, hosted: Vec::new() };
        primary.note();
        primary
    }

    /// Remembers the list that was signed just now, and the keys in it that somebody else holds.
    pub(super) fn note(&mut self) {
        let Self { list, signed, hosted, .. } = self;
        signed.remember(list.id());
        let others = list.entries().filter(|entry| !entry.custody().is_own_held()).map(DeviceEntry::identity);
        for key in others {
            if !hosted.contains(key) {
                if hosted.len() >= MOST_HOSTED {
                    hosted.remove(0);
                }
                hosted.push(*key);
            }
        }
    }

    /// Returns the list that was issued last, for the server and for the account's own devices.
    #[must_use]
    pub const fn list(&self) -> &DeviceList {
        &self.list
    }

    /// Returns the account's key.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        self.list.account()
    }

    /// Returns the account's devices, as others will see them.
    #[must_use]
    pub fn directory(&self) -> DeviceDirectory {
        DeviceDirectory::of(&self.list)
    }

    /// Returns the index that the next device gets.
    #[must_use]
    pub const fn next_index(&self) -> u32 {
        self.list.content.next_index
    }

    /// Returns whether a list must be issued although nothing changed: after 7 days, or if the last one is dated more
    /// than a day ahead. Requirement P-10.8.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> bool {
        let issued = self.list.issued();
        now >= issued.plus_seconds(REISSUE) || issued > now.plus_seconds(CLOCK_SKEW)
    }

    /// Issues a list with one more device. The certificate comes from linking, or from a device that the caller knows
    /// otherwise: the caller vouches for it.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]
    pub fn add(
        &mut self,
        identity: &Identity,
        certificate: DeviceCertificate,
        now: Timestamp,
    ) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[DeviceChange::Add(certificate)], now)
    }

    /// Issues a list without the device `index`. The index is never reused.
    ///
    /// # Errors
    ///
    /// [`PrimaryError::UnknownDevice`], [`PrimaryError::IsPrimary`].
    pub fn remove(&mut self, identity: &Identity, index: u32, now: Timestamp) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[DeviceChange::Remove(index)], now)
    }

    /// Issues a list with the same devices and new dates.
    ///
    /// # Errors
    ///
    /// [`PrimaryError::WrongIdentity`] if the identity is not the account's.
    pub fn reissue(&mut self, identity: &Identity, now: Timestamp) -> Result<&DeviceList, PrimaryError> {
        self.issue(identity, &[], now)
    }

    /// Issues one list with all of `changes`, in this order, or none of them.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]
    pub fn issue(
        &mut self,
        identity: &Identity,
        changes: &[DeviceChange],
        now: Timestamp,
    ) -> Result<&DeviceList, PrimaryError> {
        if AccountKey::of(identity) != *self.account() {
            return Err(PrimaryError::WrongIdentity);
        }
        if self.behind {
            return Err(PrimaryError::RecoverFirst);
        }
        changes.iter().try_for_each(|change| self.check_keys(change))?;
        let mut content = self.list.content.clone();
        let next = content.sequence.checked_add(1).filter(|next| *next < DeviceList::SEQUENCES);
        content.sequence = next.ok_or(PrimaryError::Exhausted)?;
        content.previous = self.list.hash();
        content.issued = issued(now);
        content.expires = issued(now).plus_seconds(LIFETIME);
        changes.iter().try_for_each(|change| content.apply(change))?;
        self.list = DeviceList::sign(content, identity);
        self.note();
        Ok(&self.list)
    }

    /// Checks that no key that a third party holds, or has held, is listed as the owner's. One half of a key is enough.
    /// Requirement P-10.24.
    fn check_keys(&self, change: &DeviceChange) -> Result<(), PrimaryError> {
        let (DeviceChange::Add(certificate) | DeviceChange::Update(certificate)) = change else { return Ok(()) };
        let entry = certificate.entry();
        let (signing, agreement) = (entry.identity().signing(), entry.identity().agreement());
        let known = |key: &IdentityKey| key.signing() == signing || key.agreement() == agreement;
        if entry.custody().is_own_held() && self.hosted.iter().any(known) {
            return Err(PrimaryError::WasHosted);
        }
        Ok(())
    }

    /// Returns whether this device must [recover](Self::recover) before it can issue anything.
    #[must_use]
    pub const fn must_recover(&self) -> bool {
        self.behind
    }

    /// Encodes the state as a part of a record ([section 10.6](crate::manual::formats#106-directories-and-primaries)).
    pub(crate) fn encode(&self, writer: &mut Writer) {
        let Self { list, signed, foreign, behind, hosted } = self;
        writer.bytes(&list.to_bytes());
        signed.encode(writer);
        foreign.encode(writer);
        writer.u8(u8::from(*behind)).count(hosted.len());
        for key in hosted {
            writer.bytes(&key.to_bytes());
        }
    }

    /// Decodes what [`encode`](Self::encode) wrote, from an authenticated record.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let list = DeviceList::read(reader)?;
        let (signed, foreign) = (Recent::decode(reader)?, Recent::decode(reader)?);
        let behind = reader.flag()?;
        let key =
            |reader: &mut Reader<'_>| IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed);
        let count = reader.count(MOST_HOSTED)?;
        let hosted = (0..count).map(|_| key(reader)).collect::<Result<_, _>>()?;
        Ok(Self { list, signed, foreign, behind, hosted })
    }
}

impl Content {
    fn apply(&mut self, change: &DeviceChange) -> Result<(), PrimaryError> {
        match change {
            DeviceChange::Add(certificate) => self.add(certificate),
            DeviceChange::Remove(DeviceEntry::PRIMARY) => Err(PrimaryError::IsPrimary),
            DeviceChange::Remove(index) => {
                let position = self.position(*index).ok_or(PrimaryError::UnknownDevice)?;
                self.certificates.remove(position);
                Ok(())
            }
            DeviceChange::Update(certificate) => self.update(certificate),
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
        let Self { list, signed: _, foreign: _, behind, hosted: _ } = self;
        f.debug_struct("Primary").field("list", list).field("must_recover", behind).finish_non_exhaustive()
    }
}

/// Keys of hosted devices that are remembered: as many as a list holds.
const MOST_HOSTED: usize = MOST_DEVICES;

/// Returns the time of issue, lowered if it is so close to the end of time that a lifetime would not fit after it.
pub(super) fn issued(now: Timestamp) -> Timestamp {
    now.min(Timestamp::from_unix_seconds(u64::MAX - LIFETIME))
}

/// Seconds after which a list is issued again: a week, so that three renewals may be missed.
const REISSUE: u64 = 7 * 24 * 60 * 60;
