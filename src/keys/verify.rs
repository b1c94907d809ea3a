//! [`VerifiedBundle`]: a bundle that a peer has checked, and with which it can set up a session.

use alloc::vec::Vec;
use core::fmt;

use super::IdentityKey;
use super::bundle::{BundleError, PreKeyBundle, Trust};
use super::prekey::UnsignedBundle;
use crate::labels;
use bisik_core::primitives::ed25519::{Unverified, verify_batch};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::EncapsulationKey;
use bisik_core::primitives::x25519::Point;
use bisik_core::time::Timestamp;

impl PreKeyBundle {
    /// Checks the identity, the signature and the dates. Returns the only type with which a session can be set up.
    ///
    /// Requirements P-2.5, P-2.6 and P-2.3. The result is good for a day, and until the bundle expires.
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
    /// [`BundleError::Expired`], [`BundleError::ValidTooLong`], [`BundleError::NonCanonical`] for a key that is not on
    /// the curve, and [`BundleError::MixedOrder`].
    pub fn verify(self, trust: Trust<'_>, now: Timestamp) -> Result<VerifiedBundle, BundleError> {
        let (unsigned, signature) = self.unverified(trust)?;
        if signature.verify() { unsigned.verified(trust, now) } else { Err(BundleError::BadSignature) }
    }

    /// Verifies several bundles, each with the identity expected of it, and returns the results in their order: those of
    /// [`PreKeyBundle::verify`], for half the work or less per signature. For a peer's devices, all at once.
    ///
    /// A bundle that is refused costs the others nothing but time: each signature is then verified by itself, which
    /// makes at most one and a half times the work of as many calls of `verify`.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::{BundleError, Identity, PreKeyBundle, PreKeys, Timestamp, Trust};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let (phone, laptop) = (Identity::generate(rng), Identity::generate(rng));
    /// let [first, second] = [&phone, &laptop].map(|device| PreKeys::generate(device, now, rng).bundle());
    ///
    /// let bundles = [(first, Trust::Pinned(phone.public())), (second, Trust::Pinned(phone.public()))];
    /// let [first, second] = PreKeyBundle::verify_all(bundles, now).try_into().expect("two results");
    /// assert!(first.is_ok());
    /// assert_eq!(second.unwrap_err(), BundleError::IdentityMismatch);
    /// ```
    #[must_use]
    pub fn verify_all<'a>(
        bundles: impl IntoIterator<Item = (Self, Trust<'a>)>,
        now: Timestamp,
    ) -> Vec<Result<VerifiedBundle, BundleError>> {
        let mut signatures = Vec::new();
        let unverified = bundles.into_iter().map(|(bundle, trust)| -> Result<_, BundleError> {
            let (unsigned, signature) = bundle.unverified(trust)?;
            signatures.push(signature);
            Ok((unsigned, trust))
        });
        let unverified: Vec<_> = unverified.collect();
        let all = verify_batch(&signatures);
        // There is one signature for each bundle that was not refused, in their order.
        let mut verdicts = signatures.iter().map(|signature| all || signature.verify());
        let verified = unverified.into_iter().map(|bundle| {
            let (unsigned, trust) = bundle?;
            if verdicts.next() == Some(true) { unsigned.verified(trust, now) } else { Err(BundleError::BadSignature) }
        });
        verified.collect()
    }

    /// Checks the identity and decodes the signature.
    fn unverified(self, trust: Trust<'_>) -> Result<(UnverifiedBundle, Unverified), BundleError> {
        let Self { unsigned, identity_signing, signature } = self;
        if !trust.allows(&unsigned.identity) {
            return Err(BundleError::IdentityMismatch);
        }
        let encoded = unsigned.encode();
        // The signed text is the label before the encoding (docs/spec/session.md, section 2.3).
        let signature = identity_signing.unverified(&[labels::BUNDLE, &encoded], &signature);
        Ok((UnverifiedBundle { unsigned, digest: digest(&[&encoded]) }, signature.ok_or(BundleError::BadSignature)?))
    }
}

/// A bundle of the expected identity, whose signature is yet to be verified.
struct UnverifiedBundle {
    unsigned: UnsignedBundle,
    /// SHA-256 of its encoding without the signature.
    digest: [u8; 32],
}

impl UnverifiedBundle {
    /// Checks the dates and decodes the points. Call it once the signature has verified.
    fn verified(self, trust: Trust<'_>, now: Timestamp) -> Result<VerifiedBundle, BundleError> {
        let Self { unsigned, digest } = self;
        if unsigned.created > now.plus_seconds(CLOCK_SKEW) {
            return Err(BundleError::NotYetValid);
        }
        if unsigned.expires <= now {
            return Err(BundleError::Expired);
        }
        if unsigned.expires > unsigned.created.plus_seconds(LIFETIME) {
            return Err(BundleError::ValidTooLong);
        }
        let UnsignedBundle { identity, signed_id, created: _, expires, signed, kem, one_time } = unsigned;
        // A pinned identity was checked when it was pinned.
        let agreement = match trust {
            Trust::Pinned(_) => identity.point()?,
            Trust::OnFirstUse => identity.checked_point()?,
        };
        let one_time = match one_time {
            Some((id, key)) => Some((id, Point::decode(key)?)),
            None => None,
        };
        Ok(VerifiedBundle {
            identity,
            agreement,
            signed_id,
            signed: Point::decode(signed)?,
            kem,
            one_time,
            digest,
            expires,
            verified: now,
        })
    }
}

/// A bundle whose identity, signature and dates have been checked. It sets up sessions for a day, and until it expires.
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
    expires: Timestamp,
    /// When it was verified.
    verified: Timestamp,
}

impl VerifiedBundle {
    /// Returns the identity that the bundle belongs to.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// Returns until when a session can be set up with the bundle: a day after it was verified, or when it expires if
    /// that is sooner.
    #[must_use]
    pub fn usable_until(&self) -> Timestamp {
        self.expires.min(self.verified.plus_seconds(FRESH))
    }

    /// P-2.5: whether a session may be set up now.
    pub(crate) fn check_fresh(&self, now: Timestamp) -> Result<(), Stale> {
        if now.plus_seconds(CLOCK_SKEW) < self.verified {
            return Err(Stale::ClockWentBack);
        }
        if now >= self.expires || now > self.verified.plus_seconds(FRESH) {
            return Err(Stale::TooOld);
        }
        Ok(())
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

/// Why a verified bundle is not used any more.
pub(crate) enum Stale {
    TooOld,
    ClockWentBack,
}

/// Longest validity of a bundle in seconds: 30 days, so that peers can write to a device that is away for weeks.
pub(super) const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// How long a verified bundle is used, in seconds: a day. The device deletes its secrets some days after it has replaced
/// the bundle.
const FRESH: u64 = 24 * 60 * 60;

/// How far ahead a bundle may be dated, in seconds: a day, so that a wrong time zone locks nobody out.
pub(super) const CLOCK_SKEW: u64 = 24 * 60 * 60;
