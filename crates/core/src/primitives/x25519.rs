//! X25519 (RFC 7748) for keys that are canonical, on the curve and of large order. All other encodings are refused.
//!
//! Uses the Edwards form of the peer's point, which gives the same shared secret as the Montgomery ladder and is faster
//! if one point meets several secrets. The feature `graviola` has a ladder that is faster still.
//!
//! `bisik` re-exports [`PublicKey`] and [`KeyPair`] with all of their methods. What only the suites may call is a function
//! of this module, which no suite re-exports.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::accelerated;
use super::secret::Secret;

/// Why 32 bytes are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// Not reduced, with the unused bit set, or a point of the twist.
    NonCanonical,
    /// A point of small order, with which everyone would know the shared secret.
    LowOrder,
}

/// An X25519 public key: the 32-byte little-endian u-coordinate of RFC 7748, canonical and not of small order.
///
/// See section 1.1 of `bisik::manual::spec::conventions`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a received key.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError`] if the encoding is not canonical, or the point is on the twist or of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PublicKeyError> {
        Ok(Point::decode(decode_public(bytes)?)?.public)
    }

    /// Returns the 32 bytes that RFC 7748 defines.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AsRef<[u8]> for PublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

crate::hex_text! {
    PublicKey: 32, or PublicKeyError = PublicKeyError::Malformed;
    from |bytes| PublicKey::from_bytes(&bytes);
    to |key| key.0;
}

/// Accepts canonical encodings of points that are not of small order. [`Point::decode`], which every agreement needs,
/// checks whether the point is on the curve. Requirements P-1.1, P-1.2.
///
/// # Errors
///
/// [`InvalidKey`] for any other encoding.
pub fn decode_public(bytes: &[u8; 32]) -> Result<PublicKey, InvalidKey> {
    if !is_reduced(bytes) {
        return Err(InvalidKey::NonCanonical);
    }
    if SMALL_ORDER.contains(bytes) {
        return Err(InvalidKey::LowOrder);
    }
    Ok(PublicKey(*bytes))
}

/// Takes the bytes of a key that was decoded before: of [`PublicKey::as_bytes`].
#[must_use]
pub const fn decoded_before(bytes: [u8; 32]) -> PublicKey {
    PublicKey(bytes)
}

/// Why bytes or a text are not a [`PublicKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not a canonical encoding, or a point of the twist: no honest device has such a key.
    NonCanonical,
    /// A point of small order: only an attacker makes such a key.
    LowOrder,
    /// Not 32 bytes, or not 64 hexadecimal digits.
    Malformed,
}

crate::error_texts! {
    PublicKeyError {
        NonCanonical => "ratchet.public_key.non_canonical", "the public key is not in canonical encoding";
        LowOrder => "ratchet.public_key.low_order", "the public key is of small order";
        Malformed => "ratchet.public_key.malformed", "the bytes or the text do not have the length of a public key";
    }
}

impl From<InvalidKey> for PublicKeyError {
    fn from(error: InvalidKey) -> Self {
        match error {
            InvalidKey::NonCanonical => Self::NonCanonical,
            InvalidKey::LowOrder => Self::LowOrder,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

/// Whether the little-endian number is below 2^255 - 19. Public data, so variable time is fine.
#[must_use]
pub fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (middle.iter().any(|byte| *byte != 0xff) || *low < 0xed))
}

/// A public key with its point in Edwards form.
#[derive(Clone, Debug)]
pub struct Point {
    public: PublicKey,
    edwards: EdwardsPoint,
}

impl Point {
    /// Decodes the point. Refuses points of the twist, which are never honest keys (section 1.1 of
    /// `bisik::manual::spec::conventions`). Requirement P-1.3.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::NonCanonical`] for a point of the twist.
    pub fn decode(public: PublicKey) -> Result<Self, InvalidKey> {
        let edwards = MontgomeryPoint(public.0).to_edwards(0).ok_or(InvalidKey::NonCanonical)?;
        Ok(Self { public, edwards })
    }

