//! Receiving: find the chain, take the step, verify, and only then commit (docs/interop.md, section 3).
//!
//! Nothing here changes the state before the message's tag has verified.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::ended::{self, EndedChain};
use super::{Parties, PeerRatchetKey, Ratchet, message_key, root_step};
use crate::signal::chain::{ChainKey, Seed, SkippedKeys};
use crate::signal::key::PublicKey;
use crate::signal::limits::{MAX_CHAINS, MAX_SKIP, MAX_SKIPPED};
use crate::signal::wire::Whisper;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, Point};

/// Why a message did not open in one ratchet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// Its key was used or discarded.
    Replayed,
    /// Its chain has ended, and its key is not kept.
    TooLate,
    /// It needs more chain steps than are allowed.
    TooFarAhead,
    /// Its tag does not verify.
    Rejected,
}

/// One receiving chain.
pub(super) struct ReceivingChain {
    /// The peer's ratchet key of this chain.
    pub(super) ratchet_key: PublicKey,
    pub(super) key: ChainKey,
    /// The number of the next message in order.
    pub(super) next: u32,
    /// Skipped message keys. Boxed, so that a growing collection leaves no copies behind.
    pub(super) skipped: BTreeMap<u32, Box<Seed>>,
}

/// A message that was decrypted and has not changed the state yet.
pub(crate) struct Decrypted {
    pub(crate) change: StateChange,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
}

/// What committing a message does to the state.
pub(crate) enum StateChange {
    /// A skipped message key is used.
    UseSkipped { chain: usize, number: u32 },
    /// A skipped message key of an ended chain is used.
    UseEnded { chain: usize, number: u32 },
    /// A chain advances.
    Advance { chain: usize, advanced: Advanced },
    /// The peer has made a DH step.
    Step(Step),
}

impl StateChange {
    /// Whether the message is the sender's newest known message in this ratchet.
    pub(crate) const fn is_newest(&self) -> bool {
        match self {
            Self::UseSkipped { .. } | Self::UseEnded { .. } => false,
            Self::Advance { chain, .. } => *chain == 0,
            Self::Step(_) => true,
        }
    }

    /// Whether the peer has made a DH step, so that the message answers one of the local messages in this ratchet.
    pub(crate) const fn is_step(&self) -> bool {
        matches!(self, Self::Step(_))
    }
}

/// A chain that a ratchet knows.
#[derive(Clone, Copy)]
pub(crate) enum KnownChain {
    Open(usize),
    Ended(usize),
}

/// A chain after a message: its next key and number, and the message keys that were skipped.
pub(crate) struct Advanced {
    pub(super) key: ChainKey,
    pub(super) next: u32,
    pub(super) skipped: SkippedKeys,
}

/// THE STEP, receiving side, computed and not applied. Its parts are boxed and applied without another copy.
pub(crate) struct Step {
    pub(super) root: Box<Secret<32>>,
    pub(super) theirs: Box<Point>,
    /// The peer's new chain, whose first message this is.
    pub(super) chain: Box<ReceivingChain>,
}

impl Ratchet {
    /// The chain that a message belongs to, if it is a known chain. Ratchet keys are random, so that at most one ratchet
    /// knows a given key.
    pub(crate) fn chain_of(&self, message: &Whisper<'_>) -> Option<KnownChain> {
        let open = self.receiving.iter().position(|chain| chain.ratchet_key == message.ratchet_key);
        open.map(KnownChain::Open).or_else(|| {
            let name = ended::name(&message.ratchet_key);
            self.ended.iter().position(|chain| chain.name == name).map(KnownChain::Ended)
        })
    }

    /// Decrypts a message of a known chain, without changing anything. S-3.6.
    pub(crate) fn open_known(
        &self,
        known: KnownChain,
        message: &Whisper<'_>,
        parties: Parties<'_>,
    ) -> Result<Decrypted, OpenError> {
        let index = match known {
            KnownChain::Open(index) => index,
            KnownChain::Ended(index) => return self.open_ended(index, message, parties),
        };
        let chain = self.receiving.get(index).ok_or(OpenError::Rejected)?;
        if message.counter < chain.next {
            // S-3.7
            let key = chain.skipped.get(&message.counter).ok_or(OpenError::Replayed)?;
            let plaintext = open_body(key, message, parties)?;
            return Ok(Decrypted {
                change: StateChange::UseSkipped { chain: index, number: message.counter },
                plaintext,
            });
        }
        let (advanced, plaintext) = open_ahead(&chain.key, chain.next, message, parties)?;
        Ok(Decrypted { change: StateChange::Advance { chain: index, advanced }, plaintext })
    }

    /// Decrypts a message of an ended chain with the key that was kept of it. S-3.7, S-6.4.
    fn open_ended(&self, index: usize, message: &Whisper<'_>, parties: Parties<'_>) -> Result<Decrypted, OpenError> {
        let number = message.counter;
        let key = self.ended.get(index).and_then(|chain| chain.skipped.get(&number)).ok_or(OpenError::TooLate)?;
        let plaintext = open_body(key, message, parties)?;
        Ok(Decrypted { change: StateChange::UseEnded { chain: index, number }, plaintext })
    }

