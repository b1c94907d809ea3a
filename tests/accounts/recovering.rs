//! A primary device that comes back from a backup, on the same telephone or on a new one; two of them at once; a thief.

use std::slice::from_ref;

use bisik::device::{
    Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError,
    DirectoryEvent, PrimaryError, RecoverError,
};
use bisik::{Account, AccountEvent, Identity, RecoverFirstError, StorageKey, Timestamp, Trust};
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::parties::{DAY, NOW, after, own, signed};

pub fn key() -> StorageKey {
    StorageKey::from_bytes([7; 32])
}

/// The record of an account that goes on. Changes nothing but the revision, so that there is one.
pub fn backup(account: &mut Account, rng: &mut StdRng) -> Vec<u8> {
    account.move_to_key(&StorageKey::from_bytes([8; 32]));
    account.move_to_key(&key());
    account.seal(&key(), rng).unwrap().expect("it has changed").bytes
}

pub fn load(record: &[u8]) -> Account {
    Account::unseal(&key(), record).unwrap()
}

pub fn founded(rng: &mut StdRng) -> Account {
    let mut phone = Account::create(own(Custody::Person), NOW, rng);
    let upkeep = phone.maintain(None, NOW, rng).unwrap();
    phone.confirmed(&upkeep);
    phone
}

/// Adds a device of the owner; returns it and the list.
pub fn link(phone: &mut Account, custody: Custody, now: Timestamp, rng: &mut StdRng) -> (Identity, DeviceList) {
    let identity = Identity::generate(rng);
    let index = phone.primary().unwrap().next_index();
    let certificate = DeviceCertificate::sign(&identity, phone.key(), index, own(custody));
    let list = phone.change_devices(&[DeviceChange::Add(certificate)], now).unwrap();
    (identity, list)
}

fn trusted(list: &DeviceList, now: Timestamp) -> DeviceDirectory {
    DeviceDirectory::trust(list, Trust::OnFirstUse, now).unwrap()
}

fn events(account: &Account) -> Vec<AccountEvent> {
    account.events().map(|(_, event)| *event).collect()
}

/// P-10.25, P-10.26. The backup is older than two lists; the account goes on, and nobody is shut out.
#[test]
fn a_phone_restored_from_a_backup_goes_on_where_its_newest_list_ended() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut phone = founded(rng);
    let first = phone.primary().unwrap().list().clone();
    let old = backup(&mut phone, rng);
    let (_, with_laptop) = link(&mut phone, Custody::Person, NOW, rng);
    let renewed = phone.maintain(None, after(8), rng).unwrap().list.unwrap();
    let mut peer = trusted(&first, NOW);
    let _ = peer.catch_up(&[with_laptop.clone(), renewed.clone()], after(8)).unwrap();

    let mut phone = load(&old);
    let server = [with_laptop, renewed.clone()];
    let alarms = phone.accept_devices(&server, after(9)).unwrap();
    assert_eq!(alarms, server.each_ref().map(|list| AccountEvent::UnsignedList(list.id())));
    assert!(alarms.iter().all(AccountEvent::is_alarm) && phone.must_recover());
    // Nothing else can be done, and nothing changes.
    let before = phone.revision();
    assert_eq!(phone.maintain(None, after(9), rng).unwrap_err(), RecoverFirstError);
    assert_eq!(phone.change_devices(&[], after(9)), Err(PrimaryError::RecoverFirst));
    assert!(phone.accept_devices(&server, after(9)).unwrap().is_empty(), "an alarm is told once");
    assert_eq!((phone.revision(), phone.devices().sequence()), (before, 1));
    let mut phone = load(&backup(&mut phone, rng));
    assert!(phone.must_recover(), "after a restart too");

    let upkeep = phone.recover(&server, after(9), rng).unwrap();
    let list = upkeep.list.as_ref().unwrap();
    assert_eq!((list.sequence(), phone.devices().devices().len()), (4, 2));
    assert!(upkeep.replaces_one_time && upkeep.one_time.len() == 100 && upkeep.last_resort.is_some());
    assert!(peer.accept(list, after(9)).unwrap().is_empty(), "the next of its chain");
    let told = events(&phone);
    assert_eq!(told[2], AccountEvent::Recovered { from: 1, to: 4 });
    assert!(matches!(told[3], AccountEvent::Devices(DirectoryEvent::Joined(entry)) if entry.index() == 1));
    assert!(!phone.must_recover() && phone.accept_devices(&server, after(9)).unwrap().is_empty(), "they are its own");
    let (_, next) = link(&mut phone, Custody::Person, after(9), rng);
    assert_eq!((peer.accept(&next, after(9)).unwrap().added.len(), next.sequence()), (1, 5));
}

