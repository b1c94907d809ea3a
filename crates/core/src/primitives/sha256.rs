//! SHA-256 (FIPS 180-4) of data in pieces, with a state that can be stored and resumed. For public data only.

use core::fmt;

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

/// A SHA-256 computation in progress.
#[derive(Clone, Default)]
pub struct Hash(Sha256);

impl Hash {
    /// Starts a computation.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds the next bytes.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Returns the hash of all bytes added.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// Returns the state of the computation (docs/formats.md, section 6.6): the eight chaining words and the number of
    /// whole blocks, little-endian; then the number of bytes in the unfinished block, and those bytes, padded with
    /// zeros to 63.
    #[must_use]
    pub fn midstate(&self) -> [u8; MIDSTATE] {
        self.0.serialize().into()
    }

    /// Resumes a computation from its [`midstate`](Self::midstate) after `hashed` bytes. Returns `None` if it is not a
    /// state after that many bytes.
    #[must_use]
    pub fn resume(midstate: &[u8; MIDSTATE], hashed: u64) -> Option<Self> {
        let hash = Self(Sha256::deserialize(midstate.into()).ok()?);
        let blocks = midstate.get(32..40)?.try_into().map(u64::from_le_bytes).ok()?;
        let unfinished = midstate.get(40).copied().map(u64::from)?;
        let counted = blocks.checked_mul(BLOCK)?.checked_add(unfinished)?;
        (counted == hashed && hash.midstate() == *midstate).then_some(hash)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(..)")
    }
}

/// Length of a stored state in bytes.
pub const MIDSTATE: usize = 32 + 8 + 64;

/// Length of a block in bytes.
const BLOCK: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::kdf::digest;

    #[test]
    fn a_computation_goes_on_where_it_was_put_away() {
        let text: [u8; 300] = core::array::from_fn(|at| u8::try_from(at % 251).unwrap());
        for at in 0..text.len() {
            let (before, after) = text.split_at(at);
            let mut hash = Hash::new();
            hash.update(before);
            let hashed = u64::try_from(at).unwrap();
            let midstate = hash.midstate();
            let mut resumed = Hash::resume(&midstate, hashed).unwrap();
            resumed.update(after);
            assert_eq!(resumed.finish(), digest(&[&text]));
            assert!(Hash::resume(&midstate, hashed + 1).is_none());
            assert!(Hash::resume(&midstate, hashed + 64).is_none());
        }
    }

    /// The layout is part of a record, so it must not change with the crate that implements SHA-256.
    #[test]
    fn a_midstate_has_the_documented_layout() {
        let mut hash = Hash::new();
        hash.update(b"abc");
        let mut expected = [0; MIDSTATE];
        let words = [
            0x6a09_e667_u32,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        for (to, word) in expected.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        expected[40..44].copy_from_slice(b"\x03abc");
        assert_eq!(hash.midstate(), expected);
        hash.update(&[0; 61]);
        assert_eq!((hash.midstate()[32], hash.midstate()[40]), (1, 0));
    }

    #[test]
    fn what_is_no_midstate_is_refused() {
        let midstate = Hash::new().midstate();
        for (at, value) in [(40, 64), (40, 1), (41, 1), (103, 1), (32, 1), (39, 0x80)] {
            let mut damaged = midstate;
            damaged[at] = value;
            assert!(Hash::resume(&damaged, 0).is_none(), "{at}");
        }
    }
}
