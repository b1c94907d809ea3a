//! What SFrame (RFC 9605) is made of: AES-GCM, AES-CTR with HMAC, and HKDF over SHA-256 or SHA-512.
//!
//! Does not know headers, counters or who sends. Keys are set up once and serve any number of frames.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use alloc::boxed::Box;
use ctr::CtrCore;
use ctr::cipher::{InnerIvInit, StreamCipherCore};
use ctr::flavors::Ctr32BE;
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq;

use super::aead::{Forged, TAG};
use super::kdf::{HmacSha256, Prk};
use super::secret::Secret;

/// Bytes of a nonce (`Nn`), the same in every suite.
pub const FRAME_NONCE: usize = 12;

/// A cipher of RFC 9605 with its key set up. Boxed, so that moving one leaves no round keys behind.
pub enum FrameAead {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    CtrHmac(Box<CtrHmac>),
}

impl FrameAead {
    pub fn aes_128_gcm(key: &Secret<16>) -> Self {
        Self::Aes128Gcm(Box::new(Aes128Gcm::new(key.expose().into())))
    }

    pub fn aes_256_gcm(key: &Secret<32>) -> Self {
        Self::Aes256Gcm(Box::new(Aes256Gcm::new(key.expose().into())))
    }

    /// RFC 9605, section 4.5.1: the first 16 bytes encrypt, the other 32 authenticate, and `tag` bytes of that are kept.
    pub fn ctr_hmac(key: &Secret<48>, tag: usize) -> Self {
        let (encrypt, authenticate) = key.expose().split_at(16);
        let mut mac = Secret::zero();
        mac.expose_mut().iter_mut().zip(authenticate).for_each(|(to, from)| *to = *from);
        let mut cipher = Secret::<16>::zero();
        cipher.expose_mut().iter_mut().zip(encrypt).for_each(|(to, from)| *to = *from);
        let aes = aes::Aes128::new(cipher.expose().into());
        Self::CtrHmac(Box::new(CtrHmac { aes, mac: HmacSha256::new(&mac), tag: tag.min(TAG) }))
    }

    /// Bytes of a tag (`Nt`).
    pub const fn tag_length(&self) -> usize {
        match self {
            Self::Aes128Gcm(_) | Self::Aes256Gcm(_) => TAG,
            Self::CtrHmac(cipher) => cipher.tag,
        }
    }

    /// Encrypts `buffer` in place; of the tag the first [`FrameAead::tag_length`] bytes count. Refuses only what is longer
    /// than a cipher can encrypt, 64 GiB.
    pub fn seal(&self, nonce: &[u8; FRAME_NONCE], associated: &[u8], buffer: &mut [u8]) -> Result<[u8; TAG], Forged> {
        match self {
            Self::Aes128Gcm(cipher) => cipher
                .encrypt_inout_detached(nonce.into(), associated, buffer.into())
                .map(Into::into)
                .map_err(|_| Forged),
            Self::Aes256Gcm(cipher) => cipher
                .encrypt_inout_detached(nonce.into(), associated, buffer.into())
                .map(Into::into)
                .map_err(|_| Forged),
            Self::CtrHmac(cipher) => {
                cipher.apply(nonce, buffer)?;
                Ok(cipher.tag(nonce, associated, buffer))
            }
        }
    }

    /// P-1.6. Verifies the tag, in constant time, and only then decrypts `buffer` in place.
    pub fn open(
        &self,
        nonce: &[u8; FRAME_NONCE],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Forged> {
        match self {
            Self::Aes128Gcm(cipher) => {
                let tag = tag.try_into().map_err(|_| Forged)?;
                cipher.decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag).map_err(|_| Forged)
            }
            Self::Aes256Gcm(cipher) => {
                let tag = tag.try_into().map_err(|_| Forged)?;
                cipher.decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag).map_err(|_| Forged)
            }
            Self::CtrHmac(cipher) => {
                let expected = cipher.tag(nonce, associated, buffer);
                // A tag of another length is unequal.
                let verified = expected.get(..cipher.tag).unwrap_or_default().ct_eq(tag);
                if bool::from(verified) { cipher.apply(nonce, buffer) } else { Err(Forged) }
            }
        }
    }
}

/// AES-128 in counter mode, then HMAC-SHA256 over lengths, nonce, associated data and ciphertext.
pub struct CtrHmac {
    aes: aes::Aes128,
    mac: HmacSha256,
    tag: usize,
}

impl CtrHmac {
    /// The counter is the last four bytes of the block, from 0.
    fn apply(&self, nonce: &[u8; FRAME_NONCE], buffer: &mut [u8]) -> Result<(), Forged> {
        let mut block = [0; 16];
        block.iter_mut().zip(nonce).for_each(|(to, from)| *to = *from);
        let stream = CtrCore::<&aes::Aes128, Ctr32BE>::inner_iv_init(&self.aes, &block.into());
        stream.try_apply_keystream_partial(buffer.into()).map_err(|_| Forged)
    }

    fn tag(&self, nonce: &[u8; FRAME_NONCE], associated: &[u8], ciphertext: &[u8]) -> [u8; TAG] {
        let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX).to_be_bytes();
        let mut mac = self.mac.start();
        for part in [length(associated.len()), length(ciphertext.len()), length(self.tag)] {
            mac.update(&part);
        }
        for part in [nonce, associated, ciphertext] {
            mac.update(part);
        }
        let full = mac.finish();
        let [tag @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = full.expose();
        *tag
    }
}

/// `sframe_secret` of RFC 9605, section 4.4.2: HKDF-Extract with an empty salt.
pub enum FrameSecret {
    Sha256(Prk),
    Sha512(Hkdf<Sha512>),
}

impl FrameSecret {
    pub fn sha256(base: &[u8]) -> Self {
        Self::Sha256(Prk::extract(&[], &[base]))
    }

    pub fn sha512(base: &[u8]) -> Self {
        Self::Sha512(Hkdf::new(None, base))
    }

    /// HKDF-Expand with the concatenation of `info`.
    pub fn expand<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        const { assert!(N <= 255 * 32, "more than HKDF can give") }
        match self {
            Self::Sha256(prk) => prk.expand(info),
            Self::Sha512(prk) => {
                let mut output = Secret::zero();
                let expanded = prk.expand_multi_info(info, output.expose_mut());
                debug_assert!(expanded.is_ok(), "the length is checked when compiled");
                output
            }
        }
    }
}
