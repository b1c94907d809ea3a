//! Ed25519 (RFC 8032) with strict verification: canonical encodings, no small-order keys, no malleability.

use alloc::boxed::Box;
use core::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::secret::Secret;
use super::x25519::is_reduced;

/// Length of a signature in bytes.
pub const SIGNATURE: usize = 64;

/// Why 32 bytes are not a verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidVerifyingKey {
    /// Not the canonical encoding of a point.
    NonCanonical,
    /// A point of small order, under which anyone can make a signature for any message.
    LowOrder,
}

/// The public half of a signing key pair.
#[derive(Clone, PartialEq, Eq)]
pub struct SignaturePublicKey(VerifyingKey);

impl SignaturePublicKey {
    /// Reads the 32 bytes that RFC 8032 defines.
    ///
    /// # Errors
    ///
    /// [`InvalidVerifyingKey`] if they are not the canonical encoding of a point, or the point is of small order.
    pub fn decode(bytes: &[u8; 32]) -> Result<Self, InvalidVerifyingKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidVerifyingKey::NonCanonical)?;
        if key.is_weak() {
            return Err(InvalidVerifyingKey::LowOrder);
        }
        // Decompression reduces y silently. The sign of x = 0 needs no check: those points are of small order.
        let [low @ .., high] = *bytes;
        let mut y = *bytes;
        for (to, from) in y.iter_mut().zip(low.iter().chain(&[high & 0x7f])) {
            *to = *from;
        }
        if !is_reduced(&y) {
            return Err(InvalidVerifyingKey::NonCanonical);
        }
        Ok(Self(key))
    }

    /// Returns the 32 bytes that RFC 8032 defines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks whether `signature` is this key's over `message`, by RFC 8032, section 5.1.7, without cofactor. Refuses
    /// small-order `A` and `R`. Requirement P-1.5.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// A signing key pair. The secret half is wiped on drop, and boxed, so that moves leave no copy behind.
pub struct SignatureKeyPair(Box<SigningKey>);

impl SignatureKeyPair {
    /// Creates the pair from the 32 secret bytes that RFC 8032 defines.
    #[must_use]
    pub fn from_secret(secret: &Secret<32>) -> Self {
        Self(Box::new(SigningKey::from_bytes(secret.expose())))
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> SignaturePublicKey {
        SignaturePublicKey(self.0.verifying_key())
    }

    /// Returns the 32 secret bytes. The caller must wipe copies of them.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Signs `message`. Signatures are deterministic.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignaturePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignaturePublicKey(..)")
    }
}

impl fmt::Debug for SignatureKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureKeyPair(..)")
    }
}
