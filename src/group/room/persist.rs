//! A group as records (docs/formats.md, section 15.6): who is in it, the devices of members, the own chain, the chains of
//! each sender, and the desk. An operation writes those that changed, and the desk always, which the proof covers.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::ask::Asks;
use super::desk::Desk;
use super::lists::Lists;
use super::{Group, MemberDevice};
use crate::group::GroupId;
use crate::group::chain::{ReceivingChains, SendingChain};
use crate::group::membership::Membership;
use bisik_core::blocks::{Block, BlockId, SealedParts};
use bisik_core::held::{self, SealError, SealedRecord, Stored};
use bisik_core::storage::{StorageKey, UnsealError};

/// Which record of an application's database. The library names these records itself, and seals each under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupRecordName {
    /// Who is in the group. It names the blocks.
    Members(GroupId),
    /// The devices of members, and the names of all senders.
    Devices(GroupId),
    /// This device's own chain.
    Chain(GroupId),
    /// The chains of one sending device.
    Sender(GroupId, MemberDevice),
    /// What waits to be sent and shown.
    Desk(GroupId),
}

impl GroupRecordName {
    /// Returns the name as bytes, for a store that has one table of records: 33, or 165 for a sender. The group's id comes
    /// first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (group, kind) = match self {
            Self::Members(group) => (group, 1),
            Self::Devices(group) => (group, 2),
            Self::Chain(group) => (group, 3),
            Self::Sender(group, _) => (group, 4),
            Self::Desk(group) => (group, 5),
        };
        let mut name = [group.as_bytes().as_slice(), &[kind]].concat();
        if let Self::Sender(_, MemberDevice { account, device, identity }) = self {
            name.extend_from_slice(&account.to_bytes());
            name.extend_from_slice(&device.to_be_bytes());
            name.extend_from_slice(&identity.to_bytes());
        }
        name
    }
}

/// One sealed record, to be stored only if the database still has the expected revision.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// The name of the record.
    pub name: GroupRecordName,
    /// The revision that the database must have now; `None` if it must have no record.
    pub expected: Option<u64>,
    /// The revision of this record.
    pub revision: u64,
    /// The sealed record.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for GroupRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, revision, bytes } = self;
        let mut shown = f.debug_struct("GroupRecord");
        shown.field("name", name).field("expected", expected).field("revision", revision);
        shown.field("length", &bytes.len()).finish()
    }
}

/// One step of storing, in the order of [`GroupChanges::writes`].
#[derive(Clone, Copy, Debug)]
pub enum GroupChange<'a> {
    /// Put the block, under its id. It is new: no other has its id.
    Put(&'a Block),
    /// Put the record in place of the one of the expected revision, by compare-and-swap.
    Record(&'a GroupRecord),
    /// Delete the block of this id.
    Delete(BlockId),
    /// Delete the record of this name: nothing of this sender can be read any more.
    Remove(GroupRecordName),
}

/// Everything that has changed.
///
/// One transaction may hold all of it. A store without transactions takes the [writes](Self::writes) in their order, each
/// durable before the next. If a record is refused because the database has another revision than expected, another worker
/// was faster: write no more of it, drop the group in memory, load it again, and repeat the operation.
#[must_use = "what was changed is not stored"]
pub struct GroupChanges {
    records: Vec<GroupRecord>,
    parts: Option<SealedParts>,
    removed: Vec<GroupRecordName>,
    sealed: Vec<SealedRecord>,
    proof: Proof,
}

enum Proof {
    Desk(SealedRecord),
    Unchanged(held::Origin),
}

/// Proof that a group's records were stored; comes only from [`GroupChanges::stored`].
#[derive(Debug)]
#[must_use = "it releases what was held when the records were sealed"]
pub struct StoredGroup {
    pub(super) desk: Stored,
    revisions: Vec<(GroupRecordName, u64)>,
    removed: Vec<GroupRecordName>,
}

impl GroupChanges {
    /// Everything to store, in this order: blocks, records, of which the desk is the last, and deletions. A crash between any
    /// two leaves a group that opens; what was made and not stored was not sent either.
    pub fn writes(&self) -> impl Iterator<Item = GroupChange<'_>> {
        let Self { records, parts, removed, sealed: _, proof: _ } = self;
        let blocks = parts.iter().flat_map(|parts| parts.blocks()).map(GroupChange::Put);
        let ended = parts.iter().flat_map(|parts| parts.ended()).copied().map(GroupChange::Delete);
        let removed = removed.iter().copied().map(GroupChange::Remove);
        blocks.chain(records.iter().map(GroupChange::Record)).chain(ended).chain(removed)
    }

    /// Confirms that the database has stored all of it.
    pub fn stored(self) -> StoredGroup {
        let Self { records, parts, removed, sealed, proof } = self;
        drop(parts.map(SealedParts::stored));
        sealed.into_iter().for_each(|record| drop(record.stored()));
        let desk = match proof {
            Proof::Desk(record) => record.stored(),
            Proof::Unchanged(origin) => held::stored(origin),
        };
        let revisions = records.iter().map(|record| (record.name, record.revision)).collect();
        StoredGroup { desk, revisions, removed }
    }
}