    /// Returns the encoded key.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether the point is in the large subgroup. Any other point agrees on the same secrets as seven further ones,
    /// and must not identify a party. Costs as much as an agreement. Public data, so variable time is fine.
    #[must_use]
    pub fn is_torsion_free(&self) -> bool {
        // The multiple by a scalar that is −1 modulo the group order, and 0 modulo 8, has lost any torsion part, and
        // then has the same u-coordinate only if there was none.
        match accelerated::agree(&Secret::new(MINUS_ONE), self.public.as_bytes()) {
            Some(without) => without == self.public.0,
            None => self.edwards.is_torsion_free(),
        }
    }
}

/// An X25519 key pair. The public key is stored with the secret, so that it is computed only once.
///
/// The secret is wiped on drop and absent from `Debug` output. Only [`KeyPair::expose_secret_bytes`] returns it.
///
/// Boxed, so that moving a pair, or growing a collection of them, leaves no copy behind.
pub struct KeyPair(Box<Halves>);

struct Halves {
    secret: Secret<32>,
    public: PublicKey,
}

impl KeyPair {
    /// Generates a pair from 32 bytes of `rng`.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # mod bisik { pub use bisik_core::primitives::x25519 as ratchet; }
    /// use bisik::ratchet::KeyPair;
    ///
    /// let pair = KeyPair::generate(rng);
    /// assert_eq!(pair.public().as_bytes().len(), 32);
    /// ```
    #[must_use]
    pub fn generate(mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        pair_from_secret(Secret::random(&mut rng))
    }

    /// Creates a pair from 32 secret bytes that the caller stores.
    #[must_use]
    pub fn from_secret_bytes(bytes: [u8; 32]) -> Self {
        pair_from_secret(Secret::new(bytes))
    }

