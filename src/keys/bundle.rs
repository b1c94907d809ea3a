//! [`PreKeyBundle`]: published by a device. `verify.rs` checks it.
//!
//! A bundle is decoded, verified, and only then used. Each step has its own type.

use alloc::vec::Vec;
use core::fmt;

use super::prekey::UnsignedBundle;
use super::{Identity, IdentityKey, IdentityKeyError};
use crate::keys::{TYPE_ED25519, TYPE_KEM_LAST_RESORT, TYPE_KEM_ONE_TIME, TYPE_X25519};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::id::IdError;
use bisik_core::primitives::ed25519::{SIGNATURE, SignaturePublicKey};
use bisik_core::primitives::mlkem768::EncapsulationKey;
use bisik_core::primitives::x25519::{self, InvalidKey, PublicKey};
use bisik_core::time::Timestamp;

/// Which identity the caller expects. There is no default: every call must choose.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeys, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (bob, eve) = (Identity::generate(rng), Identity::generate(rng));
/// let from_server = PreKeys::generate(&eve, now, rng).bundle(); // the server lies
/// assert!(from_server.clone().verify(Trust::Pinned(bob.public()), now).is_err());
/// assert!(from_server.verify(Trust::OnFirstUse, now).is_ok()); // nobody has said who Bob is
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Exactly this identity, known from earlier, from a verified code, or from a directory.
    Pinned(&'a IdentityKey),
    /// Any identity. The caller must store the identity that it finds, and pin it from then on.
    OnFirstUse,
}

impl Trust<'_> {
    pub(crate) fn allows(&self, identity: &IdentityKey) -> bool {
        match self {
            Self::Pinned(expected) => *expected == identity,
            Self::OnFirstUse => true,
        }
    }
}

/// Why a bundle is refused. Each variant calls for a different reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes do not encode a bundle. Fetch it again; a server that returns it repeatedly is faulty.
    Malformed,
    /// A key in it is not in canonical encoding, not reduced or not on its curve. The device or the relay that made
    /// these bytes is faulty or hostile.
    NonCanonical,
    /// A key in it is of small order. The device or the relay that made these bytes is hostile.
    LowOrder,
    /// Its identity key has a component of small order, and names nobody. The device that made it is hostile.
    MixedOrder,
    /// It belongs to another identity than the pinned one. Warn the user, as for any changed key.
    IdentityMismatch,
    /// Its signature does not verify: it is forged, or was damaged in transit.
    BadSignature,
    /// It has expired. Ask the server for a newer one; the owner may have been away for a long time.
    Expired,
    /// Issued more than a day in the future: the local clock or the issuer's clock is wrong.
    NotYetValid,
    /// It expires more than 30 days after it was issued. The device that made it is faulty or hostile.
    ValidTooLong,
}

bisik_core::error_texts! {
    BundleError {
        Malformed => "keys.bundle.malformed", "the pre-key bundle is malformed";
        NonCanonical => "keys.bundle.non_canonical", "the pre-key bundle holds a key that is not in canonical encoding";
        LowOrder => "keys.bundle.low_order", "the pre-key bundle holds a key of small order";
        MixedOrder => "keys.bundle.mixed_order", "the identity key of the bundle has a component of small order";
        IdentityMismatch => "keys.bundle.identity_mismatch",
            "the pre-key bundle belongs to another identity than the expected one";
        BadSignature => "keys.bundle.bad_signature", "the signature of the pre-key bundle does not verify";
        Expired => "keys.bundle.expired", "the pre-key bundle has expired";
        NotYetValid => "keys.bundle.not_yet_valid", "the pre-key bundle is dated more than a day in the future";
        ValidTooLong => "keys.bundle.valid_too_long", "the pre-key bundle is valid for more than 30 days";
    }
}

impl From<Malformed> for BundleError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<InvalidKey> for BundleError {
    fn from(error: InvalidKey) -> Self {
        IdentityKeyError::from(error).into()
    }
}

impl From<IdentityKeyError> for BundleError {
    fn from(error: IdentityKeyError) -> Self {
        match error {
            IdentityKeyError::NonCanonical => Self::NonCanonical,
            IdentityKeyError::LowOrder => Self::LowOrder,
            IdentityKeyError::MixedOrder => Self::MixedOrder,
            IdentityKeyError::Malformed => Self::Malformed,
        }
    }
}

