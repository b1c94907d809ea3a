//! X25519 keys: a device's identity, pre-keys, ratchet keys and the signing keys of groups (docs/interop.md, section 1:
//! S-1.1 to S-1.4).

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, InvalidKey, Point};
use bisik_core::storage::{self, StorageKey, UnsealError};

/// Why bytes or a text are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 33 bytes that begin with the curve's type byte, or not 66 hexadecimal digits.
    Malformed,
    /// Not canonically encoded, or not on the curve: no honest device generates such a key.
    NonCanonical,
    /// Of small order: made by an attacker, never by accident.
    LowOrder,
}

bisik_core::error_texts! {
    KeyError {
        Malformed => "interop.signal.key.malformed", "the public key has another length or type";
        NonCanonical => "interop.signal.key.non_canonical", "the public key is not in canonical encoding";
        LowOrder => "interop.signal.key.low_order", "the public key is of small order";
    }
}

impl From<InvalidKey> for KeyError {
    fn from(error: InvalidKey) -> Self {
        match error {
            InvalidKey::NonCanonical => Self::NonCanonical,
            InvalidKey::LowOrder => Self::LowOrder,
        }
    }
}

/// A public key. Encoded in 33 bytes: the curve's type byte and the u-coordinate of RFC 7748.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// use bisik::interop::signal::{KeyPair, PublicKey};
///
/// let key = KeyPair::generate(&mut rand::rng()).public();
/// assert_eq!(PublicKey::from_bytes(&key.to_bytes())?, key);
/// assert_eq!(PublicKey::from_raw(key.as_raw())?, key);
/// assert_eq!(key.to_string().parse(), Ok(key)); // 66 hexadecimal digits
/// # Ok::<(), bisik::interop::signal::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(x25519::PublicKey);

impl PublicKey {
    /// Length of an encoded key in bytes.
    pub const LENGTH: usize = 33;

    /// Reads a key from its 33-byte encoding.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if length or type byte is wrong, or the key is not canonical, not on the curve, or of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_raw(raw(bytes)?)
    }

    /// Reads a key from 32 bytes without the type byte, as some transports carry keys outside of messages.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key is not canonical, not on the curve, or of small order.
    pub fn from_raw(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = Self::decode_raw(bytes)?;
        Point::decode(key.0)?;
        Ok(key)
    }

    /// Like [`from_bytes`](Self::from_bytes), without computing the point: for callers that decode it anyway. S-1.2.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::decode_raw(raw(bytes)?)
    }

    pub(super) fn decode_raw(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self(x25519::decode_public(bytes)?))
    }

    /// The 33-byte encoding. S-1.1.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [TYPE; Self::LENGTH];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.as_raw()) {
            *to = *from;
        }
        bytes
    }

    /// The 32 bytes without the type byte.
    #[must_use]
    pub const fn as_raw(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(super) const fn from_dh(key: x25519::PublicKey) -> Self {
        Self(key)
    }

    pub(super) const fn into_dh(self) -> x25519::PublicKey {
        self.0
    }

    pub(super) fn point(&self) -> Result<Point, KeyError> {
        Ok(Point::decode(self.0)?)
    }
}

/// The 32 bytes after the type byte.
fn raw(bytes: &[u8]) -> Result<&[u8; 32], KeyError> {
    match bytes.split_first() {
        Some((&TYPE, raw)) => raw.try_into().map_err(|_| KeyError::Malformed),
        Some(_) | None => Err(KeyError::Malformed),
    }
}

