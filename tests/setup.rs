//! Setting up a session: what a bundle is refused for, what a first message is refused for, and which of several first
//! messages open what.
//!
//! Does not know the life of a session afterwards.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use bisik::{
    AcceptError, Accepted, BundleError, Ciphertext, DecryptError, DisclosureHash, Identity, InitiateError,
    PreKeyBundle, PreKeys, Session, Timestamp, Trust,
};
use support::People;
use support::people::{reloaded, state, state_of};

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

#[test]
fn a_bundle_is_good_from_a_day_before_its_date_until_30_days_after() {
    let mut people = People::new(1);
    let created = people.now.as_unix_seconds();
    for one_time in [true, false] {
        let bundle = people.bundle(one_time);
        let verify = |now: u64| bundle.clone().verify(Trust::OnFirstUse, at(now)).map(drop);
        assert_eq!(verify(created - DAY - 1), Err(BundleError::NotYetValid));
        assert_eq!(verify(created - DAY), Ok(()));
        assert_eq!(verify(created + 30 * DAY - 1), Ok(()));
        assert_eq!(verify(created + 30 * DAY), Err(BundleError::Expired));
        assert_eq!(bundle.expires(), at(created + 30 * DAY));
        let verified = bundle.clone().verify(Trust::OnFirstUse, at(created)).unwrap();
        assert_eq!((bundle.has_one_time_keys(), verified.has_one_time_keys()), (one_time, one_time));
    }
}

#[test]
fn a_bundle_of_another_identity_is_told_apart() {
    let mut people = People::new(2);
    let bundle = people.bundle(true);
    let pinned = |identity: &Identity| bundle.clone().verify(Trust::Pinned(identity.public()), people.now).map(drop);
    assert_eq!(pinned(&people.alice), Err(BundleError::IdentityMismatch));
    assert_eq!(pinned(&people.bob), Ok(()));
}

/// P-2.8. Whatever of a bundle is changed, either half of the identity too, and still decodes: its signature no longer fits.
#[test]
fn a_changed_bundle_is_refused_whatever_was_changed() {
    let mut people = People::new(3);
    for one_time in [true, false] {
        let bytes = people.bundle(one_time).to_bytes();
        let mut changed = bytes.clone();
        let mut badly_signed = 0;
        for index in 0..bytes.len() {
            changed[index] ^= 1 << (index % 8);
            let verified = PreKeyBundle::from_bytes(&changed).and_then(|bundle| {
                // Its decoder took it: all that is left to refuse it is the signature.
                assert_eq!(
                    bundle.clone().verify(Trust::OnFirstUse, people.now).unwrap_err(),
                    BundleError::BadSignature
                );
                bundle.verify(Trust::OnFirstUse, people.now)
            });
            badly_signed += usize::from(verified.unwrap_err() == BundleError::BadSignature);
            changed[index] = bytes[index];
        }
        assert!(badly_signed > 900, "most changes decode: {badly_signed}");
    }
}

#[test]
fn a_bundle_with_a_bad_key_is_told_apart_before_its_signature_is_looked_at() {
    let mut people = People::new(4);
    let bytes = people.bundle(true).to_bytes();
    let with = |offset: usize, key: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[offset..offset + key.len()].copy_from_slice(key);
        PreKeyBundle::from_bytes(&bytes).map(drop)
    };
    let mut unreduced = [0xff; 32];
    (unreduced[0], unreduced[31]) = (0xed, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    for offset in [AGREEMENT, SIGNED, ONE_TIME] {
        assert_eq!(with(offset, &[0; 32]), Err(BundleError::LowOrder));
        assert_eq!(with(offset, &one), Err(BundleError::LowOrder));
        assert_eq!(with(offset, &unreduced), Err(BundleError::NonCanonical));
        assert_eq!(with(offset, &[0xff; 32]), Err(BundleError::NonCanonical));
    }
    assert_eq!(with(SIGNING, &one), Err(BundleError::LowOrder));
    assert_eq!(with(SIGNING, &[0xff; 32]), Err(BundleError::NonCanonical));
    // A coefficient of 4,095 is not below 3,329.
    assert_eq!(with(KEM, &[0xff, 0xff]), Err(BundleError::NonCanonical));
    for offset in [VERSION, SIGNING - 1, AGREEMENT - 1, SIGNED - 1, KEM - 1, ONE_TIME - 1] {
        assert_eq!(with(offset, &[0x7e]), Err(BundleError::Malformed), "type byte at {offset}");
    }
    assert_eq!(with(SIGNED_ID, &[0; 4]), Err(BundleError::Malformed), "ids are not 0");
    assert_eq!(PreKeyBundle::from_bytes(&[]), Err(BundleError::Malformed));
}

