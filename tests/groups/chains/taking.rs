//! Distributions: where they count, and what they add.

use bisik::group::{
    Distribution, DistributionError, GroupId, OpenError, Place, ReceivingChains, Scope, TakeError, Taken,
};
use bisik_testkit::fuzz::forged_chain::ForgedChain;

use super::scene::{GROUP, LISTS, NOW, Scene, VIEW, distribution, forged, message, read, refused, reload, state};

#[track_caller]
fn refuses(chains: &mut ReceivingChains, scene: &Scene, given: &Distribution) -> TakeError {
    let before = state(chains);
    let error = chains.take(given, &scene.sender.identity).unwrap_err();
    assert!(state(chains) == before, "a refused distribution changes nothing");
    error
}

const NOTHING: Taken = Taken { opens_more: false, given_up: 0 };
const MORE: Taken = Taken { opens_more: true, given_up: 0 };

/// P-14.14: what is for one group is refused in another, and what is for an audience where a group is meant.
#[test]
fn a_distribution_for_one_group_is_refused_in_another_and_an_audience_is_no_group() {
    let mut scene = Scene::new(20);
    let bob = scene.bob();
    let of_group = scene.give(&bob);
    let audience = ForgedChain { origin: [0; 32], flags: 2, ..forged(&scene, 1) };
    let of_audience = distribution(&audience.distribution(0));
    assert_eq!((of_group.scope(), of_audience.scope()), (Scope::Group(GROUP), Scope::Audience(GROUP)));
    let other = GroupId::from_bytes([0x68; 32]);
    for (scope, takes_group, takes_audience) in [
        (Scope::Group(GROUP), true, false),
        (Scope::Audience(GROUP), false, true),
        (Scope::Group(other), false, false),
        (Scope::Audience(other), false, false),
    ] {
        for (given, taken) in [(&of_group, takes_group), (&of_audience, takes_audience)] {
            let mut chains = ReceivingChains::new(scope, scene.sender);
            if taken {
                assert_eq!(chains.take(given, &scene.sender.identity), Ok(MORE));
            } else {
                assert_eq!(refuses(&mut chains, &scene, given), TakeError::OtherGroup);
            }
        }
    }
}

/// P-14.2, P-14.14: whoever passes on what it was given makes nobody believe it.
#[test]
fn a_distribution_counts_only_in_a_session_with_its_device() {
    let mut scene = Scene::new(21);
    let bob = scene.bob();
    let given = scene.give(&bob);
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&given, &bob), Err(TakeError::OtherDevice));
    assert_eq!(chains.take(&given, scene.sender.account.identity()), Err(TakeError::OtherDevice));
    assert_eq!((chains.chains().count(), chains.revision()), (0, 0));
    assert_eq!(chains.take(&given, &scene.sender.identity), Ok(MORE));
    assert_eq!(chains.take(&given, &scene.sender.identity), Ok(NOTHING), "again");
    assert_eq!(chains.revision(), 1);
}

/// P-14.15: delayed in a session, it makes readable what could not be read; a later one, sent again, changes nothing.
#[test]
fn an_earlier_distribution_adds_what_was_missing_and_a_later_one_changes_nothing() {
    let mut scene = Scene::new(22);
    let bob = scene.bob();
    let mut given = Vec::new();
    let written: Vec<_> = (0..10_u8)
        .map(|number| {
            given.push(scene.give(&bob));
            scene.write(&[number])
        })
        .collect();
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&given[6], &scene.sender.identity), Ok(MORE));
    assert_eq!(read(&mut chains, &written[8]).body, [8]);
    assert_eq!(refused(&mut chains, &written[3]), OpenError::NotGiven);
    for later in [6, 7, 8, 9] {
        assert_eq!(chains.take(&given[later], &scene.sender.identity), Ok(NOTHING), "{later}");
    }
    assert_eq!(chains.take(&given[2], &scene.sender.identity), Ok(MORE));
    assert_eq!(chains.kept_keys(), 6, "2 to 7");
    reload(&mut chains);
    assert_eq!(chains.take(&given[4], &scene.sender.identity), Ok(NOTHING));
    assert_eq!(refused(&mut chains, &written[1]), OpenError::NotGiven);
    for number in [3, 2, 7, 5, 4, 6, 9_u8] {
        assert_eq!(read(&mut chains, &written[usize::from(number)]).body, [number]);
        assert_eq!(refused(&mut chains, &written[usize::from(number)]), OpenError::Replayed);
    }
    assert_eq!(chains.kept_keys(), 0);
    assert_eq!(chains.take(&given[0], &scene.sender.identity), Ok(MORE));
    assert_eq!(read(&mut chains, &written[0]).body, [0]);
}

