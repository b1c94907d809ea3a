//! Headers and their encryption (docs/spec/session.md, section 4.4).
//!
//! A header's tag covers the whole message, so that an attacker without the header key cannot make a receiver do more
//! than check tags.

use crate::labels;
use bisik_core::codec::{Malformed, Reader};
use bisik_core::primitives::aead::{Aead, TAG};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, PublicKey};
use zeroize::Zeroizing;

use super::layout::{HEADER, HEADER_NONCE, POST_QUANTUM, SALT, nonce};

/// `HK`: opens the headers of one chain.
pub(super) struct HeaderKey {
    secret: Secret<32>,
    aead: Aead,
}

impl HeaderKey {
    pub(super) fn new(secret: Secret<32>) -> Self {
        Self { aead: Aead::new(&secret), secret }
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    pub(super) fn duplicate(&self) -> Self {
        Self { secret: self.secret.duplicate(), aead: self.aead.clone() }
    }

    /// Encrypts `header` in place, without a tag, which is computed once the body is encrypted.
    pub(super) fn encrypt(&self, salt: &[u8; SALT], header: &mut [u8; HEADER]) {
        self.aead.apply_stream(&nonce(salt, HEADER_NONCE), header);
    }

    /// The tag over the digest of the whole message and the tag of its body.
    pub(super) fn tag(&self, digest: &[u8; 32], body_tag: &[u8; TAG]) -> [u8; TAG] {
        self.aead.tag(&[digest, body_tag])
    }

    /// Whether this key made the tag.
    pub(super) fn verifies(&self, digest: &[u8; 32], body_tag: &[u8; TAG], tag: &[u8; TAG]) -> bool {
        self.aead.verify(&[digest, body_tag], tag)
    }

    /// Decrypts the header. The caller has verified its tag.
    pub(super) fn decrypt(&self, header: &SealedHeader<'_>) -> Result<Header, Malformed> {
        let mut plaintext = Zeroizing::new(*header.ciphertext);
        self.aead.apply_stream(&nonce(header.salt, HEADER_NONCE), plaintext.as_mut_slice());
        Header::decode(&plaintext)
    }
}

/// An encrypted header, with the salt of its message.
#[derive(Clone, Copy)]
pub(super) struct SealedHeader<'a> {
    pub(super) salt: &'a [u8; SALT],
    pub(super) ciphertext: &'a [u8; HEADER],
}

impl SealedHeader<'_> {
    /// The digest that both tags of a message authenticate. Every part but the last is of fixed length.
    pub(super) fn digest(&self, binding: &[u8; 32], body: &[u8]) -> [u8; 32] {
        digest(&[labels::MESSAGE, binding, self.salt, self.ciphertext, body])
    }
}

/// A decrypted header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The sender's ratchet key.
    pub(super) ratchet_key: PublicKey,
    /// `PN`: how many messages the sender's previous chain had.
    pub(super) previous: u32,
    /// `N`: the number of this message in its chain, from 0.
    pub(super) number: u32,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let Self { ratchet_key, previous, number } = self;
        let numbers = previous.to_be_bytes().into_iter().chain(number.to_be_bytes());
        let mut bytes = [0; HEADER];
        for (to, from) in bytes.iter_mut().zip(ratchet_key.as_bytes().iter().copied().chain(numbers)) {
            *to = from;
        }
        bytes
    }

    fn decode(bytes: &[u8; HEADER]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let ratchet_key = x25519::decode_public(reader.array()?).map_err(|_| Malformed)?;
        let previous = reader.u32()?;
        let number = reader.u32()?;
        reader.expect(&[0; POST_QUANTUM])?;
        reader.finish()?;
        Ok(Self { ratchet_key, previous, number })
    }
}
