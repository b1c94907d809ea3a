//! The bounds of a session (docs/protocol.md, section 4.7): in work, in memory, in the length of a message.
//!
//! Does not measure time: what is refused is refused whatever it would have cost.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bisik::{AcceptError, Ciphertext, DecryptError, EncryptError, Session, Trust};
use support::People;
use support::people::{reloaded, state};

const MAX_JUMP: usize = 25_000;
const MAX_KEPT: usize = 2_000;
const MAX_PLAINTEXT: usize = 64 << 20;

/// One chain of 25,003 messages, of which almost nothing arrives.
#[test]
fn a_message_too_far_ahead_is_refused_and_the_last_one_in_reach_is_read() {
    let mut people = People::new(1);
    let mut alice = people.initiate(true);
    let chain: Vec<_> = (0..MAX_JUMP + 3).map(|_| alice.encrypt(b"", &mut people.rng).unwrap()).collect();

    // As the first that arrives: 25,000 may be missing before it.
    let accept = |message| Session::accept(&people.bob, &people.keys, message, Trust::OnFirstUse);
    assert_eq!(accept(&chain[MAX_JUMP + 1]).unwrap_err(), AcceptError::TooFarAhead);
    assert_eq!(accept(&chain[MAX_JUMP]).unwrap().session.skipped_keys(), MAX_KEPT);

    // In a chain that is known.
    let mut bob = people.accept(&chain[0]).session;
    let before = state(&bob);
    assert_eq!(bob.decrypt(&chain[MAX_JUMP + 2]), Err(DecryptError::TooFarAhead));
    assert!(before == state(&bob), "refused before any work is kept");
    let mut ahead = reloaded(&bob);
    ahead.decrypt(&chain[MAX_JUMP + 1]).unwrap();
    keeps_the_newest(&mut ahead, &chain);

    // At the end of a chain, as the next one claims it to be.
    let reply = bob.encrypt(b"", &mut people.rng).unwrap();
    alice.decrypt(&reply).unwrap();
    let next = alice.encrypt(b"", &mut people.rng).unwrap();
    let before = state(&bob);
    assert_eq!(bob.decrypt(&next), Err(DecryptError::TooFarAhead));
    assert!(before == state(&bob));
    // With two fewer missing it is in reach, with one fewer it is not.
    bob.decrypt(&chain[1]).unwrap();
    assert_eq!(bob.decrypt(&next), Err(DecryptError::TooFarAhead));
    bob.decrypt(&chain[2]).unwrap();
    bob.decrypt(&next).unwrap();
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
}

/// Of all that is missing the newest 2,000 can still come; the state stays small.
fn keeps_the_newest(bob: &mut Session, chain: &[Ciphertext]) {
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    assert!(state(bob).len() <= 2_048 + 36 * MAX_KEPT);
    let oldest = MAX_JUMP + 1 - MAX_KEPT;
    assert_eq!(bob.decrypt(&chain[oldest - 1]), Err(DecryptError::Replayed), "given up");
    bob.decrypt(&chain[oldest]).unwrap();
    bob.decrypt(&chain[MAX_JUMP]).unwrap();
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 2);
}

/// Over several chains the bound is one, and the oldest chain pays.
#[test]
fn kept_keys_are_bounded_over_all_chains_and_the_oldest_go_first() {
    let mut people = People::new(2);
    let (mut alice, mut bob) = people.established();
    let mut chains = Vec::new();
    for _ in 0..3 {
        let chain: Vec<_> = (0..901).map(|_| alice.encrypt(b"", &mut people.rng).unwrap()).collect();
        bob.decrypt(&chain[900]).unwrap();
        assert!(bob.skipped_keys() <= MAX_KEPT);
        let reply = bob.encrypt(b"", &mut people.rng).unwrap();
        alice.decrypt(&reply).unwrap();
        chains.push(chain);
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    // 2,700 were missing: the first 700 of the oldest chain are given up.
    assert_eq!(bob.decrypt(&chains[0][699]), Err(DecryptError::Replayed));
    for message in [&chains[0][700], &chains[0][899], &chains[1][0], &chains[2][0]] {
        bob.decrypt(message).unwrap();
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 4);
}

/// P-4.12
#[test]
fn a_plaintext_has_at_most_64_mib() {
    let mut people = People::new(3);
    let (mut alice, mut bob) = people.established();
    let before = state(&alice);
    let too_long = vec![0; MAX_PLAINTEXT + 1];
    assert_eq!(alice.encrypt(&too_long, &mut people.rng).unwrap_err(), EncryptError::TooLong);
    assert!(before == state(&alice));
    // Nobody honest writes it, and nobody reads it.
    let mut bytes = vec![0; 133 + MAX_PLAINTEXT + 1];
    bytes[0] = 0x22;
    let message = Ciphertext::try_from(bytes).unwrap();
    assert_eq!(bob.decrypt(&message), Err(DecryptError::Malformed));
}
