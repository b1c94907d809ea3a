//! [`Permit`]: what may be sent to whom, now.
//!
//! Does not encrypt, and knows no way to send that is not encrypted: there is no such state, feature or flag.

use super::error::Blocked;
use super::label::{Label, LabelState};
use crate::disclosure::DisclosureHash;
use crate::keys::IdentityKey;
use crate::time::Timestamp;

/// Leave to send in a conversation at this moment. It borrows the state that it follows from, so it does not outlive it.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a> {
    state: &'a LabelState,
}

impl LabelState {
    /// P-11.17. Leave to send: the label is end-to-end, or hosted with consent, and what it follows from has not expired.
    ///
    /// # Errors
    ///
    /// [`Blocked`], with the reason. What is queued waits.
    pub fn permit(&self, now: Timestamp) -> Result<Permit<'_>, Blocked> {
        match self.label {
            Label::Unknown => Err(Blocked::Unknown),
            Label::Disclosed { disclosure } => Err(Blocked::ConsentNeeded(disclosure)),
            Label::Refused { disclosure } => Err(Blocked::Refused(disclosure)),
            Label::Unverified { why } => Err(Blocked::Unverified(why)),
            Label::EndToEnd | Label::Hosted { .. } if self.is_stale(now) => Err(Blocked::Expired),
            Label::EndToEnd | Label::Hosted { .. } => Ok(Permit { state: self }),
        }
    }
}

impl Permit<'_> {
    /// P-11.18. Whether a message may go to this device of the account in a session that was set up under `disclosure`: to a hosted
    /// one only under the disclosure in force, to another only under none.
    #[must_use]
    pub fn allows(&self, device: &IdentityKey, disclosure: Option<DisclosureHash>) -> bool {
        match self.state.standings.iter().find(|standing| standing.endpoint == *device) {
            Some(standing) => standing.in_force && Some(standing.hash) == disclosure,
            None => disclosure.is_none(),
        }
    }
}
