//! [`Account`]: the local device of an account: its identity, its pre-keys, and the list of the account's devices.
//!
//! It is one record, which changes with pre-keys and devices but not with messages. Peers have records of their own.

mod error; //         why not
mod inbox; //  10.10  what happened to the account
mod persist; //       sealed records of accounts
mod tokens; // 10.11  what the server's word alone may cause
mod upkeep; // 10.10  what the server needs
mod watch; //   10.9  the account's own devices, and recovering

use core::fmt;

use rand_core::CryptoRng;

pub use error::RecoverFirstError;
pub use inbox::AccountEvent;
pub use persist::SealedAccount;
pub use upkeep::{MaintenanceOutput, ServerState};

use crate::device::link::Linked;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, DeviceTerms, Primary};
use crate::hosting::{Disclosure, Promises};
use crate::keys::{Identity, PreKeyCount, PreKeys, Trust, UsedPreKeys};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;
use inbox::Inbox;
use tokens::Tokens;
use upkeep::Uploads;

/// The local device of an account, with the state shared by all its conversations.
///
/// It holds the device's identity, its pre-keys and the list of the account's devices. On the primary device it also
/// holds the state to sign that list.
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::DeviceTerms;
/// use bisik::{Account, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut phone = Account::create(DeviceTerms::person(), now, rng);
/// let upkeep = phone.maintain(None, now, rng)?;
/// assert!(upkeep.one_time.len() > 20 && upkeep.last_resort.is_some() && upkeep.list.is_some()); // for the server
/// assert_eq!((phone.devices().devices().len(), phone.index()), (1, Some(0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Account {
    identity: Identity,
    pre_keys: PreKeys,
    devices: DeviceDirectory,
    /// Issues device lists; on the primary device only.
    primary: Option<Primary>,
    /// The disclosures under which this device is and was listed, if it is hosted.
    promises: Promises,
    /// What the server is not known to have.
    uploads: Uploads,
    /// What the server's word alone may cause.
    tokens: Tokens,
    /// What happened and was not shown yet.
    inbox: Inbox,
    /// When somebody last went by a list that this primary did not sign.
    claimed_at: Timestamp,
    /// The revision, and the storage key of the account's records.
    lineage: Lineage,
    /// The revision in the database; `None` if there is none.
    stored: Option<u64>,
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

    /// Joins an account with the companion device that was just linked. [The page on linking](crate::device::link) shows
    /// both sides.
    #[must_use]
    pub fn from_linked(linked: Linked, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let Linked { identity, directory, entry: _ } = linked;
        Self::assemble(identity, directory, None, now, rng)
    }

    /// Joins an account with a companion device that was linked before, of which identity and account key were kept: as
    /// [`from_linked`](Self::from_linked), with a list from the server.
    ///
    /// `identity` is the device's own, and `list` a list of the account that contains it. `account` is what linking
    /// gave ([`Linked`](crate::device::link::Linked)), never what a server says. A list with this device in it is no older
    /// than the linking, whoever hands it out. Requirement P-10.32.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] if the list is not of `account`; [`DeviceListError::NotListed`] if this device is
    /// not in it; otherwise as for [`DeviceDirectory::trust`].
    pub fn join(
        identity: Identity,
        account: &AccountKey,
        list: &DeviceList,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, DeviceListError> {
        let devices = DeviceDirectory::trust(list, Trust::Pinned(account.identity()), now)?;
        if devices.find(identity.public()).is_none() {
            return Err(DeviceListError::NotListed);
        }
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
        let uploads = Uploads::all(primary.is_some());
        Self {
            identity,
            pre_keys,
            devices,
            primary,
            promises: Promises::new(),
            uploads,
            tokens: Tokens::new(),
            inbox: Inbox::default(),
            claimed_at: Timestamp::from_unix_seconds(0),
            lineage: Lineage::new(1),
            stored: None,
        }
    }

    /// Returns the account key, which names the account.
    #[must_use]
    pub const fn key(&self) -> &AccountKey {
        self.devices.account()
    }

    /// Returns the index of this device in its account, 0 on the primary device; `None` once it is no longer listed.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        self.devices.find(self.identity.public()).map(DeviceEntry::index)
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

    /// Stores the disclosure under which a hosted device is listed; its deadlines apply to what is sent under it. Those
    /// before it are kept: they apply to what was sent under them.
    ///
    /// Returns `false` if the disclosure is for another device or is not the listed one. The state is then unchanged.
    #[must_use = "without its disclosure a hosted device receives nothing"]
    pub fn set_disclosure(&mut self, disclosure: Disclosure) -> bool {
        if Some(disclosure.hash()) != self.disclosure() {
            return false;
        }
        if self.promises.newest() != Some(&disclosure) {
            self.promises.add(disclosure);
            self.touch();
        }
        true
    }

    /// Whether this device is its owner's, or holds the disclosure under which it is listed.
    pub(crate) fn knows_its_terms(&self) -> bool {
        self.disclosure().is_none_or(|listed| self.promises.holds(listed))
    }

    /// Returns when a message must be deleted that was received or written at `now`; `is_of_session` tells whether the
    /// session was set up under a disclosure of this device. `None` if no deadline was promised. P-11.21.
    ///
    /// If it was set up under none that is known, and the device is hosted, the strictest of those known counts.
    pub(crate) fn deadline(&self, is_of_session: impl Fn(DisclosureHash) -> bool, now: Timestamp) -> Option<Timestamp> {
        let strictest = || self.disclosure().and_then(|_| self.promises.strictest_deadline(now));
        self.promises.deadline(is_of_session, now).or_else(strictest)
    }

    /// The hash of the disclosure under which this device is listed; `None` if it is not hosted.
    pub(crate) fn disclosure(&self) -> Option<DisclosureHash> {
        self.devices.find(self.identity.public())?.terms().disclosure()
    }

    /// Removes pre-keys that a peer has used to set up a session.
    pub(crate) fn use_up(&mut self, used: UsedPreKeys) {
        self.pre_keys.remove(used);
        self.uploads.prune(&self.pre_keys);
        self.touch();
    }

    const fn touch(&mut self) {
        self.lineage.change();
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            identity,
            pre_keys: _,
            devices,
            primary,
            promises: _,
            uploads: _,
            tokens: _,
            inbox,
            claimed_at: _,
            lineage,
            stored: _,
        } = self;
        let mut shown = f.debug_struct("Account");
        shown.field("identity", identity).field("devices", devices).field("is_primary", &primary.is_some());
        shown.field("events", &inbox.events().count()).field("revision", &lineage.revision()).finish_non_exhaustive()
    }
}
