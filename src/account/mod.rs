//! [`Account`]: the local device of an account: its identity, its pre-keys, and the list of the account's devices.
//!
//! It is one record, which changes with pre-keys and devices but not with messages. Peers have records of their own.

mod persist; // sealed records of accounts

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

pub use persist::SealedAccount;

use crate::device::{
    AccountKey, DeviceChange, DeviceDirectory, DeviceList, DeviceListError, DeviceTerms, Primary, PrimaryError,
};
use crate::hosting::Disclosure;
use crate::keys::{Identity, PreKeyBundle, PreKeyCount, PreKeys, PreKeysError, Rotation, Trust, UsedPreKeys};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;

/// The local device of an account, with the state shared by all its conversations.
///
/// It holds the device's identity, its pre-keys and the list of the account's devices. On the primary device it also
/// holds the state to sign that list.
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{Custody, DeviceTerms};
/// use bisik::{Account, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut phone = Account::create(DeviceTerms::own_held(Custody::Person)?, now, rng);
/// let upkeep = phone.maintain(now, rng);
/// assert!(upkeep.one_time.len() > 20 && upkeep.last_resort.is_some()); // for the server
/// assert_eq!(phone.devices().devices().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Account {
    identity: Identity,
    pre_keys: PreKeys,
    devices: DeviceDirectory,
    /// Issues device lists; on the primary device only.
    primary: Option<Primary>,
    /// The disclosure under which this device is listed, if it is hosted.
    disclosure: Option<Disclosure>,
    /// Whether the current generation's last-resort bundle has been returned for publication.
    published: bool,
    /// The revision, and the storage key of the account's records.
    lineage: Lineage,
    /// The revision in the database; `None` if there is none.
    stored: Option<u64>,
}

/// Data to publish after [`Account::maintain`], once the account is stored.
#[derive(Debug)]
#[must_use = "the server does not have these yet"]
pub struct MaintenanceOutput {
    /// One-time bundles. The server hands out each once.
    pub one_time: Vec<PreKeyBundle>,
    /// A new last-resort bundle, which replaces the server's current one.
    pub last_resort: Option<PreKeyBundle>,
    /// Whether the server deletes the one-time bundles that it has, before it takes `one_time`.
    pub replaces_one_time: bool,
    /// A new device list of the account.
    pub list: Option<DeviceList>,
}

impl Account {
    /// Creates an account whose primary device is this one.
    #[must_use]
    pub fn create(terms: DeviceTerms, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let identity = Identity::generate(rng);
        let primary = Primary::new(&identity, terms, now);
        let devices = primary.directory();
        Self::assemble(identity, devices, Some(primary), now, rng)
    }