/// P-10.26. Before it was shown anything: the program knows that it was restored.
#[test]
fn recovering_needs_no_alarm_and_a_list_of_the_account() {
    let rng = &mut StdRng::seed_from_u64(2);
    let mut phone = founded(rng);
    let old = backup(&mut phone, rng);
    let (_, newest) = link(&mut phone, Custody::Person, NOW, rng);
    let mut phone = load(&old);
    let before = phone.revision();
    let stranger = founded(rng).primary().unwrap().list().clone();
    let bytes = newest.to_bytes();
    let forged = DeviceList::from_bytes(&signed(2, "bisik-1 device list\0", &bytes[..bytes.len() - 64])).unwrap();
    for useless in [&[][..], from_ref(&stranger), from_ref(&forged), &[stranger.clone(), forged.clone()]] {
        assert_eq!(phone.recover(useless, NOW, rng).unwrap_err(), RecoverError::NoList);
        assert_eq!(phone.revision(), before);
    }
    assert_eq!(phone.accept_devices(from_ref(&forged), NOW), Err(DeviceListError::BadSignature), "no alarm");
    assert_eq!(phone.accept_devices(from_ref(&stranger), NOW), Err(DeviceListError::OtherAccount));
    assert_eq!((phone.revision(), phone.must_recover()), (before, false));
    // What is not the account's does not keep it from recovering.
    let upkeep = phone.recover(&[stranger, newest.clone(), forged], NOW, rng).unwrap();
    assert_eq!(upkeep.list.unwrap().sequence(), 3);
    // Again, although nothing is newer: a list more, and nothing else.
    let own = phone.primary().unwrap().list().clone();
    assert_eq!(phone.recover(&[newest, own], NOW, rng).unwrap().list.unwrap().sequence(), 4);
    // A list months old is continued as well.
    let mut phone = load(&old);
    let list = phone.primary().unwrap().list().clone();
    let upkeep = phone.recover(&[list], after(400), rng).unwrap();
    assert!(trusted(&upkeep.list.unwrap(), after(400)).sequence() == 2);
}

/// P-10.26. Of the former telephone there is only the identity.
#[test]
fn an_account_moves_to_a_new_telephone_by_its_identity_and_its_lists() {
    let rng = &mut StdRng::seed_from_u64(3);
    let mut phone = founded(rng);
    let identity = phone.identity().seal(&key(), b"backup", rng);
    let mut peer = phone.devices().clone();
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    let identity = || Identity::unseal(&key(), b"backup", &identity).unwrap();
    assert_eq!(Account::restore(identity(), &[], NOW, rng).unwrap_err(), RecoverError::NoList);
    let mut moved = Account::restore(identity(), from_ref(&list), NOW, rng).unwrap();
    let upkeep = moved.maintain(None, NOW, rng).unwrap();
    let newest = upkeep.list.unwrap();
    assert_eq!((newest.sequence(), moved.devices().devices().len()), (3, 2));
    assert!(upkeep.replaces_one_time && upkeep.last_resort.is_some());
    assert_eq!(peer.accept(&newest, NOW).unwrap().events().len(), 2, "a device, and a list that it had not seen");
    assert_eq!(laptop.accept_devices(from_ref(&newest), NOW).unwrap(), []);
    // The former telephone is not gone: it sees that it is not the only one.
    assert_eq!(phone.accept_devices(from_ref(&newest), NOW).unwrap(), [AccountEvent::UnsignedList(newest.id())]);
    assert!(phone.must_recover());
}

