//! An [`Audience`] as a record (docs/formats.md, section 16.5).

use alloc::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;

use super::audience::{Audience, Word};
use super::limits::{ENTRIES, MEMBERS};
use crate::device::AccountKey;
use crate::group::GroupId;
use crate::group::chain::{Scope, SendingChain};
use crate::group::fields::{ascending, read_key, read_member, write_member};
use crate::group::outbox::Outbox;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Audience {
    /// Seals everything: one record, to be stored under the audience's id over one with a lower
    /// [revision](Self::revision). Uses 24 bytes of `rng`. A record of the audience with its chain has 0.7 KB, 73 bytes for
    /// each account, and 65 for each device that has the chain.
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
        let bytes = storage::seal(key, kind::AUDIENCE, self.id.as_bytes(), &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
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

    /// Opens the audience `id`. What was not [handed over](Self::handed) is given out with the next [flush](Self::flush)
    /// again. If the record came from a backup, say so: [`restored`](Self::restored).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key, was changed, or is of another audience;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(key: &StorageKey, id: GroupId, record: &[u8]) -> Result<Self, UnsealError> {
        let audience = storage::open(key, kind::AUDIENCE, id.as_bytes(), record, |reader| Self::read(id, reader))?;
        Ok(Self { lineage: audience.lineage.under(key), ..audience })
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { id: _, local, entries, hosted, chain, outbox, lacking: _, given_again: _, lineage } = self;
        writer.u64(lineage.revision());
        write_member(local, writer);
        writer.flag(*hosted).count(entries.len());
        for (account, Word { version, included }) in entries {
            writer.bytes(&account.to_bytes()).u64(*version).flag(*included);
        }
        writer.flag(chain.is_some());
        if let Some(chain) = chain {
            chain.write(writer);
        }
        outbox.write(writer);
    }

    fn read(id: GroupId, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let (local, hosted) = (read_member(reader)?, reader.flag()?);
        let mut entries = BTreeMap::new();
        for _ in 0..reader.count(ENTRIES)? {
            let account = AccountKey::from_identity(read_key(reader)?);
            ascending(entries.last_key_value().map(|(last, _)| last), &account)?;
            let word = Word { version: reader.u64()?, included: reader.flag()? };
            if account == local.account {
                return Err(Malformed);
            }
            entries.insert(account, word);
        }
        let chain = if reader.flag()? { Some(SendingChain::read(reader)?) } else { None };
        // P-16.11.
        let is_other = |chain: &SendingChain| *chain.sender() != local || chain.scope() != Scope::Audience(id);
        let many = entries.values().filter(|word| word.included).count() > MEMBERS;
        if many || chain.as_ref().is_some_and(is_other) {
            return Err(Malformed);
        }
        let (lacking, given_again) = (BTreeSet::new(), BTreeMap::new());
        Ok(Self { id, local, entries, hosted, chain, outbox: Outbox::read(reader)?, lacking, given_again, lineage })
    }
}

/// Bytes of most records.
const TYPICAL: usize = 8_192;
