//! [`Identity`]: the long-term keys of a device; [`IdentityKey`]: their 64 public bytes.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::draw::Hedge;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::ed25519::{
    InvalidVerifyingKey, SIGNATURE, SignatureKeyPair, SignaturePublicKey, Unverified,
};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, InvalidKey, KeyPair, Point, PublicKey};
use bisik_core::storage::{self, StorageKey, UnsealError};

/// The long-term secret keys of one device: an Ed25519 signing pair and an independent X25519 agreement pair.
///
/// There are two pairs because no published analysis covers one key in both roles
/// ([section 2.1](crate::manual::spec::session#21-identity)). Both secrets are wiped on drop and do not appear in
/// `Debug` output.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
///
/// let alice = Identity::generate(rng);
/// assert_eq!(alice.public().to_bytes().len(), 64);
/// ```
pub struct Identity {
    signing: SignatureKeyPair,
    agreement: KeyPair,
    public: IdentityKey,
    hedge: Hedge,
}

impl Identity {
    /// Generates an identity. Draws 64 bytes from `rng`.
    #[must_use]
    pub fn generate(mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let signing = SignatureKeyPair::from_secret(&Secret::random(&mut rng));
        Self::from_pairs(signing, x25519::pair_from_secret(Secret::random(&mut rng)))
    }

    fn from_pairs(signing: SignatureKeyPair, agreement: KeyPair) -> Self {
        let public = IdentityKey::join(*signing.public().as_bytes(), agreement.public());
        let hedge = Hedge::of(&agreement);
        Self { signing, agreement, public, hedge }
    }

    /// Returns the public key, by which peers identify and pin this device.
    #[must_use]
    pub const fn public(&self) -> &IdentityKey {
        &self.public
    }

    pub(crate) const fn agreement(&self) -> &KeyPair {
        &self.agreement
    }

    pub(super) const fn hedge(&self) -> &Hedge {
        &self.hedge
    }

    pub(crate) fn signing_public(&self) -> SignaturePublicKey {
        self.signing.public()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.signing.sign(message)
    }

    /// Signs `label ‖ identity key ‖ text`, with a different label for each purpose. [`IdentityKey::verify_labelled`]
    /// verifies it. P-2.2: a signature must cover the whole identity key; adding it here means that no caller can
    /// forget it.
    pub(crate) fn sign_labelled(&self, label: &[u8], text: &[u8]) -> [u8; SIGNATURE] {
        self.signing.sign(&self.public.labelled(label, text))
    }

    /// Encrypts the identity into a record of 105 bytes ([section 6](crate::manual::formats#6-sealed-state)).
    ///
    /// `context` names the record in the caller's store; pass the same to [`Identity::unseal`].
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::{Identity, StorageKey};
    ///
    /// let (alice, key) = (Identity::generate(rng), StorageKey::generate(rng));
    /// let record = alice.seal(&key, b"identity", rng);
    /// let same = Identity::unseal(&key, b"identity", &record)?;
    /// assert_eq!(same.public(), alice.public());
    /// # Ok::<(), bisik::UnsealError>(())
    /// ```
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut state = SecretWriter::with_capacity(64);
        self.write(&mut state);
        storage::seal(key, kind::IDENTITY, context, &state.finish(), &mut rng)
    }

    /// Decrypts a record of [`Identity::seal`].
    ///
    /// # Errors
    ///
    /// * [`UnsealError::Rejected`] if the key, the context or the record is not the one used in `seal`.
    /// * [`UnsealError::UnknownVersion`] if a later version of this library wrote the record.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::IDENTITY, context, record, Self::read)
    }

    /// Writes the encoding of section 6.2, for the record of an identity or an account.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        let Self { signing, agreement, public: _, hedge: _ } = self;
        writer.bytes(signing.secret()).bytes(agreement.expose_secret_bytes());
    }

    /// Reads the encoding that [`Identity::write`] writes.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let signing = SignatureKeyPair::from_secret(&Secret::copy_of(reader.array()?));
        let agreement = x25519::pair_from_secret(Secret::copy_of(reader.array()?));
        Ok(Self::from_pairs(signing, agreement))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signing: _, agreement: _, public, hedge: _ } = self;
        f.debug_struct("Identity").field("public", public).finish_non_exhaustive()
    }
}

