//! Who is given a chain, and when a new one begins.

use std::collections::BTreeSet;

use bisik::group::{BeginError, DistributeError, GroupId, NewChain, Place, SendPlan, SendingChain};
use bisik::{Identity, IdentityKey, Timestamp};
use bisik_testkit::ConstantRng;
use bisik_testkit::fuzz::record::{open_named, seal_named};

use super::scene::{GROUP, LISTS, NOW, PLACE, Scene, VIEW, key, read, refused};

fn why(chain: &mut SendingChain, targets: &BTreeSet<IdentityKey>, now: Timestamp) -> Option<NewChain> {
    match chain.plan(targets, now) {
        SendPlan::Ready(_) => None,
        SendPlan::Renew(why) => Some(why),
    }
}

/// P-14.7, P-14.10: whatever made a device no target, also one of several of an account, and one that comes back.
#[test]
fn a_chain_is_used_only_while_everybody_who_has_it_is_a_target() {
    let mut scene = Scene::new(80);
    let bob = scene.bob();
    let carol = *Identity::generate(&mut scene.rng).public();
    scene.targets.insert(carol);
    let _ = scene.give(&bob);
    // Carol was never given it.
    let without_carol = BTreeSet::from([bob]);
    assert_eq!(why(&mut scene.chain, &without_carol, NOW), None);
    let _ = scene.give(&carol);
    assert_eq!(why(&mut scene.chain, &without_carol, NOW), Some(NewChain::DeviceLeft));
    assert_eq!(why(&mut scene.chain, &BTreeSet::new(), NOW), Some(NewChain::DeviceLeft));
    assert_eq!(why(&mut scene.chain, &scene.targets, NOW), None, "nothing was written meanwhile");
    // Each plan is made from the whole set, also after a restart.
    let record = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
    let mut chain = SendingChain::unseal(&key(), b"chain", record.as_bytes()).unwrap();
    assert_eq!(chain.given().collect::<BTreeSet<_>>(), BTreeSet::from([&bob, &carol]));
    assert_eq!(why(&mut chain, &without_carol, NOW), Some(NewChain::DeviceLeft));
    let mut carols = scene.nobody();
    let _ = carols.take(&scene.give(&carol), &scene.sender.identity).unwrap();
    scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
    scene.targets = without_carol;
    assert_eq!(scene.ready().owed().count(), 1);
    let mut chains = scene.reader();
    let written = scene.write(b"tanpa Carol");
    assert_eq!(read(&mut chains, &written).body, b"tanpa Carol");
    assert_eq!(refused(&mut carols, &written), bisik::group::OpenError::NeedsChain);
}

/// P-14.1: nothing of a new chain follows from the one before.
#[test]
fn a_new_chain_has_fresh_keys() {
    let mut scene = Scene::new(81);
    let bob = scene.bob();
    let first = scene.give(&bob).to_bytes();
    scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
    let second = scene.give(&bob).to_bytes();
    assert_ne!(first[77..109], second[77..109]);
    assert_ne!(first[109..141], second[109..141]);
    // With a generator that repeats itself, it is the same again: it depends on nothing else.
    let begin = |sender| SendingChain::begin(PLACE, sender, false, NOW, &mut ConstantRng(3)).unwrap();
    let mut third = begin(scene.sender);
    scene.chain.renew(PLACE, false, NOW, &mut ConstantRng(3)).unwrap();
    assert_eq!(scene.chain.chain(), third.chain());
    third.renew(PLACE, false, NOW, &mut ConstantRng(4)).unwrap();
    assert_ne!(scene.chain.chain(), third.chain());
}

