//! ML-KEM-768 (FIPS 203), with keys stored as their 64-byte seeds.
//!
//! Seeds rather than expanded keys, because only seeds bind key, ciphertext and secret to one another
//! (docs/spec/conventions.md, section 1.4).

use alloc::boxed::Box;
use core::fmt;

use libcrux_ml_kem::mlkem768;
use libcrux_ml_kem::mlkem768::incremental::{self, Ciphertext1, Ciphertext2};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use super::accelerated;
use super::mlkem768_pieces::{CT1, CT2};
use super::secret::{BoxedSecret, Secret};

/// Length of an encapsulation key in bytes.
pub const ENCAPSULATION_KEY: usize = 1184;
/// Length of a ciphertext in bytes.
pub const CIPHERTEXT: usize = 1088;
/// Length of a seed in bytes.
pub const SEED: usize = 64;

/// An encapsulation key that passed the modulus check of FIPS 203, section 7.2.
#[derive(Clone, PartialEq, Eq)]
pub struct EncapsulationKey(Box<[u8; ENCAPSULATION_KEY]>);

impl EncapsulationKey {
    /// Reads the bytes that FIPS 203 defines. Returns `None` if a coefficient is not reduced. Requirement P-1.7.
    #[must_use]
    pub fn decode(bytes: &[u8; ENCAPSULATION_KEY]) -> Option<Self> {
        mlkem768::validate_public_key(&bytes.into()).then(|| Self(Box::new(*bytes)))
    }

    /// Returns the bytes that FIPS 203 defines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; ENCAPSULATION_KEY] {
        &self.0
    }

    /// Creates a new secret, and the ciphertext that carries it. Uses 32 bytes of `rng`.
    #[must_use]
    pub fn encapsulate(&self, rng: &mut dyn CryptoRng) -> (Box<[u8; CIPHERTEXT]>, Secret<32>) {
        self.encapsulate_with(&Secret::random(rng))
    }

    /// FIPS 203, algorithm 17, with the given randomness.
    #[must_use]
    pub fn encapsulate_with(&self, randomness: &Secret<32>) -> (Box<[u8; CIPHERTEXT]>, Secret<32>) {
        if let Some(accelerated) = accelerated::encapsulate(self.as_bytes(), randomness) {
            return accelerated;
        }
        let (ciphertext, mut shared) = mlkem768::encapsulate(&self.as_bytes().into(), *randomness.expose());
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        (Box::new(ciphertext.into()), secret)
    }
}

/// A decapsulation key, expanded from its seed for one use.
pub struct DecapsulationKey {
    expanded: Expanded,
    public: EncapsulationKey,
}

enum Expanded {
    Default(BoxedSecret<2400>),
    Accelerated(accelerated::DecapsulationKey),
}

impl DecapsulationKey {
    /// FIPS 203, algorithm 16: derives the pair from the seed `d ‖ z`.
    #[must_use]
    pub fn from_seed(seed: &Secret<SEED>) -> Self {
        if let Some(key) = accelerated::DecapsulationKey::new(seed) {
            let public = EncapsulationKey(Box::new(key.public()));
            return Self { expanded: Expanded::Accelerated(key), public };
        }
        // `into_parts` and conversions would each leave another copy of the private key on the stack.
        let pair = mlkem768::generate_key_pair(*seed.expose());
        let mut expanded = Box::new(Secret::zero());
        *expanded.expose_mut() = *pair.sk();
        Self { expanded: Expanded::Default(expanded), public: EncapsulationKey(Box::new(*pair.pk())) }
    }

    /// Returns the public half.
    #[must_use]
    pub const fn public(&self) -> &EncapsulationKey {
        &self.public
    }

    /// FIPS 203, algorithm 18. Never fails: a ciphertext made for another key gives a secret that no party knows.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
        let expanded = match &self.expanded {
            Expanded::Default(expanded) => expanded,
            Expanded::Accelerated(key) => return key.decapsulate(ciphertext),
        };
        // `decapsulate` is the same function, but takes the key in a type into which it would have to be copied.
        let (ct1, ct2) = split(ciphertext);
        let mut shared = incremental::decapsulate_compressed_key(expanded.expose(), &ct1, &ct2);
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        secret
    }
}

/// The two parts of a ciphertext.
fn split(ciphertext: &[u8; CIPHERTEXT]) -> (Ciphertext1, Ciphertext2) {
    let (mut ct1, mut ct2) = (Ciphertext1 { value: [0; CT1] }, Ciphertext2 { value: [0; CT2] });
    ct1.value.iter_mut().chain(&mut ct2.value).zip(ciphertext).for_each(|(to, from)| *to = *from);
    (ct1, ct2)
}

impl fmt::Debug for EncapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncapsulationKey(..)")
    }
}

impl fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecapsulationKey(..)")
    }
}