/// P-14.15: one chain has one past and one set of constants.
#[test]
fn a_distribution_that_contradicts_is_refused() {
    let scene = Scene::new(23);
    let right = ForgedChain { predecessor: ([7; 8], 3), ..forged(&scene, 1) };
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&distribution(&right.distribution(5)), &scene.sender.identity), Ok(MORE));
    let others = [
        ForgedChain { origin: [0x0d; 32], ..right.clone() },
        ForgedChain { predecessor: ([7; 8], 4), ..right.clone() },
        ForgedChain { predecessor: ([0; 8], 0), ..right.clone() },
        ForgedChain { flags: 1, ..right.clone() },
        ForgedChain { begun: right.begun + 1, ..right.clone() },
    ];
    for other in others {
        for index in [0, 5, 9] {
            let given = distribution(&other.distribution(index));
            assert_eq!(refuses(&mut chains, &scene, &given), TakeError::Contradicts);
        }
    }
    // Another key where the chain is, or one that does not lead there.
    for index in [0, 3, 5] {
        let given = distribution(&right.distribution_with(index, &[0xaa; 32]));
        assert_eq!(refuses(&mut chains, &scene, &given), TakeError::Contradicts, "{index}");
    }
    assert_eq!(read(&mut chains, &message(&right.message(5, [1; 16], b"halo"))).body, b"halo");
}

/// P-14.14: whoever learns the id of an audience can begin one of its own, which is another one.
#[test]
fn an_audience_of_another_account_is_another_audience() {
    let scene = Scene::new(24);
    let mallory = super::scene::sender(&mut scene.rng.clone());
    let audience = ForgedChain { origin: [0; 32], flags: 2, ..forged(&scene, 1) };
    let mut of_alice = ReceivingChains::new(Scope::Audience(GROUP), scene.sender);
    let given = distribution(&audience.distribution(0));
    assert_eq!(of_alice.take(&given, &mallory.identity), Err(TakeError::OtherDevice));
    // Under Mallory's own name it says whose it is.
    let mut of_mallory = ReceivingChains::new(Scope::Audience(GROUP), mallory);
    assert_eq!(of_mallory.take(&given, &mallory.identity), Ok(MORE));
    assert_ne!(of_mallory.sender().account, of_alice.sender().account);
    let written = message(&audience.message(0, [1; 16], b"status"));
    assert_eq!(refused(&mut of_mallory, &written), OpenError::Rejected, "what Alice wrote is not from Mallory");
}

/// P-14.3, P-1.8: 194 bytes, of which each value has one encoding.
#[test]
fn a_distribution_has_exactly_one_encoding() {
    let mut scene = Scene::new(25);
    let bob = scene.bob();
    let _ = scene.write(b"satu");
    let given = scene.give(&bob);
    let bytes = given.to_bytes();
    assert_eq!((bytes.len(), Distribution::LENGTH), (194, 194));
    assert_eq!(Distribution::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    assert_eq!((given.index(), given.view(), given.lists(), given.begun()), (1, VIEW, &LISTS, NOW));
    assert_eq!((given.chain(), given.predecessor()), (scene.chain.chain(), None));
    assert_eq!(given.place(), &Place::Group { id: GROUP, origin: [0x0e; 32] });
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        match Distribution::from_bytes(&changed) {
            Ok(other) => assert_eq!(other.to_bytes(), changed, "byte {at}"),
            Err(error) => {
                let refused = [0, 73, 74].contains(&at) || (109..154).contains(&at);
                assert!(refused, "byte {at}: {error:?}");
            }
        }
        assert_eq!(Distribution::from_bytes(&bytes[..at]).map(|_| ()), Err(DistributionError::Malformed));
    }
    let malformed = |at: usize, with: &[u8]| {
        let mut changed = bytes.to_vec();
        changed[at..at + with.len()].copy_from_slice(with);
        Distribution::from_bytes(&changed).map(|_| ()).unwrap_err()
    };
    assert_eq!(Distribution::from_bytes(&[&bytes[..], &[0]].concat()).map(|_| ()), Err(DistributionError::Malformed));
    assert_eq!(malformed(0, &[2]), DistributionError::UnsupportedVersion(2));
    assert_eq!(malformed(33, &[0; 32]), DistributionError::Malformed, "a group without an origin");
    assert_eq!(malformed(153, &[2]), DistributionError::Malformed, "an audience with one");
    for flags in [4, 8, 0x80, 0xff] {
        assert_eq!(malformed(153, &[flags]), DistributionError::Malformed);
    }
    for beyond in [1_000_u32, u32::MAX] {
        let index = beyond.to_be_bytes();
        assert_eq!(malformed(73, &index), DistributionError::Malformed, "no message has this number");
    }
    let predecessor = |length: u32| [[7; 8].as_slice(), &length.to_be_bytes()].concat();
    assert_eq!(malformed(141, &predecessor(1_001)), DistributionError::Malformed, "no chain is that long");
    assert_eq!(malformed(141, &predecessor(u32::MAX)), DistributionError::Malformed, "no chain is that long");
    let mut longest = bytes.to_vec();
    longest[73..77].copy_from_slice(&999_u32.to_be_bytes());
    longest[141..153].copy_from_slice(&predecessor(1_000));
    assert_eq!(*Distribution::from_bytes(&longest).unwrap().to_bytes(), longest);
    assert_eq!(malformed(149, &[0, 0, 0, 1]), DistributionError::Malformed, "a length of no chain");
    assert_eq!(malformed(141, given.chain().as_bytes()), DistributionError::Malformed, "it follows itself");
    assert_eq!(malformed(109, &[0; 32]), DistributionError::LowOrder);
    assert_eq!(malformed(109, &[0xff; 32]), DistributionError::NonCanonical);
}
