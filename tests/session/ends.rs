//! What ends, and when: kept keys, receiving chains and own ratchet pairs; and what header keys of the past are good for.
//!
//! The tests open records with the storage key, like a thief, and forge messages with what they find there.

use bisik::{Ciphertext, DecryptError, Identity, Session, StorageKey};
use bisik_testkit::alice_and_bob::{read, try_read};
use bisik_testkit::blocks::{block, head};
use bisik_testkit::fuzz::forge::{self, Header};
use bisik_testkit::fuzz::ratchet_state::{RatchetState, Turn};
use bisik_testkit::fuzz::record::{self, Kind, STORAGE_KEY};
use bisik_testkit::{AliceAndBob, ConstantRng};
use sha2::{Digest, Sha256};

const KEPT_FOR: u32 = 2_000;

/// Where a session's state says how it was opened.
pub(super) const OPENING: usize = 8 + 16 + 64 + 32 + 8;

/// A session's state, as it is inside its record.
pub(super) fn state(session: &mut Session) -> Vec<u8> {
    record::open(Kind::Session, sealed(session).as_slice())
}

pub(super) fn sealed(session: &mut Session) -> Vec<u8> {
    let key = StorageKey::from_bytes(STORAGE_KEY);
    head(&session.seal(&key, record::CONTEXT, &mut ConstantRng(0)).unwrap())
}

pub(super) fn reloaded(session: &mut Session) -> Session {
    let record = sealed(session);
    Session::unseal(&StorageKey::from_bytes(STORAGE_KEY), record::CONTEXT, &record, block).unwrap()
}

/// The ratchet in the state of a session, after the opening (docs/formats.md, section 6.5).
pub(super) fn ratchet(session: &mut Session) -> RatchetState {
    let state = state(session);
    let after = |opening: usize| RatchetState::read(&state[OPENING + 1 + opening..]);
    match state[OPENING] {
        0 => {
            let shares = u32::from_be_bytes(*state[OPENING + 1 + 1_304..].first_chunk().unwrap());
            after(1_308 + 41 * usize::try_from(shares).unwrap())
        }
        1 => after(0),
        2 => after(32),
        _ => after(64),
    }
}

/// A message and its answer.
pub(super) fn round(both: &mut AliceAndBob, alice: &mut Session, bob: &mut Session) {
    let message = alice.encrypt(b"apa", &mut both.rng).unwrap();
    read(bob, &both.bob, &message);
    let reply = bob.encrypt(b"ini", &mut both.rng).unwrap();
    read(alice, &both.alice, &reply);
}

/// P-4.15: what is ahead is put back, and read in a later pass.
#[test]
fn ten_thousand_messages_that_arrive_newest_first_are_all_read() {
    let mut both = AliceAndBob::new(1);
    let (mut alice, mut bob) = both.established();
    let messages = (0..10_000_u32).map(|number| (number, alice.encrypt(&number.to_be_bytes(), &mut both.rng).unwrap()));
    let mut waiting: Vec<_> = messages.collect();
    waiting.reverse();
    let (mut passes, mut seen) = (0, 0);
    while !waiting.is_empty() {
        passes += 1;
        assert!(passes <= 5, "each pass reads 2,001");
        let mut ahead = Vec::new();
        for (number, message) in waiting {
            match bob.decrypt(&both.bob, &message) {
                Ok(decrypted) => {
                    assert_eq!(decrypted.given_up, 0);
                    assert_eq!(decrypted.plaintext.confirmed().unwrap(), number.to_be_bytes());
                    seen += 1;
                }
                Err(DecryptError::Ahead { missing }) => {
                    assert!(missing > KEPT_FOR);
                    ahead.push((number, message));
                }
                Err(other) => panic!("{other}"),
            }
        }
        waiting = ahead;
    }
    assert_eq!((seen, passes, bob.skipped_keys()), (10_000, 5, 0));
}