    /// Returns the 32 secret bytes, for a caller that stores them. The caller must wipe copies of them.
    #[must_use]
    pub fn expose_secret_bytes(&self) -> &[u8; 32] {
        self.0.secret.expose()
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Halves { secret: _, public } = self.0.as_ref();
        f.debug_struct("KeyPair").field("public", public).finish_non_exhaustive()
    }
}

/// Creates the pair of a secret scalar, which is clamped when it is used (RFC 7748, section 5).
#[must_use]
pub fn pair_from_secret(secret: Secret<32>) -> KeyPair {
    let public = PublicKey(multiply_base(&secret));
    pair_from_parts(secret, public)
}

/// Creates a pair from stored parts; `public` must have come from [`KeyPair::public`].
#[must_use]
pub fn pair_from_parts(secret: Secret<32>, public: PublicKey) -> KeyPair {
    KeyPair(Box::new(Halves { secret, public }))
}

/// Computes public keys and shared secrets together, with one inversion for all.
///
/// Each secret in `bases` gives the public key of its pair. Each entry of `agreements` gives the shared secret of a
/// secret, which may be one of `bases`, and a point. [`pair_from_parts`] makes the pairs.
///
/// # Errors
///
/// [`InvalidKey::LowOrder`] if a shared secret is all zeros.
pub fn multiply_all<const B: usize>(
    bases: [&Secret<32>; B],
    agreements: &[(&Secret<32>, &Point)],
) -> Result<([PublicKey; B], Vec<Secret<32>>), InvalidKey> {
    let coordinates = coordinates(&bases, agreements);
    let (publics, shared) = coordinates.split_at_checked(B).ok_or(InvalidKey::LowOrder)?;
    // Memory of the final size: a vector that grows leaves copies behind.
    let mut secrets = Vec::with_capacity(shared.len());
    for point in shared {
        secrets.push(contributory(point.0)?);
    }
    Ok((public_keys(publics), secrets))
}

/// Creates the pair of `secret` and agrees with each point in `theirs`, with one inversion for all.
///
/// # Errors
///
/// [`InvalidKey::LowOrder`] if a shared secret is all zeros.
pub fn pair_and_agree<const N: usize>(
    secret: Secret<32>,
    theirs: [&Point; N],
) -> Result<(KeyPair, [Secret<32>; N]), InvalidKey> {
    let coordinates = coordinates(&[&secret], &theirs.map(|point| (&secret, point)));
    let (public, shared) = coordinates.split_first().ok_or(InvalidKey::LowOrder)?;
    let public = PublicKey(public.0);
    let shared = shared_secrets(shared)?;
    Ok((pair_from_parts(secret, public), shared))
}

/// Copies the pair. There is no `Clone`, because every copy is one more place to protect.
#[must_use]
pub fn duplicate(pair: &KeyPair) -> KeyPair {
    pair_from_parts(pair.0.secret.duplicate(), pair.0.public)
}

/// Returns the secret of a pair, for [`multiply_all`].
#[must_use]
pub fn secret(pair: &KeyPair) -> &Secret<32> {
    &pair.0.secret
}

/// Computes the shared secret with `theirs`.
///
/// # Errors
///
/// [`InvalidKey::LowOrder`] if it is all zeros.
pub fn agree(ours: &KeyPair, theirs: &Point) -> Result<Secret<32>, InvalidKey> {
    contributory(multiply(&ours.0.secret, theirs))
}

fn multiply_base(secret: &Secret<32>) -> [u8; 32] {
    match accelerated::public_key(secret) {
        Some(public) => public,
        None => MontgomeryPoint::mul_base_clamped(*secret.expose()).0,
    }
}

fn multiply(secret: &Secret<32>, point: &Point) -> [u8; 32] {
    match accelerated::agree(secret, point.public.as_bytes()) {
        Some(shared) => shared,
        None => point.edwards.mul_clamped(*secret.expose()).to_montgomery().0,
    }
}

/// Computes the shared secrets of a fixed number of pairs, with one inversion for all.
///
/// # Errors
///
/// [`InvalidKey::LowOrder`] if one of them is all zeros.
pub fn agree_each<const N: usize>(pairs: [(&KeyPair, &Point); N]) -> Result<[Secret<32>; N], InvalidKey> {
    shared_secrets(&coordinates(&[], &pairs.map(|(ours, theirs)| (secret(ours), theirs))))
}

/// Computes the shared secrets of any number of pairs, with one inversion for all.
///
/// # Errors
///
/// [`InvalidKey::LowOrder`] if one of them is all zeros.
pub fn agree_all(pairs: &[(&KeyPair, &Point)]) -> Result<Vec<Secret<32>>, InvalidKey> {
    let pairs: Vec<_> = pairs.iter().map(|(ours, theirs)| (secret(ours), *theirs)).collect();
    multiply_all([], &pairs).map(|([], shared)| shared)
}

/// The public key of each secret in `bases`, then the shared secret of each of `agreements`, as u-coordinates.
fn coordinates(bases: &[&Secret<32>], agreements: &[(&Secret<32>, &Point)]) -> Zeroizing<Vec<MontgomeryPoint>> {
    if accelerated::supported() {
        let mut coordinates = Zeroizing::new(Vec::with_capacity(bases.len().saturating_add(agreements.len())));
        // Each has its place, whatever the back end says of another: no shared secret may stand where a public key is
        // expected.
        let publics = bases.iter().map(|secret| multiply_base(secret));
        let shared = agreements.iter().map(|(secret, point)| multiply(secret, point));
        coordinates.extend(publics.chain(shared).map(MontgomeryPoint));
        return coordinates;
    }
    let mut products = Zeroizing::new(Vec::with_capacity(bases.len().saturating_add(agreements.len())));
    products.extend(bases.iter().map(|secret| EdwardsPoint::mul_base_clamped(*secret.expose())));
    products.extend(agreements.iter().map(|(secret, point)| point.edwards.mul_clamped(*secret.expose())));
    Zeroizing::new(EdwardsPoint::to_montgomery_batch(&products))
}

fn public_keys<const N: usize>(coordinates: &[MontgomeryPoint]) -> [PublicKey; N] {
    let mut publics = [PublicKey([0; 32]); N];
    for (public, point) in publics.iter_mut().zip(coordinates) {
        *public = PublicKey(point.0);
    }
    publics
}

fn shared_secrets<const N: usize>(coordinates: &[MontgomeryPoint]) -> Result<[Secret<32>; N], InvalidKey> {
    let mut secrets = core::array::from_fn(|_| Secret::zero());
    if coordinates.len() != N {
        return Err(InvalidKey::LowOrder);
    }
    for (secret, point) in secrets.iter_mut().zip(coordinates) {
        *secret = contributory(point.0)?;
    }
    Ok(secrets)
}

/// Refuses the all-zero shared secret (P-1.4, S-1.4; RFC 7748, section 6.1), in constant time.
fn contributory(shared: [u8; 32]) -> Result<Secret<32>, InvalidKey> {
    let shared = Secret::new(shared);
    if bool::from(shared.ct_eq(&Secret::zero())) { Err(InvalidKey::LowOrder) } else { Ok(shared) }
}

/// Five times the group order, less one: a clamped scalar.
const MINUS_ONE: [u8; 32] = [
    0xa0, 0x23, 0xcd, 0xd0, 0x83, 0xef, 0x5b, 0xb8, 0x2f, 0x10, 0xd6, 0x2e, 0x59, 0xe1, 0x5a, 0x68, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x50,
];

/// Every canonical u-coordinate of a point of small order, on the curve or its twist: 0, 1, p - 1 and the two of order
/// 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_alone_and_in_a_batch() {
        let a = pair_from_secret(Secret::new([3; 32]));
        let b = pair_from_secret(Secret::new([5; 32]));
        let (at_a, at_b) = (Point::decode(*a.public()).unwrap(), Point::decode(*b.public()).unwrap());
        let alone = agree(&a, &at_b).unwrap();
        let batch = agree_all(&[(&b, &at_a), (&a, &at_b)]).unwrap();
        assert!(batch.iter().all(|secret| bool::from(secret.ct_eq(&alone))));
    }

    #[test]
    fn edwards_form_and_montgomery_ladder_agree() {
        for seed in 0..32_u8 {
            let ours = pair_from_secret(Secret::new([seed; 32]));
            let theirs = pair_from_secret(Secret::new([seed.wrapping_mul(7).wrapping_add(1); 32]));
            let ladder = MontgomeryPoint(theirs.public().0).mul_clamped(*ours.0.secret.expose());
            let point = Point::decode(*theirs.public()).unwrap();
            assert_eq!(agree(&ours, &point).unwrap().expose(), &ladder.0);
        }
    }

    /// P-1.4, S-1.4
    #[test]
    fn an_all_zero_shared_secret_is_refused() {
        assert!(matches!(contributory([0; 32]), Err(InvalidKey::LowOrder)));
        let last: [u8; 32] = core::array::from_fn(|index| u8::from(index == 31));
        assert!(contributory(last).is_ok());
    }

    #[test]
    fn small_order_twist_and_unreduced_keys_are_refused() {
        for encoding in SMALL_ORDER {
            assert_eq!(decode_public(&encoding), Err(InvalidKey::LowOrder));
        }
        let mut unreduced = [0xff; 32];
        unreduced[0] = 0xed;
        unreduced[31] = 0x7f;
        assert_eq!(decode_public(&unreduced), Err(InvalidKey::NonCanonical));
        unreduced[0] = 0xec;
        unreduced[31] = 0xff;
        assert_eq!(decode_public(&unreduced), Err(InvalidKey::NonCanonical));
        let mut on_twist = [0; 32];
        on_twist[0] = 2;
        let on_twist = decode_public(&on_twist).unwrap();
        assert_eq!(Point::decode(on_twist).unwrap_err(), InvalidKey::NonCanonical);
    }
}
