//! Ed25519 (RFC 8032), verified strictly: canonical encodings, no small-order keys, no malleability.

use alloc::boxed::Box;
use core::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::secret::Secret;
use super::x25519::is_reduced;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// Why 32 bytes are not a verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidVerifyingKey {
    /// Not the encoding of a point, or not its canonical one.
    NonCanonical,
    /// A point of small order, under which anything verifies.
    LowOrder,
}

/// The public half of a signing pair.
#[derive(Clone, PartialEq, Eq)]
pub struct SignaturePublicKey(VerifyingKey);

impl SignaturePublicKey {
    /// Reads the 32 bytes of RFC 8032.
    ///
    /// # Errors
    ///
    /// [`InvalidVerifyingKey`] where they are not the canonical encoding of a point, or the point is of small order.
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

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` is this key's over `message` (P-1.5): RFC 8032, section 5.1.7, without cofactor, with
    /// small-order `A` and `R` refused.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// A signing pair. The secret half wipes itself on drop, and is boxed, so that moves leave no copy behind.
pub struct SignatureKeyPair(Box<SigningKey>);

impl SignatureKeyPair {
    /// The pair of the 32 secret bytes of RFC 8032.
    #[must_use]
    pub fn from_secret(secret: &Secret<32>) -> Self {
        Self(Box::new(SigningKey::from_bytes(secret.expose())))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> SignaturePublicKey {
        SignaturePublicKey(self.0.verifying_key())
    }

    /// The 32 secret bytes. Copies of them are the caller's to wipe.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The signature over `message`, which is deterministic.
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
