//! A conversation as one record, and the records that one operation changes (docs/formats.md, section 12.6).
//!
//! The application's database is the store, with compare-and-swap.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::link::Link;
use super::pending::Pending;
use super::sent::{SentMessages, read_device, write_device};
use super::{Conversation, ConversationId, IdentityPolicy, StoredConversation};
use crate::account::{Account, SealedAccount};
use crate::device::DeviceDirectory;
use crate::hosting::LabelState;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::held::{self, Lineage, Origin, SealError};
use bisik_core::storage::{self, StorageKey, UnsealError};

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

/// The records that changed. Store all of them in one transaction, or none.
///
/// If the database has another revision than expected, another worker was faster: drop the values in memory, load them
/// again, and repeat the operation.
#[derive(Debug)]
#[must_use = "what was changed is not stored"]
pub struct Changes {
    records: Vec<Record>,
    removed: Option<RecordName>,
    origin: Origin,
}

impl Changes {
    /// Returns the records, one or two of them.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the name of a record to remove in the same transaction: the peer's account key has changed, and the name
    /// with it.
    #[must_use]
    pub const fn removed(&self) -> Option<RecordName> {
        self.removed
    }

    /// Confirms that the database has stored all of them.
    pub fn stored(self) -> StoredConversation {
        let Self { records: _, removed: _, origin } = self;
        StoredConversation(held::stored(origin))
    }
}

impl Conversation {
    /// Seals what changed since it was last sealed: the conversation, under its id, and the account, if its pre-keys or
    /// devices changed. Uses 24 bytes of `rng` for each record.
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
        let mut records = Vec::new();
        if let Some(SealedAccount { expected, revision, bytes }) = account.seal(key, &mut rng)? {
            records.push(Record { name: RecordName::Account, expected, revision, bytes });
        }
        let revision = self.lineage.revision();
        if self.stored != Some(revision) {
            let bytes = self.seal_record(key, &mut rng);
            let name = RecordName::Conversation(self.id);
            records.push(Record { name, expected: self.stored, revision, bytes });
            self.stored = Some(revision);
        }
        let removed = self.former.take().map(RecordName::Conversation);
        Ok(Changes { records, removed, origin: self.origin() })
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change. Move the account too
    /// ([`Account::move_to_key`]), then seal and store both.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    fn seal_record(&self, key: &StorageKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let Self { id, peer, links, sent, pending, label, policy, unacknowledged, lineage, stored: _, former: _ } =
            self;
        let mut writer = SecretWriter::with_capacity(2_048);
        writer.u64(lineage.revision()).flag(matches!(policy, IdentityPolicy::Block)).flag(*unacknowledged);
        let mut public = Writer::with_capacity(512);
        peer.encode(&mut public);
        writer.bytes(&public.finish());
        writer.count(links.len());
        for (device, link) in links {
            write_device(*device, &mut writer);
            link.write(&mut writer);
        }
        let label = label.encode();
        writer.count(label.len()).bytes(&label);
        sent.write(&mut writer);
        pending.write(&mut writer);
        storage::seal(key, kind::CONVERSATION, id.as_bytes(), &writer.finish(), rng)
    }

    /// Opens the record of the conversation `id`.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key, was changed, or belongs to another
    /// conversation;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(account: &Account, key: &StorageKey, id: ConversationId, record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::CONVERSATION, id.as_bytes(), record)?;
        let read = Self::read(&state, id).map_err(|Malformed| UnsealError::Rejected)?;
        let conversation = Self { lineage: read.lineage.under(key), ..read };
        let expected = ConversationId::between(account.key(), conversation.peer.account());
        if expected == id { Ok(conversation) } else { Err(UnsealError::Rejected) }
    }

    fn read(state: &[u8], id: ConversationId) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let lineage = Lineage::read(&mut reader)?;
        let policy = if reader.flag()? { IdentityPolicy::Block } else { IdentityPolicy::Notify };
        let unacknowledged = reader.flag()?;
        let peer = DeviceDirectory::decode(&mut reader)?;
        let mut links = BTreeMap::new();
        for _ in 0..reader.count_of(LINK)? {
            let device = read_device(&mut reader)?;
            if links.last_key_value().is_some_and(|(last, _)| *last >= device) {
                return Err(Malformed);
            }
            links.insert(device, Link::read(&mut reader)?);
        }
        let length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let label = LabelState::decode(*peer.account(), reader.slice(length)?)?;
        let sent = SentMessages::read(&mut reader)?;
        let pending = Pending::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            id,
            peer,
            links,
            sent,
            pending,
            label,
            policy,
            unacknowledged,
            stored: Some(lineage.revision()),
            lineage,
            former: None,
        })
    }
}

/// Bytes of a link without sessions.
const LINK: usize = 5 + 64 + 8 + 4;
