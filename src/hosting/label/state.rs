//! [`LabelState`]: the devices seen, the user's decisions, and the label that follows (docs/spec/hosting.md, section
//! 11.4).

use alloc::vec::Vec;

use super::Label;
use super::event::{LabelChange, LabelEvent};
use super::seen::{ConsentStatus, OwnHeld, OwnHosting, RecordedDecision, SeenDevice};
use crate::device::AccountKey;
use crate::hosting::consent::Choice;
use crate::hosting::disclosure::{HostingTerms, KnownDisclosure, TermsDiff};
use crate::keys::IdentityKey;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// The label of the conversation with one account, and what it follows from. It is stored as part of the conversation's
/// record.
///
/// ```
/// use bisik::Timestamp;
/// use bisik::hosting::{Evidence, Label, LabelEvent, LabelState};
/// # use bisik::device::{AccountKey, Custody};
/// # use bisik::hosting::{HostedDevice, Presented};
/// # let peer = bisik::Identity::generate(&mut rand::rng());
/// # let account = AccountKey::of(&peer);
///
/// # let own = HostedDevice {
/// #     key: *peer.public(),
/// #     custody: Custody::Business,
/// #     automated: false,
/// #     disclosure: None,
/// #     presented: Presented::Nothing,
/// # };
/// # let devices = [own];
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let expires = now.plus_seconds(30 * 86_400);
/// let transition = LabelState::new(account).observe(Evidence::Devices { expires, devices: &devices, own: &[] }, now);
///
/// assert!(matches!(transition.event, Some(LabelEvent::Verified(_))));
/// assert_eq!(transition.state.label(now), Label::EndToEnd { custody: Custody::Business, automated: false });
/// assert!(transition.state.permit(now).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelState {
    pub(in crate::hosting) account: AccountKey,
    pub(in crate::hosting) label: Label,
    /// Expiry of the last accepted evidence, kept while the label is `Unverified`. `None` before any evidence, and
    /// after the user has withdrawn consent while the label was `Unverified`.
    pub(in crate::hosting) valid_until: Option<Timestamp>,
    /// When the peer last came to have no hosted device, if it ever did. Consent from before then no longer applies.
    pub(in crate::hosting) lapsed: Option<Timestamp>,
    /// When the business last asked again after a refusal.
    pub(in crate::hosting) asked: Option<Timestamp>,
    /// The peer's own-held devices in the last accepted evidence; `None` before any.
    pub(in crate::hosting) own_held: Option<OwnHeld>,
    /// The hosting on the user's own side in the last accepted evidence.
    pub(in crate::hosting) own: Option<OwnHosting>,
    /// By device key, ascending.
    pub(in crate::hosting) seen: Vec<SeenDevice>,
    /// By operator key, ascending; at most one for each operator.
    pub(in crate::hosting) decisions: Vec<RecordedDecision>,
}

/// The result of an operation on a [`LabelState`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "store the state, show the event to the user, close the sessions"]
pub struct Transition {
    /// The state after the operation.
    pub state: LabelState,
    /// What to show the user. There is an event exactly if the label has changed.
    pub event: Option<LabelEvent>,
    /// Devices with which sessions must be closed.
    pub closed: Vec<ClosedDevice>,
}

/// A hosted device that has left, or whose disclosure was replaced. Close sessions with this key under this disclosure.
/// P-11.23.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedDevice {
    /// The device's key.
    pub device: IdentityKey,
    /// The disclosure under which the sessions were set up.
    pub disclosure: DisclosureHash,
}

impl LabelState {
    /// The largest number of hosted devices remembered, including those that have left.
    pub const MOST_DEVICES: usize = 64;
    /// The largest number of operators about which decisions are remembered.
    pub const MOST_OPERATORS: usize = 8;

    /// The state of a conversation with `account` before any evidence was seen.
    #[must_use]
    pub const fn new(account: AccountKey) -> Self {
        Self {
            account,
            label: Label::Unknown,
            valid_until: None,
            lapsed: None,
            asked: None,
            own_held: None,
            own: None,
            seen: Vec::new(),
            decisions: Vec::new(),
        }
    }

    /// The peer's account.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Returns the newest disclosure seen of a device. The next one is verified against it.
    #[must_use]
    pub fn known(&self, device: &IdentityKey) -> Option<KnownDisclosure> {
        self.seen.iter().find(|seen| seen.device == *device).map(SeenDevice::known)
    }

