//! [`Simulation`]: pairs of devices, the network between them, and the invariants that always hold.

use std::collections::BTreeSet;
use std::rc::Rc;

use bisik::{Ciphertext, IdentityKey, Timestamp};

use super::checked_session::Sent;
use super::device::Device;
use super::event::{Crash, Event, Side};
use super::prekey_pool::{DAY, PreKeyHeader, Server};
use super::receive::{Outcome, spy};
use super::symbolic::{Stamp, Symbol};
use crate::rng::SeededRng;

/// A message in flight, with its model.
pub struct Envelope {
    /// Its index in the pair's log.
    pub id: usize,
    pub from: Side,
    /// The identity in whose name it is written.
    pub author: IdentityKey,
    pub ciphertext: Ciphertext,
    pub plaintext: Vec<u8>,
    pub stamp: Stamp,
    pub session: Symbol,
    pub header: Option<PreKeyHeader>,
    /// Whether an attacker wrote it.
    pub forged: bool,
}

/// Two devices and the network between them, with a clock of their own: time passes for a pair by its own events, as much
/// with many pairs as with one.
pub struct Pair {
    pub now: Timestamp,
    pub devices: [Device; 2],
    servers: [Server; 2],
    pub in_flight: Vec<Rc<Envelope>>,
    /// Everything that a device ever sent: what a relay has.
    pub log: Vec<Rc<Envelope>>,
    pub partitioned: bool,
    salts: BTreeSet<Vec<u8>>,
    written: u32,
    /// Envelopes that the network lost.
    pub lost: BTreeSet<usize>,
    /// Envelopes that an attacker read.
    pub spied: BTreeSet<usize>,
    /// Outcomes of all deliveries.
    pub outcomes: Vec<(usize, Outcome)>,
}

/// Pairs of devices.
pub struct Simulation {
    pub pairs: Vec<Pair>,
}

impl Simulation {
    pub fn new(seed: u64, pairs: usize) -> Self {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let rng = SeededRng::new(seed);
        let pairs = (0_u64..).take(pairs).map(|index| Pair::new(&rng.fork(index), now)).collect();
        Self { pairs }
    }

    /// Runs a script of events on two devices: a whole fuzz target. Returns if every invariant held.
    pub fn replay(mut script: &[u8]) {
        let mut simulation = Self::new(1, 1);
        for _ in 0..MAX_EVENTS {
            let Some(event) = Event::read(&mut script) else { break };
            simulation.apply(0, event);
        }
        simulation.settle();
    }

    /// Applies one event to one pair.
    pub fn apply(&mut self, pair: usize, event: Event) {
        let index = pair % self.pairs.len();
        self.pairs[index].apply(event);
    }

    /// The network heals and delivers what it has, in the order it was sent.
    pub fn settle(&mut self) {
        for pair in &mut self.pairs {
            pair.settle();
        }
    }
}

impl Pair {
    fn new(rng: &SeededRng, now: Timestamp) -> Self {
        let mut servers = [Server::default(), Server::default()];
        let [left, right] = &mut servers;
        let devices =
            [Device::new(Side::Left, now, rng.fork(2), left), Device::new(Side::Right, now, rng.fork(3), right)];
        Self {
            now,
            devices,
            servers,
            in_flight: Vec::new(),
            log: Vec::new(),
            partitioned: false,
            salts: BTreeSet::new(),
            written: 0,
            lost: BTreeSet::new(),
            spied: BTreeSet::new(),
            outcomes: Vec::new(),
        }
    }

