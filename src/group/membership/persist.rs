//! A group's membership as a head and its blocks ([section 13.8](crate::manual::formats#138-groups)).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::act::{Body, HeldBack};
use super::change::Change;
use super::encoding::{read_account, read_array, read_ascending, read_key};
use super::floor::Floor;
use super::limits::CARRIED;
use super::log::Log;
use super::pages::{ActPage, EntryPage, decode_acts, decode_entries};
use super::settle::Again;
use super::state::Carried;
use super::{ActId, Evidence, GroupId, Membership, Settled, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::kind;
use bisik_core::blocks::{self, BlockId, BlockWriter, Place, SealedParts};
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::convert::first;
use bisik_core::held::{Lineage, SealError};
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Membership {
    /// Seals what changed since it was last sealed: a *head* of some hundred bytes, and blocks of about 8 KiB of entries
    /// and acts, of which one or two are new. The head is sealed under the group's id, which names it in the store too.
    /// Uses 24 bytes of `rng`, and 24 for each new block. What waits [aside](Self::aside) is not stored.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`] if `key` is not the one of the group's records: see [`move_to_key`](Self::move_to_key).
    /// Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedParts, SealError> {
        let sealing = self.lineage.seal(key)?;
        let mut writer = BlockWriter::new(key, sealing, first(self.log.group.as_bytes()), &mut rng);
        let Self { log, acts, pages, floor, evidence, ended, .. } = self;
        pages.arrange(log.entries(), acts, ended);
        pages.write(log.entries(), acts, &mut writer, ended)?;
        if let Some(Settled { epoch: _, floor: _, bytes, place }) = floor
            && !writer.name(place)
        {
            writer.put(kind::GROUP_FLOOR, place, ended, bytes);
        }
        if let Some(evidence) = evidence
            && !writer.name(&evidence.place)
        {
            let content = evidence.encode();
            writer.put(kind::GROUP_EVIDENCE, &mut evidence.place, ended, &content);
        }
        let mut state = SecretWriter::with_capacity(HEAD);
        self.write_head(writer.revision(), &mut state);
        writer.write_names(&mut state);
        let group = self.log.group;
        Ok(writer.finish(kind::GROUP, group.as_bytes(), &state.finish(), &mut self.ended))
    }

    /// Takes `key` for all further records. Counts as a change. Seal and store the group next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Returns how often the group has changed: whether it has to be stored.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    fn write_head(&self, revision: u64, state: &mut SecretWriter) {
        let (account, device) = &self.local;
        state.u64(revision).bytes(&account.to_bytes()).bytes(&device.to_bytes());
        let mut writer = Writer::with_capacity(HEAD);
        writer.count(self.carried.len());
        for (id, Carried { by, held }) in &self.carried {
            by.write(writer.bytes(id.as_bytes()));
            write_held(held, &mut writer);
        }
        writer.count(self.again.len());
        for Again { stay, body } in &self.again {
            stay.write(&mut writer);
            let mut encoded = Writer::with_capacity(160);
            body.write(&mut encoded);
            let encoded = encoded.finish();
            writer.count(encoded.len()).bytes(&encoded);
        }
        let floor = self.floor.as_ref().map_or(0, |settled| settled.epoch);
        writer.u64(floor).u8(u8::from(self.evidence.is_some()));
        writer.count(self.pages.entries.len()).count(self.pages.acts.len());
        state.bytes(&writer.finish());
    }

    /// Opens the group `id`: its head, and the blocks that it names, which `blocks` looks up in the caller's store. Where a
    /// lookup has to be awaited, get the ids from [`named_blocks`](Self::named_blocks) first. Counts all acts, and verifies
    /// the link of each join.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if a part was sealed with another key, was changed, or belongs to another group;
    /// [`UnsealError::MissingBlock`] if `blocks` did not give one; [`UnsealError::UnknownVersion`] if a later version of
    /// this library sealed it.
    pub fn unseal(
        key: &StorageKey,
        id: GroupId,
        head: &[u8],
        mut blocks: impl FnMut(BlockId) -> Option<Vec<u8>>,
    ) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::GROUP, id.as_bytes(), head)?;
        let (head, names) = Head::read(&state, id)?;
        let mut names = names.into_iter();
        let mut open = |kind| -> Result<_, UnsealError> {
            let id = names.next().ok_or(UnsealError::Rejected)?;
            Ok((Place::stored(id), blocks::open(key, kind, id, blocks(id).as_deref())?))
        };
        let mut entries = Vec::new();
        let mut entry_pages = Vec::new();
        for _ in 0..head.entry_pages {
            let (place, content) = open(kind::GROUP_ENTRIES)?;
            let page = decode_entries(&content)?;
            entry_pages.push(EntryPage::stored(&page, place));
            entries.extend(page);
        }
        let log = Log::stored(entries, id)?;
        let mut opened = Self::of(log, head.local);
        let (mut acts, mut seen) = (Vec::new(), BTreeSet::new());
        for _ in 0..head.act_pages {
            let (place, content) = open(kind::GROUP_ACTS)?;
            let page = decode_acts(&content)?;
            // Every act is on one page, once.
            if !page.iter().all(|act| seen.insert(act.hash)) {
                return Err(UnsealError::Rejected);
            }
            opened.pages.acts.push(ActPage::stored(&page, place));
            acts.extend(page);
        }
        opened.pages.entries = entry_pages;
        if head.floor > 0 {
            let (place, bytes) = open(kind::GROUP_FLOOR)?;
            let floor = Floor::decode(&bytes)?;
            // It is the one that the log names there.
            let names = Change::Settle(Floor::hash(&bytes));
            if !opened.log.at(head.floor).is_some_and(|entry| entry.changes.contains(&names)) {
                return Err(UnsealError::Rejected);
            }
            opened.floor = Some(Settled { epoch: head.floor, floor, bytes: bytes.to_vec(), place });
        }
        if head.has_evidence {
            let (place, bytes) = open(kind::GROUP_EVIDENCE)?;
            opened.evidence = Some(Evidence::decode(&bytes, place)?);
        }
        if names.next().is_some() {
            return Err(UnsealError::Rejected);
        }
        (opened.carried, opened.again) = (head.carried, head.again);
        opened.lineage = head.lineage.under(key);
        opened.restore(acts);
        Ok(opened)
    }

    /// Returns the ids of the blocks that a head names: for stores from which they are fetched before, and to find blocks
    /// that no head names any more.
    ///
    /// # Errors
    ///
    /// As for [`unseal`](Self::unseal), as far as the head alone shows them.
    pub fn named_blocks(key: &StorageKey, id: GroupId, head: &[u8]) -> Result<Vec<BlockId>, UnsealError> {
        let state = storage::unseal(key, kind::GROUP, id.as_bytes(), head)?;
        Ok(Head::read(&state, id)?.1)
    }
}

