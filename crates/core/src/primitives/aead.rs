//! Two authenticated ciphers: ChaCha20-HMAC-SHA256 for messages and records, XChaCha20-Poly1305 for the handshake.
//!
//! ChaCha20-HMAC-SHA256 is encrypt-then-MAC over RFC 8439's stream cipher and RFC 2104's MAC, both domain-separated
//! under one key (docs/spec/conventions.md, section 1.3, with the reasons and figures).

use alloc::vec::Vec;
use core::fmt;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use subtle::ConstantTimeEq;

use super::kdf::HmacSha256;
use super::secret::Secret;
use crate::convert::widened;
use crate::internal::InternalError;
use crate::labels;

/// Length of a tag in bytes.
pub const TAG: usize = 16;
/// Length of a nonce in bytes.
pub const NONCE: usize = 24;

/// A tag did not verify: ciphertext, associated data, nonce or key differ from those that were sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

/// ChaCha20-HMAC-SHA256 under one key.
#[derive(Clone)]
pub struct Aead(HmacSha256);

impl Aead {
    /// Creates the cipher with `key`.
    #[must_use]
    pub fn new(key: &Secret<32>) -> Self {
        Self(HmacSha256::new(key))
    }

    /// XORs `buffer` with the key stream of `nonce`, which encrypts or decrypts it in place. There is no tag.
    pub fn apply_stream(&self, nonce: &[u8; NONCE], buffer: &mut [u8]) {
        self.stream(nonce).apply_keystream(buffer);
    }

    /// Appends the ciphertext of `plaintext` to `output` and returns it. There is no tag.
    ///
    /// Cannot fail. The key stream is written into new capacity, and the plaintext is XORed into it, so that `output`
    /// never holds the plaintext. Reserve the capacity first; growth copies the contents of `output`.
    pub fn append_stream<'a>(&self, nonce: &[u8; NONCE], plaintext: &[u8], output: &'a mut Vec<u8>) -> &'a [u8] {
        let start = output.len();
        output.extend(core::iter::repeat_n(0, plaintext.len()));
        let mut fresh = output.iter_mut();
        if let Some(last) = start.checked_sub(1) {
            let _passed_over = fresh.nth(last);
        }
        let room = fresh.into_slice();
        let mut stream = self.stream(nonce);
        for (room, plaintext) in room.chunks_mut(CACHED).zip(plaintext.chunks(CACHED)) {
            stream.write_keystream(room);
            for (byte, plain) in room.iter_mut().zip(plaintext) {
                *byte ^= plain;
            }
        }
        room
    }

    /// Computes the tag over the concatenation of `parts`, which the caller must have made unambiguous.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        let mut mac = self.0.start();
        mac.update(labels::AEAD_TAG);
        for part in parts {
            mac.update(part);
        }
        mac.finish().truncate()
    }

    /// Checks in constant time whether `tag` is the tag over `parts`.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8; TAG]) -> bool {
        self.tag(parts).as_slice().ct_eq(tag.as_slice()).into()
    }

    /// Computes a keyed hash of `parts` under the label `domain`, which must differ from the first byte of stream key
    /// and tag.
    #[must_use]
    pub fn derive(&self, domain: &[u8], parts: &[&[u8]]) -> Secret<32> {
        let mut hash = self.0.start();
        hash.update(domain);
        for part in parts {
            hash.update(part);
        }
        hash.finish()
    }

    /// Encrypts all of `buffer` in place and returns the tag. Takes an array, which is never a wrong part of a
    /// plaintext; use [`seal_append`](Self::seal_append) for anything of another size.
    #[must_use]
    pub fn seal<const N: usize>(&self, nonce: &[u8; NONCE], associated: &[u8], buffer: &mut [u8; N]) -> [u8; TAG] {
        self.apply_stream(nonce, buffer);
        self.tag(&[&length(associated), associated, nonce, buffer])
    }

    /// Appends ciphertext and tag of `plaintext` to `output`: [`TAG`] bytes more than the plaintext. Cannot fail; see
    /// [`append_stream`](Self::append_stream).
    pub fn seal_append(&self, nonce: &[u8; NONCE], associated: &[u8], plaintext: &[u8], output: &mut Vec<u8>) {
        let ciphertext = self.append_stream(nonce, plaintext, output);
        let tag = self.tag(&[&length(associated), associated, nonce, ciphertext]);
        output.extend_from_slice(&tag);
    }

    /// Verifies the tag, and only then decrypts `buffer` in place. Requirement P-1.6.
    ///
    /// # Errors
    ///
    /// [`Forged`] if the tag does not verify. On error `buffer` is unchanged.
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

    fn stream(&self, nonce: &[u8; NONCE]) -> ChaCha20 {
        let key = self.0.hash(&[labels::AEAD_STREAM, nonce]);
        ChaCha20::new(key.expose().into(), &[0; 12].into())
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aead(..)")
    }
}

/// Encodes the length of the associated data in eight bytes, which separates it from the ciphertext.
#[must_use]
pub fn length(associated: &[u8]) -> [u8; 8] {
    widened(associated.len()).to_be_bytes()
}

/// Encrypts all of `buffer` in place with XChaCha20-Poly1305 and returns the tag. For messages of fixed size. The key
/// encrypts this one message only, so a caller may use a fixed nonce.
///
/// # Errors
///
/// [`InternalError`] above 256 GiB.
pub fn seal_once(
    key: &Secret<32>,
    nonce: &[u8; NONCE],
    associated: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], InternalError> {
    XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(nonce.into(), associated, buffer.into())
        .map(Into::into)
        .map_err(|_| InternalError)
}

/// Opens in place a message that [`seal_once`] made.
///
/// # Errors
///
/// [`Forged`] if the tag does not verify. On error `buffer` is unchanged.
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

/// Bytes to encrypt at once, so that the second pass finds them in the processor's cache. A multiple of the block size.
const CACHED: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_data_opens_and_changed_data_does_not() {
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

    /// At every length around a block of the cipher, and around [`CACHED`].
    #[test]
    fn appended_ciphertext_equals_encryption_in_place() {
        let aead = Aead::new(&Secret::new([7; 32]));
        let nonce = [9; NONCE];
        let around = [CACHED - 1, CACHED, CACHED + 1, 2 * CACHED + 63];
        for length in (0..200).chain(around) {
            let plaintext: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut in_place = plaintext.clone();
            aead.apply_stream(&nonce, &mut in_place);
            let tag = aead.tag(&[&super::length(b"ad"), b"ad", &nonce, &in_place]);
            let mut appended = b"before".to_vec();
            aead.seal_append(&nonce, b"ad", &plaintext, &mut appended);
            assert_eq!(appended, [b"before", in_place.as_slice(), &tag].concat(), "{length}");
        }
    }
}