/// P-10.25, P-10.27. The same backup on two telephones.
#[test]
fn two_restored_primaries_are_seen_by_peers_by_own_devices_and_by_each_other() {
    let rng = &mut StdRng::seed_from_u64(4);
    let mut phone = founded(rng);
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    let record = backup(&mut phone, rng);
    let mut peers = [trusted(&list, NOW), trusted(&list, NOW)];
    let mut both = [load(&record), load(&record)];
    let lists = both.each_mut().map(|phone| phone.recover(from_ref(&list), NOW, rng).unwrap().list.unwrap());
    let [(_, one), (_, other)] = both.each_mut().map(|phone| link(phone, Custody::Person, NOW, rng));
    assert!(lists[0] == lists[1] && one.sequence() == other.sequence() && one != other, "both sign the same number");

    let _ = peers[0].catch_up(&[lists[0].clone(), one.clone()], NOW).unwrap();
    let _ = peers[1].catch_up(&[lists[0].clone(), other.clone()], NOW).unwrap();
    assert_eq!(peers[0].accept(&other, NOW), Err(DeviceListError::Forked));
    let _ = laptop.accept_devices(&[lists[0].clone(), one.clone()], NOW).unwrap();
    assert_eq!(laptop.accept_devices(from_ref(&other), NOW), Err(DeviceListError::Forked));
    for (phone, list) in both.iter_mut().zip([&other, &one]) {
        assert_eq!(phone.accept_devices(from_ref(list), NOW).unwrap(), [AccountEvent::UnsignedList(list.id())]);
        assert_eq!(phone.change_devices(&[], NOW), Err(PrimaryError::RecoverFirst));
    }
    // One of them goes on: its list is accepted in either history, and shows that there was another.
    let healed = both[0].recover(&[other.clone(), one.clone()], NOW, rng).unwrap().list.unwrap();
    assert_eq!(healed.sequence(), one.sequence() + 2, "the number between is left to the other history");
    for peer in &mut peers {
        let change = peer.accept(&healed, NOW).unwrap();
        assert_eq!(change.skipped, Some((one.sequence() + 1, one.sequence() + 1)));
        assert_eq!(
            peer.devices().iter().map(DeviceEntry::index).collect::<Vec<_>>(),
            [0, 1],
            "index 2 was two devices"
        );
    }
    let told = laptop.accept_devices(&[other.clone(), healed.clone()], NOW).unwrap();
    assert_eq!(told[0], AccountEvent::Devices(DirectoryEvent::ListsForked { sequence: other.sequence() }));
    let (_, next) = link(&mut both[0], Custody::Person, NOW, rng);
    assert!(peers.iter_mut().all(|peer| peer.accept(&next, NOW).is_ok()));
    // The other one sees that, too; an old proof alone does not stop it again.
    assert!(both[0].accept_devices(&[one, other], NOW).unwrap().is_empty() && !both[0].must_recover());
    assert_eq!(both[1].accept_devices(&[healed], NOW).unwrap().len(), 1);
}

/// P-10.25. A thief of the primary's record signs a list with a device of his; the number is higher than the owner's.
#[test]
fn a_list_that_the_owner_never_signed_is_an_alarm_whatever_its_number() {
    let rng = &mut StdRng::seed_from_u64(5);
    let mut phone = founded(rng);
    let mut thief = load(&backup(&mut phone, rng));
    let lists: Vec<_> = (0..3).map(|_| link(&mut thief, Custody::Person, NOW, rng).1).collect();
    for list in [&lists[2], &lists[0]] {
        assert_eq!(phone.accept_devices(from_ref(list), NOW).unwrap(), [AccountEvent::UnsignedList(list.id())]);
        assert!(phone.must_recover());
    }
    // Each is told again after a crash, until it was shown.
    let mut phone = load(&backup(&mut phone, rng));
    assert_eq!(phone.events().count(), 2);
    // The owner takes the account back: the thief's devices are events, and go with the next list.
    let upkeep = phone.recover(&lists, NOW, rng).unwrap();
    let joined = |event: &&AccountEvent| matches!(event, AccountEvent::Devices(DirectoryEvent::Joined(_)));
    assert_eq!(events(&phone).iter().filter(joined).count(), 3);
    assert_eq!(upkeep.list.unwrap().sequence(), 5);
    let gone: Vec<_> = (1..=3).map(DeviceChange::Remove).collect();
    assert_eq!(phone.change_devices(&gone, NOW).unwrap().sequence(), 6);
    assert_eq!(phone.devices().devices().len(), 1);
}

/// P-10.25. What nobody has signed is an alarm of its own, at most one a day, on the device that signs.
#[test]
fn a_number_that_somebody_claims_is_told_to_the_primary_once_a_day() {
    let rng = &mut StdRng::seed_from_u64(6);
    let mut phone = founded(rng);
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    assert!(!laptop.claimed_list(9, NOW) && laptop.events().next().is_none(), "it fetches");
    assert!(!phone.claimed_list(2, NOW), "it signed that");
    let mut told = 0;
    for minute in 0..3 * 24 * 60_u64 {
        assert!(phone.claimed_list(u64::MAX - minute, NOW.plus_seconds(60 * minute)));
        let numbers: Vec<_> = phone.events().map(|(number, _)| number).collect();
        told += numbers.len();
        numbers.into_iter().for_each(|number| phone.settle(number));
    }
    assert_eq!((told, phone.must_recover()), (3, false), "a claim stops nothing");
}

