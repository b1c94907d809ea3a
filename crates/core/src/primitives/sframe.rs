//! The primitives of SFrame (RFC 9605): AES-GCM, AES-CTR with HMAC, and HKDF over SHA-256 or SHA-512.
//!
//! Keys are expanded once and used for any number of frames. Headers and counters belong to the caller.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use ctr::CtrCore;
use ctr::cipher::{InOutBuf, InnerIvInit, StreamCipherCore};
use ctr::flavors::Ctr32BE;
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq;

use super::accelerated;
use super::aead::{Forged, TAG};
use super::append::append;
use super::kdf::{HmacSha256, Prk};
use super::secret::Secret;
use crate::convert::widened;
use crate::internal::InternalError;

/// Length of a nonce (`Nn`) in bytes, the same in every suite.
pub const FRAME_NONCE: usize = 12;

/// A cipher of RFC 9605 with an expanded key. Boxed, so that moving it leaves no round keys behind.
pub struct FrameAead(Cipher);

enum Cipher {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    /// One of these two, in the back end that the processor supports.
    Accelerated(accelerated::FrameCipher),
    /// AES-128-CTR with HMAC-SHA256.
    CtrHmac(Box<CtrHmac>),
}

impl fmt::Debug for FrameAead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameAead").field("tag", &self.tag_length()).finish_non_exhaustive()
    }
}

impl FrameAead {
    /// AES-128-GCM with `key`.
    #[must_use]
    pub fn aes_128_gcm(key: &Secret<16>) -> Self {
        Self(match accelerated::FrameCipher::new(key) {
            Some(cipher) => Cipher::Accelerated(cipher),
            None => Cipher::Aes128Gcm(Box::new(Aes128Gcm::new(key.expose().into()))),
        })
    }

    /// AES-256-GCM with `key`.
    #[must_use]
    pub fn aes_256_gcm(key: &Secret<32>) -> Self {
        Self(match accelerated::FrameCipher::new(key) {
            Some(cipher) => Cipher::Accelerated(cipher),
            None => Cipher::Aes256Gcm(Box::new(Aes256Gcm::new(key.expose().into()))),
        })
    }

    /// AES-128-CTR with HMAC-SHA256 by RFC 9605, section 4.5.1: the first 16 bytes encrypt, the other 32 authenticate,
    /// and the MAC is truncated to `tag` bytes.
    #[must_use]
    pub fn ctr_hmac(key: &Secret<48>, tag: usize) -> Self {
        let (encrypt, authenticate) = key.expose().split_at(16);
        let mut mac = Secret::zero();
        mac.expose_mut().iter_mut().zip(authenticate).for_each(|(to, from)| *to = *from);
        let mut cipher = Secret::<16>::zero();
        cipher.expose_mut().iter_mut().zip(encrypt).for_each(|(to, from)| *to = *from);
        let aes = aes::Aes128::new(cipher.expose().into());
        Self(Cipher::CtrHmac(Box::new(CtrHmac { aes, mac: HmacSha256::new(&mac), tag: tag.min(TAG) })))
    }

    /// Length of a tag (`Nt`) in bytes.
    #[must_use]
    pub const fn tag_length(&self) -> usize {
        match &self.0 {
            Cipher::Aes128Gcm(_) | Cipher::Aes256Gcm(_) | Cipher::Accelerated(_) => TAG,
            Cipher::CtrHmac(cipher) => cipher.tag,
        }
    }

    /// Encrypts `plaintext` and appends ciphertext and tag to `output`: [`tag_length`](Self::tag_length) bytes more
    /// than the plaintext.
    ///
    /// # Errors
    ///
    /// [`InternalError`] above 64 GiB, which callers exclude. On error `output` is unchanged.
    pub fn seal_append(
        &self,
        nonce: &[u8; FRAME_NONCE],
        associated: &[u8],
        plaintext: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        if let Cipher::Accelerated(cipher) = &self.0 {
            return cipher.seal_append(nonce, associated, plaintext, output);
        }
        let tag = append(output, plaintext, |buffer| self.encrypt(nonce, associated, buffer))?;
        output.extend(tag.into_iter().take(self.tag_length()));
        Ok(())
    }

