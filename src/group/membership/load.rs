//! [`Load`]: how much room acts take ([section 13.6](crate::manual::spec::groups#136-bounds-and-floors)).

use alloc::collections::BTreeMap;

use super::act::Act;
use super::limits::{ACT_BYTES, ACTS, ACTS_OF_A_DEVICE, JOINS, OTHER_ACT_BYTES};
use crate::keys::IdentityKey;

/// How much room the acts take that are held. P-13.16.
///
/// Acts by right are counted apart from the others: nobody who joins by a link keeps an admin from closing it, and no admin
/// keeps a member from leaving.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    /// Acts by right.
    rightful: Share,
    /// How many acts by right each device has made.
    by_device: BTreeMap<IdentityKey, usize>,
    others: Share,
    /// Of the others, joins: whoever has a link makes as many as he makes accounts.
    joins: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Share {
    acts: usize,
    bytes: usize,
}

impl Load {
    /// Whether there is room for an act.
    pub(super) fn takes(&self, act: &Act) -> bool {
        if !act.needs_a_right() {
            let joins = act.joins_by().is_none() || self.joins < JOINS;
            return joins && self.others.with(act).bytes <= OTHER_ACT_BYTES;
        }
        let own = self.by_device.get(&act.device).copied();
        let more = self.rightful.with(act);
        more.acts <= ACTS && more.bytes <= ACT_BYTES && own.is_none_or(|own| own < ACTS_OF_A_DEVICE)
    }

    pub(super) fn add(&mut self, act: &Act) {
        if !act.needs_a_right() {
            self.others = self.others.with(act);
            self.joins = self.joins.saturating_add(usize::from(act.joins_by().is_some()));
            return;
        }
        self.rightful = self.rightful.with(act);
        let count = self.by_device.entry(act.device).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn subtract(&mut self, act: &Act) {
        if !act.needs_a_right() {
            self.others = self.others.without(act);
            self.joins = self.joins.saturating_sub(usize::from(act.joins_by().is_some()));
            return;
        }
        self.rightful = self.rightful.without(act);
        let count = self.by_device.entry(act.device).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.by_device.remove(&act.device);
        }
    }
}

impl Share {
    fn with(self, act: &Act) -> Self {
        let bytes = self.bytes.saturating_add(act.as_bytes().len());
        Self { acts: self.acts.saturating_add(1), bytes }
    }

    fn without(self, act: &Act) -> Self {
        let bytes = self.bytes.saturating_sub(act.as_bytes().len());
        Self { acts: self.acts.saturating_sub(1), bytes }
    }
}
