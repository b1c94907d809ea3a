//! Restored backups and cloned machines: no key is reused with the same nonce, even if the generator repeats itself,
//! and the peer distinguishes a fork from a duplicate.
//!
//! The tests look at messages and records from outside, like a relay or a thief of disks.

use std::collections::BTreeSet;

use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{Ciphertext, DecryptError, PreKeys, Session, StorageKey};
use bisik_testkit::alice_and_bob::{read, reloaded, state, try_read};
use bisik_testkit::simulation::network::{overhead, salt};
use bisik_testkit::{AliceAndBob, ConstantRng, SeededRng};
use proptest::prelude::*;

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Two different plaintexts, long enough that two random streams do not agree on them by chance.
fn two_plaintexts() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let text = || prop::collection::vec(any::<u8>(), 16..80);
    prop_oneof![
        (text(), text()),
        // One byte apart, at any place.
        (text(), any::<prop::sample::Index>(), 1_u8..).prop_map(|(text, at, mask)| {
            let mut other = text.clone();
            other[at.index(text.len())] ^= mask;
            (text, other)
        }),
        // One the beginning of the other.
        (text(), any::<u8>()).prop_map(|(text, more)| (text.clone(), [text.as_slice(), &[more]].concat())),
    ]
    .prop_filter("different", |(one, other)| one != other)
}

proptest! {
    #![proptest_config(cases(48))]

    /// In any state: unanswered, with a step due, in the middle of a chain.
    #[test]
    fn a_restored_backup_reuses_no_key_and_nonce(
        (one, other) in two_plaintexts(),
        steps in prop::collection::vec(any::<bool>(), 0..6),
        constant in any::<u8>(),
    ) {
        let mut both = AliceAndBob::new(1);
        let mut alice = both.initiate(true);
        if !steps.is_empty() {
            let mut bob;
            (alice, bob) = both.opened(true);
            for from_alice in steps {
                let (from, to, identity) =
                    if from_alice { (&mut alice, &mut bob, &both.bob) } else { (&mut bob, &mut alice, &both.alice) };
                let message = from.encrypt(b"ya", &mut both.rng).unwrap();
                try_read(to, identity, &message).unwrap();
            }
        }
        let mut restored = reloaded(&mut alice);
        let first = alice.encrypt(&one, &mut ConstantRng(constant)).unwrap();
        let second = restored.encrypt(&other, &mut ConstantRng(constant)).unwrap();
        prop_assert!(salt(&first) != salt(&second), "the same nonce");
        prop_assert!(header(&first) != header(&second), "the same stream under the header key");
        let streams_cancel = body(&first).iter().zip(body(&second)).map(|(a, b)| a ^ b);
        prop_assert!(!streams_cancel.eq(one.iter().zip(&other).map(|(a, b)| a ^ b)), "the same stream under the message key");
        // If both inputs are equal, the ciphertexts may be equal: an attacker learns nothing from that.
        let same = reloaded(&mut restored).encrypt(&one, &mut ConstantRng(constant)).unwrap();
        prop_assert!(same == restored.encrypt(&one, &mut ConstantRng(constant)).unwrap());
    }

    /// Several conversations from one backup, each with the generator of the backup: every salt occurs once.
    #[test]
    fn many_restored_backups_share_no_salt(lengths in prop::collection::vec(1_usize..5, 1..6), seed in any::<u64>()) {
        let mut both = AliceAndBob::new(2);
        let (mut alice, _) = both.established();
        let mut salts = BTreeSet::new();
        for (timeline, length) in lengths.iter().enumerate() {
            let (mut restored, mut rng) = (reloaded(&mut alice), SeededRng::new(seed));
            for number in 0..*length {
                let message = restored.encrypt(&[timeline, number].map(|n| n.to_be_bytes()).concat(), &mut rng).unwrap();
                prop_assert!(salts.insert(salt(&message).to_vec()), "the same salt");
            }
        }
    }

    /// The same for records: a disk that is read before and after a rollback shows no two states under one nonce.
    #[test]
    fn two_states_are_never_sealed_under_the_same_nonce(constant in any::<u8>(), text in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut both = AliceAndBob::new(3);
        let (mut alice, _) = both.established();
        let rng = || ConstantRng(constant);
        let before = alice.seal(&key(), b"nama", &mut rng()).unwrap();
        prop_assert!(before.head() == alice.seal(&key(), b"nama", &mut rng()).unwrap().head(), "equal state, equal record");
        prop_assert!(nonce(before.head()) != nonce(alice.seal(&key(), b"lain", &mut rng()).unwrap().head()));
        alice.encrypt(&text, &mut rng()).unwrap();
        let after = alice.seal(&key(), b"nama", &mut rng()).unwrap();
        prop_assert!(nonce(before.head()) != nonce(after.head()), "the same nonce");
    }
}

