//! ML-KEM-768 (FIPS 203), with keys stored as their 64-byte seeds.
//!
//! Seeds rather than expanded keys, because only seeds bind key, ciphertext and secret to one another
//! (docs/spec/conventions.md, section 1.4).

use alloc::boxed::Box;
use core::fmt;

use libcrux_ml_kem::mlkem768;
use rand_core::CryptoRng;
use zeroize::Zeroize;

use super::secret::Secret;

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
        let (ciphertext, mut shared) = mlkem768::encapsulate(&self.as_bytes().into(), *randomness.expose());
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        (Box::new(ciphertext.into()), secret)
    }
}

/// A decapsulation key, expanded from its seed for one use.
pub struct DecapsulationKey {
    expanded: Box<Secret<2400>>,
    public: EncapsulationKey,
}

impl DecapsulationKey {
    /// FIPS 203, algorithm 16: derives the pair from the seed `d ‖ z`.
    #[must_use]
    pub fn from_seed(seed: &Secret<SEED>) -> Self {
        let (private, public) = mlkem768::generate_key_pair(*seed.expose()).into_parts();
        let public = EncapsulationKey(Box::new(public.into()));
        Self { expanded: Box::new(Secret::new(private.into())), public }
    }

    /// Returns the public half.
    #[must_use]
    pub const fn public(&self) -> &EncapsulationKey {
        &self.public
    }

    /// FIPS 203, algorithm 18. Never fails: a ciphertext made for another key gives a secret that nobody knows.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
        let mut shared = mlkem768::decapsulate(&self.expanded.expose().into(), &ciphertext.into());
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        secret
    }
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