/// A signed bundle of public keys, published by a device so that peers can write to it while it is offline.
///
/// It holds the identity key, the signed pre-key, and either a one-time pair of keys or the last-resort key, all under
/// one signature ([section 2.3](crate::manual::spec::session#23-bundle)). It has 1,406 bytes with a one-time pair, and
/// 1,373 without.
///
/// A server need not understand bundles. It hands out each one-time bundle once, and the last-resort bundle when no
/// other is left.
///
/// Its text is Base64 with the URL-safe alphabet, of at most 1,875 characters.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeyBundle, PreKeys, Timestamp};
///
/// let keys = PreKeys::generate(&Identity::generate(rng), Timestamp::from_unix_seconds(1_800_000_000), rng);
/// let text = keys.bundle().to_string(); // for JSON
/// let bundle: PreKeyBundle = text.parse()?; // not authenticated yet: verify it
/// assert_eq!(PreKeyBundle::try_from(bundle.to_bytes().as_slice())?, keys.bundle());
/// # Ok::<(), bisik::BundleError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PreKeyBundle {
    pub(super) unsigned: UnsignedBundle,
    pub(super) identity_signing: SignaturePublicKey,
    pub(super) signature: [u8; SIGNATURE],
}

bisik_core::base64_text! {
    PreKeyBundle: at most PreKeyBundle::LONGEST, or BundleError = BundleError::Malformed;
    from |bytes| PreKeyBundle::from_bytes(bytes);
    to |bundle| bundle.to_bytes();
}

impl PreKeyBundle {
    /// Bytes in the longest bundle, one with a one-time pair.
    pub const LONGEST: usize = 1406;

    /// Decodes a bundle. Its contents are not authenticated until [`PreKeyBundle::verify`] has succeeded.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`], [`BundleError::NonCanonical`] or [`BundleError::LowOrder`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION, TYPE_ED25519])?;
        let signing = reader.array::<32>()?;
        let identity_signing = SignaturePublicKey::decode(signing).map_err(IdentityKeyError::from)?;
        let agreement = x25519(&mut reader)?;
        let identity = join_identity(signing, &agreement)?;
        let signed_id = nonzero(reader.u32()?)?;
        let created = Timestamp::from_unix_seconds(reader.u64()?);
        let expires = Timestamp::from_unix_seconds(reader.u64()?);
        let signed = x25519(&mut reader)?;
        let one_time_id = reader.u32()?;
        reader.expect(&[if one_time_id == 0 { TYPE_KEM_LAST_RESORT } else { TYPE_KEM_ONE_TIME }])?;
        let kem = EncapsulationKey::decode(reader.array()?).ok_or(BundleError::NonCanonical)?;
        let one_time = if one_time_id == 0 { None } else { Some((one_time_id, x25519(&mut reader)?)) };
        let signature = *reader.array()?;
        reader.finish()?;
        let unsigned = UnsignedBundle { identity, signed_id, created, expires, signed, kem, one_time };
        Ok(Self { unsigned, identity_signing, signature })
    }

    /// Signs a local bundle.
    pub(crate) fn sign(identity: &Identity, unsigned: UnsignedBundle) -> Self {
        let signature = identity.sign(&signed_text(&unsigned.encode()));
        Self::from_signed(unsigned, identity.signing_public(), signature)
    }

    /// A local bundle whose signature was stored.
    pub(crate) const fn from_signed(
        unsigned: UnsignedBundle,
        identity_signing: SignaturePublicKey,
        signature: [u8; SIGNATURE],
    ) -> Self {
        Self { unsigned, identity_signing, signature }
    }

    pub(crate) const fn signature(&self) -> &[u8; SIGNATURE] {
        &self.signature
    }

    /// Encodes the bundle for publication. The encoding is unique.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.unsigned.encode();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Returns the id of the bundle, by which a server and [`PreKeys::knows`](crate::PreKeys::knows) name it.
    #[must_use]
    pub const fn id(&self) -> BundleId {
        let one_time = match self.unsigned.one_time {
            Some((id, _)) => Some(id),
            None => None,
        };
        BundleId::new(self.unsigned.signed_id, one_time)
    }

    /// Returns the identity that the bundle claims to belong to. Pin [`VerifiedBundle::identity`](super::VerifiedBundle)
    /// instead: this one was not checked in full.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.unsigned.identity
    }

    /// Returns when the bundle expires.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.unsigned.expires
    }

    /// Returns whether the bundle has one-time keys. Without them, forward secrecy is weaker until the first reply.
    #[must_use]
    pub const fn has_one_time_keys(&self) -> bool {
        self.unsigned.one_time.is_some()
    }
}

impl fmt::Debug for PreKeyBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreKeyBundle").field("identity", self.identity()).finish_non_exhaustive()
    }
}

