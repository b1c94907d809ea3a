//! [`LabelEvent`]: what a user is shown when a label changes.
//!
//! Does not know any language: see `notice`.

use super::label::{Label, LabelState};
use super::operator::Operator;
use super::retention::Retention;
use super::terms::Worse;
use crate::disclosure::DisclosureHash;
use crate::time::Timestamp;

/// One change of a label. Closed on purpose: a program that shows these has to say what it does with each, and a new kind
/// does not compile until it does.
///
/// Showing it is part of the protocol (docs/protocol.md, section 11.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the user has to see this: the conversation's label has changed"]
pub enum LabelEvent {
    /// Unknown before; now end-to-end.
    Verified(Change),
    /// Disclosed, hosted or refused before; now end-to-end: nobody else reads any more.
    HostingEnded(Change),
    /// Not verified before; now end-to-end or hosted, or refused, as it was.
    VerifiedAgain(Change),
    /// Somebody else would read: the user has to decide. Until then nothing is sent.
    HostingDisclosed(Change),
    /// While the user was asked, the question has changed.
    DisclosureChanged(Change),
    /// The user had agreed to better terms, or to another operator: the user has to decide again.
    TermsWorsened(Change, Worse),
    /// The user agreed, here or on another of the user's devices.
    Consented(Change),
    /// Other terms, which what the user agreed to covers: nothing to decide.
    ConsentCarriedOver(Change),
    /// The user refused, here or on another of the user's devices.
    Refused(Change),
    /// The user took consent back, here or on another of the user's devices.
    Withdrawn(Change),
    /// It cannot be told who reads. Nothing is sent.
    Unverified(Change),
}

/// What all events say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was noticed.
    pub at: Timestamp,
    /// The label before.
    pub old: Label,
    /// The label from now on.
    pub new: Label,
    /// Who would read, reads, or does not any more.
    pub operator: Option<Operator>,
    /// For how long that operator keeps messages.
    pub retention: Option<Retention>,
    /// The disclosure that says so; `None` where there was none.
    pub disclosure: Option<DisclosureHash>,
}

impl LabelEvent {
    /// What all events say.
    #[must_use]
    pub const fn change(&self) -> &Change {
        match self {
            Self::Verified(change)
            | Self::HostingEnded(change)
            | Self::VerifiedAgain(change)
            | Self::HostingDisclosed(change)
            | Self::DisclosureChanged(change)
            | Self::TermsWorsened(change, _)
            | Self::Consented(change)
            | Self::ConsentCarriedOver(change)
            | Self::Refused(change)
            | Self::Withdrawn(change)
            | Self::Unverified(change) => change,
        }
    }

    /// P-11.15. The one event of an edge; none where the label stays.
    pub(super) fn between(old: &LabelState, new: &LabelState, at: Timestamp) -> Option<Self> {
        if old.label == new.label {
            return None;
        }
        let subject = new.subject().or_else(|| old.subject());
        let change = Change {
            at,
            old: old.label,
            new: new.label,
            operator: subject.map(|(terms, _)| terms.operator.clone()),
            retention: subject.map(|(terms, _)| terms.retention),
            disclosure: subject.map(|(_, hash)| hash),
        };
        Some(match (old.label, new.label) {
            (_, Label::Unknown | Label::Unverified { .. }) => Self::Unverified(change),
            (_, Label::Refused { disclosure }) => Self::refused(change, new.was_withdrawn(disclosure)),
            (Label::Unverified { .. }, Label::EndToEnd | Label::Hosted { .. }) => Self::VerifiedAgain(change),
            (Label::Unknown | Label::EndToEnd, Label::EndToEnd) => Self::Verified(change),
            (Label::Disclosed { .. } | Label::Hosted { .. } | Label::Refused { .. }, Label::EndToEnd) => {
                Self::HostingEnded(change)
            }
            (Label::Disclosed { .. }, Label::Disclosed { .. }) => Self::DisclosureChanged(change),
            (Label::Hosted { .. }, Label::Disclosed { .. }) => {
                let worse = Self::worse(old, new);
                Self::TermsWorsened(change, worse)
            }
            (_, Label::Disclosed { .. }) => Self::HostingDisclosed(change),
            (Label::Hosted { .. }, Label::Hosted { .. }) => Self::carried(change),
            (_, Label::Hosted { .. }) => Self::Consented(change),
        })
    }

    fn refused(change: Change, withdrawn: bool) -> Self {
        match change.old {
            Label::Unverified { .. } if !withdrawn => Self::VerifiedAgain(change),
            Label::Unknown
            | Label::EndToEnd
            | Label::Disclosed { .. }
            | Label::Hosted { .. }
            | Label::Refused { .. }
            | Label::Unverified { .. } => {
                if withdrawn {
                    Self::Withdrawn(change)
                } else {
                    Self::Refused(change)
                }
            }
        }
    }

    /// From hosted to hosted: by another disclosure, or by another consent.
    fn carried(change: Change) -> Self {
        match (change.old, change.new) {
            (Label::Hosted { consent: old, .. }, Label::Hosted { consent: new, .. }) if old != new => {
                Self::Consented(change)
            }
            _ => Self::ConsentCarriedOver(change),
        }
    }

    /// In what the new question is worse than what the user agreed to.
    fn worse(old: &LabelState, new: &LabelState) -> Worse {
        let Some((terms, _)) = new.subject() else { return Worse::NOTHING };
        let agreed = old.ruling(&terms.operator.key).map(|ruling| &ruling.terms);
        let agreed = agreed.or_else(|| old.subject().map(|(terms, _)| terms));
        agreed.map_or(Worse::NOTHING, |agreed| terms.worse_than(agreed))
    }
}
