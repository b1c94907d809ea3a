//! Chains that have ended: they give no new keys, and those that were kept are still used (docs/interop.md, section 6.4).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use super::Ratchet;
use crate::signal::chain::Seed;
use crate::signal::key::PublicKey;
use crate::signal::limits::MAX_ENDED;

/// A receiving chain without its chain key.
pub(super) struct EndedChain {
    pub(super) name: Name,
    pub(super) skipped: BTreeMap<u32, Box<Seed>>,
}

/// The first eight bytes of a chain's ratchet key. Ratchet keys are random; a peer that makes two with one name can only
/// have its own message refused.
pub(super) type Name = [u8; 8];

/// The name of the chain with this ratchet key.
pub(super) const fn name(ratchet_key: &PublicKey) -> Name {
    let [a, b, c, d, e, f, g, h, ..] = *ratchet_key.as_raw();
    [a, b, c, d, e, f, g, h]
}

impl Ratchet {
    /// Forgets ended chains of which no key is kept, except for the newest.
    pub(super) fn forget_ended(&mut self) {
        let mut newer = 0..MAX_ENDED;
        self.ended.retain(|chain| newer.next().is_some() || !chain.skipped.is_empty());
    }
}

/// Whether `chains` are as [`Ratchet::forget_ended`] leaves them.
pub(super) fn are_worth_keeping(chains: &VecDeque<EndedChain>) -> bool {
    chains.iter().skip(MAX_ENDED).all(|chain| !chain.skipped.is_empty())
}
