//! The Double Ratchet with symbols for keys (docs/spec/session.md, section 4.6): predicts the outcome of each message.
//!
//! Equal symbols stand for equal keys, so the model knows exactly who can read what, through losses, rollbacks and
//! forks. The simulation checks every outcome of the real ratchet against it.

use std::collections::{BTreeSet, VecDeque};

use crate::rng::mix;

/// Stands for a key.
pub type Symbol = u64;

/// The outcome of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecryptOutcome {
    Read,
    Replayed,
    TooFarAhead,
    Diverged,
    Rejected,
}

/// The symbols and numbers that a message was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    pub header: Symbol,
    pub chain: Symbol,
    pub ratchet_key: Symbol,
    pub previous: u32,
    pub number: u32,
}

/// The state of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratchet {
    root: Symbol,
    pair: Option<Symbol>,
    theirs: Option<Symbol>,
    sending: Option<Sending>,
    next_sending: Symbol,
    previous: u32,
    receiving: VecDeque<Receiving>,
    next_receiving: Symbol,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sending {
    header: Symbol,
    chain: Symbol,
    number: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Receiving {
    header: Symbol,
    chain: Symbol,
    ratchet_key: Symbol,
    ended: bool,
    next: u32,
    kept: BTreeSet<u32>,
}

impl Ratchet {
    pub fn initiator(secret: Symbol, theirs: Symbol) -> Self {
        let [root, ours, peers] = start(secret);
        Self::new(root, None, Some(theirs), ours, peers)
    }

    pub fn responder(secret: Symbol, pair: Symbol) -> Self {
        let [root, peers, ours] = start(secret);
        Self::new(root, Some(pair), None, ours, peers)
    }

    fn new(root: Symbol, pair: Option<Symbol>, theirs: Option<Symbol>, ours: Symbol, peers: Symbol) -> Self {
        let receiving = VecDeque::new();
        Self { root, pair, theirs, sending: None, next_sending: ours, previous: 0, receiving, next_receiving: peers }
    }

    /// Sends one message; `fresh` stands for the pair that is drawn if a step is due.
    pub fn send(&mut self, fresh: Symbol) -> Stamp {
        if self.sending.is_none() {
            let [root, chain, next] = step(self.root, fresh, self.theirs.unwrap());
            self.root = root;
            self.pair = Some(fresh);
            self.sending = Some(Sending { header: self.next_sending, chain, number: 0 });
            self.next_sending = next;
        }
        let sending = self.sending.as_mut().unwrap();
        let (header, chain, number) = (sending.header, sending.chain, sending.number);
        sending.number += 1;
        Stamp { header, chain, ratchet_key: self.pair.unwrap(), previous: self.previous, number }
    }

    /// The outcome of a message, and the state after it.
    pub fn receive(&self, stamp: &Stamp) -> Result<Self, DecryptOutcome> {
        if self.receiving.front().is_some_and(|chain| chain.header == stamp.header) {
            return self.receive_known(0, stamp);
        }
        if self.next_receiving == stamp.header {
            return self.receive_next(stamp);
        }
        let known = self.receiving.iter().position(|chain| chain.header == stamp.header);
        self.receive_known(known.ok_or(DecryptOutcome::Rejected)?, stamp)
    }

    fn receive_known(&self, index: usize, stamp: &Stamp) -> Result<Self, DecryptOutcome> {
        let mut after = self.clone();
        let chain = &mut after.receiving[index];
        if chain.ratchet_key != stamp.ratchet_key {
            return Err(DecryptOutcome::Diverged);
        }
        if stamp.number < chain.next && !chain.kept.remove(&stamp.number) {
            return Err(DecryptOutcome::Replayed);
        }
        if stamp.number >= chain.next {
            if chain.ended {
                return Err(DecryptOutcome::Diverged);
            }
            chain.keep_until(stamp.number)?;
            chain.next = stamp.number + 1;
        }
        if chain.chain != stamp.chain {
            return Err(DecryptOutcome::Diverged);
        }
        after.forget_surplus();
        Ok(after)
    }

    fn receive_next(&self, stamp: &Stamp) -> Result<Self, DecryptOutcome> {
        // P-4.7: a peer steps once for each local step, with a new key, from the end of its chain.
        let answered = self.receiving.is_empty() || self.sending.is_some();
        let known = self.receiving.iter().any(|chain| chain.ratchet_key == stamp.ratchet_key);
        let received = self.receiving.front().map_or(0, |chain| chain.next);
        let impossible = self.receiving.is_empty() && stamp.previous != 0;
        if !answered || known || stamp.previous < received || impossible {
            return Err(DecryptOutcome::Diverged);
        }
        let pair = self.pair.ok_or(DecryptOutcome::Diverged)?;
        let mut after = self.clone();
        if let Some(last) = after.receiving.front_mut() {
            last.keep_until(stamp.previous)?;
            last.ended = true;
        }
        let [root, chain, next] = step(self.root, pair, stamp.ratchet_key);
        let mut newest = Receiving {
            header: self.next_receiving,
            chain,
            ratchet_key: stamp.ratchet_key,
            ended: false,
            next: 0,
            kept: BTreeSet::new(),
        };
        newest.keep_until(stamp.number)?;
        newest.next = stamp.number + 1;
        if chain != stamp.chain {
            return Err(DecryptOutcome::Diverged);
        }
        after.root = root;
        after.theirs = Some(stamp.ratchet_key);
        after.next_receiving = next;
        after.receiving.push_front(newest);
        after.receiving.truncate(CHAINS);
        if let Some(ended) = after.sending.take() {
            after.previous = ended.number;
        }
        after.forget_surplus();
        Ok(after)
    }

    pub fn kept(&self) -> usize {
        self.receiving.iter().map(|chain| chain.kept.len()).sum()
    }

    fn forget_surplus(&mut self) {
        let mut surplus = self.kept().saturating_sub(KEPT);
        for chain in self.receiving.iter_mut().rev() {
            while surplus > 0 && chain.kept.pop_first().is_some() {
                surplus -= 1;
            }
        }
    }
}

impl Receiving {
    fn keep_until(&mut self, end: u32) -> Result<(), DecryptOutcome> {
        if end.saturating_sub(self.next) > JUMP {
            return Err(DecryptOutcome::TooFarAhead);
        }
        self.kept.extend(self.next..end);
        self.next = self.next.max(end);
        Ok(())
    }
}

/// Root key, header key of the initiator's first chain, header key of the responder's.
fn start(secret: Symbol) -> [Symbol; 3] {
    [1, 2, 3].map(|output| mix(&[secret, output]))
}

/// Root key, chain key, next header key. An agreement gives the same symbol on both sides.
fn step(root: Symbol, ours: Symbol, theirs: Symbol) -> [Symbol; 3] {
    [4, 5, 6].map(|output| mix(&[root, ours.min(theirs), ours.max(theirs), output]))
}

/// P-4.9: bounded steps.
const JUMP: u32 = 25_000;
/// P-4.11: bounded skipped keys.
const KEPT: usize = 2_000;
/// P-4.12: bounded chains.
const CHAINS: usize = 5;