impl fmt::Debug for GroupChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.writes()).finish()
    }
}

impl Group {
    /// Seals what changed since it was last stored: for most operations the desk, of a few hundred bytes, and one chain. Uses
    /// 24 bytes of `rng` for each record and each block.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`] if `key` is not the one of the group's records: see [`move_to_key`](Self::move_to_key).
    /// Nothing has changed then, but that some parts may be sealed under the key that is theirs.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupChanges, SealError> {
        self.desk.lineage.admit(key)?;
        let id = self.id();
        self.lists.note_senders(self.senders.keys());
        let (mut records, mut sealed, mut parts) = (Vec::new(), Vec::new(), None);
        let stored = &self.stored;
        let is_stored = |name: GroupRecordName, revision| stored.get(&name) == Some(&revision);
        let record = |name: GroupRecordName, revision, bytes: &[u8]| {
            let expected = stored.get(&name).copied();
            GroupRecord { name, expected, revision, bytes: bytes.to_vec() }
        };
        let (name, revision) = (GroupRecordName::Members(id), self.membership.revision());
        if !is_stored(name, revision) {
            let made = self.membership.seal(key, &mut rng)?;
            records.push(record(name, revision, made.head()));
            parts = Some(made);
        }
        for (sender, chains) in &mut self.senders {
            let (name, revision) = (GroupRecordName::Sender(id, *sender), chains.revision());
            if !is_stored(name, revision) {
                let made = chains.seal(key, &name.to_bytes(), &mut rng)?;
                records.push(record(name, revision, made.as_bytes()));
                sealed.push(made);
            }
        }
        if let Some(chain) = &mut self.chain {
            let (name, revision) = (GroupRecordName::Chain(id), chain.revision());
            if !is_stored(name, revision) {
                let made = chain.seal(key, &name.to_bytes(), &mut rng)?;
                records.push(record(name, revision, made.as_bytes()));
                sealed.push(made);
            }
        }
        let (name, revision) = (GroupRecordName::Devices(id), self.lists.lineage.revision());
        if !is_stored(name, revision) {
            let made = self.lists.seal(key, &name.to_bytes(), &mut rng)?;
            records.push(record(name, revision, made.as_bytes()));
            sealed.push(made);
        }
        let (name, revision) = (GroupRecordName::Desk(id), self.desk.lineage.revision());
        let proof = if is_stored(name, revision) && records.is_empty() {
            Proof::Unchanged(self.desk.lineage.origin())
        } else {
            let made = self.desk.seal(key, &mut rng)?;
            records.push(record(name, revision, made.as_bytes()));
            Proof::Desk(made)
        };
        let gone = |name: &&GroupRecordName| match name {
            GroupRecordName::Sender(_, sender) => !self.senders.contains_key(sender),
            GroupRecordName::Members(_)
            | GroupRecordName::Devices(_)
            | GroupRecordName::Chain(_)
            | GroupRecordName::Desk(_) => false,
        };
        let removed = self.stored.keys().filter(gone).copied().collect();
        Ok(GroupChanges { records, parts, removed, sealed, proof })
    }

    /// Takes the proof that the changes are stored: the [inbox](Self::inbox) has what they gave. Returns whether the proof
    /// is of this value.
    pub fn stored(&mut self, stored: &StoredGroup) -> bool {
        let StoredGroup { desk, revisions, removed } = stored;
        let Some(revision) = held::revision_of(desk, &self.desk.lineage.origin()) else { return false };
        self.desk.stored(revision);
        for (name, revision) in revisions {
            let known = self.stored.entry(*name).or_default();
            *known = (*known).max(*revision);
        }
        self.stored.retain(|name, _| !removed.contains(name));
        true
    }

    /// Takes `key` for all further records. Counts as a change. Seal and store the group next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.membership.move_to_key(key);
        self.senders.values_mut().for_each(|chains| chains.move_to_key(key));
        self.chain.iter_mut().for_each(|chain| chain.move_to_key(key));
        self.lists.lineage.move_to_key(key);
        self.desk.lineage.move_to_key(key);
    }

    /// Opens the group `id` (P-15.14): `records` and `blocks` look up what is asked for in the caller's store. What waits for the
    /// program is in the [inbox](Self::inbox), and what was not [handed over](Self::handed) is given out with the next
    /// [flush](Self::flush) again.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if a record is missing, or was sealed with another key, was changed, or belongs to another
    /// group; [`UnsealError::MissingBlock`] if `blocks` did not give one; [`UnsealError::UnknownVersion`] if a later version
    /// of this library sealed it.
    pub fn unseal(
        key: &StorageKey,
        id: GroupId,
        mut records: impl FnMut(GroupRecordName) -> Option<Vec<u8>>,
        blocks: impl FnMut(BlockId) -> Option<Vec<u8>>,
    ) -> Result<Self, UnsealError> {
        let mut get = |name| records(name).ok_or(UnsealError::Rejected);
        let membership = Membership::unseal(key, id, &get(GroupRecordName::Members(id))?, blocks)?;
        let devices = GroupRecordName::Devices(id);
        let lists = Lists::unseal(key, &devices.to_bytes(), &get(devices)?)?;
        let desk = Desk::unseal(key, id, &get(GroupRecordName::Desk(id))?)?;
        if *membership.local() != (desk.local.account, desk.local.identity) {
            return Err(UnsealError::Rejected);
        }
        let mut senders = BTreeMap::new();
        let mut stored = BTreeMap::new();
        for sender in lists.senders() {
            let name = GroupRecordName::Sender(id, *sender);
            let chains = ReceivingChains::unseal(key, &name.to_bytes(), &get(name)?)?;
            if chains.sender() != sender || chains.scope().id() != &id {
                return Err(UnsealError::Rejected);
            }
            stored.insert(name, chains.revision());
            senders.insert(*sender, chains);
        }
        let name = GroupRecordName::Chain(id);
        let chain = match records(name) {
            Some(record) => Some(SendingChain::unseal(key, &name.to_bytes(), &record)?),
            None => None,
        };
        if chain.as_ref().is_some_and(|chain| chain.sender() != &desk.local || chain.scope().id() != &id) {
            return Err(UnsealError::Rejected);
        }
        stored.extend(chain.as_ref().map(|chain| (name, chain.revision())));
        stored.insert(GroupRecordName::Members(id), membership.revision());
        stored.insert(devices, lists.lineage.revision());
        stored.insert(GroupRecordName::Desk(id), desk.lineage.revision());
        let signers = lists.signers();
        let (asks, outdated) = (Asks::default(), BTreeMap::new());
        Ok(Self { membership, signers, lists, chain, senders, desk, asks, outdated, stored })
    }
}
