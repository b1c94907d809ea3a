//! [`Permit`]: what may be sent to whom, now (docs/spec/hosting.md, section 11.4).
//!
//! There is no state, feature or flag under which a message is sent unencrypted.

use super::label::{Label, LabelState, Unverified};
use crate::device::DeviceEntry;
use crate::keys::IdentityKey;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// Permission to send in a conversation at this moment. It borrows the state that it follows from, and cannot outlive it.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a> {
    state: &'a LabelState,
}

impl LabelState {
    /// Permits sending if the label is end-to-end, hosted with consent, or hosted on the user's own side, and its evidence
    /// has not expired. P-11.16.
    ///
    /// # Errors
    ///
    /// [`Blocked`], with the reason. Keep queued messages until sending is permitted.
    pub fn permit(&self, now: Timestamp) -> Result<Permit<'_>, Blocked> {
        match self.label {
            Label::Unknown => Err(Blocked::Unknown),
            Label::Disclosed { disclosure } => Err(Blocked::ConsentNeeded(disclosure)),
            Label::Refused { disclosure } => Err(Blocked::Refused(disclosure)),
            Label::Unverified { why } => Err(Blocked::Unverified(why)),
            Label::EndToEnd { .. } | Label::OwnHosted { .. } | Label::Hosted { .. } if self.is_stale(now) => {
                Err(Blocked::Expired)
            }
            Label::EndToEnd { .. } | Label::OwnHosted { .. } => Ok(Permit { state: self }),
            // P-11.27: not with consent that is dated ahead of the clock.
            Label::Hosted { .. } => match self.label(now) {
                Label::Hosted { .. } => Ok(Permit { state: self }),
                Label::Disclosed { disclosure } => Err(Blocked::ConsentNeeded(disclosure)),
                Label::Refused { disclosure } => Err(Blocked::Refused(disclosure)),
                Label::Unverified { why } => Err(Blocked::Unverified(why)),
                Label::Unknown | Label::EndToEnd { .. } | Label::OwnHosted { .. } => Err(Blocked::Unknown),
            },
        }
    }
}

impl LabelState {
    /// Whether what is sent under this label may go to a device of the peer's list, which is hosted. P-11.14, P-15.5, P-16.3.
    pub(crate) fn lets_read(&self, entry: &DeviceEntry, now: Timestamp) -> bool {
        self.permit(now).is_ok_and(|permit| permit.allows(entry.identity(), entry.terms().disclosure()))
    }
}

impl Permit<'_> {
    /// Whether a message may go to `device`, one of the account's, in a session that was set up under `disclosure`. To a
    /// hosted device it may go only under the disclosure in force, to any other only under none. P-11.17.
    #[must_use]
    pub fn allows(&self, device: &IdentityKey, disclosure: Option<DisclosureHash>) -> bool {
        match self.state.seen.iter().find(|seen| seen.device == *device) {
            Some(seen) => seen.in_force && Some(seen.hash) == disclosure,
            None => disclosure.is_none(),
        }
    }
}

/// Why nothing may be sent now. Keep queued messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocked {
    /// No device list of the peer was observed yet.
    Unknown,
    /// The user has to agree to this disclosure first.
    ConsentNeeded(DisclosureHash),
    /// The user refused this disclosure, or withdrew consent to it.
    Refused(DisclosureHash),
    /// It is not known who would read.
    Unverified(Unverified),
    /// The device list or a disclosure has expired: fetch and observe newer ones.
    Expired,
}

bisik_core::error_texts! {
    Blocked {
        Unknown => "hosting.blocked.unknown", "no device list was observed yet";
        ConsentNeeded => "hosting.blocked.consent_needed", "the user has not agreed to the disclosure";
        Refused => "hosting.blocked.refused", "the user refused the disclosure";
        Unverified => "hosting.blocked.unverified", "it is not known who would read";
        Expired => "hosting.blocked.expired", "the device list or a disclosure has expired";
    }
}
