//! Keys of this wire: one X25519 pair for a device's identity, others for pre-keys, ratchets and signing in groups.
//!
//! Does not know what is agreed or signed with them. S-1.1 to S-1.4: docs/interop.md, section 1.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::primitives::dh::{self, InvalidKey, Point};
use crate::primitives::secret::Secret;
use crate::storage::{self, Kind, StorageKey, UnsealError};

/// Why bytes are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 33 bytes that begin with the type of the curve.
    Malformed,
    /// Not in canonical encoding, or a point of the twist: no honest key.
    NonCanonical,
    /// Of small order: made to break, never by accident.
    LowOrder,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "public key has another length or type",
            Self::NonCanonical => "public key is not canonical",
            Self::LowOrder => "public key is of small order",
        })
    }
}

impl core::error::Error for KeyError {}

impl From<InvalidKey> for KeyError {
    fn from(error: InvalidKey) -> Self {
        match error {
            InvalidKey::NonCanonical => Self::NonCanonical,
            InvalidKey::LowOrder => Self::LowOrder,
        }
    }
}

/// A public key: 33 bytes on the wire, the type of the curve and the u-coordinate of RFC 7748.
///
/// ```
/// use bisik::interop::{KeyPair, PublicKey};
///
/// let key = *KeyPair::generate(&mut rand::rng()).public();
/// assert_eq!(PublicKey::from_bytes(&key.to_bytes())?, key);
/// assert_eq!(PublicKey::from_raw(key.as_raw())?, key);
/// # Ok::<(), bisik::interop::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(dh::PublicKey);

impl PublicKey {
    /// Bytes of a key on the wire.
    pub const LENGTH: usize = 33;

    /// Reads the 33 bytes of the wire.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where they are of another length or type, not canonical, on the twist, or of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_raw(raw(bytes)?)
    }

    /// Reads the 32 bytes without the type, as they stand outside of messages.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where they are not canonical, on the twist, or of small order.
    pub fn from_raw(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = Self::decode_raw(bytes)?;
        Point::decode(key.0)?;
        Ok(key)
    }

    /// S-1.2. The same without computing the point: for keys whose points their user decodes anyway.
    #[allow(dead_code)]
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::decode_raw(raw(bytes)?)
    }

    pub(super) fn decode_raw(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self(dh::PublicKey::decode(bytes)?))
    }

    /// S-1.1. The 33 bytes of the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [TYPE; Self::LENGTH];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.as_raw()) {
            *to = *from;
        }
        bytes
    }

    /// The 32 bytes without the type.
    #[must_use]
    pub const fn as_raw(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(super) fn point(&self) -> Result<Point, KeyError> {
        Ok(Point::decode(self.0)?)
    }
}

/// The 32 bytes after the type.
fn raw(bytes: &[u8]) -> Result<&[u8; 32], KeyError> {
    match bytes.split_first() {
        Some((&TYPE, raw)) => raw.try_into().map_err(|_| KeyError::Malformed),
        Some(_) | None => Err(KeyError::Malformed),
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key pair. The public half is kept beside the private one, so that it is never computed twice.
///
/// The private half is clamped when it is made, wipes itself on drop, and is absent from `Debug`.
pub struct KeyPair(dh::KeyPair);

impl KeyPair {
    /// A new pair from 32 bytes of `rng`.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut rng = rng;
        Self::from_secret(Secret::random(&mut rng))
    }

    /// The pair of 32 private bytes, which are clamped first: signatures are made with exactly the scalar that is agreed
    /// with.
    #[must_use]
    pub fn from_private_bytes(bytes: [u8; 32]) -> Self {
        Self::from_secret(Secret::new(bytes))
    }

    /// S-1.3
    pub(super) fn from_secret(mut secret: Secret<32>) -> Self {
        let [low, .., high] = secret.expose_mut();
        *low &= 0b1111_1000;
        *high = (*high & 0b0111_1111) | 0b0100_0000;
        Self(dh::KeyPair::from_secret(secret))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(*self.0.public())
    }

    /// The 32 private bytes, clamped. Copies of them are the caller's to wipe.
    #[must_use]
    pub fn expose_private_bytes(&self) -> &[u8; 32] {
        self.0.expose_secret_bytes()
    }

    /// The 32-byte shared secret with `theirs` (RFC 7748). It is the caller's to wipe.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where `theirs` is on the twist, or the secret would be zero.
    pub fn agree(&self, theirs: &PublicKey) -> Result<[u8; 32], KeyError> {
        Ok(*self.0.agree(&theirs.point()?)?.expose())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The long-term pair of one device on this wire. It agrees and it signs, because the wire has it so; a native
/// [`Identity`](crate::Identity) has a pair for each, and neither is made from the other.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::interop::Identity;
///
/// let alice = Identity::generate(rng);
/// assert_eq!(alice.public().to_bytes()[0], 0x05);
/// ```
pub struct Identity(KeyPair);

impl Identity {
    /// A new identity from 32 bytes of `rng`.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(KeyPair::generate(rng))
    }

    /// The identity of 32 private bytes, which are clamped first.
    #[must_use]
    pub fn from_private_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyPair::from_private_bytes(bytes))
    }

    /// The public half, by which peers know and pin this device.
    #[must_use]
    pub fn public(&self) -> IdentityKey {
        IdentityKey(self.0.public())
    }

    /// Both halves, for what an application signs or agrees outside of sessions.
    #[must_use]
    pub const fn pair(&self) -> &KeyPair {
        &self.0
    }

    /// Seals the identity into one record of 73 bytes. `context` names the record in the caller's store; the same must
    /// be given to [`Identity::unseal`].
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut rng = rng;
        storage::seal(key, Kind::InteropIdentity, context, self.0.expose_private_bytes(), &mut rng)
    }

    /// Opens what [`Identity::seal`] made.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] where key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] where a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, Kind::InteropIdentity, context, record)?;
        let bytes = state.as_slice().try_into().map_err(|_| UnsealError::Rejected)?;
        Ok(Self(KeyPair::from_secret(Secret::copy_of(bytes))))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("public", &self.public()).finish_non_exhaustive()
    }
}

/// A device's public identity on this wire: what peers pin, and what every message is authenticated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKey(PublicKey);

impl IdentityKey {
    /// Reads the 33 bytes of the wire.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as of [`PublicKey::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        PublicKey::from_bytes(bytes).map(Self)
    }

    /// S-1.1. The 33 bytes of the wire.
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

impl From<PublicKey> for IdentityKey {
    fn from(key: PublicKey) -> Self {
        Self(key)
    }
}

/// What stands before the 32 bytes of a key: the type of the curve, X25519.
const TYPE: u8 = 0x05;
