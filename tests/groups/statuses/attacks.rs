//! Those who are excluded, thieves, and relays.

use bisik::group::GroupReceiveError;

use crate::rooms::world::{ALICE, BOB, CAROL, Mail, World};

const PHONE: (usize, u32) = (ALICE, 0);

/// P-14.7, P-16.2.
#[test]
fn an_excluded_contact_cannot_read_the_next_status_with_everything_he_held() {
    let mut world = World::new(11, &[1, 2, 1]);
    world.audience(PHONE, &[BOB, CAROL]);
    world.post(PHONE, "untuk berdua").unwrap();
    world.run();
    world.wait(3_600);
    let bob = world.keys[BOB];
    assert!(world.with_audience(PHONE, |audience| audience.exclude(&bob)).unwrap());
    world.post(PHONE, "bukan untuk Bob").unwrap();
    world.flush_statuses(PHONE);
    let message = world.mail.iter().find_map(|(_, _, mail)| match mail {
        Mail::Status(message) => Some(message.clone()),
        _ => None,
    });
    world.run();
    assert_eq!(world.seen((CAROL, 0)).len(), 2);
    for device in [0, 1] {
        // A relay that helps him.
        let result = world.give((BOB, device), PHONE, message.as_ref().unwrap());
        assert_eq!(result, Err(GroupReceiveError::NeedsChain));
    }
    // His devices ask for the chain, and are given nothing.
    world.run();
    assert!(
        world.devices[&PHONE].told.iter().any(|told| told == "asked: UnknownDevice"),
        "{:?}",
        world.devices[&PHONE].told
    );
    assert_eq!(world.give((BOB, 0), PHONE, message.as_ref().unwrap()), Err(GroupReceiveError::NeedsChain));
}

