//! Sealed records: state stored outside the library, encrypted and bound to its kind, format and name.
//!
//! Records are stored in the application's database (`bisik::manual::persistence`).

use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::block_id::BlockId;
use crate::codec::{Malformed, Reader};
use crate::labels;
use crate::primitives::aead::{self, Aead, NONCE, TAG};

crate::boxed_secret! {
    /// The key with which an application seals its records: 32 bytes from the platform's key store.
    ///
    /// One key can seal any number of records, because each gets a fresh 192-bit nonce. It is wiped on drop and absent
    /// from `Debug` output.
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
    /// Creates the key from the bytes in the platform's key store.
    pub fn from_bytes(bytes);
    /// Returns the 32 secret bytes, for the platform's key store. The caller must wipe copies of them.
    pub fn expose_bytes();
    /// Generates a key from 32 bytes of `rng`.
    pub fn generate(rng);
}

/// Why a record was not opened. More detail would not help: the record is damaged, belongs elsewhere, or was sealed
/// with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsealError {
    /// It was sealed with another key, kind or context, was changed, or holds no valid state.
    Rejected,
    /// Its first byte names an unknown format: a later version of this library sealed it, or the byte is damaged.
    UnknownVersion,
    /// The record names this block, and the store did not give it. Either another worker has stored a later record
    /// meanwhile: load the record again. Or the block was lost, or was not put before the record.
    MissingBlock(BlockId),
}

crate::error_texts! {
    UnsealError {
        Rejected => "storage.unseal.rejected", "the record was not sealed under this key and context, or was changed";
        UnknownVersion => "storage.unseal.unknown_version", "the record was sealed by a later version";
        MissingBlock => "storage.unseal.missing_block", "a block that the record names was not in the store";
    }
}

/// The kind of state in a record. It is authenticated, so that a record of one kind never opens as another.
///
/// Each crate lists its own kinds in its `labels` module. No byte is used for two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordKind(u8);

/// What opens and encodes nothing was not sealed by this library.
impl From<Malformed> for UnsealError {
    fn from(Malformed: Malformed) -> Self {
        Self::Rejected
    }
}

impl RecordKind {
    /// The kind encoded as `byte`.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }
}

/// Seals `state` (section 6.1 of `bisik::manual::formats`): `version ‖ nonce ‖ ciphertext ‖ tag`.
#[must_use]
pub fn seal(key: &StorageKey, kind: RecordKind, context: &[u8], state: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut randomness = [0; NONCE];
    rng.fill_bytes(&mut randomness);
    Sealer::new(key).seal(kind, context, state, &randomness)
}

/// A storage key that seals several records.
pub(crate) struct Sealer(Aead);

impl Sealer {
    pub(crate) fn new(key: &StorageKey) -> Self {
        Self(Aead::new(&key.0))
    }

    /// Like [`seal`], with bytes that were drawn before: the same bytes make the same record of the same state.
    pub(crate) fn seal(&self, kind: RecordKind, context: &[u8], state: &[u8], randomness: &[u8; NONCE]) -> Vec<u8> {
        let Self(aead) = self;
        let associated = associated(kind, context);
        let nonce = nonce(aead, &associated, state, randomness);
        let mut record = Vec::with_capacity(state.len().saturating_add(OVERHEAD));
        record.push(FORMAT);
        record.extend_from_slice(&nonce);
        aead.seal_append(&nonce, &associated, state, &mut record);
        record
    }
}

/// Opens a record that [`seal`] made, and returns the state.
///
/// # Errors
///
/// [`UnsealError::Rejected`] if the record was sealed with another key, kind or context, or was changed;
/// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
pub fn unseal(
    key: &StorageKey,
    kind: RecordKind,
    context: &[u8],
    record: &[u8],
) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    let mut reader = Reader::new(record);
    if reader.u8().map_err(|_| UnsealError::Rejected)? != FORMAT {
        // P-6.2: an unknown version is reported as such.
        return Err(UnsealError::UnknownVersion);
    }
    let nonce = reader.array::<NONCE>().map_err(|_| UnsealError::Rejected)?;
    let (body, tag) = reader.rest().split_last_chunk::<TAG>().ok_or(UnsealError::Rejected)?;
    let mut state = Zeroizing::new(body.to_vec());
    Aead::new(&key.0).open(nonce, &associated(kind, context), &mut state, tag).map_err(|_| UnsealError::Rejected)?;
    Ok(state)
}

/// Opens a record and reads the state with `read`, which must consume all of it.
///
/// # Errors
///
/// As for [`unseal`]; [`UnsealError::Rejected`] also if `read` fails or leaves bytes over.
pub fn open<T>(
    key: &StorageKey,
    kind: RecordKind,
    context: &[u8],
    record: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<T, UnsealError> {
    let state = unseal(key, kind, context, record)?;
    let mut reader = Reader::new(&state);
    let value = read(&mut reader).map_err(|Malformed| UnsealError::Rejected)?;
    reader.finish().map_err(|Malformed| UnsealError::Rejected)?;
    Ok(value)
}

/// Derives a nonce from fresh randomness and from the record itself, so that not even a repeating generator pairs one
/// nonce with two records. P-6.3.
fn nonce(aead: &Aead, associated: &[u8], state: &[u8], randomness: &[u8; NONCE]) -> [u8; NONCE] {
    let digest = aead.derive(labels::RECORD_NONCE, &[randomness, &aead::length(associated), associated, state]);
    digest.truncate()
}

/// The data that a record is bound to: the record label, its kind, its format and its name. P-6.1.
fn associated(kind: RecordKind, context: &[u8]) -> Vec<u8> {
    [labels::RECORD, &[kind.0, FORMAT], context].concat()
}

/// Returns the name of a key: eight bytes, from which nothing of the key follows. A state remembers
/// it, so that no later record is under another key by mistake.
#[must_use]
pub fn key_name(key: &StorageKey) -> [u8; 8] {
    Aead::new(&key.0).derive(labels::KEY_NAME, &[]).truncate()
}

/// The format of sealed state. It is raised when the layout changes; records of all earlier formats must stay readable.
const FORMAT: u8 = 1;

/// Bytes that sealing adds.
const OVERHEAD: usize = 1 + NONCE + TAG;