#[test]
fn no_record_kind_repeats_a_nonce() {
    let mut both = AliceAndBob::new(4);
    let rng = &mut ConstantRng(0);
    let other = PreKeys::generate(&both.alice, both.now, &mut both.rng);
    let ratchet = |secret: u8| DoubleRatchet::responder(&SharedSecret::from_bytes([secret; 32]), &[0; 32]);
    let records = [
        both.alice.seal(&key(), b"nama", rng),
        both.bob.seal(&key(), b"nama", rng),
        both.keys.seal(&key(), b"nama", rng),
        other.seal(&key(), b"nama", rng),
        ratchet(1).seal(&key(), b"nama", rng),
        ratchet(2).seal(&key(), b"nama", rng),
    ];
    let nonces: BTreeSet<_> = records.iter().map(|record| nonce(record)).collect();
    assert_eq!(nonces.len(), records.len());
}

/// A program started twice from one snapshot sets up the same session twice: even then the keystreams differ.
#[test]
fn sessions_with_a_repeating_generator_share_no_salt() {
    let mut both = AliceAndBob::new(5);
    let bundle = both.verified(true);
    let hello = |text: &[u8]| {
        let mut rng = SeededRng::new(9);
        Session::initiate(&both.alice, &bundle, both.now, &mut rng).unwrap().encrypt(text, &mut rng).unwrap()
    };
    let (one, other) = (hello(b"ayo berangkat besok"), hello(b"jangan ke mana-mana"));
    assert_eq!(one.as_bytes()[..PRE_KEY_HEADER], other.as_bytes()[..PRE_KEY_HEADER], "one session, twice");
    assert!(salt(&one) != salt(&other) && header(&one) != header(&other));
}

/// Two timelines may meet again in one chain and one plaintext, and differ only in the chain length that their headers
/// state. Headers too are encrypted with a recurring key.
#[test]
fn one_plaintext_under_two_headers_gets_two_keystreams() {
    let mut both = AliceAndBob::new(10);
    let (mut alice, mut bob) = both.established();
    let shared = alice.encrypt(b"bersama", &mut both.rng).unwrap();
    let mut restored = reloaded(&mut alice);
    alice.encrypt(b"terlupa", &mut both.rng).unwrap();
    read(&mut bob, &both.bob, &shared);
    let reply = bob.encrypt(b"ya", &mut both.rng).unwrap();
    let [one, other] = [&mut alice, &mut restored].map(|timeline| {
        read(timeline, &both.alice, &reply);
        timeline.encrypt(b"sama persis", &mut ConstantRng(0)).unwrap()
    });
    assert!(salt(&one) != salt(&other), "the same stream over two headers");
}

/// A fork within a chain reuses the numbers of the forgotten messages: each number is read once, for whichever message
/// arrives first.
#[test]
fn a_fork_within_a_chain_is_read_once_per_number() {
    for genuine_first in [true, false] {
        let mut both = AliceAndBob::new(6);
        let (mut alice, mut bob) = both.established();
        let shared = alice.encrypt(b"sebelum", &mut both.rng).unwrap();
        read(&mut bob, &both.bob, &shared);
        let mut restored = reloaded(&mut alice);
        let genuine = alice.encrypt(b"asli", &mut both.rng).unwrap();
        let fork = restored.encrypt(b"cabang", &mut both.rng).unwrap();
        let (first, text, second) =
            if genuine_first { (&genuine, b"asli".as_slice(), &fork) } else { (&fork, b"cabang".as_slice(), &genuine) };
        assert_eq!(read(&mut bob, &both.bob, first), text);
        let before = state(&mut bob);
        assert_eq!(try_read(&mut bob, &both.bob, second), Err(DecryptError::Forked { step: 2, number: 1 }));
        assert_eq!(try_read(&mut bob, &both.bob, first), Err(DecryptError::Duplicate), "not a fork");
        assert!(before == state(&mut bob));
        // From there on both timelines are the same.
        let next = restored.encrypt(b"lanjut", &mut both.rng).unwrap();
        assert_eq!(read(&mut bob, &both.bob, &next), b"lanjut");
    }
}

