//! The back end: Graviola.
//!
//! Graviola panics where the processor lacks instructions, and where an AES key has another length than 16 or 32 bytes.
//! Nothing of it is called before [`supported`] said yes, and the lengths are those of types. Its keys are wiped when
//! they are dropped.

extern crate std;

#[cfg(feature = "sframe")]
mod frames;

use alloc::boxed::Box;

use graviola::key_agreement::mlkem768::{Ciphertext, DecapKey, EncapKey, Message};
use graviola::key_agreement::x25519;
use graviola::signing::eddsa::Ed25519SigningKey;
use zeroize::Zeroizing;

use crate::primitives::mlkem768::{CIPHERTEXT, ENCAPSULATION_KEY, SEED};
use crate::primitives::secret::{BoxedSecret, Secret};

#[cfg(feature = "sframe")]
pub(crate) use frames::FrameCipher;

/// Whether the processor has the instructions. The standard library asks once, and keeps the answer.
pub(crate) fn supported() -> bool {
    // Graviola uses BMI2 without asking for it: the processors that have ADX, for which it asks, have both.
    #[cfg(target_arch = "x86_64")]
    if !std::is_x86_feature_detected!("bmi2") {
        return false;
    }
    graviola::util::is_cpu_supported()
}

/// The public key of a secret scalar, which is clamped.
pub(crate) fn public_key(secret: &Secret<32>) -> Option<[u8; 32]> {
    supported().then(|| x25519::StaticPrivateKey::from_array(secret.expose()).public_key().as_bytes())
}

/// The shared secret of a secret scalar, which is clamped, and a public key; zeros for a point of small order.
pub(crate) fn agree(secret: &Secret<32>, theirs: &[u8; 32]) -> Option<[u8; 32]> {
    if !supported() {
        return None;
    }
    let theirs = x25519::PublicKey::from_array(theirs);
    let shared = x25519::StaticPrivateKey::from_array(secret.expose()).diffie_hellman(&theirs);
    Some(shared.map_or([0; 32], |shared| shared.as_bytes()))
}

/// FIPS 203, algorithm 17, with a key that passed the modulus check, and with `randomness` as `m`.
pub(crate) fn encapsulate(
    key: &[u8; ENCAPSULATION_KEY],
    randomness: &Secret<32>,
) -> Option<(Box<[u8; CIPHERTEXT]>, Secret<32>)> {
    if !supported() {
        return None;
    }
    let (shared, ciphertext) = EncapKey::from_bytes(key).ok()?.encaps_internal(Message(*randomness.expose()));
    Some((Box::new(*ciphertext.as_ref()), Secret::copy_of(shared.as_ref())))
}

/// A signing key of Ed25519, expanded once.
pub(crate) struct Signer(Box<Ed25519SigningKey>);

impl Signer {
    /// Expands the 32 secret bytes that RFC 8032 defines.
    pub(crate) fn new(secret: &Secret<32>) -> Option<Self> {
        if !supported() {
            return None;
        }
        Ed25519SigningKey::from_bytes(secret.expose()).ok().map(|key| Self(Box::new(key)))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.public_key().as_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }
}

/// A decapsulation key of ML-KEM-768, expanded from its seed.
pub(crate) struct DecapsulationKey(Box<DecapKey>);

impl DecapsulationKey {
    /// FIPS 203, algorithm 16.
    pub(crate) fn new(seed: &Secret<SEED>) -> Option<Self> {
        supported().then(|| Self(Box::new(DecapKey::keygen_internal(seed.expose()))))
    }

    pub(crate) fn public(&self) -> [u8; ENCAPSULATION_KEY] {
        self.0.encapsulation_key().as_bytes()
    }

    /// The `dk` of FIPS 203.
    pub(crate) fn expanded(&self) -> BoxedSecret<2400> {
        let mut expanded = Box::new(Secret::zero());
        *expanded.expose_mut() = *Zeroizing::new(self.0.as_bytes());
        expanded
    }

    /// FIPS 203, algorithm 18.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
        Secret::copy_of(self.0.decaps_internal(&Ciphertext::from(*ciphertext)).as_ref())
    }
}
