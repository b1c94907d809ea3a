//! Received messages that are held until the session is stored: many at once, released against one record.
//!
//! Outgoing held messages, and staged ones, are tested in transactional.rs; those of `interop` in
//! tests/interop/held.rs.

use bisik::{Ciphertext, DecryptError, EncryptError, Plaintext, SealError, SealedParts, Session, StorageKey};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{read, reloaded, state};
use bisik_testkit::simulation::checked_session::{CONTEXT, sealing, storage_key};

fn seal(session: &mut Session) -> SealedParts {
    session.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap()
}

#[test]
fn many_received_messages_are_held_and_released_against_one_record() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    let mut messages: Vec<_> =
        (0..10_u8).map(|number| (number, alice.encrypt(&[number], &mut both.rng).unwrap())).collect();
    messages.swap(0, 7);
    messages.remove(3);
    let early = seal(&mut bob).stored();
    let held: Vec<_> = messages
        .iter()
        .map(|(number, message)| (*number, bob.decrypt_held(&both.bob, message).unwrap()))
        .map(|(number, held)| (number, held.release(&early).expect_err("not stored yet")))
        .collect();
    assert_eq!(
        held[0].1.for_inbox(),
        Plaintext::Confirmed([7].as_slice()),
        "for the transaction that stores the session"
    );
    let stored = seal(&mut bob).stored();
    let mut restored = reloaded(&mut bob);
    let late = bob.decrypt_held(&both.bob, &alice.encrypt(b"nanti", &mut both.rng).unwrap()).unwrap();
    for (number, held) in held {
        assert_eq!(held.release(&stored).unwrap().plaintext.confirmed().unwrap(), [number]);
    }
    assert!(late.release(&stored).is_err(), "it came after the record");
    // The first of the nine is no longer among the eight that were read last.
    for (at, (_, message)) in messages.iter().enumerate() {
        let error = if at == 0 { DecryptError::Spent } else { DecryptError::Duplicate };
        assert_eq!(restored.decrypt(&both.bob, message).unwrap_err(), error, "one record holds all of them");
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
    let held = bob.decrypt_held(&both.bob, &message).unwrap();
    let held = held.release(&seal(&mut other).stored()).unwrap_err();
    // A later record of the same session is also accepted.
    bob.encrypt(b"", &mut both.rng).unwrap();
    assert_eq!(held.release(&seal(&mut bob).stored()).unwrap().plaintext.confirmed().unwrap(), b"rahasia");
}

#[test]
fn a_crash_before_the_record_is_stored_loses_no_received_message() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let mut restored = reloaded(&mut bob);
    let message = alice.encrypt(b"jangan hilang", &mut both.rng).unwrap();
    drop(bob.decrypt_held(&both.bob, &message).unwrap());
    assert_eq!(read(&mut restored, &both.bob, &message), b"jangan hilang");
}

#[test]
fn a_failed_held_decryption_leaves_the_state_unchanged() {
    let mut both = AliceAndBob::new(4);
    let (mut alice, mut bob) = both.established();
    let old = alice.encrypt(b"sudah", &mut both.rng).unwrap();
    let _ = bob.decrypt(&both.bob, &old).unwrap();
    let next = alice.encrypt(b"berikut", &mut both.rng).unwrap();
    let mut forged = next.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = Ciphertext::from_bytes(&forged).unwrap();
    let before = state(&mut bob);
    for (message, error) in [(&forged, DecryptError::Rejected), (&old, DecryptError::Duplicate)] {
        assert_eq!(bob.decrypt_held(&both.bob, message).unwrap_err(), error);
        assert_eq!(state(&mut bob), before);
    }
    assert_eq!(bob.decrypt_held(&both.bob, &next).unwrap().for_inbox(), Plaintext::Confirmed(b"berikut".as_slice()));
}

/// As with [`Session::decrypt`]: the first answer confirms the session.
#[test]
fn a_held_first_answer_confirms_the_session() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.opened(true);
    let answer = bob.encrypt(b"jawab", &mut both.rng).unwrap();
    let mut twin = reloaded(&mut alice);
    let held = alice.decrypt_held(&both.alice, &answer).unwrap();
    assert!(twin.decrypt(&both.alice, &answer).unwrap().confirms);
    assert!(alice.is_confirmed());
    let released = held.release(&seal(&mut alice).stored()).unwrap();
    assert!(released.confirms && released.plaintext.confirmed().is_ok());
    assert_eq!(state(&mut alice), state(&mut twin), "held or not, the session is the same");
}

