//! Ed25519 (RFC 8032): canonical encodings, no keys of small order, no malleability, and the equation with cofactor.
//!
//! One signature and a batch of them are verified by the same equation (docs/spec/conventions.md, section 1.1), so that
//! a batch accepts exactly those signatures that are accepted one by one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, iter};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::accelerated;
use super::kdf::digest;
use super::secret::Secret;
use super::sha512::sha512;
use super::x25519::is_reduced;
use crate::labels;

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
        if !has_reduced_y(bytes) {
            return Err(InvalidVerifyingKey::NonCanonical);
        }
        Ok(Self(key))
    }

    /// Returns the 32 bytes that RFC 8032 defines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks whether `signature` is this key's over `message`. Requirement P-1.5.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.unverified(&[message], signature).is_some_and(|signature| signature.verify())
    }

    /// Decodes `signature` for [`Unverified::verify`] or [`verify_batch`]. It is said to be this key's over the
    /// concatenation of `message`, which is hashed here and need not be kept.
    ///
    /// `None` if no message can have this signature: `S` is not below the group order, or `R` is not the canonical
    /// encoding of a point, or the point is of small order. Requirement P-1.5.
    #[must_use]
    pub fn unverified(&self, message: &[&[u8]], signature: &[u8; SIGNATURE]) -> Option<Unverified> {
        let (encoded, s) = (signature.first_chunk::<32>()?, signature.last_chunk::<32>()?);
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*s))?;
        let r = CompressedEdwardsY(*encoded).decompress()?;
        if !has_reduced_y(encoded) || r.is_small_order() {
            return None;
        }
        let hashed: Vec<_> = [encoded.as_slice(), self.as_bytes()].iter().chain(message).copied().collect();
        let k = Scalar::from_bytes_mod_order_wide(&sha512(&hashed));
        Some(Unverified { key: self.clone(), encoded: *encoded, r, s, k })
    }
}

/// A signature that is well encoded but not yet verified, with its key and the hash of its message.
#[derive(Clone)]
#[must_use = "a signature proves nothing before it is verified"]
pub struct Unverified {
    key: SignaturePublicKey,
    /// `R`, as in the signature.
    encoded: [u8; 32],
    r: EdwardsPoint,
    s: Scalar,
    /// SHA-512 of `R ‖ A ‖ message`, modulo the group order.
    k: Scalar,
}

impl Unverified {
    /// Whether `[8]([S]B − R − [k]A) = 0`: the equation of RFC 8032, section 5.1.7, with its cofactor. Public data, so
    /// variable time is fine. Requirement P-1.5.
    #[must_use]
    pub fn verify(&self) -> bool {
        let Self { key, encoded: _, r, s, k } = self;
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &-key.0.to_edwards(), s);
        // A point that eight times itself is zero is of small order.
        (expected - r).is_small_order()
    }
}

/// Whether every one of `signatures` verifies. Costs about half as much for each as [`Unverified::verify`]; none at all
/// verify.
///
/// It checks one sum of all equations, `[8]Σ [z]([S]B − R − [k]A) = 0`, with a factor `z` of 128 bits for each. The
/// cofactor removes exactly the parts that the single equation ignores, so that valid signatures always pass. Others
/// pass with probability 2^-128: the factors are hashed from all keys, signatures and messages, and nobody can choose
/// these to fit. Requirement P-1.5.
#[must_use]
pub fn verify_batch(signatures: &[Unverified]) -> bool {
    // One equation needs no factor, and is solved faster with the precomputed multiples of B.
    if let [only] = signatures {
        return only.verify();
    }
    let mut sum = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(signatures.len().saturating_mul(2).saturating_add(1));
    for (Unverified { key: _, encoded: _, r: _, s, k }, z) in signatures.iter().zip(factors(signatures)) {
        sum -= z * s;
        scalars.extend([z, z * k]);
    }
    scalars.push(sum);
    let points = signatures.iter().flat_map(|Unverified { key, encoded: _, r, s: _, k: _ }| [*r, key.0.to_edwards()]);
    let points = points.chain(iter::once(ED25519_BASEPOINT_POINT));
    EdwardsPoint::vartime_multiscalar_mul(scalars, points).is_small_order()
}

/// The factor of each equation: 128 bits of a hash of its position and of everything that all the equations contain.
fn factors(signatures: &[Unverified]) -> impl Iterator<Item = Scalar> {
    let mut inputs: Vec<&[u8]> = Vec::with_capacity(signatures.len().saturating_mul(4).saturating_add(1));
    inputs.push(labels::SIGNATURES);
    for Unverified { key, encoded, r: _, s, k } in signatures {
        inputs.extend([key.as_bytes(), encoded, s.as_bytes(), k.as_bytes()].map(<[u8; 32]>::as_slice));
    }
    let seed = digest(&inputs);
    (0_u64..).map(move |position| {
        let [low @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest(&[&seed, &position.to_be_bytes()]);
        Scalar::from(u128::from_le_bytes(low))
    })
}

/// Whether the y-coordinate in `bytes` is below 2^255 - 19: decompression reduces it silently. The sign of x = 0 needs
/// no check here: those points are of small order.
fn has_reduced_y(bytes: &[u8; 32]) -> bool {
    let mut y = *bytes;
    let [.., high] = &mut y;
    *high &= 0x7f;
    is_reduced(&y)
}

/// A signing key pair. The secret half is wiped on drop, and boxed, so that moves leave no copy behind.
pub struct SignatureKeyPair(Expanded);

enum Expanded {
    Default(Box<SigningKey>),
    Accelerated(Box<Accelerated>),
}

struct Accelerated {
    signer: accelerated::Signer,
    secret: Secret<32>,
    public: SignaturePublicKey,
}

impl SignatureKeyPair {
    /// Creates the pair from the 32 secret bytes that RFC 8032 defines.
    #[must_use]
    pub fn from_secret(secret: &Secret<32>) -> Self {
        match accelerated(secret) {
            Some(expanded) => Self(expanded),
            None => Self(Expanded::Default(Box::new(SigningKey::from_bytes(secret.expose())))),
        }
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> SignaturePublicKey {
        match &self.0 {
            Expanded::Default(key) => SignaturePublicKey(key.verifying_key()),
            Expanded::Accelerated(key) => key.public.clone(),
        }
    }

    /// Returns the 32 secret bytes. The caller must wipe copies of them.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        match &self.0 {
            Expanded::Default(key) => key.as_bytes(),
            Expanded::Accelerated(key) => key.secret.expose(),
        }
    }

    /// Signs `message`. Signatures are deterministic.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        match &self.0 {
            Expanded::Default(key) => key.sign(message).to_bytes(),
            Expanded::Accelerated(key) => key.signer.sign(message),
        }
    }
}

/// Expands `secret` in the back end that the processor supports, if there is one.
fn accelerated(secret: &Secret<32>) -> Option<Expanded> {
    let signer = accelerated::Signer::new(secret)?;
    let public = SignaturePublicKey(VerifyingKey::from_bytes(&signer.public()).ok()?);
    Some(Expanded::Accelerated(Box::new(Accelerated { signer, secret: secret.duplicate(), public })))
}

impl fmt::Debug for SignaturePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignaturePublicKey(..)")
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(..)")
    }
}

impl fmt::Debug for SignatureKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureKeyPair(..)")
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test computes with points and scalars, which cannot overflow")]
mod tests;
