//! Two authenticated ciphers: ChaCha20-HMAC-SHA256 for messages and records, XChaCha20-Poly1305 for the handshake.
//!
//! Does not know what it protects. ChaCha20-HMAC-SHA256 is encrypt-then-MAC over RFC 8439's stream cipher and
//! RFC 2104's MAC, both domain-separated under one key (docs/spec/conventions.md, section 1.3, with the reasons and
//! figures).

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use subtle::ConstantTimeEq;

use super::kdf::HmacSha256;
use super::secret::Secret;
use crate::labels;

/// Bytes of a tag.
pub const TAG: usize = 16;
/// Bytes of a nonce.
pub const NONCE: usize = 24;

/// The tag did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

/// ChaCha20-HMAC-SHA256 under one key.
#[derive(Clone)]
pub struct Aead(HmacSha256);

impl Aead {
    pub fn new(key: &Secret<32>) -> Self {
        Self(HmacSha256::new(key))
    }

    /// Encrypts or decrypts `buffer` in place, with no tag.
    pub fn apply_stream(&self, nonce: &[u8; NONCE], buffer: &mut [u8]) {
        let key = self.0.hash(&[labels::AEAD_STREAM, nonce]);
        ChaCha20::new(key.expose().into(), &[0; 12].into()).apply_keystream(buffer);
    }

    /// The tag over the concatenation of `parts`, which the caller must have made unambiguous.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        let mut mac = self.0.start();
        mac.update(labels::AEAD_TAG);
        for part in parts {
            mac.update(part);
        }
        let full = mac.finish();
        let [tag @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = full.expose();
        *tag
    }

    /// Whether `tag` is the right one over `parts`; takes the same time whatever it is.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8; TAG]) -> bool {
        self.tag(parts).as_slice().ct_eq(tag.as_slice()).into()
    }

    /// A keyed hash of `parts` under the label `domain`, which no stream key or tag begins with.
    pub fn derive(&self, domain: &[u8], parts: &[&[u8]]) -> Secret<32> {
        let mut hash = self.0.start();
        hash.update(domain);
        for part in parts {
            hash.update(part);
        }
        hash.finish()
    }

    /// Encrypts `buffer` in place and gives its tag.
    pub fn seal(&self, nonce: &[u8; NONCE], associated: &[u8], buffer: &mut [u8]) -> [u8; TAG] {
        self.apply_stream(nonce, buffer);
        self.tag(&[&length(associated), associated, nonce, buffer])
    }

    /// P-1.6. Verifies the tag first; only then decrypts `buffer` in place.
    pub fn open(
        &self,
        nonce: &[u8; NONCE],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Forged> {
        if !self.verify(&[&length(associated), associated, nonce, buffer], tag) {
            return Err(Forged);
        }
        self.apply_stream(nonce, buffer);
        Ok(())
    }
}

/// The length of the associated data, which keeps it apart from what follows.
pub fn length(associated: &[u8]) -> [u8; 8] {
    u64::try_from(associated.len()).unwrap_or(u64::MAX).to_be_bytes()
}

/// XChaCha20-Poly1305 in place. The key serves this one message, which is why a caller may fix the nonce.
pub fn seal_once(key: &Secret<32>, nonce: &[u8; NONCE], associated: &[u8], buffer: &mut [u8]) -> [u8; TAG] {
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    cipher
        .encrypt_inout_detached(nonce.into(), associated, buffer.into())
        // Refused only past 256 GiB; the buffers here are of fixed size. A zero tag would never verify.
        .map_or([0; TAG], Into::into)
}

/// Opens what [`seal_once`] made; `buffer` is unchanged on failure.
pub fn open_once(
    key: &Secret<32>,
    nonce: &[u8; NONCE],
    associated: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), Forged> {
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(nonce.into(), associated, buffer.into(), tag.into())
        .map_err(|_| Forged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_anything_else_does_not() {
        let aead = Aead::new(&Secret::new([7; 32]));
        let nonce = [9; NONCE];
        let mut buffer = *b"halo, dunia";
        let tag = aead.seal(&nonce, b"ad", &mut buffer);
        let sealed = buffer;

        assert_eq!(aead.open(&[8; NONCE], b"ad", &mut buffer, &tag), Err(Forged));
        assert_eq!(aead.open(&nonce, b"ax", &mut buffer, &tag), Err(Forged));
        let mut flipped = tag;
        flipped[15] ^= 1;
        assert_eq!(aead.open(&nonce, b"ad", &mut buffer, &flipped), Err(Forged));
        assert_eq!(buffer, sealed, "a refused buffer is left as it was");

        assert_eq!(aead.open(&nonce, b"ad", &mut buffer, &tag), Ok(()));
        assert_eq!(&buffer, b"halo, dunia");
    }

    #[test]
    fn associated_data_and_ciphertext_have_a_boundary() {
        let aead = Aead::new(&Secret::new([7; 32]));
        let nonce = [0; NONCE];
        let (mut early, mut late) = (*b"cd", *b"d");
        let split_early = aead.seal(&nonce, b"ab", &mut early);
        let split_late = aead.seal(&nonce, b"abc", &mut late);
        assert_ne!(split_early, split_late);
    }
}
