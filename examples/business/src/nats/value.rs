//! The value under a conversation's key: its record, and the results of its messages.

use serde::{Deserialize, Serialize};

use crate::engine::{Row, Sent, Step};

/// The value under a conversation's key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Value {
    pub(super) record: Vec<u8>,
    pub(super) effects: Vec<Effect>,
}

impl Value {
    /// Returns the value after a step, and the earlier results for which there is no room. There is no room only if a
    /// customer confirms nothing.
    pub(super) fn after(mut kept: Vec<Effect>, step: &Step) -> (Self, Vec<Effect>) {
        kept.retain_mut(|effect| !effect.is_settled_by(&step.confirmed));
        let new = Effect::of(step);
        let mut room = MOST.saturating_sub(step.record.bytes.len() + new.size());
        let fits = kept.iter().rev().take(KEPT).take_while(|effect| {
            let left = room.checked_sub(effect.size());
            room = left.unwrap_or_default();
            left.is_some()
        });
        let mut effects = kept.split_off(kept.len() - fits.count());
        if !new.is_empty() {
            effects.push(new);
        }
        (Self { record: step.record.bytes.clone(), effects }, kept)
    }
}

/// The results of some messages, until the customer has confirmed them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Effect {
    pub(super) rows: Vec<Row>,
    pub(super) sent: Vec<Sent>,
    pub(super) owed: Vec<Sent>,
}

impl Effect {
    fn is_empty(&self) -> bool {
        let Self { rows, sent, owed } = self;
        rows.is_empty() && sent.is_empty() && owed.is_empty()
    }

    /// Adds the results of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        let Self { rows, sent, owed } = other;
        self.rows.extend_from_slice(rows);
        self.sent.extend_from_slice(sent);
        self.owed.extend_from_slice(owed);
    }

    /// Returns the results of a step.
    pub(super) fn of(step: &Step) -> Self {
        Self { rows: step.rows.clone(), sent: step.outgoing.clone(), owed: step.owed.clone() }
    }

    /// Drops what the customer has confirmed, and returns whether nothing is left. An envelope that was sent implies
    /// that all rows were written, but nothing about the envelopes beside it.
    fn is_settled_by(&mut self, confirmed: &[[u8; 16]]) -> bool {
        let before = self.sent.len();
        self.sent.retain(|sent| !confirmed.contains(&sent.mail.id));
        self.sent.len() < before && self.sent.is_empty()
    }

    /// Returns the approximate size of the results in a value, in bytes.
    fn size(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.text.len() + OVERHEAD);
        rows.chain(self.sent.iter().chain(&self.owed).map(|sent| sent.mail.bytes.len() + OVERHEAD)).sum()
    }
}

/// Results that are kept for a conversation.
const KEPT: usize = 8;
/// Bytes of a value including its earlier results: half of what servers accept by default.
const MOST: usize = 512 * 1_024;
/// Bytes of names and lengths for a row or an envelope.
const OVERHEAD: usize = 64;
