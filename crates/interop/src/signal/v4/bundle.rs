//! [`PreKeyBundle`]: what a server hands out for a device; [`VerifiedBundle`]: the only form that a session starts
//! from.

use core::fmt;

use super::kyber::KyberPublicKey;
use crate::signal::bundle::{self as classical, BundleError, OneTimePreKey, SignedPreKey, Trust};
use crate::signal::key::IdentityKey;
use crate::signal::xeddsa::{self, SIGNATURE};

/// A Kyber pre-key as it is published, one-time or last-resort: they look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KyberPreKey {
    /// Its id, which the pre-key message names. The signature does not cover it.
    pub id: u32,
    /// Its public half.
    pub key: KyberPublicKey,
    /// The identity's signature over the 1,569 bytes of the key.
    pub signature: [u8; SIGNATURE],
}

/// What a server hands out so that others can write to a device that is offline. The device signs the signed pre-key and
/// the Kyber pre-key; for ids and the one-time pre-key, the server is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The Kyber pre-key. There is no bundle without one.
    pub kyber: KyberPreKey,
}

impl PreKeyBundle {
    /// Checks the owner and both signatures, and returns the only form that a session can be started with. S-13.3.
    ///
    /// ```
    /// # mod bisik { pub use bisik_interop as interop; }
    /// # let rng = &mut rand::rng();
    /// use bisik::interop::signal::v4::PreKeys;
    /// use bisik::interop::signal::{BundleError, Identity, Trust};
    ///
    /// let bob = Identity::generate(rng);
    /// let mut bundle = PreKeys::generate(&bob, rng).bundle(&bob, 1, None, None)?;
    /// assert!(bundle.verify(Trust::Pinned(&bob.public())).is_ok());
    /// bundle.kyber.signature[0] ^= 1;
    /// assert_eq!(bundle.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    /// # Ok::<(), bisik::interop::signal::PreKeysError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Checked in this order: [`BundleError::IdentityMismatch`], [`BundleError::BadSignature`] of either key, and
    /// [`BundleError::NonCanonical`] for a key that is not on the curve.
    pub fn verify(&self, trust: Trust<'_>) -> Result<VerifiedBundle, BundleError> {
        let Self { registration_id, device_id, identity, one_time, signed, kyber } = self;
        if trust.allows(identity) && !xeddsa::verify(identity.key(), &kyber.key.to_bytes(), &kyber.signature) {
            return Err(BundleError::BadSignature);
        }
        let classical = classical::PreKeyBundle {
            registration_id: *registration_id,
            device_id: *device_id,
            identity: *identity,
            one_time: *one_time,
            signed: *signed,
        };
        Ok(VerifiedBundle { classical: classical.verify(trust)?, kyber_id: kyber.id, kyber: kyber.key.clone() })
    }
}

/// A bundle whose owner and signatures were verified.
#[derive(Clone)]
pub struct VerifiedBundle {
    pub(super) classical: classical::VerifiedBundle,
    pub(super) kyber_id: u32,
    pub(super) kyber: KyberPublicKey,
}

impl VerifiedBundle {
    /// The owner's identity.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        self.classical.identity()
    }

    /// The device's number in its account, as the server claims it.
    #[must_use]
    pub const fn device_id(&self) -> u32 {
        self.classical.device_id()
    }
}

impl fmt::Debug for VerifiedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBundle").field("identity", self.identity()).finish_non_exhaustive()
    }
}
