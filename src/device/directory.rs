//! [`DeviceDirectory`]: what is remembered of an account's devices, and which lists may change it.
//!
//! Does not know where lists come from: a server that hides, repeats or mixes them gets nowhere here.

use alloc::vec::Vec;
use core::{fmt, slice};

use super::list::MOST_DEVICES;
use super::{AccountKey, DeviceEntry, DeviceList, DeviceListError};
use crate::codec::{Malformed, Reader, Writer};
use crate::keys::{IdentityKey, Trust};
use crate::time::Timestamp;

/// The devices of one account, as its newest list that was accepted says. It follows the account's chain of lists and
/// nothing else: never back, never aside, never over a gap (docs/spec/accounts.md, section 10.4).
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody, DeviceDirectory, DeviceListError, Primary, Terms};
/// use bisik::{Identity, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let phone = Identity::generate(rng);
/// let mut primary = Primary::new(&phone, Terms::own_held(Custody::Person)?, now);
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
}

impl DeviceDirectory {
    /// Begins with the first list that is seen of an account, whatever its number.
    ///
    /// A server may hand out an older list than the newest here, as long as that has not expired: nothing is known yet that
    /// would contradict it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] where `trust` pins another identity than the account's; `BadSignature`,
    /// `BadPossession`, `NotYetValid`, `Expired`.
    pub fn trust(list: &DeviceList, trust: Trust<'_>, now: Timestamp) -> Result<Self, DeviceListError> {
        if !trust.allows(list.account().identity()) {
            return Err(DeviceListError::OtherAccount);
        }
        list.verify_signature()?;
        list.check_dates(now)?;
        list.verify_possession()?;
        Ok(Self::of(list))
    }

    /// Follows the account by one list, or stays where it is if it knows this very list already.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]; the directory is the same as before then.
    pub fn accept(&mut self, list: &DeviceList, now: Timestamp) -> Result<DirectoryChange, DeviceListError> {
        self.catch_up(slice::from_ref(list), now)
    }

    /// Follows the account by several lists, oldest first, after some time away: all or none. Only the newest has to be
    /// within its dates. Costs a signature for each list and for each device in it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`] of the first list that does not continue the one before; the directory is the same as before then.
    pub fn catch_up(&mut self, lists: &[DeviceList], now: Timestamp) -> Result<DirectoryChange, DeviceListError> {
        let Some((newest, older)) = lists.split_last() else { return Ok(DirectoryChange::default()) };
        let mut next = self.clone();
        for list in older {
            if next.continues(list)? == Step::Next {
                list.verify_possession()?;
                next = Self::of(list);
            }
        }
        let step = next.continues(newest)?;
        newest.check_dates(now)?;
        if step == Step::Next {
            newest.verify_possession()?;
            next = Self::of(newest);
        }
        let change = DirectoryChange::between(self, &next);
        *self = next;
        Ok(change)
    }

    /// P-10.1, P-10.9. Whether `list` is the account's, and the known one or the next one.
    fn continues(&self, list: &DeviceList) -> Result<Step, DeviceListError> {
        if *list.account() != self.account {
            return Err(DeviceListError::OtherAccount);
        }
        list.verify_signature()?;
        match list.sequence().checked_sub(self.sequence) {
            None => Err(DeviceListError::RolledBack),
            Some(0) if list.hash() == self.hash => Ok(Step::Same),
            Some(1) if list.content.previous == self.hash => self.keeps_indices(list),
            Some(0 | 1) => Err(DeviceListError::Forked),
            Some(2..) => Err(DeviceListError::Gap),
        }
    }

    /// P-10.10. An index that was given stands for the device that it was given to, or for none.
    fn keeps_indices(&self, list: &DeviceList) -> Result<Step, DeviceListError> {
        let known = |entry: &DeviceEntry| {
            entry.index() >= self.next_index
                || self.at(entry.index()).is_some_and(|known| known.identity() == entry.identity())
        };
        if list.content.next_index >= self.next_index && list.entries().all(known) {
            Ok(Step::Next)
        } else {
            Err(DeviceListError::IndexReused)
        }
    }

    /// What a list says, after it was verified or by the device that signed it.
    pub(super) fn of(list: &DeviceList) -> Self {
        Self {
            account: list.content.account,
            sequence: list.content.sequence,
            hash: list.hash(),
            expires: list.content.expires,
            next_index: list.content.next_index,
            devices: list.entries().copied().collect(),
        }
    }

    /// Whose devices these are.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The number of the list that it follows.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The hash of that list: two devices that have the same one see the same devices.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// When that list expires.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether that list has expired: fetch a newer one before anything is sent.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// The devices, ascending by index, the primary device first. At most 1,024.
    #[must_use]
    pub fn devices(&self) -> &[DeviceEntry] {
        &self.devices
    }

