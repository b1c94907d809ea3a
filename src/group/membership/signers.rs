//! [`Signers`]: the device lists under which members' devices sign acts.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::device::{AccountKey, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, ListId};
use crate::keys::IdentityKey;

/// Device lists of members, verified: the keys under which acts of companions are verified.
///
/// An act of a companion names the list that has it, and names it for ever: also when the list has expired or was
/// followed by others. Where a list is missing, the act waits, and
/// [`Membership::wanted`](super::Membership::wanted) names it: fetch it from the server, which keeps every list of an
/// account, [add](Self::add) it, and offer the act again, or call [`Membership::retry`](super::Membership::retry).
/// Acts of primary devices need no list.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::DeviceTerms;
/// use bisik::group::membership::Signers;
/// use bisik::{Account, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let alice = Account::create(DeviceTerms::person(), now, rng);
/// let mut signers = Signers::new();
/// signers.add(alice.primary().ok_or("the primary device")?.list())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signers {
    /// Of each list, the devices that its account holds itself.
    lists: BTreeMap<(AccountKey, ListId), Vec<(u32, IdentityKey)>>,
}

/// What the lists say of the device that an act names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    Device(IdentityKey),
    /// The list is known, and has no such device, or not in the account's own custody.
    NotListed,
    /// The list is not known.
    UnknownList,
}

impl Signers {
    /// Creates an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self { lists: BTreeMap::new() }
    }

    /// Adds a list, whose account must have signed it. It may have expired.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::BadSignature`].
    pub fn add(&mut self, list: &DeviceList) -> Result<(), DeviceListError> {
        if !self.lists.contains_key(&(*list.account(), list.id())) {
            list.verify_signature()?;
            self.insert(*list.account(), list.id(), list.entries());
        }
        Ok(())
    }

    /// Adds the newest list of a directory, which was verified before.
    pub fn add_directory(&mut self, directory: &DeviceDirectory) {
        self.insert(*directory.account(), directory.id(), directory.devices().iter());
    }

    fn insert<'a>(&mut self, account: AccountKey, id: ListId, entries: impl Iterator<Item = &'a DeviceEntry>) {
        let own = entries.filter(|entry| entry.custody().is_own_held());
        self.lists.insert((account, id), own.map(|entry| (entry.index(), *entry.identity())).collect());
    }

    /// Whether a list is there.
    pub(super) fn knows(&self, account: &AccountKey, list: ListId) -> bool {
        self.lists.contains_key(&(*account, list))
    }

    /// The device that an act names. P-13.5: the list is one of the author's account, has the device, and the account
    /// holds it itself.
    pub(super) fn device(&self, account: &AccountKey, list: ListId, index: u32) -> Signer {
        if index == DeviceEntry::PRIMARY {
            return Signer::Device(*account.identity());
        }
        let Some(devices) = self.lists.get(&(*account, list)) else { return Signer::UnknownList };
        let found = devices.iter().find(|(listed, _)| *listed == index);
        found.map_or(Signer::NotListed, |(_, identity)| Signer::Device(*identity))
    }
}
