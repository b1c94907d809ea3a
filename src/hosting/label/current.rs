//! The label at some time: no label outlives its evidence, and no consent counts that the clock has not reached
//! (docs/spec/hosting.md, sections 11.12 and 11.13).

use super::state::LabelState;
use super::{Label, Unverified};
use crate::hosting::encoding::CLOCK_SKEW;
use bisik_core::time::Timestamp;

impl LabelState {
    /// The label at `now`: [`Label::Unverified`] with [`Unverified::Expired`] once its evidence has expired, even if no
    /// operation has noticed it. P-11.29.
    #[must_use]
    pub fn label(&self, now: Timestamp) -> Label {
        // A refusal that was made without evidence needs none.
        if self.valid_until.is_some() && self.has_expired(now) {
            return Label::Unverified { why: Unverified::Expired };
        }
        if !self.is_verified() || self.decisions.iter().all(|decision| !decision.is_early(now)) {
            return self.label;
        }
        let mut next = self.clone();
        next.drop_early_consents(now);
        next.label_in_force()
    }

    /// The label as the last operation left it, for display in a program's records.
    pub(crate) const fn last_label(&self) -> Label {
        self.label
    }

    /// Whether the label follows from evidence.
    pub(in crate::hosting) const fn is_verified(&self) -> bool {
        !matches!(self.label, Label::Unknown | Label::Unverified { .. })
    }

    /// Whether the evidence for the label has expired.
    pub(in crate::hosting) fn has_expired(&self, now: Timestamp) -> bool {
        self.is_verified() && self.is_stale(now)
    }

    /// Whether there is no evidence that is valid at `now`.
    pub(in crate::hosting) fn is_stale(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now >= until)
    }

    /// Forgets consent that is dated more than a day ahead: other devices refuse it, so the user is asked again. Refusals
    /// and withdrawals stay, whatever their date. P-11.27.
    pub(in crate::hosting) fn drop_early_consents(&mut self, now: Timestamp) {
        self.decisions.retain(|decision| !decision.is_early(now));
    }

    /// The time at or before which consent no longer applies: when hosting last ended, but never later than now, since a
    /// clock that ran ahead must not make decisions void. P-11.27.
    pub(in crate::hosting) fn lapsed_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.lapsed.map(|lapsed| lapsed.min(now))
    }
}

impl super::RecordedDecision {
    /// Whether it is consent dated more than a day after `now`.
    fn is_early(&self, now: Timestamp) -> bool {
        !self.choice.is_strict() && self.decided > now.plus_seconds(CLOCK_SKEW)
    }
}
