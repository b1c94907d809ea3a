//! Sealed records: state outside the library, encrypted and bound to its kind, its format and its name.
//!
//! The application's database is the store (docs/persistence.md).

use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::codec::Reader;
use crate::labels;
use crate::primitives::aead::{self, Aead, NONCE, TAG};

crate::boxed_secret! {
    /// The key under which an application seals its records: 32 bytes from the platform's key store.
    ///
    /// One key may seal any number of records: every sealing draws a fresh 192-bit nonce. Wiped on drop, absent from `Debug`.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik_core::storage as bisik;
    /// use bisik::StorageKey;
    ///
    /// let key = StorageKey::generate(rng);
    /// let same = StorageKey::from_bytes(*key.expose_bytes());
    /// # let _ = same;
    /// ```
    pub struct StorageKey([u8; 32]);
    /// The key that the platform's key store kept.
    pub fn from_bytes(bytes);
    /// The 32 secret bytes, for the platform's key store. Copies of them are the caller's to wipe.
    pub fn expose_bytes();
    /// A new key from 32 bytes of `rng`.
    pub fn generate(rng);
}

/// Why a record did not open. Finer detail would not help: the record is damaged, belongs elsewhere, or the key is
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsealError {
    /// Not sealed under this key, for this kind and context, or changed since.
    Rejected,
    /// Sealed by a later version of this library.
    UnknownVersion,
}

crate::error_texts! {
    UnsealError {
        Rejected => "storage.unseal.rejected", "the record was not sealed under this key and context, or was changed";
        UnknownVersion => "storage.unseal.unknown_version", "the record was sealed by a later version";
    }
}

/// What a record holds; part of what is authenticated, so that a record of one kind never opens as another.
///
/// Each crate lists its own kinds in its `labels` module. No byte is ever given to a second kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(u8);

impl Kind {
    /// The kind written as `byte`.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }
}

/// Seals `state` (docs/formats.md, section 6.1): `version ‖ nonce ‖ ciphertext ‖ tag`.
#[must_use]
pub fn seal(key: &StorageKey, kind: Kind, context: &[u8], state: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let aead = Aead::new(&key.0);
    let associated = associated(kind, context);
    let nonce = nonce(&aead, &associated, state, rng);
    let mut record = Vec::with_capacity(state.len().saturating_add(OVERHEAD));
    record.push(FORMAT);
    record.extend_from_slice(&nonce);
    aead.seal_append(&nonce, &associated, state, &mut record);
    record
}

/// The state in what [`seal`] made.
///
/// # Errors
///
/// [`UnsealError::Rejected`] where key, kind, context or record is not the one that was sealed;
/// [`UnsealError::UnknownVersion`] where a later version sealed it.
pub fn unseal(key: &StorageKey, kind: Kind, context: &[u8], record: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    let mut reader = Reader::new(record);
    if reader.u8().map_err(|_| UnsealError::Rejected)? != FORMAT {
        // P-6.2
        return Err(UnsealError::UnknownVersion);
    }
    let nonce = reader.array::<NONCE>().map_err(|_| UnsealError::Rejected)?;
    let (body, tag) = reader.rest().split_last_chunk::<TAG>().ok_or(UnsealError::Rejected)?;
    let mut state = Zeroizing::new(body.to_vec());
    Aead::new(&key.0).open(nonce, &associated(kind, context), &mut state, tag).map_err(|_| UnsealError::Rejected)?;
    Ok(state)
}

/// A nonce (P-6.3) from fresh randomness and, beneath it, the record itself: not even a repeated generator can pair one
/// nonce with two records.
fn nonce(aead: &Aead, associated: &[u8], state: &[u8], rng: &mut dyn CryptoRng) -> [u8; NONCE] {
    let mut randomness = [0; NONCE];
    rng.fill_bytes(&mut randomness);
    let digest = aead.derive(labels::RECORD_NONCE, &[&randomness, &aead::length(associated), associated, state]);
    digest.truncate()
}

/// What a record is bound to (P-6.1): that it is one, what kind of one, its format, and its name.
fn associated(kind: Kind, context: &[u8]) -> Vec<u8> {
    [labels::RECORD, &[kind.0, FORMAT], context].concat()
}

/// The format of sealed state. Raised when the layout changes; golden files of every format stay readable.
const FORMAT: u8 = 1;

/// Bytes that sealing adds.
const OVERHEAD: usize = 1 + NONCE + TAG;
