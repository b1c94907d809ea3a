//! Sizes that users plan with: messages, bundles, records.
//!
//! Does not know how they come about. A larger one is a broken promise; a smaller one is news, and changes the documents.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod support;

use support::People;
use support::people::state;

#[test]
fn a_message_is_133_bytes_longer_than_its_plaintext() {
    let mut people = People::new(1);
    let (mut alice, mut bob) = people.established();
    for length in [0, 1, 32, 1_024, 65_536] {
        let plaintext = vec![0x62; length];
        let message = alice.encrypt(&plaintext, &mut people.rng).unwrap();
        assert_eq!(message.as_bytes().len(), length + 133);
        assert!(message.as_bytes().len() <= length + 140, "the promise, with the post-quantum place reserved");
        assert_eq!(bob.decrypt(&message).unwrap(), plaintext);
    }
}

#[test]
fn an_empty_first_message_has_1341_bytes() {
    let mut people = People::new(2);
    for one_time in [true, false] {
        let message = people.initiate(one_time).encrypt(b"", &mut people.rng).unwrap();
        assert_eq!(message.as_bytes().len(), 1_341);
        assert!(message.as_bytes().len() <= 1_700, "the promise");
        assert_eq!(people.accept(&message).plaintext, b"");
    }
}

#[test]
fn an_established_session_fits_1_kib_however_long_it_lasts() {
    let mut people = People::new(3);
    let (mut alice, mut bob) = people.established();
    // Ten turns: every chain that is remembered is there.
    for _ in 0..10 {
        assert!(state(&alice).len() <= 1_024 && state(&bob).len() <= 1_024, "{}", state(&alice).len());
        let message = alice.encrypt(b"apa kabar", &mut people.rng).unwrap();
        bob.decrypt(&message).unwrap();
        std::mem::swap(&mut alice, &mut bob);
    }
}

#[test]
fn a_session_that_waits_for_its_first_answer_fits_3_kib() {
    let mut people = People::new(4);
    let mut session = people.initiate(true);
    assert!(state(&session).len() <= 3 * 1_024);
    for _ in 0..10 {
        session.encrypt(b"halo?", &mut people.rng).unwrap();
    }
    assert!(state(&session).len() <= 3 * 1_024, "{}", state(&session).len());
}

#[test]
fn a_kept_key_costs_36_bytes() {
    let mut people = People::new(5);
    let (mut alice, mut bob) = people.established();
    let messages = [(); 12].map(|()| alice.encrypt(b"", &mut people.rng).unwrap());
    bob.decrypt(&messages[0]).unwrap();
    let before = state(&bob).len();
    bob.decrypt(&messages[11]).unwrap();
    assert_eq!((bob.skipped_keys(), state(&bob).len()), (10, before + 10 * 36));
}
