//! The label of the conversation, and the user's decisions about it (docs/spec/hosting.md, section 11, and
//! docs/spec/conversations.md, section 12.9).
//!
//! How a label follows from evidence is in `hosting`; this file gathers the evidence and sends the decisions.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::frame::Kind;
use super::{Conversation, DeviceAddress, Event, Side};
use crate::account::Account;
use crate::hosting::{
    DecideError, Decision, DecisionError, DecisionReceipt, Disclosure, LabelEvent, LabelState, SharedDecision,
    Transition, VerifiedDisclosure,
};
use bisik_core::blocks::Place;
use bisik_core::time::Timestamp;

impl Conversation {
    /// Returns the label, with everything that it follows from.
    #[must_use]
    pub const fn label(&self) -> &LabelState {
        &self.label
    }

    /// Evaluates the devices of both accounts and the disclosures that the server has for them, and returns an event if
    /// the label has changed. The inbox has [`Event::LabelChanged`] for it too. [`Conversation::new`] and [`Conversation::accept_devices`] do this too; call it for
    /// disclosures that arrived later, after the own account's list has changed, and when time has passed. Requirement
    /// P-12.57.
    pub fn observe(&mut self, account: &Account, disclosures: &[Disclosure], now: Timestamp) -> Option<LabelEvent> {
        let transition = self.label.observe_lists(account.devices(), &self.peer, disclosures, now);
        let event = self.apply_transition(transition);
        if self.reconcile(account) {
            self.touch();
        }
        event
    }

    fn apply_transition(&mut self, transition: Transition) -> Option<LabelEvent> {
        // Sessions with a device that has left go with its list entry; those under an older disclosure are retired.
        let Transition { state, event, closed: _ } = transition;
        if self.label != state {
            self.label = state;
            self.place = Place::default();
            self.touch();
        }
        if event.is_some() {
            self.tell(Event::LabelChanged);
        }
        event
    }

    /// Records that the user agrees to the disclosure that was `shown`. The decision goes to the hosted device and to
    /// the user's other devices with the next [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`DecideError`]. On error the state is unchanged.
    pub fn consent(
        &mut self,
        account: &Account,
        shown: &Disclosure,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<LabelEvent>, DecideError> {
        let decided = self.label.consent(shown.hash(), account.key(), account.identity(), now)?;
        Ok(self.decided(account, shown, decided, now, &mut rng))
    }

    /// Records that the user refuses the disclosure that was `shown`. Arguments and result as for
    /// [`consent`](Self::consent).
    ///
    /// # Errors
    ///
    /// [`DecideError`]. On error the state is unchanged.
    pub fn refuse(
        &mut self,
        account: &Account,
        shown: &Disclosure,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<LabelEvent>, DecideError> {
        let decided = self.label.refuse(shown.hash(), account.key(), account.identity(), now)?;
        Ok(self.decided(account, shown, decided, now, &mut rng))
    }

    /// Records that the user withdraws consent to `agreed`. Arguments and result as for [`consent`](Self::consent).
    ///
    /// # Errors
    ///
    /// [`DecideError`]. On error the state is unchanged.
    pub fn withdraw(
        &mut self,
        account: &Account,
        agreed: &Disclosure,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<LabelEvent>, DecideError> {
        let decided = self.label.withdraw(agreed.hash(), account.key(), account.identity(), now)?;
        Ok(self.decided(account, agreed, decided, now, &mut rng))
    }

    fn decided(
        &mut self,
        account: &Account,
        disclosure: &Disclosure,
        (transition, decision): (Transition, Decision),
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Option<LabelEvent> {
        let event = self.apply_transition(transition);
        let (bytes, disclosure) = (decision.to_bytes(), disclosure.clone());
        let hosted = self.peer.find(disclosure.device()).map(|entry| DeviceAddress::peer(entry.index()));
        let shared = SharedDecision { decision, disclosure }.to_bytes();
        let own: Vec<_> = self.devices(account).filter(|(to, _)| to.side == Side::Own).map(|(to, _)| to).collect();
        self.touch();
        // To tell somebody what was decided is to write to it.
        self.accept_contact();
        self.keep(account, (Kind::Decision, &shared), &own, now, rng);
        if let Some(hosted) = hosted {
            self.keep(account, (Kind::Decision, &bytes), &[hosted], now, rng);
        }
        event
    }

    /// Countersigns, on a hosted device, a user's decision ([`Received::Decision`](super::Received::Decision)). The
    /// receipt goes to the user with the next [`flush`](Self::flush); keep it too.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if the decision is not this peer's about this device. On error the state is unchanged.
    pub fn countersign(
        &mut self,
        account: &Account,
        from: DeviceAddress,
        decision: &Decision,
        disclosure: &VerifiedDisclosure,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<DecisionReceipt, DecisionError> {
        let receipt = decision.clone().acknowledge(&self.peer, disclosure, account.identity(), now)?;
        self.touch();
        self.accept_contact();
        // The caller says which device it is.
        self.reconciled = None;
        self.keep(account, (Kind::DecisionReceipt, &receipt.to_bytes()), &[from], now, &mut rng);
        Ok(receipt)
    }

    /// What another of one's own devices has decided. The caller counts the change.
    pub(super) fn adopt(
        &mut self,
        account: &Account,
        from: DeviceAddress,
        shared: &crate::device::FromOwnDevice<SharedDecision>,
        now: Timestamp,
    ) {
        match self.label.adopt(shared, account.devices(), now) {
            Ok(transition) => drop(self.apply_transition(transition)),
            Err(_) => self.tell(Event::DecisionNotAdopted { device: from }),
        }
    }
}
