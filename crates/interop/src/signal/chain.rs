//! The symmetric step, the same in sessions and groups (docs/interop.md, sections 3 and 11).
//!
//! Sessions and groups derive different keys from a seed: that is in their own modules.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::limits::MAX_SKIPPED;
use crate::labels;
use bisik_core::primitives::kdf::HmacSha256;
use bisik_core::primitives::secret::Secret;

/// `CK`: the chain key, from which the rest of a chain is derived.
pub(super) struct ChainKey(Secret<32>);

impl ChainKey {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// `mk = HMAC(CK, 01)`, `CK' = HMAC(CK, 02)`. S-3.3, S-11.2.
    pub(super) fn step(&self) -> (Self, Seed) {
        let hash = HmacSha256::new(&self.0);
        let seed = Seed(hash.hash(&[labels::CHAIN_MESSAGE]));
        (Self(hash.hash(&[labels::CHAIN_NEXT])), seed)
    }

    /// The same in place. Every other copy of the next key is wiped.
    pub(super) fn advance(&mut self) -> Seed {
        let hash = HmacSha256::new(&self.0);
        let seed = Seed(hash.hash(&[labels::CHAIN_MESSAGE]));
        let next = hash.hash(&[labels::CHAIN_NEXT]);
        *self.0.expose_mut() = *next.expose();
        seed
    }

    /// Steps from number `from` to number `to` and discards the seeds between.
    pub(super) fn forward(&self, from: u32, to: u32) -> Self {
        let mut chain = Self(self.0.duplicate());
        for _ in from..to {
            chain = Self(HmacSha256::new(&chain.0).hash(&[labels::CHAIN_NEXT]));
        }
        chain
    }

    /// Steps from number `from` to number `to` and returns the seeds between, oldest first. Of more than a chain can
    /// store, only the newest are made (S-6.2). The caller has checked the distance.
    pub(super) fn skip(&self, from: u32, to: u32) -> (Self, SkippedKeys) {
        let most = u32::try_from(MAX_SKIPPED).unwrap_or(u32::MAX);
        let keep_from = to.saturating_sub(most).max(from);
        let mut chain = self.forward(from, keep_from);
        let mut skipped = Vec::with_capacity(usize::try_from(to.saturating_sub(keep_from)).unwrap_or_default());
        for number in keep_from..to {
            let (next, seed) = chain.step();
            skipped.push((number, Box::new(seed)));
            chain = next;
        }
        (chain, skipped)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// `mk`: the seed of one message's keys. Skipped message keys are stored in this form, which is the shortest.
pub(super) struct Seed(Secret<32>);

impl Seed {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// The seeds of skipped messages, with their numbers. Boxed, so that a growing collection leaves no copies behind.
pub(super) type SkippedKeys = Vec<(u32, Box<Seed>)>;

/// Copies skipped keys. They have no `Clone`, because every copy is one more place to protect.
pub(super) fn duplicate_skipped<'a, S: AsRef<Seed> + 'a, C: FromIterator<(u32, Box<Seed>)>>(
    skipped: impl IntoIterator<Item = (&'a u32, &'a S)>,
) -> C {
    skipped.into_iter().map(|(number, seed)| (*number, Box::new(seed.as_ref().duplicate()))).collect()
}
