//! Each message is read once, in any order; a changed one changes nothing.

use std::collections::BTreeSet;

use bisik::Identity;
use bisik::group::{ListsDigest, MemberDevice, OpenError, Place, ReceivingChains, Scope, SendingChain, View};
use bisik_testkit::fuzz::forged_chain::{ForgedChain, VIEW as TOLD};
use proptest::prelude::*;

use super::scene::{
    GROUP, PLACE, Scene, VIEW, distribution, forged, message, own, read, ready, refused, reload, state,
};

/// P-14.4: what one device writes once, all devices read that were given the chain, and nobody else.
#[test]
fn one_ciphertext_is_read_by_every_device_that_was_given_the_chain() {
    let mut scene = Scene::new(1);
    let others: Vec<_> = (0..3).map(|_| *Identity::generate(&mut scene.rng).public()).collect();
    scene.targets.extend(&others);
    let devices: Vec<_> = scene.targets.iter().copied().collect();
    assert_eq!(scene.ready().owed().copied().collect::<Vec<_>>(), devices);
    let mut readers: Vec<_> = devices
        .iter()
        .map(|device| {
            let mut chains = scene.nobody();
            assert!(chains.take(&scene.give(device), &scene.sender.identity).unwrap().opens_more);
            chains
        })
        .collect();
    assert_eq!(scene.ready().owed().count(), 0);
    for number in 0..3_u32 {
        let message = scene.write(b"halo, semua");
        assert_eq!(message.as_bytes().len(), 117 + 11);
        assert_eq!((message.chain(), message.index()), (scene.chain.chain(), number));
        for chains in &mut readers {
            let opened = read(chains, &message);
            assert_eq!((opened.body.as_slice(), opened.view, opened.index), (b"halo, semua".as_slice(), VIEW, number));
            assert_eq!((opened.place, opened.history, opened.given_up), (PLACE, false, 0));
        }
        assert_eq!(refused(&mut scene.nobody(), &message), OpenError::NeedsChain);
    }
}

/// P-14.4: the library's bytes are those of the specification, computed without it.
#[test]
fn bytes_are_those_of_the_specification() {
    let mut scene = Scene::new(2);
    let forged = forged(&scene, 1);
    scene.chain = own(&scene, &forged);
    let bob = scene.bob();
    assert_eq!(scene.chain.chain().as_bytes(), &forged.id());
    let mut chains = scene.nobody();
    let _ = chains.take(&distribution(&forged.distribution(0)), &scene.sender.identity).unwrap();
    for number in 0..4_u32 {
        let given = scene.give(&bob).to_bytes();
        let expected = forged.distribution(number);
        assert!(given[..65] == expected[..65] && given[73..] == expected[73..], "all but the view");
        let written = message(&forged.message(number, [9; 16], b"hai"));
        assert_eq!(read(&mut chains, &written).body, b"hai");
        let own = scene.write(b"halo");
        let salt: [u8; 16] = own.as_bytes()[13..29].try_into().unwrap();
        assert_eq!(own.as_bytes().len(), forged.message(number, salt, b"halo").len());
        let mut other = scene.nobody();
        let _ = other.take(&distribution(&forged.distribution(0)), &scene.sender.identity).unwrap();
        assert_eq!(read(&mut other, &own).body, b"halo");
    }
}

/// P-14.4: group, origin, account, device and chain are in what tag and signature cover, as the receiver knows them.
#[test]
fn a_message_counts_only_for_its_group_sender_and_chain() {
    let scene = Scene::new(3);
    let right = forged(&scene, 1);
    for change in 0..5 {
        let mut other = right.clone();
        match change {
            0 => other.group[0] ^= 1,
            1 => other.origin[31] ^= 1,
            2 => other.account[5] ^= 1,
            3 => other.device ^= 1,
            _ => other.signing[0] ^= 1,
        }
        let mut chains = scene.nobody();
        let _ = chains.take(&distribution(&right.distribution(0)), &scene.sender.identity).unwrap();
        let mut bytes = other.message(0, [1; 16], b"halo");
        bytes[1..9].copy_from_slice(&right.id());
        assert_eq!(refused(&mut chains, &message(&bytes)), OpenError::Rejected, "change {change}");
        assert_eq!(read(&mut chains, &message(&right.message(0, [1; 16], b"halo"))).body, b"halo");
    }
}

