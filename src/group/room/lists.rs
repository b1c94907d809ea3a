//! [`Lists`]: the devices of a group's members, as this device has verified them (docs/spec/rooms.md, section 15.2).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rand_core::CryptoRng;

use crate::conversation::MemberDevice;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, ListId};
use crate::group::chain::ListsDigest;
use crate::group::fields::{read_member, write_member};
use crate::group::membership::Signers;
use crate::keys::Trust;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

/// The newest list of each account that is known. A record of its own, because it is long and seldom changes.
#[derive(Default)]
pub(super) struct Lists {
    known: BTreeMap<AccountKey, DeviceDirectory>,
    /// The devices whose chains are stored.
    senders: BTreeSet<MemberDevice>,
    pub(super) lineage: Lineage,
}

impl Lists {
    pub(super) fn get(&self, account: &AccountKey) -> Option<&DeviceDirectory> {
        self.known.get(account)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &DeviceDirectory> {
        self.known.values()
    }

    /// The entry of a device: the index and the identity are those of the account's newest list.
    pub(super) fn entry(&self, device: &MemberDevice) -> Option<&DeviceEntry> {
        let entry = self.get(&device.account)?.at(device.device)?;
        Some(entry).filter(|entry| *entry.identity() == device.identity)
    }

    /// Takes a list. The first of an account is believed for its account key, which the group's statements name.
    pub(super) fn accept(&mut self, list: &DeviceList, now: Timestamp) -> Result<(), DeviceListError> {
        match self.known.get_mut(list.account()) {
            Some(known) => {
                let before = known.id();
                let _change = known.accept(list, now)?;
                if known.id() == before {
                    return Ok(());
                }
            }
            None => {
                let account = *list.account();
                let directory = DeviceDirectory::trust(list, Trust::Pinned(account.identity()), now)?;
                self.known.insert(account, directory);
            }
        }
        self.lineage.change();
        Ok(())
    }

    /// Takes what a conversation knows of its peer, if it is newer.
    pub(super) fn follow(&mut self, directory: &DeviceDirectory) {
        let known = self.known.get(directory.account());
        if known.is_none_or(|known| known.sequence() < directory.sequence()) {
            self.known.insert(*directory.account(), directory.clone());
            self.lineage.change();
        }
    }

    /// Forgets accounts that have nothing to do with the group any more.
    pub(super) fn retain(&mut self, keep: impl Fn(&AccountKey) -> bool) {
        let before = self.known.len();
        self.known.retain(|account, _| keep(account));
        if self.known.len() != before {
            self.lineage.change();
        }
    }

    /// Notes whose chains there are records of.
    pub(super) fn note_senders<'a>(&mut self, senders: impl Iterator<Item = &'a MemberDevice>) {
        let senders: BTreeSet<_> = senders.copied().collect();
        if senders != self.senders {
            self.senders = senders;
            self.lineage.change();
        }
    }

    pub(super) const fn senders(&self) -> &BTreeSet<MemberDevice> {
        &self.senders
    }

    /// The digest of the lists of these accounts (section 14.2), and `own`.
    pub(super) fn digest<'a>(
        &self,
        members: impl Iterator<Item = &'a AccountKey>,
        own: &DeviceDirectory,
    ) -> ListsDigest {
        let id = |account: &AccountKey| {
            let directory = if account == own.account() { Some(own) } else { self.get(account) };
            directory.map(|directory| (*account, directory.id()))
        };
        ListsDigest::of(&members.filter_map(id).collect::<BTreeMap<AccountKey, ListId>>())
    }

    /// All of them, to verify acts of companions.
    pub(super) fn signers(&self) -> Signers {
        let mut signers = Signers::new();
        self.iter().for_each(|directory| signers.add_directory(directory));
        signers
    }

    pub(super) fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let mut public = Writer::with_capacity(self.known.len().saturating_mul(256));
        public.count(self.known.len());
        self.iter().for_each(|directory| directory.encode(&mut public));
        let public = public.finish();
        let mut writer = SecretWriter::with_capacity(public.len().saturating_add(256));
        writer.u64(self.lineage.revision()).bytes(&public).count(self.senders.len());
        self.senders.iter().for_each(|sender| write_member(sender, &mut writer));
        let bytes = storage::seal(key, kind::GROUP_LISTS, context, &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    pub(super) fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let lists = storage::open(key, kind::GROUP_LISTS, context, record, Self::read)?;
        Ok(Self { lineage: lists.lineage.under(key), ..lists })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let mut known = BTreeMap::<AccountKey, DeviceDirectory>::new();
        for _ in 0..reader.count_of(DeviceEntry::LENGTH)? {
            let directory = DeviceDirectory::decode(reader)?;
            if known.last_key_value().is_some_and(|(last, _)| last >= directory.account()) {
                return Err(Malformed);
            }
            known.insert(*directory.account(), directory);
        }
        let mut senders = BTreeSet::new();
        for _ in 0..reader.count_of(AccountKey::LENGTH)? {
            let sender = read_member(reader)?;
            if senders.last().is_some_and(|last| *last >= sender) {
                return Err(Malformed);
            }
            senders.insert(sender);
        }
        Ok(Self { known, senders, lineage })
    }
}

/// A device list that a group lacks: fetch it from the server, and give it to [`Group::learn`](super::Group::learn).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListNeed {
    /// The account.
    pub account: AccountKey,
    /// Which of its lists, where an act names an older one; otherwise the newest that there is.
    pub list: Option<ListId>,
}

/// What lists are lacking.
pub(super) fn needed(
    lists: &Lists,
    accounts: impl Iterator<Item = AccountKey>,
    outdated: &BTreeMap<AccountKey, u64>,
    now: Timestamp,
) -> Vec<ListNeed> {
    let lacks = |account: &AccountKey| match lists.get(account) {
        None => true,
        Some(known) => {
            known.is_expired(now) || outdated.get(account).is_some_and(|sequence| *sequence > known.sequence())
        }
    };
    accounts.filter(lacks).map(|account| ListNeed { account, list: None }).collect()
}
