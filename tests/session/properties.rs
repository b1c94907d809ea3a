//! Properties of a session: out-of-order messages are each read once, changed ones are refused without a change of
//! state, and a restart changes nothing.

use std::collections::VecDeque;

use bisik::{AcceptError, Ciphertext, DecryptError, Identity, Session, Trust};
use bisik_testkit::alice_and_bob::{read, reloaded, state, state_of, try_read};
use bisik_testkit::{AliceAndBob, Simulation};
use proptest::prelude::*;

/// `PROPTEST_CASES` cases, or `default`. A failing case is printed in full, so no file is needed.
fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 20_000, ..ProptestConfig::default() }
}

/// Each event is read from one to three bytes.
fn script() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn plaintexts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..48), 1..24)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn any_script_of_events_keeps_every_invariant(script in script()) {
        Simulation::replay(&script);
    }

    /// Lost, duplicated and reordered messages: within one chain all of them can be read.
    #[test]
    fn out_of_order_messages_are_each_read_once(
        plaintexts in plaintexts(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..48),
    ) {
        let mut both = AliceAndBob::new(1);
        let (mut alice, mut bob) = both.established();
        let messages: Vec<_> = plaintexts.iter().map(|text| alice.encrypt(text, &mut both.rng).unwrap()).collect();
        let mut seen = vec![false; messages.len()];
        let mut remembered = VecDeque::new();
        for index in order.iter().map(|index| index.index(messages.len())) {
            let expected = match seen[index] {
                true if remembered.contains(&index) => Err(DecryptError::Duplicate),
                true => Err(DecryptError::Spent),
                false => Ok(plaintexts[index].clone()),
            };
            prop_assert_eq!(try_read(&mut bob, &both.bob, &messages[index]), expected);
            if !seen[index] {
                seen[index] = true;
                remembered.push_front(index);
                remembered.truncate(REMEMBERED);
            }
        }
        let last = seen.iter().rposition(|seen| *seen).unwrap_or(0);
        prop_assert_eq!(bob.skipped_keys(), seen[..last].iter().filter(|seen| !**seen).count());
    }

    /// A message may be overtaken by four turns of the conversation of which something is missing too.
    #[test]
    fn late_messages_are_read_until_five_newer_chains_exist(late in 0_usize..8) {
        let mut both = AliceAndBob::new(2);
        let (mut alice, mut bob) = both.established();
        let message = alice.encrypt(b"terlambat", &mut both.rng).unwrap();
        for _ in 0..=late {
            alice.encrypt(b"hilang", &mut both.rng).unwrap();
            let next = alice.encrypt(b"cepat", &mut both.rng).unwrap();
            prop_assert_eq!(read(&mut bob, &both.bob, &next), b"cepat");
            let reply = bob.encrypt(b"ya", &mut both.rng).unwrap();
            prop_assert_eq!(read(&mut alice, &both.alice, &reply), b"ya");
        }
        let expected = if late <= 4 { Ok(b"terlambat".to_vec()) } else { Err(DecryptError::Rejected) };
        prop_assert_eq!(try_read(&mut bob, &both.bob, &message), expected);
    }

    /// Turns of which everything has arrived take no room: a message may be overtaken by any number of them.
    #[test]
    fn a_late_message_is_read_after_any_number_of_complete_turns(late in 0_usize..24) {
        let mut both = AliceAndBob::new(11);
        let (mut alice, mut bob) = both.established();
        let message = alice.encrypt(b"terlambat", &mut both.rng).unwrap();
        for _ in 0..=late {
            let next = alice.encrypt(b"cepat", &mut both.rng).unwrap();
            prop_assert_eq!(read(&mut bob, &both.bob, &next), b"cepat");
            let reply = bob.encrypt(b"ya", &mut both.rng).unwrap();
            prop_assert_eq!(read(&mut alice, &both.alice, &reply), b"ya");
        }
        prop_assert_eq!(bob.skipped_keys(), 1);
        prop_assert_eq!(read(&mut bob, &both.bob, &message), b"terlambat");
        prop_assert_eq!(bob.skipped_keys(), 0);
    }

    /// The same conversation with and without restarts: the same bytes sent, the same state at the end.
    #[test]
    fn a_restart_at_any_point_changes_nothing(steps in prop::collection::vec((any::<bool>(), any::<bool>()), 1..24)) {
        let talk = |restarts: bool| {
            let mut both = AliceAndBob::new(3);
            let (mut alice, mut bob) = both.opened(true);
            let mut wire = Vec::new();
            for (from_alice, arrives) in &steps {
                let (from, to, identity) =
                    if *from_alice { (&mut alice, &mut bob, &both.bob) } else { (&mut bob, &mut alice, &both.alice) };
                let message = from.encrypt(b"apa kabar", &mut both.rng).unwrap();
                if *arrives {
                    assert_eq!(try_read(to, identity, &message).unwrap(), b"apa kabar");
                }
                wire.push(message);
                if restarts {
                    (alice, bob) = (reloaded(&mut alice), reloaded(&mut bob));
                }
            }
            (wire, state(&mut alice), state(&mut bob))
        };
        prop_assert!(talk(false) == talk(true));
    }

    #[test]
    fn a_forged_message_is_refused_and_leaves_the_state_unchanged(steps in 0_usize..6, at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let mut both = AliceAndBob::new(4);
        let (alice, bob) = both.opened(true);
        let (mut from, mut to) = ((alice, &both.alice), (bob, &both.bob));
        for _ in 0..steps {
            let message = to.0.encrypt(b"ayo", &mut both.rng).unwrap();
            read(&mut from.0, from.1, &message);
            std::mem::swap(&mut from, &mut to);
        }
        let message = from.0.encrypt(b"jangan diubah", &mut both.rng).unwrap();
        let mut bytes = message.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        refused(&mut to.0, to.1, &bytes);
        prop_assert_eq!(try_read(&mut to.0, to.1, &message).unwrap(), b"jangan diubah");
    }
}