    /// Returns the disclosure to ask the user about: the one with the worst terms among those undecided or, if the
    /// label is `Refused`, among those refused.
    #[must_use]
    pub fn question(&self) -> Option<(DisclosureHash, &HostingTerms)> {
        let wanted = match self.label {
            Label::Disclosed { .. } => ConsentStatus::Ask,
            Label::Refused { .. } => ConsentStatus::Refused,
            Label::Unknown
            | Label::EndToEnd { .. }
            | Label::OwnHosted { .. }
            | Label::Hosted { .. }
            | Label::Unverified { .. } => return None,
        };
        let asked = self.in_force().find(|device| self.status_of(device) == wanted)?;
        Some((asked.hash, &asked.terms))
    }

    /// Remembers a device and its newest disclosure. If there is no room, the device that left first is forgotten; if
    /// none has left, `device` is not remembered. P-11.9.
    pub(in crate::hosting) fn remember(&mut self, device: SeenDevice) {
        self.seen.retain(|known| known.device != device.device);
        if self.seen.len() >= Self::MOST_DEVICES {
            let absent = self.seen.iter().filter(|known| !known.in_force);
            let Some(oldest) = absent.min_by_key(|known| known.left).map(|known| known.device) else { return };
            self.seen.retain(|known| known.device != oldest);
        }
        self.seen.push(device);
        self.seen.sort_unstable_by_key(|known| known.device);
    }

    /// Records a decision unless a known one about the same operator takes precedence. If there is no room, the oldest
    /// decision about an operator that holds no device now is forgotten; if each of them holds one, `decision` is not
    /// recorded. P-11.18.
    pub(in crate::hosting) fn record_decision(&mut self, decision: RecordedDecision) {
        let operator = decision.terms.operator.key;
        if let Some(known) = self.decision_about(&operator) {
            if known.precedence() >= decision.precedence() {
                return;
            }
            self.decisions.retain(|known| known.terms.operator.key != operator);
        } else if self.decisions.len() >= Self::MOST_OPERATORS {
            let present: Vec<_> = self.in_force().map(|device| device.terms.operator.key).collect();
            let absent = self.decisions.iter().filter(|known| !present.contains(&known.terms.operator.key));
            let oldest = absent.min_by_key(|known| known.decided).map(|known| known.terms.operator.key);
            let Some(oldest) = oldest else { return };
            self.decisions.retain(|known| known.terms.operator.key != oldest);
        }
        self.decisions.push(decision);
        self.decisions.sort_unstable_by_key(|known| known.terms.operator.key);
    }

    /// The decision about an operator.
    pub(in crate::hosting) fn decision_about(&self, operator: &IdentityKey) -> Option<&RecordedDecision> {
        self.decisions.iter().find(|decision| decision.terms.operator.key == *operator)
    }

    /// The devices that operators hold now, those with the worst terms first.
    pub(in crate::hosting) fn in_force(&self) -> impl Iterator<Item = &SeenDevice> {
        let mut found: Vec<_> = self.seen.iter().filter(|device| device.in_force).collect();
        found.sort_unstable_by_key(|device| device.order());
        found.into_iter()
    }

    /// The label that follows from the devices in force and the decisions: the device with the greatest
    /// [`ConsentStatus`] decides; among equals, the one with the worst terms. If the peer has no hosted device, the weakest
    /// one of the user's own account decides, then the weakest own-held one. P-11.14, P-11.28.
    pub(in crate::hosting) fn label_in_force(&self) -> Label {
        let mut devices = self.in_force().map(|device| (self.status_of(device), device));
        let Some(mut decisive) = devices.next() else { return self.label_without_hosting() };
        for candidate in devices {
            if candidate.0 > decisive.0 {
                decisive = candidate;
            }
        }
        let (status, device) = decisive;
        let disclosure = device.hash;
        let decision = match status {
            ConsentStatus::Ask => None,
            ConsentStatus::Refused => self.refusal_of(&device.terms),
            ConsentStatus::Agreed => self.decision_about(&device.terms.operator.key),
        };
        match decision {
            None => Label::Disclosed { disclosure },
            Some(decision) if decision.choice.is_strict() => Label::Refused { disclosure: decision.disclosure },
            Some(decision) => Label::Hosted { disclosure, consent: decision.disclosure },
        }
    }

    fn label_without_hosting(&self) -> Label {
        match (&self.own, self.own_held) {
            (Some(own), _) => Label::OwnHosted { disclosure: own.disclosure },
            (None, Some(OwnHeld { custody, automated })) => Label::EndToEnd { custody, automated },
            (None, None) => Label::Unknown,
        }
    }

    /// Sets the label that follows from the devices in force and the decisions. If the peer has no hosted device left, all
    /// consent ends; refusals stay.
    pub(in crate::hosting) fn update_label(&mut self, now: Timestamp) {
        self.let_ask_again(now);
        let label = self.label_in_force();
        let without = |label: Label| matches!(label, Label::EndToEnd { .. } | Label::OwnHosted { .. });
        if without(label) && !without(self.label) {
            self.lapsed = Some(now);
            self.decisions.retain(|decision| decision.choice.is_strict());
        }
        self.label = label;
    }

