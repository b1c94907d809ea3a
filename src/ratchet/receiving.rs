//! What a received message does to the state (docs/spec/session.md, section 4.6). `open.rs` computes it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::chain::ChainKey;
use super::header::HeaderKey;
use super::limits::{MAX_CHAINS, MAX_KEPT};
use super::post_quantum::{self, PostQuantum};
use super::remembered::Entry;
use super::sending::PeerRatchetKey;
use super::skipped::{NewlySkipped, SkippedKeys};
use super::step::RootKey;
use super::{State, Turn};
use bisik_core::braid::Part;
use bisik_core::primitives::secret::BoxedSecret;
use bisik_core::primitives::x25519::{Point, PublicKey};

/// The receiving chains.
#[derive(Default)]
pub(super) struct Receiving {
    /// Newest first, at most [`MAX_CHAINS`]; only the first can still advance.
    pub(super) chains: VecDeque<Box<ReceivingChain>>,
    /// How many messages were received.
    pub(super) received: u32,
    /// The keys of messages that have not arrived, of all chains.
    pub(super) skipped: SkippedKeys,
}

/// One receiving chain.
pub(super) struct ReceivingChain {
    /// The step that made it.
    pub(super) step: u32,
    /// The newest braid epoch whose secret was in the root that it comes from.
    pub(super) mixed: u32,
    pub(super) header: HeaderKey,
    /// The peer's ratchet key of this chain; `None` before a responder's first message.
    pub(super) ratchet_key: Option<PublicKey>,
    /// `None` once the peer has moved on: an old chain gives no new keys. Boxed for the reason given at `SendingChain`.
    pub(super) key: Option<Box<ChainKey>>,
    /// `Nr`: the number of the next message in order.
    pub(super) next: u32,
}

/// A decrypted message that has not changed the state yet.
pub(crate) struct Decrypted {
    pub(crate) change: Change,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
}

/// What committing a message does to the state.
pub(crate) struct Change {
    pub(super) chains: StateChange,
    /// The message, as it will be remembered.
    pub(super) entry: Entry,
    /// The newest version that the peer reads, as it says.
    pub(super) peer_reads: u8,
    /// Missing messages before it whose keys are not kept.
    pub(super) given_up: u32,
    /// Its part, if the message is of the newest chain, and what that does to the braid.
    pub(super) part: Option<Part>,
    pub(super) braid: Option<post_quantum::Receiving>,
}

impl Change {
    /// The step of the message's chain.
    pub(crate) const fn step(&self) -> u32 {
        self.entry.step
    }

    /// The place of the resumption secret that the peer's step 1 took, if the message brings that step.
    pub(crate) fn binds(&self) -> Option<u8> {
        match &self.chains {
            StateChange::Step(step) if self.entry.step == 1 => Some(step.bound),
            StateChange::Step(_) | StateChange::Advance(_) | StateChange::UseSkipped { .. } => None,
        }
    }
}

/// What committing a message does to the chains.
pub(super) enum StateChange {
    /// Uses a skipped message key, of the chain of this step.
    UseSkipped { step: u32, number: u32 },
    /// Advances the current chain.
    Advance(Advanced),
    /// Follows the peer's step.
    Step(Box<Step>),
}

/// A chain after a message: its next key and number, and the newly skipped message keys.
pub(super) struct Advanced {
    pub(super) key: ChainKey,
    pub(super) next: u32,
    pub(super) newly_skipped: NewlySkipped,
    /// The ratchet key of a responder's first chain, which its first message tells.
    pub(super) first_key: Option<Box<Point>>,
}

/// The receiving side of a step, computed and not applied.
pub(super) struct Step {
    /// Skipped message keys at the end of the previous chain, if there was one.
    pub(super) last_of_previous: NewlySkipped,
    /// How many messages the previous chain had.
    pub(super) previous: u32,
    pub(super) root: RootKey,
    pub(super) peer_key: Point,
    /// The peer's new chain, whose first message this is, and the keys that it skips.
    pub(super) chain: Box<ReceivingChain>,
    pub(super) newly_skipped: NewlySkipped,
    pub(super) next_header: HeaderKey,
    pub(super) resumption: BoxedSecret<32>,
    pub(super) bound: u8,
    pub(super) mixed: u32,
}

impl State {
    /// Applies what [`State::open`] computed. Cannot fail. Returns how many kept keys ended with it: messages that can
    /// no longer be read, should they arrive.
    pub(super) fn apply(&mut self, change: Change) -> u32 {
        let Change { chains, entry, peer_reads, given_up, part: _, braid } = change;
        match chains {
            // P-4.9: a message key is deleted once its message has been received.
            StateChange::UseSkipped { step, number } => self.receiving.skipped.remove(step, number),
            StateChange::Advance(advanced) => self.apply_advance(advanced),
            StateChange::Step(step) => self.apply_step(step),
        }
        self.remembered.push(entry);
        self.peer_reads = peer_reads;
        self.post_quantum.apply_receiving(braid);
        // A session that receives four billion messages keeps its last keys without an end.
        self.receiving.received = self.receiving.received.saturating_add(1);
        given_up.saturating_add(self.receiving.trim())
    }

