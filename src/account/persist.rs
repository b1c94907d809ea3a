//! An account as one record (docs/formats.md, section 12.6).
//!
//! Does not know where records are kept.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::Account;
use crate::codec::{Malformed, Reader, SecretWriter, Writer};
use crate::device::{DeviceDirectory, Primary};
use crate::hosting::Disclosure;
use crate::keys::{Identity, PreKeys};
use crate::labels::kind;
use crate::storage::{self, StorageKey, UnsealError};

impl Account {
    /// Seals the account where it has changed since the last time: the revision that the database must have, the new one,
    /// and the record. Conversations do this with their own record ([`crate::Conversation::changes`]); it is for changes
    /// beside them.
    pub fn change(&mut self, key: &StorageKey, mut rng: &mut (impl CryptoRng + ?Sized)) -> Option<SealedAccount> {
        if self.stored == Some(self.revision) {
            return None;
        }
        let change = SealedAccount { expected: self.stored, revision: self.revision, bytes: self.seal(key, &mut rng) };
        self.stored = Some(self.revision);
        Some(change)
    }

    fn seal(&self, key: &StorageKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
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

    /// Opens an account's record.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] where key or record is not the one it was sealed with; [`UnsealError::UnknownVersion`] where
    /// a later version sealed it.
    pub fn unseal(key: &StorageKey, record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::ACCOUNT, &[], record)?;
        Self::read(&state).map_err(|Malformed| UnsealError::Rejected)
    }

    fn read(state: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let revision = reader.u64()?;
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

/// An account's record, to be stored only if the database still has the expected revision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was changed is not stored"]
pub struct SealedAccount {
    /// The revision that the database must have now; `None` where it must have no record.
    pub expected: Option<u64>,
    /// The revision of these bytes.
    pub revision: u64,
    /// The record.
    pub bytes: Vec<u8>,
}
