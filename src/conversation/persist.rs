//! A conversation as a head and its blocks, and everything that one operation changes (docs/formats.md, section 12.6).
//!
//! The application's database is the store, with compare-and-swap of one key.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::frame::NUMBERS;
use super::inbox::Inbox;
use super::kept::{KeptMessages, read_device, write_device};
use super::link::Link;
use super::name::Numbers;
use super::piece::{Blocks, Piece};
use super::{Conversation, ConversationId, IdentityPolicy, StoredConversation};
use crate::account::{Account, SealedAccount};
use crate::device::DeviceDirectory;
use crate::hosting::LabelState;
use crate::labels::kind;
use bisik_core::blocks::{self, Block, BlockId, BlockWriter, Ended, Place, SealedParts};
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::convert;
use bisik_core::held::{self, Lineage, Origin, SealError, Sealing};
use bisik_core::storage::{self, RecordKind, StorageKey, UnsealError};

/// Which record of an application's database. The library names these records itself, and seals each under its name: a
/// conversation's record opens only with the conversation's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordName {
    /// The record of this device's account.
    Account,
    /// The record of a conversation.
    Conversation(ConversationId),
}

/// One sealed record, to be stored only if the database still has the expected revision.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The name of the record.
    pub name: RecordName,
    /// The revision that the database must have now; `None` if it must have no record.
    pub expected: Option<u64>,
    /// The revision of this record.
    pub revision: u64,
    /// The sealed record.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, revision, bytes } = self;
        let mut shown = f.debug_struct("Record");
        shown.field("name", name).field("expected", expected).field("revision", revision);
        shown.field("length", &bytes.len()).finish()
    }
}

/// One step of storing, in the order of [`Changes::writes`].
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Put the block, under its id. It is new: no other has its id.
    Put(&'a Block),
    /// Put the record in place of the one of the expected revision, by compare-and-swap.
    Record(&'a Record),
    /// Delete the block of this id: what it held must be gone.
    Delete(BlockId),
    /// Delete the record of this name: the peer's account key has changed, and the name with it.
    Remove(RecordName),
}

/// Everything that has changed: new blocks, one or two records, and what to delete.
///
/// One transaction may hold all of it. A store without transactions takes the [writes](Self::writes) in their order, each
/// durable before the next. If a record is refused because the database has another revision than expected, another
/// worker was faster: write no more of it, drop the values in memory, load them again, and repeat the operation.
#[must_use = "what was changed is not stored"]
pub struct Changes {
    conversation: Option<Record>,
    account: Option<Record>,
    blocks: Vec<Block>,
    ended: Vec<BlockId>,
    removed: Option<RecordName>,
    proof: Proof,
}

/// What storing the changes proves.
enum Proof {
    /// A record with blocks, whose bytes were taken out.
    Sealed(SealedParts),
    /// Nothing but the account has changed.
    Unchanged(Origin),
}

impl Changes {
    /// Everything to store, in this order: blocks, the conversation's head, the removal of its record under a former
    /// name, the account's record, deletions of blocks. A crash between any two leaves a conversation that opens and
    /// loses nothing, except that the head and the removal belong into one transaction: otherwise both records would open.
    /// (What a crash before the account's record leaves is a one-time pre-key that lives on for some days, and never sets
    /// up a session twice.)
    pub fn writes(&self) -> impl Iterator<Item = Change<'_>> {
        let Self { conversation, account, blocks, ended, removed, proof: _ } = self;
        let blocks = blocks.iter().map(Change::Put);
        let head = conversation.iter().map(Change::Record);
        let account = account.iter().map(Change::Record);
        let deletions = ended.iter().copied().map(Change::Delete);
        blocks.chain(head).chain(removed.map(Change::Remove)).chain(account).chain(deletions)
    }

    /// Confirms that the database has stored all of it.
    pub fn stored(self) -> StoredConversation {
        StoredConversation(match self.proof {
            Proof::Sealed(parts) => parts.stored(),
            Proof::Unchanged(origin) => held::stored(origin),
        })
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.writes()).finish()
    }
}