/// P-4.17
#[test]
fn a_kept_key_ends_with_the_2000th_further_message() {
    let mut both = AliceAndBob::new(2);
    let (mut alice, mut bob) = both.established();
    let late: Vec<_> = (0..3).map(|_| alice.encrypt(b"terlambat", &mut both.rng).unwrap()).collect();
    let skipping = alice.encrypt(b"cepat", &mut both.rng).unwrap();
    read(&mut bob, &both.bob, &skipping);
    for _ in 1..KEPT_FOR {
        let message = alice.encrypt(b"", &mut both.rng).unwrap();
        assert_eq!(bob.decrypt(&both.bob, &message).unwrap().given_up, 0);
    }
    assert_eq!(bob.skipped_keys(), 3);
    let mut in_time = reloaded(&mut bob);
    // The 2,000th may be one of them.
    let decrypted = in_time.decrypt(&both.bob, &late[1]).unwrap();
    assert_eq!((decrypted.given_up, in_time.skipped_keys()), (2, 0));
    assert_eq!(decrypted.plaintext.confirmed().unwrap(), b"terlambat");

    let last = alice.encrypt(b"", &mut both.rng).unwrap();
    assert_eq!(bob.decrypt(&both.bob, &last).unwrap().given_up, 3);
    assert_eq!(bob.skipped_keys(), 0);
    for message in &late {
        assert_eq!(try_read(&mut bob, &both.bob, message), Err(DecryptError::Spent));
    }
}

/// P-4.18, P-4.17: of the chains that have ended, those of which nothing is missing take no room.
#[test]
fn kept_keys_end_with_the_fifth_newer_chain_that_takes_room() {
    let mut both = AliceAndBob::new(3);
    let (mut alice, mut bob) = both.established();
    let late: Vec<_> = (0..3).map(|_| alice.encrypt(b"terlambat", &mut both.rng).unwrap()).collect();
    round(&mut both, &mut alice, &mut bob);
    for _ in 0..6 {
        round(&mut both, &mut alice, &mut bob);
        assert_eq!((bob.skipped_keys(), ratchet(&mut bob).chains.len() <= 3), (3, true));
    }
    for turn in 1..=3 {
        alice.encrypt(b"hilang", &mut both.rng).unwrap();
        round(&mut both, &mut alice, &mut bob);
        assert_eq!(bob.skipped_keys(), 3 + turn);
    }
    round(&mut both, &mut alice, &mut bob);
    assert_eq!((bob.skipped_keys(), ratchet(&mut bob).chains.len()), (6, 5));
    let mut in_time = reloaded(&mut bob);
    assert_eq!(read(&mut in_time, &both.bob, &late[0]), b"terlambat");
    let fifth = alice.encrypt(b"lima", &mut both.rng).unwrap();
    assert_eq!(bob.decrypt(&both.bob, &fifth).unwrap().given_up, 3);
    assert_eq!(bob.skipped_keys(), 3);
    assert_eq!(try_read(&mut bob, &both.bob, &late[1]), Err(DecryptError::Rejected), "the header key is gone too");
}

/// P-4.7
#[test]
fn the_own_ratchet_pair_is_gone_after_the_peers_step() {
    let mut both = AliceAndBob::new(4);
    let (mut alice, mut bob) = both.established();
    for _ in 0..3 {
        let message = alice.encrypt(b"langkah", &mut both.rng).unwrap();
        let Turn::Ours { secret: bobs, .. } = ratchet(&mut bob).turn else { panic!("Bob has made the last step") };
        assert!(contains(&state(&mut bob), &bobs), "the pair waits for the answer");
        read(&mut bob, &both.bob, &message);
        assert_eq!(ratchet(&mut bob).turn, Turn::Theirs);
        assert!(!contains(&state(&mut bob), &bobs));

        let reply = bob.encrypt(b"balas", &mut both.rng).unwrap();
        let Turn::Ours { secret: alices, .. } = ratchet(&mut alice).turn else { panic!("Alice made the last step") };
        assert!(contains(&state(&mut alice), &alices));
        read(&mut alice, &both.alice, &reply);
        assert_eq!(ratchet(&mut alice).turn, Turn::Theirs);
        assert!(!contains(&state(&mut alice), &alices));
    }
}

fn contains(state: &[u8], secret: &[u8; 32]) -> bool {
    state.windows(32).any(|window| window == secret)
}

