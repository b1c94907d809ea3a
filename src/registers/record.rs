//! [`Registers`] as a record (docs/formats.md, section 17.4).

use alloc::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;

use super::key::RegisterKey;
use super::limits::{BYTES, MOST, PEERS};
use super::share::Peer;
use super::wire;
use super::{Register, Registers};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord, Stored};
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time;

impl Registers {
    /// Seals everything: one record, to be stored under the account key over one with a lower
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
        let bytes = storage::seal(key, kind::REGISTERS, &self.account.to_bytes(), &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes the proof that a record is stored: [`changes`](Self::changes) has what came before it. Returns whether the proof
    /// is of this value.
    pub fn stored(&mut self, stored: &Stored) -> bool {
        let revision = held::revision_of(stored, &self.lineage.origin());
        revision.into_iter().for_each(|revision| self.durable = self.durable.max(revision));
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

    /// Opens what [`seal`](Self::seal) made. If the record came from a backup, say so: [`restored`](Self::restored).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key, was changed, or is of another account;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(key: &StorageKey, account: AccountKey, record: &[u8]) -> Result<Self, UnsealError> {
        let read = |reader: &mut Reader<'_>| Self::read(account, reader);
        let registers = storage::open(key, kind::REGISTERS, &account.to_bytes(), record, read)?;
        Ok(Self { lineage: registers.lineage.under(key), ..registers })
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { account: _, local, registers, unsent, changed, peers, quiet, lineage, .. } = self;
        writer.u64(lineage.revision()).bytes(&local.to_bytes()).u64(time::to_seconds(*quiet)).count(registers.len());
        for (key, register) in registers {
            wire::write(key, register, writer);
            writer.flag(unsent.contains(key)).flag(changed.contains_key(key));
        }
        writer.count(peers.len());
        for (device, Peer { told, answered, answers, given: _ }) in peers {
            writer.bytes(&device.to_bytes()).u64(time::to_seconds(*told)).u64(time::to_seconds(*answered)).u8(*answers);
        }
    }

    fn read(account: AccountKey, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let device = |bytes| IdentityKey::from_bytes_without_points(bytes).map_err(|_| Malformed);
        let (local, quiet) = (device(reader.array()?)?, time::read_optional(reader)?);
        let mut registers = BTreeMap::<RegisterKey, Register>::new();
        let (mut unsent, mut changed, mut bytes) = (BTreeSet::new(), BTreeMap::new(), 0_usize);
        for _ in 0..reader.count(MOST)? {
            let (key, register) = wire::read(reader)?;
            if registers.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Malformed);
            }
            if reader.flag()? {
                unsent.insert(key.clone());
            }
            if reader.flag()? {
                changed.insert(key.clone(), lineage.revision());
            }
            bytes = bytes.saturating_add(register.size(&key));
            registers.insert(key, register);
        }
        let mut peers = BTreeMap::<IdentityKey, Peer>::new();
        for _ in 0..reader.count(PEERS)? {
            let peer = device(reader.array()?)?;
            if peers.last_key_value().is_some_and(|(last, _)| *last >= peer) || peer == local {
                return Err(Malformed);
            }
            let (told, answered) = (time::read_optional(reader)?, time::read_optional(reader)?);
            peers.insert(peer, Peer { told, answered, answers: reader.u8()?, given: 0 });
        }
        // P-17.10.
        if bytes > BYTES {
            return Err(Malformed);
        }
        let (asked, durable) = (BTreeMap::new(), lineage.revision());
        Ok(Self { account, local, registers, bytes, unsent, changed, peers, asked, quiet, durable, lineage })
    }
}

/// Bytes of most records.
const TYPICAL: usize = 8_192;
