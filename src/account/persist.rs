//! Sealed records of accounts (docs/formats.md, section 12.6).

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Account;
use super::inbox::Inbox;
use super::tokens::Tokens;
use super::upkeep::Uploads;
use crate::device::{DeviceDirectory, Primary};
use crate::hosting::Promises;
use crate::keys::{Identity, PreKeys};
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::held::{Lineage, SealError};
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

impl Account {
    /// Seals the account if it has changed since it was last sealed: the revision that the database must have, the new
    /// one, and the record. [`crate::Conversation::seal`] does this too, together with the conversation's own record;
    /// call this for changes outside of conversations. Uses 24 bytes of `rng` if there is a record.
    ///
    /// The record has a fixed name, [`RecordName::Account`](crate::conversation::RecordName::Account), so that there is no
    /// `context`: use one storage key for each account.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`] if `key` is not the one of the record before; see [`move_to_key`](Self::move_to_key).
    /// Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<SealedAccount>, SealError> {
        self.lineage.admit(key)?;
        let revision = self.lineage.revision();
        if self.stored == Some(revision) {
            return Ok(None);
        }
        let change = SealedAccount { expected: self.stored, revision, bytes: self.seal_record(key, &mut rng) };
        self.stored = Some(revision);
        Ok(Some(change))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change. Seal and store the account next,
    /// and move each conversation too ([`crate::Conversation::move_to_key`]).
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Whether [`seal`](Self::seal) takes the key.
    pub(crate) fn admits(&self, key: &StorageKey) -> Result<(), SealError> {
        self.lineage.admits(key)
    }

    fn seal_record(&self, key: &StorageKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let Self {
            identity,
            pre_keys,
            devices,
            primary,
            promises,
            uploads,
            tokens,
            inbox,
            claimed_at,
            lineage,
            stored: _,
        } = self;
        let mut writer = SecretWriter::with_capacity(4_096);
        writer.u64(lineage.revision());
        identity.write(&mut writer);
        pre_keys.write(&mut writer);
        let mut public = Writer::with_capacity(512);
        devices.encode(&mut public);
        if let Some(primary) = primary {
            primary.encode(&mut public);
        }
        writer.flag(primary.is_some()).bytes(&public.finish());
        writer.bytes(&promises.encode());
        uploads.encode(&mut writer);
        tokens.encode(&mut writer);
        writer.u64(claimed_at.as_unix_seconds());
        let mut events = Writer::with_capacity(64);
        inbox.encode(&mut events);
        writer.bytes(&events.finish());
        storage::seal(key, kind::ACCOUNT, &[], &writer.finish(), rng)
    }

    /// Decrypts a record of an account.
    ///
    /// # Errors
    ///
    /// * [`UnsealError::Rejected`] if the key or the record is not the one used to seal the account.
    /// * [`UnsealError::UnknownVersion`] if a later version of this library wrote the record.
    pub fn unseal(key: &StorageKey, record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::ACCOUNT, &[], record)?;
        let account = Self::read(&state).map_err(|Malformed| UnsealError::Rejected)?;
        Ok(Self { lineage: account.lineage.under(key), ..account })
    }

    fn read(state: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let lineage = Lineage::read(&mut reader)?;
        let identity = Identity::read(&mut reader)?;
        let pre_keys = PreKeys::read(&mut reader)?;
        let is_primary = reader.flag()?;
        let devices = DeviceDirectory::decode(&mut reader)?;
        let primary = if is_primary { Some(Primary::decode(&mut reader)?) } else { None };
        let promises = Promises::decode(&mut reader)?;
        let mut uploads = Uploads::decode(&mut reader)?;
        uploads.prune(&pre_keys);
        let tokens = Tokens::decode(&mut reader)?;
        let claimed_at = Timestamp::from_unix_seconds(reader.u64()?);
        let inbox = Inbox::decode(&mut reader)?;
        reader.finish()?;
        let fits = pre_keys.owner() == identity.public()
            && primary.as_ref().is_none_or(|primary| {
                primary.account() == devices.account() && primary.account().identity() == identity.public()
            });
        if !fits {
            return Err(Malformed);
        }
        let stored = Some(lineage.revision());
        Ok(Self { identity, pre_keys, devices, primary, promises, uploads, tokens, inbox, claimed_at, lineage, stored })
    }
}

/// The record of an account. Store it only if the database has the expected revision.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "what was changed is not stored"]
pub struct SealedAccount {
    /// The revision that the database must still have; `None` if it must have no record.
    pub expected: Option<u64>,
    /// The revision of this record.
    pub revision: u64,
    /// The record.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for SealedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, revision, bytes } = self;
        let mut shown = f.debug_struct("SealedAccount");
        shown.field("expected", expected).field("revision", revision).field("length", &bytes.len()).finish()
    }
}