/// Both sides of a session have one id, and the peer's record may be far ahead.
#[test]
fn the_record_of_the_peer_releases_nothing() {
    let mut both = AliceAndBob::new(6);
    let (mut alice, mut bob) = both.established();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let received = alice.decrypt_held(&both.alice, &message).unwrap();
    for _ in 0..20 {
        bob.encrypt(b"", &mut both.rng).unwrap();
    }
    assert!(bob.revision() > alice.revision() && bob.id() == alice.id());
    let of_bob = seal(&mut bob).stored();
    let held = held.release(&of_bob).expect_err("the record of the peer");
    let received = received.release(&of_bob).expect_err("the record of the peer");
    let stored = seal(&mut alice).stored();
    assert!(held.release(&stored).is_ok());
    assert_eq!(received.release(&stored).unwrap().plaintext.confirmed().unwrap(), b"hai");
}

/// Two workers that open one record: the record of one does not hold the message of the other.
#[test]
fn the_record_of_another_worker_releases_nothing() {
    let mut both = AliceAndBob::new(7);
    let (mut alice, _) = both.established();
    let (mut first, mut second) = (reloaded(&mut alice), reloaded(&mut alice));
    let held = first.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    for _ in 0..5 {
        second.encrypt(b"", &mut both.rng).unwrap();
    }
    let held = held.release(&seal(&mut second).stored()).expect_err("a record without this message");
    assert!(held.release(&seal(&mut first).stored()).is_ok());
}

/// A staged message seals the session in which earlier messages are held.
#[test]
fn the_record_of_a_staged_message_releases_what_was_held_before_it() {
    let mut both = AliceAndBob::new(9);
    let (mut alice, mut bob) = both.established();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    let mut staged = alice.stage(&both.alice, &message).unwrap();
    let stored = staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap().stored();
    assert_eq!(staged.commit().plaintext.confirmed().unwrap(), b"hai");
    assert_eq!(read(&mut bob, &both.bob, &held.release(&stored).unwrap()), b"tunggu");
}

/// A record under a key that nobody keeps cannot be opened, so that it proves nothing.
#[test]
fn a_record_under_a_throw_away_key_is_refused() {
    let mut both = AliceAndBob::new(8);
    let (mut alice, mut bob) = both.established();
    let stored = seal(&mut alice);
    let mut loaded = Session::unseal(&storage_key(), CONTEXT, stored.head(), |_| None).unwrap();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    for session in [&mut alice, &mut loaded] {
        let held = session.encrypt_held(b"tunggu", &mut both.rng).unwrap();
        let (before, other) = (state(session), StorageKey::from_bytes([1; 32]));
        let refused = |result: Result<SealedParts, SealError>| assert_eq!(result.unwrap_err(), SealError::WrongKey);
        refused(session.seal(&other, CONTEXT, &mut sealing()));
        refused(session.stage(&both.alice, &message).unwrap().seal(&other, CONTEXT, &mut sealing()));
        assert_eq!(state(session), before, "a refused key changes nothing and poisons nothing");
        assert!(held.release(&seal(session).stored()).is_ok());
    }
}

/// On purpose, and only then: the next record replaces the one under the former key, and releases what was held before.
#[test]
fn a_session_moves_to_another_key_where_the_caller_says_so() {
    let mut both = AliceAndBob::new(10);
    let (mut alice, mut bob) = both.established();
    let former = seal(&mut alice);
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let revision = alice.revision();
    alice.move_to_key(&storage_key());
    assert_eq!(alice.revision(), revision, "it is there already");
    let key = StorageKey::from_bytes([1; 32]);
    alice.move_to_key(&key);
    assert_eq!(alice.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap_err(), SealError::WrongKey);
    let record = alice.seal(&key, CONTEXT, &mut sealing()).unwrap();
    assert!(record.revision() > revision && revision > former.revision(), "stored over the former one");
    let mut alice = Session::unseal(&key, CONTEXT, record.head(), |_| None).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &held.release(&record.stored()).unwrap()), b"tunggu");
    assert_eq!(alice.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap_err(), SealError::WrongKey);
}

