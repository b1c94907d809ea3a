//! [`Account`]: this device's part of an account: its identity, its pre-keys, and what it knows of the account's devices.
//!
//! Does not know peers. One record, which changes with pre-keys and devices and never with ordinary messages.

mod persist; // one record

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

pub use persist::SealedAccount;

use crate::device::{AccountKey, Change, DeviceDirectory, DeviceList, DeviceListError, Primary, PrimaryError, Terms};
use crate::disclosure::DisclosureHash;
use crate::hosting::Disclosure;
use crate::keys::{Identity, PreKeyBundle, PreKeyCount, PreKeys, PreKeysError, Trust, UsedPreKeys};
use crate::time::Timestamp;

/// One device of an account, with everything that it keeps for all its conversations: its identity, its pre-keys, and its
/// account's devices; on the primary device also what signs their list.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{Custody, Terms};
/// use bisik::{Account, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut phone = Account::create(Terms::own_held(Custody::Person)?, now, rng);
/// let upkeep = phone.maintain(now, rng);
/// assert!(upkeep.one_time.len() > 20 && upkeep.last_resort.is_some()); // for the server
/// assert_eq!(phone.devices().devices().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Account {
    identity: Identity,
    pre_keys: PreKeys,
    devices: DeviceDirectory,
    /// What signs the device list, on the primary device.
    primary: Option<Primary>,
    /// The disclosure that this device is listed under, where it is hosted.
    disclosure: Option<Disclosure>,
    /// Whether the current generation's last-resort bundle has been given out to be published.
    published: bool,
    revision: u64,
    /// The revision that the database has, where it has one.
    stored: Option<u64>,
}

/// What is to be published after [`Account::maintain`], once the account is stored.
#[derive(Debug)]
#[must_use = "the server does not have these yet"]
pub struct MaintenanceOutput {
    /// One-time bundles: the server hands out each once.
    pub one_time: Vec<PreKeyBundle>,
    /// A new last-resort bundle, which replaces the one that the server has.
    pub last_resort: Option<PreKeyBundle>,
    /// A new device list of the account.
    pub list: Option<DeviceList>,
}

impl Account {
    /// A new account, of which this device is the primary one.
    #[must_use]
    pub fn create(terms: Terms, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let identity = Identity::generate(rng);
        let primary = Primary::new(&identity, terms, now);
        let devices = primary.directory();
        Self::assemble(identity, devices, Some(primary), now, rng)
    }

    /// A companion device that was linked ([`crate::device::link`]): its own identity, and its account's first list that
    /// has it.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] where the list is not of `account`; otherwise as [`DeviceDirectory::trust`].
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
        Self { identity, pre_keys, devices, primary, disclosure: None, published: false, revision: 1, stored: None }
    }

    /// The account's name.
    #[must_use]
    pub const fn key(&self) -> &AccountKey {
        self.devices.account()
    }

    /// This device.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What this device has published, with its secrets.
    #[must_use]
    pub const fn pre_keys(&self) -> &PreKeys {
        &self.pre_keys
    }

    /// All devices of the account, this one among them.
    #[must_use]
    pub const fn devices(&self) -> &DeviceDirectory {
        &self.devices
    }

    /// What signs the account's device list, on the primary device.
    #[must_use]
    pub const fn primary(&self) -> Option<&Primary> {
        self.primary.as_ref()
    }

    /// Grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many one-time pre-keys are left at the server.
    #[must_use]
    pub fn pre_key_count(&self, now: Timestamp) -> PreKeyCount {
        self.pre_keys.count(now)
    }

    /// What is due: a rotation of the pre-keys, one-time pre-keys where they run low, on the primary device a list that
    /// renews the last one. Call it once a day, store the account, then publish.
    pub fn maintain(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> MaintenanceOutput {
        let before = self.pre_keys.revision();
        // Identity and pre-keys belong together by construction, which is the one thing that these could refuse.
        let rotated = self.pre_keys.rotate(&self.identity, now, rng) == Ok(true);
        let last_resort = (rotated || !self.published).then(|| self.pre_keys.bundle());
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
        MaintenanceOutput { one_time, last_resort, list }
    }

    /// Makes `count` one-time pre-keys beside those of [`Account::maintain`], which makes enough for a person: an account that
    /// strangers write to by the thousand needs more. Store the account, then publish.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`] where more than [`PreKeys::MAX_ONE_TIME`] would be waiting to be used; nothing was made then.
    pub fn replenish(
        &mut self,
        count: usize,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<PreKeyBundle>, PreKeysError> {
        let bundles = self.pre_keys.replenish(&self.identity, count, rng)?;
        self.touch();
        Ok(bundles)
    }

    /// On the primary device: changes the account's devices, and gives the list to be published once the account is stored.
    ///
    /// # Errors
    ///
    /// [`PrimaryError`], nothing has changed then; [`PrimaryError::OtherIdentity`] on every other device.
    pub fn change_devices(&mut self, changes: &[Change], now: Timestamp) -> Result<DeviceList, PrimaryError> {
        let primary = self.primary.as_mut().ok_or(PrimaryError::OtherIdentity)?;
        let list = primary.issue(&self.identity, changes, now)?.clone();
        self.follow_primary();
        self.touch();
        Ok(list)
    }

    /// On a companion device: takes newer lists of the account, oldest first.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]; nothing has changed then.
    pub fn accept_devices(&mut self, lists: &[DeviceList], now: Timestamp) -> Result<(), DeviceListError> {
        let before = self.devices.sequence();
        let _change = self.devices.catch_up(lists, now)?;
        if self.devices.sequence() != before {
            self.touch();
        }
        Ok(())
    }

    /// On a hosted device: keeps the disclosure that it is listed under, for the deadlines that it promises. `false` where it is
    /// of another device or not the listed one; nothing has changed then.
    #[must_use = "without its disclosure a hosted device receives nothing"]
    pub fn set_disclosure(&mut self, disclosure: Disclosure) -> bool {
        if Some(disclosure.hash()) != self.disclosure() {
            return false;
        }
        self.disclosure = Some(disclosure);
        self.touch();
        true
    }

    /// When a message that is received now has to be deleted: `Some(None)` where nothing was promised, because the account's
    /// owner holds the device; `None` where it is hosted and its disclosure is not here.
    pub(crate) fn deadline(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let Some(listed) = self.disclosure() else { return Some(None) };
        let held = self.disclosure.as_ref().filter(|held| held.hash() == listed)?;
        Some(Some(held.terms().retention.deadline(now)))
    }

    /// The disclosure that this device is listed under, where it is hosted.
    pub(crate) fn disclosure(&self) -> Option<DisclosureHash> {
        self.devices.find(self.identity.public())?.terms().disclosure()
    }

    /// Pre-keys that a peer has used to set up a session.
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
        self.revision = self.revision.saturating_add(1);
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, pre_keys: _, devices, primary, disclosure: _, published: _, revision, stored: _ } = self;
        let mut shown = f.debug_struct("Account");
        shown.field("identity", identity).field("devices", devices).field("is_primary", &primary.is_some());
        shown.field("revision", revision).finish_non_exhaustive()
    }
}

/// One-time pre-keys that are made at once: enough for a day of strangers.
const REPLENISH: usize = 100;
