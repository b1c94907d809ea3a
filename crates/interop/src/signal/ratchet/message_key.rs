//! The keys of one message: cipher key, MAC key and initialisation vector (docs/interop.md, sections 3 and 4).

use alloc::vec::Vec;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Form, Parties};
use crate::labels;
use crate::signal::chain::Seed;
use crate::signal::wire::{MAC, Whisper};
use bisik_core::primitives::aes_cbc;
use bisik_core::primitives::kdf::{HmacSha256, Prk};
use bisik_core::primitives::secret::Secret;

/// Appends the encrypted body and the fields after it to `output`, and then the tag over everything in it from `start`,
/// which is not past the end of `output`. Consumes the seed, so that it cannot be used twice. S-4.3.
pub(super) fn seal(
    seed: Seed,
    output: &mut Vec<u8>,
    start: usize,
    parties: Parties<'_>,
    form: Form<'_>,
    plaintext: &[u8],
) {
    let keys = Keys::of(&seed, parties.salt);
    aes_cbc::encrypt(output, &keys.cipher, keys.iv.expose(), plaintext);
    output.extend_from_slice(form.after);
    let (_, message) = output.split_at(start);
    let tag = keys.tag(parties, message);
    output.extend_from_slice(&tag);
}

/// The plaintext of a message, or `None` if the tag does not verify. The tag is verified first. S-4.4.
pub(super) fn open(seed: &Seed, message: &Whisper<'_>, parties: Parties<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let keys = Keys::of(seed, parties.salt);
    let tag = keys.tag(parties, message.authenticated);
    if !bool::from(tag.as_slice().ct_eq(message.mac.as_slice())) {
        return None;
    }
    aes_cbc::decrypt(&keys.cipher, keys.iv.expose(), message.body)
}

/// The keys of one message.
struct Keys {
    cipher: Secret<32>,
    mac: HmacSha256,
    iv: Secret<16>,
}

impl Keys {
    /// `HKDF(salt, ikm = mk, "WhisperMessageKeys", 80)`: cipher key, MAC key, initialisation vector. S-3.4, S-13.9.
    fn of(seed: &Seed, salt: &[u8; 32]) -> Self {
        let output = Prk::extract(salt, &[seed.secret().expose()]).expand::<80>(&[labels::MESSAGE_KEYS]);
        let (mut cipher, mut mac, mut iv) = (Secret::zero(), Secret::zero(), Secret::zero());
        let mut bytes = output.expose().iter();
        let parts = [cipher.expose_mut().as_mut_slice(), mac.expose_mut(), iv.expose_mut()];
        for (to, from) in parts.into_iter().flatten().zip(&mut bytes) {
            *to = *from;
        }
        Self { cipher, mac: HmacSha256::new(&mac), iv }
    }

    /// The first eight bytes of `HMAC(sender ‖ receiver ‖ message)`.
    fn tag(&self, parties: Parties<'_>, message: &[u8]) -> [u8; MAC] {
        let full = self.mac.hash(&[&parties.sender.to_bytes(), &parties.receiver.to_bytes(), message]);
        let mut tag = [0; MAC];
        for (to, from) in tag.iter_mut().zip(full.expose()) {
            *to = *from;
        }
        tag
    }
}
