//! [`PreKeyBundle`]: published by a device; [`VerifiedBundle`]: checked by a peer, which can set up a session with it.
//!
//! A bundle is decoded, verified, and only then used. Each step has its own type.

use alloc::vec::Vec;
use core::fmt;

use super::prekey::UnsignedBundle;
use super::{Identity, IdentityKey, IdentityKeyError};
use crate::keys::{TYPE_ED25519, TYPE_KEM_LAST_RESORT, TYPE_KEM_ONE_TIME, TYPE_X25519};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::ed25519::{SIGNATURE, SignaturePublicKey};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::EncapsulationKey;
use bisik_core::primitives::x25519::{self, InvalidKey, Point, PublicKey};
use bisik_core::time::Timestamp;

/// Which identity the caller expects. There is no default: every call must choose.
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
    /// It belongs to another identity than the pinned one. Warn the user, as for any changed key.
    IdentityMismatch,
    /// Its signature does not verify: it is forged, or was damaged in transit.
    BadSignature,
    /// It has expired. Ask the server for a newer one; the owner may have been away for a long time.
    Expired,
    /// Issued more than a day in the future: the local clock or the issuer's clock is wrong.
    NotYetValid,
}

bisik_core::error_texts! {
    BundleError {
        Malformed => "keys.bundle.malformed", "the pre-key bundle is malformed";
        NonCanonical => "keys.bundle.non_canonical", "the pre-key bundle holds a key that is not in canonical encoding";
        LowOrder => "keys.bundle.low_order", "the pre-key bundle holds a key of small order";
        IdentityMismatch => "keys.bundle.identity_mismatch",
            "the pre-key bundle belongs to another identity than the expected one";
        BadSignature => "keys.bundle.bad_signature", "the signature of the pre-key bundle does not verify";
        Expired => "keys.bundle.expired", "the pre-key bundle has expired";
        NotYetValid => "keys.bundle.not_yet_valid", "the pre-key bundle is dated more than a day in the future";
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
        }
    }
}

/// A signed bundle of public keys, published by a device so that peers can write to it while it is offline.
///
/// It holds the identity key, the signed pre-key, and either a one-time pair of keys or the last-resort key, all under
/// one signature (docs/spec/session.md, section 2.3). It has 1,406 bytes with a one-time pair, and 1,373 without.
///
/// A server need not understand bundles. It hands out each one-time bundle once, and the last-resort bundle when no
/// other is left.
#[derive(Clone, PartialEq, Eq)]
pub struct PreKeyBundle {
    unsigned: UnsignedBundle,
    identity_signing: SignaturePublicKey,
    signature: [u8; SIGNATURE],
}

impl PreKeyBundle {
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

    /// Returns the identity that the bundle claims to belong to.
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

    /// Checks the identity, the signature and the dates. Returns the only type with which a session can be set up.
    ///
    /// Requirements P-2.4 and P-2.5.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::{BundleError, Identity, PreKeyBundle, PreKeys, Timestamp, Trust};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let (bob, mallory) = (Identity::generate(rng), Identity::generate(rng));
    /// let published = PreKeys::generate(&bob, now, rng).bundle().to_bytes();
    ///
    /// let bundle = PreKeyBundle::from_bytes(&published)?;
    /// assert!(bundle.clone().verify(Trust::Pinned(bob.public()), now).is_ok());
    /// let wrong = bundle.verify(Trust::Pinned(mallory.public()), now);
    /// assert_eq!(wrong.unwrap_err(), BundleError::IdentityMismatch);
    /// # Ok::<(), BundleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In this order: [`BundleError::IdentityMismatch`], [`BundleError::BadSignature`], [`BundleError::NotYetValid`],
    /// [`BundleError::Expired`], and [`BundleError::NonCanonical`] for a key that is not on the curve.
    pub fn verify(self, trust: Trust<'_>, now: Timestamp) -> Result<VerifiedBundle, BundleError> {
        let Self { unsigned, identity_signing, signature } = self;
        if !trust.allows(&unsigned.identity) {
            return Err(BundleError::IdentityMismatch);
        }
        let encoded = unsigned.encode();
        if !identity_signing.verify(&signed_text(&encoded), &signature) {
            return Err(BundleError::BadSignature);
        }
        if unsigned.created > now.plus_seconds(CLOCK_SKEW) {
            return Err(BundleError::NotYetValid);
        }
        if unsigned.expires <= now {
            return Err(BundleError::Expired);
        }
        let UnsignedBundle { identity, signed_id, created: _, expires: _, signed, kem, one_time } = unsigned;
        let one_time = match one_time {
            Some((id, key)) => Some((id, Point::decode(key)?)),
            None => None,
        };
        Ok(VerifiedBundle {
            agreement: Point::decode(*identity.agreement())?,
            identity,
            signed_id,
            signed: Point::decode(signed)?,
            kem,
            one_time,
            digest: digest(&[&encoded]),
        })
    }
}

impl fmt::Debug for PreKeyBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreKeyBundle").field("identity", self.identity()).finish_non_exhaustive()
    }
}

/// A bundle whose identity, signature and dates have been checked.
#[derive(Clone)]
pub struct VerifiedBundle {
    pub(crate) identity: IdentityKey,
    pub(crate) agreement: Point,
    pub(crate) signed_id: u32,
    pub(crate) signed: Point,
    pub(crate) kem: EncapsulationKey,
    pub(crate) one_time: Option<(u32, Point)>,
    /// SHA-256 of the bundle without its signature, for the transcript.
    pub(crate) digest: [u8; 32],
}

impl VerifiedBundle {
    /// Returns the identity that the bundle belongs to.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// Returns whether the bundle has one-time keys. See [`PreKeyBundle::has_one_time_keys`].
    #[must_use]
    pub const fn has_one_time_keys(&self) -> bool {
        self.one_time.is_some()
    }
}

impl fmt::Debug for VerifiedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBundle").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl UnsignedBundle {
    /// Encodes the bundle without its signature. The signed text is `L_BUNDLE ‖` this encoding; the transcript hashes
    /// the encoding alone.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { identity, signed_id, created, expires, signed, kem, one_time } = self;
        let mut writer = Writer::with_capacity(1406);
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
/// (docs/spec/session.md, section 2.3).
fn signed_text(encoded: &[u8]) -> Vec<u8> {
    [labels::BUNDLE, encoded].concat()
}

/// First byte of a bundle, which names the suite.
const VERSION: u8 = 0x01;

/// How far ahead a bundle may be dated, in seconds: a day, so that a wrong time zone locks nobody out.
pub(super) const CLOCK_SKEW: u64 = 24 * 60 * 60;
