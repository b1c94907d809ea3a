//! The two keys of one message to a group (docs/interop.md, section 11).
//!
//! Does not know numbers or signatures. Nothing here authenticates: a signature has been verified before.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::labels;
use crate::signal::chain::Seed;
use bisik_core::primitives::aes_cbc;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;

/// Appends the ciphertext. Consumes the seed: it has no second use.
pub(super) fn encrypt(seed: Seed, output: &mut Vec<u8>, plaintext: &[u8]) {
    let (iv, cipher) = keys(&seed);
    aes_cbc::encrypt(output, &cipher, iv.expose(), plaintext);
}

/// The plaintext of a ciphertext whose signature held; nothing where it is not whole blocks with padding.
pub(super) fn decrypt(seed: &Seed, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, cipher) = keys(seed);
    aes_cbc::decrypt(&cipher, iv.expose(), ciphertext)
}

/// S-11.2. `HKDF(salt = 00·32, ikm = seed, "WhisperGroup", 48)`: initialisation vector, then cipher key.
fn keys(seed: &Seed) -> (Secret<16>, Secret<32>) {
    let output = Prk::extract(&[], &[seed.secret().expose()]).expand::<48>(&[labels::GROUP]);
    let (mut iv, mut cipher) = (Secret::zero(), Secret::zero());
    let mut bytes = output.expose().iter();
    let parts = [iv.expose_mut().as_mut_slice(), cipher.expose_mut()];
    for (to, from) in parts.into_iter().flatten().zip(&mut bytes) {
        *to = *from;
    }
    (iv, cipher)
}