/// What a head says before the names of its blocks.
struct Head {
    lineage: Lineage,
    local: (AccountKey, IdentityKey),
    carried: BTreeMap<ActId, Carried>,
    again: Vec<Again>,
    /// The epoch of the settling of the floor in force; 0 without one.
    floor: u64,
    has_evidence: bool,
    entry_pages: usize,
    act_pages: usize,
}

impl Head {
    fn read(state: &[u8], id: GroupId) -> Result<(Self, Vec<BlockId>), Malformed> {
        let mut reader = Reader::new(state);
        let lineage = Lineage::read(&mut reader)?;
        let local = (read_account(&mut reader)?, read_key(&mut reader)?);
        let count = reader.count(CARRIED)?;
        let carried = read_ascending(&mut reader, count, |reader| {
            let id = ActId::from_bytes(read_array(reader)?);
            Ok((id, Carried { by: Stay::read(reader)?, held: read_held(reader)? }))
        })?;
        let count = reader.count_of(Stay::LENGTH)?;
        let again = (0..count).map(|_| read_again(&mut reader)).collect::<Result<_, _>>()?;
        let (floor, has_evidence) = (reader.u64()?, reader.flag()?);
        let (entry_pages, act_pages) = (reader.count_of(1)?, reader.count_of(1)?);
        let names = blocks::read_names(reader, first(id.as_bytes()), usize::MAX)?;
        Ok((Self { lineage, local, carried, again, floor, has_evidence, entry_pages, act_pages }, names))
    }
}

fn write_held(held: &HeldBack, writer: &mut Writer) {
    match held {
        HeldBack::Stay(stay) => stay.write(writer.u8(STAY)),
        HeldBack::Link(link) => {
            writer.u8(LINK).bytes(link.as_bytes());
        }
        HeldBack::Endpoint(endpoint, epoch) => {
            writer.u8(ENDPOINT).bytes(&endpoint.to_bytes()).u64(*epoch);
        }
    }
}

fn read_held(reader: &mut Reader<'_>) -> Result<HeldBack, Malformed> {
    match reader.u8()? {
        STAY => Stay::read(reader).map(HeldBack::Stay),
        LINK => read_array(reader).map(|id| HeldBack::Link(ActId::from_bytes(id))),
        ENDPOINT => Ok(HeldBack::Endpoint(read_key(reader)?, reader.u64()?)),
        _ => Err(Malformed),
    }
}

fn read_again(reader: &mut Reader<'_>) -> Result<Again, Malformed> {
    let stay = Stay::read(reader)?;
    let length = reader.count_of(1)?;
    let mut encoded = Reader::new(reader.slice(length)?);
    let kind = encoded.u8()?;
    let body = Body::read(kind, &mut encoded).map_err(|_| Malformed)?;
    encoded.finish()?;
    Ok(Again { stay, body })
}

impl Evidence {
    /// Writes `u32(length) ‖ entry` for both.
    fn encode(&self) -> Vec<u8> {
        let Self { known, rival, place: _ } = self;
        let mut writer = Writer::with_capacity(known.len().saturating_add(rival.len()).saturating_add(8));
        writer.count(known.len()).bytes(known).count(rival.len()).bytes(rival);
        writer.finish()
    }

    fn decode(bytes: &[u8], place: Place) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut entry = || {
            let length = reader.count_of(1)?;
            reader.slice(length).map(<[u8]>::to_vec)
        };
        let (known, rival) = (entry()?, entry()?);
        reader.finish()?;
        Ok(Self { known, rival, place })
    }
}

/// Bytes of a typical head.
const HEAD: usize = 1_024;

const STAY: u8 = 1;
const LINK: u8 = 2;
const ENDPOINT: u8 = 3;
