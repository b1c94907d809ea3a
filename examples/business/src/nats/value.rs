//! What is kept under a conversation's key: its record, and what its messages have led to.
//!
//! Does not know how it is stored.

use serde::{Deserialize, Serialize};

use crate::engine::{Row, Sent, Step};

/// What is kept under a conversation's key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Value {
    pub(super) record: Vec<u8>,
    pub(super) effects: Vec<Effect>,
}

impl Value {
    /// The value after a step, from what was kept before it; and what there is no room for: of a customer who confirms nothing.
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

/// What some messages have led to, until the customer has confirmed it.
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

    /// Adds what another one has.
    pub(super) fn add(&mut self, other: &Self) {
        let Self { rows, sent, owed } = other;
        self.rows.extend_from_slice(rows);
        self.sent.extend_from_slice(sent);
        self.owed.extend_from_slice(owed);
    }

    /// What a step leads to.
    pub(super) fn of(step: &Step) -> Self {
        Self { rows: step.rows.clone(), sent: step.outgoing.clone(), owed: step.owed.clone() }
    }

    /// Forgets what the customer has confirmed; whether that was the last of it. An envelope that is there was sent after all
    /// rows were written, and says nothing of those beside it.
    fn is_settled_by(&mut self, confirmed: &[[u8; 16]]) -> bool {
        let before = self.sent.len();
        self.sent.retain(|sent| !confirmed.contains(&sent.mail.id));
        self.sent.len() < before && self.sent.is_empty()
    }

    /// About how many bytes it takes in a value.
    fn size(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.text.len() + OVERHEAD);
        rows.chain(self.sent.iter().chain(&self.owed).map(|sent| sent.mail.bytes.len() + OVERHEAD)).sum()
    }
}

/// Effects that are kept of a conversation.
const KEPT: usize = 8;
/// Bytes of a value with all that is kept of old: half of what servers take by default.
const MOST: usize = 512 * 1_024;
/// Names and lengths of a row or an envelope.
const OVERHEAD: usize = 64;