/// P-14.8.
#[test]
fn a_new_chain_is_asked_for_after_1000_messages_7_days_a_clock_that_went_back_a_rekey_and_a_restore() {
    let mut scene = Scene::new(82);
    let (week, day) = (7 * 86_400, 86_400);
    let begun = NOW.as_unix_seconds();
    for (now, expected) in [
        (begun, None),
        (begun + week - 1, None),
        (begun + week, Some(NewChain::Age)),
        (u64::MAX, Some(NewChain::Age)),
        (begun - day, None),
        (begun - day - 1, Some(NewChain::Age)),
        (0, Some(NewChain::Age)),
    ] {
        let now = Timestamp::from_unix_seconds(now);
        assert_eq!(why(&mut scene.chain, &scene.targets, now), expected, "{now:?}");
    }
    for _ in 0..999 {
        let _ = scene.write(b"");
    }
    assert_eq!(why(&mut scene.chain, &scene.targets, NOW), None);
    let _ = scene.write(b"");
    assert_eq!(why(&mut scene.chain, &scene.targets, NOW), Some(NewChain::Messages));
    for (retire, expected) in
        [(SendingChain::rekey as fn(&mut SendingChain), NewChain::Rekey), (SendingChain::restored, NewChain::Restored)]
    {
        scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
        assert_eq!(why(&mut scene.chain, &scene.targets, NOW), None);
        let revision = scene.chain.revision();
        retire(&mut scene.chain);
        retire(&mut scene.chain);
        assert_eq!(scene.chain.revision(), revision + 1);
        let record = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
        scene.chain = SendingChain::unseal(&key(), b"chain", record.as_bytes()).unwrap();
        assert_eq!(why(&mut scene.chain, &scene.targets, NOW), Some(expected));
    }
}

/// P-14.12: who was not given the former chain learns nothing of it.
#[test]
fn the_former_chain_is_named_only_to_devices_that_had_it() {
    let mut scene = Scene::new(83);
    let bob = scene.bob();
    let carol = *Identity::generate(&mut scene.rng).public();
    scene.targets.insert(carol);
    let _ = scene.give(&bob);
    for _ in 0..5 {
        let _ = scene.write(b"");
    }
    let former = scene.chain.chain();
    scene.chain.renew(PLACE, true, NOW, &mut scene.rng).unwrap();
    for _ in 0..2 {
        let named = scene.give(&bob).predecessor().unwrap();
        assert_eq!((named.chain, named.length), (former, 5));
        assert_eq!(scene.give(&carol).predecessor(), None);
    }
    let record = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
    scene.chain = SendingChain::unseal(&key(), b"chain", record.as_bytes()).unwrap();
    assert!(scene.give(&bob).predecessor().is_some() && scene.give(&carol).predecessor().is_none());
    // Two chains later, only the one before is named.
    scene.targets = BTreeSet::from([bob]);
    scene.chain.renew(PLACE, true, NOW, &mut scene.rng).unwrap();
    scene.chain.renew(PLACE, true, NOW, &mut scene.rng).unwrap();
    assert_eq!(scene.give(&bob).predecessor(), None, "nobody was given the one between");
}

/// P-14.11, P-14.7: a target alone is given the chain, and never the sender itself.
#[test]
fn a_device_that_is_no_target_is_given_nothing() {
    let mut scene = Scene::new(84);
    let (bob, stranger, own) = (scene.bob(), *Identity::generate(&mut scene.rng).public(), scene.sender.identity);
    scene.targets.insert(own);
    assert_eq!(scene.ready().owed().copied().collect::<Vec<_>>(), [bob]);
    let revision = scene.chain.revision();
    for device in [stranger, own] {
        let given = scene.ready().distribution_for(&device, VIEW, &LISTS).map(|_| ());
        assert_eq!(given, Err(DistributeError::NotATarget));
    }
    assert_eq!(scene.chain.revision(), revision);
    let other = Place::Group { id: GroupId::from_bytes([1; 32]), origin: [0x0e; 32] };
    for place in [other, Place::Audience { id: GROUP }] {
        assert_eq!(scene.chain.renew(place, false, NOW, &mut scene.rng), Err(BeginError::OtherGroup));
    }
    assert_eq!(scene.chain.revision(), revision);
}

