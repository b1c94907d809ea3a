//! [`Disclosure`]: who else can read, signed by three; [`VerifiedDisclosure`]: what a label may follow from.
//!
//! Does not know labels or consent. Parse, then verify, then use: each step is a type of its own.

use alloc::vec::Vec;
use core::fmt;

use super::error::{DisclosureError, DraftError};
use super::terms::HostingTerms;
use super::{CLOCK_SKEW, read_key};
use crate::codec::{Malformed, Reader, Writer};
use crate::device::AccountKey;
use crate::disclosure::{self, DisclosureHash};
use crate::keys::IdentityKey;
use crate::labels;
use crate::primitives::ed25519::SIGNATURE;
use crate::time::Timestamp;

/// Everything that is signed (docs/protocol.md, section 11.2).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) account: AccountKey,
    pub(super) endpoint: IdentityKey,
    pub(super) terms: HostingTerms,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) sequence: u64,
    pub(super) previous: Option<DisclosureHash>,
}

impl Body {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { account, endpoint, terms, issued, expires, sequence, previous } = self;
        let mut writer = Writer::with_capacity(Disclosure::LONGEST);
        writer.u8(VERSION).bytes(&account.to_bytes()).bytes(&endpoint.to_bytes());
        terms.write(&mut writer);
        writer
            .u64(issued.as_unix_seconds())
            .u64(expires.as_unix_seconds())
            .u64(*sequence)
            .bytes(&disclosure::to_bytes(*previous));
        writer.finish()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.expect(&[VERSION])?;
        let body = Self {
            account: AccountKey::from_identity(read_key(reader)?),
            endpoint: read_key(reader)?,
            terms: HostingTerms::read(reader, read_key)?,
            issued: Timestamp::from_unix_seconds(reader.u64()?),
            expires: Timestamp::from_unix_seconds(reader.u64()?),
            sequence: reader.u64()?,
            previous: disclosure::read_optional(reader)?,
        };
        body.check().map_err(|_| Malformed)?;
        Ok(body)
    }

    /// P-11.4, P-11.5. What every disclosure keeps to, whoever signed it.
    pub(super) fn check(&self) -> Result<(), DraftError> {
        let Self { account, endpoint, terms, issued, expires, sequence, previous } = self;
        if !terms.are_disclosable() {
            return Err(DraftError::Terms);
        }
        let [account, endpoint, operator] =
            [account.identity(), endpoint, &terms.operator.key].map(IdentityKey::signing);
        if account == endpoint || account == operator || endpoint == operator {
            return Err(DraftError::Keys);
        }
        if expires <= issued || *expires > issued.plus_seconds(LONGEST_LIFE) {
            return Err(DraftError::Dates);
        }
        match (*sequence, previous.is_none()) {
            (0, _) | (1, false) | (2.., true) => Err(DraftError::Malformed),
            (1, true) | (2.., false) => Ok(()),
        }
    }
}

/// What an account says about an endpoint whose keys somebody else holds: at most 542 bytes; docs/protocol.md, section 11.2.
///
/// It is signed by the account, by the operator, and by the endpoint itself, so that nobody is named without having agreed. A
/// [`DisclosureDraft`](super::DisclosureDraft) becomes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    body: Body,
    operator: [u8; SIGNATURE],
    endpoint: [u8; SIGNATURE],
    account: [u8; SIGNATURE],
}

impl Disclosure {
    /// Most bytes of a disclosure.
    pub const LONGEST: usize = 542;

    pub(super) const fn from_parts(
        body: Body,
        operator: [u8; SIGNATURE],
        endpoint: [u8; SIGNATURE],
        account: [u8; SIGNATURE],
    ) -> Self {
        Self { body, operator, endpoint, account }
    }

