//! What a label remembers: [`SeenDevice`], a hosted device, and [`RecordedDecision`], the user's decision about an operator.

use core::cmp::Reverse;

use crate::hosting::consent::Choice;
use crate::hosting::disclosure::{HostingTerms, KnownDisclosure, TermsRank, VerifiedDisclosure};
use crate::keys::IdentityKey;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// A device whose key an operator holds or held, with the newest disclosure seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hosting) struct SeenDevice {
    pub(in crate::hosting) device: IdentityKey,
    pub(in crate::hosting) sequence: u64,
    pub(in crate::hosting) hash: DisclosureHash,
    pub(in crate::hosting) terms: HostingTerms,
    /// Whether it is in the account's device list now.
    pub(in crate::hosting) in_force: bool,
    /// Whether a different disclosure with the same sequence number was also seen.
    pub(in crate::hosting) forked: bool,
    /// When it left the device list; `None` while it is in force.
    pub(in crate::hosting) left: Option<Timestamp>,
}

impl SeenDevice {
    /// A device in force.
    pub(in crate::hosting) fn new(verified: &VerifiedDisclosure) -> Self {
        let KnownDisclosure { device, operator: _, sequence, hash, forked } = verified.known();
        let terms = verified.disclosure().terms().clone();
        Self { device, sequence, hash, terms, in_force: true, forked, left: None }
    }

    /// The same device, no longer in force.
    pub(in crate::hosting) fn absent(self, now: Timestamp) -> Self {
        Self { in_force: false, left: Some(now), ..self }
    }

    pub(in crate::hosting) const fn known(&self) -> KnownDisclosure {
        let Self { device, sequence, hash, terms, in_force: _, forked, left: _ } = self;
        KnownDisclosure {
            device: *device,
            operator: terms.operator.key,
            sequence: *sequence,
            hash: *hash,
            forked: *forked,
        }
    }

    /// Sorts the worst terms first, and equal terms by hash, so that all of a user's devices ask the same question.
    pub(in crate::hosting) fn order(&self) -> Reverse<(TermsRank, [u8; 32])> {
        Reverse((self.terms.rank(), *self.hash.as_bytes()))
    }
}

/// The user's latest decision about an operator's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hosting) struct RecordedDecision {
    pub(in crate::hosting) choice: Choice,
    pub(in crate::hosting) disclosure: DisclosureHash,
    pub(in crate::hosting) terms: HostingTerms,
    pub(in crate::hosting) round: u32,
    pub(in crate::hosting) decided: Timestamp,
}

impl RecordedDecision {
    /// Sorts decisions about one operator: the greatest counts. That is the one of the later round, because the user knew the
    /// earlier when making it; within a round the stricter; of two equally strict the later. The order is total, so that all
    /// devices keep the same decision, regardless of the order in which they learn of them. P-11.18.
    pub(in crate::hosting) fn precedence(&self) -> (u32, bool, Timestamp, u8, [u8; 32]) {
        let Self { choice, disclosure, terms: _, round, decided } = self;
        (*round, choice.is_strict(), *decided, choice.byte(), *disclosure.as_bytes())
    }

    /// What this decision means for `terms` of its operator.
    pub(in crate::hosting) fn status_of(&self, terms: &HostingTerms) -> ConsentStatus {
        let worse = terms.worse_than(&self.terms).is_worse();
        match self.choice {
            Choice::Consent if worse => ConsentStatus::Ask,
            Choice::Consent => ConsentStatus::Agreed,
            // The user may be asked about better terms, but not about the same terms in a renewed disclosure.
            Choice::Refusal | Choice::Withdrawal if worse || *terms == self.terms => ConsentStatus::Refused,
            Choice::Refusal | Choice::Withdrawal => ConsentStatus::Ask,
        }
    }
}

/// Whether the user has agreed to a hosted device's terms. The greatest status among the devices decides the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::hosting) enum ConsentStatus {
    Agreed,
    Ask,
    Refused,
}
