//! [`LabelEvent`]: the change of a label that a user is shown. `notice` has the texts.

use super::Label;
use crate::hosting::disclosure::{HostingTerms, TermsDiff};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// A change of a label. Applications must show it to the user ([section 11.4](crate::manual::spec::hosting#114-label)).
///
/// The enum is exhaustive on purpose: an application that shows events does not compile until it handles every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "show this to the user: the conversation's label has changed"]
pub enum LabelEvent {
    /// The label was unknown and is now end-to-end.
    Verified(LabelChange),
    /// The label is still end-to-end, but the peer's devices are in other hands than before, or a program answers now, or no
    /// longer.
    DevicesChanged(LabelChange),
    /// The user's own account has a hosted device, or another disclosure than before. The peer has none.
    OwnHosting(LabelChange),
    /// The label was disclosed, hosted or refused, or the user's own account had a hosted device, and it is now end-to-end: no operator reads any longer.
    HostingEnded(LabelChange),
    /// The label was unverified and is again end-to-end, hosted or refused.
    VerifiedAgain(LabelChange),
    /// An operator would read: the user has to decide. Until then no message is sent.
    HostingDisclosed(LabelChange),
    /// The question has changed before the user answered.
    DisclosureChanged(LabelChange),
    /// The terms are worse than those the user agreed to, or the operator is another: the user has to decide again.
    TermsWorsened(LabelChange, TermsDiff),
    /// The user agreed, here or on another own device.
    Consented(LabelChange),
    /// The terms have changed, and the user's consent covers them: there is nothing to decide.
    ConsentCarriedOver(LabelChange),
    /// The user refused, here or on another own device.
    Refused(LabelChange),
    /// The user withdrew consent, here or on another own device.
    Withdrawn(LabelChange),
    /// It is not known who would read. No message is sent.
    Unverified(LabelChange),
}

/// What all events have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// When the change was noticed.
    pub at: Timestamp,
    /// The label before, as the last event told it. Evidence that expired and was renewed before an operation noticed made
    /// no event.
    pub old: Label,
    /// The label from now on.
    pub new: Label,
    /// The operator that would read, reads, or no longer reads, and on what terms.
    pub terms: Option<HostingTerms>,
    /// Its disclosure; `None` if there was none.
    pub disclosure: Option<DisclosureHash>,
}

impl LabelEvent {
    /// The change.
    #[must_use]
    pub const fn change(&self) -> &LabelChange {
        match self {
            Self::Verified(change)
            | Self::DevicesChanged(change)
            | Self::OwnHosting(change)
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
}