    /// Reads a disclosure, without trusting it: see [`Disclosure::verify`].
    ///
    /// # Errors
    ///
    /// [`DisclosureError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DisclosureError> {
        let mut reader = Reader::new(bytes);
        let body = Body::read(&mut reader)?;
        let [operator, endpoint, account] = [*reader.array()?, *reader.array()?, *reader.array()?];
        reader.finish()?;
        Ok(Self { body, operator, endpoint, account })
    }

    /// The bytes to publish. Every disclosure has exactly one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { body, operator, endpoint, account } = self;
        let mut bytes = body.encode();
        bytes.extend(operator.iter().chain(endpoint).chain(account));
        bytes
    }

    /// P-11.6. By what a device list, a session's transcript and a decision name it: a hash of all its bytes.
    #[must_use]
    pub fn hash(&self) -> DisclosureHash {
        DisclosureHash::of(&[labels::DISCLOSURE_HASH, &self.to_bytes()])
    }

    /// Whose endpoint it says it is about.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.body.account
    }

    /// The endpoint's key.
    #[must_use]
    pub const fn endpoint(&self) -> &IdentityKey {
        &self.body.endpoint
    }

    /// What it discloses.
    #[must_use]
    pub const fn terms(&self) -> &HostingTerms {
        &self.body.terms
    }

    /// From when it is dated.
    #[must_use]
    pub const fn issued(&self) -> Timestamp {
        self.body.issued
    }

    /// From when it counts no more.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.body.expires
    }

    /// Its number among those of the same endpoint key, from 1.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.body.sequence
    }

    /// Checks whose it is, its three signatures, its dates, and that it continues what is known of the endpoint; gives the
    /// only form that a label can follow from.
    ///
    /// `known` is the newest that was seen of this endpoint: [`LabelState::known`](super::LabelState::known), `None` at first.
    /// Numbers may be skipped: disclosures that were replaced while the caller was away need not be fetched.
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
        known.map_or(Ok(()), |known| known.allows(&verified))?;
        Ok(verified)
    }

    /// P-11.7. Who says so, whenever it was.
    pub(super) fn verify_origin(self, account: &AccountKey) -> Result<VerifiedDisclosure, DisclosureError> {
        if self.body.account != *account {
            return Err(DisclosureError::OtherAccount);
        }
        let bytes = self.to_bytes();
        let before = |signatures: usize| {
            let length = bytes.len().saturating_sub(signatures.saturating_mul(SIGNATURE));
            bytes.get(..length).unwrap_or_default()
        };
        let Body { account, endpoint, terms, .. } = &self.body;
        let by_operator = terms.operator.key.verify_labelled(labels::DISCLOSURE_OPERATOR, before(3), &self.operator);
        let by_endpoint = endpoint.verify_labelled(labels::DISCLOSURE_ENDPOINT, before(2), &self.endpoint);
        let by_account = account.identity().verify_labelled(labels::DISCLOSURE_ACCOUNT, before(1), &self.account);
        if !(by_operator && by_endpoint && by_account) {
            return Err(DisclosureError::BadSignature);
        }
        Ok(VerifiedDisclosure { hash: self.hash(), disclosure: self })
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, operator: _, endpoint: _, account: _ } = self;
        let Body { account, endpoint, terms, issued, expires, sequence, previous: _ } = body;
        f.debug_struct("Disclosure")
            .field("account", account)
            .field("endpoint", endpoint)
            .field("terms", terms)
            .field("issued", issued)
            .field("expires", expires)
            .field("sequence", sequence)
            .finish_non_exhaustive()
    }
}

/// A disclosure whose account, signatures, dates and order were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDisclosure {
    disclosure: Disclosure,
    hash: DisclosureHash,
}

impl VerifiedDisclosure {
    /// What was verified.
    #[must_use]
    pub const fn disclosure(&self) -> &Disclosure {
        &self.disclosure
    }

    /// Its name: see [`Disclosure::hash`].
    #[must_use]
    pub const fn hash(&self) -> DisclosureHash {
        self.hash
    }

    /// What a peer remembers of it.
    #[must_use]
    pub const fn known(&self) -> KnownDisclosure {
        let Body { endpoint, terms, sequence, .. } = &self.disclosure.body;
        KnownDisclosure {
            endpoint: *endpoint,
            operator: terms.operator.key,
            sequence: *sequence,
            hash: self.hash,
            forked: false,
        }
    }

    /// P-11.8. Whether it counts now.
    pub(super) fn check_dates(&self, now: Timestamp) -> Result<(), DisclosureError> {
        if self.disclosure.issued() > now.plus_seconds(CLOCK_SKEW) {
            return Err(DisclosureError::NotYetValid);
        }
        if self.disclosure.expires() <= now {
            return Err(DisclosureError::Expired);
        }
        Ok(())
    }
}

/// The newest disclosure that was seen of an endpoint, as far as the next one has to be compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDisclosure {
    pub(super) endpoint: IdentityKey,
    pub(super) operator: IdentityKey,
    pub(super) sequence: u64,
    pub(super) hash: DisclosureHash,
    /// Another one of the same number was seen as well.
    pub(super) forked: bool,
}

impl KnownDisclosure {
    /// P-11.9, P-11.10. Whether `next` may be shown by the endpoint now: the same one again, or a later one.
    pub(super) fn allows(&self, next: &VerifiedDisclosure) -> Result<(), DisclosureError> {
        let Body { endpoint, terms, sequence, previous, .. } = &next.disclosure.body;
        if *endpoint != self.endpoint {
            return Ok(());
        }
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

/// First byte of a disclosure.
const VERSION: u8 = 0x01;

/// P-11.5. Longest life of a disclosure, in seconds: once in a leap year somebody looks at it again.
const LONGEST_LIFE: u64 = 366 * 24 * 60 * 60;
