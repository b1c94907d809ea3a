//! The two keys of one message to a group (docs/interop.md, section 11).
//!
//! Nothing here authenticates: the caller has verified the message's signature.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::labels;
use crate::signal::chain::Seed;
use bisik_core::primitives::aes_cbc;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;

/// Appends the ciphertext. Consumes the seed, so that it cannot be used twice.
pub(super) fn encrypt(seed: Seed, output: &mut Vec<u8>, plaintext: &[u8]) {
    let (iv, cipher) = keys(&seed);
    aes_cbc::encrypt(output, &cipher, iv.expose(), plaintext);
}

/// The plaintext of a ciphertext whose signature verified, or `None` if it is not whole blocks with valid padding.
pub(super) fn decrypt(seed: &Seed, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, cipher) = keys(seed);
    aes_cbc::decrypt(&cipher, iv.expose(), ciphertext)
}

/// `HKDF(salt = 00·32, ikm = seed, "WhisperGroup", 48)`: initialisation vector, then cipher key. S-11.2.
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
