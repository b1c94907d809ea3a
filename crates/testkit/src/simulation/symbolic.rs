//! The Double Ratchet with symbols for keys (docs/spec/session.md, section 4.6): predicts the outcome of each message.
//!
//! Equal symbols stand for equal keys, so the model knows exactly who can read what, through losses, rollbacks and
//! forks. The simulation checks every outcome of the real ratchet against it.

use std::collections::{BTreeMap, VecDeque};

use bisik::Standing;

use crate::rng::mix;

/// Stands for a key.
pub type Symbol = u64;

/// Why a message is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Duplicate,
    Forked { step: u32, number: u32 },
    Spent,
    Ahead { missing: u32 },
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
    /// Stands for the bytes of the message.
    pub digest: Symbol,
}

impl Stamp {
    /// Stands for the message key: two messages with one are never both read.
    pub fn key(&self) -> (Symbol, u32) {
        (self.chain, self.number)
    }
}

/// The state of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratchet {
    initiator: bool,
    step: u32,
    root: Symbol,
    turn: Turn,
    /// Header key of the next chain: the peer's after an own step, otherwise the own one.
    next_header: Symbol,
    previous: u32,
    receiving: VecDeque<Receiving>,
    received: u32,
    /// Step, number and digest of the last messages, newest first.
    remembered: VecDeque<(u32, u32, Symbol)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Turn {
    Awaiting,
    Ours(Sending),
    /// The own pair is gone; this is the peer's ratchet key.
    Theirs(Symbol),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sending {
    pair: Symbol,
    header: Symbol,
    chain: Symbol,
    number: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Receiving {
    step: u32,
    header: Symbol,
    chain: Symbol,
    ratchet_key: Option<Symbol>,
    next: u32,
    /// Numbers of missing messages, and how many had been received when their keys were kept.
    kept: BTreeMap<u32, u32>,
}

impl Ratchet {
    /// Chain 0 comes from the set-up: nobody steps for it.
    pub fn initiator(secret: Symbol) -> Self {
        let [root, chain, header, next_header, pair] = start(secret);
        Self::new(true, root, Turn::Ours(Sending { pair, header, chain, number: 0 }), next_header)
    }

    pub fn responder(secret: Symbol) -> Self {
        let [root, chain, header, next_header, _] = start(secret);
        let mut ratchet = Self::new(false, root, Turn::Awaiting, next_header);
        let first = Receiving { step: 0, header, chain, ratchet_key: None, next: 0, kept: BTreeMap::new() };
        ratchet.receiving.push_front(first);
        ratchet
    }

    fn new(initiator: bool, root: Symbol, turn: Turn, next_header: Symbol) -> Self {
        let (receiving, remembered) = (VecDeque::new(), VecDeque::new());
        Self { initiator, step: 0, root, turn, next_header, previous: 0, receiving, received: 0, remembered }
    }

    /// P-3.14: what the session knows of its peer.
    pub fn standing(&self) -> Standing {
        match self.receiving.front().filter(|chain| chain.ratchet_key.is_some()).map(|chain| chain.step) {
            None if self.initiator => Standing::Waiting,
            Some(_) if self.initiator => Standing::Confirmed,
            Some(2..) => Standing::Confirmed,
            Some(_) | None => Standing::Unconfirmed,
        }
    }

    /// Sends one message; `fresh` stands for the draw of a step, if one is due, and `digest` for the message's bytes.
    pub fn send(&mut self, fresh: Symbol, digest: Symbol) -> Stamp {
        if let Turn::Theirs(theirs) = self.turn {
            self.step += 1;
            // P-4.2: the draw is hedged with the root.
            let pair = mix(&[fresh, self.root, u64::from(self.step)]);
            let [root, chain, next_header] = step(self.root, pair, theirs);
            self.root = root;
            self.turn = Turn::Ours(Sending { pair, header: self.next_header, chain, number: 0 });
            self.next_header = next_header;
        }
        let Turn::Ours(sending) = &mut self.turn else { panic!("a responder has received before it sends") };
        let Sending { pair, header, chain, number } = sending.clone();
        sending.number += 1;
        Stamp { header, chain, ratchet_key: pair, previous: self.previous, number, digest }
    }

    /// The outcome of a message: the state after it, and how many missing messages are given up.
    pub fn receive(&self, stamp: &Stamp) -> Result<(Self, u32), Refusal> {
        let mut after = self.clone();
        let step = if self.receiving.front().is_some_and(|chain| chain.header == stamp.header) {
            after.receive_current(stamp)?
        } else if let Turn::Ours(own) = &self.turn
            && self.next_header == stamp.header
        {
            after.receive_next(own, stamp)?
        } else {
            let known = self.receiving.iter().position(|chain| chain.header == stamp.header);
            after.receive_ended(known.ok_or(Refusal::Rejected)?, stamp)?
        };
        after.remembered.push_front((step, stamp.number, stamp.digest));
        after.remembered.truncate(REMEMBERED);
        after.received += 1;
        let given_up = after.trim();
        Ok((after, given_up))
    }

    fn receive_current(&mut self, stamp: &Stamp) -> Result<u32, Refusal> {
        let (kept, at) = (self.kept(), self.received + 1);
        let chain = &self.receiving[0];
        chain.is_of(stamp)?;
        if stamp.number < chain.next {
            return self.receive_kept(0, stamp).map_err(|refusal| refusal.unwrap_or(Refusal::Diverged));
        }
        room(kept, stamp.number - chain.next)?;
        if chain.chain != stamp.chain {
            return Err(Refusal::Diverged);
        }
        let chain = &mut self.receiving[0];
        chain.keep_until(stamp.number, at);
        chain.next = stamp.number + 1;
        if chain.ratchet_key.replace(stamp.ratchet_key).is_none() {
            self.turn = Turn::Theirs(stamp.ratchet_key);
        }
        Ok(self.receiving[0].step)
    }

    /// P-4.20: whatever a thief of an old state makes under the keys of an ended chain is rejected.
    fn receive_ended(&mut self, index: usize, stamp: &Stamp) -> Result<u32, Refusal> {
        let chain = &self.receiving[index];
        chain.is_of(stamp)?;
        if stamp.number >= chain.next {
            return Err(Refusal::Rejected);
        }
        self.receive_kept(index, stamp).map_err(|refusal| refusal.unwrap_or(Refusal::Rejected))
    }

    /// A number that was used or skipped. The error is `None` if the key does not open the body.
    fn receive_kept(&mut self, index: usize, stamp: &Stamp) -> Result<u32, Option<Refusal>> {
        let chain = &mut self.receiving[index];
        if !chain.kept.contains_key(&stamp.number) {
            let place = (chain.step, stamp.number);
            let known = self.remembered.iter().find(|(step, number, _)| (*step, *number) == place);
            return Err(Some(match known {
                Some((_, _, digest)) if *digest == stamp.digest => Refusal::Duplicate,
                Some((step, number, _)) => Refusal::Forked { step: *step, number: *number },
                None => Refusal::Spent,
            }));
        }
        if chain.chain != stamp.chain {
            return Err(None);
        }
        chain.kept.remove(&stamp.number);
        Ok(chain.step)
    }

    fn receive_next(&mut self, own: &Sending, stamp: &Stamp) -> Result<u32, Refusal> {
        // P-4.20: a peer steps with a new key, from the end of its chain.
        let known = self.receiving.iter().any(|chain| chain.ratchet_key == Some(stamp.ratchet_key));
        let received = self.receiving.front().map_or(0, |chain| chain.next);
        let impossible = self.receiving.is_empty() && stamp.previous != 0;
        if known || stamp.previous < received || impossible {
            return Err(Refusal::Diverged);
        }
        room(self.kept(), stamp.number + (stamp.previous - received))?;
        let [root, chain, next_header] = step(self.root, own.pair, stamp.ratchet_key);
        if chain != stamp.chain {
            return Err(Refusal::Diverged);
        }
        let at = self.received + 1;
        if let Some(last) = self.receiving.front_mut() {
            last.keep_until(stamp.previous, at);
        }
        self.step += 1;
        let (header, ratchet_key) = (self.next_header, Some(stamp.ratchet_key));
        let mut newest = Receiving { step: self.step, header, chain, ratchet_key, next: 0, kept: BTreeMap::new() };
        newest.keep_until(stamp.number, at);
        newest.next = stamp.number + 1;
        self.receiving.push_front(newest);
        self.root = root;
        self.next_header = next_header;
        self.previous = own.number;
        // P-4.7: the own pair is deleted.
        self.turn = Turn::Theirs(stamp.ratchet_key);
        Ok(self.step)
    }

    pub fn kept(&self) -> usize {
        self.receiving.iter().map(|chain| chain.kept.len()).sum()
    }

    /// P-4.14, P-4.17, P-4.18: what has ended goes. Returns how many keys.
    fn trim(&mut self) -> u32 {
        let before = self.kept();
        self.receiving.truncate(CHAINS);
        let received = self.received;
        for chain in &mut self.receiving {
            chain.kept.retain(|_, at| received - *at < KEPT_FOR);
        }
        let ended = before - self.kept();
        let mut index = 0;
        self.receiving.retain(|chain| {
            index += 1;
            index <= 2 || !chain.kept.is_empty()
        });
        u32::try_from(ended).unwrap()
    }
}

impl Receiving {
    /// P-4.21: two steps from one root.
    fn is_of(&self, stamp: &Stamp) -> Result<(), Refusal> {
        match self.ratchet_key {
            Some(key) if key != stamp.ratchet_key => Err(Refusal::Forked { step: self.step, number: stamp.number }),
            Some(_) | None => Ok(()),
        }
    }

    fn keep_until(&mut self, end: u32, at: u32) {
        self.kept.extend((self.next..end).map(|number| (number, at)));
        self.next = self.next.max(end);
    }
}

/// P-4.15: a message is read only if there is room for the keys of all that are missing before it.
fn room(kept: usize, missing: u32) -> Result<(), Refusal> {
    if kept + usize::try_from(missing).unwrap() > KEPT { Err(Refusal::Ahead { missing }) } else { Ok(()) }
}

/// Root key, chain 0, its header key, the header key of chain 1, and the initiator's first pair.
fn start(secret: Symbol) -> [Symbol; 5] {
    [1, 2, 3, 4, 5].map(|output| mix(&[secret, output]))
}

/// Root key, chain key, header key of the chain after. An agreement gives the same symbol on both sides.
fn step(root: Symbol, ours: Symbol, theirs: Symbol) -> [Symbol; 3] {
    [6, 7, 8].map(|output| mix(&[root, ours.min(theirs), ours.max(theirs), output]))
}

/// P-4.14, P-4.17: bounded skipped keys, in number and in age.
const KEPT: usize = 2_000;
const KEPT_FOR: u32 = 2_000;
/// P-4.18: bounded chains.
const CHAINS: usize = 5;
/// P-4.21: how many messages are remembered.
const REMEMBERED: usize = 8;
