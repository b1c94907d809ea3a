//! Who gets keys and messages ([section 13.5](crate::manual::spec::groups#135-members)).
//!
//! A [`Membership`] is asked, and not its [`State`](super::State): while the group is read-only, or the newest floor is
//! missing, nobody gets any. P-13.4, P-13.15.

use super::{AdmittedEndpoint, Membership};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

impl Membership {
    /// Returns the accounts to whose devices keys and messages go, ascending: members that nothing suspends. Leave out
    /// devices that are barred: see [`may_receive`](Self::may_receive).
    ///
    /// There are none while the group is read-only because of its owner's [two logs](Self::evidence), and while the newest
    /// floor is [missing](super::Wanted::Floor).
    pub fn receivers(&self) -> impl Iterator<Item = &AccountKey> {
        let gives = self.gives_keys();
        self.state.receivers().filter(move |_| gives)
    }

    /// Returns whether keys and messages go to a device, if it is in the newest list of its account: the account is one of
    /// the [receivers](Self::receivers), and the owner has not barred the device.
    #[must_use]
    pub fn may_receive(&self, account: &AccountKey, device: &IdentityKey) -> bool {
        !self.state.is_barred(account, device) && self.receivers().any(|receiver| receiver == account)
    }

    /// Returns the hosted devices that may be given keys at this time: the owner has admitted them until later, their
    /// accounts are [receivers](Self::receivers), and nobody has retired them. There are none while there are no receivers.
    pub fn endpoints(&self, now: Timestamp) -> impl Iterator<Item = &AdmittedEndpoint> {
        let gives = self.gives_keys();
        self.state.endpoints.values().filter(move |admitted| gives && now < admitted.until)
    }

    fn gives_keys(&self) -> bool {
        self.evidence.is_none() && self.missing_floor().is_none()
    }
}
