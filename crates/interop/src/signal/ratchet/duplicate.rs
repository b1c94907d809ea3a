//! Copies of a ratchet and of a change, for a record that is sealed before a message is committed.
//!
//! No copy leaves the library: two live ratchets would fork the key stream.

use alloc::boxed::Box;

use super::ended::EndedChain;
use super::receiving::{Advanced, ReceivingChain, StateChange, Step};
use super::sending::SendingChain;
use super::{PeerRatchetKey, Ratchet};
use crate::signal::chain::duplicate_skipped;
use bisik_core::primitives::x25519;

impl Ratchet {
    pub(crate) fn duplicate(&self) -> Self {
        let Self { root, pair, theirs, sending, previous, receiving, ended } = self;
        let sending = sending.as_ref().map(|chain| {
            let SendingChain { key, next } = chain.as_ref();
            Box::new(SendingChain { key: key.duplicate(), next: *next })
        });
        Self {
            root: Box::new(root.duplicate()),
            pair: pair.as_ref().map(x25519::duplicate),
            theirs: theirs.as_ref().map(|PeerRatchetKey { public, point: _ }| PeerRatchetKey::encoded(*public)),
            sending,
            previous: *previous,
            receiving: receiving.iter().map(|chain| Box::new(chain.duplicate())).collect(),
            ended: ended.iter().map(EndedChain::duplicate).collect(),
        }
    }
}

impl ReceivingChain {
    fn duplicate(&self) -> Self {
        let Self { ratchet_key, key, next, skipped } = self;
        Self { ratchet_key: *ratchet_key, key: key.duplicate(), next: *next, skipped: duplicate_skipped(skipped) }
    }
}

impl EndedChain {
    fn duplicate(&self) -> Self {
        let Self { name, skipped } = self;
        Self { name: *name, skipped: duplicate_skipped(skipped) }
    }
}

impl StateChange {
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::UseSkipped { chain, number } => Self::UseSkipped { chain: *chain, number: *number },
            Self::UseEnded { chain, number } => Self::UseEnded { chain: *chain, number: *number },
            Self::Advance { chain, advanced } => Self::Advance { chain: *chain, advanced: advanced.duplicate() },
            Self::Step(step) => Self::Step(step.duplicate()),
        }
    }
}

impl Advanced {
    fn duplicate(&self) -> Self {
        let Self { key, next, skipped } = self;
        Self {
            key: key.duplicate(),
            next: *next,
            skipped: duplicate_skipped(skipped.iter().map(|(number, seed)| (number, seed))),
        }
    }
}

impl Step {
    fn duplicate(&self) -> Self {
        let Self { root, theirs, chain } = self;
        Self { root: Box::new(root.duplicate()), theirs: theirs.clone(), chain: Box::new(chain.duplicate()) }
    }
}
