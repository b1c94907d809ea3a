//! What a label remembers: [`SeenDevice`], a hosted device, and [`RecordedDecision`], the user's decision about an operator.

use core::cmp::Reverse;

use super::evidence::{HostedDevice, Presented};
use crate::device::Custody;
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
    /// Whether the user is asked about this disclosure although terms of this account were refused.
    pub(in crate::hosting) asked: bool,
}

impl SeenDevice {
    /// A device in force.
    pub(in crate::hosting) fn new(verified: &VerifiedDisclosure) -> Self {
        let KnownDisclosure { device, operator: _, sequence, hash, forked } = verified.known();
        let terms = verified.disclosure().terms().clone();
        Self { device, sequence, hash, terms, in_force: true, forked, left: None, asked: false }
    }

    /// The same device, no longer in force.
    pub(in crate::hosting) fn absent(self, now: Timestamp) -> Self {
        Self { in_force: false, left: Some(now), asked: false, ..self }
    }

    pub(in crate::hosting) const fn known(&self) -> KnownDisclosure {
        let Self { device, sequence, hash, terms, in_force: _, forked, left: _, asked: _ } = self;
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

    /// Whether this is consent that covers `terms` of its operator. P-11.13.
    pub(in crate::hosting) fn agrees_to(&self, terms: &HostingTerms) -> bool {
        !self.choice.is_strict() && !terms.worse_than(&self.terms).is_worse()
    }
}

/// Whether the user has agreed to a hosted device's terms. The greatest status among the devices decides the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::hosting) enum ConsentStatus {
    Agreed,
    Ask,
    Refused,
}

/// The peer's devices that its account holds itself, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hosting) struct OwnHeld {
    /// The custody furthest from a person's own.
    pub(in crate::hosting) custody: Custody,
    /// Whether a program answers on one of them.
    pub(in crate::hosting) automated: bool,
}

impl OwnHeld {
    /// Of some devices. A list without own-held devices has hosted ones, which decide the label.
    pub(in crate::hosting) fn of(devices: &[HostedDevice<'_>]) -> Self {
        let own = || devices.iter().filter(|device| device.custody.is_own_held());
        let custody = own().map(|device| device.custody).max().unwrap_or(Custody::Person);
        Self { custody, automated: own().any(|device| device.automated) }
    }
}

/// The worst hosting on the user's own side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hosting) struct OwnHosting {
    /// The disclosure that the list names.
    pub(in crate::hosting) disclosure: Option<DisclosureHash>,
    /// Its terms; `None` if they were not presented.
    pub(in crate::hosting) terms: Option<HostingTerms>,
}

impl OwnHosting {
    /// Of the devices of the user's own account: unknown terms are the worst. P-11.28.
    pub(in crate::hosting) fn of(devices: &[HostedDevice<'_>]) -> Option<Self> {
        devices.iter().filter_map(Self::of_one).max_by_key(|hosting| {
            let rank = hosting.terms.as_ref().map(HostingTerms::rank);
            (rank.is_none(), rank, hosting.disclosure.map(|hash| *hash.as_bytes()))
        })
    }

    fn of_one(device: &HostedDevice<'_>) -> Option<Self> {
        let listed = |verified: &VerifiedDisclosure| {
            *verified.disclosure().device() == device.key
                && verified.disclosure().terms().custody == device.custody
                && Some(verified.hash()) == device.disclosure
        };
        let terms = |verified: &VerifiedDisclosure| Some(verified.disclosure().terms().clone());
        match device.presented {
            // A key that an operator held once, it still holds.
            Presented::Former(verified) if device.custody.is_own_held() => {
                Some(Self { disclosure: Some(verified.hash()), terms: terms(verified) })
            }
            _ if device.custody.is_own_held() => None,
            Presented::Verified(verified) if listed(verified) => {
                Some(Self { disclosure: device.disclosure, terms: terms(verified) })
            }
            Presented::Nothing | Presented::Verified(_) | Presented::Rejected(_) | Presented::Former(_) => {
                Some(Self { disclosure: device.disclosure, terms: None })
            }
        }
    }
}
