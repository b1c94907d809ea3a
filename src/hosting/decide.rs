//! What a user's decision does to the label, made here or on another own device (docs/spec/hosting.md, section 11.5).
//!
//! An answer is accepted only to the question that [`LabelState::question`] asks now.

use alloc::vec::Vec;

use super::consent::{Choice, DecideError, Decision, DecisionError, SharedDecision};
use super::disclosure::{DisclosureError, HostingTerms};
use super::encoding::CLOCK_SKEW;
use super::label::{Label, LabelState, RecordedDecision, SeenDevice, Transition, Unverified};
use crate::device::{AccountKey, DeviceDirectory, FromOwnDevice};
use crate::keys::{Identity, IdentityKey};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

impl LabelState {
    /// The user agrees to the disclosure that was `shown`. Returns the new state, and the decision to send to the hosted device
    /// and to share with the user's own devices. `own` is the user's account, `device` the identity of this device, which
    /// signs. P-11.15, P-11.18.
    ///
    /// # Errors
    ///
    /// [`DecideError::NothingToDecide`], [`DecideError::NotShown`] if [`question`](Self::question) has changed,
    /// [`DecideError::Expired`], or [`DecideError::TooManyRounds`].
    pub fn consent(
        &self,
        shown: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let terms = self.terms_in_question(shown)?.clone();
        if self.is_stale(now) {
            return Err(DecideError::Expired);
        }
        self.decide(Choice::Consent, (shown, &terms), own, device, now)
    }

    /// The user refuses the disclosure that was `shown`. Arguments and result as for [`consent`](Self::consent).
    ///
    /// # Errors
    ///
    /// [`DecideError::NothingToDecide`] or [`DecideError::NotShown`]. An expired disclosure can be refused.
    pub fn refuse(
        &self,
        shown: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let terms = self.terms_in_question(shown)?.clone();
        self.decide(Choice::Refusal, (shown, &terms), own, device, now)
    }

    /// The user withdraws consent to the disclosure `agreed`, under any label. Arguments and result as for
    /// [`consent`](Self::consent).
    ///
    /// # Errors
    ///
    /// [`DecideError::NothingToDecide`] if there is no such consent.
    pub fn withdraw(
        &self,
        agreed: DisclosureHash,
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let found = self.decisions.iter().find(|known| known.disclosure == agreed && !known.choice.is_strict());
        let terms = found.ok_or(DecideError::NothingToDecide)?.terms.clone();
        self.decide(Choice::Withdrawal, (agreed, &terms), own, device, now)
    }

    /// The terms that were shown, if the user is still asked about them.
    fn terms_in_question(&self, shown: DisclosureHash) -> Result<&HostingTerms, DecideError> {
        let (asked, terms) = self.question().ok_or(DecideError::NothingToDecide)?;
        if asked == shown { Ok(terms) } else { Err(DecideError::NotShown) }
    }

    fn decide(
        &self,
        choice: Choice,
        (disclosure, terms): (DisclosureHash, &HostingTerms),
        own: &AccountKey,
        device: &Identity,
        now: Timestamp,
    ) -> Result<(Transition, Decision), DecideError> {
        let known = self.decision_about(&terms.operator.key);
        let (decided, new_round) = self.date(choice, known, now);
        let round = known.map_or(0, |known| known.round);
        let round = round.checked_add(u32::from(new_round)).ok_or(DecideError::TooManyRounds)?;
        let decision = Decision::sign(choice, own, device, &self.account, disclosure, (round, decided));
        let mut next = self.clone();
        next.record_decision(to_record(&decision, terms));
        match self.label {
            Label::Unknown => {}
            // The decision shows at once, but with no validity: the devices are still not verified.
            Label::Unverified { .. } => {
                next.label = Label::Refused { disclosure };
                next.valid_until = None;
            }
            Label::EndToEnd { .. }
            | Label::OwnHosted { .. }
            | Label::Disclosed { .. }
            | Label::Hosted { .. }
            | Label::Refused { .. } => next.update_label(now),
        }
        Ok((self.transition(next, Vec::new(), now), decision))
    }

    /// When a decision is dated, and whether it begins a round. P-11.18, P-11.27.
    ///
    /// Consent after a refusal begins a round: nothing else takes precedence over the stricter decision. A decision is dated
    /// later than the one it replaces, even if the clock was set back; but consent that would then be dated more than a day
    /// ahead is dated by the clock, and begins a round instead. Others would refuse it otherwise.
    fn date(&self, choice: Choice, known: Option<&RecordedDecision>, now: Timestamp) -> (Timestamp, bool) {
        let after_lapse = self.lapsed_by(now).map_or(now, |lapsed| now.max(lapsed.plus_seconds(1)));
        let after_known = known.map_or(after_lapse, |known| after_lapse.max(known.decided.plus_seconds(1)));
        if choice.is_strict() {
            return (after_known, false);
        }
        let reconsidered = known.is_some_and(|known| known.choice.is_strict());
        if after_known > now.plus_seconds(CLOCK_SKEW) { (after_lapse, true) } else { (after_known, reconsidered) }
    }

