//! The ratchet alone, and plaintext that was never released: nothing of them is left in freed memory.

use bisik::StorageKey;
use bisik::ratchet::{DoubleRatchet, SharedSecret};

use super::canaries::Canaries;
use super::derived::{add_ratchet, state_of};
use super::freed::{Freed, freed_by};
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x3B; 32];

/// Both ends, the randomness drawn for each, and the secrets seen in their states.
struct Ends {
    alice: DoubleRatchet,
    bob: DoubleRatchet,
    rngs: [Recording; 2],
    canaries: Canaries,
    freed: Freed,
}

impl Ends {
    fn new(seed: u64) -> Self {
        let mut rngs = [Recording::new(seed), Recording::new(seed + 1000)];
        let shared = rngs[0].secret();
        let ((alice, bob), freed) = freed_by(|| {
            let [first, second] = [shared, shared].map(|bytes| Box::new(SharedSecret::from_bytes(bytes)));
            let alice = DoubleRatchet::initiator(&first, &[7; 32], &mut rngs[0]);
            (alice, DoubleRatchet::responder(&second, &[7; 32]))
        });
        let mut ends = Self { alice, bob, rngs, canaries: Canaries::new(), freed };
        ends.look();
        ends
    }

    /// Adds everything secret in both states to the secrets to search for.
    fn look(&mut self) {
        let mut nonces = Recording::new(0);
        for ratchet in [&self.alice, &self.bob] {
            let record = ratchet.seal(&StorageKey::from_bytes(STORAGE), b"", &mut nonces);
            add_ratchet(&mut self.canaries, &state_of(&record, &STORAGE));
        }
    }

    /// One step of a conversation, with a look at both states before and after.
    fn step<T>(&mut self, step: impl FnOnce(&mut DoubleRatchet, &mut DoubleRatchet, &mut [Recording; 2]) -> T) -> T {
        let (result, freed) = freed_by(|| step(&mut self.alice, &mut self.bob, &mut self.rngs));
        self.freed.extend(freed);
        self.look();
        result
    }

    fn finish(self) {
        let Self { alice, bob, rngs, mut canaries, mut freed } = self;
        freed.extend(freed_by(|| drop((Box::new(alice), Box::new(bob)))).1);
        let [alices, bobs] = rngs;
        canaries.add_agreements(&alices, &bobs);
        canaries.add_expanded("alice", &alices);
        canaries.add_expanded("bob", &bobs);
        canaries.assert_absent(&freed);
    }
}

#[test]
fn ratchet_steps_and_skipped_keys_leave_nothing_in_freed_memory() {
    let mut ends = Ends::new(1);
    for turn in 0..3 {
        let messages: Vec<_> =
            (0..40).map(|_| ends.step(|alice, _, [rng, _]| alice.encrypt(b"halo", rng).unwrap())).collect();
        // Out of order: the first message skips 29 keys; the last ten are lost when the next step comes.
        for number in [29, 3, 28, 0, 15] {
            ends.step(|_, bob, _| bob.decrypt(&messages[number]).unwrap());
        }
        assert_eq!(ends.bob.skipped_keys(), 25 + turn * 35);
        let answer = ends.step(|_, bob, [_, rng]| bob.encrypt(b"hai", rng).unwrap());
        ends.step(|alice, _, _| alice.decrypt(&answer).unwrap());
    }
    ends.finish();
}

#[test]
fn dropped_skipped_keys_leave_nothing_in_freed_memory() {
    let mut ends = Ends::new(2);
    // More than the store holds, twice: the oldest keys are dropped. Six turns: the oldest chains are dropped too.
    for _ in 0..6 {
        let last = ends.step(|alice, _, [rng, _]| (0..700).map(|_| alice.encrypt(b"", rng).unwrap()).last().unwrap());
        ends.step(|_, bob, _| bob.decrypt_giving_up(&last).unwrap());
        let answer = ends.step(|_, bob, [_, rng]| bob.encrypt(b"", rng).unwrap());
        ends.step(|alice, _, _| alice.decrypt(&answer).unwrap());
    }
    assert_eq!(ends.bob.skipped_keys(), 2_000);
    ends.finish();
}

/// A state that was staged, sealed and discarded is wiped like one that is kept.
#[test]
fn an_uncommitted_staged_message_leaves_nothing_in_freed_memory() {
    let mut ends = Ends::new(3);
    let messages: Vec<_> =
        (0..5).map(|_| ends.step(|alice, _, [rng, _]| alice.encrypt(b"halo", rng).unwrap())).collect();
    // First with a step, then within the chain, then from a skipped key.
    for number in [2, 4, 1] {
        ends.step(|_, bob, [_, rng]| {
            let staged = bob.stage(&messages[number]).unwrap();
            let record = staged.seal(&StorageKey::from_bytes(STORAGE), b"", rng);
            drop(staged);
            drop(Box::new(DoubleRatchet::unseal(&StorageKey::from_bytes(STORAGE), b"", &record).unwrap()));
        });
        ends.step(|_, bob, _| bob.decrypt(&messages[number]).unwrap());
    }
    ends.finish();
}

#[test]
fn plaintext_that_was_not_released_is_wiped() {
    let mut ends = Ends::new(4);
    let plaintext = [ends.rngs[0].secret(), ends.rngs[0].secret()].concat();
    let message = ends.step(|alice, _, [rng, _]| alice.encrypt(&plaintext, rng).unwrap());
    let mut forged = message.clone();
    *forged.last_mut().unwrap() ^= 1;
    ends.step(|_, bob, _| {
        drop(bob.stage(&message).unwrap());
        bob.decrypt(&forged).unwrap_err();
    });
    let mut plain = Canaries::new();
    plain.add("plaintext", &plaintext);
    let ((), shown) = freed_by(|| drop(ends.bob.decrypt(&message).unwrap()));
    assert_ne!(
        plain.found_in(&shown).len(),
        0,
        "released plaintext belongs to the caller: the search would have found it"
    );
    ends.finish();
}

#[test]
fn forged_messages_and_damaged_records_leave_nothing_in_freed_memory() {
    let mut ends = Ends::new(5);
    let message = ends.step(|alice, _, [rng, _]| alice.encrypt(b"halo", rng).unwrap());
    for place in [0, 20, 100, 118, 135] {
        let mut forged = message.clone();
        forged[place] ^= 1;
        ends.step(|_, bob, _| bob.decrypt(&forged).unwrap_err());
    }
    ends.step(|alice, _, [rng, _]| {
        let mut record = alice.seal(&StorageKey::from_bytes(STORAGE), b"", rng);
        record[40] ^= 1;
        assert!(DoubleRatchet::unseal(&StorageKey::from_bytes(STORAGE), b"", &record).is_err());
    });
    ends.finish();
}
