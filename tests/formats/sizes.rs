//! Sizes that users plan with: messages, bundles, records. If one changes, the documents must change; none may exceed
//! its promise.

use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{read, state};
use bisik_testkit::simulation::checked_session::{CONTEXT, storage_key};

#[test]
fn a_message_is_133_bytes_longer_than_its_plaintext() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    for length in [0, 1, 32, 1_024, 65_536] {
        let plaintext = vec![0x62; length];
        let message = alice.encrypt(&plaintext, &mut both.rng).unwrap();
        assert_eq!(message.as_bytes().len(), length + 133);
        assert!(message.as_bytes().len() <= length + 140, "the promise, with the post-quantum place reserved");
        assert_eq!(read(&mut bob, &both.bob, &message), plaintext);
    }
}

#[test]
fn an_empty_first_message_has_1341_bytes() {
    let mut both = AliceAndBob::new(2);
    for one_time in [true, false] {
        let message = both.initiate(one_time).encrypt(b"", &mut both.rng).unwrap();
        assert_eq!(message.as_bytes().len(), 1_341);
        assert!(message.as_bytes().len() <= 1_700, "the promise");
        assert_eq!(both.accept(&message).plaintext.show_unconfirmed(), b"");
    }
}

/// Alice and Bob write in turn, nothing is lost. The largest record is that of the side whose post-quantum key, or whose
/// ciphertext, is under way.
#[test]
fn an_established_session_record_stays_within_2_5_kib_and_is_1_6_kib_on_average() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let (mut total, mut largest, turns) = (0, 0, 350);
    for _ in 0..turns {
        for session in [&mut alice, &mut bob] {
            total += state(session).len();
            largest = largest.max(state(session).len());
        }
        let message = alice.encrypt(b"apa kabar", &mut both.rng).unwrap();
        read(&mut bob, &both.bob, &message);
        std::mem::swap(&mut alice, &mut bob);
        std::mem::swap(&mut both.alice, &mut both.bob);
    }
    println!("{} on average, {largest} at most", total / (2 * turns));
    assert!(largest <= 2_560, "{largest}");
    assert!(total / (2 * turns) <= 1_638, "{}", total / (2 * turns));
}

#[test]
fn an_unanswered_session_record_stays_within_3_kib() {
    let mut both = AliceAndBob::new(4);
    let mut session = both.initiate(true);
    assert!(state(&mut session).len() <= 3 * 1_024);
    for _ in 0..10 {
        session.encrypt(b"halo?", &mut both.rng).unwrap();
    }
    assert!(state(&mut session).len() <= 3 * 1_024, "{}", state(&mut session).len());
}

/// Keys that were kept at once have 12 bytes beside them, whatever their number.
#[test]
fn a_skipped_message_key_adds_32_bytes_to_a_record() {
    let with_missing = |missing: usize| {
        let mut both = AliceAndBob::new(5);
        let (mut alice, mut bob) = both.established();
        let messages = [(); 12].map(|()| alice.encrypt(b"", &mut both.rng).unwrap());
        read(&mut bob, &both.bob, &messages[0]);
        read(&mut bob, &both.bob, &messages[1 + missing]);
        assert_eq!(bob.skipped_keys(), missing);
        state(&mut bob).len()
    };
    // The braid's chunks behind the text of three chunks have their number beside them, so that they are not compared.
    let three = with_missing(3);
    assert_eq!(with_missing(10), three + 7 * 32);
    assert_eq!(with_missing(4), three + 32);
    assert_eq!(with_missing(1), with_missing(0) + 12 + 32);
}

/// What a message writes while 2,000 others are missing: in the worst case, every second message was lost, so that each
/// key is a run of its own.
#[test]
fn with_2000_skipped_keys_a_head_is_at_most_2_kib_longer_and_a_block_has_less_than_1_2_kib() {
    for runs in [1, 1_999] {
        let mut both = AliceAndBob::new(6);
        let (mut alice, mut bob) = both.established();
        let before = state(&mut bob).len();
        for _ in 0..runs {
            (0..2_000 / runs).for_each(|_| drop(alice.encrypt(b"", &mut both.rng).unwrap()));
            let next = alice.encrypt(b"", &mut both.rng).unwrap();
            read(&mut bob, &both.bob, &next);
        }
        let sealed = bob.seal(&storage_key(), CONTEXT, &mut both.rng).unwrap();
        let largest = sealed.blocks().iter().map(|block| block.as_bytes().len()).max().unwrap();
        println!("{} of {before} bytes, {} blocks of {largest}", sealed.head().len(), sealed.blocks().len());
        // The braid's chunks come beside the keys.
        assert!(sealed.head().len() <= before + 2_048, "{}", sealed.head().len());
        assert!((80..=125).contains(&sealed.blocks().len()) && largest < 1_229, "{largest}");
    }
}
