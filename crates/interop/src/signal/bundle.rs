//! [`PreKeyBundle`]: what a server hands out for a device; [`VerifiedBundle`]: the only form that a session starts
//! from.
//!
//! The protocol defines no encoding of bundles: each transport has its own.

use core::fmt;

use super::key::{IdentityKey, KeyError, PublicKey};
use super::xeddsa::{self, SIGNATURE};
use bisik_core::primitives::x25519::Point;

/// Which identity the caller accepts. There is no default, because none is right for all callers.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Exactly this identity: pinned earlier, or known from a compared safety number.
    Pinned(&'a IdentityKey),
    /// Any identity. The caller remembers it and pins it from then on.
    OnFirstUse,
}

impl Trust<'_> {
    pub(super) fn allows(&self, identity: &IdentityKey) -> bool {
        match self {
            Self::Pinned(expected) => *expected == identity,
            Self::OnFirstUse => true,
        }
    }
}

/// Why a bundle was rejected. Each variant calls for a different reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle belongs to another identity than the pinned one: warn the user, as for any changed key.
    IdentityMismatch,
    /// The signature of its signed pre-key does not verify: the bundle is forged or was damaged in transit.
    BadSignature,
    /// A key in the bundle is not on the curve: a broken or hostile device made it.
    NonCanonical,
}

bisik_core::error_texts! {
    BundleError {
        IdentityMismatch => "interop.signal.bundle.identity_mismatch",
            "the pre-key bundle belongs to another identity than the expected one";
        BadSignature => "interop.signal.bundle.bad_signature", "the signature of the pre-key bundle does not verify";
        NonCanonical => "interop.signal.bundle.non_canonical",
            "the pre-key bundle holds a key that is not in canonical encoding";
    }
}

impl From<KeyError> for BundleError {
    fn from(_: KeyError) -> Self {
        Self::NonCanonical
    }
}

/// A one-time pre-key as it is published. The protocol does not sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimePreKey {
    /// Its id, which the pre-key message names.
    pub id: u32,
    /// Its public half.
    pub key: PublicKey,
}

/// A signed pre-key as it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPreKey {
    /// Its id, which the pre-key message names. The signature does not cover it.
    pub id: u32,
    /// Its public half.
    pub key: PublicKey,
    /// The identity's signature over the 33 bytes of the key.
    pub signature: [u8; SIGNATURE],
}

/// What a server hands out so that others can write to a device that is offline. The device signs only the signed
/// pre-key; for ids and the one-time pre-key, the server is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreKeyBundle {
    /// The device's registration id.
    pub registration_id: u32,
    /// The device's number in its account.
    pub device_id: u32,
    /// The identity that the bundle claims to belong to.
    pub identity: IdentityKey,
    /// A one-time pre-key, if the server has one left.
    pub one_time: Option<OneTimePreKey>,
    /// The signed pre-key.
    pub signed: SignedPreKey,
}

impl PreKeyBundle {
    /// Checks the owner and the signature, and returns the only form that a session can be started with. S-2.1.
    ///
    /// ```
    /// # mod bisik { pub use bisik_interop as interop; }
    /// # let rng = &mut rand::rng();
    /// use bisik::interop::signal::{BundleError, Identity, PreKeys, Trust};
    ///
    /// let (bob, mallory) = (Identity::generate(rng), Identity::generate(rng));
    /// let mut bundle = PreKeys::generate(&bob, rng).bundle(&bob, 0, None)?;
    /// assert!(bundle.verify(Trust::Pinned(&bob.public())).is_ok());
    /// let wrong = bundle.verify(Trust::Pinned(&mallory.public()));
    /// assert_eq!(wrong.unwrap_err(), BundleError::IdentityMismatch);
    /// bundle.signed.signature[0] ^= 1;
    /// assert_eq!(bundle.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    /// # Ok::<(), bisik::interop::signal::PreKeysError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Checked in this order: [`BundleError::IdentityMismatch`], [`BundleError::BadSignature`], and
    /// [`BundleError::NonCanonical`] for a key that is not on the curve.
    pub fn verify(&self, trust: Trust<'_>) -> Result<VerifiedBundle, BundleError> {
        let Self { registration_id, device_id, identity, one_time, signed } = self;
        if !trust.allows(identity) {
            return Err(BundleError::IdentityMismatch);
        }
        if !xeddsa::verify(identity.key(), &signed.key.to_bytes(), &signed.signature) {
            return Err(BundleError::BadSignature);
        }
        let one_time = match one_time {
            Some(OneTimePreKey { id, key }) => Some((*id, key.point()?)),
            None => None,
        };
        Ok(VerifiedBundle {
            registration_id: *registration_id,
            device_id: *device_id,
            identity: *identity,
            identity_point: identity.key().point()?,
            one_time,
            signed_id: signed.id,
            signed: signed.key.point()?,
        })
    }
}

/// A bundle whose owner and signature were verified.
#[derive(Clone)]
pub struct VerifiedBundle {
    pub(super) registration_id: u32,
    device_id: u32,
    pub(super) identity: IdentityKey,
    pub(super) identity_point: Point,
    pub(super) one_time: Option<(u32, Point)>,
    pub(super) signed_id: u32,
    pub(super) signed: Point,
}

impl VerifiedBundle {
    /// The owner's identity.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// The device's number in its account, as the server claims it.
    #[must_use]
    pub const fn device_id(&self) -> u32 {
        self.device_id
    }
}

impl fmt::Debug for VerifiedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBundle").field("identity", &self.identity).finish_non_exhaustive()
    }
}