/// P-14.16: in transit, or by another member, who has the chain key.
#[test]
fn a_message_with_any_byte_changed_is_refused_and_changes_nothing() {
    let mut scene = Scene::new(4);
    let mut chains = scene.reader();
    let written = scene.write(b"satu");
    for at in 0..written.as_bytes().len() {
        let mut bytes = written.as_bytes().to_vec();
        bytes[at] ^= 0x20;
        let Ok(changed) = bisik::group::GroupMessage::try_from(bytes) else {
            assert!([0, 9, 10, 11].contains(&at), "the version, or a number that no message has");
            continue;
        };
        let expected = if (1..9).contains(&at) { OpenError::NeedsChain } else { OpenError::Rejected };
        assert_eq!(refused(&mut chains, &changed), expected, "byte {at}");
    }
    assert_eq!(read(&mut chains, &written).body, b"satu");
}

/// P-14.4: the same bytes, at somebody who takes another device for their sender.
#[test]
fn a_message_under_another_name_is_refused() {
    let mut scene = Scene::new(5);
    let bob = scene.bob();
    let given = scene.give(&bob);
    let written = scene.write(b"halo");
    let other = super::scene::sender(&mut scene.rng);
    for sender in [MemberDevice { account: other.account, ..scene.sender }, MemberDevice { device: 4, ..scene.sender }]
    {
        let mut chains = ReceivingChains::new(Scope::Group(GROUP), sender);
        let _ = chains.take(&given, &sender.identity).unwrap();
        assert_eq!(refused(&mut chains, &written), OpenError::Rejected);
    }
}

/// P-14.11: nothing that was written before, in any form.
#[test]
fn a_newcomer_reads_nothing_that_was_written_before() {
    let mut scene = Scene::new(6);
    let mut chains = scene.reader();
    let before: Vec<_> = (0..4).map(|_| scene.write(b"sebelum")).collect();
    let carol = *Identity::generate(&mut scene.rng).public();
    scene.targets.insert(carol);
    let given = scene.give(&carol);
    assert_eq!(given.index(), 4);
    let mut newcomer = scene.nobody();
    let _ = newcomer.take(&given, &scene.sender.identity).unwrap();
    let after = scene.write(b"sesudah");
    for message in &before {
        assert_eq!(refused(&mut newcomer, message), OpenError::NotGiven);
        assert_eq!(read(&mut chains, message).body, b"sebelum");
    }
    assert_eq!(read(&mut newcomer, &after).body, b"sesudah");
    assert_eq!(refused(&mut newcomer, &before[3]), OpenError::NotGiven);
    assert_eq!(read(&mut chains, &after).body, b"sesudah");
}

/// What a receiver must answer, computed from what it has received.
struct Model {
    first: u32,
    /// In the order in which they were received.
    received: Vec<u32>,
    given_up: BTreeSet<u32>,
}