bisik_core::hex_text! {
    PublicKey: PublicKey::LENGTH, or KeyError = KeyError::Malformed;
    from |bytes| PublicKey::from_bytes(&bytes);
    to |key| key.to_bytes();
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key pair. The public half is stored beside the private one, so that it is computed once.
///
/// The private half is clamped when the pair is made, zeroized on drop, and absent from `Debug`.
pub struct KeyPair(x25519::KeyPair);

impl KeyPair {
    /// A new pair from 32 bytes of `rng`.
    #[must_use]
    pub fn generate(mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::from_secret(Secret::random(&mut rng))
    }

    /// The pair of 32 secret bytes. They are clamped first, so that signing and key agreement use the same scalar.
    #[must_use]
    pub fn from_secret_bytes(bytes: [u8; 32]) -> Self {
        Self::from_secret(Secret::new(bytes))
    }

    /// Clamps the secret bytes. S-1.3.
    pub(super) fn from_secret(mut secret: Secret<32>) -> Self {
        let [low, .., high] = secret.expose_mut();
        *low &= 0b1111_1000;
        *high = (*high & 0b0111_1111) | 0b0100_0000;
        Self(x25519::pair_from_secret(secret))
    }

    pub(super) const fn as_dh(&self) -> &x25519::KeyPair {
        &self.0
    }

    pub(super) fn into_dh(self) -> x25519::KeyPair {
        self.0
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(*self.0.public())
    }

    /// The 32 secret bytes, clamped. The caller zeroizes any copies.
    #[must_use]
    pub fn expose_secret_bytes(&self) -> &[u8; 32] {
        self.0.expose_secret_bytes()
    }

    /// The 32-byte shared secret with `theirs` (RFC 7748). The caller zeroizes it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if `theirs` is not on the curve, or the secret would be zero.
    pub fn agree(&self, theirs: &PublicKey) -> Result<[u8; 32], KeyError> {
        Ok(*x25519::agree(&self.0, &theirs.point()?)?.expose())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The long-term key pair of one device. The protocol uses it both for key agreement and for signatures. A native
/// `bisik::Identity` has a pair for each; neither identity is derived from the other.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::Identity;
///
/// let alice = Identity::generate(rng);
/// assert_eq!(alice.public().to_bytes()[0], 0x05);
/// ```
pub struct Identity {
    pair: KeyPair,
    registration_id: u32,
}

impl Identity {
    /// A new identity, with a registration id of 14 bits, from 36 bytes of `rng`.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let pair = KeyPair::generate(rng);
        let mut random = [0; 4];
        rng.fill_bytes(&mut random);
        let registration_id = u32::from_le_bytes(random) % MAX_REGISTRATION_ID;
        Self { pair, registration_id: registration_id.saturating_add(1) }
    }

    /// The identity of 32 secret bytes, which are clamped first, and its registration id.
    #[must_use]
    pub fn from_secret_bytes(bytes: [u8; 32], registration_id: u32) -> Self {
        Self { pair: KeyPair::from_secret_bytes(bytes), registration_id }
    }

    /// The public half, which peers pin for this device.
    #[must_use]
    pub fn public(&self) -> IdentityKey {
        IdentityKey(self.pair.public())
    }

    /// The number that pre-key messages carry. A new number tells peers that this device was set up again.
    #[must_use]
    pub const fn registration_id(&self) -> u32 {
        self.registration_id
    }

    /// The key pair, for signatures and key agreements that an application makes outside of sessions.
    #[must_use]
    pub const fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// Seals the identity into one record of 77 bytes. `context` names the record in the caller's store; the same must
    /// be given to [`Identity::unseal`]. Uses 24 bytes of `rng`.
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut state = SecretWriter::with_capacity(36);
        state.bytes(self.pair.expose_secret_bytes()).u32(self.registration_id);
        storage::seal(key, kind::IDENTITY, context, &state.finish(), &mut rng)
    }

    /// Opens what [`Identity::seal`] made.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::IDENTITY, context, record)?;
        Self::read(Reader::new(&state)).map_err(|Malformed| UnsealError::Rejected)
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let secret = reader.array()?;
        let pair = KeyPair::from_secret(Secret::copy_of(secret));
        // What was sealed was clamped: one identity has one encoding.
        if !bool::from(pair.expose_secret_bytes().ct_eq(secret)) {
            return Err(Malformed);
        }
        let registration_id = reader.u32()?;
        reader.finish()?;
        Ok(Self { pair, registration_id })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair, registration_id } = self;
        f.debug_struct("Identity")
            .field("public", &pair.public())
            .field("registration_id", registration_id)
            .finish_non_exhaustive()
    }
}

/// A device's public identity key. Peers pin it, and the tag of every message covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKey(PublicKey);

impl IdentityKey {
    /// Reads an identity key from its 33-byte encoding.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as for [`PublicKey::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        PublicKey::from_bytes(bytes).map(Self)
    }

    /// The 33-byte encoding. S-1.1.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PublicKey::LENGTH] {
        self.0.to_bytes()
    }

    /// The key under which this identity's signatures verify.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.0
    }
}

bisik_core::hex_text! {
    IdentityKey: PublicKey::LENGTH, or KeyError = KeyError::Malformed;
    from |bytes| IdentityKey::from_bytes(&bytes);
    to |key| key.to_bytes();
}

impl From<PublicKey> for IdentityKey {
    fn from(key: PublicKey) -> Self {
        Self(key)
    }
}

/// The type byte before the 32 bytes of a key: X25519.
const TYPE: u8 = 0x05;

/// The greatest registration id that clients generate.
const MAX_REGISTRATION_ID: u32 = 16_380;