    /// Whether the peer can have made a DH step: only after it received a message of the local device's current pair.
    pub(crate) fn awaits_step(&self) -> bool {
        self.pair.is_some() && (self.receiving.is_empty() || self.sending.is_some())
    }

    /// THE STEP: `RK, CKr = KDF_RK(RK, DH(DHRs, DHRr))` for an unknown ratchet key, without changing anything. The tag
    /// shows whether the message was meant for this ratchet.
    pub(crate) fn open_next(
        &self,
        theirs: &Point,
        message: &Whisper<'_>,
        parties: Parties<'_>,
    ) -> Result<Decrypted, OpenError> {
        let pair = self.pair.as_ref().filter(|_| self.awaits_step()).ok_or(OpenError::Rejected)?;
        let agreed = x25519::agree(pair, theirs).map_err(|_| OpenError::Rejected)?;
        let (root, key) = root_step(&self.root, &agreed);
        let (advanced, plaintext) = open_ahead(&key, 0, message, parties)?;
        let Advanced { key, next, skipped } = advanced;
        let skipped = skipped.into_iter().collect();
        let chain = Box::new(ReceivingChain { ratchet_key: message.ratchet_key, key, next, skipped });
        let step = Step { root: Box::new(root), theirs: Box::new(theirs.clone()), chain };
        Ok(Decrypted { change: StateChange::Step(step), plaintext })
    }

    /// Applies the change of an opened message. Cannot fail.
    pub(crate) fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::UseSkipped { chain, number } => {
                if let Some(chain) = self.receiving.get_mut(chain) {
                    chain.skipped.remove(&number);
                }
            }
            StateChange::UseEnded { chain, number } => {
                if let Some(chain) = self.ended.get_mut(chain) {
                    chain.skipped.remove(&number);
                }
                self.forget_ended();
            }
            StateChange::Advance { chain, advanced } => {
                if let Some(chain) = self.receiving.get_mut(chain) {
                    chain.advance(advanced);
                }
            }
            StateChange::Step(step) => self.apply_step(step),
        }
    }

    fn apply_step(&mut self, step: Step) {
        let Step { root, theirs, chain } = step;
        self.root = root;
        self.receiving.push_front(chain);
        self.end_chains();
        self.theirs = Some(PeerRatchetKey::decoded(theirs));
        if let Some(finished) = self.sending.take() {
            self.previous = finished.next;
        }
    }

    /// Ends the oldest chains until no more are open than may be. S-6.4.
    fn end_chains(&mut self) {
        while self.receiving.len() > MAX_CHAINS
            && let Some(mut chain) = self.receiving.pop_back()
        {
            let ReceivingChain { ratchet_key, key: _, next: _, skipped } = chain.as_mut();
            self.ended.push_front(EndedChain { name: ended::name(ratchet_key), skipped: core::mem::take(skipped) });
        }
        self.forget_ended();
    }

    /// The number of skipped message keys.
    pub(crate) fn skipped_keys(&self) -> usize {
        let open = self.receiving.iter().map(|chain| &chain.skipped);
        let ended = self.ended.iter().map(|chain| &chain.skipped);
        open.chain(ended).fold(0, |sum, skipped| sum.saturating_add(skipped.len()))
    }

    /// Discards up to `surplus` skipped message keys, the oldest first, and returns how many more the caller has to
    /// discard.
    pub(crate) fn discard_skipped_keys(&mut self, mut surplus: usize) -> usize {
        let ended = self.ended.iter_mut().rev().map(|chain| &mut chain.skipped);
        for skipped in ended.chain(self.receiving.iter_mut().rev().map(|chain| &mut chain.skipped)) {
            while surplus > 0 && skipped.pop_first().is_some() {
                surplus = surplus.saturating_sub(1);
            }
        }
        self.forget_ended();
        surplus
    }
}

impl ReceivingChain {
    fn advance(&mut self, advanced: Advanced) {
        let Advanced { key, next, skipped } = advanced;
        self.key = key;
        self.next = next;
        self.skipped.extend(skipped);
        // S-6.2
        while self.skipped.len() > MAX_SKIPPED {
            self.skipped.pop_first();
        }
    }
}

fn open_body(seed: &Seed, message: &Whisper<'_>, parties: Parties<'_>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    message_key::open(seed, message, parties).ok_or(OpenError::Rejected)
}

/// Opens a message that is next in its chain or beyond, and returns the chain after it. Before the tag has verified, no
/// more steps than allowed are made, and no memory is taken for skipped message keys. S-6.1.
fn open_ahead(
    chain: &ChainKey,
    next: u32,
    message: &Whisper<'_>,
    parties: Parties<'_>,
) -> Result<(Advanced, Zeroizing<Vec<u8>>), OpenError> {
    let number = message.counter;
    if number.checked_sub(next).ok_or(OpenError::Replayed)? > MAX_SKIP {
        return Err(OpenError::TooFarAhead);
    }
    let after = number.checked_add(1).ok_or(OpenError::TooFarAhead)?;
    let (key, seed) = chain.forward(next, number).step();
    let plaintext = open_body(&seed, message, parties)?;
    // The same steps a second time, now that the message is authentic: only real gaps cost this.
    let (_, skipped) = chain.skip(next, number);
    Ok((Advanced { key, next: after, skipped }, plaintext))
}
