//! [`PreKeys`] as one sealed record (docs/formats.md, "Pre-keys of the Signal protocol").
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::key::{IdentityKey, PublicKey};
use super::limits::{MAX_BASE_KEYS, MAX_ONE_TIME, MAX_SIGNED};
use super::prekeys::{PreKeys, Signed};
use super::ratchet::{read_pair, write_pair};
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::revision;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl PreKeys {
    /// Seals the pre-keys into one record: 229 bytes, 136 more for each older signed pre-key, 68 for each one-time
    /// pre-key, and 32 for each session that used none. Uses 24 bytes of `rng`.
    ///
    /// `context` names the record in the caller's store; the same must be given to [`PreKeys::unseal`].
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let pairs = self.one_time.len().saturating_mul(PAIR);
        let mut writer = SecretWriter::with_capacity(pairs.saturating_add(TYPICAL));
        self.write(&mut writer);
        storage::seal(key, kind::PRE_KEYS, context, &writer.finish(), &mut rng)
    }

    /// Opens what [`PreKeys::seal`] made.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::PRE_KEYS, context, record, Self::read)
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { owner, signed, one_time, next_one_time, revision } = self;
        writer.bytes(owner.key().as_raw()).u64(*revision).u32(*next_one_time);
        writer.count(signed.len());
        for signed in signed {
            signed.write(writer);
        }
        writer.count(one_time.len());
        for (id, pair) in one_time {
            writer.u32(*id);
            write_pair(writer, pair);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let owner = IdentityKey::from(PublicKey::decode_raw(reader.array()?)?);
        let revision = revision::read(reader)?;
        let next_one_time = reader.u32()?;
        let mut signed = Vec::<Box<Signed>>::new();
        for _ in 0..reader.count(MAX_SIGNED)? {
            let next = Signed::read(reader)?;
            if signed.iter().any(|known| known.id == next.id) {
                return Err(Malformed);
            }
            signed.push(next);
        }
        if signed.is_empty() {
            return Err(Malformed);
        }
        let mut one_time = BTreeMap::new();
        for _ in 0..reader.count(MAX_ONE_TIME)? {
            let id = reader.u32()?;
            if one_time.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(Malformed);
            }
            one_time.insert(id, read_pair(reader)?);
        }
        Ok(Self { owner, signed, one_time, next_one_time, revision })
    }
}

impl Signed {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { id, pair, signature, base_keys } = self;
        writer.u32(*id);
        write_pair(writer, pair);
        writer.bytes(signature).count(base_keys.len());
        for base_key in base_keys {
            writer.bytes(base_key.as_raw());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let id = reader.u32()?;
        let pair = read_pair(reader)?;
        let signature = *reader.array()?;
        let mut base_keys = VecDeque::new();
        for _ in 0..reader.count(MAX_BASE_KEYS)? {
            base_keys.push_back(PublicKey::decode_raw(reader.array()?)?);
        }
        Ok(Box::new(Self { id, pair, signature, base_keys }))
    }
}

/// Bytes of a one-time pre-key with its id.
const PAIR: usize = 4 + 64;
/// Bytes of everything else, generously: avoids growing the buffer.
const TYPICAL: usize = 2_048;