#[test]
fn a_message_with_any_byte_changed_is_refused() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.established();
    let message = alice.encrypt(b"pesan", &mut both.rng).unwrap();
    every_change(message.as_bytes(), |bytes| refused(&mut bob, &both.bob, bytes));
    assert_eq!(read(&mut bob, &both.bob, &message), b"pesan");
}

#[test]
fn a_truncated_or_extended_message_is_refused() {
    let mut both = AliceAndBob::new(6);
    let (mut alice, mut bob) = both.established();
    let message = alice.encrypt(b"pesan", &mut both.rng).unwrap();
    every_length(message.as_bytes(), |bytes| refused(&mut bob, &both.bob, bytes));
    assert_eq!(read(&mut bob, &both.bob, &message), b"pesan");
}

#[test]
fn a_first_message_with_any_byte_changed_opens_nothing() {
    for one_time in [true, false] {
        let mut both = AliceAndBob::new(7);
        let message = both.initiate(one_time).encrypt(b"halo", &mut both.rng).unwrap();
        let before = state_of(&both.keys);
        every_change(message.as_bytes(), |bytes| not_accepted(&both, bytes));
        assert!(before == state_of(&both.keys), "a refused pre-key message changes nothing");
        assert_eq!(both.accept(&message).plaintext.show_unconfirmed(), b"halo");
    }
}

#[test]
fn a_truncated_or_extended_first_message_opens_nothing() {
    let mut both = AliceAndBob::new(8);
    let message = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    every_length(message.as_bytes(), |bytes| not_accepted(&both, bytes));
    assert_eq!(both.accept(&message).plaintext.show_unconfirmed(), b"halo");
}

#[test]
fn a_repeated_first_message_with_any_byte_changed_is_refused() {
    let mut both = AliceAndBob::new(9);
    let (mut alice, mut bob) = both.opened(true);
    let message = alice.encrypt(b"halo lagi", &mut both.rng).unwrap();
    every_change(message.as_bytes(), |bytes| {
        refused(&mut bob, &both.bob, bytes);
        not_accepted(&both, bytes);
    });
    assert_eq!(try_read(&mut bob, &both.bob, &message).unwrap(), b"halo lagi");
}

#[test]
fn a_message_of_another_session_is_refused() {
    let mut both = AliceAndBob::new(10);
    let (mut alice, mut bob) = both.established();
    let (mut other_alice, mut other_bob) = both.established();
    let message = alice.encrypt(b"untuk satu sesi", &mut both.rng).unwrap();
    let reply = bob.encrypt(b"juga", &mut both.rng).unwrap();
    // The other session, the other direction, and its own sender.
    let strangers = [(&mut other_bob, &both.bob), (&mut other_alice, &both.alice), (&mut alice, &both.alice)];
    for (stranger, identity) in strangers {
        let before = state(stranger);
        assert_eq!(try_read(stranger, identity, &message), Err(DecryptError::Rejected));
        assert!(before == state(stranger));
    }
    assert_eq!(try_read(&mut bob, &both.bob, &reply), Err(DecryptError::Rejected));
    let accepted = Session::accept(&both.bob, &both.keys, &message, Trust::OnFirstUse, both.now);
    assert_eq!(accepted.unwrap_err(), AcceptError::NotPreKeyMessage);
    assert_eq!(read(&mut bob, &both.bob, &message), b"untuk satu sesi");
}

/// Every byte of `bytes`, with one bit changed, with all bits changed.
fn every_change(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    let mut changed = bytes.to_vec();
    for at in 0..bytes.len() {
        for mask in [1 << (at % 8), 0xff] {
            changed[at] ^= mask;
            check(&changed);
            changed[at] = bytes[at];
        }
    }
}

/// Every prefix, and some extensions.
fn every_length(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    for length in 0..bytes.len() {
        check(&bytes[..length]);
    }
    for length in [1, 15, 16, 17, 64] {
        check(&[bytes, &vec![0; length]].concat());
    }
}

/// Checks that the bytes are refused and the state unchanged.
fn refused(session: &mut Session, identity: &Identity, bytes: &[u8]) {
    let before = state(session);
    if let Ok(message) = Ciphertext::from_bytes(bytes) {
        assert!(session.decrypt(identity, &message).is_err(), "a changed message is read");
    }
    assert!(before == state(session), "a refused message changes the state");
}

fn not_accepted(both: &AliceAndBob, bytes: &[u8]) {
    if let Ok(message) = Ciphertext::from_bytes(bytes) {
        let accepted = Session::accept(&both.bob, &both.keys, &message, Trust::OnFirstUse, both.now);
        assert!(accepted.is_err(), "a changed pre-key message opens a session");
    }
}

/// How many messages a session remembers, to tell a duplicate from what is spent (P-4.21).
const REMEMBERED: usize = 8;
