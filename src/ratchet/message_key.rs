//! Message keys: one for each message, used once, and the encryption of bodies (docs/protocol.md, section 4.5).
//!
//! Does not know chains or numbers.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::header::SealedHeader;
use crate::labels;
use crate::primitives::aead::{Aead, NONCE, TAG};
use crate::primitives::kdf::KeyedHash;
use crate::primitives::secret::Secret;

/// Bytes of the per-message salt.
pub(super) const SALT: usize = 16;

/// `mk`: the key of one message.
pub(super) struct MessageKey(Secret<32>);

impl MessageKey {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// The salt `r` that makes (key, nonce) unique even when `mk` is met again after a rollback: fresh randomness, and
    /// beneath it the plaintext itself, so that not even a repeated generator can pair one nonce with two plaintexts.
    pub(super) fn salt(&self, randomness: &[u8; SALT], plaintext: &[u8]) -> [u8; SALT] {
        let full = KeyedHash::new(&self.0).hash(&[labels::MESSAGE_NONCE, randomness, plaintext]);
        let [salt @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = full.expose();
        *salt
    }

    /// Encrypts `body` in place and gives its tag. Consumes the key: it has no second use.
    pub(super) fn seal(self, binding: &[u8; 32], header: &SealedHeader<'_>, body: &mut [u8]) -> [u8; TAG] {
        let associated = [labels::BODY, binding, header.salt, header.ciphertext];
        Aead::new(&self.0).seal(&nonce(header.salt), &associated, body)
    }

    /// The plaintext of `body`, or nothing if the tag does not fit.
    pub(super) fn open(
        &self,
        binding: &[u8; 32],
        header: &SealedHeader<'_>,
        body: &[u8],
        tag: &[u8; TAG],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let aead = Aead::new(&self.0);
        let nonce = nonce(header.salt);
        let associated = [labels::BODY, binding, header.salt, header.ciphertext];
        if !aead.verify(&nonce, &associated, body, tag) {
            return None;
        }
        let mut plaintext = Zeroizing::new(body.to_vec());
        aead.apply_stream(&nonce, &mut plaintext);
        Some(plaintext)
    }
}

/// `r ‖ 1`: bodies.
fn nonce(salt: &[u8; SALT]) -> [u8; NONCE] {
    super::header::nonce(salt, 1)
}
