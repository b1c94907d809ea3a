//! A [`Feed`] as a record (docs/formats.md, section 16.5).

use alloc::collections::BTreeMap;

use rand_core::CryptoRng;

use super::feed::{Feed, Source};
use super::limits::{REMEMBERED, SOURCES};
use crate::device::AccountKey;
use crate::group::GroupMessageId;
use crate::group::chain::{ReceivingChains, Scope};
use crate::group::fields::{ascending, read_key};
use crate::group::inbox::Inbox;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord, Stored};
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

impl Feed {
    /// Seals everything: one record, to be stored under the author's account key over one with a lower
    /// [revision](Self::revision). Uses 24 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`] if `key` is not the one of the earlier records: see [`move_to_key`](Self::move_to_key).
    pub fn seal(
        &mut self,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::FEED, &self.author.to_bytes(), &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes the proof that a record is stored: the [inbox](Self::inbox) has what came before it. Returns whether the proof
    /// is of this value.
    pub fn stored(&mut self, stored: &Stored) -> bool {
        let revision = held::revision_of(stored, &self.lineage.origin());
        revision.into_iter().for_each(|revision| self.inbox.stored(revision));
        revision.is_some()
    }

    /// Counts changes: store a record only over one with a lower revision.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// Takes `key` for all further records. Counts as a change. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens the feed of `author`. What waits for the program is in the [inbox](Self::inbox).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key, was changed, or is of another author;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(key: &StorageKey, author: AccountKey, record: &[u8]) -> Result<Self, UnsealError> {
        let read = |reader: &mut Reader<'_>| Self::read(author, reader);
        let feed = storage::open(key, kind::FEED, &author.to_bytes(), record, read)?;
        Ok(Self { lineage: feed.lineage.under(key), ..feed })
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { author: _, local, sources, heard, inbox, deleted, lacking: _, lineage } = self;
        writer.u64(lineage.revision()).bytes(&local.to_bytes()).u64(*heard).count(sources.len());
        for Source { chains, heard } in sources.values() {
            chains.write(chains.revision(), writer.u64(*heard));
        }
        writer.count(deleted.len());
        for (id, until) in deleted {
            id.write(writer);
            writer.u64(until.as_unix_seconds());
        }
        inbox.write(writer);
    }

    fn read(author: AccountKey, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let (local, heard) = (read_key(reader)?, reader.u64()?);
        let mut sources = BTreeMap::new();
        for _ in 0..reader.count(SOURCES)? {
            let source = Source { heard: reader.u64()?, chains: ReceivingChains::read(reader)? };
            let sender = *source.chains.sender();
            let Scope::Audience(id) = source.chains.scope() else { return Err(Malformed) };
            // P-16.11.
            if sender.account != author || sender.identity == local || source.heard > heard {
                return Err(Malformed);
            }
            ascending(sources.last_key_value().map(|(last, _)| last), &(id, sender))?;
            sources.insert((id, sender), source);
        }
        let mut deleted = BTreeMap::new();
        for _ in 0..reader.count(REMEMBERED)? {
            let (id, until) = (GroupMessageId::read(reader)?, Timestamp::from_unix_seconds(reader.u64()?));
            ascending(deleted.last_key_value().map(|(last, _)| last), &id)?;
            deleted.insert(id, until);
        }
        let inbox = Inbox::read(lineage.revision(), reader)?;
        Ok(Self { author, local, sources, heard, inbox, deleted, lacking: BTreeMap::new(), lineage })
    }
}

/// Bytes of most records.
const TYPICAL: usize = 4_096;