/// P-10.26. On a companion: lists and pre-keys.
#[test]
fn a_companion_that_was_restored_follows_again_and_replaces_its_pre_keys() {
    let rng = &mut StdRng::seed_from_u64(7);
    let mut phone = founded(rng);
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    let old = backup(&mut laptop, rng);
    let (_, next) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = load(&old);
    let before = laptop.revision();
    let foreign = founded(rng).primary().unwrap().list().clone();
    let refused = RecoverError::List(DeviceListError::OtherAccount);
    assert_eq!((laptop.recover(&[foreign], NOW, rng).unwrap_err(), laptop.revision()), (refused, before));
    let upkeep = laptop.recover(&[next], NOW, rng).unwrap();
    assert!(upkeep.replaces_one_time && upkeep.list.is_none() && laptop.devices().sequence() == 3);
    assert!(matches!(events(&laptop)[..], [AccountEvent::Restored, AccountEvent::Devices(DirectoryEvent::Joined(_))]));
}

/// P-10.32. Neither a server nor an old list makes a device believe in an account that it was not linked to.
#[test]
fn a_device_joins_only_with_a_list_of_the_linked_account_that_holds_it() {
    let rng = &mut StdRng::seed_from_u64(8);
    let mut phone = founded(rng);
    let first = phone.primary().unwrap().list().clone();
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let laptop = laptop.seal(&key(), b"laptop", rng);
    let laptop = || Identity::unseal(&key(), b"laptop", &laptop).unwrap();
    assert_eq!(Account::join(laptop(), phone.key(), &first, NOW, rng).unwrap_err(), DeviceListError::NotListed);
    let mut server = founded(rng);
    let index = server.primary().unwrap().next_index();
    let certificate = DeviceCertificate::sign(&laptop(), server.key(), index, own(Custody::Person));
    let theirs = server.change_devices(&[DeviceChange::Add(certificate)], NOW).unwrap();
    assert_eq!(Account::join(laptop(), phone.key(), &theirs, NOW, rng).unwrap_err(), DeviceListError::OtherAccount);
    assert!(Account::join(laptop(), phone.key(), &list, NOW, rng).is_ok());
}

/// A primary, its backups and copies, a companion and two peers, and a server that loses and hides lists.
struct World {
    rng: StdRng,
    now: Timestamp,
    phone: Account,
    backups: Vec<Vec<u8>>,
    laptop: Account,
    peers: [DeviceDirectory; 2],
    /// Every list that was ever signed, in order of its number.
    signed: Vec<DeviceList>,
    told: Vec<AccountEvent>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut phone = founded(&mut rng);
        let (laptop, list) = link(&mut phone, Custody::Person, NOW, &mut rng);
        let laptop = Account::join(laptop, phone.key(), &list, NOW, &mut rng).unwrap();
        let backups = vec![backup(&mut phone, &mut rng)];
        let peers = [trusted(&list, NOW), trusted(&list, NOW)];
        Self { rng, now: NOW, phone, backups, laptop, peers, signed: vec![list], told: Vec::new() }
    }

    fn publish(&mut self, list: DeviceList) {
        self.signed.push(list);
        self.signed.sort_by_key(DeviceList::sequence);
    }

    /// Some lists of the server, in order.
    fn some(&mut self) -> Vec<DeviceList> {
        let rng = &mut self.rng;
        self.signed.iter().filter(|_| rng.random_bool(0.4)).cloned().collect()
    }

    fn act(&mut self) {
        match self.rng.random_range(0..12) {
            0..3 if self.phone.devices().devices().len() < 20 && !self.phone.must_recover() => {
                let list = link(&mut self.phone, Custody::Person, self.now, &mut self.rng).1;
                self.publish(list);
            }
            3 => {
                let indices: Vec<_> = self.phone.devices().devices().iter().map(DeviceEntry::index).collect();
                let index = indices[self.rng.random_range(0..indices.len())];
                if let Ok(list) = self.phone.change_devices(&[DeviceChange::Remove(index)], self.now) {
                    self.publish(list);
                }
            }
            4 => self.backups.push(backup(&mut self.phone, &mut self.rng)),
            5 => {
                // Restored, and nobody notices.
                let at = self.rng.random_range(0..self.backups.len());
                self.phone = load(&self.backups[at]);
            }
            6 => {
                // A copy signs something, and stays out of sight.
                let at = self.rng.random_range(0..self.backups.len());
                let mut copy = load(&self.backups[at]);
                if !copy.must_recover() {
                    let list = link(&mut copy, Custody::Person, self.now, &mut self.rng).1;
                    self.publish(list);
                }
            }
            7 => {
                let lists = self.some();
                let before = self.phone.events().count();
                let alarms = self.phone.accept_devices(&lists, self.now).unwrap();
                assert_eq!(self.phone.events().count().min(200), (before + alarms.len()).min(200));
                self.told.extend(alarms);
            }
            8 | 9 => {
                let lists = self.some();
                for peer in &mut self.peers {
                    let newer: Vec<_> =
                        lists.iter().filter(|list| list.sequence() >= peer.sequence()).cloned().collect();
                    let before = peer.clone();
                    if peer.catch_up(&newer, self.now).is_err() {
                        assert_eq!(*peer, before);
                    }
                    assert!(peer.sequence() >= before.sequence());
                }
            }
            10 => {
                let known = self.laptop.devices().sequence();
                let newer: Vec<_> = self.some().into_iter().filter(|list| list.sequence() >= known).collect();
                let revision = self.laptop.revision();
                if self.laptop.accept_devices(&newer, self.now).is_err() {
                    assert_eq!(self.laptop.revision(), revision);
                }
            }
            _ => self.now = self.now.plus_seconds(self.rng.random_range(0..9 * DAY)),
        }
    }

    /// The owner recovers with all lists that the server has. Everybody follows, whatever they had seen.
    fn recover(&mut self) {
        let upkeep = self.phone.recover(&self.signed, self.now, &mut self.rng).unwrap();
        let list = upkeep.list.unwrap();
        assert!(self.signed.iter().all(|known| known.sequence() < list.sequence()));
        for peer in &mut self.peers {
            let _ = peer.accept(&list, self.now).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!((peer.id(), peer.devices()), (list.id(), self.phone.devices().devices()));
        }
        self.laptop.accept_devices(from_ref(&list), self.now).unwrap();
        assert!(self.phone.accept_devices(&self.signed, self.now).unwrap().is_empty() || self.signed.len() > 8);
        assert!(!self.phone.must_recover());
        self.publish(list);
        let renewed = self.phone.change_devices(&[], self.now).unwrap();
        assert!(self.peers.iter_mut().all(|peer| peer.accept(&renewed, self.now).is_ok()));
        self.publish(renewed);
    }
}

