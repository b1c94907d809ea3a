//! The symmetric step, and the three keys of one message (docs/interop.md, section 3).
//!
//! Does not know directions or numbers.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Parties;
use crate::interop::wire::MAC;
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

    /// S-3.3. `mk = HMAC(CK, 01)`, `CK' = HMAC(CK, 02)`.
    pub(super) fn step(&self) -> (Self, MessageKey) {
        let hash = KeyedHash::new(&self.0);
        let message_key = MessageKey(hash.hash(&[labels::CHAIN_MESSAGE]));
        (Self(hash.hash(&[labels::CHAIN_NEXT])), message_key)
    }

    /// The next chain key alone, where nobody will ask for the message key.
    pub(super) fn skip(&self) -> Self {
        Self(KeyedHash::new(&self.0).hash(&[labels::CHAIN_NEXT]))
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// `mk`: what the keys of one message come from. Kept in this form, which is the shortest.
pub(super) struct MessageKey(Secret<32>);

impl MessageKey {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// S-3.4. `HKDF(salt = 00·32, ikm = mk, "WhisperMessageKeys", 80)`: cipher key, MAC key, initialisation vector. A message
    /// of version 4 has its salt here.
    fn keys(&self) -> Keys {
        let output = Prk::extract(&[0; 32], &[self.0.expose()]).expand::<80>(&[labels::interop::MESSAGE_KEYS]);
        let (mut cipher, mut mac, mut iv) = (Secret::zero(), Secret::zero(), Secret::zero());
        let mut bytes = output.expose().iter();
        let parts = [cipher.expose_mut().as_mut_slice(), mac.expose_mut(), iv.expose_mut()];
        for (to, from) in parts.into_iter().flatten().zip(&mut bytes) {
            *to = *from;
        }
        Keys { cipher, mac: KeyedHash::new(&mac), iv }
    }

    /// S-4.3. Appends the encrypted body to `output`, and then the tag over everything in it from `start`.
    pub(super) fn seal(self, output: &mut Vec<u8>, start: usize, parties: Parties<'_>, plaintext: &[u8]) {
        let keys = self.keys();
        cbc::encrypt(output, &keys.cipher, keys.iv.expose(), plaintext);
        let tag = keys.tag(parties, output.get(start..).unwrap_or_default());
        output.extend_from_slice(&tag);
    }

    /// S-4.4. The plaintext of `body`, or nothing if the tag does not fit, which is looked at first.
    pub(super) fn open(
        &self,
        parties: Parties<'_>,
        authenticated: &[u8],
        mac: &[u8; MAC],
        body: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.keys();
        if !bool::from(keys.tag(parties, authenticated).as_slice().ct_eq(mac.as_slice())) {
            return None;
        }
        cbc::decrypt(&keys.cipher, keys.iv.expose(), body)
    }
}

/// The keys of one message.
struct Keys {
    cipher: Secret<32>,
    mac: KeyedHash,
    iv: Secret<16>,
}

impl Keys {
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
