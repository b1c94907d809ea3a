//! Crashes, backups and bounds.

use bisik::device::{Custody, DeviceTerms, Primary};
use bisik::group::status::{Audience, Contacts, Feed, StatusError};
use bisik::{Identity, StorageKey, UnsealError};
use bisik_testkit::ConstantRng;

use crate::rooms::world::{ALICE, BOB, World, key};

const PHONE: (usize, u32) = (ALICE, 0);

/// P-16.11. After a crash the same bytes go out, and no number is used twice.
#[test]
fn a_crash_before_a_status_was_sent_loses_nothing_and_repeats_no_number() {
    let mut world = World::new(21, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    let record = world.show_to(PHONE, |audience, _, _, _, rng| audience.seal(&key(), rng)).unwrap().into_bytes();
    let id = world.with_audience(PHONE, |audience| audience.id());
    let flush = |world: &mut World| {
        world.show_to(PHONE, |audience, account, contacts, now, rng| {
            let outgoing = audience.flush(account, contacts, now).unwrap();
            let stored = audience.seal(&key(), rng).unwrap().stored();
            outgoing.release(&stored).unwrap().0.messages
        })
    };
    let sent = flush(&mut world);
    // The program dies before the relay has it.
    world.at(PHONE).audience = Some(Audience::unseal(&key(), id, &record).unwrap());
    assert_eq!(flush(&mut world), sent);
    // What was made after the record was stored is not released.
    world.post(PHONE, "dua").unwrap();
    let held = world.show_to(PHONE, |audience, account, contacts, now, rng| {
        let stored = audience.seal(&key(), rng).unwrap().stored();
        audience.flush(account, contacts, now).unwrap().release(&stored).map(drop)
    });
    assert!(held.is_err());
}

/// P-14.8. A backup does not remember who was given the chain since.
#[test]
fn a_restored_author_begins_a_new_chain() {
    let mut world = World::new(22, &[1, 1, 1]);
    world.audience(PHONE, &[BOB]);
    let before = world.post(PHONE, "sebelum").unwrap();
    world.run();
    let id = world.with_audience(PHONE, |audience| audience.id());
    let backup = world.show_to(PHONE, |audience, _, _, _, rng| audience.seal(&key(), rng)).unwrap().into_bytes();
    world.post(PHONE, "sesudah").unwrap();
    world.run();
    let mut restored = Audience::unseal(&key(), id, &backup).unwrap();
    restored.restored();
    world.at(PHONE).audience = Some(restored);
    let after = world.post(PHONE, "dari cadangan").unwrap();
    world.run();
    assert_ne!(before.chain, after.chain);
    assert_eq!(world.seen((BOB, 0)), ["sebelum", "sesudah", "dari cadangan"]);
}

/// P-16.11, P-6.1.
#[test]
fn records_of_statuses_open_as_what_they_are_and_as_nothing_else() {
    let mut world = World::new(23, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    let (alice, bob) = (world.keys[ALICE], world.keys[BOB]);
    let rng = &mut ConstantRng(3);
    let id = world.with_audience(PHONE, |audience| audience.id());
    let record =
        world.with_audience(PHONE, |audience| audience.seal(&key(), &mut ConstantRng(3))).unwrap().into_bytes();
    let mut opened = Audience::unseal(&key(), id, &record).unwrap();
    assert_eq!(opened.seal(&key(), rng).unwrap().as_bytes(), record);
    assert_eq!(opened.members().collect::<Vec<_>>(), [&bob]);
    let other = bisik::group::GroupId::from_bytes([1; 32]);
    assert_eq!(Audience::unseal(&key(), other, &record).err(), Some(UnsealError::Rejected));
    assert_eq!(Audience::unseal(&StorageKey::from_bytes([1; 32]), id, &record).err(), Some(UnsealError::Rejected));

    let feed = world.at((BOB, 0)).feeds.get_mut(&alice).unwrap();
    let record = feed.seal(&key(), &mut ConstantRng(4)).unwrap().into_bytes();
    let mut opened = Feed::unseal(&key(), alice, &record).unwrap();
    assert_eq!(opened.seal(&key(), &mut ConstantRng(4)).unwrap().as_bytes(), record);
    assert_eq!(Feed::unseal(&key(), bob, &record).err(), Some(UnsealError::Rejected));
    assert!(opened.seal(&StorageKey::from_bytes([1; 32]), rng).is_err(), "under another key only if that is meant");
    opened.move_to_key(&StorageKey::from_bytes([1; 32]));
    assert!(opened.seal(&StorageKey::from_bytes([1; 32]), rng).is_ok());
}

/// Section 16.4. Also what a status costs: 195 bytes for each device once a day, and 130 more than its content once.
#[test]
fn an_audience_of_four_thousand_accounts_is_the_largest() {
    let mut world = World::new(24, &[1]);
    world.audience(PHONE, &[]);
    let now = world.now;
    let people: Vec<_> =
        (0..=4_096).map(|_| bisik::device::AccountKey::of(&Identity::generate(&mut world.rng))).collect();
    for person in &people[..4_096] {
        world.with_audience(PHONE, |audience| audience.include(*person)).unwrap();
    }
    let full = world.with_audience(PHONE, |audience| audience.include(people[4_096]));
    assert_eq!(full, Err(StatusError::Full));
    assert!(world.with_audience(PHONE, |audience| audience.exclude(&people[0])).unwrap());
    assert!(world.with_audience(PHONE, |audience| audience.include(people[4_096])).is_ok());

    world.audience(PHONE, &[]);
    let rng = &mut rand::rng();
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let homes: Vec<_> = (0..50)
        .map(|_| {
            let identity = Identity::generate(rng);
            Primary::new(&identity, terms, now).directory()
        })
        .collect();
    let devices: Vec<_> = homes.iter().collect();
    let Some(mut audience) = world.at(PHONE).audience.take() else { panic!("it was created") };
    let account = &world.devices[&PHONE].account;
    homes.iter().for_each(|home| audience.include(*home.account()).unwrap());
    let contacts = Contacts { devices: &devices, labels: &[] };
    audience.post(account, b"halo", 60, contacts, now, rng).unwrap();
    let outgoing = audience.flush(account, contacts, now).unwrap();
    let (sent, _) = outgoing.release(&audience.seal(&key(), rng).unwrap().stored()).unwrap();
    assert_eq!((sent.letters.len(), sent.to.len()), (50, 50));
    assert!(sent.letters.iter().all(|letter| format!("{letter:?}").contains("length: 195")));
    assert_eq!(sent.messages.iter().map(Vec::len).collect::<Vec<_>>(), [134]);
}

/// Section 16.4. An author decides no memory of those who read.
#[test]
fn more_deletions_than_there_is_room_for_are_refused_and_change_nothing() {
    let mut world = World::new(25, &[1, 1]);
    world.audience(PHONE, &[BOB]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    let delete = |world: &mut World, message: u8, count: u32| {
        let chain = bisik::group::ChainId::from_bytes([message; 8]);
        let names: Vec<_> = (0..count).map(|index| bisik::group::GroupMessageId { chain, index }).collect();
        world
            .show_to(PHONE, |audience, account, contacts, now, rng| {
                audience.delete(account, &names, contacts, now, rng)
            })
            .unwrap();
        world.flush_statuses(PHONE);
        world.intercept((BOB, 0)).remove(0)
    };
    let mut messages: Vec<_> = (0..15).map(|message| delete(&mut world, message, 64)).collect();
    messages.extend([delete(&mut world, 20, 30), delete(&mut world, 21, 64), delete(&mut world, 22, 3)]);
    let (alice, now) = (world.keys[ALICE], world.now);
    let device = world.at((BOB, 0));
    let feed = device.feeds.get_mut(&alice).unwrap();
    let author = bisik::group::status::Author { devices: device.talks[&alice].peer(), label: None };
    let mut results = Vec::new();
    for message in messages {
        let before = feed.revision();
        let arrival = bisik::group::GroupArrival { from: (alice, 0), message };
        let result = feed.receive(&device.account, author, &[arrival], now).remove(0);
        assert_eq!(result.is_err(), feed.revision() == before, "what is refused changes nothing");
        results.push(result);
    }
    let stored = feed.seal(&key(), &mut rand::rng()).unwrap().stored();
    assert!(feed.stored(&stored));
    // 990 wait; the next 64 have no room, and the 3 after them have.
    assert_eq!(results.iter().position(Result::is_err), Some(16), "{results:?}");
    assert_eq!(results[16..], [Err(bisik::group::GroupReceiveError::InboxFull), Ok(())]);
    assert_eq!(feed.inbox().count(), 15 * 64 + 30 + 3);
}

/// P-16.2. What nobody has signed again for 30 days may be a thief's by now.
#[test]
fn a_reader_whose_list_has_expired_is_given_no_new_chain() {
    let mut world = World::new(26, &[1, 1, 1]);
    world.audience(PHONE, &[BOB, 2]);
    world.post(PHONE, "satu").unwrap();
    world.run();
    world.now = world.now.plus_seconds(40 * 24 * 60 * 60);
    world.renew(ALICE);
    world.renew(2);
    world.post(PHONE, "dua").unwrap();
    let sent = world.show_to(PHONE, |audience, account, contacts, now, rng| {
        let outgoing = audience.flush(account, contacts, now).unwrap();
        let stored = audience.seal(&key(), rng).unwrap().stored();
        outgoing.release(&stored).unwrap().0
    });
    let to: Vec<_> = sent.letters.iter().map(|letter| letter.to().account).collect();
    assert_eq!(to, [world.keys[2]], "and not Bob");
    assert!(sent.to.iter().all(|device| device.account != world.keys[BOB]));
}