/// A fork with its own DH step contradicts the earlier timeline, and is reported as such.
#[test]
fn a_fork_after_a_ratchet_step_is_reported_as_a_fork() {
    let mut both = AliceAndBob::new(7);
    let (mut alice, mut bob) = both.established();
    let mut restored = reloaded(&mut alice);
    let genuine = alice.encrypt(b"asli", &mut both.rng).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &genuine), b"asli");
    let before = state(&mut bob);
    for number in 0..3 {
        let fork = restored.encrypt(b"cabang", &mut both.rng).unwrap();
        assert_eq!(try_read(&mut bob, &both.bob, &fork), Err(DecryptError::Forked { step: 2, number }));
    }
    assert!(before == state(&mut bob));
    // The timeline that was read first continues undisturbed.
    let reply = bob.encrypt(b"baik", &mut both.rng).unwrap();
    assert_eq!(read(&mut alice, &both.alice, &reply), b"baik");
    // The header key of the answer comes from the step that was read: the fork has another.
    assert_eq!(try_read(&mut restored, &both.alice, &reply), Err(DecryptError::Rejected));
}

/// With a repeating generator the fork makes the same DH step: the same chain and the same numbers.
#[test]
fn a_fork_with_the_same_ratchet_step_is_read_once_per_number() {
    let mut both = AliceAndBob::new(8);
    let (mut alice, mut bob) = both.established();
    let mut restored = reloaded(&mut alice);
    let rng = || SeededRng::new(3);
    let genuine = alice.encrypt(b"asli", &mut rng()).unwrap();
    let fork = restored.encrypt(b"cabang", &mut rng()).unwrap();
    assert_ne!(salt(&genuine), salt(&fork));
    assert_eq!(read(&mut bob, &both.bob, &genuine), b"asli");
    assert_eq!(try_read(&mut bob, &both.bob, &fork), Err(DecryptError::Forked { step: 2, number: 0 }));
    // The chain is the same: what follows in it is read.
    let next = restored.encrypt(b"lanjut", &mut both.rng).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &next), b"lanjut");
}

/// A restored receiver reads replayed messages again, and cannot read messages that need the lost state.
#[test]
fn a_restored_receiver_loses_only_messages_of_the_lost_state() {
    let mut both = AliceAndBob::new(9);
    let (mut alice, mut bob) = both.established();
    let first = alice.encrypt(b"satu", &mut both.rng).unwrap();
    let mut restored = reloaded(&mut bob);
    assert_eq!(read(&mut bob, &both.bob, &first), b"satu");
    assert_eq!(read(&mut restored, &both.bob, &first), b"satu");
    let mut restored = reloaded(&mut restored);
    // Two turns that the restored state has not seen.
    for _ in 0..2 {
        let reply = bob.encrypt(b"ya", &mut both.rng).unwrap();
        read(&mut alice, &both.alice, &reply);
        let message = alice.encrypt(b"lalu", &mut both.rng).unwrap();
        read(&mut bob, &both.bob, &message);
    }
    let message = alice.encrypt(b"dua", &mut both.rng).unwrap();
    assert_eq!(try_read(&mut restored, &both.bob, &message), Err(DecryptError::Rejected));
    assert_eq!(read(&mut bob, &both.bob, &message), b"dua");
}

fn key() -> StorageKey {
    StorageKey::from_bytes([7; 32])
}

/// The nonce of a record (docs/formats.md, section 6.1).
fn nonce(record: &[u8]) -> &[u8] {
    &record[FORMAT..FORMAT + NONCE]
}

/// The encrypted header (docs/spec/session.md, section 4.1).
fn header(message: &Ciphertext) -> &[u8] {
    let header_at = overhead(message) - DoubleRatchet::OVERHEAD + SALT;
    &message.as_bytes()[header_at..header_at + HEADER]
}

/// The encrypted body.
fn body(message: &Ciphertext) -> &[u8] {
    let bytes = message.as_bytes();
    &bytes[overhead(message) - TAG..bytes.len() - TAG]
}

/// Bytes of a message's salt, of its encrypted header, and of each of its tags (docs/spec/session.md, section 4.1).
const SALT: usize = 16;
const HEADER: usize = 84;
const TAG: usize = 16;

/// Bytes of a record's format, and of its nonce (docs/formats.md, section 6.1).
const FORMAT: usize = 1;
const NONCE: usize = 24;

/// Kind byte and pre-key header.
const PRE_KEY_HEADER: usize = 1 + bisik::handshake::PreKeyHeader::LENGTH;
