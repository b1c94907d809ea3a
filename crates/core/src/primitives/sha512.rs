//! SHA-512 (FIPS 180-4) and HMAC-SHA512 (RFC 2104) over several inputs.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha512};

use super::secret::Secret;

/// Returns the SHA-512 of the concatenation of `parts`, for public data.
#[must_use]
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Returns the HMAC-SHA512 of the concatenation of `parts`.
#[must_use]
pub fn hmac_sha512(key: &Secret<32>, parts: &[&[u8]]) -> Secret<64> {
    // RFC 2104 pads a shorter key with zeros to the block of 128 bytes. Done here, so that no length can be refused.
    let mut block = Secret::<128>::zero();
    block.expose_mut().iter_mut().zip(key.expose()).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha512> as KeyInit>::new(block.expose().into());
    for part in parts {
        mac.update(part);
    }
    Secret::new(mac.finalize().into_bytes().into())
}
