//! Kyber-1024 as submitted to the third round of the NIST competition. Signal's version 4 uses it, and nothing else here.
//!
//! It is not ML-KEM-1024 (FIPS 203): the same key gives other ciphertexts and other secrets. Public keys are encoded
//! the same.
//!
//! ```text
//! expanded private key = secret vector (1,536) ‖ public key (1,568) ‖ SHA3-256(public key) ‖ z (32)
//! ```

use alloc::boxed::Box;
use core::fmt;
use core::hint::black_box;

use libcrux_ml_kem::kyber1024;
use libcrux_ml_kem::mlkem1024::{
    MlKem1024Ciphertext, MlKem1024KeyPair, MlKem1024PrivateKey, MlKem1024PublicKey, validate_private_key,
    validate_public_key,
};
use zeroize::Zeroize;

use super::secret::{BoxedSecret, Secret};

/// Length of a public key in bytes.
pub const PUBLIC_KEY: usize = 1568;
/// Length of a ciphertext in bytes.
pub const CIPHERTEXT: usize = 1568;
/// Length of an expanded private key in bytes.
pub const PRIVATE_KEY: usize = 3168;
/// Length of a seed in bytes: what key generation draws.
pub const SEED: usize = 64;

/// Where the public key begins in a private one.
const SECRET_VECTOR: usize = 1536;

/// A public key, every coefficient of which is reduced.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Box<[u8; PUBLIC_KEY]>);

impl PublicKey {
    /// Reads a public key. Returns `None` if a coefficient is not reduced: no honest key has one.
    #[must_use]
    pub fn decode(bytes: &[u8; PUBLIC_KEY]) -> Option<Self> {
        validate_public_key(&MlKem1024PublicKey::from(bytes)).then(|| Self(Box::new(*bytes)))
    }

    /// Returns its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
        &self.0
    }

    /// Creates a new secret, and the ciphertext that carries it, from the given randomness.
    #[must_use]
    pub fn encapsulate_with(&self, randomness: &Secret<32>) -> (Box<[u8; CIPHERTEXT]>, Secret<32>) {
        let public = MlKem1024PublicKey::from(self.as_bytes());
        let (ciphertext, mut shared) = kyber1024::encapsulate(&public, *randomness.expose());
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        (Box::new(*ciphertext.as_slice()), secret)
    }
}

/// An expanded private key. Wiped on drop.
pub struct PrivateKey {
    expanded: BoxedSecret<PRIVATE_KEY>,
    public: PublicKey,
}

impl PrivateKey {
    /// Derives the key of a seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<SEED>) -> Self {
        let mut pair = kyber1024::generate_key_pair(*seed.expose());
        let mut expanded = Box::new(Secret::zero());
        *expanded.expose_mut() = *pair.sk();
        let public = PublicKey(Box::new(*pair.pk()));
        // The type has no way to wipe it. What takes its place is written, because it is looked at.
        pair = MlKem1024KeyPair::from(MlKem1024PrivateKey::default(), MlKem1024PublicKey::default());
        black_box(&pair);
        Self { expanded, public }
    }

    /// Reads an expanded key. Returns `None` if its public half is not valid, or its digest not that of the public half.
    #[must_use]
    pub fn decode(bytes: &Secret<PRIVATE_KEY>) -> Option<Self> {
        let public = PublicKey::decode(bytes.expose().split_at_checked(SECRET_VECTOR)?.1.first_chunk()?)?;
        let key = Self { expanded: Box::new(bytes.duplicate()), public };
        key.lend(|key| validate_private_key(key, &MlKem1024Ciphertext::default())).then_some(key)
    }

    /// Returns its bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; PRIVATE_KEY] {
        self.expanded.expose()
    }

    /// Returns the public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Opens a ciphertext. Never fails: one made for another key gives a secret that no party knows.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
        let ciphertext = MlKem1024Ciphertext::from(ciphertext);
        let mut shared = self.lend(|key| kyber1024::decapsulate(key, &ciphertext));
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        secret
    }

    /// The key in the type of the primitive, which has no way to wipe it: a key of zeros takes its place afterwards, and
    /// is looked at, so that it is written.
    fn lend<T>(&self, with: impl FnOnce(&MlKem1024PrivateKey) -> T) -> T {
        let mut key = Box::new(MlKem1024PrivateKey::from(self.expanded.expose()));
        let result = with(&key);
        *key = MlKem1024PrivateKey::default();
        black_box(&key);
        result
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_out_as_it_went_in_and_a_changed_ciphertext_gives_another() {
        let mut rng = rand::rng();
        let key = PrivateKey::from_seed(&Secret::random(&mut rng));
        let public = PublicKey::decode(key.public().as_bytes()).unwrap();
        let (mut ciphertext, secret) = public.encapsulate_with(&Secret::random(&mut rng));
        assert_eq!(key.decapsulate(&ciphertext).expose(), secret.expose());
        let again = PrivateKey::decode(&Secret::copy_of(key.expose())).unwrap();
        assert_eq!(again.decapsulate(&ciphertext).expose(), secret.expose());
        ciphertext[7] ^= 1;
        assert_ne!(key.decapsulate(&ciphertext).expose(), secret.expose());
    }

    #[test]
    fn a_key_with_a_coefficient_out_of_range_or_another_digest_is_refused() {
        let key = PrivateKey::from_seed(&Secret::random(&mut rand::rng()));
        let mut public = *key.public().as_bytes();
        public[..2].copy_from_slice(&[0xFF, 0x0F]);
        assert!(PublicKey::decode(&public).is_none());
        for place in [SECRET_VECTOR, SECRET_VECTOR + PUBLIC_KEY, PRIVATE_KEY - 33] {
            let mut bytes = Secret::copy_of(key.expose());
            bytes.expose_mut()[place] ^= 1;
            assert!(PrivateKey::decode(&bytes).is_none(), "{place}");
        }
    }

    /// What distinguishes it from FIPS 203: the same key and randomness give another ciphertext.
    #[test]
    fn it_is_not_ml_kem_1024() {
        let mut rng = rand::rng();
        let (seed, m) = (Secret::random(&mut rng), Secret::random(&mut rng));
        let key = PrivateKey::from_seed(&seed);
        let public = key.public();
        let (other, _) =
            libcrux_ml_kem::mlkem1024::encapsulate(&MlKem1024PublicKey::from(public.as_bytes()), *m.expose());
        assert_ne!(public.encapsulate_with(&m).0.as_slice(), other.as_slice());
    }
}