#[test]
fn nobody_sets_up_a_session_with_themselves() {
    let mut people = People::new(5);
    let bundle = people.verified(true);
    let own = Session::initiate(&people.bob, &bundle, &mut people.rng);
    assert_eq!(own.unwrap_err(), InitiateError::OwnBundle);
}

#[test]
fn a_first_message_is_refused_by_the_wrong_keys_and_identities() {
    let mut people = People::new(6);
    let hello = people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap();
    let People { alice, bob, keys, now, rng } = &mut people;
    let refused =
        |identity: &Identity, keys: &PreKeys, trust| Session::accept(identity, keys, &hello, trust).unwrap_err();
    let other = PreKeys::generate(bob, *now, rng);

    assert_eq!(refused(alice, keys, Trust::OnFirstUse), AcceptError::OtherIdentity);
    assert_eq!(refused(bob, &other, Trust::OnFirstUse), AcceptError::UnknownPreKey);
    assert_eq!(refused(bob, keys, Trust::Pinned(bob.public())), AcceptError::IdentityMismatch);
    let accepted = Session::accept(bob, keys, &hello, Trust::Pinned(alice.public())).unwrap();
    assert_eq!(accepted.session.peer(), alice.public());
}

#[test]
fn a_first_message_names_keys_that_are_used_once() {
    let mut people = People::new(7);
    let hello = people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap();
    let Accepted { used, .. } = people.accept(&hello);
    assert!(used.one_time());
    people.keys.remove(used);
    assert_eq!(not_accepted(&people, &hello), AcceptError::UnknownPreKey);
}

#[test]
fn a_first_message_to_the_last_resort_key_opens_one_session() {
    let mut people = People::new(8);
    let mut alice = people.initiate(false);
    let hello = alice.encrypt(b"halo", &mut people.rng).unwrap();
    let again = alice.encrypt(b"halo?", &mut people.rng).unwrap();
    let Accepted { used, .. } = people.accept(&hello);
    assert!(!used.one_time());
    people.keys.remove(used);
    let remembered = state_of(&people.keys);
    for message in [&hello, &again] {
        assert_eq!(not_accepted(&people, message), AcceptError::Replayed);
    }
    people.keys.remove(used);
    assert_eq!(remembered.len(), state_of(&people.keys).len(), "removing twice remembers it once");
    // Another session of the same bundle is another session.
    let other = people.initiate(false).encrypt(b"halo", &mut people.rng).unwrap();
    assert_eq!(people.accept(&other).plaintext, b"halo");
}

/// The key fails closed, says so, and asks for its own replacement.
#[test]
fn a_last_resort_key_that_can_remember_no_more_accepts_no_more() {
    let mut people = People::new(9);
    let bundle = people.verified(false);
    let mut hello = || {
        let mut session = Session::initiate(&people.alice, &bundle, &mut people.rng).unwrap();
        session.encrypt(b"", &mut people.rng).unwrap()
    };
    let first = hello();
    for message in std::iter::once(first.clone()).chain((1..1_024).map(|_| hello())) {
        let accepted = Session::accept(&people.bob, &people.keys, &message, Trust::OnFirstUse).unwrap();
        people.keys.remove(accepted.used);
    }
    let late = hello();
    assert_eq!(not_accepted(&people, &late), AcceptError::ReplayCacheFull);
    assert_eq!(not_accepted(&people, &first), AcceptError::Replayed, "a replay is still told apart");
    let now = people.now;
    assert!(people.keys.rotate(&people.bob, now, &mut people.rng).unwrap(), "a rotation is due at once");
    let again = people.initiate(false).encrypt(b"", &mut people.rng).unwrap();
    assert_eq!(people.accept(&again).plaintext, b"");
}

#[test]
fn a_session_under_a_disclosure_is_accepted_under_the_same_one_only() {
    let mut people = People::new(10);
    let disclosures = [None, DisclosureHash::from_bytes([1; 32]), DisclosureHash::from_bytes([2; 32])];
    for written in disclosures {
        let bundle = people.verified(true);
        let mut alice = Session::initiate_under(&people.alice, &bundle, written, &mut people.rng).unwrap();
        let hello = alice.encrypt(b"halo", &mut people.rng).unwrap();
        assert_eq!(reloaded(&alice).disclosure(), written);
        for held in disclosures {
            let accepted = Session::accept_under(&people.bob, &people.keys, &hello, Trust::OnFirstUse, held);
            match accepted {
                Ok(Accepted { session, .. }) => assert!(held == written && session.disclosure() == held),
                Err(error) => assert!(held != written && error == AcceptError::Rejected),
            }
        }
    }
}

