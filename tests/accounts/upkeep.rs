//! What a server needs of a device: given until it has it, again when it is gone, and not without end to a server that
//! lies.

use std::collections::BTreeSet;

use bisik::device::{DeviceList, ListId};
use bisik::{
    Account, AccountEvent, BundleId, Identity, MaintenanceOutput, PreKeyBundle, PreKeys, ServerState, Session,
    Timestamp, Trust,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::parties::{DAY, NOW, after, own};
use super::recovering::{backup, link, load};
use bisik::device::Custody;

/// An honest server: what it has of one device.
#[derive(Clone, Default)]
struct Server {
    one_time: Vec<PreKeyBundle>,
    last_resort: Option<PreKeyBundle>,
    list: Option<DeviceList>,
}

impl Server {
    fn take(&mut self, upkeep: &MaintenanceOutput) {
        if upkeep.replaces_one_time {
            self.one_time.clear();
        }
        for bundle in &upkeep.one_time {
            if !self.one_time.contains(bundle) {
                self.one_time.push(bundle.clone());
            }
        }
        if let Some(bundle) = &upkeep.last_resort {
            self.last_resort = Some(bundle.clone());
        }
        if let Some(list) = &upkeep.list {
            self.list = Some(list.clone());
        }
    }

    fn ids(&self) -> Vec<BundleId> {
        self.one_time.iter().chain(&self.last_resort).map(PreKeyBundle::id).collect()
    }

    fn list(&self) -> Option<ListId> {
        self.list.as_ref().map(DeviceList::id)
    }

    /// The daily round: ask, maintain, store, upload, confirm, store.
    fn serve(&mut self, account: &mut Account, now: Timestamp, rng: &mut StdRng) -> MaintenanceOutput {
        let ids = self.ids();
        let upkeep = account.maintain(Some(&ServerState { bundles: &ids, list: self.list() }), now, rng).unwrap();
        self.take(&upkeep);
        account.confirmed(&upkeep);
        upkeep
    }

    /// Everything that it would hand out opens.
    fn is_good_for(&self, account: &Account) -> bool {
        let known = |bundle: &PreKeyBundle| account.pre_keys().knows(bundle.id());
        let last = self.last_resort.as_ref().is_some_and(|bundle| bundle.id() == account.pre_keys().bundle().id());
        last && self.one_time.iter().all(known) && self.one_time.len() >= 20
    }
}

fn created(rng: &mut StdRng) -> Account {
    Account::create(own(Custody::Person), NOW, rng)
}

fn bytes(upkeep: &MaintenanceOutput) -> Vec<Vec<u8>> {
    let bundles = upkeep.one_time.iter().chain(&upkeep.last_resort).map(PreKeyBundle::to_bytes);
    bundles.chain(upkeep.list.iter().map(DeviceList::to_bytes)).collect()
}

/// P-10.28. The first list of a new account is one of the things that the server needs.
#[test]
fn what_a_crash_kept_from_the_server_is_given_again_byte_for_byte_until_it_is_confirmed() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut phone = created(rng);
    let first = phone.maintain(None, NOW, rng).unwrap();
    assert_eq!((first.one_time.len(), first.replaces_one_time), (100, false));
    assert!(first.last_resort.is_some() && first.list.as_ref().is_some_and(|list| list.sequence() == 1));
    for day in 0..3 {
        phone = load(&backup(&mut phone, rng));
        let again = phone.maintain(None, NOW.plus_seconds(day * 3_600), rng).unwrap();
        assert_eq!(bytes(&again), bytes(&first));
    }
    let revision = phone.revision();
    phone.confirmed(&first);
    assert!(phone.revision() > revision, "it is to be stored");
    let after_it = phone.maintain(None, NOW, rng).unwrap();
    assert!(bytes(&after_it).is_empty());
    let revision = phone.revision();
    phone.confirmed(&first);
    assert_eq!((bytes(&phone.maintain(None, NOW, rng).unwrap()).len(), phone.revision()), (0, revision));
    // A week later everything is new, and the confirmation of before does not count for it.
    let next = phone.maintain(None, after(8), rng).unwrap();
    assert!(next.replaces_one_time && next.one_time.len() == 100 && next.list.is_some());
    phone.confirmed(&first);
    assert_eq!(bytes(&phone.maintain(None, after(8), rng).unwrap()), bytes(&next));
    // Half of it is confirmed: the rest is given again.
    let half = MaintenanceOutput { one_time: next.one_time[..40].to_vec(), list: None, ..next.clone() };
    phone.confirmed(&half);
    let rest = phone.maintain(None, after(8), rng).unwrap();
    assert_eq!((rest.one_time.len(), rest.last_resort.is_some(), rest.list.is_some()), (60, false, true));
    assert!(!rest.replaces_one_time);
}