/// Whether any 32 bytes of the state are the header key of an ordinary message.
fn opens_the_header(state: &[u8], binding: &[u8; 32], message: &Ciphertext) -> bool {
    let message = &message.as_bytes()[1..];
    let (salt_and_header, rest) = message.split_at(16 + 84);
    let (header_tag, rest) = rest.split_at(16);
    let (body, body_tag) = rest.split_at(rest.len() - 16);
    let digest = Sha256::digest([b"bisik-1 message\0", binding.as_slice(), salt_and_header, body].concat());
    state.windows(32).any(|key| record::tag(key.try_into().unwrap(), &[&digest, body_tag]) == header_tag)
}

/// P-4.3: each step gives the header key of the next chain, so that a copied state opens headers of the current chain and of
/// the next one, and no further.
#[test]
fn no_copy_from_two_steps_before_opens_a_header() {
    let mut both = AliceAndBob::new(5);
    let (mut alice, mut bob) = both.established();
    round(&mut both, &mut alice, &mut bob);
    let binding = ratchet(&mut alice).binding;
    let (mut from, mut to) = ((alice, &both.alice), (bob, &both.bob));
    // The states of both sides when the last message of each of the last chains had been read.
    let mut copies: Vec<[Session; 2]> = Vec::new();
    for _ in 0..6 {
        copies.push([reloaded(&mut from.0), reloaded(&mut to.0)]);
        let message = from.0.encrypt(b"maju", &mut both.rng).unwrap();
        let newest = copies.len() - 1;
        for (age, both_sides) in copies.iter_mut().rev().enumerate() {
            for copy in both_sides {
                let opens = opens_the_header(&state(copy), &binding, &message);
                assert_eq!(opens, age == 0, "{newest} {age}: the copy from just before the step, and only that");
                if age > 0 {
                    for identity in [&both.alice, &both.bob] {
                        assert_eq!(try_read(copy, identity, &message), Err(DecryptError::Rejected));
                    }
                }
            }
        }
        assert_eq!(read(&mut to.0, to.1, &message), b"maju");
        std::mem::swap(&mut from, &mut to);
    }
}

/// Bob, with kept keys in an ended chain and in the newest one, and his state.
fn with_kept_keys(seed: u64) -> (AliceAndBob, Session, RatchetState) {
    let mut both = AliceAndBob::new(seed);
    let (mut alice, mut bob) = both.established();
    for _ in 0..2 {
        alice.encrypt(b"hilang", &mut both.rng).unwrap();
        round(&mut both, &mut alice, &mut bob);
    }
    let state = ratchet(&mut bob);
    assert_eq!(state.chains.iter().map(|chain| chain.kept.len()).collect::<Vec<_>>(), [1, 1]);
    assert!(matches!(state.turn, Turn::Ours { .. }), "so that the next header key is the peer's");
    (both, bob, state)
}

/// A header that an honest peer could write in a chain.
fn header(state: &RatchetState, chain: usize, number: u32) -> Header {
    let chain = &state.chains[chain];
    let (ratchet_key, mixed) = (chain.ratchet_key, chain.mixed);
    let previous = 0;
    Header { ratchet_key, previous, number, version: 0x11, kinds: 0, epoch: 1, mixed, chunk_number: 0, chunk: [0; 32] }
}

/// Delivers a message that somebody with these keys has written: it is refused, and changes nothing.
fn refused(
    session: &mut Session,
    identity: &Identity,
    keys: (&RatchetState, &[u8; 32], &[u8; 32]),
    header: &Header,
) -> DecryptError {
    let (RatchetState { binding, .. }, header_key, message_key) = keys;
    let forged = forge::message(binding, header_key, message_key, header, b"palsu").message;
    let message = Ciphertext::try_from([[0x22].as_slice(), &forged].concat()).unwrap();
    let before = state(session);
    let error = try_read(session, identity, &message).unwrap_err();
    assert!(before == state(session), "a refused message changes the state");
    error
}

