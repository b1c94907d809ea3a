//! Sealed records of accounts (docs/formats.md, section 12.6).

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::Account;
use crate::device::{DeviceDirectory, Primary};
use crate::hosting::Disclosure;
use crate::keys::{Identity, PreKeys};
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::revision;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Account {
    /// Seals the account if it has changed since it was last sealed: the revision that the database must have, the new
    /// one, and the record. [`crate::Conversation::seal`] does this too, together with the conversation's own record;
    /// call this for changes outside of conversations. Uses 24 bytes of `rng` if there is a record.
    ///
    /// The record has a fixed name, [`RecordName::Account`](crate::conversation::RecordName::Account), so that there is no
    /// `context`: use one storage key for each account.
    pub fn seal(&mut self, key: &StorageKey, mut rng: &mut (impl CryptoRng + ?Sized)) -> Option<SealedAccount> {
        if self.stored == Some(self.revision) {
            return None;
        }
        let change =
            SealedAccount { expected: self.stored, revision: self.revision, bytes: self.seal_record(key, &mut rng) };
        self.stored = Some(self.revision);
        Some(change)
    }

    fn seal_record(&self, key: &StorageKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let Self { identity, pre_keys, devices, primary, disclosure, published, revision, stored: _ } = self;
        let mut writer = SecretWriter::with_capacity(4_096);
        writer.u64(*revision).flag(*published);
        identity.write(&mut writer);
        pre_keys.write(&mut writer);
        let mut public = Writer::with_capacity(512);
        devices.encode(&mut public);
        if let Some(primary) = primary {
            primary.encode(&mut public);
        }
        writer.flag(primary.is_some()).bytes(&public.finish());
        let disclosure = disclosure.as_ref().map(Disclosure::to_bytes).unwrap_or_default();
        writer.count(disclosure.len()).bytes(&disclosure);
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
        Self::read(&state).map_err(|Malformed| UnsealError::Rejected)
    }

    fn read(state: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let revision = revision::read(&mut reader)?;
        let published = reader.flag()?;
        let identity = Identity::read(&mut reader)?;
        let pre_keys = PreKeys::read(&mut reader)?;
        let is_primary = reader.flag()?;
        let devices = DeviceDirectory::decode(&mut reader)?;
        let primary = if is_primary { Some(Primary::decode(&mut reader)?) } else { None };
        let disclosure = match reader.count(Disclosure::LONGEST)? {
            0 => None,
            length => Some(Disclosure::from_bytes(reader.slice(length)?).map_err(|_| Malformed)?),
        };
        reader.finish()?;
        let fits = pre_keys.owner() == identity.public()
            && primary.as_ref().is_none_or(|primary| {
                primary.account() == devices.account() && primary.account().identity() == identity.public()
            });
        if !fits {
            return Err(Malformed);
        }
        Ok(Self { identity, pre_keys, devices, primary, disclosure, published, revision, stored: Some(revision) })
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