/// Why 64 bytes are not an [`IdentityKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityKeyError {
    /// One of the two keys is not in canonical encoding, or not on its curve.
    NonCanonical,
    /// One of the two keys is of small order. No honest device generates such a key.
    LowOrder,
    /// The X25519 key has a component of small order. Seven other keys give the same shared secrets, so that it names
    /// nobody. No honest device generates such a key.
    MixedOrder,
    /// Not 64 bytes, or not 128 hexadecimal digits.
    Malformed,
}

bisik_core::error_texts! {
    IdentityKeyError {
        NonCanonical => "keys.identity_key.non_canonical", "the identity key is not in canonical encoding";
        LowOrder => "keys.identity_key.low_order", "the identity key is of small order";
        MixedOrder => "keys.identity_key.mixed_order", "the identity key has a component of small order";
        Malformed => "keys.identity_key.malformed", "the bytes or the text do not have the length of an identity key";
    }
}

impl From<InvalidKey> for IdentityKeyError {
    fn from(error: InvalidKey) -> Self {
        match error {
            InvalidKey::NonCanonical => Self::NonCanonical,
            InvalidKey::LowOrder => Self::LowOrder,
        }
    }
}

impl From<InvalidVerifyingKey> for IdentityKeyError {
    fn from(error: InvalidVerifyingKey) -> Self {
        match error {
            InvalidVerifyingKey::NonCanonical => Self::NonCanonical,
            InvalidVerifyingKey::LowOrder => Self::LowOrder,
        }
    }
}

/// A device's public identity key: 32 bytes of Ed25519, then 32 bytes of X25519.
///
/// A session proves that the peer holds the X25519 half. It proves nothing about the Ed25519 half of an initiator.
/// Therefore a signature counts for this identity only if the signed text contains all 64 bytes, as a bundle does
/// (requirement P-2.2).
///
/// P-2.1: comparison, hashing and pinning use all 64 bytes.
///
/// `Display` shows all of them, as 128 hexadecimal digits, and `FromStr` reads these. Users who compare keys must not be
/// given a part of the text: whoever searches for a key with the same first digits finds one.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, IdentityKey, IdentityKeyError};
///
/// let key = *Identity::generate(rng).public();
/// let text = key.to_string(); // for a link, a log or a configuration file
/// assert_eq!((text.len(), text.parse()), (128, Ok(key)));
/// assert_eq!(text.to_uppercase().parse(), Ok(key));
/// assert_eq!(text[..126].parse::<IdentityKey>(), Err(IdentityKeyError::Malformed));
/// assert_eq!(IdentityKey::try_from(key.as_ref()), Ok(key)); // for a column of bytes
/// ```
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
pub struct IdentityKey {
    /// The Ed25519 key and the X25519 key, which was decoded.
    halves: [[u8; 32]; 2],
}

impl IdentityKey {
    /// Length in bytes: 64.
    pub const LENGTH: usize = 64;