/// The id of a bundle among those of one device: 8 bytes, public. Its text has 16 hexadecimal digits.
///
/// ```
/// use bisik::BundleId;
///
/// let id = BundleId::from_bytes(&[0, 0, 0, 7, 0, 0, 1, 44]);
/// assert_eq!(id.to_string(), "000000070000012c");
/// assert_eq!("000000070000012c".parse(), Ok(id));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BundleId([u8; 8]);

impl BundleId {
    /// Reads the id that a server sent: the bytes at offset 67 and 120 of the bundle
    /// ([section 2.3](crate::manual::spec::session#23-bundle)), four each.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 8]) -> Self {
        Self(*bytes)
    }

    /// The id of a bundle of this generation, with this one-time pair or as the last resort. No pair has the id 0.
    pub(super) const fn new(generation: u32, one_time: Option<u32>) -> Self {
        let one_time = match one_time {
            Some(id) => id,
            None => 0,
        };
        let [a, b, c, d] = generation.to_be_bytes();
        let [e, f, g, h] = one_time.to_be_bytes();
        Self([a, b, c, d, e, f, g, h])
    }

    /// Returns the 8 bytes: `u32(generation id) ‖ u32(one-time id or 0)`.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The id of the generation.
    pub(super) const fn generation(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The id of the one-time pair.
    pub(crate) const fn one_time(self) -> Option<u32> {
        let [.., e, f, g, h] = self.0;
        match u32::from_be_bytes([e, f, g, h]) {
            0 => None,
            id => Some(id),
        }
    }

    /// Returns whether the bundle has one-time keys.
    #[must_use]
    pub const fn is_one_time(self) -> bool {
        self.one_time().is_some()
    }
}

/// `u32(generation id) ‖ u32(one-time id or 0)`.
impl AsRef<[u8]> for BundleId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    BundleId: 8, or IdError = IdError;
    from |bytes| Ok(BundleId(bytes));
    to |id| id.0;
}

/// Shows the numbers of the generation and of the one-time pair.
impl fmt::Debug for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleId").field("generation", &self.generation()).field("one_time", &self.one_time()).finish()
    }
}

impl UnsignedBundle {
    /// Encodes the bundle without its signature. The signed text is `L_BUNDLE ‖` this encoding; the transcript hashes
    /// the encoding alone.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { identity, signed_id, created, expires, signed, kem, one_time } = self;
        let mut writer = Writer::with_capacity(PreKeyBundle::LONGEST);
        writer.u8(VERSION).u8(TYPE_ED25519).bytes(identity.signing());
        writer.u8(TYPE_X25519).bytes(identity.agreement().as_bytes());
        writer.u32(*signed_id).u64(created.as_unix_seconds()).u64(expires.as_unix_seconds());
        writer.u8(TYPE_X25519).bytes(signed.as_bytes());
        match one_time {
            Some((id, key)) => {
                writer.u32(*id).u8(TYPE_KEM_ONE_TIME).bytes(kem.as_bytes());
                writer.u8(TYPE_X25519).bytes(key.as_bytes());
            }
            None => {
                writer.u32(0).u8(TYPE_KEM_LAST_RESORT).bytes(kem.as_bytes());
            }
        }
        writer.finish()
    }
}

fn x25519(reader: &mut Reader<'_>) -> Result<PublicKey, BundleError> {
    reader.expect(&[TYPE_X25519])?;
    Ok(x25519::decode_public(reader.array()?)?)
}

fn join_identity(signing: &[u8; 32], agreement: &PublicKey) -> Result<IdentityKey, BundleError> {
    let mut writer = Writer::with_capacity(IdentityKey::LENGTH);
    writer.bytes(signing).bytes(agreement.as_bytes());
    let bytes = writer.finish();
    let bytes = bytes.first_chunk().ok_or(BundleError::Malformed)?;
    Ok(IdentityKey::from_bytes_without_points(bytes)?)
}

/// Refuses 0 as the id of a generation. No generation has id 0; as a one-time id, 0 means that there is no one-time
/// pair.
const fn nonzero(id: u32) -> Result<u32, BundleError> {
    if id == 0 { Err(BundleError::Malformed) } else { Ok(id) }
}

/// The text that the identity signs: `L_BUNDLE` (`BUNDLE` in `src/labels.rs`) before the encoding
/// ([section 2.3](crate::manual::spec::session#23-bundle)).
fn signed_text(encoded: &[u8]) -> Vec<u8> {
    [labels::BUNDLE, encoded].concat()
}

/// First byte of a bundle, which names the suite.
const VERSION: u8 = 0x01;
