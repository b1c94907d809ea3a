//! The epochs of the post-quantum ratchet in whole conversations, on good and bad networks, and the records that come of
//! them.

use bisik::{Ciphertext, DecryptError, InitiateOptions, Session};
use bisik_testkit::alice_and_bob::try_read;
use bisik_testkit::{AliceAndBob, SeededRng};
use rand::Rng;

use super::ends::{reloaded, round, sealed, state};

/// Bytes of the largest record without kept keys.
const LARGEST: usize = 2_560;

/// Two devices on a network that loses messages and delivers what is in flight in any order.
struct Line {
    both: AliceAndBob,
    sessions: [Session; 2],
    network: SeededRng,
    /// Percent of the messages that are lost.
    loss: u32,
    /// How many messages are in flight.
    window: usize,
    /// How many messages one side sends before it is the other's turn.
    turn: u32,
    in_flight: Vec<(usize, Ciphertext)>,
    restarts: bool,
    sent: u32,
    /// The lengths of all records without kept keys.
    sizes: Vec<usize>,
}

impl Line {
    fn new(seed: u64, loss: u32, window: usize, restarts: bool) -> Self {
        let mut both = AliceAndBob::new(seed);
        let (alice, bob) = both.established();
        let (sessions, network) = ([alice, bob], SeededRng::new(seed + 1_000));
        Self {
            both,
            sessions,
            network,
            loss,
            window,
            turn: 1,
            in_flight: Vec::new(),
            restarts,
            sent: 0,
            sizes: Vec::new(),
        }
    }

    /// One side sends; what the network has too much of is delivered.
    fn tick(&mut self) {
        let from = usize::try_from(self.sent / self.turn % 2).unwrap();
        let message = self.sessions[from].encrypt(b"pesan", &mut self.both.rng).unwrap();
        self.sent += 1;
        self.look(from);
        if self.network.next_u32() % 100 >= self.loss {
            self.in_flight.push((1 - from, message));
        }
        while self.in_flight.len() >= self.window {
            let index = usize::try_from(self.network.next_u32()).unwrap() % self.in_flight.len();
            let (to, message) = self.in_flight.swap_remove(index);
            let identity = [&self.both.alice, &self.both.bob][to];
            match try_read(&mut self.sessions[to], identity, &message) {
                Ok(plaintext) => assert_eq!(plaintext, b"pesan"),
                // Overtaken by five newer chains.
                Err(error) => assert_eq!((error, self.window > 1), (DecryptError::Rejected, true)),
            }
            self.look(to);
        }
    }

    fn look(&mut self, side: usize) {
        let session = &mut self.sessions[side];
        if session.skipped_keys() == 0 {
            self.sizes.push(sealed(session).len());
        }
        // Beyond that, each kept key costs no more than a run of its own, and each of their chains a header key.
        let kept = session.skipped_keys();
        assert!(sealed(session).len() <= LARGEST + 44 * kept + if kept > 0 { 3 * 84 } else { 0 });
        if self.restarts {
            *session = reloaded(session);
        }
    }

    fn epochs(&self) -> [u32; 2] {
        [0, 1].map(|side| self.sessions[side].post_quantum_age().epoch)
    }

    /// Returns how many messages were sent until both sides had mixed in the secrets of `epochs` epochs.
    fn until(&mut self, epochs: u32, limit: u32) -> u32 {
        while self.epochs().into_iter().min() < Some(epochs) {
            self.tick();
            assert!(self.sent <= limit, "{:?} epochs after {} messages", self.epochs(), self.sent);
            let [one, other] = self.epochs();
            assert!(one.abs_diff(other) <= 1, "a secret enters both roots, one step apart");
        }
        self.sent
    }
}

/// P-5.3, P-5.8
#[test]
fn the_secret_of_an_epoch_enters_both_roots_after_about_90_messages() {
    let mut line = Line::new(9, 0, 1, false);
    let first = line.until(1, 110);
    assert!(first >= 60, "{first}");
    let age = line.sessions[0].post_quantum_age();
    assert!((age.turns, age.faulted) < (2, false) && age.sent + age.received <= 2, "{age:?}");
    let ten = line.until(10, 1_100);
    println!("no loss: the first epoch after {first} messages, ten after {ten}");
}

/// P-5.3, P-5.7
#[test]
fn epochs_advance_over_a_network_that_loses_and_reorders() {
    for (loss, window, limit) in [(0, 10, 400), (30, 1, 400), (30, 10, 600), (30, 30, 1_200)] {
        let mut line = Line::new(10, loss, window, false);
        let five = line.until(5, limit * 5);
        println!("{loss} % loss, {window} in flight: {} messages an epoch", five / 5);
    }
}

#[test]
fn a_restart_after_every_message_changes_nothing_in_two_epochs() {
    for (loss, window) in [(0, 1), (30, 10)] {
        let [with, without] = [true, false].map(|restarts| {
            let mut line = Line::new(11, loss, window, restarts);
            let sent = line.until(2, 1_200);
            let states = line.sessions.each_mut().map(state);
            (sent, line.in_flight, states)
        });
        assert!(with == without);
    }
}

#[test]
fn a_record_without_kept_keys_stays_below_4_kib_and_half_of_them_below_1_9_kib() {
    let mut all = Vec::new();
    for (loss, window, turn) in [(0, 1, 1), (0, 1, 3), (0, 1, 50), (0, 10, 1), (30, 1, 1)] {
        let mut line = Line { turn, ..Line::new(12, loss, window, false) };
        line.until(4, 4_000);
        let mut sizes = line.sizes;
        assert!(sizes.len() > 20, "{}", sizes.len());
        sizes.sort_unstable();
        let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        println!(
            "{loss} % loss, {window} in flight, turns of {turn}: {} records, {median} median, {largest} largest",
            sizes.len()
        );
        assert!(median < 1_945, "1.9 KiB: {median}");
        all.extend(sizes);
    }
    // Before the first answer, with as many older sessions as can be named.
    let mut both = AliceAndBob::new(13);
    let (mut alice, mut bob) = both.established();
    round(&mut both, &mut alice, &mut bob);
    let offers = [(); 4].map(|()| alice.offer().unwrap());
    let bundle = both.verified(true);
    let options = InitiateOptions { offers: &offers, ..InitiateOptions::default() };
    let mut waiting = Session::initiate_with(&both.alice, &bundle, options, both.now, &mut both.rng).unwrap();
    let new = sealed(&mut waiting).len();
    let hello = waiting.encrypt(b"halo", &mut both.rng).unwrap();
    let mut accepted = both.accept(&hello).session;
    let sizes = [new, sealed(&mut waiting).len(), sealed(&mut accepted).len()];
    println!("waiting, waiting and sent, accepted: {sizes:?}");
    all.extend(sizes);
    all.sort_unstable();
    println!("all: {} to {}", all[0], all[all.len() - 1]);
    assert!(all[all.len() - 1] <= LARGEST && LARGEST < 4_096);
}
