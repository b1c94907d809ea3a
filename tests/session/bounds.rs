//! Limits of a session (docs/spec/session.md, section 4.7): skipped message keys, receiving chains, and the length of a
//! message.

use bisik::{AcceptError, Ciphertext, DecryptError, EncryptError, Identity, Session, Trust};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{read, reloaded, state, try_read};

const MAX_SKIP: usize = 25_000;
const MAX_KEPT: usize = 2_000;
const MAX_PLAINTEXT: usize = 64 << 20;

/// Reads a message whose predecessors are given up: how many were.
fn giving_up(session: &mut Session, identity: &Identity, message: &Ciphertext) -> Result<u32, DecryptError> {
    session.decrypt_giving_up(identity, message).map(|decrypted| decrypted.given_up)
}

/// One chain of 25,003 messages, most of which never arrive.
/// P-4.16
#[test]
fn skipping_25000_messages_is_allowed_and_one_more_is_refused() {
    let mut both = AliceAndBob::new(1);
    let mut alice = both.initiate(true);
    let chain: Vec<_> = (0..MAX_SKIP + 3).map(|_| alice.encrypt(b"", &mut both.rng).unwrap()).collect();

    // Up to 2,000 messages may be missing before the pre-key message that arrives: none is given up.
    let accept = |message| Session::accept(&both.bob, &both.keys, message, Trust::OnFirstUse, both.now);
    assert_eq!(accept(&chain[MAX_KEPT + 1]).unwrap_err(), AcceptError::Ahead { missing: 2_001 });
    assert_eq!(accept(&chain[MAX_SKIP + 1]).unwrap_err(), AcceptError::Ahead { missing: 25_001 });
    assert_eq!(accept(&chain[MAX_KEPT]).unwrap().session.skipped_keys(), MAX_KEPT);

    // In a known chain.
    let mut bob = both.accept(&chain[0]).session;
    let before = state(&mut bob);
    let [last, next] = [&chain[MAX_SKIP + 1], &chain[MAX_SKIP + 2]];
    assert_eq!(try_read(&mut bob, &both.bob, next), Err(DecryptError::Ahead { missing: 25_001 }));
    assert_eq!(giving_up(&mut bob, &both.bob, next), Err(DecryptError::TooFar));
    assert!(before == state(&mut bob), "refused before any work is kept");
    let mut ahead = reloaded(&mut bob);
    assert_eq!(try_read(&mut ahead, &both.bob, last), Err(DecryptError::Ahead { missing: 25_000 }));
    assert_eq!(giving_up(&mut ahead, &both.bob, last), Ok(23_000));
    keeps_the_newest(&mut ahead, &both.bob, &chain);

    // At the end of a chain, by the number in the header of the next chain.
    let reply = bob.encrypt(b"", &mut both.rng).unwrap();
    read(&mut alice, &both.alice, &reply);
    let next = alice.encrypt(b"", &mut both.rng).unwrap();
    let before = state(&mut bob);
    assert_eq!(try_read(&mut bob, &both.bob, &next), Err(DecryptError::Ahead { missing: 25_002 }));
    assert_eq!(giving_up(&mut bob, &both.bob, &next), Err(DecryptError::TooFar));
    assert!(before == state(&mut bob));
    // With two fewer missing it is accepted, with one fewer it is not.
    try_read(&mut bob, &both.bob, &chain[1]).unwrap();
    assert_eq!(giving_up(&mut bob, &both.bob, &next), Err(DecryptError::TooFar));
    try_read(&mut bob, &both.bob, &chain[2]).unwrap();
    assert_eq!(giving_up(&mut bob, &both.bob, &next), Ok(23_000));
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
}

/// The newest 2,000 of all missing messages can still arrive; the state stays small.
fn keeps_the_newest(bob: &mut Session, identity: &Identity, chain: &[Ciphertext]) {
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    assert!(state(bob).len() <= 2_048 + 36 * MAX_KEPT);
    let oldest = MAX_SKIP + 1 - MAX_KEPT;
    assert_eq!(try_read(bob, identity, &chain[oldest - 1]), Err(DecryptError::Spent), "given up");
    try_read(bob, identity, &chain[oldest]).unwrap();
    try_read(bob, identity, &chain[MAX_SKIP]).unwrap();
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 2);
}

/// The bound covers all chains together. What would exceed it waits; if the caller gives messages up, the oldest chain
/// loses its keys first.
#[test]
fn skipped_message_keys_are_bounded_and_the_oldest_dropped_first() {
    let mut both = AliceAndBob::new(2);
    let (mut alice, mut bob) = both.established();
    let mut chains = Vec::new();
    for turn in 0..3 {
        let chain: Vec<_> = (0..901).map(|_| alice.encrypt(b"", &mut both.rng).unwrap()).collect();
        if turn == 2 {
            let before = state(&mut bob);
            assert_eq!(try_read(&mut bob, &both.bob, &chain[900]), Err(DecryptError::Ahead { missing: 900 }));
            assert_eq!(try_read(&mut bob, &both.bob, &chain[201]), Err(DecryptError::Ahead { missing: 201 }));
            assert!(before == state(&mut bob));
            let mut full = reloaded(&mut bob);
            read(&mut full, &both.bob, &chain[200]);
            assert_eq!(full.skipped_keys(), MAX_KEPT);
        }
        assert_eq!(giving_up(&mut bob, &both.bob, &chain[900]), Ok(if turn == 2 { 700 } else { 0 }));
        assert!(bob.skipped_keys() <= MAX_KEPT);
        let reply = bob.encrypt(b"", &mut both.rng).unwrap();
        read(&mut alice, &both.alice, &reply);
        chains.push(chain);
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT);
    // 2,700 were missing: the first 700 keys of the oldest chain are dropped.
    assert_eq!(try_read(&mut bob, &both.bob, &chains[0][699]), Err(DecryptError::Spent));
    for message in [&chains[0][700], &chains[0][899], &chains[1][0], &chains[2][0]] {
        read(&mut bob, &both.bob, message);
    }
    assert_eq!(bob.skipped_keys(), MAX_KEPT - 4);
}

/// P-4.19
#[test]
fn a_plaintext_has_at_most_64_mib() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let before = state(&mut alice);
    let too_long = vec![0; MAX_PLAINTEXT + 1];
    assert_eq!(alice.encrypt(&too_long, &mut both.rng).unwrap_err(), EncryptError::TooLong);
    assert!(before == state(&mut alice));
    // An overlong message is neither encrypted nor decrypted.
    let mut bytes = vec![0; 133 + MAX_PLAINTEXT + 1];
    bytes[0] = 0x22;
    let message = Ciphertext::try_from(bytes).unwrap();
    assert_eq!(try_read(&mut bob, &both.bob, &message), Err(DecryptError::Malformed));
}
