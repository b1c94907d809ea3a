//! [`KyberKeyPair`] and [`KyberPublicKey`]: Kyber-1024 keys in the encoding of the protocol (docs/interop.md, section 13).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::signal::key::KeyError;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::kyber1024::{self, PrivateKey};
use bisik_core::primitives::secret::{BoxedSecret, Secret};

/// A Kyber-1024 public key, every coefficient of which is reduced.
#[derive(Clone, PartialEq, Eq)]
pub struct KyberPublicKey(pub(super) kyber1024::PublicKey);

impl KyberPublicKey {
    /// Bytes of an encoded key: its type, and the 1,568 bytes of Kyber.
    pub const LENGTH: usize = 1_569;

    /// Reads a key: `08`, and the 1,568 bytes of Kyber. S-13.1, S-13.2.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] for another length or type; [`KeyError::NonCanonical`] if a coefficient is not reduced.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = raw(bytes).ok_or(KeyError::Malformed)?;
        kyber1024::PublicKey::decode(key).map(Self).ok_or(KeyError::NonCanonical)
    }

    /// The bytes that [`from_bytes`](Self::from_bytes) reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        typed(self.0.as_bytes())
    }
}

/// The value of a key or ciphertext, after its type. Both have the same length.
pub(super) fn raw(bytes: &[u8]) -> Option<&[u8; kyber1024::CIPHERTEXT]> {
    match bytes.split_first() {
        Some((&TYPE, raw)) => raw.try_into().ok(),
        Some(_) | None => None,
    }
}

/// A key or ciphertext with its type.
pub(super) fn typed(raw: &[u8; kyber1024::CIPHERTEXT]) -> Vec<u8> {
    [TYPE].iter().chain(raw).copied().collect()
}

impl fmt::Debug for KyberPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KyberPublicKey(..)")
    }
}

/// A Kyber-1024 key pair. Kept as the seed it was made from, or expanded if it came from elsewhere. Wiped on drop.
pub struct KyberKeyPair(Private);

enum Private {
    Seed(BoxedSecret<{ kyber1024::SEED }>),
    Expanded(Box<PrivateKey>),
}

impl KyberKeyPair {
    /// Draws a pair from 64 bytes of `rng`.
    #[must_use]
    pub fn generate(mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(Private::Seed(Box::new(Secret::random(&mut rng))))
    }

    /// The pair of a seed of 64 bytes.
    #[must_use]
    pub fn from_seed_bytes(seed: [u8; kyber1024::SEED]) -> Self {
        Self(Private::Seed(Box::new(Secret::new(seed))))
    }

    /// A pair whose 3,168 bytes another implementation stored: secret vector, public key, its digest, and z.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`] if the public half is not valid, or the digest not its own.
    pub fn from_expanded_bytes(bytes: &[u8; kyber1024::PRIVATE_KEY]) -> Result<Self, KeyError> {
        let key = PrivateKey::decode(&Secret::copy_of(bytes)).ok_or(KeyError::NonCanonical)?;
        Ok(Self(Private::Expanded(Box::new(key))))
    }

    /// The public half. Costs the generation of the key if it is kept as a seed.
    #[must_use]
    pub fn public(&self) -> KyberPublicKey {
        KyberPublicKey(match &self.0 {
            Private::Seed(seed) => PrivateKey::from_seed(seed).public().clone(),
            Private::Expanded(key) => key.public().clone(),
        })
    }

    pub(super) fn decapsulate(&self, ciphertext: &[u8; kyber1024::CIPHERTEXT]) -> Secret<32> {
        match &self.0 {
            Private::Seed(seed) => PrivateKey::from_seed(seed).decapsulate(ciphertext),
            Private::Expanded(key) => key.decapsulate(ciphertext),
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        match &self.0 {
            Private::Seed(seed) => writer.flag(false).bytes(seed.expose()),
            Private::Expanded(key) => writer.flag(true).bytes(key.expose()),
        };
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if reader.flag()? {
            return Self::from_expanded_bytes(reader.array()?).map_err(|_| Malformed);
        }
        Ok(Self(Private::Seed(Box::new(Secret::copy_of(reader.array()?)))))
    }
}

impl fmt::Debug for KyberKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KyberKeyPair(..)")
    }
}

/// The type of Kyber-1024 keys and ciphertexts.
const TYPE: u8 = 0x08;
