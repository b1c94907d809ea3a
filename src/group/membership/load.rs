//! [`Load`]: how much room acts take ([section 13.6](crate::manual::spec::groups#136-bounds-and-floors)).

use alloc::collections::BTreeMap;

use super::act::Act;
use super::limits::{ACT_BYTES, ACTS, ACTS_OF_A_DEVICE};
use crate::keys::IdentityKey;

/// How much room the acts take that are held. P-13.16.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    /// Acts by right.
    rightful: usize,
    /// How many acts by right each device has made.
    by_device: BTreeMap<IdentityKey, usize>,
    bytes: usize,
}

impl Load {
    /// Whether there is room for an act.
    pub(super) fn takes(&self, act: &Act) -> bool {
        let bytes = self.bytes.saturating_add(act.as_bytes().len());
        if !act.needs_a_right() {
            return bytes <= ACT_BYTES.saturating_mul(2);
        }
        let own = self.by_device.get(&act.device).copied();
        self.rightful < ACTS && own.is_none_or(|own| own < ACTS_OF_A_DEVICE) && bytes <= ACT_BYTES
    }

    pub(super) fn add(&mut self, act: &Act) {
        self.bytes = self.bytes.saturating_add(act.as_bytes().len());
        if act.needs_a_right() {
            self.rightful = self.rightful.saturating_add(1);
            let count = self.by_device.entry(act.device).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn subtract(&mut self, act: &Act) {
        self.bytes = self.bytes.saturating_sub(act.as_bytes().len());
        if act.needs_a_right() {
            self.rightful = self.rightful.saturating_sub(1);
            let count = self.by_device.entry(act.device).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_device.remove(&act.device);
            }
        }
    }
}
