//! What a peer checks of a disclosure: [`Disclosure::verify`], and the order of disclosures (docs/spec/hosting.md,
//! section 11.2).

use alloc::vec::Vec;

use super::body::Body;
use super::error::DisclosureError;
use super::signed::Disclosure;
use crate::device::AccountKey;
use crate::hosting::encoding::CLOCK_SKEW;
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::primitives::ed25519::verify_batch;
use bisik_core::time::Timestamp;

impl Disclosure {
    /// Checks the account, the three signatures, the dates, and the order after the newest disclosure already known. A label
    /// follows only from the result.
    ///
    /// `known` is the newest disclosure seen of this device key, as [`LabelState::known`](crate::hosting::LabelState::known)
    /// returns it; `None` at first. Sequence numbers may be skipped: disclosures that were replaced while the caller was
    /// offline need not be fetched.
    ///
    /// # Errors
    ///
    /// In this order: [`DisclosureError::OtherAccount`], [`DisclosureError::BadSignature`], [`DisclosureError::NotYetValid`],
    /// [`DisclosureError::Expired`], [`DisclosureError::KeyReused`], [`DisclosureError::RolledBack`],
    /// [`DisclosureError::Forked`].
    pub fn verify(
        self,
        account: &AccountKey,
        known: Option<&KnownDisclosure>,
        now: Timestamp,
    ) -> Result<VerifiedDisclosure, DisclosureError> {
        let verified = self.verify_origin(account)?;
        verified.check_dates(now)?;
        if let Some(known) = known {
            known.check_successor(&verified)?;
        }
        Ok(verified)
    }

    /// Checks the account and the signatures, but neither dates nor order.
    pub(in crate::hosting) fn verify_origin(self, account: &AccountKey) -> Result<VerifiedDisclosure, DisclosureError> {
        // P-11.7, here and below.
        if self.body.account != *account {
            return Err(DisclosureError::OtherAccount);
        }
        let Body { account, device, terms, .. } = &self.body;
        // Each signature covers the body and the signatures before it.
        let mut text = self.body.encode();
        let by_operator = terms.operator.key.unverified_labelled(labels::DISCLOSURE_OPERATOR, &text, &self.operator);
        text.extend(self.operator);
        let by_device = device.unverified_labelled(labels::DISCLOSURE_ENDPOINT, &text, &self.device);
        text.extend(self.device);
        let by_account = account.identity().unverified_labelled(labels::DISCLOSURE_ACCOUNT, &text, &self.account);
        let all: Option<Vec<_>> = [by_operator, by_device, by_account].into_iter().collect();
        if !all.is_some_and(|all| verify_batch(&all)) {
            return Err(DisclosureError::BadSignature);
        }
        Ok(VerifiedDisclosure { hash: self.hash(), disclosure: self })
    }
}

/// A disclosure whose account, signatures, dates and order were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDisclosure {
    disclosure: Disclosure,
    hash: DisclosureHash,
}

impl VerifiedDisclosure {
    /// The disclosure.
    #[must_use]
    pub const fn disclosure(&self) -> &Disclosure {
        &self.disclosure
    }

    /// Its hash: see [`Disclosure::hash`].
    #[must_use]
    pub const fn hash(&self) -> DisclosureHash {
        self.hash
    }

    /// The part that a peer remembers, to check the next disclosure against it.
    #[must_use]
    pub const fn known(&self) -> KnownDisclosure {
        let Body { device, terms, sequence, .. } = &self.disclosure.body;
        KnownDisclosure {
            device: *device,
            operator: terms.operator.key,
            sequence: *sequence,
            hash: self.hash,
            forked: false,
        }
    }

    /// Checks that it is valid at `now`, give or take [`CLOCK_SKEW`]. P-11.8.
    pub(in crate::hosting) fn check_dates(&self, now: Timestamp) -> Result<(), DisclosureError> {
        if self.disclosure.issued() > now.plus_seconds(CLOCK_SKEW) {
            return Err(DisclosureError::NotYetValid);
        }
        if self.disclosure.expires() <= now {
            return Err(DisclosureError::Expired);
        }
        Ok(())
    }
}

/// The newest disclosure seen of a hosted device. The next one is checked against it.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::device::{AccountKey, Custody};
/// # use bisik::hosting::{Disclosure, DisclosureDraft, HostingTerms, Operator, OperatorName};
/// # use bisik::hosting::{Purposes, Retention, Roles};
/// # use bisik::{Identity, Timestamp};
/// # let [business, operator, device] = [(); 3].map(|()| Identity::generate(rng));
/// # let account = AccountKey::of(&business);
/// # let operator_of = Operator { name: OperatorName::new("Awan Pesan")?, key: *operator.public() };
/// # let terms = HostingTerms {
/// #     custody: Custody::Vendor,
/// #     operator: operator_of,
/// #     roles: Roles::STORE.with(Roles::READ),
/// #     retention: Retention::THIRTY_DAYS,
/// #     purposes: Purposes::ANSWERING,
/// # };
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let draft = DisclosureDraft::new(account, *device.public(), terms, now, now.plus_seconds(90 * 86_400))?;
/// # let disclosure = draft.countersign(&operator)?.prove(&device)?.sign(&business)?;
/// let verified = disclosure.clone().verify(&account, None, now)?;
/// let known = verified.known(); // store it
/// assert!(disclosure.verify(&account, Some(&known), now).is_ok()); // the same one again
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDisclosure {
    pub(in crate::hosting) device: IdentityKey,
    pub(in crate::hosting) operator: IdentityKey,
    pub(in crate::hosting) sequence: u64,
    pub(in crate::hosting) hash: DisclosureHash,
    /// Whether a different disclosure with the same sequence number was also seen.
    pub(in crate::hosting) forked: bool,
}

impl KnownDisclosure {
    /// Checks that `next` is the same disclosure or a later one of the same operator. P-11.9.
    pub(in crate::hosting) fn check_successor(&self, next: &VerifiedDisclosure) -> Result<(), DisclosureError> {
        let Body { device, terms, sequence, previous, .. } = &next.disclosure.body;
        if *device != self.device {
            return Ok(());
        }
        // P-11.10. The operator that held the key before still holds it.
        if terms.operator.key != self.operator {
            return Err(DisclosureError::KeyReused);
        }
        if *sequence < self.sequence {
            return Err(DisclosureError::RolledBack);
        }
        let same = *sequence == self.sequence;
        let follows = Some(*sequence) == self.sequence.checked_add(1);
        let contradicts =
            (same && (self.forked || next.hash != self.hash)) || (follows && *previous != Some(self.hash));
        if contradicts && !(follows && self.forked) { Err(DisclosureError::Forked) } else { Ok(()) }
    }
}
