//! [`DeviceDirectory`]: the known devices of an account, and the rules for lists that may change them.
//!
//! Lists may come from an untrusted server. A server that hides, repeats or mixes lists cannot make a directory accept
//! a wrong one.

use alloc::vec::Vec;
use core::{fmt, slice};

use super::list::MOST_DEVICES;
use super::recent::Recent;
use super::{AccountKey, DeviceEntry, DeviceList, DeviceListError, DirectoryChange, ListId};
use crate::keys::{IdentityKey, Trust};
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::time::Timestamp;

/// The devices of one account, as of the newest list that was accepted.
///
/// A directory follows the account's chain of lists only forwards: it refuses older lists and other branches. Where
/// lists are missing it goes on, and says so ([section 10.4](crate::manual::spec::accounts#104-following-an-account)).
/// On error a directory is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody, DeviceDirectory, DeviceListError, Primary, DeviceTerms};
/// use bisik::{Identity, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let phone = Identity::generate(rng);
/// let mut primary = Primary::new(&phone, DeviceTerms::own_held(Custody::Person)?, now);
/// let first = primary.list().clone();
///
/// // A peer that knows the account key pins it:
/// let mut directory = DeviceDirectory::trust(&first, Trust::Pinned(phone.public()), now)?;
/// primary.reissue(&phone, now)?;
/// directory.accept(primary.list(), now)?;
/// assert_eq!(directory.accept(&first, now), Err(DeviceListError::RolledBack));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceDirectory {
    account: AccountKey,
    sequence: u64,
    hash: [u8; 32],
    expires: Timestamp,
    next_index: u32,
    devices: Vec<DeviceEntry>,
    /// The lists that were accepted before this one.
    recent: Recent,
}

impl DeviceDirectory {
    /// Starts a directory from the first list of an account that this device sees, whatever its sequence number.
    ///
    /// A server may hand out an older list than the newest, as long as it has not expired: nothing is known yet that
    /// would contradict it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] if `trust` pins an identity other than the account's; `BadSignature`,
    /// `BadPossession`, `NotYetValid`, `Expired`.
    pub fn trust(list: &DeviceList, trust: Trust<'_>, now: Timestamp) -> Result<Self, DeviceListError> {
        if !trust.allows(list.account().identity()) {
            return Err(DeviceListError::OtherAccount);
        }
        list.verify_signature()?;
        list.check_dates(now)?;
        list.verify_possession(|_| false)?;
        Ok(Self::of(list))
    }

    /// Accepts a newer list of the account. The list that the directory already knows changes nothing.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]
    pub fn accept(&mut self, list: &DeviceList, now: Timestamp) -> Result<DirectoryChange, DeviceListError> {
        self.catch_up(slice::from_ref(list), now)
    }

    /// Accepts several lists, oldest first: all of them or none. Use it after missing some.
    ///
    /// Only the newest must be within its dates, and only it decides about devices. Lists between are not needed: where
    /// some are missing the directory goes on, and [`DirectoryChange::skipped`] says which. A list of another history is
    /// passed over if it is not the newest ([`DirectoryChange::forked`]). Requirements P-10.21 and P-10.22.
    ///
    /// Verifies one signature for each list that is not known, and one for each device of the newest whose entry
    /// differs from the known one.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`] of the newest list, or of the first list that is of another account, badly signed or rolled
    /// back.
    pub fn catch_up(&mut self, lists: &[DeviceList], now: Timestamp) -> Result<DirectoryChange, DeviceListError> {
        let Some((newest, older)) = lists.split_last() else { return Ok(DirectoryChange::default()) };
        let mut next = self.clone();
        let (mut skipped, mut forked) = (None, None);
        for list in older {
            match next.continues(list) {
                Ok(step) => next.advance(list, step, &mut skipped),
                Err(DeviceListError::Forked | DeviceListError::IndexReused) => forked = Some(list.sequence()),
                Err(error) => return Err(error),
            }
        }
        let step = next.continues(newest)?;
        // The lists between are not believed about indices: they were verified no further than their signature.
        self.keeps_indices(newest)?;
        newest.check_dates(now)?;
        if step != Step::Same || next.sequence != self.sequence {
            newest.verify_possession(|entry| self.at(entry.index()) == Some(entry))?;
        }
        next.advance(newest, step, &mut skipped);
        let change = DirectoryChange { skipped, forked, ..DirectoryChange::between(self, &next) };
        *self = next;
        Ok(change)
    }