    /// Joins an account with a companion device that was linked ([`crate::device::link`]).
    ///
    /// `identity` is the device's own, and `list` is the account's first list that contains it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] if the list is not of `account`; otherwise as for [`DeviceDirectory::trust`].
    pub fn join(
        identity: Identity,
        account: &AccountKey,
        list: &DeviceList,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, DeviceListError> {
        let devices = DeviceDirectory::trust(list, Trust::Pinned(account.identity()), now)?;
        Ok(Self::assemble(identity, devices, None, now, rng))
    }

    fn assemble(
        identity: Identity,
        devices: DeviceDirectory,
        primary: Option<Primary>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let pre_keys = PreKeys::generate(&identity, now, rng);
        Self {
            identity,
            pre_keys,
            devices,
            primary,
            disclosure: None,
            published: false,
            lineage: Lineage::new(1),
            stored: None,
        }
    }

    /// Returns the account key, which names the account.
    #[must_use]
    pub const fn key(&self) -> &AccountKey {
        self.devices.account()
    }

    /// Returns the identity of this device.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the pre-keys of this device.
    #[must_use]
    pub const fn pre_keys(&self) -> &PreKeys {
        &self.pre_keys
    }

    /// Returns all devices of the account, including this one.
    #[must_use]
    pub const fn devices(&self) -> &DeviceDirectory {
        &self.devices
    }

    /// Returns the issuer of the account's device lists, on the primary device.
    #[must_use]
    pub const fn primary(&self) -> Option<&Primary> {
        self.primary.as_ref()
    }

    /// Returns the revision, which grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// Returns the number of one-time pre-keys that are unused.
    #[must_use]
    pub fn pre_key_count(&self, now: Timestamp) -> PreKeyCount {
        self.pre_keys.count(now)
    }

    /// Does the maintenance that is due, and returns the data to publish. Call it once a day, store the account, then
    /// publish.
    ///
    /// It rotates the pre-keys, generates one-time pre-keys if few are left, and on the primary device renews the
    /// device list. Receive what is waiting first: a device that was off deletes here the secrets of old pre-keys.
    pub fn maintain(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> MaintenanceOutput {
        let before = self.pre_keys.revision();
        // Fails only for another identity, and the identity and the pre-keys of an account always belong together.
        let rotation = self.pre_keys.rotate(&self.identity, now, rng).unwrap_or(Rotation::Nothing);
        let last_resort = (rotation != Rotation::Nothing || !self.published).then(|| self.pre_keys.bundle());
        let one_time = if self.pre_keys.count(now).is_low() {
            self.pre_keys.replenish(&self.identity, REPLENISH, rng).unwrap_or_default()
        } else {
            Vec::new()
        };
        let list = self.primary.as_mut().filter(|primary| primary.due(now));
        let list = list.and_then(|primary| primary.reissue(&self.identity, now).ok().cloned());
        if list.is_some() {
            self.follow_primary();
        }
        if last_resort.is_some() || list.is_some() || self.pre_keys.revision() != before {
            self.published = true;
            self.touch();
        }
        MaintenanceOutput { one_time, last_resort, replaces_one_time: rotation == Rotation::Everything, list }
    }

    /// Replaces all pre-keys at once, and returns the data to publish: for a server that holds bundles which the record
    /// does not [know](PreKeys::knows), because it was restored. Store the account, then publish. Requirement P-2.11.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::device::{Custody, DeviceTerms};
    /// # use bisik::{Account, Timestamp};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let mut phone = Account::create(DeviceTerms::own_held(Custody::Person)?, now, rng);
    /// let before = phone.maintain(now, rng).one_time;
    /// let fresh = phone.replace_pre_keys(now, rng);
    /// assert!(fresh.replaces_one_time && fresh.last_resort.is_some());
    /// assert_eq!(phone.pre_key_count(now).one_time, fresh.one_time.len(), "the others are withdrawn");
    /// assert!(before.iter().all(|bundle| phone.pre_keys().knows(bundle.id())), "and answered for three days");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_pre_keys(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> MaintenanceOutput {
        // Fails only for another identity, and the identity and the pre-keys of an account always belong together.
        let one_time = self.pre_keys.replace_all(&self.identity, REPLENISH, now, rng).unwrap_or_default();
        self.published = true;
        self.touch();
        MaintenanceOutput { one_time, last_resort: Some(self.pre_keys.bundle()), replaces_one_time: true, list: None }
    }

    /// Generates `count` one-time pre-keys in addition to those of [`Account::maintain`]. Store the account, then
    /// publish.
    ///
    /// `maintain` generates enough for a person. An account that receives pre-key messages from thousands of strangers
    /// needs more.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`] if more than [`PreKeys::MAX_ONE_TIME`] would be unused.
    pub fn replenish(
        &mut self,
        count: usize,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<PreKeyBundle>, PreKeysError> {
        let bundles = self.pre_keys.replenish(&self.identity, count, rng)?;
        self.touch();
        Ok(bundles)
    }

    /// Changes the account's devices, on the primary device. Returns the list to publish once the account is stored.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]; on any other device [`PrimaryError::WrongIdentity`].
    pub fn change_devices(&mut self, changes: &[DeviceChange], now: Timestamp) -> Result<DeviceList, PrimaryError> {
        let primary = self.primary.as_mut().ok_or(PrimaryError::WrongIdentity)?;
        let list = primary.issue(&self.identity, changes, now)?.clone();
        self.follow_primary();
        self.touch();
        Ok(list)
    }

    /// Accepts newer lists of the account, oldest first, on a companion device.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`].
    pub fn accept_devices(&mut self, lists: &[DeviceList], now: Timestamp) -> Result<(), DeviceListError> {
        let before = self.devices.sequence();
        let _change = self.devices.catch_up(lists, now)?;
        if self.devices.sequence() != before {
            self.touch();
        }
        Ok(())
    }

    /// Stores the disclosure under which a hosted device is listed; its deadlines apply to received messages.
    ///
    /// Returns `false` if the disclosure is for another device or is not the listed one. The state is then unchanged.
    #[must_use = "without its disclosure a hosted device receives nothing"]
    pub fn set_disclosure(&mut self, disclosure: Disclosure) -> bool {
        if Some(disclosure.hash()) != self.disclosure() {
            return false;
        }
        self.disclosure = Some(disclosure);
        self.touch();
        true
    }

    /// Returns when a message received now must be deleted.
    ///
    /// `Some(None)` means that no deadline was promised, because the account's owner holds the device. `None` means
    /// that the device is hosted and its disclosure is missing.
    pub(crate) fn deadline(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let Some(listed) = self.disclosure() else { return Some(None) };
        let held = self.disclosure.as_ref().filter(|held| held.hash() == listed)?;
        Some(Some(held.terms().retention.deadline(now)))
    }

    /// The hash of the disclosure under which this device is listed; `None` if it is not hosted.
    pub(crate) fn disclosure(&self) -> Option<DisclosureHash> {
        self.devices.find(self.identity.public())?.terms().disclosure()
    }

    /// Removes pre-keys that a peer has used to set up a session.
    pub(crate) fn use_up(&mut self, used: UsedPreKeys) {
        self.pre_keys.remove(used);
        self.touch();
    }

    fn follow_primary(&mut self) {
        if let Some(primary) = &self.primary {
            self.devices = primary.directory();
        }
    }

    const fn touch(&mut self) {
        self.lineage.change();
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, pre_keys: _, devices, primary, disclosure: _, published: _, lineage, stored: _ } = self;
        let mut shown = f.debug_struct("Account");
        shown.field("identity", identity).field("devices", devices).field("is_primary", &primary.is_some());
        shown.field("revision", &lineage.revision()).finish_non_exhaustive()
    }
}

/// One-time pre-keys generated at once: enough for a day's pre-key messages.
const REPLENISH: usize = 100;
