//! Statuses come, end, and are taken back.

use bisik::group::LeftOut;
use bisik::group::status::StatusError;

use crate::rooms::world::{ALICE, BOB, CAROL, DAVE, DAY, HOUR, World};

const PHONE: (usize, u32) = (ALICE, 0);

/// P-16.2. One upload, for every device of those whom the author chose and for its own.
#[test]
fn a_status_is_shown_to_the_devices_of_the_audience_and_to_the_authors_own() {
    let mut world = World::new(1, &[2, 2, 1]);
    world.audience(PHONE, &[BOB]);
    world.talk(PHONE, &world.keys[CAROL].clone());
    world.post(PHONE, "pagi").unwrap();
    world.run();
    assert_eq!(world.bytes.1, 130 + "pagi".len(), "one message for all");
    for at in [(ALICE, 1), (BOB, 0), (BOB, 1)] {
        assert_eq!(world.seen(at), ["pagi"], "{at:?} {:?}", world.devices[&at].told);
        assert_eq!(world.devices[&at].statuses[0].2, world.now.plus_seconds(DAY));
    }
    assert!(world.seen((CAROL, 0)).is_empty() && world.seen(PHONE).is_empty());
}

/// P-16.2. What was posted before somebody was included he does not see.
#[test]
fn a_newcomer_to_an_audience_sees_nothing_from_before() {
    let mut world = World::new(2, &[1, 1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "lama").unwrap();
    world.flush_statuses(PHONE);
    let old = world.intercept((BOB, 0)).remove(0);
    world.talk(PHONE, &world.keys[CAROL].clone());
    let carol = world.keys[CAROL];
    world.with_audience(PHONE, |audience| audience.include(carol)).unwrap();
    world.post(PHONE, "baru").unwrap();
    world.run();
    assert_eq!(world.seen((CAROL, 0)), ["baru"]);
    assert!(world.give((CAROL, 0), PHONE, &old).is_err());
    world.give((BOB, 0), PHONE, &old).unwrap();
    assert_eq!(world.seen((BOB, 0)), ["baru", "lama"]);
}

/// P-16.6. Who copies the keys of a chain reads for a day at most.
#[test]
fn every_day_has_a_new_chain_of_keys() {
    let mut world = World::new(3, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    let mut chains = Vec::new();
    for day in 0..3 {
        for hour in [0, 23] {
            let id = world.post(PHONE, &format!("hari {day}, jam {hour}")).unwrap();
            chains.push(id.chain);
            world.wait(if hour == 0 { 23 * HOUR } else { HOUR });
        }
    }
    assert!(chains.chunks(2).all(|day| day[0] == day[1]), "{chains:?}");
    chains.dedup();
    assert_eq!(chains.len(), 3);
    assert_eq!(world.seen((BOB, 0)).len(), 6, "{:?}", world.devices[&(BOB, 0)].told);
}

/// P-16.9. Neither the author's clock nor the relay's delay makes a status last longer.
#[test]
fn a_status_ends_after_24_hours_whatever_the_authors_clock_says() {
    let mut world = World::new(4, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    // The author's clock is two days ahead.
    let now = world.now;
    world.now = now.plus_seconds(2 * DAY);
    world.post(PHONE, "dari masa depan").unwrap();
    world.work(PHONE);
    world.now = now;
    world.run();
    assert_eq!(world.devices[&(BOB, 0)].statuses[0].2, now.plus_seconds(DAY));
    // The relay delays one until it has ended.
    world.now = now.plus_seconds(2 * DAY);
    world.post(PHONE, "terlambat").unwrap();
    world.flush_statuses(PHONE);
    let late = world.intercept((BOB, 0)).remove(0);
    world.wait(DAY);
    world.give((BOB, 0), PHONE, &late).unwrap();
    assert_eq!(world.seen((BOB, 0)), ["dari masa depan"]);
    assert!(world.devices[&(BOB, 0)].told.iter().any(|told| told.starts_with("Expired")));
}

/// P-16.9. What ends before the program has taken it is deleted, and the program is told.
#[test]
fn a_status_that_nobody_looked_at_is_deleted_when_it_ends() {
    let mut world = World::new(5, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world
        .show_to(PHONE, |audience, account, contacts, now, rng| {
            audience.post(account, b"sebentar", 60, contacts, now, rng)
        })
        .unwrap();
    world.flush_statuses(PHONE);
    let message = world.intercept((BOB, 0)).remove(0);
    world.run();
    let now = world.now;
    let device = world.at((BOB, 0));
    let author = *device.talks.keys().next().unwrap();
    let feed = device.feeds.get_mut(&author).unwrap();
    let devices = device.talks[&author].peer();
    let arrival = bisik::group::GroupArrival { from: (author, 0), message };
    let author = bisik::group::status::Author { devices, label: None };
    assert_eq!(feed.receive(&device.account, author, &[arrival], now), [Ok(())]);
    feed.expire(now.plus_seconds(60));
    let stored = feed.seal(&crate::rooms::world::key(), &mut rand::rng()).unwrap().stored();
    assert!(feed.stored(&stored));
    let waits: Vec<_> = feed.inbox().map(|(_, received)| format!("{received:?}")).collect();
    assert!(waits.len() == 1 && waits[0].starts_with("Expired"), "{waits:?}");
}

/// P-16.10. In whatever order the two arrive.
#[test]
fn a_status_that_was_taken_back_is_not_shown() {
    let mut world = World::new(6, &[2, 1, 1]);
    world.audience(PHONE, &[BOB, CAROL]);
    let id = world.post(PHONE, "salah kirim").unwrap();
    world.flush_statuses(PHONE);
    let late = world.intercept((CAROL, 0)).remove(0);
    world.run();
    assert_eq!(world.seen((BOB, 0)), ["salah kirim"]);
    world
        .show_to(PHONE, |audience, account, contacts, now, rng| audience.delete(account, &[id], contacts, now, rng))
        .unwrap();
    world.run();
    let deleted = |world: &World, at| world.devices[&at].told.iter().filter(|told| told.starts_with("Deleted")).count();
    assert_eq!([(BOB, 0), (CAROL, 0), (ALICE, 1)].map(|at| deleted(&world, at)), [1; 3]);
    world.give((CAROL, 0), PHONE, &late).unwrap();
    assert!(world.seen((CAROL, 0)).is_empty());
    assert_eq!(deleted(&world, (CAROL, 0)), 1, "it was told already");
}

/// P-16.3. What a business' operator would read is not shown to it, unless the author wants that and agrees to its terms.
#[test]
fn a_hosted_device_sees_no_status_by_default() {
    // Carol is a shop, one of whose devices somebody else runs.
    let mut world = World::new(7, &[1, 1, 1]);
    let (index, disclosure) = world.host(CAROL);
    let endpoint = (CAROL, index);
    world.audience(PHONE, &[BOB, CAROL]);
    let left_out = |world: &mut World| {
        let readers =
            world.show_to(PHONE, |audience, account, contacts, now, _| audience.readers(account, contacts, now));
        readers.iter().find_map(|reader| reader.left_out)
    };
    world.post(PHONE, "tidak untuk operator").unwrap();
    world.run();
    assert_eq!(left_out(&mut world), Some(LeftOut::NotAdmitted));
    world.with_audience(PHONE, |audience| audience.show_hosted(true));
    world.post(PHONE, "belum juga").unwrap();
    world.run();
    assert_eq!(left_out(&mut world), Some(LeftOut::NoConsent));
    let (carol, now) = (world.keys[CAROL], world.now);
    let alice = world.devices.get_mut(&PHONE).unwrap();
    let talk = alice.talks.get_mut(&carol).unwrap();
    let _agreed = talk.consent(&alice.account, &disclosure, now, &mut world.rng).unwrap();
    assert_eq!(left_out(&mut world), None);
    world.post(PHONE, "boleh").unwrap();
    world.run();
    assert_eq!(world.seen(endpoint), ["boleh"], "{:?}", world.devices[&endpoint].told);
    assert_eq!(world.seen((CAROL, 0)), ["tidak untuk operator", "belum juga", "boleh"]);
    // Withdrawn, the next status has a chain that it was not given.
    let alice = world.devices.get_mut(&PHONE).unwrap();
    let talk = alice.talks.get_mut(&carol).unwrap();
    let _withdrawn = talk.withdraw(&alice.account, &disclosure, now, &mut world.rng).unwrap();
    world.post(PHONE, "tidak lagi").unwrap();
    world.run();
    assert_eq!(world.seen(endpoint), ["boleh"]);
    assert_eq!(world.seen((BOB, 0)).len(), 4);
}

/// P-16.8. What an operator's device shows in the name of a business is taken once the user has agreed to its terms.
#[test]
fn a_hosted_device_shows_nothing_before_its_terms_are_agreed_to() {
    let mut world = World::new(10, &[1, 1]);
    let (index, disclosure) = world.host(BOB);
    let endpoint = (BOB, index);
    world.talk(PHONE, &world.keys[BOB].clone());
    world.audience(endpoint, &[ALICE]);
    world.post(endpoint, "promosi").unwrap();
    world.run();
    assert!(world.seen(PHONE).is_empty());
    let (bob, now) = (world.keys[BOB], world.now);
    let alice = world.devices.get_mut(&PHONE).unwrap();
    let talk = alice.talks.get_mut(&bob).unwrap();
    let _agreed = talk.consent(&alice.account, &disclosure, now, &mut world.rng).unwrap();
    world.wait(2 * HOUR);
    world.post(endpoint, "promosi lagi").unwrap();
    world.run();
    assert_eq!(world.seen(PHONE).last(), Some(&"promosi lagi"), "{:?}", world.devices[&PHONE].told);
    // Withdrawn, what arrives is refused, although its chain is known.
    let alice = world.devices.get_mut(&PHONE).unwrap();
    let talk = alice.talks.get_mut(&bob).unwrap();
    let _withdrawn = talk.withdraw(&alice.account, &disclosure, now, &mut world.rng).unwrap();
    world.post(endpoint, "tidak lagi").unwrap();
    world.flush_statuses(endpoint);
    let message = world.intercept(PHONE).remove(0);
    assert_eq!(world.give(PHONE, endpoint, &message), Err(bisik::group::GroupReceiveError::NotPermitted));
}

/// P-16.1. Each device of the author posts to the same people, whatever order it heard of changes in.
#[test]
fn two_devices_of_the_author_post_to_one_audience() {
    let mut world = World::new(8, &[2, 1, 1]);
    world.audience(PHONE, &[BOB, CAROL]);
    let (id, bob) = (world.with_audience(PHONE, |audience| audience.id()), world.keys[BOB]);
    assert!(world.with_audience(PHONE, |audience| audience.exclude(&bob)).unwrap());
    let entries: Vec<_> = world.with_audience(PHONE, |audience| audience.entries().collect());
    let tablet = &world.devices[&(ALICE, 1)].account;
    let mut there = bisik::group::status::Audience::open(tablet, id).unwrap();
    // An old word about Bob arrives last.
    for entry in &entries {
        assert!(there.apply(entry).unwrap());
    }
    let old = bisik::group::status::AudienceEntry { account: bob, version: 1, included: true };
    assert!(!there.apply(&old).unwrap());
    // Of two words of one version the exclusion holds.
    let both = bisik::group::status::AudienceEntry { account: bob, version: 2, included: true };
    assert!(!there.apply(&both).unwrap());
    assert_eq!(there.members().collect::<Vec<_>>(), [&world.keys[CAROL]]);
    world.at((ALICE, 1)).audience = Some(there);
    for who in [BOB, CAROL] {
        world.talk((ALICE, 1), &world.keys[who].clone());
    }
    world.post((ALICE, 1), "dari tablet").unwrap();
    world.run();
    assert_eq!(world.seen((CAROL, 0)), ["dari tablet"]);
    assert_eq!(world.seen(PHONE), ["dari tablet"]);
    assert!(world.seen((BOB, 0)).is_empty());
}

/// What a program may ask for.
#[test]
fn a_status_has_a_length_and_an_end() {
    let mut world = World::new(9, &[1, 1, 1, 1]);
    world.audience(PHONE, &[BOB, DAVE]);
    let mut post = |content: &[u8], lifetime| {
        world.show_to(PHONE, |audience, account, contacts, now, rng| {
            audience.post(account, content, lifetime, contacts, now, rng)
        })
    };
    assert_eq!(post(b"tak berakhir", 86_401), Err(StatusError::Lifetime));
    assert_eq!(post(b"tak pernah", 0), Err(StatusError::Lifetime));
    assert_eq!(post(&vec![0; (256 << 10) + 1], 60), Err(StatusError::TooLong));
    assert!(post(&vec![0; 256 << 10], 86_400).is_ok());
    let none =
        world.show_to(PHONE, |audience, account, contacts, now, rng| audience.delete(account, &[], contacts, now, rng));
    assert_eq!(none, Err(StatusError::TooLong));
    let own = world.keys[ALICE];
    assert_eq!(world.with_audience(PHONE, |audience| audience.include(own)), Err(StatusError::OwnAccount));
}