impl Conversation {
    /// Seals what changed since it was last sealed: the conversation, under its id, and the account, if its pre-keys or
    /// devices changed. The conversation is a *head* of some hundred bytes, and a block for each device, each message that
    /// waits for acknowledgements, and each that waits for the program. Only what changed is given. Uses 24 bytes of `rng`
    /// for each record and each block.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`] if `key` is not the one of the conversation's records and of the account's: see
    /// [`move_to_key`](Self::move_to_key). Nothing has changed then.
    pub fn seal(
        &mut self,
        account: &mut Account,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Changes, SealError> {
        account.admits(key)?;
        self.lineage.admit(key)?;
        let account = account.seal(key, &mut rng)?.map(|sealed| {
            let SealedAccount { expected, revision, bytes } = sealed;
            Record { name: RecordName::Account, expected, revision, bytes }
        });
        let removed = self.former.map(|former| RecordName::Conversation(former.id));
        let revision = self.lineage.revision();
        // Only what the database certainly has needs no record: storing may have failed.
        if self.stored == Some(revision) && removed.is_none() {
            let proof = Proof::Unchanged(self.origin());
            return Ok(Changes { conversation: None, account, blocks: Vec::new(), ended: Vec::new(), removed, proof });
        }
        let sealing = self.lineage.seal(key)?;
        let parts = self.seal_parts(sealing, key, &mut rng);
        let (name, expected) = (RecordName::Conversation(self.id), self.stored);
        let conversation = Some(Record { name, expected, revision, bytes: parts.head().to_vec() });
        let (blocks, ended) = (parts.blocks().to_vec(), parts.ended().to_vec());
        Ok(Changes { conversation, account, blocks, ended, removed, proof: Proof::Sealed(parts) })
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change. Move the account too
    /// ([`Account::move_to_key`]), then seal and store both.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    fn seal_parts(&mut self, sealing: Sealing, key: &StorageKey, rng: &mut dyn CryptoRng) -> SealedParts {
        let mut writer = BlockWriter::new(key, sealing, prefix(self.id), rng);
        let Self { peer, label, place, links, kept, inbox, ended, .. } = self;
        let mut blocks = Blocks { writer: &mut writer, ended, named: Vec::new() };
        if !blocks.writer.name(place) {
            let mut public = Writer::with_capacity(512);
            peer.encode(&mut public);
            let label = label.encode();
            public.count(label.len()).bytes(&label);
            blocks.writer.put(kind::CONVERSATION_PEER, place, blocks.ended, &public.finish());
        }
        blocks.named.extend(place.id());
        for link in links.values_mut() {
            link.write(kind::CONVERSATION_LINK, &mut blocks, Link::encode);
        }
        kept.write_bodies(&mut blocks);
        inbox.write_bodies(&mut blocks);
        let Blocks { writer: _, ended, named } = blocks;
        // What the record before named, and no other will.
        for id in &self.named {
            if !named.contains(id) {
                ended.end(&mut Place::stored(*id));
            }
        }
        self.named = named;
        let mut state = SecretWriter::with_capacity(HEAD);
        self.write_head(&writer, &mut state);
        writer.finish(kind::CONVERSATION, self.id.as_bytes(), &state.finish(), &mut self.ended)
    }

    fn write_head(&self, blocks: &BlockWriter<'_>, writer: &mut SecretWriter) {
        let Self { links, kept, numbers, inbox, policy, accepted, shares_group, requested, .. } = self;
        let Self { reacts, unacknowledged, .. } = self;
        writer.u64(self.lineage.revision()).flag(matches!(policy, IdentityPolicy::Block)).flag(*unacknowledged);
        writer.u8(u8::from(*accepted) | if *shares_group { SHARES_GROUP } else { 0 });
        writer.flag(*requested).flag(*reacts).u64(numbers.last).u64(self.batch);
        writer.count(self.named.len());
        blocks.write_names(writer);
        writer.count(links.len());
        for device in links.keys() {
            write_device(*device, writer);
        }
        kept.write(writer);
        inbox.write(writer);
    }

    /// Opens the conversation `id`: its head, and the blocks that it names, which `blocks` looks up in the caller's store.
    /// Where a lookup has to be awaited, get the ids from [`named_blocks`](Self::named_blocks) first. What waits for the
    /// program is in the [inbox](Self::inbox).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if a part was sealed with another key, was changed, or belongs to another conversation;
    /// [`UnsealError::MissingBlock`] if `blocks` did not give one;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(
        account: &Account,
        key: &StorageKey,
        id: ConversationId,
        head: &[u8],
        mut blocks: impl FnMut(BlockId) -> Option<Vec<u8>>,
    ) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::CONVERSATION, id.as_bytes(), head)?;
        let named = Self::read_names(&state, id)?;
        let mut rest = named.iter();
        let mut open = |kind| -> Result<Opened, UnsealError> {
            let id = *rest.next().ok_or(UnsealError::Rejected)?;
            Ok((id, blocks::open(key, kind, id, blocks(id).as_deref())?))
        };
        let read = Self::read(&state, id, &mut open)?;
        if rest.next().is_some() || ConversationId::between(account.key(), read.peer.account()) != id {
            return Err(UnsealError::Rejected);
        }
        Ok(Self { lineage: read.lineage.under(key), named, ..read })
    }

    /// Returns the ids of the blocks that a head names: for stores from which they are fetched before, and to find
    /// blocks that no head names any more.
    ///
    /// # Errors
    ///
    /// As for [`unseal`](Self::unseal), as far as the head alone shows them.
    pub fn named_blocks(key: &StorageKey, id: ConversationId, head: &[u8]) -> Result<Vec<BlockId>, UnsealError> {
        Ok(Self::read_names(&storage::unseal(key, kind::CONVERSATION, id.as_bytes(), head)?, id)?)
    }

    fn read_names(state: &[u8], id: ConversationId) -> Result<Vec<BlockId>, Malformed> {
        let mut reader = Reader::new(state);
        let _ = Beginning::read(&mut reader)?;
        names(&mut reader, id)
    }

    fn read(
        state: &[u8],
        id: ConversationId,
        mut open: impl FnMut(RecordKind) -> Result<Opened, UnsealError>,
    ) -> Result<Self, UnsealError> {
        let mut reader = Reader::new(state);
        let Beginning { lineage, flags, contact, numbers, batch } = Beginning::read(&mut reader)?;
        let [blocks, unacknowledged, requested, reacts] = flags;
        let (accepted, shares_group) = (contact & ACCEPTED != 0, contact & SHARES_GROUP != 0);
        let policy = if blocks { IdentityPolicy::Block } else { IdentityPolicy::Notify };
        let _names = names(&mut reader, id)?;
        let (place, public) = open(kind::CONVERSATION_PEER)?;
        let (peer, label) = read_public(&public)?;
        let mut links = BTreeMap::new();
        for _ in 0..reader.count_of(DEVICE)? {
            let device = read_device(&mut reader)?;
            if links.last_key_value().is_some_and(|(last, _)| *last >= device) {
                return Err(UnsealError::Rejected);
            }
            let (block, link) = open(kind::CONVERSATION_LINK)?;
            links.insert(device, Piece::stored(Link::decode(&link)?, block));
        }
        let kept = KeptMessages::read(&mut reader, || open(kind::CONVERSATION_BODY))?;
        // Every further number is above those that were given, and a frame can say it.
        if numbers.last >= NUMBERS || kept.highest().is_some_and(|highest| highest > numbers.last) {
            return Err(UnsealError::Rejected);
        }
        let revision = lineage.revision();
        let inbox = Inbox::read(&mut reader, revision, || open(kind::CONVERSATION_INBOX))?;
        reader.finish()?;
        Ok(Self {
            id,
            peer,
            links,
            kept,
            numbers,
            inbox,
            ephemeral: VecDeque::new(),
            batch,
            label,
            policy,
            accepted,
            shares_group,
            requested,
            reacts,
            unacknowledged,
            stored: Some(revision),
            durable: revision,
            lineage,
            former: None,
            place: Place::stored(place),
            named: Vec::new(),
            ended: Ended::default(),
            reconciled: None,
        })
    }
}

