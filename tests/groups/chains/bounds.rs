//! Steps, keys, chains and lengths: each bound is reached and not exceeded.

use bisik::group::{
    DistributeError, Distribution, DistributionError, EncryptError, GroupMessage, GroupMessageError, OpenError,
};
use bisik_testkit::fuzz::forged_chain::{ForgedChain, message_key};

use super::scene::{LISTS, Scene, VIEW, distribution, forged, message, read, refused, reload, whole};

/// P-14.17: nothing that a sender says takes more steps, and no message of a whole chain is given up for it.
#[test]
fn all_messages_of_a_chain_can_be_read_after_its_last_one() {
    let scene = Scene::new(60);
    let chain = forged(&scene, 1);
    let written = whole(&chain, 1_000);
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    let opened = read(&mut chains, &message(&written[999]));
    assert_eq!((opened.given_up, chains.kept_keys()), (0, 999));
    reload(&mut chains);
    for bytes in written.iter().take(999).rev() {
        assert_eq!(read(&mut chains, &message(bytes)).given_up, 0);
    }
    // An earlier distribution too.
    let mut late = scene.nobody();
    let from = |index| distribution(&chain.distribution(index));
    let _ = late.take(&from(999), &scene.sender.identity).unwrap();
    let _ = read(&mut late, &message(&written[999]));
    assert_eq!(late.take(&from(0), &scene.sender.identity).unwrap().given_up, 0);
    assert_eq!(late.kept_keys(), 999);
    reload(&mut late);
    assert_eq!(read(&mut late, &message(&written[0])).body, 0_u32.to_be_bytes());
}

/// P-14.23: over all chains of one device. Of more, those of the oldest chain and the lowest numbers go.
#[test]
fn kept_keys_are_bounded_and_the_oldest_dropped_first() {
    let scene = Scene::new(61);
    let [first, second, third] = [1, 2, 3].map(|number| forged(&scene, number));
    let mut chains = scene.nobody();
    for chain in [&first, &second, &third] {
        let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    }
    for (chain, number) in [(&third, 501), (&second, 999), (&first, 500)] {
        assert_eq!(read(&mut chains, &message(&chain.message(number, [1; 16], b""))).given_up, 0);
    }
    assert_eq!(chains.kept_keys(), 2_000);
    assert_eq!(read(&mut chains, &message(&third.message(512, [1; 16], b""))).given_up, 10);
    assert_eq!(chains.kept_keys(), 2_000);
    reload(&mut chains);
    assert_eq!(refused(&mut chains, &message(&first.message(9, [1; 16], b"1"))), OpenError::Spent);
    let _ = read(&mut chains, &message(&first.message(10, [1; 16], b"1")));
    let _ = read(&mut chains, &message(&second.message(0, [1; 16], b"2")));
    assert_eq!(chains.kept_keys(), 1_998);
}

/// P-14.22: however long that takes, and in whichever of the chains they are.
#[test]
fn a_kept_key_ends_with_the_2000th_further_message() {
    let scene = Scene::new(62);
    let all = [1, 2, 3].map(|number| forged(&scene, number));
    let mut chains = scene.nobody();
    for chain in &all {
        let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    }
    let first = whole(&all[0], 4);
    // The key of 0 is kept with the first message that is received, and that of 2 with the second.
    for number in [1, 3] {
        assert_eq!(read(&mut chains, &message(&first[number])).given_up, 0);
    }
    let further: Vec<_> = all[1..].iter().flat_map(|chain| whole(chain, 1_000)).collect();
    for (received, bytes) in (3..=2_001).zip(&further) {
        let expected = if received < 2_001 { 0 } else { 1 };
        assert_eq!(read(&mut chains, &message(bytes)).given_up, expected, "{received}");
    }
    assert_eq!(refused(&mut chains, &message(&first[0])), OpenError::Spent);
    assert_eq!(read(&mut chains, &message(&first[2])).body, 2_u32.to_be_bytes(), "in time");
}

/// P-14.3, P-14.6: a receiver holds a sender to the bound; a malicious one cannot make it compute more.
#[test]
fn a_chain_has_no_message_beyond_the_thousandth_and_no_predecessor_that_is_longer() {
    let scene = Scene::new(63);
    let chain = forged(&scene, 1);
    let key = [0x33; 32];
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&chain.distribution_with(999, &key)), &scene.sender.identity).unwrap();
    let written = message(&chain.message_under(&message_key(&key), 999, [1; 16], b"last"));
    assert_eq!(read(&mut chains, &written).body, b"last");
    reload(&mut chains);
    assert_eq!(refused(&mut chains, &written), OpenError::Replayed);
    for beyond in [1_000, u32::MAX] {
        let bytes = chain.message_under(&message_key(&key), beyond, [1; 16], b"beyond");
        assert_eq!(GroupMessage::from_bytes(&bytes), Err(GroupMessageError::Malformed));
        let given = Distribution::from_bytes(&chain.distribution_with(beyond, &key)).map(|_| ());
        assert_eq!(given, Err(DistributionError::Malformed));
    }
    let follows = |length| ForgedChain { predecessor: (chain.id(), length), ..forged(&scene, 2) }.distribution(0);
    assert_eq!(Distribution::from_bytes(&follows(1_001)).map(|_| ()), Err(DistributionError::Malformed));
    let _ = chains.take(&distribution(&follows(1_000)), &scene.sender.identity).unwrap();
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
    bytes[9..13].fill(0);
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
    let bob = *ready.owed().next().unwrap();
    assert_eq!(ready.distribution_for(&bob, VIEW, &LISTS).map(|_| ()), Err(DistributeError::Ended));
    assert_eq!(scene.chain.index(), 1_000);
}
