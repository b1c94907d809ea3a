//! HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104) and SHA-256 over several inputs.
//!
//! The labels belong to the callers: each crate lists its own in its module `labels`.

use core::fmt;
use hkdf::{Hkdf, HkdfExtract};
use hmac::KeyInit;
use hmac::block_api::HmacCore;
use hmac::digest::Output;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::secret::Secret;

/// A pseudorandom key: the output of HKDF-Extract.
pub struct Prk(Hkdf<Sha256>);

impl Prk {
    /// HKDF-Extract over the concatenation of `inputs`.
    #[must_use]
    pub fn extract(salt: &[u8], inputs: &[&[u8]]) -> Self {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        for input in inputs {
            extract.input_ikm(input);
        }
        let (mut prk, expand) = extract.finalize();
        prk.as_mut_slice().zeroize();
        Self(expand)
    }

    /// Uses a key that is already uniformly random, without extraction.
    #[must_use]
    pub fn from_uniform_key(key: &Secret<32>) -> Self {
        // `from_prk` refuses only keys below 32 bytes, which the type excludes. The fallback is a different key, and
        // opens nothing.
        Self(Hkdf::from_prk(key.expose()).unwrap_or_else(|_| Hkdf::new(None, key.expose())))
    }

    /// HKDF-Expand with the concatenation of `info`, to `N` bytes. More than 8,160 do not compile.
    #[must_use]
    pub fn expand<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        const { assert!(N <= 255 * 32, "more than HKDF can give") }
        let mut output = Secret::zero();
        let expanded = self.0.expand_multi_info(info, output.expose_mut());
        debug_assert!(expanded.is_ok(), "the length is checked when compiled");
        output
    }
}

/// HKDF-Extract over the concatenation of `inputs`, for a key that is used under HMAC.
#[must_use]
pub fn extract(salt: &[u8], inputs: &[&[u8]]) -> Secret<32> {
    let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
    for input in inputs {
        extract.input_ikm(input);
    }
    let (mut prk, _) = extract.finalize();
    let secret = Secret::new(prk.into());
    prk.as_mut_slice().zeroize();
    secret
}

/// HMAC-SHA256 under one key. The two padded key blocks are hashed once and shared by every use. Stored without the
/// buffer of a computation, which is empty here and would be copied with every use: that makes messages a tenth faster.
#[derive(Clone)]
pub struct HmacSha256(HmacCore<Sha256>);

impl HmacSha256 {
    /// Creates HMAC-SHA256 with `key`.
    #[must_use]
    pub fn new(key: &Secret<32>) -> Self {
        // RFC 2104 pads a shorter key with zeros to the block of 64 bytes. Done here, so that no length can be refused.
        let mut block = Secret::<64>::zero();
        for (to, from) in block.expose_mut().iter_mut().zip(key.expose()) {
            *to = *from;
        }
        Self(HmacCore::new(block.expose().into()))
    }

    /// Starts a computation over several pieces.
    #[must_use]
    pub fn start(&self) -> HmacSha256Stream {
        HmacSha256Stream { core: self.0.clone(), buffer: Buffer::<HmacCore<Sha256>>::default() }
    }

    /// Computes the HMAC of the concatenation of `parts`.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> Secret<32> {
        let mut hashing = self.start();
        for part in parts {
            hashing.update(part);
        }
        hashing.finish()
    }
}

/// An HMAC-SHA256 computation in progress.
pub struct HmacSha256Stream {
    core: HmacCore<Sha256>,
    buffer: Buffer<HmacCore<Sha256>>,
}

impl HmacSha256Stream {
    /// Adds the next bytes.
    pub fn update(&mut self, part: &[u8]) {
        let Self { core, buffer } = self;
        buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
    }

    /// Returns the HMAC of all bytes added.
    #[must_use]
    pub fn finish(mut self) -> Secret<32> {
        let mut bytes = Output::<HmacCore<Sha256>>::default();
        self.core.finalize_fixed_core(&mut self.buffer, &mut bytes);
        let secret = Secret::new(bytes.into());
        bytes.as_mut_slice().zeroize();
        secret
    }
}

impl fmt::Debug for Prk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prk(..)")
    }
}

impl fmt::Debug for HmacSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha256(..)")
    }
}

impl fmt::Debug for HmacSha256Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha256Stream(..)")
    }
}

/// Returns the SHA-256 of the concatenation of `parts`, for public data.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use core::fmt::Write;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    /// The chain step of the Double Ratchet specification, computed independently in Python.
    #[test]
    fn chain_step_agrees_with_an_independent_computation() {
        let chain = HmacSha256::new(&Secret::new([0x13; 32]));
        let message_key = hex(chain.hash(&[&[1]]).expose());
        let next = hex(chain.hash(&[&[2]]).expose());
        assert_eq!(message_key, "21ea4c396be2da0883ba1292e19a5611873ab09b200c7cdd08b41a8b8854716d");
        assert_eq!(next, "4767169decb47ead1a087aba81bede98ca36879f44109c5c6cb60102692304e5");
    }

    /// The root step with header encryption, computed independently in Python.
    #[test]
    fn root_step_agrees_with_an_independent_computation() {
        let prk = Prk::extract(&[0x11; 32], &[&[0x12; 16], &[0x12; 16]]);
        let output = prk.expand::<96>(&[b"MyProtocol DR ", b"Root HE"]);
        assert_eq!(
            hex(output.expose()),
            "cba8fd3703db8d870795cfa6c8cc4e3350d26d884b81e132b19baa6871af5917\
             00346609eaf8de454197b149337b429dcccd6afd50532c4f1005cf6d8654e2d5\
             76ead40a12789c19d74851f5f05bdc65e5ae33700a7fae2646696df1ecd162a3"
        );
    }
}
