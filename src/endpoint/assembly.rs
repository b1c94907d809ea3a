//! How three parties make a [`Disclosure`]: a draft, countersigned by the operator, proven by the endpoint, signed by the account.
//!
//! Does not know how the steps travel. Each is a type of its own that consumes the one before, and can be sent on.

use alloc::vec::Vec;
use core::fmt;

use super::disclosure::{Body, Disclosure};
use super::error::DraftError;
use super::terms::HostingTerms;
use super::{split_signature, with_signature};
use crate::codec::Reader;
use crate::device::AccountKey;
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use crate::primitives::ed25519::SIGNATURE;
use crate::time::Timestamp;

/// What an account wants to disclose, before anybody has signed.
///
/// Each signature covers those before it: the account's is last and covers everything, so that no other party can make a second
/// disclosure of the same content.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{AccountKey, Custody};
/// use bisik::endpoint::{Countersigned, DisclosureDraft, Operator, OperatorName, Proven};
/// use bisik::endpoint::{HostingTerms, Purposes, Retention, Roles};
/// use bisik::{Identity, Timestamp};
///
/// let [business, operator, endpoint] = [(); 3].map(|()| Identity::generate(rng));
/// let account = AccountKey::of(&business);
/// let terms = HostingTerms {
///     custody: Custody::Vendor,
///     operator: Operator { name: OperatorName::new("Awan Pesan")?, key: *operator.public() },
///     roles: Roles::STORE.with(Roles::READ),
///     retention: Retention::THIRTY_DAYS,
///     purposes: Purposes::ANSWERING,
/// };
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let draft = DisclosureDraft::new(account, *endpoint.public(), terms, now, now.plus_seconds(90 * 86_400))?;
///
/// let at_operator = DisclosureDraft::from_bytes(&draft.to_bytes())?.countersign(&operator)?;
/// let at_endpoint = Countersigned::from_bytes(&at_operator.to_bytes())?.prove(&endpoint)?;
/// let disclosure = Proven::from_bytes(&at_endpoint.to_bytes())?.sign(&business)?;
///
/// let verified = disclosure.verify(&account, None, now)?;
/// assert_eq!(verified.disclosure().terms().retention, Retention::THIRTY_DAYS);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureDraft(Body);

impl DisclosureDraft {
    /// The first disclosure of an endpoint's key.
    ///
    /// # Errors
    ///
    /// [`DraftError::Terms`], [`DraftError::Keys`] or [`DraftError::Dates`].
    pub fn new(
        account: AccountKey,
        endpoint: IdentityKey,
        terms: HostingTerms,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, DraftError> {
        let body = Body { account, endpoint, terms, issued, expires, sequence: 1, previous: None };
        body.check()?;
        Ok(Self(body))
    }

    /// The one that follows `previous`: renewed, or with other terms of the same operator.
    ///
    /// # Errors
    ///
    /// As [`DisclosureDraft::new`], and [`DraftError::OtherOperator`]: another operator needs another endpoint key, because
    /// the old one keeps its secret.
    pub fn following(
        previous: &Disclosure,
        terms: HostingTerms,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, DraftError> {
        if terms.operator.key != previous.terms().operator.key {
            return Err(DraftError::OtherOperator);
        }
        let (account, endpoint) = (*previous.account(), *previous.endpoint());
        let sequence = previous.sequence().checked_add(1).ok_or(DraftError::Dates)?;
        let body = Body { account, endpoint, terms, issued, expires, sequence, previous: Some(previous.hash()) };
        body.check()?;
        Ok(Self(body))
    }

    /// What would be disclosed, for the operator to read before it signs.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.0.terms
    }

    /// For the way to the operator.
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

    /// The operator agrees to what is said of it.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] where `operator` is not the one that the draft names.
    pub fn countersign(self, operator: &Identity) -> Result<Countersigned, DraftError> {
        if *operator.public() != self.0.terms.operator.key {
            return Err(DraftError::OtherParty);
        }
        let signature = operator.sign_labelled(labels::DISCLOSURE_OPERATOR, &self.0.encode());
        Ok(Countersigned { body: self.0, operator: signature })
    }
}

impl fmt::Debug for DisclosureDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DisclosureDraft").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

/// A draft with the operator's signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Countersigned {
    body: Body,
    operator: [u8; SIGNATURE],
}

impl Countersigned {
    /// For the way to the endpoint.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        with_signature(&self.body.encode(), &self.operator)
    }

    /// P-11.2. Reads it, and checks the operator's signature.
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

    /// P-11.7. The endpoint proves that it holds its key.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] where `endpoint` is not the one that the draft names.
    pub fn prove(self, endpoint: &Identity) -> Result<Proven, DraftError> {
        if *endpoint.public() != self.body.endpoint {
            return Err(DraftError::OtherParty);
        }
        let signature = endpoint.sign_labelled(labels::DISCLOSURE_ENDPOINT, &self.to_bytes());
        Ok(Proven { countersigned: self, endpoint: signature })
    }
}

impl fmt::Debug for Countersigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Countersigned").field("terms", &self.body.terms).finish_non_exhaustive()
    }
}

/// A draft with the signatures of operator and endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Proven {
    countersigned: Countersigned,
    endpoint: [u8; SIGNATURE],
}

impl Proven {
    /// For the way back to the account.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        with_signature(&self.countersigned.to_bytes(), &self.endpoint)
    }

    /// P-11.2. Reads it, and checks both signatures.
    ///
    /// # Errors
    ///
    /// [`DraftError::Malformed`] or [`DraftError::BadSignature`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DraftError> {
        let (text, endpoint) = split_signature(bytes)?;
        let countersigned = Countersigned::from_bytes(text)?;
        if !countersigned.body.endpoint.verify_labelled(labels::DISCLOSURE_ENDPOINT, text, endpoint) {
            return Err(DraftError::BadSignature);
        }
        Ok(Self { countersigned, endpoint: *endpoint })
    }

    /// What will be disclosed, for the account to compare with its draft.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.countersigned.body.terms
    }

    /// The account takes responsibility for all of it.
    ///
    /// # Errors
    ///
    /// [`DraftError::OtherParty`] where `account` is not the one that the draft names.
    pub fn sign(self, account: &Identity) -> Result<Disclosure, DraftError> {
        if *account.public() != *self.countersigned.body.account.identity() {
            return Err(DraftError::OtherParty);
        }
        let signature = account.sign_labelled(labels::DISCLOSURE_ACCOUNT, &self.to_bytes());
        let Self { countersigned: Countersigned { body, operator }, endpoint } = self;
        Ok(Disclosure::from_parts(body, operator, endpoint, signature))
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proven").field("terms", self.terms()).finish_non_exhaustive()
    }
}