    /// Checks that `list` is signed by the account, and is the known list or a later one of its history, as far as it is
    /// known. Requirements P-10.1, P-10.9 and P-10.21.
    fn continues(&self, list: &DeviceList) -> Result<Step, DeviceListError> {
        if *list.account() != self.account {
            return Err(DeviceListError::OtherAccount);
        }
        let id = list.id();
        if id == self.id() {
            // Its signature is in the hash.
            return Ok(Step::Same);
        }
        list.verify_signature()?;
        let step = match list.sequence().checked_sub(self.sequence) {
            None if self.recent.contradicts(&id) => return Err(DeviceListError::Forked),
            None => return Err(DeviceListError::RolledBack),
            Some(0) => return Err(DeviceListError::Forked),
            Some(1) if list.content.previous != self.hash => return Err(DeviceListError::Forked),
            Some(1) => Step::Next,
            Some(2..) => Step::Over,
        };
        self.keeps_indices(list)?;
        Ok(step)
    }

    /// Checks that no index is reused: it belongs to the device it was assigned to, or to none. Requirement P-10.10.
    fn keeps_indices(&self, list: &DeviceList) -> Result<(), DeviceListError> {
        let known = |entry: &DeviceEntry| {
            entry.index() >= self.next_index
                || self.at(entry.index()).is_some_and(|known| known.identity() == entry.identity())
        };
        if list.content.next_index >= self.next_index && list.entries().all(known) {
            Ok(())
        } else {
            Err(DeviceListError::IndexReused)
        }
    }

    /// Becomes the directory of `list`, and notes the lists that are missing before it.
    fn advance(&mut self, list: &DeviceList, step: Step, skipped: &mut Option<(u64, u64)>) {
        match step {
            Step::Same => return,
            Step::Next => {}
            Step::Over => {
                // The list is two or more after the known one, so that neither sum overflows.
                let (first, last) = (self.sequence.saturating_add(1), list.sequence().saturating_sub(1));
                *skipped = Some((skipped.map_or(first, |(first, _)| first), last));
            }
        }
        let mut recent = core::mem::take(&mut self.recent);
        recent.remember(self.id());
        *self = Self { recent, ..Self::of(list) };
    }

    /// Returns the directory of a list, which the caller has verified or signed.
    pub(super) fn of(list: &DeviceList) -> Self {
        Self {
            account: list.content.account,
            sequence: list.content.sequence,
            hash: list.hash(),
            expires: list.content.expires,
            next_index: list.content.next_index,
            devices: list.entries().copied().collect(),
            recent: Recent::default(),
        }
    }

    /// Returns the account's key.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Returns the sequence number of the newest accepted list.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the number and the hash of that list.
    #[must_use]
    pub fn id(&self) -> ListId {
        ListId::new(self.sequence, &self.hash)
    }

    /// Returns the hash of that list. Two devices with the same hash see the same devices.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Returns when that list expires.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Returns whether that list has expired. If so, fetch a newer one before sending anything.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// Returns the devices, ascending by index, the primary device first. At most 64.
    #[must_use]
    pub fn devices(&self) -> &[DeviceEntry] {
        &self.devices
    }

    /// Returns the device with this index.
    #[must_use]
    pub fn at(&self, index: u32) -> Option<&DeviceEntry> {
        let found = self.devices.binary_search_by_key(&index, DeviceEntry::index);
        found.ok().and_then(|position| self.devices.get(position))
    }

    /// Returns the device with this identity.
    #[must_use]
    pub fn find(&self, identity: &IdentityKey) -> Option<&DeviceEntry> {
        self.devices.iter().find(|entry| entry.identity() == identity)
    }

