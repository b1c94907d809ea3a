//! Setting up a session: refused bundles and pre-key messages, replayed pre-key messages, and simultaneous initiation.

use bisik::{
    AcceptError, Accepted, BundleError, Ciphertext, DecryptError, DisclosureHash, Identity, InitiateError,
    InitiateOptions, PreKeyBundle, PreKeys, Session, Standing, Timestamp, Trust,
};
use bisik_testkit::AliceAndBob;
use bisik_testkit::alice_and_bob::{read, reloaded, state, state_of};

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

#[test]
fn a_bundle_is_valid_from_one_day_before_issue_to_30_days_after() {
    let mut both = AliceAndBob::new(1);
    let created = both.now.as_unix_seconds();
    for one_time in [true, false] {
        let bundle = both.bundle(one_time);
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
fn a_bundle_of_another_identity_is_refused() {
    let mut both = AliceAndBob::new(2);
    let bundle = both.bundle(true);
    let pinned = |identity: &Identity| bundle.clone().verify(Trust::Pinned(identity.public()), both.now).map(drop);
    assert_eq!(pinned(&both.alice), Err(BundleError::IdentityMismatch));
    assert_eq!(pinned(&both.bob), Ok(()));
}

/// P-2.2. A bundle that still decodes after any change, including either half of the identity, fails its signature
/// check.
#[test]
fn a_bundle_with_any_byte_changed_is_refused() {
    let mut both = AliceAndBob::new(3);
    for one_time in [true, false] {
        let bytes = both.bundle(one_time).to_bytes();
        let mut changed = bytes.clone();
        let mut badly_signed = 0;
        for index in 0..bytes.len() {
            changed[index] ^= 1 << (index % 8);
            let verified = PreKeyBundle::from_bytes(&changed).and_then(|bundle| {
                // It decodes, so only the signature is left to refuse it.
                assert_eq!(bundle.clone().verify(Trust::OnFirstUse, both.now).unwrap_err(), BundleError::BadSignature);
                bundle.verify(Trust::OnFirstUse, both.now)
            });
            badly_signed += usize::from(verified.unwrap_err() == BundleError::BadSignature);
            changed[index] = bytes[index];
        }
        assert!(badly_signed > 900, "most changes decode: {badly_signed}");
    }
}

/// P-1.5, P-2.5. Every way to be refused, in every place of five bundles, beside others.
#[test]
fn bundles_verified_together_have_the_results_they_have_alone() {
    let rng = &mut rand::rng();
    let now = at(1_800_000_000);
    let devices: Vec<_> = (0..5).map(|_| Identity::generate(rng)).collect();
    let honest: Vec<_> = devices.iter().map(|device| PreKeys::generate(device, now, rng).bundle()).collect();
    let of = |bundle: &PreKeyBundle, at: usize, bit: u8| {
        let mut bytes = bundle.to_bytes();
        let at = if at == 0 { bytes.len() - 1 } else { at };
        bytes[at] ^= bit;
        PreKeyBundle::from_bytes(&bytes).unwrap()
    };
    let early = PreKeys::generate(&devices[0], now.plus_seconds(2 * DAY), rng).bundle();
    let late = PreKeys::generate(&devices[0], at(1_700_000_000), rng).bundle();
    let bad = [
        (of(&honest[0], 67, 1), BundleError::BadSignature),
        // `S` above the group order, which no batch sees.
        (of(&honest[0], 0, 0x80), BundleError::BadSignature),
        (early, BundleError::NotYetValid),
        (late, BundleError::Expired),
        (honest[0].clone(), BundleError::IdentityMismatch),
    ];
    let stranger = Identity::generate(rng);
    let checked = |bundles: Vec<(PreKeyBundle, Trust<'_>)>| {
        let alone = bundles.iter().map(|(bundle, trust)| bundle.clone().verify(*trust, now));
        let alone: Vec<_> = alone.map(|result| result.map(|bundle| *bundle.identity())).collect();
        let together = PreKeyBundle::verify_all(bundles, now).into_iter();
        let together: Vec<_> = together.map(|result| result.map(|bundle| *bundle.identity())).collect();
        assert_eq!(together, alone);
        together
    };
    assert!(checked(Vec::new()).is_empty());
    for size in 1..=5 {
        let pinned = || (0..size).map(|at| (honest[at].clone(), Trust::Pinned(devices[at].public())));
        assert!(checked(pinned().collect()).iter().all(Result::is_ok));
        for first in 0..size {
            for (forged, error) in &bad {
                let trust = match error {
                    BundleError::IdentityMismatch => Trust::Pinned(stranger.public()),
                    _ => Trust::OnFirstUse,
                };
                let mut bundles: Vec<_> = pinned().collect();
                bundles[(first + 2) % size] = (bad[0].0.clone(), Trust::OnFirstUse);
                bundles[first] = (forged.clone(), trust);
                let results = checked(bundles);
                assert_eq!(results[first], Err(*error), "{first} of {size}");
                let refused = results.iter().filter(|result| result.is_err()).count();
                assert_eq!(refused, if size > 2 { 2 } else { 1 }, "{first} of {size}");
            }
        }
    }
}

#[test]
fn a_bundle_with_a_bad_key_is_refused_before_its_signature_is_checked() {
    let mut both = AliceAndBob::new(4);
    let bytes = both.bundle(true).to_bytes();
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
    // 4,095 is not a reduced coefficient: it is not below 3,329.
    assert_eq!(with(KEM, &[0xff, 0xff]), Err(BundleError::NonCanonical));
    for offset in [VERSION, SIGNING - 1, AGREEMENT - 1, SIGNED - 1, KEM - 1, ONE_TIME - 1] {
        assert_eq!(with(offset, &[0x7e]), Err(BundleError::Malformed), "type byte at {offset}");
    }
    assert_eq!(with(SIGNED_ID, &[0; 4]), Err(BundleError::Malformed), "ids are not 0");
    assert_eq!(PreKeyBundle::from_bytes(&[]), Err(BundleError::Malformed));
}

#[test]
fn a_session_with_oneself_is_refused() {
    let mut both = AliceAndBob::new(5);
    let bundle = both.verified(true);
    let own = Session::initiate(&both.bob, &bundle, both.now, &mut both.rng);
    assert_eq!(own.unwrap_err(), InitiateError::OwnBundle);
}

#[test]
fn a_first_message_to_other_pre_keys_or_identity_is_refused() {
    let mut both = AliceAndBob::new(6);
    let hello = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    let AliceAndBob { alice, bob, keys, now, rng } = &mut both;
    let now = *now;
    let refused =
        |identity: &Identity, keys: &PreKeys, trust| Session::accept(identity, keys, &hello, trust, now).unwrap_err();
    let other = PreKeys::generate(bob, now, rng);

    assert_eq!(refused(alice, keys, Trust::OnFirstUse), AcceptError::WrongIdentity);
    assert_eq!(refused(bob, &other, Trust::OnFirstUse), AcceptError::UnknownPreKey);
    assert_eq!(refused(bob, keys, Trust::Pinned(bob.public())), AcceptError::IdentityMismatch);
    let accepted = Session::accept(bob, keys, &hello, Trust::Pinned(alice.public()), now).unwrap();
    assert_eq!(accepted.session.peer(), alice.public());
}

#[test]
fn a_replayed_first_message_finds_its_one_time_key_gone() {
    let mut both = AliceAndBob::new(7);
    let hello = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    let Accepted { used, .. } = both.accept(&hello);
    assert!(used.one_time());
    both.keys.remove(used);
    assert_eq!(not_accepted(&both, &hello), AcceptError::UnknownPreKey);
}

#[test]
fn a_replayed_first_message_to_the_last_resort_key_is_refused() {
    let mut both = AliceAndBob::new(8);
    let mut alice = both.initiate(false);
    let hello = alice.encrypt(b"halo", &mut both.rng).unwrap();
    let again = alice.encrypt(b"halo?", &mut both.rng).unwrap();
    let Accepted { used, .. } = both.accept(&hello);
    assert!(!used.one_time());
    both.keys.remove(used);
    let remembered = state_of(&both.keys);
    for message in [&hello, &again] {
        assert_eq!(not_accepted(&both, message), AcceptError::Replayed);
    }
    both.keys.remove(used);
    assert_eq!(remembered.len(), state_of(&both.keys).len(), "removing twice remembers it once");
    // Another session from the same bundle is accepted.
    let other = both.initiate(false).encrypt(b"halo", &mut both.rng).unwrap();
    assert_eq!(both.accept(&other).plaintext.show_unconfirmed(), b"halo");
}

#[test]
fn a_session_is_bound_to_the_disclosure_of_its_bundle() {
    let mut both = AliceAndBob::new(10);
    let disclosures = [None, DisclosureHash::from_bytes([1; 32]).ok(), DisclosureHash::from_bytes([2; 32]).ok()];
    for written in disclosures {
        let bundle = both.verified(true);
        let options = InitiateOptions { disclosure: written, offers: &[] };
        let mut alice = Session::initiate_with(&both.alice, &bundle, options, both.now, &mut both.rng).unwrap();
        let hello = alice.encrypt(b"halo", &mut both.rng).unwrap();
        assert_eq!(reloaded(&mut alice).disclosure(), written);
        for held in disclosures {
            let accepted = Session::accept_under(&both.bob, &both.keys, &hello, Trust::OnFirstUse, held, both.now);
            match accepted {
                Ok(Accepted { session, .. }) => assert!(held == written && session.disclosure() == held),
                Err(error) => assert!(held != written && error == AcceptError::Rejected),
            }
        }
    }
}

#[test]
fn a_malformed_first_message_is_refused() {
    let mut both = AliceAndBob::new(11);
    let hello = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    let mut bytes = hello.into_bytes();
    // The ephemeral key: zero is of small order.
    bytes[1..33].fill(0);
    let message = Ciphertext::from_bytes(&bytes).unwrap();
    assert_eq!(not_accepted(&both, &message), AcceptError::Malformed);
}

/// Until the first reply, an initiator sends its pre-key header with every message: any of them sets up the session.
#[test]
fn repeated_first_messages_open_one_session_in_any_order() {
    for one_time in [true, false] {
        for first in 0..4 {
            let mut both = AliceAndBob::new(12);
            let mut alice = both.initiate(one_time);
            let messages = [b"a", b"b", b"c", b"d"].map(|text| (text, alice.encrypt(text, &mut both.rng).unwrap()));
            let (text, message) = &messages[first];
            let Accepted { session: mut bob, plaintext, used } = both.accept(message);
            let plaintext = plaintext.show_unconfirmed();
            assert_eq!(plaintext, *text);
            both.keys.remove(used);
            for (text, message) in messages.iter().rev() {
                assert!(bob.recognizes(message) && reloaded(&mut bob).recognizes(message));
                let expected =
                    if *text == plaintext.as_slice() { Err(DecryptError::Duplicate) } else { Ok(text.to_vec()) };
                let decrypted = bob.decrypt(&both.bob, message);
                let shown = decrypted.map(|decrypted| decrypted.plaintext.confirmed().unwrap_err().show_unconfirmed());
                assert_eq!(shown, expected);
            }
            assert_eq!((alice.standing(), bob.standing()), (Standing::Waiting, Standing::Unconfirmed));
            let reply = bob.encrypt(b"hai", &mut both.rng).unwrap();
            assert_eq!(read(&mut alice, &both.alice, &reply), b"hai");
            let next = alice.encrypt(b"e", &mut both.rng).unwrap();
            assert!(alice.is_confirmed() && !next.is_pre_key_message());
            assert_eq!(read(&mut bob, &both.bob, &next), b"e");
            assert!(bob.is_confirmed());
        }
    }
}

#[test]
fn a_first_message_of_another_session_is_not_recognized() {
    let mut both = AliceAndBob::new(13);
    let (mut alice, mut bob) = both.opened(true);
    let other = both.initiate(true).encrypt(b"halo", &mut both.rng).unwrap();
    for (session, identity) in [(&mut alice, &both.alice), (&mut bob, &both.bob)] {
        let before = state(session);
        assert!(!session.recognizes(&other));
        assert_eq!(session.decrypt(identity, &other).unwrap_err(), DecryptError::OpensNewSession);
        assert!(before == state(session));
    }
}

/// Both devices initiate and both accept: each then has two sessions, and both pick the same one.
#[test]
fn simultaneous_initiation_picks_the_same_session_on_both_sides() {
    let mut picked = [0; 2];
    for seed in 0..16 {
        let mut both = AliceAndBob::new(100 + seed);
        let mut a_to_b = both.initiate(true);
        let from_alice = a_to_b.encrypt(b"halo", &mut both.rng).unwrap();
        let alices_keys = PreKeys::generate(&both.alice, both.now, &mut both.rng);
        let bundle = alices_keys.bundle().verify(Trust::OnFirstUse, both.now).unwrap();
        let mut b_to_a = Session::initiate(&both.bob, &bundle, both.now, &mut both.rng).unwrap();
        let from_bob = b_to_a.encrypt(b"hai", &mut both.rng).unwrap();

        let at_bob = both.accept(&from_alice).session;
        let at_alice =
            Session::accept(&both.alice, &alices_keys, &from_bob, Trust::OnFirstUse, both.now).unwrap().session;
        assert_eq!((a_to_b.id(), b_to_a.id()), (at_bob.id(), at_alice.id()));
        assert_ne!(a_to_b.id(), at_alice.id(), "one of two, never both or neither");
        let alices_choice = a_to_b.id() < at_alice.id();
        assert_eq!(alices_choice, at_bob.id() < b_to_a.id(), "both pick the same: the smaller id");
        picked[usize::from(alices_choice)] += 1;
    }
    assert!(picked.iter().all(|times| *times > 0), "neither side always wins: {picked:?}");
}

fn not_accepted(both: &AliceAndBob, message: &Ciphertext) -> AcceptError {
    Session::accept(&both.bob, &both.keys, message, Trust::OnFirstUse, both.now).unwrap_err()
}

/// Offsets in a bundle (docs/spec/session.md, section 2.3).
const VERSION: usize = 0;
const SIGNING: usize = 2;
const AGREEMENT: usize = 35;
const SIGNED_ID: usize = 67;
const SIGNED: usize = 88;
const KEM: usize = 125;
const ONE_TIME: usize = 1_310;
