//! Histories: people come into an audience and leave it, devices are linked and unlinked, the relay mixes and repeats.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use crate::rooms::world::{ALICE, At, HOUR, World, key};
use bisik::group::status::Audience;

/// Every status is shown once by exactly those devices that were in the audience when it was posted.
#[test]
fn random_audiences_show_each_status_once_to_those_it_was_for() {
    for seed in 0..12 {
        history(seed);
    }
}

fn history(seed: u64) {
    let mut world = World::new(seed, &[2, 2, 1, 1]);
    world.audience((ALICE, 0), &[1, 2]);
    world.talk((ALICE, 0), &world.keys[3].clone());
    let mut expected: BTreeMap<At, BTreeSet<String>> = BTreeMap::new();
    for step in 0..40 {
        let who = world.rng.random_range(1..4_usize);
        let account = world.keys[who];
        match world.rng.random_range(0..10) {
            0 => drop(world.with_audience((ALICE, 0), |audience| audience.include(account))),
            1 => drop(world.with_audience((ALICE, 0), |audience| audience.exclude(&account))),
            2 if world.devices.len() < 8 => drop(world.link(who - 1)),
            3 => {
                let linked: Vec<_> = world.devices.keys().copied().filter(|(_, index)| *index > 0).collect();
                if let Some((who, index)) = linked.first().copied() {
                    world.run();
                    let device = world.unlink(who, index);
                    let texts: BTreeSet<_> = device.statuses.iter().map(|(_, text, _)| text.clone()).collect();
                    assert_eq!(texts, expected.remove(&(who, index)).unwrap_or_default(), "{seed} {step}");
                }
            }
            4 => {
                // A crash: what is in memory is lost, and what is stored goes on.
                world.work((ALICE, 0));
                let id = world.with_audience((ALICE, 0), |audience| audience.id());
                let record = world.show_to((ALICE, 0), |audience, _, _, _, rng| audience.seal(&key(), rng)).unwrap();
                world.at((ALICE, 0)).audience = Some(Audience::unseal(&key(), id, record.as_bytes()).unwrap());
            }
            5 => world.wait(HOUR * 5),
            6 => {
                let mail = world.mail.len();
                if mail > 1 {
                    let (one, other) = (world.rng.random_range(0..mail), world.rng.random_range(0..mail));
                    world.mail.swap(one, other);
                }
            }
            _ => {
                let text = format!("status {step}");
                let members: BTreeSet<_> =
                    world.with_audience((ALICE, 0), |audience| audience.members().copied().collect());
                let readers: Vec<_> = world
                    .devices
                    .keys()
                    .copied()
                    .filter(|(who, index)| members.contains(&world.keys[*who]) || (*who == ALICE && *index > 0))
                    .collect();
                world.post((ALICE, 0), &text).unwrap();
                for at in readers {
                    expected.entry(at).or_default().insert(text.clone());
                }
                world.work((ALICE, 0));
            }
        }
    }
    world.run();
    world.wait(HOUR);
    for (at, device) in &world.devices {
        let texts: Vec<_> = device.statuses.iter().map(|(_, text, _)| text.clone()).collect();
        let once: BTreeSet<_> = texts.iter().cloned().collect();
        assert_eq!(once.len(), texts.len(), "{seed} {at:?} shown twice: {texts:?}");
        assert_eq!(once, expected.get(at).cloned().unwrap_or_default(), "{seed} {at:?} {:?}", device.told);
    }
}
