//! What the devices of one account share, in the conversation with oneself.

use bisik::device::AccountKey;
use bisik::group::status::Audience;
use bisik::registers::{Mark, Pin, RegisterError, RegisterKey, Registers};
use bisik::{Identity, StorageKey, UnsealError};
use bisik_testkit::ConstantRng;
use rand::RngExt;

use crate::rooms::world::{ALICE, At, BOB, DAY, HOUR, World, key};

const PHONE: At = (ALICE, 0);
const TABLET: At = (ALICE, 1);
const LAPTOP: At = (ALICE, 2);

/// Alice has three devices, which know each other.
fn three(seed: u64) -> World {
    let mut world = World::new(seed, &[3, 1]);
    for at in [PHONE, TABLET, LAPTOP] {
        begin(&mut world, at);
    }
    world.run();
    world
}

fn begin(world: &mut World, at: At) {
    let registers = Registers::new(&world.devices[&at].account).unwrap();
    world.at(at).registers = Some(registers);
}

fn set(world: &mut World, at: At, name: &str, value: &str) -> Result<bool, RegisterError> {
    write(world, at, &RegisterKey::setting(name).unwrap(), Some(value.as_bytes()))
}

fn write(world: &mut World, at: At, key: &RegisterKey, value: Option<&[u8]>) -> Result<bool, RegisterError> {
    let now = world.now;
    let device = world.at(at);
    device.registers.as_mut().unwrap().set(&device.account, key, value, now)
}

