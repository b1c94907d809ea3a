//! XEdDSA: signatures with X25519 keys (the XEdDSA specification, revision 1, sections 2 to 4; docs/interop.md, section
//! 1: S-1.5 to S-1.8).

use alloc::boxed::Box;
use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;
use sha2::{Digest, Sha512};
use subtle::{Choice, ConditionallyNegatable};
use zeroize::{Zeroize, Zeroizing};

use super::key::{KeyError, KeyPair, PublicKey};
use bisik_core::primitives::secret::Secret;

/// Bytes of a signature: `R ‖ s`, with the sign bit of `A` in the last bit.
pub const SIGNATURE: usize = 64;

/// Signs `message` as clients of the protocol do: with the scalar as it is, and the sign bit of `A` in the last bit of
/// the signature.
///
/// Uses 64 bytes of `rng`. The nonce stays secret and unrepeated even if these bytes are not random.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::{KeyPair, xeddsa};
///
/// let pair = KeyPair::generate(rng);
/// let signature = xeddsa::sign(&pair, b"text", rng);
/// assert!(xeddsa::verify(&pair.public(), b"text", &signature));
/// assert!(!xeddsa::verify(&pair.public(), b"other", &signature));
/// ```
#[must_use]
pub fn sign(pair: &KeyPair, message: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> [u8; SIGNATURE] {
    SigningKey::new(pair).sign(message, rng)
}

/// Signs `message` as the XEdDSA specification requires: with the scalar negated if needed to make the sign bit of `A`
/// zero. [`verify`] accepts these signatures too. S-1.6.
#[must_use]
pub fn sign_as_specified(pair: &KeyPair, message: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> [u8; SIGNATURE] {
    let mut key = SigningKey::new(pair);
    let negative = Choice::from(key.halves.sign() >> 7);
    key.halves.scalar.conditional_negate(negative);
    // The nonce is then computed from the reduced scalar, not from the clamped bytes.
    key.halves.nonce = Secret::new(key.halves.scalar.to_bytes());
    let [.., high] = &mut key.halves.public;
    *high &= !SIGN;
    key.sign(message, rng)
}

/// Whether `signature` is a valid signature over `message` by the holder of `key`. Verification is strict, and takes
/// variable time: all inputs are public.
///
/// Accepts both conventions of the sign bit. See [`VerifyingKey`] for many signatures by one key.
#[must_use]
pub fn verify(key: &PublicKey, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
    VerifyingKey::new(key).is_ok_and(|key| key.verify(message, signature))
}

/// A key pair prepared for repeated signing: the Edwards form of its public half is computed once.
pub struct SigningKey {
    halves: Box<Halves>,
}

struct Halves {
    scalar: Scalar,
    /// The bytes that enter the nonce: the clamped private bytes, in the convention of the protocol's clients.
    nonce: Secret<32>,
    /// `A`, compressed.
    public: [u8; 32],
}

impl Halves {
    fn sign(&self) -> u8 {
        let [.., high] = self.public;
        high & SIGN
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl SigningKey {
    /// Prepares `pair`, with one scalar multiplication.
    #[must_use]
    pub fn new(pair: &KeyPair) -> Self {
        let scalar = Scalar::from_bytes_mod_order(*pair.expose_secret_bytes());
        let public = EdwardsPoint::mul_base(&scalar).compress().to_bytes();
        let nonce = Secret::copy_of(pair.expose_secret_bytes());
        Self { halves: Box::new(Halves { scalar, nonce, public }) }
    }

    /// Restores a key from what [`halves`](Self::halves) returned.
    pub(super) fn of_halves(secret: &Secret<32>, public: [u8; 32]) -> Self {
        let scalar = Scalar::from_bytes_mod_order(*secret.expose());
        Self { halves: Box::new(Halves { scalar, nonce: secret.duplicate(), public }) }
    }

    /// The clamped private bytes, and the public half in its Edwards form, which costs a scalar multiplication to
    /// compute.
    pub(super) fn halves(&self) -> (&Secret<32>, &[u8; 32]) {
        (&self.halves.nonce, &self.halves.public)
    }

    /// Like [`sign`], without preparing the pair again.
    #[must_use]
    pub fn sign(&self, message: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> [u8; SIGNATURE] {
        let mut randomness = Zeroizing::new([0; 64]);
        rng.fill_bytes(randomness.as_mut());
        self.sign_with(&[message], &randomness)
    }

    /// `r = SHA-512(FE ‖ FF·31 ‖ a ‖ M ‖ Z)`, `R = rB`, `s = r + SHA-512(R ‖ A ‖ M)·a`. S-1.5.
    pub(super) fn sign_with(&self, message: &[&[u8]], randomness: &[u8; 64]) -> [u8; SIGNATURE] {
        let Halves { scalar, nonce, public } = self.halves.as_ref();
        let mut r = hash(&[&NONCE_PREFIX, nonce.expose()], message, &[randomness]);
        let big_r = EdwardsPoint::mul_base(&r).compress().to_bytes();
        let h = hash(&[&big_r, public], message, &[]);
        let mut s = h * scalar + r;
        let s_bytes = s.to_bytes();
        r.zeroize();
        s.zeroize();
        let mut signature = [0; SIGNATURE];
        for (to, from) in signature.iter_mut().zip(big_r.iter().chain(&s_bytes)) {
            *to = *from;
        }
        let [.., last] = &mut signature;
        *last |= self.halves.sign();
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A public key prepared for repeated verification: its Edwards form is computed once.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    /// `-A` for the sign bit 0. Its encoding is that of `A` for the sign bit 1, and vice versa.
    negated: EdwardsPoint,
    /// `A` for the sign bit 0, compressed.
    public: [u8; 32],
}

impl VerifyingKey {
    /// Prepares `key`.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`] if the key is not on the curve.
    pub fn new(key: &PublicKey) -> Result<Self, KeyError> {
        let point = MontgomeryPoint(*key.as_raw()).to_edwards(0).ok_or(KeyError::NonCanonical)?;
        Ok(Self { negated: -point, public: point.compress().to_bytes() })
    }

    /// Whether `signature` is a valid signature over `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.verify_parts(&[message], signature)
    }

    /// Requires `s` below the group order, and `R` canonically encoded and not of small order; the type of `A` ensures
    /// both for `A`. Without a cofactor: `sB - hA` must equal `R` itself. S-1.7, S-1.8.
    pub(super) fn verify_parts(&self, message: &[&[u8]], signature: &[u8; SIGNATURE]) -> bool {
        let (Some(big_r), Some(s)) = (signature.first_chunk::<32>(), signature.last_chunk::<32>()) else {
            return false;
        };
        let mut s = *s;
        let [.., last] = &mut s;
        let sign = *last & SIGN;
        *last &= !SIGN;
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)) else {
            return false;
        };
        let mut public = self.public;
        let [.., high] = &mut public;
        *high |= sign;
        let negated = if sign == 0 { self.negated } else { -self.negated };
        let h = hash(&[big_r, &public], message, &[]);
        let found = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &negated, &s);
        found.compress().as_bytes() == big_r && !found.is_small_order()
    }
}

/// SHA-512 of the concatenation, as a scalar.
fn hash(before: &[&[u8]], message: &[&[u8]], after: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new();
    for part in before.iter().chain(message).chain(after) {
        hash.update(part);
    }
    let mut digest = hash.finalize();
    let mut wide = Zeroizing::new([0; 64]);
    wide.copy_from_slice(&digest);
    digest.as_mut_slice().zeroize();
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// The bit that carries the sign of `A`, in the last byte of a signature and of a compressed point.
const SIGN: u8 = 0x80;

/// The prefix of the nonce's hash: 2^256 - 2, which encodes no point and no scalar.
const NONCE_PREFIX: [u8; 32] = [
    0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];