/// P-14.7. A device that its account unlinked may be in a thief's hands.
#[test]
fn a_device_that_a_reader_unlinked_reads_no_further_status() {
    let mut world = World::new(12, &[1, 2]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    let gone = world.unlink(BOB, 1);
    world.post(PHONE, "dua").unwrap();
    world.flush_statuses(PHONE);
    let message = world.mail.iter().find_map(|(_, _, mail)| match mail {
        Mail::Status(message) => Some(message.clone()),
        _ => None,
    });
    world.run();
    assert_eq!(world.seen((BOB, 0)), ["satu", "dua"]);
    world.devices.insert((BOB, 1), gone);
    assert_eq!(world.give((BOB, 1), PHONE, &message.unwrap()), Err(GroupReceiveError::NeedsChain));
}

/// P-16.8. A thief of a device that the author has unlinked shows nothing in the author's name.
#[test]
fn a_device_that_the_author_unlinked_is_heard_no_more() {
    let mut world = World::new(13, &[2, 1]);
    world.audience((ALICE, 1), &[BOB]);
    world.post((ALICE, 1), "masih").unwrap();
    world.run();
    world.post((ALICE, 1), "pencuri").unwrap();
    world.flush_statuses((ALICE, 1));
    let message = world.intercept((BOB, 0)).remove(0);
    let _thief = world.unlink(ALICE, 1);
    let refused = world.give((BOB, 0), (ALICE, 1), &message);
    assert_eq!(refused, Err(GroupReceiveError::NotPermitted));
    assert_eq!(world.seen((BOB, 0)), ["masih"]);
}

/// P-14.4, P-15.2, P-16.5. Neither a status nor its keys count in a group, and the other way round.
#[test]
fn a_status_cannot_be_replayed_into_a_group_nor_a_group_message_as_a_status() {
    let mut world = World::of_members(14, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "status").unwrap();
    world.send(PHONE, "untuk kelompok").unwrap();
    world.work(PHONE);
    let mut of = [None, None];
    for (_, _, mail) in &world.mail {
        match mail {
            Mail::Status(message) => of[0] = Some(message.clone()),
            Mail::Message(message) => of[1] = Some(message.clone()),
            Mail::Letter(_) => {}
        }
    }
    world.run();
    let [status, message] = of.map(Option::unwrap);
    let from = (world.keys[ALICE], 0);
    let arrival = bisik::group::GroupArrival { from, message: status };
    let now = world.now;
    let bob = world.at((BOB, 0));
    let group = bob.group.as_mut().unwrap();
    assert_eq!(group.receive(&bob.account, &[arrival], now), [Err(GroupReceiveError::NeedsChain)]);
    assert_eq!(world.give((BOB, 0), PHONE, &message), Err(GroupReceiveError::NeedsChain));
    assert_eq!((world.seen((BOB, 0)), world.texts((BOB, 0))), (vec!["status"], vec!["untuk kelompok"]));
}

/// Section 16, security considerations. What one reader gets is the same whether others read or not, but for what the relay
/// sees: to how many devices it hands the message.
#[test]
fn a_reader_cannot_tell_whether_others_read() {
    let sizes = |audience: &[usize]| {
        let mut world = World::new(15, &[1, 1, 1, 1]);
        world.audience(PHONE, audience);
        let mut sizes = Vec::new();
        for text in ["satu", "dua"] {
            world.post(PHONE, text).unwrap();
            world.work(PHONE);
            sizes.extend(world.mail.iter().filter(|(to, ..)| *to == (BOB, 0)).map(|(_, _, mail)| match mail {
                Mail::Letter(envelope) => envelope.ciphertext.as_bytes().len(),
                Mail::Message(message) | Mail::Status(message) => message.len(),
            }));
            world.run();
        }
        assert_eq!(world.seen((BOB, 0)), ["satu", "dua"]);
        sizes
    };
    let alone = sizes(&[BOB]);
    assert!(alone.len() >= 3, "a letter, and two messages");
    assert_eq!(alone, sizes(&[BOB, CAROL, 3]));
}

/// P-16.7. Garbage makes nobody write more than one letter an hour, also if an answer came meanwhile.
#[test]
fn a_chain_that_is_lacking_is_asked_for_once_an_hour() {
    let mut world = World::new(16, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    world.wait(3_600);
    // Bob has lost what he was given.
    world.at((BOB, 0)).feeds.clear();
    world.post(PHONE, "dua").unwrap();
    world.run();
    // He was given the chain as it is by now.
    world.post(PHONE, "tiga").unwrap();
    world.run();
    assert_eq!(world.seen((BOB, 0)), ["satu", "tiga"], "{:?}", world.devices[&(BOB, 0)].told);
    let garbage = |number: u8| [&[1][..], &[number; 8], &[0; 4], &[7; 104]].concat();
    for number in 0..100 {
        let refused = world.give((BOB, 0), PHONE, &garbage(number));
        assert_eq!(refused, Err(GroupReceiveError::NeedsChain), "nothing was verified");
        assert_eq!(world.asks((BOB, 0), ALICE), 0, "within the hour");
    }
    world.now = world.now.plus_seconds(3_600);
    assert_eq!(world.asks((BOB, 0), ALICE), 1);
    assert_eq!(world.give((BOB, 0), PHONE, &garbage(1)), Err(GroupReceiveError::NeedsChain));
    assert_eq!(world.asks((BOB, 0), ALICE), 0);
}

/// P-14.16. Whatever a relay changes.
#[test]
fn a_changed_status_is_refused_and_leaves_the_record_as_it_was() {
    let mut world = World::new(17, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    world.post(PHONE, "dua").unwrap();
    world.flush_statuses(PHONE);
    let message = world.intercept((BOB, 0)).remove(0);
    let alice = world.keys[ALICE];
    let record = |world: &mut World| {
        let mut rng = bisik_testkit::ConstantRng(9);
        let feed = world.at((BOB, 0)).feeds.get_mut(&alice).unwrap();
        feed.seal(&crate::rooms::world::key(), &mut rng).unwrap().into_bytes()
    };
    let before = record(&mut world);
    for at in 0..message.len() {
        let mut changed = message.clone();
        changed[at] ^= 1;
        let refused = world.give((BOB, 0), PHONE, &changed);
        assert!(refused.is_err(), "{at}");
    }
    for length in 0..message.len() {
        assert!(world.give((BOB, 0), PHONE, &message[..length]).is_err());
    }
    assert_eq!(record(&mut world), before);
    world.give((BOB, 0), PHONE, &message).unwrap();
    assert_eq!(world.give((BOB, 0), PHONE, &message), Err(GroupReceiveError::Duplicate));
}
