//! A [`Disclosure`] is made by three parties: the operator countersigns a draft, the hosted device proves its key, the
//! account signs.
//!
//! Each step consumes the one before it and has its own type and encoding, so that it can be sent to the next party.

use alloc::vec::Vec;
use core::fmt;

use super::body::Body;
use super::error::DraftError;
use super::signed::Disclosure;
use super::terms::HostingTerms;
use crate::device::AccountKey;
use crate::hosting::encoding::{append_signature, split_signature};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

/// The disclosure that an account wants to make, before anyone has signed it.
///
/// Each signature covers the ones before it. The account signs last and covers everything, so that no other party can make a
/// second disclosure with the same content.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody};
/// use bisik::hosting::{CountersignedDraft, DisclosureDraft, Operator, OperatorName, ProvenDraft};
/// use bisik::hosting::{HostingTerms, Purposes, Retention, Roles};
/// use bisik::{Identity, Timestamp};
///
/// let [business, operator, device] = [(); 3].map(|()| Identity::generate(rng));
/// let account = AccountKey::of(&business);
/// let terms = HostingTerms {
///     custody: Custody::Vendor,
///     operator: Operator { name: OperatorName::new("Awan Pesan")?, key: *operator.public() },
///     roles: Roles::STORE.with(Roles::READ),
///     retention: Retention::THIRTY_DAYS,
///     purposes: Purposes::ANSWERING,
/// };
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let draft = DisclosureDraft::new(account, *device.public(), terms, now, now.plus_seconds(90 * 86_400))?;
///
/// let at_operator = DisclosureDraft::from_bytes(&draft.to_bytes())?.countersign(&operator)?;
/// let at_device = CountersignedDraft::from_bytes(&at_operator.to_bytes())?.prove(&device)?;
/// let disclosure = ProvenDraft::from_bytes(&at_device.to_bytes())?.sign(&business)?;
///
/// let verified = disclosure.verify(&account, None, now)?;
/// assert_eq!(verified.disclosure().terms().retention, Retention::THIRTY_DAYS);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureDraft(Body);

impl DisclosureDraft {
    /// Drafts the first disclosure of a hosted device's key.
    ///
    /// # Errors
    ///
    /// [`DraftError::Terms`], [`DraftError::Keys`] or [`DraftError::Dates`].
    pub fn new(
        account: AccountKey,
        device: IdentityKey,
        terms: HostingTerms,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, DraftError> {
        let body = Body { account, device, terms, issued, expires, sequence: 1, previous: None };
        body.check()?;
        Ok(Self(body))
    }

    /// Drafts the successor of `previous`: a renewal, or other terms of the same operator.
    ///
    /// # Errors
    ///
    /// As [`DisclosureDraft::new`], and [`DraftError::OtherOperator`]: another operator needs another device key, because the
    /// old operator still holds the old one.
    pub fn following(
        previous: &Disclosure,
        terms: HostingTerms,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, DraftError> {
        if terms.operator.key != previous.terms().operator.key {
            return Err(DraftError::OtherOperator);
        }
        let (account, device) = (*previous.account(), *previous.device());
        let sequence = previous.sequence().checked_add(1).ok_or(DraftError::Dates)?;
        let body = Body { account, device, terms, issued, expires, sequence, previous: Some(previous.hash()) };
        body.check()?;
        Ok(Self(body))
    }

    /// The terms, for the operator to read before it signs.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.0.terms
    }

    /// The bytes to send to the operator.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// Reads a draft.
    ///
    /// # Errors
    ///
    /// [`DraftError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DraftError> {
        let mut reader = Reader::new(bytes);
        let body = Body::read(&mut reader)?;
        reader.finish()?;
        Ok(Self(body))
    }

    /// Signs as the operator, which thereby agrees to the terms.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] if the draft names another operator.
    pub fn countersign(self, operator: &Identity) -> Result<CountersignedDraft, DraftError> {
        if *operator.public() != self.0.terms.operator.key {
            return Err(DraftError::OtherParty);
        }
        let signature = operator.sign_labelled(labels::DISCLOSURE_OPERATOR, &self.0.encode());
        Ok(CountersignedDraft { body: self.0, operator: signature })
    }
}

impl fmt::Debug for DisclosureDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DisclosureDraft").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

/// A draft with the operator's signature.
#[derive(Clone, PartialEq, Eq)]
pub struct CountersignedDraft {
    body: Body,
    operator: [u8; SIGNATURE],
}

impl CountersignedDraft {
    /// The bytes to send to the hosted device.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        append_signature(&self.body.encode(), &self.operator)
    }

    /// Reads a countersigned draft and checks the operator's signature. P-11.3.
    ///
    /// # Errors
    ///
    /// [`DraftError::Malformed`] or [`DraftError::BadSignature`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DraftError> {
        let (text, operator) = split_signature(bytes)?;
        let body = DisclosureDraft::from_bytes(text)?.0;
        if !body.terms.operator.key.verify_labelled(labels::DISCLOSURE_OPERATOR, text, operator) {
            return Err(DraftError::BadSignature);
        }
        Ok(Self { body, operator: *operator })
    }

    /// Signs as the hosted device, which thereby proves that it holds its key. P-11.7.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] if the draft names another device.
    pub fn prove(self, device: &Identity) -> Result<ProvenDraft, DraftError> {
        if *device.public() != self.body.device {
            return Err(DraftError::OtherParty);
        }
        let signature = device.sign_labelled(labels::DISCLOSURE_ENDPOINT, &self.to_bytes());
        Ok(ProvenDraft { countersigned: self, device: signature })
    }
}

impl fmt::Debug for CountersignedDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountersignedDraft").field("terms", &self.body.terms).finish_non_exhaustive()
    }
}

/// A draft with the signatures of the operator and the hosted device.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenDraft {
    countersigned: CountersignedDraft,
    device: [u8; SIGNATURE],
}

impl ProvenDraft {
    /// The bytes to send back to the account.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        append_signature(&self.countersigned.to_bytes(), &self.device)
    }

    /// Reads a proven draft and checks both signatures. P-11.3.
    ///
    /// # Errors
    ///
    /// [`DraftError::Malformed`] or [`DraftError::BadSignature`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DraftError> {
        let (text, device) = split_signature(bytes)?;
        let countersigned = CountersignedDraft::from_bytes(text)?;
        if !countersigned.body.device.verify_labelled(labels::DISCLOSURE_ENDPOINT, text, device) {
            return Err(DraftError::BadSignature);
        }
        Ok(Self { countersigned, device: *device })
    }

    /// The terms, for the account to compare with its draft before it signs.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.countersigned.body.terms
    }

    /// Signs as the account, which thereby answers for the whole disclosure.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] if the draft names another account.
    pub fn sign(self, account: &Identity) -> Result<Disclosure, DraftError> {
        if *account.public() != *self.countersigned.body.account.identity() {
            return Err(DraftError::OtherParty);
        }
        let signature = account.sign_labelled(labels::DISCLOSURE_ACCOUNT, &self.to_bytes());
        let Self { countersigned: CountersignedDraft { body, operator }, device } = self;
        Ok(Disclosure { body, operator, device, account: signature })
    }
}

impl fmt::Debug for ProvenDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvenDraft").field("terms", self.terms()).finish_non_exhaustive()
    }
}
