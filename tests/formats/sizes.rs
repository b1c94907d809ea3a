//! Sizes that users plan with: messages, bundles, records. If one changes, the documents must change; none may exceed
//! its promise.

use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::state;

#[test]
fn a_message_is_133_bytes_longer_than_its_plaintext() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    for length in [0, 1, 32, 1_024, 65_536] {
        let plaintext = vec![0x62; length];
        let message = alice.encrypt(&plaintext, &mut both.rng).unwrap();
        assert_eq!(message.as_bytes().len(), length + 133);
        assert!(message.as_bytes().len() <= length + 140, "the promise, with the post-quantum place reserved");
        assert_eq!(bob.decrypt(&message).unwrap(), plaintext);
    }
}

#[test]
fn an_empty_first_message_has_1341_bytes() {
    let mut both = AliceAndBob::new(2);
    for one_time in [true, false] {
        let message = both.initiate(one_time).encrypt(b"", &mut both.rng).unwrap();
        assert_eq!(message.as_bytes().len(), 1_341);
        assert!(message.as_bytes().len() <= 1_700, "the promise");
        assert_eq!(both.accept(&message).plaintext, b"");
    }
}

#[test]
fn an_established_session_record_stays_within_1_kib() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    // After ten turns every remembered chain is present.
    for _ in 0..10 {
        assert!(state(&alice).len() <= 1_024 && state(&bob).len() <= 1_024, "{}", state(&alice).len());
        let message = alice.encrypt(b"apa kabar", &mut both.rng).unwrap();
        bob.decrypt(&message).unwrap();
        std::mem::swap(&mut alice, &mut bob);
    }
}

#[test]
fn an_unanswered_session_record_stays_within_3_kib() {
    let mut both = AliceAndBob::new(4);
    let mut session = both.initiate(true);
    assert!(state(&session).len() <= 3 * 1_024);
    for _ in 0..10 {
        session.encrypt(b"halo?", &mut both.rng).unwrap();
    }
    assert!(state(&session).len() <= 3 * 1_024, "{}", state(&session).len());
}

#[test]
fn a_skipped_message_key_adds_36_bytes_to_a_record() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.established();
    let messages = [(); 12].map(|()| alice.encrypt(b"", &mut both.rng).unwrap());
    bob.decrypt(&messages[0]).unwrap();
    let before = state(&bob).len();
    bob.decrypt(&messages[11]).unwrap();
    assert_eq!((bob.skipped_keys(), state(&bob).len()), (10, before + 10 * 36));
}
