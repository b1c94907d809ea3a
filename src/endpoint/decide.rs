//! The user decides: consent, refusal, withdrawal, here or on another device of the user's (docs/protocol.md, section 11.5).
//!
//! Does not ask: it takes an answer only to what [`LabelState::question`] asks now.

use alloc::vec::Vec;

use super::consent::{Choice, Decision, SharedDecision};
use super::error::{DecideError, DecisionError, DisclosureError};
use super::label::{Label, LabelState, Transition, Unverified};
use super::standing::Standing;
use super::terms::HostingTerms;
use crate::device::{AccountKey, FromOwnDevice};
use crate::disclosure::DisclosureHash;
use crate::keys::{Identity, IdentityKey};
use crate::time::Timestamp;

impl LabelState {
    /// P-11.15, P-11.16. The user agrees to what was `shown`: the decision to send to the endpoint and to share with the user's devices.
    ///
    /// # Errors
    ///
    /// [`DecideError::NothingToDecide`], [`DecideError::NotShown`] where [`question`](Self::question) is another by now, or
    /// [`DecideError::Expired`].
    pub fn consent(
        &self,
        shown: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let terms = self.asked(shown)?.clone();
        if self.is_stale(now) {
            return Err(DecideError::Expired);
        }
        Ok(self.decide(Choice::Consent, shown, &terms, own, device, now))
    }

    /// The user refuses what was `shown`.
    ///
    /// # Errors
    ///
    /// As [`consent`](Self::consent); what has expired can be refused.
    pub fn refuse(
        &self,
        shown: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let terms = self.asked(shown)?.clone();
        Ok(self.decide(Choice::Refusal, shown, &terms, own, device, now))
    }

    /// The user takes back consent to `agreed`, whatever the label is.
    ///
    /// # Errors
    ///
    /// [`DecideError::NothingToDecide`] where there is no such consent.
    pub fn withdraw(
        &self,
        agreed: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let found = self.rulings.iter().find(|ruling| ruling.disclosure == agreed && !ruling.choice.is_strict());
        let terms = found.ok_or(DecideError::NothingToDecide)?.terms.clone();
        Ok(self.decide(Choice::Withdrawal, agreed, &terms, own, device, now))
    }

    /// The terms that were shown, if they are what is asked.
    fn asked(&self, shown: DisclosureHash) -> Result<&HostingTerms, DecideError> {
        let (asked, terms) = self.question().ok_or(DecideError::NothingToDecide)?;
        if asked == shown { Ok(terms) } else { Err(DecideError::NotShown) }
    }

    fn decide(
        &self,
        choice: Choice,
        disclosure: DisclosureHash,
        terms: &HostingTerms,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> (Transition, Decision) {
        let known = self.ruling(&terms.operator.key);
        // A change of mind towards sending begins a round: only that can take precedence over what is stricter.
        let reconsidered = known.is_some_and(|known| known.choice.is_strict()) && choice == Choice::Consent;
        let round = known.map_or(0, |known| known.round).saturating_add(u32::from(reconsidered));
        // Later than what it replaces, whatever the clock says.
        let after = known.map(|known| known.decided).max(self.lapsed);
        let decided = after.map_or(now, |after| now.max(after.plus_seconds(1)));
        let decision = Decision::sign(choice, own, device, &self.account, disclosure, (round, decided));
        let mut next = self.clone();
        next.rule(decision.ruling(terms));
        match self.label {
            Label::Unknown => {}
            // Refused now; but what the label was not verified by must not carry it any further.
            Label::Unverified { .. } => {
                next.label = Label::Refused { disclosure };
                next.valid_until = None;
            }
            Label::EndToEnd | Label::Disclosed { .. } | Label::Hosted { .. } | Label::Refused { .. } => {
                next.settle(now);
            }
        }
        (self.transition(next, Vec::new(), now), decision)
    }

    /// P-11.16. Takes over what the user decided on another device; one that an operator runs decides nothing. Of two decisions about one operator the later round
    /// counts, then the stricter, then the later: the same on every device.
    ///
    /// A disclosure that contradicts one that is known here shows that the account tells the user's devices different things:
    /// the label becomes [`Label::Unverified`], and stays so until the account says something newer.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] where the decision is not the user's about this account, or the disclosure not the account's. Nothing changes then.
    pub fn adopt(
        &self,
        shared: &FromOwnDevice<SharedDecision>,
        own: &AccountKey,
        now: Timestamp,
    ) -> Result<Transition, DecisionError> {
        if !shared.sender().custody().is_own_held() {
            return Err(DecisionError::OtherDevice);
        }
        let SharedDecision { decision, disclosure } = shared.payload();
        if *disclosure.account() != self.account {
            return Err(DecisionError::OtherAccount);
        }
        let verified = disclosure.clone().verify_origin(&self.account).map_err(|_| DecisionError::BadSignature)?;
        decision.verify(own, &verified, now)?;
        let mut next = self.clone();
        match self.known(disclosure.endpoint()).map(|known| known.allows(&verified)) {
            Some(Err(error @ (DisclosureError::Forked | DisclosureError::KeyReused))) => {
                next.mark_forked(disclosure.endpoint());
                next.label = Label::Unverified { why: Unverified::Disclosure(error) };
                return Ok(self.transition(next, Vec::new(), now));
            }
            // An older or a newer one than here: the device list says which is in force.
            Some(_) => {}
            None => next.remember(Standing::new(&verified).absent(now)),
        }
        if Some(decision.decided()) > self.lapsed {
            next.rule(decision.ruling(disclosure.terms()));
        }
        if self.has_expired(now) {
            next.label = Label::Unverified { why: Unverified::Expired };
        } else if self.is_settled() {
            next.settle(now);
        }
        Ok(self.transition(next, Vec::new(), now))
    }

    fn mark_forked(&mut self, endpoint: &IdentityKey) {
        self.standings.iter_mut().filter(|known| known.endpoint == *endpoint).for_each(|known| known.forked = true);
    }
}