fn get(world: &World, at: At, name: &str) -> Option<String> {
    let value = registers(world, at).get(&RegisterKey::setting(name).unwrap())?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

fn registers(world: &World, at: At) -> &Registers {
    world.devices[&at].registers.as_ref().unwrap()
}

/// Everything that a device has.
fn all(world: &World, at: At) -> Vec<(RegisterKey, Vec<u8>)> {
    registers(world, at).iter().map(|(key, value)| (key.clone(), value.to_vec())).collect()
}

/// P-17.5
#[test]
fn a_setting_of_one_device_reaches_all_own_devices_and_nobody_else() {
    let mut world = three(31);
    begin(&mut world, (BOB, 0));
    assert_eq!(set(&mut world, PHONE, "theme", "dark"), Ok(true));
    world.run();
    for at in [TABLET, LAPTOP] {
        assert_eq!(get(&world, at, "theme").as_deref(), Some("dark"), "{at:?} {:?}", world.devices[&at].told);
        let theme = RegisterKey::setting("theme").unwrap();
        assert_eq!(registers(&world, at).changes().collect::<Vec<_>>(), [&theme]);
        world.at(at).registers.as_mut().unwrap().settle(&theme);
        assert_eq!(registers(&world, at).changes().count(), 0);
    }
    assert_eq!(registers(&world, PHONE).changes().count(), 0);
    assert_eq!(all(&world, (BOB, 0)), []);
    // Absence travels too.
    let theme = RegisterKey::setting("theme").unwrap();
    assert_eq!(write(&mut world, TABLET, &theme, None), Ok(true));
    world.run();
    assert_eq!([PHONE, TABLET, LAPTOP].map(|at| get(&world, at, "theme")), [None, None, None]);
}

/// P-17.1, P-17.2
#[test]
fn the_last_write_holds_after_devices_were_offline() {
    let mut world = three(32);
    world.off = [TABLET, LAPTOP].into();
    set(&mut world, PHONE, "name", "dari telepon").unwrap();
    world.wait(60);
    set(&mut world, TABLET, "name", "dari tablet").unwrap();
    world.off.clear();
    world.run();
    for at in [PHONE, TABLET, LAPTOP] {
        assert_eq!(get(&world, at, "name").as_deref(), Some("dari tablet"));
    }
    // A read mark only grows.
    let mark = RegisterKey::read_mark(&[7; 16]).unwrap();
    write(&mut world, PHONE, &mark, Some(&RegisterKey::position(50))).unwrap();
    world.run();
    assert_eq!(write(&mut world, LAPTOP, &mark, Some(&RegisterKey::position(40))), Ok(false));
    assert_eq!(write(&mut world, LAPTOP, &mark, None), Err(RegisterError::WrongValue));
    world.run();
    assert_eq!(registers(&world, LAPTOP).get(&mark), Some(&RegisterKey::position(50)[..]));
}

/// P-17.1. What was verified on one device and found changed on another at the same time is not verified.
#[test]
fn a_verified_mark_is_lost_rather_than_kept_by_mistake() {
    let mut world = three(33);
    let bob = RegisterKey::verified(&world.keys[BOB].clone());
    world.off = [TABLET].into();
    write(&mut world, PHONE, &bob, Some(&Mark::NotVerified.to_bytes())).unwrap();
    write(&mut world, TABLET, &bob, Some(&Mark::Verified { what: [1; 32] }.to_bytes())).unwrap();
    world.off.clear();
    world.run();
    for at in [PHONE, TABLET, LAPTOP] {
        let value = registers(&world, at).get(&bob).unwrap();
        assert_eq!(Mark::read(value), Some(Mark::NotVerified), "{at:?}");
    }
    assert_eq!(write(&mut world, PHONE, &bob, Some(b"verified")), Err(RegisterError::WrongValue));
}

/// P-17.7. Whatever the network has lost for good, a day later the devices agree.
#[test]
fn what_was_lost_is_found_by_digests_within_a_day() {
    let mut world = three(34);
    set(&mut world, PHONE, "hilang", "ada").unwrap();
    let now = world.now;
    let device = world.at(PHONE);
    let registers = device.registers.as_mut().unwrap();
    let outgoing = registers.flush(&device.account, now).unwrap();
    let stored = registers.seal(&key(), &mut rand::rng()).unwrap().stored();
    // Given to nobody.
    let (letters, handover) = outgoing.release(&stored).unwrap();
    assert_eq!(letters.len(), 2);
    registers.handed(handover);
    world.run();
    assert_eq!(get(&world, TABLET, "hilang"), None);
    world.wait(DAY);
    for at in [TABLET, LAPTOP] {
        assert_eq!(get(&world, at, "hilang").as_deref(), Some("ada"), "{at:?}");
    }
    // And then it is quiet, once everything is acknowledged.
    world.wait(HOUR);
    let before = world.bytes.0;
    world.wait(HOUR);
    assert_eq!(world.bytes.0, before);
}

/// P-17.7
#[test]
fn a_newly_linked_device_gets_everything() {
    let mut world = three(35);
    for number in 0..600 {
        set(&mut world, PHONE, &format!("setting {number}"), "x").unwrap();
    }
    world.run();
    let index = world.link(ALICE);
    begin(&mut world, (ALICE, index));
    world.run();
    world.wait(HOUR);
    world.wait(HOUR);
    assert!(all(&world, PHONE).len() == 600 && all(&world, (ALICE, index)) == all(&world, PHONE));
}

/// P-17.5. A stolen device writes until it is unlinked, and an operator's device never.
#[test]
fn an_unlinked_or_hosted_device_writes_nothing() {
    let mut world = three(36);
    let (index, _) = world.host(ALICE);
    let hosted = &world.devices[&(ALICE, index)].account;
    assert_eq!(Registers::new(hosted).err(), Some(RegisterError::NotListed));
    set(&mut world, LAPTOP, "theme", "light").unwrap();
    world.run();
    world.off = [PHONE, TABLET].into();
    set(&mut world, LAPTOP, "theme", "dari pencuri").unwrap();
    world.run();
    let _thief = world.unlink(ALICE, 2);
    world.off.clear();
    world.run();
    for at in [PHONE, TABLET] {
        assert_eq!(get(&world, at, "theme").as_deref(), Some("light"));
        assert_eq!(set(&mut world, at, "theme", "dark"), Ok(true));
    }
}

/// P-17.2. Neither a thief nor a wrong clock locks a register for ever, and what the user wrote is not lost.
#[test]
fn a_device_whose_clock_is_weeks_ahead_locks_no_setting_and_loses_none() {
    let mut world = three(37);
    let now = world.now;
    let bob = RegisterKey::blocked(&world.keys[BOB].clone());
    // Its account has a list that is valid so long.
    world.now = now.plus_seconds(20 * DAY);
    set(&mut world, LAPTOP, "theme", "dari masa depan").unwrap();
    write(&mut world, LAPTOP, &bob, Some(&[1])).unwrap();
    world.now = now;
    set(&mut world, PHONE, "theme", "sekarang").unwrap();
    world.wait(HOUR);
    for at in [PHONE, TABLET, LAPTOP] {
        assert!(registers(&world, at).is_blocked(&world.keys[BOB]), "the clock is right: it is written again");
    }
    write(&mut world, PHONE, &bob, Some(&[0])).unwrap();
    set(&mut world, PHONE, "theme", "besok").unwrap();
    world.run();
    for at in [PHONE, TABLET, LAPTOP] {
        assert_eq!(registers(&world, at).blocked().count(), 0, "{at:?}");
        assert_eq!(get(&world, at, "theme").as_deref(), Some("besok"), "{at:?}");
    }
}

/// P-17.1. The user marks a conversation as unread on the laptop, while the telephone reads on.
#[test]
fn a_read_mark_that_is_set_back_holds_on_all_devices() {
    let mut world = three(42);
    let mark = RegisterKey::read_mark(&[7; 16]).unwrap();
    world.off = [LAPTOP].into();
    write(&mut world, PHONE, &mark, Some(&RegisterKey::position(50))).unwrap();
    world.run();
    write(&mut world, LAPTOP, &mark, Some(&RegisterKey::position(70))).unwrap();
    world.off.clear();
    world.run();
    assert_eq!([PHONE, TABLET, LAPTOP].map(|at| registers(&world, at).read_to(&[7; 16])), [Some(70); 3]);
    let now = world.now;
    let device = world.at(LAPTOP);
    let own = device.registers.as_mut().unwrap();
    assert_eq!(
        own.set_back(&device.account, &RegisterKey::setting("x").unwrap(), 3, now),
        Err(RegisterError::WrongValue)
    );
    assert_eq!(own.set_back(&device.account, &mark, 30, now), Ok(true));
    assert_eq!(own.set_back(&device.account, &mark, 30, now), Ok(false));
    // At once, the telephone reads on: it does not know yet.
    write(&mut world, PHONE, &mark, Some(&RegisterKey::position(80))).unwrap();
    world.run();
    assert_eq!([PHONE, TABLET, LAPTOP].map(|at| registers(&world, at).read_to(&[7; 16])), [Some(30); 3]);
    write(&mut world, PHONE, &mark, Some(&RegisterKey::position(81))).unwrap();
    world.run();
    assert_eq!([PHONE, TABLET, LAPTOP].map(|at| registers(&world, at).read_to(&[7; 16])), [Some(81); 3]);
}

/// P-17.1. The new key of a contact, which one device has noticed, is not covered by what another one pinned at once.
#[test]
fn a_changed_key_is_not_covered_by_a_pin() {
    let mut world = three(43);
    let (old, new) = (world.keys[BOB], world.keys[ALICE]);
    let contact = RegisterKey::pinned("+62 812 3456").unwrap();
    world.off = [TABLET].into();
    write(&mut world, PHONE, &contact, Some(&Pin::Changed(new).to_bytes())).unwrap();
    write(&mut world, TABLET, &contact, Some(&Pin::Known(old).to_bytes())).unwrap();
    world.off.clear();
    world.run();
    for at in [PHONE, TABLET, LAPTOP] {
        assert_eq!(registers(&world, at).pin("+62 812 3456"), Some(Pin::Changed(new)), "{at:?}");
    }
    write(&mut world, LAPTOP, &contact, Some(&Pin::Known(new).to_bytes())).unwrap();
    world.run();
    assert_eq!(registers(&world, PHONE).pin("+62 812 3456"), Some(Pin::Known(new)));
    assert_eq!(write(&mut world, PHONE, &contact, Some(&[3; 65])), Err(RegisterError::WrongValue));
}

/// P-17.7. A question that a crash kept from the conversation is asked again, and not a day later.
#[test]
fn a_question_that_was_not_handed_over_is_asked_again() {
    let mut world = three(44);
    world.now = world.now.plus_seconds(DAY);
    let (now, alice) = (world.now, world.keys[ALICE]);
    let device = world.at(PHONE);
    let registers = device.registers.as_mut().unwrap();
    let outgoing = registers.flush(&device.account, now).unwrap();
    let record = registers.seal(&key(), &mut rand::rng()).unwrap();
    let bytes = record.as_bytes().to_vec();
    let (letters, _lost) = outgoing.release(&record.stored()).unwrap();
    assert_eq!(letters.len(), 2);
    let mut loaded = Registers::unseal(&key(), alice, &bytes).unwrap();
    let again = loaded.flush(&device.account, now).unwrap();
    let (letters, handover) = again.release(&loaded.seal(&key(), &mut rand::rng()).unwrap().stored()).unwrap();
    assert_eq!(letters.len(), 2);
    loaded.handed(handover);
    assert!(loaded.flush(&device.account, now).unwrap().is_empty());
}

/// P-17.9. A restored device does not bring back what others have changed since.
#[test]
fn a_restored_device_asks_before_it_writes() {
    let mut world = three(38);
    set(&mut world, PHONE, "theme", "lama").unwrap();
    world.run();
    let alice = world.keys[ALICE];
    let backup = world.at(PHONE).registers.as_mut().unwrap().seal(&key(), &mut rand::rng()).unwrap().into_bytes();
    set(&mut world, PHONE, "theme", "baru").unwrap();
    world.run();
    let mut restored = Registers::unseal(&key(), alice, &backup).unwrap();
    restored.restored(world.now);
    world.at(PHONE).registers = Some(restored);
    assert_eq!(set(&mut world, PHONE, "other", "x"), Err(RegisterError::Restored));
    world.run();
    assert_eq!(get(&world, PHONE, "theme").as_deref(), Some("baru"));
    assert_eq!(set(&mut world, PHONE, "other", "x"), Ok(true), "somebody has answered");
    // Where nobody answers, for an hour.
    world.off = [TABLET, LAPTOP].into();
    let now = world.now;
    world.at(PHONE).registers.as_mut().unwrap().restored(now);
    world.run();
    assert_eq!(set(&mut world, PHONE, "other", "y"), Err(RegisterError::Restored));
    world.wait(HOUR);
    assert_eq!(set(&mut world, PHONE, "other", "y"), Ok(true));
}

/// P-16.1, P-17.1. To whom the user shows statuses all of his devices know.
#[test]
fn own_devices_share_an_audience() {
    let mut world = three(39);
    world.audience(PHONE, &[BOB]);
    let share = |world: &mut World, at: At| {
        let now = world.now;
        let device = world.at(at);
        let (registers, audience) = (device.registers.as_mut().unwrap(), device.audience.as_ref().unwrap());
        registers.share_audience(&device.account, audience, now).unwrap();
    };
    share(&mut world, PHONE);
    world.run();
    let id = world.with_audience(PHONE, |audience| audience.id());
    assert!(registers(&world, TABLET).get(&RegisterKey::audience(&id)).is_some());
    let mut there = Audience::open(&world.devices[&TABLET].account, id).unwrap();
    let learn = |world: &World, at: At, audience: &mut Audience| {
        registers(world, at).audience_entries(&id).for_each(|entry| assert!(audience.apply(&entry).is_ok()));
    };
    learn(&world, TABLET, &mut there);
    let bob = world.keys[BOB];
    assert_eq!(there.members().collect::<Vec<_>>(), [&bob]);
    // Excluded there, and heard of here.
    assert!(there.exclude(&bob).unwrap());
    world.at(TABLET).audience = Some(there);
    share(&mut world, TABLET);
    world.run();
    let mut here = world.at(PHONE).audience.take().unwrap();
    learn(&world, PHONE, &mut here);
    assert_eq!(here.members().count(), 0);
}

/// P-17.3. What was deleted does not come back while devices may have been off, and is forgotten in the end.
#[test]
fn a_deleted_setting_stays_deleted_and_is_forgotten_after_90_days() {
    let mut world = three(41);
    let theme = RegisterKey::setting("theme").unwrap();
    set(&mut world, PHONE, "theme", "dark").unwrap();
    world.run();
    world.off = [LAPTOP].into();
    write(&mut world, PHONE, &theme, None).unwrap();
    world.wait(20 * DAY);
    world.off.clear();
    world.wait(DAY);
    assert_eq!([PHONE, TABLET, LAPTOP].map(|at| get(&world, at, "theme")), [None, None, None]);
    let size = |world: &mut World| {
        let registers = world.at(PHONE).registers.as_mut().unwrap();
        registers.seal(&key(), &mut rand::rng()).unwrap().as_bytes().len()
    };
    let before = size(&mut world);
    // Lists are renewed meanwhile; here the clock moves, and nothing else happens.
    let now = world.now;
    let device = world.at(PHONE);
    let registers = device.registers.as_mut().unwrap();
    drop(registers.flush(&device.account, now.plus_seconds(8 * DAY)));
    assert_eq!(size(&mut world), before);
    let device = world.at(PHONE);
    let list = device.account.change_devices(&[], now.plus_seconds(69 * DAY)).unwrap();
    assert!(list.sequence() > 1);
    let registers = device.registers.as_mut().unwrap();
    drop(registers.flush(&device.account, now.plus_seconds(69 * DAY)).unwrap());
    assert!(size(&mut world) < before);
}

/// P-17.8, P-6.1
#[test]
fn a_record_of_registers_opens_as_what_it_is() {
    let mut world = three(40);
    set(&mut world, PHONE, "theme", "dark").unwrap();
    world.run();
    set(&mut world, PHONE, "name", "x").unwrap();
    let alice = world.keys[ALICE];
    let mut seal =
        |at: At| world.at(at).registers.as_mut().unwrap().seal(&key(), &mut ConstantRng(5)).unwrap().into_bytes();
    let record = seal(PHONE);
    assert_eq!(seal(PHONE), record);
    let mut opened = Registers::unseal(&key(), alice, &record).unwrap();
    assert_eq!(opened.seal(&key(), &mut ConstantRng(5)).unwrap().as_bytes(), record);
    let other = AccountKey::of(&Identity::generate(&mut rand::rng()));
    assert_eq!(Registers::unseal(&key(), other, &record).err(), Some(UnsealError::Rejected));
    assert_eq!(Registers::unseal(&StorageKey::from_bytes([1; 32]), alice, &record).err(), Some(UnsealError::Rejected));
    // What was not sent is sent after a crash.
    world.at(PHONE).registers = Some(opened);
    world.run();
    assert_eq!(get(&world, TABLET, "name").as_deref(), Some("x"));
}

/// P-17.1, P-17.7. Writes on three devices, which are offline in between, with letters that are lost.
#[test]
fn random_writes_on_three_devices_end_in_one_state() {
    for seed in 0..8 {
        let mut world = three(100 + seed);
        let devices = [PHONE, TABLET, LAPTOP];
        for _ in 0..60 {
            let at = devices[world.rng.random_range(0..3_usize)];
            match world.rng.random_range(0..8) {
                0 => drop(world.off.insert(at)),
                1 => drop(world.off.remove(&at)),
                2 => world.wait(HOUR),
                3 => world.run(),
                4 => world.mail.truncate(1),
                5 => {
                    let record = world.at(at).registers.as_mut().unwrap().seal(&key(), &mut rand::rng()).unwrap();
                    let alice = world.keys[ALICE];
                    world.at(at).registers = Some(Registers::unseal(&key(), alice, record.as_bytes()).unwrap());
                }
                _ => {
                    let (name, value) = (world.rng.random_range(0..6), world.rng.random_range(0..100));
                    let key = RegisterKey::of_program(200 + name % 3, &[name]).unwrap();
                    let value = [value];
                    write(&mut world, at, &key, Some(&value[..]).filter(|_| value[0] > 20)).unwrap();
                }
            }
        }
        world.off.clear();
        for _ in 0..3 {
            world.wait(DAY);
        }
        let [phone, tablet, laptop] = devices.map(|at| all(&world, at));
        assert!(phone == tablet && tablet == laptop, "{seed}: {phone:?} {tablet:?} {laptop:?}");
    }
}