#[test]
fn a_first_message_that_does_not_decode_is_malformed() {
    let mut people = People::new(11);
    let hello = people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap();
    let mut bytes = hello.into_bytes();
    // The ephemeral key: zero is of small order.
    bytes[1..33].fill(0);
    let message = Ciphertext::from_bytes(&bytes).unwrap();
    assert_eq!(not_accepted(&people, &message), AcceptError::Malformed);
}

/// Until it has an answer, an initiator sends its first flight with every message: any of them will do, in any order.
#[test]
fn repeated_first_messages_open_one_session_in_any_order() {
    for one_time in [true, false] {
        for first in 0..4 {
            let mut people = People::new(12);
            let mut alice = people.initiate(one_time);
            let messages = [b"a", b"b", b"c", b"d"].map(|text| (text, alice.encrypt(text, &mut people.rng).unwrap()));
            let (text, message) = &messages[first];
            let Accepted { session: mut bob, plaintext, used } = people.accept(message);
            assert_eq!(plaintext, *text);
            people.keys.remove(used);
            for (text, message) in messages.iter().rev() {
                assert!(bob.recognizes(message) && reloaded(&bob).recognizes(message));
                let expected =
                    if *text == plaintext.as_slice() { Err(DecryptError::Replayed) } else { Ok(text.to_vec()) };
                assert_eq!(bob.decrypt(message), expected);
            }
            assert!(!alice.is_confirmed() && bob.is_confirmed());
            let reply = bob.encrypt(b"hai", &mut people.rng).unwrap();
            assert_eq!(alice.decrypt(&reply).unwrap(), b"hai");
            assert!(alice.is_confirmed() && !alice.encrypt(b"e", &mut people.rng).unwrap().is_pre_key_message());
        }
    }
}

#[test]
fn a_first_message_of_another_session_is_not_recognized() {
    let mut people = People::new(13);
    let (mut alice, mut bob) = people.opened(true);
    let other = people.initiate(true).encrypt(b"halo", &mut people.rng).unwrap();
    for session in [&mut alice, &mut bob] {
        let before = state(session);
        assert!(!session.recognizes(&other));
        assert_eq!(session.decrypt(&other), Err(DecryptError::OtherSession));
        assert!(before == state(session));
    }
}

/// Both devices initiate, both accept: each then has two sessions, and both pick the same.
/// P-3.9
#[test]
fn of_two_sessions_set_up_at_once_both_sides_pick_the_same() {
    let mut picked = [0; 2];
    for seed in 0..16 {
        let mut people = People::new(100 + seed);
        let mut a_to_b = people.initiate(true);
        let from_alice = a_to_b.encrypt(b"halo", &mut people.rng).unwrap();
        let alices_keys = PreKeys::generate(&people.alice, people.now, &mut people.rng);
        let bundle = alices_keys.bundle().verify(Trust::OnFirstUse, people.now).unwrap();
        let mut b_to_a = Session::initiate(&people.bob, &bundle, &mut people.rng).unwrap();
        let from_bob = b_to_a.encrypt(b"hai", &mut people.rng).unwrap();

        let at_bob = people.accept(&from_alice).session;
        let at_alice = Session::accept(&people.alice, &alices_keys, &from_bob, Trust::OnFirstUse).unwrap().session;
        assert_eq!((a_to_b.id(), b_to_a.id()), (at_bob.id(), at_alice.id()));
        let alices_choice = a_to_b.precedes(&at_alice);
        assert_eq!(alices_choice, at_bob.precedes(&b_to_a), "both pick the same");
        assert_ne!(alices_choice, at_alice.precedes(&a_to_b), "one of two, never both or neither");
        assert_eq!(alices_choice, a_to_b.id() < at_alice.id(), "the smaller id");
        assert!(!a_to_b.precedes(&a_to_b));
        picked[usize::from(alices_choice)] += 1;
    }
    assert!(picked.iter().all(|times| *times > 0), "neither side always wins: {picked:?}");
}

fn not_accepted(people: &People, message: &Ciphertext) -> AcceptError {
    Session::accept(&people.bob, &people.keys, message, Trust::OnFirstUse).unwrap_err()
}

/// Where things are in a bundle (docs/protocol.md, section 2.3).
const VERSION: usize = 0;
const SIGNING: usize = 2;
const AGREEMENT: usize = 35;
const SIGNED_ID: usize = 67;
const SIGNED: usize = 88;
const KEM: usize = 125;
const ONE_TIME: usize = 1_310;
