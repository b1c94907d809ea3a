//! Limits of a session (docs/spec/session.md, section 4.7): skipped message keys, receiving chains, and the length of a
//! message.

use bisik::{AcceptError, Ciphertext, DecryptError, EncryptError, Session, Trust};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{reloaded, state};

const MAX_SKIP: usize = 25_000;
const MAX_KEPT: usize = 2_000;
const MAX_PLAINTEXT: usize = 64 << 20;

/// One chain of 25,003 messages, most of which never arrive.
#[test]
fn skipping_25000_messages_is_allowed_and_one_more_is_refused() {
    let mut both = AliceAndBob::new(1);
    let mut alice = both.initiate(true);
    let chain: Vec<_> = (0..MAX_SKIP + 3).map(|_| alice.encrypt(b"", &mut both.rng).unwrap()).collect();

    // Up to 25,000 messages may be missing before the pre-key message that arrives.
    let accept = |message| Session::accept(&both.bob, &both.keys, message, Trust::OnFirstUse);
    assert_eq!(accept(&chain[MAX_SKIP + 1]).unwrap_err(), AcceptError::TooFarAhead);
    assert_eq!(accept(&chain[MAX_SKIP]).unwrap().session.skipped_keys(), MAX_KEPT);

    // In a known chain.
    let mut bob = both.accept(&chain[0]).session;
    let before = state(&bob);
    assert_eq!(bob.decrypt(&chain[MAX_SKIP + 2]), Err(DecryptError::TooFarAhead));
    assert!(before == state(&bob), "refused before any work is kept");
    let mut ahead = reloaded(&bob);
    ahead.decrypt(&chain[MAX_SKIP + 1]).unwrap();
    keeps_the_newest(&mut ahead, &chain);

    // At the end of a chain, by the number in the header of the next chain.
    let reply = bob.encrypt(b"", &mut both.rng).unwrap();
    alice.decrypt(&reply).unwrap();
    let next = alice.encrypt(b"", &mut both.rng).unwrap();
    let before = state(&bob);
    assert_eq!(bob.decrypt(&next), Err(DecryptError::TooFarAhead));
    assert!(before == state(&bob));
    // With two fewer missing it is accepted, with one fewer it is not.
    bob.decrypt(&chain[1]).unwrap();
    assert_eq!(bob.decrypt(&next), Err(DecryptError::TooFarAhead));
    bob.decrypt(&chain[2]).unwrap();
    bob.decrypt(&next).unwrap();
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
}

/// The newest 2,000 of all missing messages can still arrive; the state stays small.
fn keeps_the_newest(bob: &mut Session, chain: &[Ciphertext]) {
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    assert!(state(bob).len() <= 2_048 + 36 * MAX_KEPT);
    let oldest = MAX_SKIP + 1 - MAX_KEPT;
    assert_eq!(bob.decrypt(&chain[oldest - 1]), Err(DecryptError::Replayed), "given up");
    bob.decrypt(&chain[oldest]).unwrap();
    bob.decrypt(&chain[MAX_SKIP]).unwrap();
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 2);
}

/// The bound covers all chains together, and the oldest chain loses its keys first.
#[test]
fn skipped_message_keys_are_bounded_and_the_oldest_dropped_first() {
    let mut both = AliceAndBob::new(2);
    let (mut alice, mut bob) = both.established();
    let mut chains = Vec::new();
    for _ in 0..3 {
        let chain: Vec<_> = (0..901).map(|_| alice.encrypt(b"", &mut both.rng).unwrap()).collect();
        bob.decrypt(&chain[900]).unwrap();
        assert!(bob.skipped_keys() <= MAX_KEPT);
        let reply = bob.encrypt(b"", &mut both.rng).unwrap();
        alice.decrypt(&reply).unwrap();
        chains.push(chain);
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    // 2,700 were missing: the first 700 keys of the oldest chain are dropped.
    assert_eq!(bob.decrypt(&chains[0][699]), Err(DecryptError::Replayed));
    for message in [&chains[0][700], &chains[0][899], &chains[1][0], &chains[2][0]] {
        bob.decrypt(message).unwrap();
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 4);
}

/// P-4.13
#[test]
fn a_plaintext_has_at_most_64_mib() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let before = state(&alice);
    let too_long = vec![0; MAX_PLAINTEXT + 1];
    assert_eq!(alice.encrypt(&too_long, &mut both.rng).unwrap_err(), EncryptError::TooLong);
    assert!(before == state(&alice));
    // An overlong message is neither encrypted nor decrypted.
    let mut bytes = vec![0; 133 + MAX_PLAINTEXT + 1];
    bytes[0] = 0x22;
    let message = Ciphertext::try_from(bytes).unwrap();
    assert_eq!(bob.decrypt(&message), Err(DecryptError::Malformed));
}