/// The first try was never stored: another worker was faster, and the session was loaded again.
#[test]
fn the_record_of_another_timeline_releases_nothing() {
    let mut both = AliceAndBob::new(11);
    let (mut alice, mut bob) = both.established();
    let record = seal(&mut alice).head().to_vec();
    let first = alice.encrypt_held(b"pertama", &mut both.rng).unwrap();
    drop(alice);
    let mut alice = Session::unseal(&storage_key(), CONTEXT, &record, |_| None).unwrap();
    let second = alice.encrypt_held(b"kedua", &mut both.rng).unwrap();
    let stored = seal(&mut alice).stored();
    assert!(first.release(&stored).is_err(), "no record holds it");
    assert_eq!(read(&mut bob, &both.bob, &second.release(&stored).unwrap()), b"kedua");
}

#[test]
fn an_older_record_releases_nothing() {
    let mut both = AliceAndBob::new(12);
    let (mut alice, _) = both.established();
    let older = seal(&mut alice).stored();
    let held = alice.encrypt_held(b"tunggu", &mut both.rng).unwrap();
    let held = held.release(&older).unwrap_err();
    assert!(held.release(&seal(&mut alice).stored()).is_ok());
}

/// The record of the dropped message may be in the database: a later record of the session would bring its key back.
#[test]
fn a_staged_message_that_was_sealed_and_dropped_poisons_the_session_until_it_is_loaded() {
    let mut both = AliceAndBob::new(13);
    let (mut alice, mut bob) = both.established();
    let [first, second] = [b"1", b"2"].map(|text| bob.encrypt(text, &mut both.rng).unwrap());
    let before = seal(&mut alice).head().to_vec();
    for forgets in [false, true] {
        let mut poisoned = Session::unseal(&storage_key(), CONTEXT, &before, |_| None).unwrap();
        let mut staged = poisoned.stage(&both.alice, &first).unwrap();
        let record = staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap();
        if forgets {
            std::mem::forget(staged)
        } else {
            drop(staged)
        }

        let rng = &mut both.rng;
        assert_eq!(poisoned.encrypt(b"", rng).unwrap_err(), EncryptError::Poisoned);
        assert_eq!(poisoned.encrypt_held(b"", rng).unwrap_err(), EncryptError::Poisoned);
        for message in [&first, &second] {
            assert_eq!(poisoned.decrypt(&both.alice, message).unwrap_err(), DecryptError::Poisoned);
            assert_eq!(poisoned.decrypt_held(&both.alice, message).unwrap_err(), DecryptError::Poisoned);
            assert_eq!(poisoned.stage(&both.alice, message).unwrap_err(), DecryptError::Poisoned);
        }
        let sealed = |session: &mut Session| session.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap_err();
        assert_eq!(sealed(&mut poisoned), SealError::Poisoned);
        poisoned.move_to_key(&StorageKey::from_bytes([1; 32]));
        poisoned.move_to_key(&storage_key());
        assert_eq!(sealed(&mut poisoned), SealError::Poisoned, "another key heals nothing");

        // Whichever record the database has, the session that is loaded from it works.
        let mut loaded = Session::unseal(&storage_key(), CONTEXT, record.head(), |_| None).unwrap();
        assert_eq!(loaded.decrypt(&both.alice, &first).unwrap_err(), DecryptError::Duplicate);
        assert_eq!(read(&mut loaded, &both.alice, &second), b"2");
        let mut loaded = Session::unseal(&storage_key(), CONTEXT, &before, |_| None).unwrap();
        assert_eq!(read(&mut loaded, &both.alice, &first), b"1");
        assert!(loaded.seal(&storage_key(), CONTEXT, &mut sealing()).is_ok());
    }
}

#[test]
fn a_commit_leaves_a_session_that_works() {
    let mut both = AliceAndBob::new(14);
    let (mut alice, mut bob) = both.established();
    let message = bob.encrypt(b"hai", &mut both.rng).unwrap();
    drop(alice.stage(&both.alice, &message).unwrap());
    let mut staged = alice.stage(&both.alice, &message).unwrap();
    let record = staged.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap();
    assert_eq!(staged.commit().plaintext.confirmed().unwrap(), b"hai");
    assert_eq!(seal(&mut alice).head(), record.head());
    assert_eq!(read(&mut bob, &both.bob, &alice.encrypt(b"balas", &mut both.rng).unwrap()), b"balas");
}