impl Model {
    fn expect(&mut self, number: u32) -> Result<(), OpenError> {
        if number < self.first {
            return Err(OpenError::NotGiven);
        }
        if self.received.contains(&number) {
            return Err(OpenError::Replayed);
        }
        assert!(self.given_up.is_empty());
        self.received.push(number);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// P-14.16, P-14.18, P-14.19: whatever order, losses and repeats, and restarts at any time.
    #[test]
    fn messages_in_any_order_are_each_read_once(
        seed in any::<u64>(),
        joined in 0..20_u32,
        arrivals in proptest::collection::vec((0..50_usize, 0..8_u8), 1..90),
    ) {
        let mut scene = Scene::new(seed);
        let bob = scene.bob();
        let (mut written, mut given) = (Vec::new(), None);
        for number in 0..50_u32 {
            if number == joined {
                given = Some(scene.give(&bob));
            }
            written.push(scene.write(&number.to_be_bytes()));
        }
        let mut chains = scene.nobody();
        let _ = chains.take(&given.unwrap(), &scene.sender.identity).unwrap();
        let mut model = Model { first: joined, received: Vec::new(), given_up: BTreeSet::new() };
        for (number, fate) in arrivals {
            let message = &written[number];
            let number = u32::try_from(number).unwrap();
            let before = state(&mut chains);
            let result = chains.open(message);
            match model.expect(number) {
                Ok(()) => {
                    let opened = result.unwrap();
                    prop_assert_eq!(&opened.body[..], number.to_be_bytes());
                    prop_assert_eq!((opened.index, opened.given_up), (number, 0));
                    prop_assert!(state(&mut chains) != before);
                }
                Err(expected) => {
                    prop_assert_eq!(result.map(|_| ()).unwrap_err(), expected);
                    prop_assert!(state(&mut chains) == before);
                }
            }
            if fate == 0 {
                reload(&mut chains);
            }
            let highest = model.received.iter().max().map_or(joined, |highest| highest + 1);
            prop_assert_eq!(chains.kept_keys(), highest - joined - u32::try_from(model.received.len()).unwrap());
        }
    }
}

/// P-14.4: a status is read like a message of a group.
#[test]
fn an_audience_reads_what_is_shown_to_it() {
    let mut scene = Scene::new(7);
    let id = bisik::group::GroupId::audience(&scene.sender.account, &mut scene.rng);
    let place = Place::Audience { id };
    let mut chain = SendingChain::begin(place, scene.sender, true, super::scene::NOW, &mut scene.rng).unwrap();
    let bob = scene.bob();
    let given = ready(&mut chain, &scene.targets).distribution_for(&bob, VIEW, &super::scene::LISTS).unwrap();
    assert_eq!((given.scope(), given.history(), given.place()), (Scope::Audience(id), true, &place));
    let mut chains = ReceivingChains::new(Scope::Audience(id), scene.sender);
    let _ = chains.take(&distribution(&given.to_bytes()), &scene.sender.identity).unwrap();
    let written = ready(&mut chain, &scene.targets).encrypt(VIEW, b"status", &mut scene.rng).unwrap();
    let opened = read(&mut chains, &written);
    assert_eq!((opened.body.as_slice(), opened.history, opened.place), (b"status".as_slice(), true, place));
    reload(&mut chains);
}

/// P-14.3, P-14.6: the digests of what an author knows of those who read would tell them of one another.
#[test]
fn an_audience_is_told_nothing_of_what_its_author_knows() {
    let mut scene = Scene::new(8);
    let place = Place::Audience { id: GROUP };
    let mut chain = SendingChain::begin(place, scene.sender, false, super::scene::NOW, &mut scene.rng).unwrap();
    let bob = scene.bob();
    let given = ready(&mut chain, &scene.targets).distribution_for(&bob, VIEW, &super::scene::LISTS).unwrap();
    let nothing = View::from_bytes([0; 8]);
    assert_eq!((given.view(), given.lists()), (nothing, &ListsDigest::from_bytes([0; 32])));
    let mut chains = ReceivingChains::new(Scope::Audience(GROUP), scene.sender);
    let _ = chains.take(&given, &scene.sender.identity).unwrap();
    let written = ready(&mut chain, &scene.targets).encrypt(VIEW, b"status", &mut scene.rng).unwrap();
    assert_eq!(read(&mut chains, &written).view, nothing);
    // Another program that tells something.
    let bytes = given.to_bytes();
    for at in [65, 72, 162, 193] {
        let mut telling = bytes.clone();
        telling[at] = 1;
        let error = bisik::group::Distribution::from_bytes(&telling).map(|_| ()).unwrap_err();
        assert_eq!(error, bisik::group::DistributionError::Malformed, "byte {at}");
    }
    let silent = ForgedChain { origin: [0; 32], flags: 2, ..forged(&scene, 1) };
    let _ = chains.take(&distribution(&silent.distribution(0)), &scene.sender.identity).unwrap();
    let key = bisik_testkit::fuzz::forged_chain::message_key(&silent.first);
    let telling = silent.message_telling(&TOLD, &key, 0, [1; 16], b"status");
    assert_eq!(refused(&mut chains, &message(&telling)), OpenError::Rejected);
    assert_eq!(read(&mut chains, &message(&silent.message(0, [1; 16], b"status"))).body, b"status");
}
