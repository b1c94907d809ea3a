//! [`ReceivingChains::take`]: what a distribution changes (docs/spec/chains.md, section 14.4).

use alloc::boxed::Box;

use subtle::ConstantTimeEq;

use super::distribution::Distribution;
use super::error::TakeError;
use super::kept::{Kept, skip};
use super::receiving::{Chain, ReceivingChains};
use super::used::Used;
use crate::keys::IdentityKey;

/// What came of a distribution that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "messages may wait for the chain"]
pub struct Taken {
    /// Messages can be opened that could not be before: try again those that [need the chain](super::OpenError::NeedsChain).
    pub opens_more: bool,
    /// How many messages cannot be read any more, because a chain before it has ended, or for want of room.
    pub given_up: u32,
}

impl ReceivingChains {
    /// Takes a distribution. `peer` is the identity of the peer of the session in which it came, whose message has
    /// verified and is confirmed; that the sender is a member, and that the chain's [origin](Distribution::place) is an
    /// entry of the group's log, and not before the sender became a member, is for the caller to check. Store the chains
    /// before the message in the session counts as received.
    ///
    /// A chain that is known is continued where it is: a distribution of a later message changes nothing, and one of an
    /// earlier message adds what was missing.
    ///
    /// # Errors
    ///
    /// [`TakeError`]. On error nothing has changed.
    pub fn take(&mut self, distribution: &Distribution, peer: &IdentityKey) -> Result<Taken, TakeError> {
        self.lineage.check()?;
        // P-14.14.
        if *peer != self.sender.identity {
            return Err(TakeError::OtherDevice);
        }
        if distribution.scope() != self.scope {
            return Err(TakeError::OtherGroup);
        }
        let id = distribution.chain();
        if self.is_gone(id) {
            return Err(TakeError::Closed);
        }
        match self.position(id) {
            Some(at) => self.take_known(at, distribution),
            None => Ok(self.take_new(distribution)),
        }
    }

    fn take_new(&mut self, distribution: &Distribution) -> Taken {
        let Distribution { constants, index, chain, .. } = distribution;
        let chain = Chain {
            id: constants.chain(),
            constants: constants.clone(),
            first: *index,
            next: *index,
            heard: 0,
            chain: Some(Box::new(chain.duplicate())),
            kept: Kept::default(),
            used: Used::default(),
        };
        // P-14.20. First the chain that it follows, which may make room for it; then itself, if one that follows it came
        // before it.
        let own = self.named().find(|named| named.chain == chain.id);
        let ended = self.end(constants.predecessor);
        let displaced = self.add(chain);
        let given_up = ended.saturating_add(displaced).saturating_add(self.end(own));
        self.lineage.change();
        Taken { opens_more: true, given_up }
    }

    /// P-14.15: the chain has one past, whoever tells of it.
    fn take_known(&mut self, at: usize, distribution: &Distribution) -> Result<Taken, TakeError> {
        let Distribution { constants, index, chain: given, .. } = distribution;
        let received = self.received;
        let known = self.chains.get_mut(at).ok_or(TakeError::Closed)?;
        if known.constants != *constants {
            return Err(TakeError::Contradicts);
        }
        let chain = known.chain.as_ref().ok_or(TakeError::Closed)?;
        if let Some(ahead) = index.checked_sub(known.next) {
            if ahead == 0 && !bool::from(given.secret().ct_eq(chain.secret())) {
                return Err(TakeError::Contradicts);
            }
            return Ok(NOTHING);
        }
        if *index >= known.first {
            return Ok(NOTHING);
        }
        // The keys that were missing, and then on to where the chain is, which must be the same.
        let missing = skip(given, *index, known.first);
        let there = skip(&missing.chain, known.first, known.next).chain;
        if !bool::from(there.secret().ct_eq(chain.secret())) {
            return Err(TakeError::Contradicts);
        }
        drop(known.kept.keep(missing, received));
        known.first = *index;
        let given_up = self.tidy();
        self.lineage.change();
        Ok(Taken { opens_more: true, given_up })
    }
}

/// Nothing was new.
const NOTHING: Taken = Taken { opens_more: false, given_up: 0 };
