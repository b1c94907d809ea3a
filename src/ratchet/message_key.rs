//! Message keys: one for each message, used once, and the encryption of bodies (docs/spec/session.md, section 4.5).
//! Messages of groups have the same.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::layout::{BODY_NONCE, SALT, nonce};
use crate::labels;
use bisik_core::primitives::aead::{Aead, TAG};
use bisik_core::primitives::secret::Secret;

/// `mk`: the key of one message.
pub(crate) struct MessageKey(Secret<32>);

impl MessageKey {
    pub(crate) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// Prepares to encrypt one body. Consumes the key, which has no second use.
    pub(crate) fn into_sealing(self) -> Sealing {
        Sealing(Aead::new(&self.0))
    }

    /// Decrypts `body`; `None` if the tag over the message's digest does not verify.
    pub(crate) fn open(
        &self,
        salt: &[u8; SALT],
        digest: &[u8; 32],
        body: &[u8],
        tag: &[u8; TAG],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let aead = Aead::new(&self.0);
        if !aead.verify(&[digest], tag) {
            return None;
        }
        let mut plaintext = Zeroizing::new(body.to_vec());
        aead.apply_stream(&nonce(salt, BODY_NONCE), &mut plaintext);
        Some(plaintext)
    }
}

/// A message key that encrypts one body.
pub(crate) struct Sealing(Aead);

impl Sealing {
    /// P-4.6. The salt `r`, which keeps (key, nonce) unique even if `mk` is derived again after a rollback. It is
    /// derived from fresh randomness and from header and plaintext, so that not even a repeating generator pairs one
    /// nonce with two headers or two plaintexts. `header` has one length in all messages of a kind.
    pub(crate) fn salt(&self, randomness: &[u8; SALT], header: &[u8], plaintext: &[u8]) -> [u8; SALT] {
        let full = self.0.derive(labels::MESSAGE_NONCE, &[randomness, header, plaintext]);
        full.truncate()
    }

    /// Appends the encrypted body to `output` and returns it.
    pub(crate) fn append<'a>(&self, salt: &[u8; SALT], plaintext: &[u8], output: &'a mut Vec<u8>) -> &'a [u8] {
        self.0.append_stream(&nonce(salt, BODY_NONCE), plaintext, output)
    }

    /// The tag over the digest of the whole message.
    pub(crate) fn tag(self, digest: &[u8; 32]) -> [u8; TAG] {
        self.0.tag(&[digest])
    }
}
