//! [`Standing`]: what was seen of one endpoint; [`Ruling`]: what the user decided about one operator.
//!
//! Does not know the label that they amount to.

use core::cmp::Reverse;

use super::consent::Choice;
use super::disclosure::{KnownDisclosure, VerifiedDisclosure};
use super::terms::{HostingTerms, Rank};
use crate::disclosure::DisclosureHash;
use crate::keys::IdentityKey;
use crate::time::Timestamp;

/// An endpoint whose key is, or was, in somebody else's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) endpoint: IdentityKey,
    pub(super) sequence: u64,
    pub(super) hash: DisclosureHash,
    pub(super) terms: HostingTerms,
    /// Whether it is a device of the account now.
    pub(super) in_force: bool,
    /// Whether another disclosure of the same number was seen.
    pub(super) forked: bool,
    /// When it left; `None` while it is in force.
    pub(super) left: Option<Timestamp>,
}

impl Standing {
    /// One that is in force.
    pub(super) fn new(verified: &VerifiedDisclosure) -> Self {
        let KnownDisclosure { endpoint, operator: _, sequence, hash, forked } = verified.known();
        let terms = verified.disclosure().terms().clone();
        Self { endpoint, sequence, hash, terms, in_force: true, forked, left: None }
    }

    /// The same, not in force.
    pub(super) fn absent(self, now: Timestamp) -> Self {
        Self { in_force: false, left: Some(now), ..self }
    }

    pub(super) const fn known(&self) -> KnownDisclosure {
        let Self { endpoint, sequence, hash, terms, in_force: _, forked, left: _ } = self;
        KnownDisclosure {
            endpoint: *endpoint,
            operator: terms.operator.key,
            sequence: *sequence,
            hash: *hash,
            forked: *forked,
        }
    }

    /// Worst first; equal terms by hash, so that all of a user's devices ask the same.
    pub(super) fn order(&self) -> Reverse<(Rank, [u8; 32])> {
        Reverse((self.terms.rank(), *self.hash.as_bytes()))
    }
}

/// What the user decided last about an operator's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) choice: Choice,
    pub(super) disclosure: DisclosureHash,
    pub(super) terms: HostingTerms,
    pub(super) round: u32,
    pub(super) decided: Timestamp,
}

impl Ruling {
    /// P-11.16. Which of two rulings of the user's devices counts: the one of the later round, for it was made in knowledge of
    /// the earlier; in one round the stricter; of two equally strict the later. A total order, so every device ends with
    /// the same one, in whatever order they arrive.
    pub(super) fn precedence(&self) -> (u32, bool, Timestamp, u8, [u8; 32]) {
        let Self { choice, disclosure, terms: _, round, decided } = self;
        (*round, choice.is_strict(), *decided, choice.byte(), *disclosure.as_bytes())
    }

    /// What this ruling says about terms of its operator.
    pub(super) fn on(&self, terms: &HostingTerms) -> Verdict {
        let worse = terms.worse_than(&self.terms).in_anything();
        match self.choice {
            Choice::Consent if worse => Verdict::Ask,
            Choice::Consent => Verdict::Agreed,
            // Better terms may be asked about again; the same ones in a renewed disclosure may not.
            Choice::Refusal | Choice::Withdrawal if worse || *terms == self.terms => Verdict::Refused,
            Choice::Refusal | Choice::Withdrawal => Verdict::Ask,
        }
    }
}

/// What follows from the rulings for one endpoint. Ordered: the last counts most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Agreed,
    Ask,
    Refused,
}
