//! A thief who copies the whole state of one side, leaves, and then records everything that is sent.
//!
//! One that has a quantum computer learns the secret of each ratchet key that he reads in a header: [`Logarithms`] of all
//! keys. Draws of ML-KEM after the theft he does not learn. One that has none knows the secret in the copy alone. His ratchet is made from the specification alone, so no check of
//! the library holds him up. His braid is the real one, from the stolen record: it takes in every part that the robbed
//! side's peer sends, those of lost messages too.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use bisik_core::braid::{Braid, Kind, NATIVE, Part, Refused};
use bisik_core::codec::Reader;
use bisik_testkit::fuzz::forge::{self, Header, Stepped};
use bisik_testkit::fuzz::overheard::Overheard;
use bisik_testkit::fuzz::ratchet_state::{RatchetState, Turn};
use bisik_testkit::fuzz::record::hmac;

/// Secrets of ratchet keys by public key: what is in a state, or all that a quantum computer finds.
#[derive(Default)]
pub(super) struct Logarithms {
    secrets: HashMap<[u8; 32], [u8; 32]>,
    /// Agreements of a step's key with the one before it, which many thieves need.
    agreed: RefCell<HashMap<[u8; 32], [u8; 32]>>,
}

impl Logarithms {
    /// Notes the own pair that is in a state.
    pub fn note(&mut self, state: &RatchetState) {
        if let Turn::Ours { secret, public, .. } = state.turn {
            self.secrets.insert(public, secret);
        }
    }

    /// The agreement of the ratchet key of a step with that of the step before. One of the two secrets suffices.
    fn agree(&self, new: &[u8; 32], old: &[u8; 32]) -> Option<[u8; 32]> {
        if let Some(agreed) = self.agreed.borrow().get(new) {
            return Some(*agreed);
        }
        let agreed = match (self.secrets.get(new), self.secrets.get(old)) {
            (Some(secret), _) => forge::agree(secret, old),
            (None, secret) => forge::agree(secret?, new),
        };
        self.agreed.borrow_mut().insert(*new, agreed);
        Some(agreed)
    }
}

/// What the thief gets of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Read(Vec<u8>),
    /// The header of the first chain whose bodies are closed.
    Header,
    Nothing,
}

/// The step that a thief cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub step: u32,
    /// The epoch whose secret he lacks; `None` if he lacks an agreement.
    pub epoch: Option<u32>,
}

/// One chain, of either side.
struct Chain {
    header: [u8; 32],
    /// The chain key for message `next`, and the keys of messages before it that have not been seen.
    key: [u8; 32],
    next: u32,
    kept: BTreeMap<u32, [u8; 32]>,
}

pub(super) struct Thief {
    root: [u8; 32],
    step: u32,
    /// The ratchet key of the newest step.
    ratchet_key: [u8; 32],
    next_header: [u8; 32],
    /// The newest chains first; no more than one of each side are in use.
    chains: Vec<Chain>,
    mixed: u32,
    /// The newest secret of an epoch that he has.
    secret: Option<(u32, [u8; 32])>,
    braid: Braid,
    closed: Option<Closed>,
}

impl Thief {
    pub fn new(state: &RatchetState, initiator: bool) -> Self {
        let newest = &state.chains[0];
        let kept = newest.kept.iter().map(|(number, (key, _))| (*number, *key)).collect();
        let received = Chain { header: newest.header, key: newest.key.unwrap(), next: newest.next, kept };
        let (ratchet_key, chains) = match state.turn {
            Turn::Ours { public, header, chain, number, .. } => {
                let own = Chain { header, key: chain, next: number, kept: BTreeMap::new() };
                (public, vec![own, received])
            }
            Turn::Theirs => (newest.ratchet_key, vec![received]),
            Turn::Awaiting => panic!("both sides have written"),
        };
        Self {
            root: state.root,
            step: state.step,
            ratchet_key,
            next_header: state.next_header,
            chains,
            mixed: state.mixed,
            secret: state.pending,
            braid: Braid::read(&NATIVE, initiator, &mut Reader::new(&state.braid)).unwrap(),
            closed: None,
        }
    }

    /// The step that he could not follow.
    pub fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// Tries one message. `from_peer` says whether it is to the side that was robbed.
    pub fn see(&mut self, message: &Overheard, from_peer: bool, logarithms: &Logarithms) -> Seen {
        let mut chains = self.chains.iter().enumerate();
        let known = chains.find_map(|(index, chain)| Some((index, message.header(&chain.header)?)));
        let (index, header) = match known.or_else(|| Some((NEXT, message.header(&self.next_header)?))) {
            None => return Seen::Nothing,
            Some((NEXT, header)) if self.follow(&header, logarithms) => (0, header),
            Some((NEXT, _)) => return Seen::Header,
            Some(known) => known,
        };
        let chain = &mut self.chains[index];
        let Some(key) = chain.message_key(header.number) else { return Seen::Nothing };
        let plaintext = message.body(&key).expect("whoever has the key of a chain has those of its messages");
        if from_peer {
            self.collect(&header);
        }
        Seen::Read(plaintext)
    }

    /// Takes the step of a new chain, if he has all that enters it.
    fn follow(&mut self, header: &Header, logarithms: &Logarithms) -> bool {
        if self.closed.is_some() {
            return false;
        }
        let step = self.step + 1;
        let epoch = match self.secret {
            _ if header.mixed == self.mixed => [0; 32],
            Some((epoch, secret)) if header.mixed == epoch => secret,
            _ => {
                self.closed = Some(Closed { step, epoch: Some(header.mixed) });
                return false;
            }
        };
        let Some(agreed) = logarithms.agree(&header.ratchet_key, &self.ratchet_key) else {
            self.closed = Some(Closed { step, epoch: None });
            return false;
        };
        let Stepped { root, chain, next_header } =
            forge::step(&self.root, &agreed, &self.ratchet_key, step, &epoch, header);
        self.chains.insert(0, Chain { header: self.next_header, key: chain, next: 0, kept: BTreeMap::new() });
        self.chains.truncate(2);
        (self.root, self.step, self.mixed) = (root, step, header.mixed);
        (self.ratchet_key, self.next_header) = (header.ratchet_key, next_header);
        true
    }

    /// Gives the stolen braid a part, as the robbed side does that receives it.
    fn collect(&mut self, header: &Header) {
        let kind = Kind::try_from(header.kinds & 0x0f).unwrap();
        let part = Part { epoch: header.epoch, kind, number: header.chunk_number, chunk: header.chunk };
        match self.braid.receive(&part) {
            Ok(received) => {
                self.braid.apply(received.change);
                let secret = received.secret.map(|secret| (secret.epoch, *secret.secret.expose()));
                self.secret = secret.or(self.secret);
            }
            // Of an epoch that he can take no part in.
            Err(Refused::Epoch) => {}
            Err(other) => panic!("{other}: both sides are honest"),
        }
    }
}

impl Chain {
    fn message_key(&mut self, number: u32) -> Option<[u8; 32]> {
        while self.next <= number {
            self.kept.insert(self.next, hmac(&self.key, &[&[0x01]]));
            self.key = hmac(&self.key, &[&[0x02]]);
            self.next += 1;
        }
        self.kept.remove(&number)
    }
}

/// Stands for the chain that the next step makes.
const NEXT: usize = usize::MAX;