    /// Encodes the directory as a part of a record
    /// ([section 10.6](crate::manual::formats#106-directories-and-primaries)).
    pub(crate) fn encode(&self, writer: &mut Writer) {
        let Self { account, sequence, hash, expires, next_index, devices, recent } = self;
        writer.bytes(&account.to_bytes()).u64(*sequence).bytes(hash).u64(expires.as_unix_seconds());
        writer.u32(*next_index).count(devices.len());
        devices.iter().for_each(|entry| entry.write(writer));
        recent.encode(writer);
    }

    /// Decodes what [`encode`](Self::encode) wrote, from an authenticated record.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let primary = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let account = AccountKey::from_identity(primary);
        let (sequence, hash) = (reader.u64()?, *reader.array()?);
        let expires = Timestamp::from_unix_seconds(reader.u64()?);
        let next_index = reader.u32()?;
        let count = reader.count(MOST_DEVICES)?;
        let devices = (0..count).map(|_| DeviceEntry::read(reader)).collect::<Result<Vec<_>, _>>()?;
        let recent = Recent::decode(reader)?;
        let directory = Self { account, sequence, hash, expires, next_index, devices, recent };
        if directory.is_consistent() { Ok(directory) } else { Err(Malformed) }
    }

    /// Returns whether an accepted list could have left these fields. Requirement P-10.20.
    fn is_consistent(&self) -> bool {
        let Self { account, sequence, hash: _, expires: _, next_index, devices, recent: _ } = self;
        *sequence != 0
            && devices.first().is_some_and(|entry| entry.is_primary() && entry.identity() == account.identity())
            && devices.is_sorted_by(|a, b| a.index() < b.index())
            && devices.last().is_some_and(|entry| entry.index() < *next_index)
    }
}

impl fmt::Debug for DeviceDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, sequence, hash: _, expires, next_index: _, devices, recent: _ } = self;
        f.debug_struct("DeviceDirectory")
            .field("account", account)
            .field("sequence", sequence)
            .field("expires", expires)
            .field("devices", devices)
            .finish_non_exhaustive()
    }
}