/// P-10.28. A bundle that was used is not given again.
#[test]
fn a_bundle_that_was_used_before_it_was_confirmed_is_not_given_again() {
    let mut accounts = bisik_testkit::accounts::Accounts::new(5, [1, 1]);
    let now = accounts.now;
    let stall = accounts.devices.get_mut(&(1, 0)).unwrap();
    let key = *stall.account.identity().public();
    let more = stall.account.replenish(2, now, &mut accounts.rng).unwrap();
    assert_eq!(more.one_time.len(), 2);
    let used = more.one_time[0].id();
    accounts.one_time.insert(key, more.one_time.into());
    accounts.send((0, 0), b"halo").unwrap();
    accounts.settle();
    let stall = accounts.devices.get_mut(&(1, 0)).unwrap();
    let again = stall.account.maintain(None, now, &mut accounts.rng).unwrap();
    assert_eq!(again.one_time.len(), 1);
    assert!(again.one_time[0].id() != used && !stall.account.pre_keys().knows(used));
}

/// P-10.30. An attacker has asked the server for all bundles.
#[test]
fn drained_stock_is_replaced_the_same_day() {
    let rng = &mut StdRng::seed_from_u64(2);
    let (mut phone, mut server) = (created(rng), Server::default());
    let _ = server.serve(&mut phone, NOW, rng);
    for day in 1..60 {
        server.one_time.clear();
        let upkeep = server.serve(&mut phone, after(day), rng);
        assert_eq!((upkeep.one_time.len(), server.one_time.len()), (100, 100), "day {day}");
        assert!(server.is_good_for(&phone), "day {day}");
    }
    assert!(phone.pre_key_count(after(60)).one_time <= PreKeys::MAX_ONE_TIME);
    // With some left, it tops up.
    let _ = server.serve(&mut phone, after(61), rng);
    server.one_time.truncate(19);
    assert_eq!(server.serve(&mut phone, after(62), rng).one_time.len(), 81);
    server.one_time.truncate(20);
    assert_eq!(server.serve(&mut phone, after(62), rng).one_time.len(), 0, "enough");
}

/// P-10.30. What the server lost is given again; only one-time bundles are made anew.
#[test]
fn a_list_and_a_last_resort_bundle_that_the_server_lost_are_given_again() {
    let rng = &mut StdRng::seed_from_u64(3);
    let (mut phone, mut server) = (created(rng), Server::default());
    let _ = server.serve(&mut phone, NOW, rng);
    let old = server.list.clone();
    link(&mut phone, Custody::Person, NOW, rng);
    let _ = server.serve(&mut phone, NOW, rng);
    for list in [old, None] {
        let before = server.clone();
        (server.list, server.last_resort) = (list, None);
        let upkeep = server.serve(&mut phone, NOW, rng);
        assert_eq!((upkeep.list, upkeep.last_resort, upkeep.one_time.len()), (before.list, before.last_resort, 0));
    }
    assert!(bytes(&server.serve(&mut phone, NOW, rng)).is_empty());
    // A list that this device does not know: it asks for it, and believes nothing.
    let lie = ListId::from_bytes(&{
        let mut bytes = [7; ListId::LENGTH];
        bytes[..8].fill(0xff);
        bytes
    });
    let ids = server.ids();
    let upkeep = phone.maintain(Some(&ServerState { bundles: &ids, list: Some(lie) }), NOW, rng).unwrap();
    assert!(upkeep.unknown_list == Some(u64::MAX) && bytes(&upkeep).is_empty());
    assert!(!phone.must_recover() && phone.events().next().is_none());
}

/// P-2.11, P-10.30: the server has bundles of a record that is gone.
#[test]
fn a_restored_device_notices_it_by_the_server_and_replaces_all_pre_keys_at_once() {
    let rng = &mut StdRng::seed_from_u64(4);
    let (mut phone, mut server) = (created(rng), Server::default());
    let _ = server.serve(&mut phone, NOW, rng);
    let old = backup(&mut phone, rng);
    server.one_time.clear();
    let _ = server.serve(&mut phone, after(1), rng);
    let mut phone = load(&old);
    assert!(!server.is_good_for(&phone));
    let upkeep = server.serve(&mut phone, after(1), rng);
    assert!(upkeep.replaces_one_time && upkeep.one_time.len() == 100 && server.is_good_for(&phone));
    assert_eq!(phone.events().map(|(_, event)| *event).collect::<Vec<_>>(), [AccountEvent::Restored]);
    for bundle in server.one_time.iter().chain(&server.last_resort) {
        let peer = Identity::generate(rng);
        let verified = bundle.clone().verify(Trust::Pinned(phone.identity().public()), after(1)).unwrap();
        let hello = Session::initiate(&peer, &verified, after(1), rng).unwrap().encrypt(b"halo", rng).unwrap();
        let accepted = Session::accept(phone.identity(), phone.pre_keys(), &hello, Trust::OnFirstUse, after(1));
        assert!(accepted.is_ok());
    }
    assert!(bytes(&server.serve(&mut phone, after(1), rng)).is_empty(), "once");
}

