//! Storing first: ciphertexts and plaintexts are released only against proof that their state was stored.

use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{Ciphertext, DecryptError, EncryptError, Identity, Plaintext, SealedParts, Session};
use bisik_testkit::alice_and_bob::{read, reloaded, state};
use bisik_testkit::simulation::checked_session::{CONTEXT, sealing, storage_key};
use bisik_testkit::{AliceAndBob, ConstantRng, SeededRng};

fn seal(session: &mut Session) -> SealedParts {
    session.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap()
}

#[test]
fn a_held_message_needs_proof_that_its_own_state_was_stored() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    let (mut other, _) = both.established();
    let early = seal(&mut alice).stored();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    for _ in 0..20 {
        other.encrypt(b"", &mut both.rng).unwrap();
    }
    let held = held.release(&early).unwrap_err();
    let held = held.release(&seal(&mut other).stored()).unwrap_err();
    alice.encrypt(b"nanti", &mut both.rng).unwrap();
    let later = seal(&mut alice).stored();
    assert_eq!(read(&mut bob, &both.bob, &held.release(&later).unwrap()), b"tunggu");
}

#[test]
fn one_storage_proof_releases_every_message_it_covers() {
    let mut both = AliceAndBob::new(2);
    let (mut alice, mut bob) = both.established();
    let held = [b"a", b"b", b"c"].map(|text| (text, alice.encrypt_held(text, &mut both.rng).unwrap()));
    let stored = seal(&mut alice).stored();
    let late = alice.encrypt_held(b"d", &mut both.rng).unwrap();
    for (text, held) in held {
        assert_eq!(read(&mut bob, &both.bob, &held.release(&stored).unwrap()), text);
    }
    assert!(late.release(&stored).is_err());
}

#[test]
fn a_dropped_held_message_is_a_gap_like_a_lost_message() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    drop(alice.encrypt_held(b"batal", &mut both.rng).unwrap());
    let message = alice.encrypt(b"jadi", &mut both.rng).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &message), b"jadi");
    assert_eq!(bob.skipped_keys(), 1);
}

/// A record sealed from a dropped staged message must not count as proof for a message of the session that is loaded
/// from it.
#[test]
fn the_storage_proof_of_a_dropped_staged_message_releases_nothing_later() {
    let mut both = AliceAndBob::new(4);
    let (mut alice, mut bob) = both.established();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let mut staged = alice.stage(&both.alice, &message).unwrap();
    let record = staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap();
    drop(staged);
    let mut alice = Session::unseal(&storage_key(), CONTEXT, record.head(), |_| None).unwrap();
    let held = alice.encrypt_held(b"balas", &mut both.rng).unwrap();
    assert!(held.release(&record.stored()).is_err(), "that record does not hold the state of this message");
    assert_eq!(
        alice.decrypt(&both.alice, &message).unwrap_err(),
        DecryptError::Duplicate,
        "the record holds the message"
    );
}

/// For every kind of change that a message makes: the first answer, the next in order, a gap, a skipped key, a DH step.
#[test]
fn a_staged_message_seals_the_state_its_commit_leaves() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.opened(true);
    let answer = bob.encrypt(b"jawab", &mut both.rng).unwrap();
    stages_as_it_commits(&mut alice, &both.alice, &answer, b"jawab");
    let [next, kept, gap] = [b"1", b"2", b"3"].map(|text| bob.encrypt(text, &mut both.rng).unwrap());
    stages_as_it_commits(&mut alice, &both.alice, &next, b"1");
    stages_as_it_commits(&mut alice, &both.alice, &gap, b"3");
    stages_as_it_commits(&mut alice, &both.alice, &kept, b"2");
    let step = alice.encrypt(b"langkah", &mut both.rng).unwrap();
    stages_as_it_commits(&mut bob, &both.bob, &step, b"langkah");
    // A DH step that ends a chain with a gap.
    bob.encrypt(b"hilang", &mut both.rng).unwrap();
    let message = bob.encrypt(b"ada", &mut both.rng).unwrap();
    stages_as_it_commits(&mut alice, &both.alice, &message, b"ada");
    let reply = alice.encrypt(b"lagi", &mut both.rng).unwrap();
    stages_as_it_commits(&mut bob, &both.bob, &reply, b"lagi");
}

fn stages_as_it_commits(session: &mut Session, identity: &Identity, message: &Ciphertext, plaintext: &[u8]) {
    let (before, revision) = (state(session), session.revision());
    drop(session.stage(identity, message).unwrap());
    assert!(before == state(session), "dropped before it was sealed: nothing has happened");

    // Without sealing in between, the commit leaves the same state.
    let mut straight = reloaded(session);
    assert_eq!(read(&mut straight, identity, message), plaintext);

    let mut staged = session.stage(identity, message).unwrap();
    assert_eq!(staged.plaintext(), Plaintext::Confirmed(plaintext));
    let record = staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap();
    assert!(record.head() == staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap().head(), "sealed twice");
    assert_eq!(record.revision(), revision + 1);
    assert_eq!(staged.commit().plaintext.confirmed().unwrap(), plaintext);
    assert!(record.head() == state(session) && record.head() == state(&mut straight));
    assert_eq!(session.revision(), record.revision());

    // A crash between store and commit: the state is the one after the message, and the message is not delivered again.
    let mut restarted = Session::unseal(&storage_key(), CONTEXT, record.head(), |_| None).unwrap();
    assert_eq!(restarted.decrypt(identity, message).unwrap_err(), DecryptError::Duplicate);
}

#[test]
fn a_staged_ratchet_message_seals_the_state_its_commit_leaves() {
    let rng = &mut SeededRng::new(6);
    let secret = || SharedSecret::from_bytes([7; 32]);
    let mut alice = DoubleRatchet::initiator(&secret(), &[0; 32], rng);
    let mut bob = DoubleRatchet::responder(&secret(), &[0; 32]);
    assert_eq!(bob.encrypt(b"terlalu dini", rng), Err(EncryptError::AwaitingFirstMessage));
    let seal = |ratchet: &DoubleRatchet| ratchet.seal(&storage_key(), CONTEXT, &mut ConstantRng(0));
    for text in [b"satu", b"dua "] {
        let message = alice.encrypt(text, rng).unwrap();
        let before = seal(&bob);
        drop(bob.stage(&message).unwrap());
        assert!(before == seal(&bob));
        let staged = bob.stage(&message).unwrap();
        let record = staged.seal(&storage_key(), CONTEXT, &mut ConstantRng(0));
        assert_eq!(staged.commit(), text);
        assert!(record == seal(&bob));
        std::mem::swap(&mut alice, &mut bob);
    }
}

#[test]
fn the_session_revision_counts_only_reads_and_writes() {
    let mut both = AliceAndBob::new(7);
    let (mut alice, mut bob) = both.established();
    let (at_alice, at_bob) = (alice.revision(), bob.revision());
    let message = alice.encrypt(b"satu", &mut both.rng).unwrap();
    assert_eq!((alice.revision(), seal(&mut alice).revision()), (at_alice + 1, at_alice + 1));
    let _ = bob.decrypt(&both.bob, &message).unwrap();
    assert_eq!(bob.revision(), at_bob + 1);
    assert_eq!(bob.decrypt(&both.bob, &message).unwrap_err(), DecryptError::Duplicate);
    assert!(alice.encrypt(&vec![0; (64 << 20) + 1], &mut both.rng).is_err());
    assert_eq!((alice.revision(), bob.revision()), (at_alice + 1, at_bob + 1));
    assert_eq!(reloaded(&mut bob).revision(), at_bob + 1);
}
