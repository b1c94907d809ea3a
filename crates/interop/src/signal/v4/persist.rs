//! [`PreKeys`] as one sealed record (docs/formats.md, "Pre-keys of the Signal protocol, version 4").
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::kyber::KyberKeyPair;
use super::prekeys::{Kyber, PreKeys};
use crate::labels::kind;
use crate::signal::limits::{MAX_KYBER, MAX_SIGNED};
use crate::signal::prekeys as classical;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::storage::{self, StorageKey, UnsealError};

impl PreKeys {
    /// Seals the pre-keys into one record: those of the curve, and 133 bytes more for each Kyber pre-key that was
    /// generated here. Uses 24 bytes of `rng`.
    ///
    /// `context` names the record in the caller's store; the same must be given to [`PreKeys::unseal`].
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        self.write(&mut writer);
        storage::seal(key, kind::PRE_KEYS_4, context, &writer.finish(), &mut rng)
    }

    /// Opens what [`PreKeys::seal`] made.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::PRE_KEYS_4, context, record, Self::read)
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { curve, last_resort, one_time, next_kyber } = self;
        curve.write(writer);
        writer.u32(*next_kyber).count(last_resort.len());
        for kyber in last_resort {
            kyber.write(writer);
        }
        writer.count(one_time.len());
        for kyber in one_time.values() {
            kyber.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let curve = classical::PreKeys::read(reader)?;
        let next_kyber = reader.u32()?;
        let mut last_resort = Vec::<Box<Kyber>>::new();
        for _ in 0..reader.count(MAX_SIGNED)? {
            let next = Kyber::read(reader)?;
            if last_resort.iter().any(|known| known.id == next.id) {
                return Err(Malformed);
            }
            last_resort.push(next);
        }
        if last_resort.is_empty() {
            return Err(Malformed);
        }
        let mut one_time = BTreeMap::<u32, Box<Kyber>>::new();
        for _ in 0..reader.count(MAX_KYBER)? {
            let next = Kyber::read(reader)?;
            let ordered = one_time.last_key_value().is_none_or(|(last, _)| *last < next.id);
            if !ordered || last_resort.iter().any(|known| known.id == next.id) {
                return Err(Malformed);
            }
            one_time.insert(next.id, next);
        }
        Ok(Self { curve, last_resort, one_time, next_kyber })
    }
}

impl Kyber {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { id, pair, signature } = self;
        writer.u32(*id);
        pair.write(writer);
        writer.bytes(signature);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let (id, pair) = (reader.u32()?, KyberKeyPair::read(reader)?);
        Ok(Box::new(Self { id, pair, signature: *reader.array()? }))
    }
}

/// Bytes of a record with a hundred one-time pre-keys of each sort: avoids growing the buffer.
const TYPICAL: usize = 24_576;