/// P-10.30. Between making a replacement and uploading it the server has ids that are gone: that is no restore.
#[test]
fn a_replacement_that_waits_for_its_upload_is_not_taken_for_a_restore() {
    let rng = &mut StdRng::seed_from_u64(5);
    let (mut phone, mut server) = (created(rng), Server::default());
    let _ = server.serve(&mut phone, NOW, rng);
    let ids = server.ids();
    let state = ServerState { bundles: &ids, list: server.list() };
    for day in [5, 10, 15, 20, 25, 30] {
        // Never uploaded: the server is as it was on the first day.
        let upkeep = phone.maintain(Some(&state), after(day), rng).unwrap();
        assert!(upkeep.replaces_one_time && upkeep.one_time.len() == 100, "day {day}");
    }
    assert_eq!(phone.events().count(), 0);
    let _ = server.serve(&mut phone, after(30), rng);
    assert!(server.is_good_for(&phone) && bytes(&server.serve(&mut phone, after(30), rng)).is_empty());
}

/// P-10.31. A server that says each minute that everything is gone, or that it has bundles of nobody.
#[test]
fn a_lying_server_causes_at_most_a_bounded_number_of_new_bundles() {
    let rng = &mut StdRng::seed_from_u64(6);
    let strangers = [BundleId::from_bytes(&[9; 8])];
    for lie in [&[][..], &strangers] {
        let mut phone = created(rng);
        let upkeep = phone.maintain(None, NOW, rng).unwrap();
        phone.confirmed(&upkeep);
        let mut made: BTreeSet<_> = upkeep.one_time.iter().map(PreKeyBundle::id).collect();
        for hour in 0..9 * 24 {
            for minute in [0, 20, 40] {
                let now = NOW.plus_seconds(3_600 * hour + 60 * minute);
                let upkeep = phone.maintain(Some(&ServerState { bundles: lie, list: None }), now, rng).unwrap();
                made.extend(upkeep.one_time.iter().map(PreKeyBundle::id));
                phone.confirmed(&upkeep);
            }
        }
        // In nine days: 100 at first; by tokens 4 at once, 5 in the next 31 hours, and one on each of 7 days; and 100 for
        // each of at most two rotations.
        assert!(made.len() <= 100 + 16 * 100 + 200, "{}", made.len());
        assert!(phone.pre_key_count(after(9)).one_time <= PreKeys::MAX_ONE_TIME);
        assert!(phone.events().count() <= 16);
        let record = backup(&mut phone, rng).len();
        assert!(record < 1_500_000, "{record}");
    }
}

/// P-10.30, P-10.31. Any order of days, drains, losses, crashes, restores and lies; then one honest day.
#[test]
fn after_any_faults_a_server_has_good_bundles_and_the_list_within_a_day() {
    for seed in 0..40 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (mut phone, mut server, mut now) = (created(rng), Server::default(), NOW);
        let mut backups = vec![backup(&mut phone, rng)];
        for _ in 0..30 {
            match rng.random_range(0..9) {
                0 => server.one_time.clear(),
                1 => server.one_time.truncate(rng.random_range(0..120)),
                2 => (server.list, server.last_resort) = (None, None),
                3 => backups.push(backup(&mut phone, rng)),
                4 => {
                    phone = load(&backups[rng.random_range(0..backups.len())]);
                    let lists: Vec<_> = server.list.iter().cloned().collect();
                    phone.accept_devices(&lists, now).unwrap();
                    if phone.must_recover() {
                        let _ = phone.recover(&lists, now, rng).unwrap();
                    }
                }
                5 => {
                    // The server lies, and throws away what it is given.
                    let ids = [BundleId::from_bytes(&rng.random())];
                    let lie = ServerState { bundles: &ids, list: None };
                    let upkeep = phone.maintain(Some(&lie), now, rng).unwrap();
                    if rng.random_bool(0.5) {
                        phone.confirmed(&upkeep);
                    }
                }
                6 => {
                    // A crash after the upload, before it is confirmed.
                    let ids = server.ids();
                    let state = ServerState { bundles: &ids, list: server.list() };
                    let upkeep = phone.maintain(Some(&state), now, rng).unwrap();
                    phone = load(&backup(&mut phone, rng));
                    server.take(&upkeep);
                }
                7 => drop(link_or_none(&mut phone, now, rng)),
                _ => {}
            }
            now = now.plus_seconds(rng.random_range(0..2 * DAY));
        }
        // No token may be left: so the next day.
        for _ in 0..3 {
            let _ = server.serve(&mut phone, now, rng);
            now = now.plus_seconds(DAY);
        }
        let _ = server.serve(&mut phone, now, rng);
        assert!(server.is_good_for(&phone), "seed {seed}: {}", server.one_time.len());
        assert_eq!(server.list, phone.primary().map(|primary| primary.list().clone()), "seed {seed}");
        assert!(bytes(&server.serve(&mut phone, now, rng)).is_empty(), "seed {seed}");
    }
}

fn link_or_none(phone: &mut Account, now: Timestamp, rng: &mut StdRng) -> Option<DeviceList> {
    (phone.devices().devices().len() < 60).then(|| link(phone, Custody::Person, now, rng).1)
}
