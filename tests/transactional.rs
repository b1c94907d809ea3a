//! Transactions: a ciphertext comes out only against the proof that its state was stored, and a plaintext is shown only after.
//!
//! Does not know databases: a record that was sealed is stored when a test says so.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod support;

use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
use bisik::{Ciphertext, DecryptError, EncryptError, SealedRecord, Session};
use support::people::{reloaded, state};
use support::seat::{CONTEXT, sealing, storage_key};
use support::{ConstantRng, People};

fn seal(session: &Session) -> SealedRecord {
    session.seal(&storage_key(), CONTEXT, &mut sealing())
}

#[test]
fn a_held_message_needs_the_proof_of_its_own_session_and_of_a_state_not_older() {
    let mut people = People::new(1);
    let (mut alice, mut bob) = people.established();
    let (mut other, _) = people.established();
    let early = seal(&alice).stored();
    let held = alice.encrypt_held(b"tunggu", &mut people.rng).unwrap();
    for _ in 0..20 {
        other.encrypt(b"", &mut people.rng).unwrap();
    }
    let held = held.release(&early).unwrap_err();
    let held = held.release(&seal(&other).stored()).unwrap_err();
    alice.encrypt(b"nanti", &mut people.rng).unwrap();
    let later = seal(&alice).stored();
    assert_eq!(bob.decrypt(&held.release(&later).unwrap()).unwrap(), b"tunggu");
}

#[test]
fn one_proof_releases_all_messages_that_it_covers() {
    let mut people = People::new(2);
    let (mut alice, mut bob) = people.established();
    let held = [b"a", b"b", b"c"].map(|text| (text, alice.encrypt_held(text, &mut people.rng).unwrap()));
    let stored = seal(&alice).stored();
    let late = alice.encrypt_held(b"d", &mut people.rng).unwrap();
    for (text, held) in held {
        assert_eq!(bob.decrypt(&held.release(&stored).unwrap()).unwrap(), text);
    }
    assert!(late.release(&stored).is_err());
}

#[test]
fn a_held_message_that_is_dropped_is_a_gap_like_any_lost_message() {
    let mut people = People::new(3);
    let (mut alice, mut bob) = people.established();
    drop(alice.encrypt_held(b"batal", &mut people.rng).unwrap());
    let message = alice.encrypt(b"jadi", &mut people.rng).unwrap();
    assert_eq!((bob.decrypt(&message).unwrap().as_slice(), bob.kept_keys()), (b"jadi".as_slice(), 1));
}

/// A record sealed from a staged message that is then dropped must not pass for one of a later message.
#[test]
fn the_proof_of_a_dropped_staged_message_releases_nothing_later() {
    let mut people = People::new(4);
    let (mut alice, mut bob) = people.established();
    let message = bob.encrypt(b"hai", &mut people.rng).unwrap();
    let mut staged = alice.stage(&message).unwrap();
    let stored = staged.seal(&storage_key(), CONTEXT, &mut sealing()).stored();
    drop(staged);
    let held = alice.encrypt_held(b"balas", &mut people.rng).unwrap();
    assert!(held.release(&stored).is_err(), "that record does not hold the state of this message");
    assert_eq!(alice.decrypt(&message).unwrap(), b"hai", "the message can come again");
}

/// For every kind of change that a message makes: the first answer, the next in order, a gap, a kept key, a step.
#[test]
fn what_a_staged_message_seals_is_what_its_commit_leaves() {
    let mut people = People::new(5);
    let (mut alice, mut bob) = people.opened(true);
    let answer = bob.encrypt(b"jawab", &mut people.rng).unwrap();
    stages_as_it_commits(&mut alice, &answer, b"jawab");
    let [next, kept, gap] = [b"1", b"2", b"3"].map(|text| bob.encrypt(text, &mut people.rng).unwrap());
    stages_as_it_commits(&mut alice, &next, b"1");
    stages_as_it_commits(&mut alice, &gap, b"3");
    stages_as_it_commits(&mut alice, &kept, b"2");
    let step = alice.encrypt(b"langkah", &mut people.rng).unwrap();
    stages_as_it_commits(&mut bob, &step, b"langkah");
    // A step that ends a chain of which something is missing.
    bob.encrypt(b"hilang", &mut people.rng).unwrap();
    let message = bob.encrypt(b"ada", &mut people.rng).unwrap();
    stages_as_it_commits(&mut alice, &message, b"ada");
    let reply = alice.encrypt(b"lagi", &mut people.rng).unwrap();
    stages_as_it_commits(&mut bob, &reply, b"lagi");
}

fn stages_as_it_commits(session: &mut Session, message: &Ciphertext, plaintext: &[u8]) {
    let (before, revision) = (state(session), session.revision());
    drop(session.stage(message).unwrap());
    assert!(before == state(session), "dropped before it was sealed: nothing has happened");

    // Without a record in between, the commit leaves the same.
    let mut straight = reloaded(session);
    assert_eq!(straight.decrypt(message).unwrap(), plaintext);

    let mut staged = session.stage(message).unwrap();
    let record = staged.seal(&storage_key(), CONTEXT, &mut sealing());
    assert!(record.as_bytes() == staged.seal(&storage_key(), CONTEXT, &mut sealing()).as_bytes(), "sealed twice");
    assert_eq!(record.revision(), revision + 1);
    assert_eq!(staged.commit(), plaintext);
    assert!(record.as_bytes() == state(session) && record.as_bytes() == state(&straight));
    assert_eq!(session.revision(), record.revision());

    // A crash between store and commit: the state is the one after the message, which does not come twice.
    let mut restarted = Session::unseal(&storage_key(), CONTEXT, record.as_bytes()).unwrap();
    assert_eq!(restarted.decrypt(message), Err(DecryptError::Replayed));
}

#[test]
fn what_a_staged_message_of_a_ratchet_seals_is_what_its_commit_leaves() {
    let rng = &mut support::SeededRng::new(6);
    let secret = || SharedSecret::from_bytes([7; 32]);
    let pair = KeyPair::generate(rng);
    let mut alice = DoubleRatchet::initiator(&secret(), &[0; 32], pair.public());
    let mut bob = DoubleRatchet::responder(&secret(), &[0; 32], pair);
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
fn the_revision_counts_what_was_written_and_read_and_nothing_else() {
    let mut people = People::new(7);
    let (mut alice, mut bob) = people.established();
    let (at_alice, at_bob) = (alice.revision(), bob.revision());
    let message = alice.encrypt(b"satu", &mut people.rng).unwrap();
    assert_eq!((alice.revision(), seal(&alice).revision()), (at_alice + 1, at_alice + 1));
    bob.decrypt(&message).unwrap();
    assert_eq!(bob.revision(), at_bob + 1);
    assert_eq!(bob.decrypt(&message), Err(DecryptError::Replayed));
    assert!(alice.encrypt(&vec![0; (64 << 20) + 1], &mut people.rng).is_err());
    assert_eq!((alice.revision(), bob.revision()), (at_alice + 1, at_bob + 1));
    assert_eq!(reloaded(&bob).revision(), at_bob + 1);
}