/// The names of the blocks, which a head has before everything that needs them.
fn names(reader: &mut Reader<'_>, id: ConversationId) -> Result<Vec<BlockId>, Malformed> {
    let length = reader.count_of(NAME)?.checked_mul(NAME).ok_or(Malformed)?;
    blocks::read_names(Reader::new(reader.slice(length)?), prefix(id), usize::MAX)
}

/// A block that was opened: its name and its content.
type Opened = (BlockId, Zeroizing<Vec<u8>>);

/// Bits of `contact` in a head.
const ACCEPTED: u8 = 1;
const SHARES_GROUP: u8 = 2;

/// What a head says before the names of the blocks.
struct Beginning {
    lineage: Lineage,
    flags: [bool; 4],
    contact: u8,
    numbers: Numbers,
    batch: u64,
}

impl Beginning {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let (blocks, unacknowledged) = (reader.flag()?, reader.flag()?);
        let contact = reader.u8()?;
        if contact & !(ACCEPTED | SHARES_GROUP) != 0 {
            return Err(Malformed);
        }
        let flags = [blocks, unacknowledged, reader.flag()?, reader.flag()?];
        Ok(Self { lineage, flags, contact, numbers: Numbers { last: reader.u64()? }, batch: reader.u64()? })
    }
}

/// The peer's devices and the label.
fn read_public(bytes: &[u8]) -> Result<(DeviceDirectory, LabelState), Malformed> {
    let mut reader = Reader::new(bytes);
    let peer = DeviceDirectory::decode(&mut reader)?;
    let length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
    let label = LabelState::decode(*peer.account(), reader.slice(length)?)?;
    reader.finish()?;
    Ok((peer, label))
}

/// What the ids of the blocks of a conversation begin with.
fn prefix(id: ConversationId) -> [u8; 8] {
    convert::first(id.as_bytes())
}

/// Bytes of a device's address.
const DEVICE: usize = 5;
/// Bytes of a block's name in a head.
const NAME: usize = 8;
/// Capacity in bytes for a head, so that the buffer rarely grows.
const HEAD: usize = 1_024;
