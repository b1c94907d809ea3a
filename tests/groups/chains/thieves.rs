//! Stolen keys, restored senders, insiders.

use bisik::group::{GroupMessage, OpenError, SendingChain};
use bisik_testkit::ConstantRng;
use bisik_testkit::fuzz::forged_chain::{ForgedChain, message_key};
use proptest::prelude::*;

use super::scene::{Scene, VIEW, distribution, forged, key, message, own, read, ready, refused};

/// P-14.16: the tag needs the key of that number.
#[test]
fn a_thief_of_the_signing_key_with_a_later_chain_key_makes_no_earlier_index_acceptable() {
    let scene = Scene::new(100);
    let chain = forged(&scene, 1);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    for number in [3, 5] {
        let _ = read(&mut chains, &message(&chain.message(number, [1; 16], b"genuine")));
    }
    // What the thief has: the signing key, and the chain key at 8.
    let stolen = chain.chain_key(8);
    for number in 0..8 {
        for key in [stolen, message_key(&stolen), [0; 32]] {
            let bytes = chain.message_under(&key, number, [2; 16], b"forged");
            let expected = match number {
                3 | 5 => OpenError::WentBack { index: number },
                _ => OpenError::Rejected,
            };
            assert_eq!(refused(&mut chains, &message(&bytes)), expected, "{number}");
        }
    }
    // From there on it is the sender, as section 14 says.
    let later = chain.message_under(&message_key(&stolen), 8, [2; 16], b"forged");
    assert_eq!(read(&mut chains, &message(&later)).body, b"forged");
    for number in [7, 0, 1, 2, 4, 6] {
        assert_eq!(read(&mut chains, &message(&chain.message(number, [1; 16], b"genuine"))).body, b"genuine");
    }
}

/// P-14.16: other members have the chain key, and not the signing key.
#[test]
fn a_member_cannot_write_in_the_name_of_another() {
    let scene = Scene::new(101);
    let chain = forged(&scene, 1);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    let insider = ForgedChain { signing: [0x55; 32], ..chain.clone() };
    for number in [0, 1, 999] {
        let mut bytes = insider.message(number, [2; 16], b"forged");
        bytes[1..9].copy_from_slice(&chain.id());
        assert_eq!(refused(&mut chains, &message(&bytes)), OpenError::Rejected);
        // Whatever it signs: a signature of another message of the sender.
        let genuine = chain.message(7, [1; 16], b"forged");
        let signature = bytes.len() - 64;
        bytes[signature..].copy_from_slice(&genuine[signature..]);
        assert_eq!(refused(&mut chains, &message(&bytes)), OpenError::Rejected);
    }
}

/// P-14.18: the network repeats a message; a sender that was restored writes another one under its number.
#[test]
fn a_sender_that_went_back_in_time_is_told_from_a_repetition() {
    let mut scene = Scene::new(102);
    let mut chains = scene.reader();
    let _ = scene.write(b"0");
    let backup = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
    let written: Vec<_> = (1..70_u8).map(|number| scene.write(&[number])).collect();
    for message in &written {
        let _ = read(&mut chains, message);
    }
    scene.chain = SendingChain::unseal(&key(), b"chain", backup.as_bytes()).unwrap();
    let again: Vec<_> = (1..70_u8).map(|number| scene.write(&[number])).collect();
    // The last 64 are remembered.
    for (at, (first, second)) in written.iter().zip(&again).enumerate() {
        let number = u32::try_from(at + 1).unwrap();
        assert_eq!((first.index(), second.index()), (number, number));
        let (expected_first, expected_second) = match at {
            ..5 => (OpenError::Spent, OpenError::Spent),
            5.. => (OpenError::Replayed, OpenError::WentBack { index: number }),
        };
        assert_eq!(refused(&mut chains, first), expected_first, "{number}");
        assert_eq!(refused(&mut chains, second), expected_second, "{number}");
    }
    // Only a good signature says so.
    let mut forged = again[60].as_bytes().to_vec();
    forged[20] ^= 1;
    assert_eq!(refused(&mut chains, &message(&forged)), OpenError::Rejected);
}

/// P-14.5: even with a generator that repeats itself.
#[test]
fn a_restored_sender_never_pairs_one_key_and_nonce_with_two_plaintexts() {
    let mut scene = Scene::new(103);
    let mut chains = scene.reader();
    let backup = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
    let write = |view, body: &[u8]| -> GroupMessage {
        let mut chain = SendingChain::unseal(&key(), b"chain", backup.as_bytes()).unwrap();
        ready(&mut chain, &scene.targets).encrypt(view, body, &mut ConstantRng(9)).unwrap()
    };
    let other_view = bisik::group::View::from_bytes([7; 8]);
    let written = [write(VIEW, b"halo"), write(VIEW, b"hai!"), write(other_view, b"halo"), write(VIEW, b"halo ")];
    for (at, one) in written.iter().enumerate() {
        assert_eq!(one.index(), 0);
        for other in &written[..at] {
            assert_ne!(one.as_bytes()[13..29], other.as_bytes()[13..29], "the salt, and so the nonce");
        }
    }
    assert_eq!(write(VIEW, b"halo"), written[0], "the same plaintext is the same message");
    assert_eq!(read(&mut chains, &written[0]).body, b"halo");
    assert_eq!(refused(&mut chains, &written[1]), OpenError::WentBack { index: 0 });
}

/// P-14.13: a copy of the sender's state opens nothing that was written before it.
#[test]
fn a_stolen_sending_chain_opens_no_earlier_message() {
    let mut scene = Scene::new(104);
    let secrets = forged(&scene, 1);
    scene.chain = own(&scene, &secrets);
    let before = scene.write(b"sebelum");
    let stolen = bisik_testkit::fuzz::record::open_named(
        19,
        b"chain",
        scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap().as_bytes(),
    );
    for (gone, name) in [(secrets.first, "CK 0"), (message_key(&secrets.first), "MK 0")] {
        assert!(!stolen.windows(32).any(|window| window == gone), "{name}");
    }
    assert!(stolen.windows(32).any(|window| window == secrets.chain_key(1)), "CK 1 is there");
    let mut thief = scene.nobody();
    let _ = thief.take(&distribution(&secrets.distribution(1)), &scene.sender.identity).unwrap();
    assert_eq!(refused(&mut thief, &before), OpenError::NotGiven);
    assert_eq!(read(&mut thief, &scene.write(b"sesudah")).body, b"sesudah", "what follows");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("BISIK_SENDERS").map_or(40, |cases| cases.parse().unwrap())))]

    /// P-14.15 to P-14.23: whatever a sender without rules gives and writes, a receiver does what a model without keys says,
    /// and what it refuses changes nothing.
    #[test]
    fn a_sender_without_rules_gets_what_the_model_says(
        steps in proptest::collection::vec((0..8_u8, 0..8_u8, any::<u8>(), 0..9_u8, any::<u8>()), 1..24),
    ) {
        // Indices near 20 and 1,000 are choices 1 and 2; 0 is near 0.
        let near = |choice: u8| [0, 0, 0, 0, 1, 1, 1, 2, 2][usize::from(choice)];
        let steps = steps.iter().flat_map(|(what, chain, names, choice, offset)| [*what, *chain, *names, near(*choice), *offset]);
        let script: Vec<u8> = std::iter::once(2).chain(steps).collect();
        bisik_testkit::fuzz::group_chain(&script);
    }
}
