//! Two devices in one session, on a network that loses messages and delivers what is in flight in any order.

use bisik::{Ciphertext, DecryptError, Session};
use bisik_testkit::alice_and_bob::try_read;
use bisik_testkit::{AliceAndBob, SeededRng};
use rand::Rng;

use super::ends::{reloaded, sealed};
use super::restarts::Twins;

/// Bytes of the largest record without kept keys.
pub(super) const LARGEST: usize = 2_560;

/// Who writes, and what the network does.
#[derive(Clone, Copy)]
pub(super) struct Traffic {
    /// Percent of the messages that are lost.
    pub loss: u32,
    /// How many messages are in flight.
    pub window: usize,
    /// How many messages each side sends before it is the other's turn: at least, and at most.
    pub turns: [(u32, u32); 2],
    /// Whether both sides are stored and loaded again after each message that they send or receive.
    pub restarts: bool,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { loss: 0, window: 1, turns: [(1, 1); 2], restarts: false }
    }
}

/// A conversation of Alice, side 0, and Bob, side 1.
pub(super) struct Line {
    pub both: AliceAndBob,
    pub sessions: [Session; 2],
    network: SeededRng,
    traffic: Traffic,
    /// Whose turn it is, and how many messages are left of it.
    turn: (usize, u32),
    /// Messages by receiver, each with its place among all that were sent.
    pub in_flight: Vec<(usize, u32, Ciphertext)>,
    pub sent: u32,
    pub turns: u32,
    /// The lengths of all records without kept keys.
    pub sizes: Vec<usize>,
    /// Compares both sides with restarted ones.
    pub twins: Option<Twins>,
}

impl Line {
    pub fn new(seed: u64, traffic: Traffic) -> Self {
        let mut both = AliceAndBob::new(seed);
        let (alice, bob) = both.established();
        let (sessions, network) = ([alice, bob], SeededRng::new(seed + 1_000));
        let (in_flight, sizes) = (Vec::new(), Vec::new());
        Self { both, sessions, network, traffic, turn: (1, 0), in_flight, sent: 0, turns: 0, sizes, twins: None }
    }

    /// One side sends; what the network has too much of is delivered.
    pub fn tick(&mut self) {
        self.send();
        self.deliver();
    }

    /// One side sends. Returns which, and its message, which the network may lose.
    pub fn send(&mut self) -> (usize, Ciphertext) {
        let from = self.next_sender();
        let (session, rng) = (&mut self.sessions[from], &mut self.both.rng);
        let message = match &mut self.twins {
            Some(twins) => twins.encrypt(session, PLAINTEXT, rng),
            None => session.encrypt(PLAINTEXT, rng).unwrap(),
        };
        let number = self.sent;
        self.sent += 1;
        self.look(from);
        if self.network.next_u32() % 100 >= self.traffic.loss {
            self.in_flight.push((1 - from, number, message.clone()));
        }
        (from, message)
    }

    /// What the network has too much of is delivered.
    pub fn deliver(&mut self) {
        while self.in_flight.len() >= self.traffic.window {
            let index = usize::try_from(self.network.next_u32()).unwrap() % self.in_flight.len();
            let (to, _, message) = self.in_flight.swap_remove(index);
            let identity = [&self.both.alice, &self.both.bob][to];
            let session = &mut self.sessions[to];
            let read = match &mut self.twins {
                Some(twins) => twins.decrypt(session, identity, &message),
                None => try_read(session, identity, &message),
            };
            match read {
                Ok(plaintext) => assert_eq!(plaintext, PLAINTEXT),
                // Overtaken by five newer chains.
                Err(error) => assert_eq!((error, self.traffic.window > 1), (DecryptError::Rejected, true)),
            }
            self.look(to);
        }
    }

    fn next_sender(&mut self) -> usize {
        let (mut from, mut left) = self.turn;
        if left == 0 {
            from = 1 - from;
            let (least, most) = self.traffic.turns[from];
            left = if least == most { least } else { least + self.network.next_u32() % (most - least + 1) };
            self.turns += 1;
        }
        self.turn = (from, left - 1);
        from
    }

    fn look(&mut self, side: usize) {
        let session = &mut self.sessions[side];
        let (length, kept) = (sealed(session).len(), session.skipped_keys());
        if kept == 0 {
            self.sizes.push(length);
        }
        // Beyond that, each kept key costs no more than a run of its own, and each of their chains a header key.
        assert!(length <= LARGEST + 44 * kept + if kept > 0 { 3 * 84 } else { 0 });
        if self.traffic.restarts {
            *session = reloaded(session);
        }
    }

    pub fn epochs(&self) -> [u32; 2] {
        [0, 1].map(|side| self.sessions[side].post_quantum_age().epoch)
    }

    /// Returns how many messages were sent until both sides had mixed in the secrets of `epochs` epochs.
    pub fn until(&mut self, epochs: u32, limit: u32) -> u32 {
        while self.epochs().into_iter().min() < Some(epochs) {
            self.tick();
            assert!(self.sent <= limit, "{:?} epochs after {} messages", self.epochs(), self.sent);
            let [one, other] = self.epochs();
            assert!(one.abs_diff(other) <= 1, "a secret enters both roots, one step apart");
        }
        self.sent
    }
}

/// What everybody writes.
pub(super) const PLAINTEXT: &[u8] = b"pesan";