    fn apply(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Send { from, length } => self.send(from, length, now, None),
            Event::SendThenCrash { from, at } => self.send(from, 0, now, Some(at)),
            Event::Deliver { nth } => self.deliver(nth, None),
            Event::DeliverThenCrash { nth, at } => self.deliver(nth, Some(at)),
            Event::Partition => self.partitioned = true,
            Event::Heal => self.partitioned = false,
            Event::Restart { side } => self.restart(side),
            Event::Restore { side, age, rewind } => self.device(side).restore(usize::from(age), rewind),
            Event::Advance { days } => {
                self.now = now.plus_seconds(u64::from(days) * DAY / 4);
                for side in Side::BOTH {
                    self.devices[side.index()].refresh(&mut self.servers[side.index()], self.now);
                }
            }
            Event::Renew { side } => {
                self.devices[side.index()].initiate(&mut self.servers[side.other().index()], now);
                self.device(side).store();
            }
            Event::Copy { side } => self.copy(side),
            Event::Forge { side } => self.forge(side),
            Event::Duplicate { .. }
            | Event::Drop { .. }
            | Event::Corrupt { .. }
            | Event::Cut { .. }
            | Event::Extend { .. }
            | Event::Reflect { .. } => self.disturb(event),
        }
        self.check();
    }

    /// Applies an event of the network to an envelope in flight.
    fn disturb(&mut self, event: Event) {
        let (Event::Duplicate { nth }
        | Event::Drop { nth }
        | Event::Corrupt { nth, .. }
        | Event::Cut { nth, .. }
        | Event::Extend { nth, .. }
        | Event::Reflect { nth }) = event
        else {
            return;
        };
        let Some(index) = usize::from(nth).checked_rem(self.in_flight.len()) else { return };
        let envelope = Rc::clone(&self.in_flight[index]);
        let mut bytes = envelope.ciphertext.as_bytes().to_vec();
        match event {
            Event::Duplicate { .. } => return self.carry(envelope),
            Event::Drop { .. } => return self.lose(index),
            Event::Reflect { .. } => return self.reflect(&envelope),
            Event::Corrupt { at, mask, .. } => {
                let at = usize::from(at) % bytes.len();
                bytes[at] ^= mask.max(1);
            }
            Event::Cut { keep, .. } => bytes.truncate(usize::from(keep) % bytes.len()),
            Event::Extend { by, .. } => bytes.resize(bytes.len() + 1 + usize::from(by), by),
            _ => return,
        }
        self.device(envelope.from.other()).refuse(&bytes);
    }

    fn send(&mut self, from: Side, length: u8, now: Timestamp, crash: Option<Crash>) {
        let plaintext = self.plaintext(length);
        let server = &mut self.servers[from.other().index()];
        if let Some(sent) = self.devices[from.index()].send(&plaintext, server, now, crash) {
            self.post(from, plaintext, sent, false);
        }
    }

    fn forge(&mut self, side: Side) {
        let plaintext = self.plaintext(7);
        if let Some(sent) = self.device(side).forge(&plaintext) {
            self.post(side, plaintext, sent, true);
        }
    }

    /// Returns a new plaintext, unlike all others.
    fn plaintext(&mut self, length: u8) -> Vec<u8> {
        self.written += 1;
        let mut plaintext = self.written.to_be_bytes().to_vec();
        plaintext.resize(4 + usize::from(length), length);
        plaintext
    }

    /// A message leaves its device: the relay stores it, and the attacker tries to read it.
    fn post(&mut self, from: Side, plaintext: Vec<u8>, sent: Sent, forged: bool) {
        let Sent { ciphertext, stamp, session, header } = sent;
        let fresh = self.salts.insert(salt(&ciphertext).to_vec());
        assert!(fresh, "two plaintexts share a salt");
        let wire = Ciphertext::from_bytes(ciphertext.as_bytes()).unwrap();
        assert!(wire == ciphertext && wire.as_bytes().len() - plaintext.len() == overhead(&wire));
        let author = *self.device(from).identity.public();
        let id = self.log.len();
        let envelope =
            Rc::new(Envelope { id, from, author, ciphertext: wire, plaintext, stamp, session, header, forged });
        let Device { spy: copy, identity, .. } = &mut self.devices[from.other().index()];
        if copy.as_mut().is_some_and(|sessions| spy(sessions, identity, &envelope)) {
            self.spied.insert(id);
        }
        self.log.push(Rc::clone(&envelope));
        self.carry(envelope);
    }

    fn carry(&mut self, envelope: Rc<Envelope>) {
        self.in_flight.push(envelope);
        if self.in_flight.len() > MAX_IN_FLIGHT {
            self.lose(0);
        }
    }

    fn lose(&mut self, index: usize) {
        let envelope = self.in_flight.remove(index);
        self.lost.insert(envelope.id);
    }

    fn deliver(&mut self, nth: u8, crash: Option<Crash>) {
        let Some(index) = usize::from(nth).checked_rem(self.in_flight.len()) else { return };
        if self.partitioned {
            return;
        }
        let envelope = self.in_flight.remove(index);
        let outcome = self.device(envelope.from.other()).receive(&envelope, crash);
        self.outcomes.push((envelope.id, outcome));
        if crash == Some(Crash::BeforeStore) {
            self.in_flight.insert(index, envelope);
        }
    }

    /// A message returns to its sender, which must not take it for the peer's.
    fn reflect(&mut self, envelope: &Envelope) {
        self.device(envelope.from).refuse(envelope.ciphertext.as_bytes());
    }

    fn restart(&mut self, side: Side) {
        let device = self.device(side);
        assert!(device.live.is_stored(), "between two events everything is stored");
        device.restart();
        assert!(device.live.is_stored(), "a restart changes nothing");
    }

    fn copy(&mut self, side: Side) {
        let device = &mut self.devices[side.index()];
        let read: Vec<_> = device.live.read.iter().rev().take(RECENT).map(|id| Rc::clone(&self.log[*id])).collect();
        device.copy(read.iter().map(|envelope| &envelope.ciphertext));
    }

    pub fn settle(&mut self) {
        self.partitioned = false;
        while !self.in_flight.is_empty() {
            self.deliver(0, None);
            self.check();
        }
    }

    pub fn device(&mut self, side: Side) -> &mut Device {
        &mut self.devices[side.index()]
    }

    /// The messages that were sent, not lost by the network, and not read by their receiver.
    pub fn unread(&self) -> impl Iterator<Item = &Rc<Envelope>> {
        self.log.iter().filter(|envelope| {
            let read = &self.devices[envelope.from.other().index()].live.read;
            !read.contains(&envelope.id) && !self.lost.contains(&envelope.id)
        })
    }

    /// Checks the invariants that hold between any two events.
    fn check(&self) {
        for checked in self.devices.iter().flat_map(|device| &device.live.sessions) {
            assert_eq!(
                checked.session.skipped_keys(),
                checked.model.ratchet.kept(),
                "exactly the keys of missing messages are kept"
            );
            assert!(checked.session.skipped_keys() <= 2_000);
        }
    }
}

/// The salt of a message.
pub fn salt(message: &Ciphertext) -> &[u8] {
    let start = if message.is_pre_key_message() { 1 + PRE_KEY_HEADER } else { 1 };
    &message.as_bytes()[start..start + 16]
}

/// Ciphertext expansion in bytes.
pub fn overhead(message: &Ciphertext) -> usize {
    if message.is_pre_key_message() { 133 + PRE_KEY_HEADER } else { 133 }
}

/// Bytes of a pre-key header.
const PRE_KEY_HEADER: usize = bisik::handshake::PreKeyHeader::LENGTH;
/// Limits that keep a fuzzer's simulation small.
const MAX_EVENTS: usize = 512;
const MAX_IN_FLIGHT: usize = 48;
const RECENT: usize = 16;