/// P-14.3: nobody would take a distribution of it, and no record of it opened.
#[test]
fn a_chain_of_a_group_without_an_origin_does_not_begin() {
    let mut scene = Scene::new(85);
    let nowhere = Place::Group { id: GROUP, origin: [0; 32] };
    let begun = SendingChain::begin(nowhere, scene.sender, false, NOW, &mut scene.rng).map(|_| ());
    assert_eq!(begun, Err(BeginError::NoOrigin));
    let (chain, revision) = (scene.chain.chain(), scene.chain.revision());
    assert_eq!(scene.chain.renew(nowhere, false, NOW, &mut scene.rng), Err(BeginError::NoOrigin));
    assert_eq!((scene.chain.chain(), scene.chain.revision()), (chain, revision));
}

/// P-14.12: how many messages the former chain has is not known after a restore; what it wrote since is still read.
#[test]
fn a_restored_sender_names_no_length_of_its_former_chain() {
    for asked_before in [false, true] {
        let mut scene = Scene::new(86);
        let (bob, mut chains) = (scene.bob(), scene.reader());
        let backup = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
        let in_flight = scene.write(b"in flight");
        scene.chain = SendingChain::unseal(&key(), b"chain", backup.as_bytes()).unwrap();
        if asked_before {
            scene.chain.rekey();
        }
        scene.chain.restored();
        assert_eq!(why(&mut scene.chain, &scene.targets, NOW), Some(NewChain::Restored));
        scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
        let given = scene.give(&bob);
        assert_eq!(given.predecessor(), None);
        let _ = chains.take(&given, &scene.sender.identity).unwrap();
        assert_eq!(read(&mut chains, &in_flight).body, b"in flight");
        assert_eq!(read(&mut chains, &scene.write(b"after")).body, b"after");
        let record = scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
        assert!(SendingChain::unseal(&key(), b"chain", record.as_bytes()).is_ok());
    }
}

/// P-14.12: those who had only the former chain, and are no targets any more, take no room from those who are.
#[test]
fn a_chain_is_given_to_16384_devices_whoever_had_the_former_one() {
    let mut scene = Scene::new(87);
    let bob = scene.bob();
    let state = open_named(19, b"chain", scene.chain.seal(&key(), b"chain", &mut scene.rng).unwrap().as_bytes());
    // The state of a chain that was given to nobody ends with the predecessor, which is none, and a count of 0.
    let full = |flags: u8, predecessor: [u8; 12]| {
        let devices = (0..16_384_u32).flat_map(|number| {
            let mut device = [0x5a; 65];
            device[..4].copy_from_slice(&number.to_be_bytes());
            device[64] = flags;
            device
        });
        let (count, before) = (16_384_u32.to_be_bytes(), &state[..state.len() - 16]);
        let state: Vec<u8> = [before, &predecessor, &count].concat().into_iter().chain(devices).collect();
        SendingChain::unseal(&key(), b"chain", &seal_named(19, b"chain", &state)).unwrap()
    };
    let mut chain = full(2, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9]);
    let given = super::scene::ready(&mut chain, &scene.targets).distribution_for(&bob, VIEW, &LISTS).unwrap();
    assert_eq!((given.predecessor(), chain.given().collect::<Vec<_>>()), (None, vec![&bob]));
    let record = chain.seal(&key(), b"chain", &mut scene.rng).unwrap();
    assert!(SendingChain::unseal(&key(), b"chain", record.as_bytes()).is_ok());
    // Those who have this one do.
    let mut chain = full(1, [0; 12]);
    let targets: BTreeSet<_> = chain.given().copied().chain([bob]).collect();
    let revision = chain.revision();
    let given = super::scene::ready(&mut chain, &targets).distribution_for(&bob, VIEW, &LISTS).map(|_| ());
    assert_eq!((given, chain.given().count(), chain.revision()), (Err(DistributeError::Full), 16_384, revision));
}