    /// Encrypts and returns the tag, of which the first [`tag_length`](Self::tag_length) bytes count.
    fn encrypt(
        &self,
        nonce: &[u8; FRAME_NONCE],
        associated: &[u8],
        mut buffer: InOutBuf<'_, '_, u8>,
    ) -> Result<[u8; TAG], InternalError> {
        let sealed = match &self.0 {
            Cipher::Aes128Gcm(cipher) => cipher.encrypt_inout_detached(nonce.into(), associated, buffer),
            Cipher::Aes256Gcm(cipher) => cipher.encrypt_inout_detached(nonce.into(), associated, buffer),
            // Has a function of its own, because it encrypts in place.
            Cipher::Accelerated(_) => return Err(InternalError),
            Cipher::CtrHmac(cipher) => {
                cipher.apply(nonce, buffer.reborrow()).map_err(|_| InternalError)?;
                return Ok(cipher.tag(nonce, associated, buffer.get_out()));
            }
        };
        sealed.map(Into::into).map_err(|_| InternalError)
    }

    /// Verifies the tag in constant time, and only then decrypts `buffer` in place; with the feature `graviola` in one
    /// pass, in which case a forgery costs a copy as well. Requirement P-1.6.
    ///
    /// # Errors
    ///
    /// [`Forged`] if the tag does not verify, or is not [`tag_length`](Self::tag_length) bytes long. On error `buffer`
    /// is unchanged.
    pub fn open(
        &self,
        nonce: &[u8; FRAME_NONCE],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Forged> {
        match &self.0 {
            Cipher::Aes128Gcm(cipher) => {
                let tag = tag.try_into().map_err(|_| Forged)?;
                cipher.decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag).map_err(|_| Forged)
            }
            Cipher::Aes256Gcm(cipher) => {
                let tag = tag.try_into().map_err(|_| Forged)?;
                cipher.decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag).map_err(|_| Forged)
            }
            Cipher::Accelerated(cipher) => cipher.open(nonce, associated, buffer, tag),
            Cipher::CtrHmac(cipher) => {
                let expected = cipher.tag(nonce, associated, buffer);
                let expected = expected.get(..cipher.tag).ok_or(Forged)?;
                // A tag of another length compares as unequal.
                if bool::from(expected.ct_eq(tag)) { cipher.apply(nonce, buffer.into()) } else { Err(Forged) }
            }
        }
    }
}

/// AES-128 in counter mode, then HMAC-SHA256 over lengths, nonce, associated data and ciphertext.
struct CtrHmac {
    aes: aes::Aes128,
    mac: HmacSha256,
    tag: usize,
}

impl fmt::Debug for CtrHmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrHmac").field("tag", &self.tag).finish_non_exhaustive()
    }
}

impl CtrHmac {
    /// XORs the key stream. The counter is the last four bytes of the block, from 0.
    fn apply(&self, nonce: &[u8; FRAME_NONCE], buffer: InOutBuf<'_, '_, u8>) -> Result<(), Forged> {
        let mut block = [0; 16];
        block.iter_mut().zip(nonce).for_each(|(to, from)| *to = *from);
        let stream = CtrCore::<&aes::Aes128, Ctr32BE>::inner_iv_init(&self.aes, &block.into());
        stream.try_apply_keystream_partial(buffer).map_err(|_| Forged)
    }

    fn tag(&self, nonce: &[u8; FRAME_NONCE], associated: &[u8], ciphertext: &[u8]) -> [u8; TAG] {
        let mut mac = self.mac.start();
        for part in [associated.len(), ciphertext.len(), self.tag].map(widened) {
            mac.update(&part.to_be_bytes());
        }
        for part in [nonce, associated, ciphertext] {
            mac.update(part);
        }
        mac.finish().truncate()
    }
}

/// `sframe_secret` of RFC 9605, section 4.4.2: HKDF-Extract with an empty salt.
pub enum FrameSecret {
    /// With HKDF-SHA256.
    Sha256(Prk),
    /// With HKDF-SHA512.
    Sha512(Hkdf<Sha512>),
}

impl fmt::Debug for FrameSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameSecret(..)")
    }
}

impl FrameSecret {
    /// Extracts from `base` with HKDF-SHA256.
    #[must_use]
    pub fn sha256(base: &[u8]) -> Self {
        Self::Sha256(Prk::extract(&[], &[base]))
    }

    /// Extracts from `base` with HKDF-SHA512.
    #[must_use]
    pub fn sha512(base: &[u8]) -> Self {
        Self::Sha512(Hkdf::new(None, base))
    }

    /// HKDF-Expand with the concatenation of `info`, to `N` bytes. More than 8,160 do not compile.
    #[must_use]
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