    /// The device with this index.
    #[must_use]
    pub fn at(&self, index: u32) -> Option<&DeviceEntry> {
        let found = self.devices.binary_search_by_key(&index, DeviceEntry::index);
        found.ok().and_then(|position| self.devices.get(position))
    }

    /// The device with this identity.
    #[must_use]
    pub fn find(&self, identity: &IdentityKey) -> Option<&DeviceEntry> {
        self.devices.iter().find(|entry| entry.identity() == identity)
    }

    /// As a part of a record (docs/formats.md, section 10.6).
    pub(crate) fn encode(&self, writer: &mut Writer) {
        let Self { account, sequence, hash, expires, next_index, devices } = self;
        writer.bytes(&account.to_bytes()).u64(*sequence).bytes(hash).u64(expires.as_unix_seconds());
        writer.u32(*next_index).u32(u32::try_from(devices.len()).unwrap_or(u32::MAX));
        devices.iter().for_each(|entry| entry.write(writer));
    }

    /// Reads what [`encode`](Self::encode) wrote, from a record that was authenticated.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let primary = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let account = AccountKey::from_identity(primary);
        let (sequence, hash) = (reader.u64()?, *reader.array()?);
        let expires = Timestamp::from_unix_seconds(reader.u64()?);
        let next_index = reader.u32()?;
        let count = reader.count_of(DeviceEntry::LENGTH)?;
        let devices = (0..count.min(MOST_DEVICES + 1)).map(|_| DeviceEntry::read(reader));
        let devices = devices.collect::<Result<Vec<_>, _>>()?;
        let directory = Self { account, sequence, hash, expires, next_index, devices };
        if directory.is_consistent() { Ok(directory) } else { Err(Malformed) }
    }

    /// P-10.20. What only a list that was accepted leaves behind.
    fn is_consistent(&self) -> bool {
        let Self { account, sequence, hash: _, expires: _, next_index, devices } = self;
        *sequence != 0
            && devices.len() <= MOST_DEVICES
            && devices.first().is_some_and(|entry| entry.is_primary() && entry.identity() == account.identity())
            && devices.is_sorted_by(|a, b| a.index() < b.index())
            && devices.last().is_some_and(|entry| entry.index() < *next_index)
    }
}

impl fmt::Debug for DeviceDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, sequence, hash: _, expires, next_index: _, devices } = self;
        f.debug_struct("DeviceDirectory")
            .field("account", account)
            .field("sequence", sequence)
            .field("expires", expires)
            .field("devices", devices)
            .finish_non_exhaustive()
    }
}

/// How an acceptable list stands to the known one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Same,
    Next,
}

/// What an accepted list has changed. Empty where it only renewed the dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "sessions follow devices: open some, close some"]
pub struct DirectoryChange {
    /// Devices that joined: set up sessions with them.
    pub added: Vec<DeviceEntry>,
    /// Devices that left: close the sessions with them. Their indices never come back.
    pub removed: Vec<DeviceEntry>,
    /// Devices whose custody, automation or disclosure changed, as they are now.
    pub changed: Vec<DeviceEntry>,
}

impl DirectoryChange {
    /// Whether the devices are what they were.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { added, removed, changed } = self;
        added.is_empty() && removed.is_empty() && changed.is_empty()
    }

    fn between(old: &DeviceDirectory, new: &DeviceDirectory) -> Self {
        let missing_in = |directory: &DeviceDirectory, entry: &DeviceEntry| directory.at(entry.index()).is_none();
        let differs = |entry: &DeviceEntry| old.at(entry.index()).is_some_and(|known| known.terms() != entry.terms());
        Self {
            added: new.devices.iter().filter(|entry| missing_in(old, entry)).copied().collect(),
            removed: old.devices.iter().filter(|entry| missing_in(new, entry)).copied().collect(),
            changed: new.devices.iter().filter(|entry| differs(entry)).copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Custody, DeviceCertificate, Primary, Terms};
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
        let own = Terms::own_held(Custody::Person).unwrap();
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
        assert_eq!(bytes.len(), 120 + 2 * DeviceEntry::LENGTH);
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
        assert_eq!(with(count, &[0, 0, 4, 1]), Err(Malformed));
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

    /// P-10.20. More devices than a list may hold.
    #[test]
    fn a_directory_of_1025_devices_is_not_read() {
        let mut directory = primary().directory();
        let template = directory.devices[1];
        let mut entry = Writer::with_capacity(DeviceEntry::LENGTH);
        template.write(&mut entry);
        let mut entry = entry.finish();
        for index in 2..1_025_u32 {
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
