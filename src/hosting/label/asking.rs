//! When a business that was refused may ask again (docs/spec/hosting.md, section 11.11).
//!
//! A refusal is about what an operator would do, not about its name or key. It stays until the user agrees, whatever
//! becomes of the operator's devices. The user may change his mind at any time; the business may only ask for less.

use alloc::vec::Vec;

use super::seen::{ConsentStatus, RecordedDecision, SeenDevice};
use super::state::LabelState;
use crate::hosting::disclosure::HostingTerms;
use bisik_core::time::Timestamp;

impl LabelState {
    /// Seconds for which a business does not ask again after a refusal, or after it has asked again.
    pub const QUIET: u64 = 30 * 24 * 60 * 60;

    /// Whether the user has agreed to a device's terms, is asked about them, or has refused them. P-11.13, P-11.26.
    pub(in crate::hosting) fn status_of(&self, device: &SeenDevice) -> ConsentStatus {
        let decision = self.decision_about(&device.terms.operator.key);
        if decision.is_some_and(|decision| decision.agrees_to(&device.terms)) {
            return ConsentStatus::Agreed;
        }
        if self.refusals().next().is_none() || (device.asked && self.asks_for_less(&device.terms)) {
            ConsentStatus::Ask
        } else {
            ConsentStatus::Refused
        }
    }

    /// The refusals and withdrawals that the user has not replaced by consent.
    fn refusals(&self) -> impl Iterator<Item = &RecordedDecision> {
        self.decisions.iter().filter(|decision| decision.choice.is_strict())
    }

    /// Whether terms are better in kind than all that was refused.
    fn asks_for_less(&self, terms: &HostingTerms) -> bool {
        self.refusals().all(|refusal| terms.is_better_in_kind_than(&refusal.terms))
    }

    /// The refusal because of which a device's terms are refused: that of its own operator, else the latest.
    pub(in crate::hosting) fn refusal_of(&self, terms: &HostingTerms) -> Option<&RecordedDecision> {
        let own = self.refusals().find(|refusal| refusal.terms.operator.key == terms.operator.key);
        own.or_else(|| self.refusals().max_by_key(|refusal| (refusal.decided, *refusal.disclosure.as_bytes())))
    }

    /// Lets the business ask again about all devices in force whose terms are better in kind than what was refused, if 30
    /// days have passed since the last refusal and since it last asked again. P-11.26.
    pub(in crate::hosting) fn let_ask_again(&mut self, now: Timestamp) {
        let Some(refused) = self.refusals().map(|refusal| refusal.decided).max() else { return };
        let last = self.asked.map_or(refused, |asked| asked.max(refused));
        if now < last.plus_seconds(Self::QUIET) {
            return;
        }
        let may_ask = |device: &SeenDevice| device.in_force && !device.asked && self.asks_for_less(&device.terms);
        let devices: Vec<_> = self.seen.iter().filter(|device| may_ask(device)).map(|device| device.device).collect();
        if devices.is_empty() {
            return;
        }
        self.asked = Some(now);
        self.seen.iter_mut().filter(|seen| devices.contains(&seen.device)).for_each(|seen| seen.asked = true);
    }
}
