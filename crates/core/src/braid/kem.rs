//! The key encapsulation in pieces that the machine runs over: ML-KEM-768, or a toy with short texts in tests.

use alloc::boxed::Box;
use core::fmt;

use super::authenticator::TAG;
use super::erasure::CHUNK;
use crate::primitives::mlkem768_pieces::{self as pieces, Encapsulation, Key};
use crate::primitives::secret::Secret;

/// A key encapsulation in pieces. Lengths are of whole chunks.
///
/// Slices that come in have the length of their piece. An implementation returns `None` for others and where
/// the primitive failed, neither of which any input can cause.
pub trait Kem: fmt::Debug {
    /// Length of a header in bytes.
    const HEADER: usize;
    /// Length of a vector in bytes.
    const VECTOR: usize;
    /// Length of the first part of a ciphertext in bytes.
    const CT1: usize;
    /// Length of the second part of a ciphertext in bytes.
    const CT2: usize;
    /// A key, expanded from its seed.
    type Key;
    /// An encapsulation of which the first part is made.
    type Encapsulation;

    /// Expands the key pair of a seed.
    fn expand(seed: &Secret<64>) -> Self::Key;
    /// The first piece of the public key.
    fn header(key: &Self::Key) -> Option<&[u8]>;
    /// The second piece of the public key.
    fn vector(key: &Self::Key) -> Option<&[u8]>;
    /// Encapsulates with `randomness` as far as the header allows. Returns also the shared secret.
    fn start(header: &[u8], randomness: &Secret<32>) -> Option<(Self::Encapsulation, Secret<32>)>;
    /// The first part of the ciphertext.
    fn ct1(encapsulation: &Self::Encapsulation) -> &[u8];
    /// Says whether header and vector are one valid key.
    fn fits(header: &[u8], vector: &[u8]) -> bool;
    /// The second part of the ciphertext.
    fn finish(encapsulation: &Self::Encapsulation, vector: &[u8]) -> Option<Box<[u8]>>;
    /// The shared secret of a ciphertext.
    fn decapsulate(key: &Self::Key, ct1: &[u8], ct2: &[u8]) -> Option<Secret<32>>;
}

/// Blocks of the text of a header and its tag.
pub(super) const fn header_blocks<K: Kem>() -> usize {
    K::HEADER.saturating_add(TAG).div_ceil(CHUNK)
}

/// Blocks of the text of the second part of a ciphertext and the tag.
pub(super) const fn ct2_blocks<K: Kem>() -> usize {
    K::CT2.saturating_add(TAG).div_ceil(CHUNK)
}

/// ML-KEM-768: texts of 3, 36, 30 and 5 chunks.
#[derive(Debug)]
pub enum MlKem768 {}

impl Kem for MlKem768 {
    const HEADER: usize = pieces::HEADER;
    const VECTOR: usize = pieces::VECTOR;
    const CT1: usize = pieces::CT1;
    const CT2: usize = pieces::CT2;
    type Key = Key;
    type Encapsulation = Encapsulation;

    fn expand(seed: &Secret<64>) -> Key {
        Key::from_seed(seed)
    }

    fn header(key: &Key) -> Option<&[u8]> {
        key.public().map(|(header, _)| header.as_slice())
    }

    fn vector(key: &Key) -> Option<&[u8]> {
        key.public().map(|(_, vector)| vector.as_slice())
    }

    fn start(header: &[u8], randomness: &Secret<32>) -> Option<(Encapsulation, Secret<32>)> {
        Encapsulation::start(header.try_into().ok()?, randomness)
    }

    fn ct1(encapsulation: &Encapsulation) -> &[u8] {
        encapsulation.ct1()
    }

    fn fits(header: &[u8], vector: &[u8]) -> bool {
        header.try_into().ok().zip(vector.try_into().ok()).is_some_and(|(header, vector)| pieces::fits(header, vector))
    }

    fn finish(encapsulation: &Encapsulation, vector: &[u8]) -> Option<Box<[u8]>> {
        Some(Box::new(encapsulation.finish(vector.try_into().ok()?)))
    }

    fn decapsulate(key: &Key, ct1: &[u8], ct2: &[u8]) -> Option<Secret<32>> {
        Some(key.decapsulate(ct1.try_into().ok()?, ct2.try_into().ok()?))
    }
}
