//! SHA-512 (FIPS 180-4) over several inputs.
//!
//! Does not know what is hashed.

use sha2::{Digest, Sha512};

/// SHA-512 of the concatenation of `parts`, for public data.
pub(crate) fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
