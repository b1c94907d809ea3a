//! Steps, keys, chains and lengths: each bound is reached and not exceeded.

use bisik::group::{EncryptError, GroupMessage, GroupMessageError, OpenError, TakeError};
use bisik_testkit::fuzz::forged_chain::{ForgedChain, message_key};

use super::scene::{Scene, VIEW, distribution, forged, message, read, refused, reload};

/// P-14.17: 25,000 steps forward are taken; one more is refused. Of what is skipped, the newest 2,000 keys are kept.
#[test]
fn skipping_25000_messages_is_allowed_and_one_more_is_refused() {
    let scene = Scene::new(60);
    let chain = forged(&scene, 1);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    assert_eq!(refused(&mut chains, &message(&chain.message(25_001, [1; 16], b"far"))), OpenError::TooFar);
    let opened = read(&mut chains, &message(&chain.message(25_000, [1; 16], b"far")));
    assert_eq!((opened.given_up, chains.kept_keys()), (23_000, 2_000));
    reload(&mut chains);
    assert_eq!(refused(&mut chains, &message(&chain.message(22_999, [1; 16], b"gone"))), OpenError::Spent);
    let _ = read(&mut chains, &message(&chain.message(23_000, [1; 16], b"kept")));
    let _ = read(&mut chains, &message(&chain.message(24_999, [1; 16], b"kept")));
    // An earlier distribution too.
    let mut late = scene.nobody();
    let _ = late.take(&distribution(&chain.distribution(25_001)), &scene.sender.identity).unwrap();
    let from = |index| distribution(&chain.distribution(index));
    assert_eq!(late.take(&from(0), &scene.sender.identity), Err(TakeError::TooFar));
    assert_eq!(late.take(&from(1), &scene.sender.identity).unwrap().given_up, 23_000);
    assert_eq!(late.kept_keys(), 2_000);
}

/// P-14.23: over all chains of one device. Of more, those of the oldest chain and the lowest numbers go.
#[test]
fn kept_keys_are_bounded_and_the_oldest_dropped_first() {
    let scene = Scene::new(61);
    let (first, second) = (forged(&scene, 1), forged(&scene, 2));
    let mut chains = scene.nobody();
    for chain in [&first, &second] {
        let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    }
    assert_eq!(read(&mut chains, &message(&second.message(1_500, [1; 16], b"2"))).given_up, 0);
    assert_eq!(read(&mut chains, &message(&first.message(500, [1; 16], b"1"))).given_up, 0);
    assert_eq!(chains.kept_keys(), 2_000);
    assert_eq!(read(&mut chains, &message(&second.message(1_511, [1; 16], b"2"))).given_up, 10);
    assert_eq!(chains.kept_keys(), 2_000);
    reload(&mut chains);
    assert_eq!(refused(&mut chains, &message(&first.message(9, [1; 16], b"1"))), OpenError::Spent);
    let _ = read(&mut chains, &message(&first.message(10, [1; 16], b"1")));
    let _ = read(&mut chains, &message(&second.message(0, [1; 16], b"2")));
    assert_eq!(chains.kept_keys(), 1_998);
}

/// P-14.22: however long that takes.
#[test]
fn a_kept_key_ends_with_the_2000th_further_message() {
    let scene = Scene::new(62);
    let chain = forged(&scene, 1);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    let mut key = chain.first;
    let mut given_up = 0;
    for number in 0..=2_002_u32 {
        let (this, next) = (message_key(&key), bisik_testkit::fuzz::record::hmac(&key, &[&[0x02]]));
        key = next;
        if number == 0 || number == 2 {
            continue;
        }
        let opened = read(&mut chains, &message(&chain.message_under(&this, number, [1; 16], b"")));
        given_up += opened.given_up;
        // The first was kept with the first message that was received, the other with the second.
        let expected = if number <= 2_001 { 0 } else { 1 };
        assert_eq!(given_up, expected, "{number}");
    }
    assert_eq!(refused(&mut chains, &message(&chain.message(0, [1; 16], b""))), OpenError::Spent);
    let _ = read(&mut chains, &message(&chain.message(2, [1; 16], b"in time")));
}

/// P-14.3, P-14.6: the greatest number of four bytes is none.
#[test]
fn the_last_index_is_two_to_the_32_minus_2() {
    let scene = Scene::new(63);
    let chain = forged(&scene, 1);
    let (last, key) = (u32::MAX - 1, [0x33; 32]);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution_with(last, &key)), &scene.sender.identity).unwrap();
    let written = message(&chain.message_under(&message_key(&key), last, [1; 16], b"last"));
    assert_eq!(read(&mut chains, &written).body, b"last");
    reload(&mut chains);
    assert_eq!(refused(&mut chains, &written), OpenError::Replayed);
    let beyond = chain.message_under(&message_key(&key), u32::MAX, [1; 16], b"beyond");
    assert_eq!(GroupMessage::from_bytes(&beyond), Err(GroupMessageError::Malformed));
    // A chain that says to follow one of the greatest length.
    let next = ForgedChain { predecessor: (chain.id(), u32::MAX), ..forged(&scene, 2) };
    let _ = chains.take(&distribution(&next.distribution(0)), &scene.sender.identity).unwrap();
    reload(&mut chains);
}

/// P-14.6.
#[test]
fn messages_are_refused_that_are_too_short_too_long_or_of_another_version() {
    let mut scene = Scene::new(64);
    let empty = scene.write(b"");
    assert_eq!((empty.as_bytes().len(), GroupMessage::OVERHEAD), (117, 117));
    for length in 0..117 {
        assert_eq!(GroupMessage::from_bytes(&empty.as_bytes()[..length]), Err(GroupMessageError::Malformed));
    }
    let longest = 117 + (64 << 20);
    let mut bytes = vec![1; longest];
    assert!(GroupMessage::try_from(bytes.clone()).is_ok());
    bytes.push(1);
    assert_eq!(GroupMessage::try_from(bytes), Err(GroupMessageError::Malformed));
    for version in [0, 2, 0xff] {
        let other = [&[version], &empty.as_bytes()[1..]].concat();
        assert_eq!(GroupMessage::from_bytes(&other), Err(GroupMessageError::UnsupportedVersion(version)));
    }
    let revision = scene.chain.revision();
    let long = vec![0; (64 << 20) + 1];
    let mut rng = scene.rng.clone();
    assert_eq!(scene.ready().encrypt(VIEW, &long, &mut rng), Err(EncryptError::TooLong));
    assert_eq!((scene.chain.revision(), scene.chain.index()), (revision, 1));
}

/// P-14.8, P-14.13: also for somebody who does not plan again.
#[test]
fn a_chain_ends_after_1000_messages() {
    let mut scene = Scene::new(65);
    let mut rng = scene.rng.clone();
    let mut ready = scene.ready();
    for _ in 0..1_000 {
        let _ = ready.encrypt(VIEW, b"", &mut rng).unwrap();
    }
    assert_eq!(ready.encrypt(VIEW, b"", &mut rng), Err(EncryptError::Ended));
    assert_eq!(scene.chain.index(), 1_000);
}
