//! Received messages that are held until the session is stored: many at once, released against one record.
//!
//! Outgoing held messages, and staged ones, are tested in transactional.rs; those of `interop` in
//! tests/interop/held.rs.

use bisik::{Ciphertext, DecryptError, SealedRecord, Session};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{reloaded, state};
use bisik_testkit::simulation::checked_session::{CONTEXT, sealing, storage_key};

fn seal(session: &Session) -> SealedRecord {
    session.seal(&storage_key(), CONTEXT, &mut sealing())
}

#[test]
fn many_received_messages_are_held_and_released_against_one_record() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    let mut messages: Vec<_> =
        (0..10_u8).map(|number| (number, alice.encrypt(&[number], &mut both.rng).unwrap())).collect();
    messages.swap(0, 7);
    messages.remove(3);
    let early = seal(&bob).stored();
    let held: Vec<_> = messages
        .iter()
        .map(|(number, message)| (*number, bob.decrypt_held(message).unwrap()))
        .map(|(number, held)| (number, held.release(&early).expect_err("not stored yet")))
        .collect();
    assert_eq!(held[0].1.for_inbox(), [7], "for the transaction that stores the session");
    let stored = seal(&bob).stored();
    let mut restored = reloaded(&bob);
    let late = bob.decrypt_held(&alice.encrypt(b"nanti", &mut both.rng).unwrap()).unwrap();
    for (number, held) in held {
        assert_eq!(held.release(&stored).unwrap(), [number]);
    }
    assert!(late.release(&stored).is_err(), "it came after the record");
    for (_, message) in &messages {
        assert_eq!(restored.decrypt(message), Err(DecryptError::Replayed), "one record holds all of them");
    }
}

#[test]
fn a_held_plaintext_needs_the_proof_of_its_own_session() {
    let mut both = AliceAndBob::new(2);
    let (mut alice, mut bob) = both.established();
    let (mut other, _) = both.established();
    for _ in 0..20 {
        other.encrypt(b"", &mut both.rng).unwrap();
    }
    let message = alice.encrypt(b"rahasia", &mut both.rng).unwrap();
    let held = bob.decrypt_held(&message).unwrap();
    let held = held.release(&seal(&other).stored()).unwrap_err();
    // A later record of the same session is also accepted.
    bob.encrypt(b"", &mut both.rng).unwrap();
    assert_eq!(held.release(&seal(&bob).stored()).unwrap(), b"rahasia");
}

#[test]
fn a_crash_before_the_record_is_stored_loses_no_received_message() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let mut restored = reloaded(&bob);
    let message = alice.encrypt(b"jangan hilang", &mut both.rng).unwrap();
    drop(bob.decrypt_held(&message).unwrap());
    assert_eq!(restored.decrypt(&message).unwrap(), b"jangan hilang");
}

#[test]
fn a_failed_held_decryption_leaves_the_state_unchanged() {
    let mut both = AliceAndBob::new(4);
    let (mut alice, mut bob) = both.established();
    let read = alice.encrypt(b"sudah", &mut both.rng).unwrap();
    bob.decrypt(&read).unwrap();
    let next = alice.encrypt(b"berikut", &mut both.rng).unwrap();
    let mut forged = next.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = Ciphertext::from_bytes(&forged).unwrap();
    let before = state(&bob);
    for (message, error) in [(&forged, DecryptError::Rejected), (&read, DecryptError::Replayed)] {
        assert_eq!(bob.decrypt_held(message).unwrap_err(), error);
        assert_eq!(state(&bob), before);
    }
    assert_eq!(bob.decrypt_held(&next).unwrap().for_inbox(), b"berikut");
}

/// As with [`Session::decrypt`]: the first answer confirms the session.
#[test]
fn a_held_first_answer_confirms_the_session() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.opened(true);
    let answer = bob.encrypt(b"jawab", &mut both.rng).unwrap();
    let mut twin = reloaded(&alice);
    drop(alice.decrypt_held(&answer).unwrap());
    twin.decrypt(&answer).unwrap();
    assert!(alice.is_confirmed());
    assert_eq!(state(&alice), state(&twin), "held or not, the session is the same");
}

/// Both sides of a session have one id, and the peer's record may be far ahead.
#[test]
fn the_record_of_the_peer_releases_nothing() {
    let mut both = AliceAndBob::new(6);
    let (mut alice, mut bob) = both.established();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let received = alice.decrypt_held(&message).unwrap();
    for _ in 0..20 {
        bob.encrypt(b"", &mut both.rng).unwrap();
    }
    assert!(bob.revision() > alice.revision() && bob.id() == alice.id());
    let of_bob = seal(&bob).stored();
    let held = held.release(&of_bob).expect_err("the record of the peer");
    let received = received.release(&of_bob).expect_err("the record of the peer");
    let stored = seal(&alice).stored();
    assert!(held.release(&stored).is_ok());
    assert_eq!(received.release(&stored).unwrap(), b"hai");
}

/// Two workers that open one record: the record of one does not hold the message of the other.
#[test]
fn the_record_of_another_worker_releases_nothing() {
    let mut both = AliceAndBob::new(7);
    let (alice, _) = both.established();
    let (mut first, mut second) = (reloaded(&alice), reloaded(&alice));
    let held = first.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    for _ in 0..5 {
        second.encrypt(b"", &mut both.rng).unwrap();
    }
    let held = held.release(&seal(&second).stored()).expect_err("a record without this message");
    assert!(held.release(&seal(&first).stored()).is_ok());
}

/// A staged message seals the session in which earlier messages are held.
#[test]
fn the_record_of_a_staged_message_releases_what_was_held_before_it() {
    let mut both = AliceAndBob::new(9);
    let (mut alice, mut bob) = both.established();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let mut staged = alice.stage(&message).unwrap();
    let stored = staged.seal(&storage_key(), CONTEXT, &mut sealing()).stored();
    assert_eq!(staged.commit(), b"hai");
    assert_eq!(bob.decrypt(&held.release(&stored).unwrap()).unwrap(), b"tunggu");
}

/// A dropped staged message leaves a record behind: no later record has its revision.
#[test]
fn no_two_different_records_have_one_revision() {
    let mut both = AliceAndBob::new(8);
    let (mut alice, mut bob) = both.established();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let revision = alice.revision();
    let mut staged = alice.stage(&message).unwrap();
    let dropped = staged.seal(&storage_key(), CONTEXT, &mut sealing());
    drop(staged);
    let kept = seal(&alice);
    assert_ne!(dropped.as_bytes(), kept.as_bytes());
    assert_eq!((dropped.revision(), kept.revision()), (revision + 1, revision + 2));
    // The same for one that is never dropped.
    let mut staged = alice.stage(&message).unwrap();
    drop(staged.seal(&storage_key(), CONTEXT, &mut sealing()));
    std::mem::forget(staged);
    assert_eq!(seal(&alice).revision(), revision + 4);
    assert_eq!(alice.decrypt(&message).unwrap(), b"hai");
}