    /// Adopts what the user decided on another own device. Of two decisions about one operator the later round counts, then the
    /// stricter one, then the later one, so that all devices agree. P-11.18.
    ///
    /// If the disclosure contradicts a known one, the peer's account shows different disclosures to different devices of the
    /// user. The label becomes [`Label::Unverified`], and stays so until the account publishes a newer disclosure.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if a hosted device shared the decision, if it is not this user's about this account, made on a device
    /// in `own`, the user's device list, or if the disclosure does not belong to the account. On error the state is unchanged.
    pub fn adopt(
        &self,
        shared: &FromOwnDevice<SharedDecision>,
        own: &DeviceDirectory,
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
        next.drop_early_consents(now);
        // P-11.27: no date, and nothing that the account does, makes a refusal void.
        let strict = decision.choice().is_strict();
        if strict {
            next.record_decision(to_record(decision, disclosure.terms()));
        }
        match self.known(disclosure.device()).map(|known| known.check_successor(&verified)) {
            Some(Err(error @ (DisclosureError::Forked | DisclosureError::KeyReused))) => {
                next.mark_forked(disclosure.device());
                next.label = Label::Unverified { why: Unverified::Disclosure(error) };
                return Ok(self.transition(next, Vec::new(), now));
            }
            // It is older or newer than the known one. The device list shows which is in force.
            Some(_) => {}
            None => next.remember(SeenDevice::new(&verified).absent(now)),
        }
        if !strict && Some(decision.decided()) > self.lapsed_by(now) {
            next.record_decision(to_record(decision, disclosure.terms()));
        }
        if self.has_expired(now) {
            next.label = Label::Unverified { why: Unverified::Expired };
        } else if self.is_verified() {
            next.update_label(now);
        }
        Ok(self.transition(next, Vec::new(), now))
    }

    fn mark_forked(&mut self, device: &IdentityKey) {
        self.seen.iter_mut().filter(|known| known.device == *device).for_each(|known| known.forked = true);
    }
}

/// Converts a decision to what the label remembers of it.
fn to_record(decision: &Decision, terms: &HostingTerms) -> RecordedDecision {
    RecordedDecision {
        choice: decision.choice(),
        disclosure: decision.disclosure(),
        terms: terms.clone(),
        round: decision.round(),
        decided: decision.decided(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Custody;
    use crate::hosting::disclosure::{Operator, OperatorName, Purposes, Retention, Roles};
    use alloc::vec;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    /// P-11.18. A consent without a round of its own would not take precedence: it is refused instead of signed.
    #[test]
    fn no_consent_is_signed_when_no_round_is_left() {
        let [business, customer, operator, device] = [(); 4].map(|()| Identity::generate(&mut rand::rng()));
        let terms = HostingTerms {
            custody: Custody::Vendor,
            operator: Operator { name: OperatorName::new("Awan").unwrap(), key: *operator.public() },
            roles: Roles::READ,
            retention: Retention::NO_STORAGE,
            purposes: Purposes::NONE,
        };
        let disclosure = DisclosureHash::from_bytes([7; 32]).unwrap();
        let refused = |round| LabelState {
            label: Label::Refused { disclosure },
            valid_until: Some(NOW.plus_seconds(86_400)),
            seen: vec![SeenDevice {
                device: *device.public(),
                sequence: 1,
                hash: disclosure,
                terms: terms.clone(),
                in_force: true,
                forked: false,
                left: None,
                asked: false,
            }],
            decisions: vec![RecordedDecision {
                choice: Choice::Refusal,
                disclosure,
                terms: terms.clone(),
                round,
                decided: NOW,
            }],
            ..LabelState::new(AccountKey::of(&business))
        };
        let own = AccountKey::of(&customer);
        let (last, none) = (refused(u32::MAX - 1), refused(u32::MAX));
        let (agreed, _) = last.consent(disclosure, &own, &customer, NOW).unwrap();
        assert_eq!(agreed.state.label(NOW), Label::Hosted { disclosure, consent: disclosure });
        assert_eq!(none.consent(disclosure, &own, &customer, NOW).err(), Some(DecideError::TooManyRounds));
        let (still, _) = none.refuse(disclosure, &own, &customer, NOW).unwrap();
        assert_eq!(still.state.label(NOW), Label::Refused { disclosure });
    }
}
