//! What a device knows, in a form that two devices compare ([section 15.3](crate::manual::spec::rooms#153-asking)).

use alloc::vec::Vec;

use super::count::Verdict;
use super::{ActHash, ActId, Membership, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::group as labels;
use bisik_core::convert::first;
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::primitives::kdf::digest;

/// Parts that acts are compared in: by the first five bits of their hashes.
pub(in crate::group) const BUCKETS: usize = 32;

/// Digests of the acts that count, by their hashes' first five bits.
pub(in crate::group) type Buckets = [[u8; 8]; BUCKETS];

impl Membership {
    /// The acts that count, by ascending hash.
    pub(in crate::group) fn counting_acts(&self) -> impl Iterator<Item = (&ActHash, &[u8])> {
        let counts = |hash: &ActHash| self.tally.verdicts.get(hash) == Some(&Verdict::Counts);
        self.acts.iter().map(|known| (&known.act.hash, known.act.as_bytes())).filter(move |(hash, _)| counts(hash))
    }

    /// Digests of the acts that count. Two devices that count the same acts have the same.
    pub(in crate::group) fn buckets(&self) -> Buckets {
        part_digests(self.counting_acts().map(|(hash, _)| hash))
    }

    /// Whether an account has a link that is open here: its key has signed a stay of the account.
    pub(in crate::group) fn has_link(&self, link: &ActId, stay: &Stay, proof: &[u8; SIGNATURE]) -> bool {
        self.state.links.get(link).is_some_and(|link| link.proves(self.log.group, stay, proof))
    }

    /// The account and the device that this is at.
    pub(in crate::group) const fn local(&self) -> &(AccountKey, IdentityKey) {
        &self.local
    }

    /// The epoch of the entry that named the floor in force; 0 without one.
    pub(in crate::group) fn settled_epoch(&self) -> u64 {
        self.settled()
    }

    /// The number of the entry with this hash.
    pub(in crate::group) fn epoch_of(&self, entry: &[u8; 32]) -> Option<u64> {
        (1..=self.epoch()).rev().find(|epoch| self.log.at(*epoch).is_some_and(|known| known.hash.as_bytes() == entry))
    }

    /// The number of the entry under which a stay was added, as far as an act that is held says so; 0 otherwise. P-14.14.
    pub(in crate::group) fn since(&self, stay: &Stay) -> u64 {
        let added = self.tally.added.get(stay);
        let joins = self.tally.joins.get(stay).into_iter().flat_map(|links| links.values().flatten());
        let epochs = added.into_iter().chain(joins).filter_map(|hash| self.acts.get(hash)).map(|known| known.act.epoch);
        epochs.min().map_or(0, |epoch| epoch)
    }
}

/// Digests of acts, whose hashes ascend, by their hashes' first five bits.
pub(in crate::group) fn part_digests<'a>(hashes: impl Iterator<Item = &'a ActHash>) -> Buckets {
    let mut parts = [const { Vec::new() }; BUCKETS];
    for hash in hashes {
        parts.get_mut(bucket_of(hash)).into_iter().for_each(|part| part.push(hash.as_ref()));
    }
    parts.map(|hashes: Vec<&[u8]>| {
        let inputs: Vec<_> = core::iter::once(labels::ACTS_PART).chain(hashes).collect();
        first(&digest(&inputs))
    })
}

/// Which part an act belongs to.
pub(in crate::group) fn bucket_of(hash: &ActHash) -> usize {
    let [first, ..] = hash.as_bytes();
    usize::from(first >> 3)
}
