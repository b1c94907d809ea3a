//! The symmetric step of a sender key, and the keys of one message (docs/interop.md, section 11).
//!
//! Does not know numbers or signatures. Nothing here authenticates: a signature has been verified before.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::interop::limits::MAX_SKIPPED;
use crate::labels;
use crate::primitives::cbc;
use crate::primitives::kdf::{KeyedHash, Prk};
use crate::primitives::secret::Secret;

/// `CK`: everything that the rest of a chain comes from.
pub(super) struct ChainKey(Secret<32>);

impl ChainKey {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// S-11.2. `seed = HMAC(CK, 01)`, `CK' = HMAC(CK, 02)`.
    pub(super) fn step(&self) -> (Self, Seed) {
        let hash = KeyedHash::new(&self.0);
        (Self(hash.hash(&[labels::CHAIN_NEXT])), Seed(hash.hash(&[labels::CHAIN_MESSAGE])))
    }

    /// Steps from number `from` to number `to`, keeping the seeds between; of more than are ever kept, only the newest.
    pub(super) fn jump(&self, from: u32, to: u32) -> (Self, Vec<(u32, Box<Seed>)>) {
        let most = u32::try_from(MAX_SKIPPED).unwrap_or(u32::MAX);
        let keep_from = to.saturating_sub(most).max(from);
        let mut chain = self.duplicate();
        for _ in from..keep_from {
            chain = Self(KeyedHash::new(&chain.0).hash(&[labels::CHAIN_NEXT]));
        }
        let mut kept = Vec::with_capacity(usize::try_from(to.saturating_sub(keep_from)).unwrap_or_default());
        for number in keep_from..to {
            let (next, seed) = chain.step();
            kept.push((number, Box::new(seed)));
            chain = next;
        }
        (chain, kept)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// What the keys of one message come from. Kept in this form, which is the shortest.
pub(super) struct Seed(Secret<32>);

impl Seed {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// S-11.2. `HKDF(salt = 00·32, ikm = seed, "WhisperGroup", 48)`: initialisation vector, then cipher key.
    fn keys(&self) -> (Secret<16>, Secret<32>) {
        let output = Prk::extract(&[], &[self.0.expose()]).expand::<48>(&[labels::interop::GROUP]);
        let (mut iv, mut cipher) = (Secret::zero(), Secret::zero());
        let mut bytes = output.expose().iter();
        let parts = [iv.expose_mut().as_mut_slice(), cipher.expose_mut()];
        for (to, from) in parts.into_iter().flatten().zip(&mut bytes) {
            *to = *from;
        }
        (iv, cipher)
    }

    /// Appends the ciphertext.
    pub(super) fn encrypt(self, output: &mut Vec<u8>, plaintext: &[u8]) {
        let (iv, cipher) = self.keys();
        cbc::encrypt(output, &cipher, iv.expose(), plaintext);
    }

    /// The plaintext of a ciphertext whose signature held; nothing where it is not whole blocks with padding.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, cipher) = self.keys();
        cbc::decrypt(&cipher, iv.expose(), ciphertext)
    }
}
