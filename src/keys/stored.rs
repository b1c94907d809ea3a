//! Sealed records of [`PreKeys`] (docs/formats.md, section 6.3).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::IdentityKey;
use super::prekey::{Generation, OneTime};
use super::prekeys::PreKeys;
use super::replay::ReplayMemory;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::ed25519::SignaturePublicKey;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, KeyPair};
use bisik_core::revision;
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::{self, Timestamp};

impl PreKeys {
    /// Encrypts the pre-keys into a record: 345 bytes, and 200 for each one-time pair.
    ///
    /// `context` names the record in the caller's store; pass the same to [`PreKeys::unseal`].
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut writer =
            SecretWriter::with_capacity(512_usize.saturating_add(self.one_time.len().saturating_mul(PAIR)));
        self.write(&mut writer);
        storage::seal(key, kind::PRE_KEYS, context, &writer.finish(), &mut rng)
    }

    /// Decrypts a record of [`PreKeys::seal`].
    ///
    /// # Errors
    ///
    /// * [`UnsealError::Rejected`] if the key, the context or the record is not the one used in `seal`.
    /// * [`UnsealError::UnknownVersion`] if a later version of this library wrote the record.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::PRE_KEYS, context, record, Self::read)
    }

    /// Writes the encoding of section 6.3, for the record of pre-keys or of an account.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        let Self { owner, signing: _, older, current, one_time, revision } = self;
        writer.bytes(&owner.to_bytes()).u64(*revision);
        writer.count(older.len());
        for generation in older {
            generation.encode(writer);
        }
        current.encode(writer);
        writer.count(one_time.len());
        for (id, pair) in one_time {
            writer.u32(*id);
            pair.encode(writer);
        }
    }

    /// Reads the encoding that [`PreKeys::write`] writes.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let owner = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let signing = SignaturePublicKey::decode(owner.signing()).map_err(|_| Malformed)?;
        let revision = revision::read(reader)?;
        let mut older = Vec::new();
        for _ in 0..reader.count_of(GENERATION)? {
            let mut generation = Generation::decode(reader)?;
            // A clock may have stood at 0 when it was replaced.
            generation.replaced = Some(generation.replaced.unwrap_or(Timestamp::from_unix_seconds(0)));
            older.push(generation);
        }
        let current = Generation::decode(reader)?;
        if current.replaced.is_some() {
            return Err(Malformed);
        }
        let mut one_time = BTreeMap::new();
        for _ in 0..reader.count_of(PAIR)? {
            let id = reader.u32()?;
            if one_time.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(Malformed);
            }
            one_time.insert(id, OneTime::decode(reader)?);
        }
        Ok(Self { owner, signing, older, current, one_time, revision })
    }
}

impl Generation {
    fn encode(&self, writer: &mut SecretWriter) {
        let Self { id, created, expires, signed, last_resort, signature, replaced, seen } = self;
        writer.u32(*id).u64(created.as_unix_seconds()).u64(expires.as_unix_seconds());
        encode_pair(writer, signed);
        writer.bytes(last_resort.expose()).bytes(signature);
        writer.u64(time::to_seconds(*replaced));
        writer.count(seen.entries().len());
        for entry in seen.entries() {
            writer.bytes(entry);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let id = reader.u32()?;
        let created = Timestamp::from_unix_seconds(reader.u64()?);
        let expires = Timestamp::from_unix_seconds(reader.u64()?);
        let signed = decode_pair(reader)?;
        let last_resort = Secret::copy_of(reader.array()?);
        let signature = *reader.array()?;
        let replaced = time::read_optional(reader)?;
        let mut entries = BTreeSet::new();
        for _ in 0..reader.count_of(16)? {
            let entry = *reader.array()?;
            if entries.last().is_some_and(|last| *last >= entry) {
                return Err(Malformed);
            }
            entries.insert(entry);
        }
        let seen = ReplayMemory::from_entries(entries);
        Ok(Box::new(Self { id, created, expires, signed, last_resort, signature, replaced, seen }))
    }
}

impl OneTime {
    fn encode(&self, writer: &mut SecretWriter) {
        let Self { signed_id, agreement, kem, signature } = self;
        writer.u32(*signed_id);
        encode_pair(writer, agreement);
        writer.bytes(kem.expose()).bytes(signature);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let signed_id = reader.u32()?;
        let agreement = decode_pair(reader)?;
        let kem = Secret::copy_of(reader.array()?);
        let signature = *reader.array()?;
        Ok(Box::new(Self { signed_id, agreement, kem, signature }))
    }
}

/// Writes the public half too: computing it again would cost more than reading the whole record.
fn encode_pair(writer: &mut SecretWriter, pair: &KeyPair) {
    writer.bytes(pair.expose_secret_bytes()).bytes(pair.public().as_bytes());
}

fn decode_pair(reader: &mut Reader<'_>) -> Result<KeyPair, Malformed> {
    let secret = Secret::copy_of(reader.array()?);
    let public = x25519::decode_public(reader.array()?).map_err(|_| Malformed)?;
    Ok(x25519::pair_from_parts(secret, public))
}

/// Encoded length in bytes of a generation with an empty replay cache.
const GENERATION: usize = 4 + 8 + 8 + 64 + 64 + 64 + 8 + 4;
/// Encoded length in bytes of a one-time pair with its id.
const PAIR: usize = 4 + 4 + 64 + 64 + 64;