    fn apply_advance(&mut self, advanced: Advanced) {
        let Advanced { key, next, newly_skipped, first_key } = advanced;
        let Some(current) = self.receiving.chains.front_mut() else { return };
        current.advance(key, next);
        self.receiving.skipped.keep(current.step, &newly_skipped);
        if let Some(point) = first_key {
            current.ratchet_key = Some(*point.public());
            self.turn = Turn::Theirs(PeerRatchetKey::Decoded(point));
        }
    }

    fn apply_step(&mut self, step: Box<Step>) {
        let Step {
            last_of_previous,
            previous,
            root,
            peer_key,
            chain,
            newly_skipped,
            next_header,
            resumption,
            bound,
            mixed,
        } = *step;
        if let Some(current) = self.receiving.chains.front_mut() {
            current.key = None;
            current.next = previous;
            self.receiving.skipped.keep(current.step, &last_of_previous);
        }
        self.receiving.skipped.keep(chain.step, &newly_skipped);
        self.step = chain.step;
        self.root = root;
        self.next_header = next_header;
        self.receiving.chains.push_front(chain);
        if self.step == 1 {
            self.bound = bound;
        }
        // P-4.7: the own pair was used, and is deleted with the chain that named it.
        if let Turn::Ours(finished) =
            core::mem::replace(&mut self.turn, Turn::Theirs(PeerRatchetKey::decoded(peer_key)))
        {
            self.previous = finished.number;
        }
        self.resumptions.received(resumption);
        self.post_quantum.step(mixed);
    }

    /// Returns the number of skipped message keys.
    pub(super) fn skipped_keys(&self) -> u32 {
        self.receiving.skipped.len()
    }
}

impl Receiving {
    /// Deletes what has ended: chains beyond the newest [`MAX_CHAINS`], keys that waited too long, the oldest keys
    /// beyond [`MAX_KEPT`], and older chains that keep nothing. Returns how many keys went. P-4.14, P-4.18.
    fn trim(&mut self) -> u32 {
        let Self { chains, received, skipped } = self;
        let before = skipped.len();
        chains.truncate(MAX_CHAINS);
        if let Some(oldest) = chains.back() {
            skipped.end_chains_before(oldest.step);
        }
        skipped.expire(*received);
        skipped.remove_oldest(skipped.len().saturating_sub(MAX_KEPT));
        let ended = before.saturating_sub(skipped.len());
        // The newest ended chain stays, so that a late duplicate of it is known as one.
        let mut index: usize = 0;
        chains.retain(|chain| {
            index = index.saturating_add(1);
            index <= 2 || skipped.holds(chain.step)
        });
        ended
    }
}

impl ReceivingChain {
    fn advance(&mut self, key: ChainKey, next: u32) {
        match &mut self.key {
            Some(current) => **current = key,
            None => self.key = Some(Box::new(key)),
        }
        self.next = next;
    }

    pub(super) fn duplicate(&self) -> Self {
        let Self { step, mixed, header, ratchet_key, key, next } = self;
        Self {
            step: *step,
            mixed: *mixed,
            header: header.duplicate(),
            ratchet_key: *ratchet_key,
            key: key.as_deref().map(|key| Box::new(key.duplicate())),
            next: *next,
        }
    }
}

impl Change {
    /// A copy, for a state that is sealed before the commit. What the part does to the braid is computed again.
    pub(super) fn duplicate(&self, post_quantum: &PostQuantum) -> Self {
        let Self { chains, entry, peer_reads, given_up, part, braid: _ } = self;
        // What has succeeded succeeds again.
        let braid = part.as_ref().and_then(|part| post_quantum.receive(part).ok().flatten());
        let (entry, peer_reads, given_up, part) = (*entry, *peer_reads, *given_up, *part);
        Self { chains: chains.duplicate(), entry, peer_reads, given_up, part, braid }
    }
}

impl StateChange {
    fn duplicate(&self) -> Self {
        match self {
            Self::UseSkipped { step, number } => Self::UseSkipped { step: *step, number: *number },
            Self::Advance(advanced) => Self::Advance(advanced.duplicate()),
            Self::Step(step) => Self::Step(Box::new(step.duplicate())),
        }
    }
}

impl Advanced {
    fn duplicate(&self) -> Self {
        let Self { key, next, newly_skipped, first_key } = self;
        Self {
            key: key.duplicate(),
            next: *next,
            newly_skipped: newly_skipped.duplicate(),
            first_key: first_key.clone(),
        }
    }
}

impl Step {
    fn duplicate(&self) -> Self {
        let Self {
            last_of_previous,
            previous,
            root,
            peer_key,
            chain,
            newly_skipped,
            next_header,
            resumption,
            bound,
            mixed,
        } = self;
        Self {
            last_of_previous: last_of_previous.duplicate(),
            previous: *previous,
            root: root.duplicate(),
            peer_key: peer_key.clone(),
            chain: Box::new(chain.duplicate()),
            newly_skipped: newly_skipped.duplicate(),
            next_header: next_header.duplicate(),
            resumption: resumption.duplicate().into(),
            bound: *bound,
            mixed: *mixed,
        }
    }
}
