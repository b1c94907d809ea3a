//! [`Aside`]: keys that name a state of the group which this device does not know yet.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::epoch::EpochKey;
use crate::keys::IdentityKey;

/// Keys that wait, at most three of a device, oldest first. They were made for this device by the peer of a session.
pub(super) struct Aside {
    of: BTreeMap<IdentityKey, Vec<Waiting>>,
}

/// A key, and the session in which it arrived.
pub(super) struct Waiting {
    pub(super) key: EpochKey,
    pub(super) session: [u8; 16],
}

impl Aside {
    pub(super) const fn new() -> Self {
        Self { of: BTreeMap::new() }
    }

    /// Keeps a key. Of a fourth, the oldest goes.
    pub(super) fn keep(&mut self, sender: &IdentityKey, waiting: Waiting) {
        let keys = self.of.entry(*sender).or_default();
        if keys.len() >= OF_A_DEVICE {
            keys.remove(0);
        }
        keys.push(waiting);
    }

    /// Takes all keys out, those of each device in their order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (IdentityKey, Waiting)> + use<> {
        let all = core::mem::take(&mut self.of);
        all.into_iter().flat_map(|(sender, keys)| keys.into_iter().map(move |key| (sender, key)))
    }

    pub(super) fn forget(&mut self, device: &IdentityKey) {
        self.of.remove(device);
    }
}

/// As many as stays of a device are kept, so that no participant can push out the keys of others.
const OF_A_DEVICE: usize = 3;