/// The position of an acceptable list relative to the known one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Same,
    Next,
    /// Lists before it are missing.
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::verified::counted;
    use crate::device::{Custody, DeviceCertificate, DeviceChange, DeviceTerms, Primary};
    use crate::keys::Identity;
    use core::convert::Infallible;
    use rand_core::{TryCryptoRng, TryRng};

    struct Constant(u8);

    impl TryRng for Constant {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from(self.0))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.0))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Constant {}

    fn primary() -> Primary {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let [phone, laptop] = [1, 2].map(|number| Identity::generate(&mut Constant(number)));
        let own = DeviceTerms::own_held(Custody::Person).unwrap();
        let mut primary = Primary::new(&phone, own, now);
        let joining = DeviceCertificate::sign(&laptop, primary.account(), 1, own);
        primary.add(&phone, joining, now).unwrap();
        primary
    }

    fn encoded(directory: &DeviceDirectory) -> Vec<u8> {
        let mut writer = Writer::with_capacity(0);
        directory.encode(&mut writer);
        writer.finish()
    }

    fn decoded(bytes: &[u8]) -> Result<DeviceDirectory, Malformed> {
        let mut reader = Reader::new(bytes);
        let directory = DeviceDirectory::decode(&mut reader)?;
        reader.finish()?;
        Ok(directory)
    }

    /// P-10.20.
    #[test]
    fn a_directory_has_one_encoding_and_no_other_is_read() {
        let bytes = encoded(&primary().directory());
        assert_eq!(bytes.len(), 124 + 2 * DeviceEntry::LENGTH);
        assert_eq!(decoded(&bytes).unwrap(), primary().directory());
        for length in 0..bytes.len() {
            assert_eq!(decoded(&bytes[..length]), Err(Malformed), "{length}");
        }
        assert_eq!(decoded(&[bytes.as_slice(), &[0]].concat()), Err(Malformed));
        let with = |at: usize, value: &[u8]| {
            let mut changed = bytes.clone();
            changed[at..at + value.len()].copy_from_slice(value);
            decoded(&changed).map(drop)
        };
        let (sequence, next_index, count, first, second) = (64, 112, 116, 120, 222);
        assert_eq!(with(sequence, &[0; 8]), Err(Malformed));
        assert_eq!(with(next_index, &[0, 0, 0, 1]), Err(Malformed), "not above the last index");
        assert_eq!(with(first, &[0, 0, 0, 1]), Err(Malformed), "no primary");
        assert_eq!(with(first + 4, &[9]), Err(Malformed), "another primary");
        assert_eq!(with(second, &[0; 4]), Err(Malformed), "not ascending");
        assert_eq!(with(second + 68, &[4]), Err(Malformed), "custody without a disclosure");
        assert_eq!(with(count, &[0, 0, 0, 65]), Err(Malformed));
        assert_eq!(with(bytes.len() - 1, &[9]), Err(Malformed), "more than eight lists");
        for at in 0..bytes.len() {
            if let Ok(directory) = decoded(&{
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                changed
            }) {
                assert_ne!(encoded(&directory), bytes, "{at}");
            }
        }
    }

    /// P-10.23. A year of lists of a full account: each list's signature once, and each new device once.
    #[test]
    fn three_hundred_lists_cost_one_verification_each_and_one_for_each_new_device() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let phone = Identity::generate(&mut Constant(1));
        let own = DeviceTerms::own_held(Custody::Person).unwrap();
        let mut primary = Primary::new(&phone, own, now);
        let account = *primary.account();
        let certificate = |number: u8, index| {
            DeviceChange::Add(DeviceCertificate::sign(&Identity::generate(&mut Constant(number)), &account, index, own))
        };
        let most = u32::try_from(MOST_DEVICES).unwrap();
        let full: Vec<_> = (1..most).map(|index| certificate(u8::try_from(index).unwrap() + 1, index)).collect();
        primary.issue(&phone, &full, now).unwrap();
        let (known, verified) = counted(|| DeviceDirectory::trust(primary.list(), Trust::OnFirstUse, now).unwrap());
        assert_eq!(verified, 1 + MOST_DEVICES, "the first list is verified whole");
        let lists: Vec<_> = (0..300)
            .map(|turn| match turn % 2 {
                0 => primary.remove(&phone, most - 1 + turn / 2, now).unwrap().clone(),
                _ => {
                    let number = u8::try_from(100 + turn % 100).unwrap();
                    primary.issue(&phone, &[certificate(number, most + turn / 2)], now).unwrap().clone()
                }
            })
            .collect();
        for (given, signatures) in [(&lists[..], 300), (&lists[299..], 1)] {
            let mut directory = known.clone();
            let (change, verified) = counted(|| directory.catch_up(given, now).unwrap());
            assert_eq!((change.added.len(), change.removed.len(), directory.sequence()), (1, 1, 302));
            assert_eq!(verified, signatures + 1, "63 of 64 devices are known");
            let (_, verified) = counted(|| directory.accept(&lists[299], now).unwrap());
            assert_eq!(verified, 0, "the known list needs none");
        }
    }

    /// P-10.20. A record with more devices than a list may hold.
    #[test]
    fn a_directory_of_65_devices_is_not_read() {
        let mut directory = primary().directory();
        let template = directory.devices[1];
        let mut entry = Writer::with_capacity(DeviceEntry::LENGTH);
        template.write(&mut entry);
        let mut entry = entry.finish();
        for index in 2..65_u32 {
            entry[..4].copy_from_slice(&index.to_be_bytes());
            directory.devices.push(DeviceEntry::read(&mut Reader::new(&entry)).unwrap());
        }
        directory.next_index = 2_000;
        assert_eq!(decoded(&encoded(&directory)), Err(Malformed));
        directory.devices.pop();
        assert_eq!(decoded(&encoded(&directory)), Ok(directory));
    }

    #[test]
    fn a_primary_is_read_as_it_was_written() {
        let primary = primary();
        let mut writer = Writer::with_capacity(0);
        primary.encode(&mut writer);
        let bytes = writer.finish();
        assert_eq!(Primary::decode(&mut Reader::new(&bytes)), Ok(primary));
        assert_eq!(Primary::decode(&mut Reader::new(&bytes[..bytes.len() - 1])), Err(Malformed));
    }
}