/// P-10.21, P-10.22, P-10.25, P-10.26, P-10.27. Whatever was restored, copied, forked, lost and hidden before.
#[test]
fn after_any_restores_copies_gaps_and_forks_one_recovery_brings_everybody_together() {
    for seed in 0..60 {
        let mut world = World::new(seed);
        for _ in 0..3 {
            for _ in 0..25 {
                world.act();
            }
            world.recover();
        }
        let restarted = load(&backup(&mut world.phone, &mut world.rng));
        assert!(restarted.events().eq(world.phone.events()), "seed {seed}");
    }
}

/// P-10.29. A crash at any time between an event and its being shown: each is shown, and none is lost.
#[test]
fn no_crash_loses_an_event() {
    let rng = &mut StdRng::seed_from_u64(9);
    let mut phone = founded(rng);
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    let mut record = backup(&mut laptop, rng);
    let (mut shown, mut joined) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let (_, list) = link(&mut phone, Custody::Person, NOW, rng);
        joined.push(phone.devices().devices().last().unwrap().index());
        let mut running = load(&record);
        running.accept_devices(from_ref(&list), NOW).unwrap();
        if rng.random_bool(0.5) {
            // Crashed before it was stored: the server has the list still.
            running = load(&record);
            running.accept_devices(&[list], NOW).unwrap();
        }
        record = backup(&mut running, rng);
        if rng.random_bool(0.3) {
            let mut running = load(&record);
            for (number, event) in load(&record).events() {
                let AccountEvent::Devices(DirectoryEvent::Joined(entry)) = event else { panic!("{event:?}") };
                shown.push(entry.index());
                running.settle(number);
            }
            if rng.random_bool(0.5) {
                record = backup(&mut running, rng);
            }
        }
        phone.change_devices(&[DeviceChange::Remove(*joined.last().unwrap())], NOW).unwrap();
        let mut running = load(&record);
        running.accept_devices(&[phone.primary().unwrap().list().clone()], NOW).unwrap();
        let left: Vec<_> = running
            .events()
            .filter_map(|(number, event)| match event {
                AccountEvent::Devices(DirectoryEvent::Left(_)) => Some(number),
                _ => None,
            })
            .collect();
        assert_eq!(left.len(), 1);
        left.into_iter().for_each(|number| running.settle(number));
        record = backup(&mut running, rng);
    }
    shown.extend(load(&record).events().filter_map(|(_, event)| match event {
        AccountEvent::Devices(DirectoryEvent::Joined(entry)) => Some(entry.index()),
        _ => None,
    }));
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown, joined);
}