    /// Decodes an identity key. Requirement P-2.3.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::{Identity, IdentityKey, IdentityKeyError};
    ///
    /// let alice = Identity::generate(rng);
    /// assert_eq!(IdentityKey::from_bytes(&alice.public().to_bytes())?, *alice.public());
    /// assert_eq!(IdentityKey::from_bytes(&[0; 64]), Err(IdentityKeyError::LowOrder));
    /// # Ok::<(), IdentityKeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`] if either key is not canonical or is of small order, or if the X25519 key has a component
    /// of small order.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, IdentityKeyError> {
        Self::decode(bytes).map(|(key, _)| key)
    }

    /// Decodes an identity key, and returns the X25519 point that the check has computed.
    pub(crate) fn decode(bytes: &[u8; Self::LENGTH]) -> Result<(Self, Point), IdentityKeyError> {
        let (signing, agreement) = split(bytes);
        SignaturePublicKey::decode(&signing)?;
        let key = Self::join(signing, &x25519::decode_public(&agreement)?);
        let point = key.checked_point()?;
        Ok((key, point))
    }

    /// The point of the X25519 key. P-2.3: refuses one with a component of small order.
    pub(crate) fn checked_point(&self) -> Result<Point, IdentityKeyError> {
        let point = self.point()?;
        if point.is_torsion_free() { Ok(point) } else { Err(IdentityKeyError::MixedOrder) }
    }

    /// The point of the X25519 key, for a key that was checked before: one that the caller has pinned.
    pub(crate) fn point(&self) -> Result<Point, IdentityKeyError> {
        Ok(Point::decode(self.agreement())?)
    }

    /// Decodes an identity key without decompressing either half. For keys whose points the caller decodes itself, and
    /// for records, whose keys were checked before they were sealed.
    pub(crate) fn from_bytes_without_points(bytes: &[u8; Self::LENGTH]) -> Result<Self, IdentityKeyError> {
        let (signing, agreement) = split(bytes);
        Ok(Self::join(signing, &x25519::decode_public(&agreement)?))
    }

    /// Returns the 64 bytes: Ed25519, then X25519.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        for (to, from) in bytes.iter_mut().zip(self.halves.as_flattened()) {
            *to = *from;
        }
        bytes
    }

    /// Checks everything that [`from_bytes`](Self::from_bytes) checks, and returns the Ed25519 half.
    ///
    /// # Errors
    ///
    /// Those of [`from_bytes`](Self::from_bytes).
    pub(crate) fn checked_signing(&self) -> Result<SignaturePublicKey, IdentityKeyError> {
        let signing = SignaturePublicKey::decode(self.signing())?;
        self.checked_point()?;
        Ok(signing)
    }

    /// Returns whether `signature` is this identity's signature over `label ‖ identity key ‖ text` (P-1.5).
    pub(crate) fn verify_labelled(&self, label: &[u8], text: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.unverified_labelled(label, text, signature).is_some_and(|signature| signature.verify())
    }

    /// Decodes what [`verify_labelled`](Self::verify_labelled) verifies, to be verified with others. `None` if that
    /// refuses it in any case.
    pub(crate) fn unverified_labelled(
        &self,
        label: &[u8],
        text: &[u8],
        signature: &[u8; SIGNATURE],
    ) -> Option<Unverified> {
        let key = SignaturePublicKey::decode(self.signing()).ok()?;
        key.unverified(&[label, &self.to_bytes(), text], signature)
    }

    fn labelled(&self, label: &[u8], text: &[u8]) -> Vec<u8> {
        [label, &self.to_bytes(), text].concat()
    }

    const fn join(signing: [u8; 32], agreement: &PublicKey) -> Self {
        Self { halves: [signing, *agreement.as_bytes()] }
    }

    pub(crate) const fn signing(&self) -> &[u8; 32] {
        let [signing, _] = &self.halves;
        signing
    }

    pub(crate) const fn agreement(&self) -> PublicKey {
        let [_, agreement] = self.halves;
        x25519::decoded_before(agreement)
    }
}

/// The 64 bytes: Ed25519, then X25519.
impl AsRef<[u8]> for IdentityKey {
    fn as_ref(&self) -> &[u8] {
        self.halves.as_flattened()
    }
}

bisik_core::hex_text! {
    IdentityKey: IdentityKey::LENGTH, or IdentityKeyError = IdentityKeyError::Malformed;
    from |bytes| IdentityKey::from_bytes(&bytes);
    to |key| key.to_bytes();
}

fn split(bytes: &[u8; IdentityKey::LENGTH]) -> ([u8; 32], [u8; 32]) {
    let (mut signing, mut agreement) = ([0; 32], [0; 32]);
    signing.iter_mut().chain(&mut agreement).zip(bytes).for_each(|(to, from)| *to = *from);
    (signing, agreement)
}

/// Compares in constant time: an attacker who measures time must not learn who the peer of a session is.
impl PartialEq for IdentityKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref().ct_eq(other.as_ref()).into()
    }
}

impl Hash for IdentityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bytes().hash(state);
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Print a digest, so that keys that share one half look different.
        f.write_str("IdentityKey(")?;
        for byte in digest(&[&self.to_bytes()]).iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}