    /// The transition from this state to `next`, with one event if the label has changed. P-11.15.
    pub(in crate::hosting) fn transition(&self, next: Self, closed: Vec<ClosedDevice>, now: Timestamp) -> Transition {
        let event = event_between(self, &next, now);
        Transition { state: next, event, closed }
    }

    /// The terms that the label is about.
    fn subject(&self) -> Option<(&HostingTerms, DisclosureHash)> {
        match self.label {
            Label::Unknown | Label::EndToEnd { .. } | Label::Unverified { .. } => None,
            Label::OwnHosted { .. } => {
                let own = self.own.as_ref()?;
                Some((own.terms.as_ref()?, own.disclosure?))
            }
            Label::Disclosed { disclosure } | Label::Hosted { disclosure, .. } => {
                self.in_force().find(|device| device.hash == disclosure).map(|found| (&found.terms, disclosure))
            }
            // What would be sent to now, if there is such a device; else what was refused.
            Label::Refused { disclosure } => {
                if let Some((hash, terms)) = self.question() {
                    return Some((terms, hash));
                }
                let decision = self.decisions.iter().find(|decision| decision.disclosure == disclosure)?;
                Some((&decision.terms, disclosure))
            }
        }
    }

    /// Whether the user withdrew consent to `disclosure`.
    fn was_withdrawn(&self, disclosure: DisclosureHash) -> bool {
        let mut decisions = self.decisions.iter();
        decisions.any(|decision| decision.disclosure == disclosure && decision.choice == Choice::Withdrawal)
    }
}

/// The event for the change from `old` to `new`; `None` if the label is the same. P-11.15.
fn event_between(old: &LabelState, new: &LabelState, at: Timestamp) -> Option<LabelEvent> {
    if old.label == new.label {
        return None;
    }
    // What the user's own account discloses says nothing about an operator of the peer's, and the reverse.
    let own = matches!(new.label, Label::OwnHosted { .. });
    let subject = if own { new.subject() } else { new.subject().or_else(|| old.subject()) };
    let named =
        if let Label::OwnHosted { disclosure } = new.label { disclosure } else { subject.map(|(_, hash)| hash) };
    let change = LabelChange {
        at,
        old: old.label,
        new: new.label,
        terms: subject.map(|(terms, _)| terms.clone()),
        disclosure: named,
    };
    Some(match (old.label, new.label) {
        (_, Label::Unknown | Label::Unverified { .. }) => LabelEvent::Unverified(change),
        (_, Label::Refused { disclosure }) if new.was_withdrawn(disclosure) => LabelEvent::Withdrawn(change),
        (Label::Unverified { .. }, Label::EndToEnd { .. } | Label::Hosted { .. } | Label::Refused { .. }) => {
            LabelEvent::VerifiedAgain(change)
        }
        (_, Label::OwnHosted { .. }) => LabelEvent::OwnHosting(change),
        (_, Label::Refused { .. }) => LabelEvent::Refused(change),
        (Label::Unknown, Label::EndToEnd { .. }) => LabelEvent::Verified(change),
        (Label::EndToEnd { .. }, Label::EndToEnd { .. }) => LabelEvent::DevicesChanged(change),
        (
            Label::OwnHosted { .. } | Label::Disclosed { .. } | Label::Hosted { .. } | Label::Refused { .. },
            Label::EndToEnd { .. },
        ) => LabelEvent::HostingEnded(change),
        (Label::Disclosed { .. }, Label::Disclosed { .. }) => LabelEvent::DisclosureChanged(change),
        (Label::Hosted { .. }, Label::Disclosed { .. }) if worsened_terms(old, new).is_worse() => {
            LabelEvent::TermsWorsened(change, worsened_terms(old, new))
        }
        (_, Label::Disclosed { .. }) => LabelEvent::HostingDisclosed(change),
        // The same consent covers another disclosure.
        (Label::Hosted { consent: before, .. }, Label::Hosted { consent: after, .. }) if before == after => {
            LabelEvent::ConsentCarriedOver(change)
        }
        (_, Label::Hosted { .. }) => LabelEvent::Consented(change),
    })
}

/// How the terms the user is asked about now are worse than those the user agreed to.
fn worsened_terms(old: &LabelState, new: &LabelState) -> TermsDiff {
    let Some((terms, _)) = new.subject() else { return TermsDiff::NOTHING };
    let agreed = old.decision_about(&terms.operator.key).map(|decision| &decision.terms);
    let agreed = agreed.or_else(|| old.subject().map(|(terms, _)| terms));
    agreed.map_or(TermsDiff::NOTHING, |agreed| terms.worse_than(agreed))
}