/// P-4.20: who has copied the state once knows the header keys of ended chains.
#[test]
fn a_forgery_under_the_header_key_of_an_ended_chain_says_nothing_of_the_session() {
    let (both, mut bob, state) = with_kept_keys(6);
    let ended = &state.chains[1];
    let (kept, (key, _)) = ended.kept.first_key_value().unwrap();
    let good = header(&state, 1, *kept);
    let [past, far] = [ended.next, u32::MAX - 1].map(|number| Header { number, ..good.clone() });
    let placed = Header { kinds: 0x10, ..good.clone() };
    let mixed = Header { mixed: ended.mixed + 1, ..good.clone() };
    let unknown_kind = Header { kinds: 0x0f, ..good.clone() };
    let version = Header { version: 0x22, ..good.clone() };
    let reads_nothing = Header { version: 0x01, ..good.clone() };
    for header in [past, far, placed, mixed, unknown_kind, version, reads_nothing] {
        assert_eq!(
            refused(&mut bob, &both.bob, (&state, &ended.header, key), &header),
            DecryptError::Rejected,
            "{header:?}"
        );
    }
    // A good header, and a body under another key.
    assert_eq!(refused(&mut bob, &both.bob, (&state, &ended.header, &[9; 32]), &good), DecryptError::Rejected);
    // With the right key the same message is read: the forgeries were well made.
    let forged = forge::message(&state.binding, &ended.header, key, &good, b"asli").message;
    let message = Ciphertext::try_from([[0x22].as_slice(), &forged].concat()).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &message), b"asli");
}

/// P-4.20
#[test]
fn a_forgery_under_the_newest_header_keys_is_reported_as_diverged() {
    let (both, mut bob, state) = with_kept_keys(7);
    let newest = &state.chains[0];
    let (kept, (kept_key, _)) = newest.kept.first_key_value().unwrap();
    let in_order = forge::message_key(&newest.key.unwrap(), 0);
    let good = header(&state, 0, newest.next);
    for header in [
        Header { kinds: 0x10, ..good.clone() },
        Header { mixed: newest.mixed + 1, ..good.clone() },
        Header { kinds: 0x0f, ..good.clone() },
        Header { version: 0x01, ..good.clone() },
        Header { epoch: 9, ..good.clone() },
    ] {
        let error = refused(&mut bob, &both.bob, (&state, &newest.header, &in_order), &header);
        assert_eq!(error, DecryptError::Diverged, "{header:?}");
    }
    let late = header(&state, 0, *kept);
    for header in [&good, &late] {
        assert_eq!(refused(&mut bob, &both.bob, (&state, &newest.header, &[9; 32]), header), DecryptError::Diverged);
    }
    // Under the header key of the next chain: a chain that ends before what was read of it, and a wrong body.
    let next = Header { ratchet_key: forge::public_key(5), number: 0, ..good.clone() };
    for previous in [0, newest.next] {
        let header = Header { previous, ..next.clone() };
        let error = refused(&mut bob, &both.bob, (&state, &state.next_header, &[9; 32]), &header);
        assert_eq!(error, DecryptError::Diverged, "{header:?}");
    }
    // With the right key both numbers are read: the forgeries were well made.
    for (header, key) in [(&late, kept_key), (&good, &in_order)] {
        let forged = forge::message(&state.binding, &newest.header, key, header, b"asli").message;
        let message = Ciphertext::try_from([[0x22].as_slice(), &forged].concat()).unwrap();
        assert_eq!(read(&mut bob, &both.bob, &message), b"asli");
    }
}

/// P-4.4
#[test]
fn a_header_of_a_later_version_is_told_and_changes_nothing() {
    let (both, mut bob, state) = with_kept_keys(8);
    let newest = &state.chains[0];
    let in_order = forge::message_key(&newest.key.unwrap(), 0);
    let good = header(&state, 0, newest.next);
    for version in [0x22, 0x12, 0xf2] {
        // A later layout may differ in everything that follows the version.
        for rest in
            [good.clone(), Header { kinds: 0xff, epoch: u32::MAX, mixed: u32::MAX, chunk: [0xff; 32], ..good.clone() }]
        {
            let header = Header { version, ..rest };
            for header_key in [&newest.header, &state.next_header] {
                let error = refused(&mut bob, &both.bob, (&state, header_key, &in_order), &header);
                assert_eq!(error, DecryptError::UnsupportedVersion(2), "{header:?}");
            }
        }
    }
    // The newest version that the sender reads may be any.
    let forged = forge::message(&state.binding, &newest.header, &in_order, &Header { version: 0xf1, ..good }, b"asli");
    let message = Ciphertext::try_from([[0x22].as_slice(), &forged.message].concat()).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &message), b"asli");
}
