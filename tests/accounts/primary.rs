//! The primary device: which changes it signs, when it issues a list again, and random histories that a directory follows.

use std::collections::BTreeMap;
use std::slice::from_ref;

use bisik::device::{
    AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError,
    DeviceTerms, OwnDeviceError, PrimaryError, RecoverError,
};
use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
use bisik_testkit::SeededRng;
use proptest::prelude::*;

use super::parties::*;

/// P-10.10.
#[test]
fn a_device_index_is_never_reused() {
    let mut account = Account::of(3);
    account.leave(2);
    let directory = account.directory();
    let next = account.reissue(NOW);

    let returned = DeviceCertificate::sign(&device(3), &account.key(), 2, own(Custody::Person)).to_bytes();
    let back = forged(&next, |bytes| {
        bytes[COUNT + 3] = 3;
        let at = certificate_at(2);
        bytes.splice(at..at, returned).for_each(drop);
    });
    assert_eq!(refused(&directory, &back.unwrap(), NOW), DeviceListError::IndexReused, "a removed one came back");

    let other = DeviceCertificate::sign(&device(70), &account.key(), 1, own(Custody::Person)).to_bytes();
    let swapped = forged(&next, |bytes| bytes[certificate_at(1)..certificate_at(2)].copy_from_slice(&other));
    assert_eq!(refused(&directory, &swapped.unwrap(), NOW), DeviceListError::IndexReused, "another device");

    let lowered = forged(&next, |bytes| bytes[certificate_at(2) + 3] = 2);
    assert_eq!(refused(&directory, &lowered.unwrap(), NOW), DeviceListError::IndexReused, "the next index went back");
}

/// P-10.10. A refused change leaves the list unchanged, including earlier changes of the same call.
#[test]
fn a_primary_refuses_changes_that_no_directory_would_accept() {
    let mut account = Account::of(3);
    let (key, phone, next) = (account.key(), device(1), account.primary.next_index());
    let certificate = |number, index| DeviceCertificate::sign(&device(number), &key, index, own(Custody::Person));
    let elsewhere = DeviceCertificate::sign(&device(9), &AccountKey::of(&device(8)), next, own(Custody::Person));
    let mut failing = |identity: &Identity, change| {
        let before = account.primary.clone();
        let error = account.primary.issue(identity, &[DeviceChange::Remove(2), change], NOW).unwrap_err();
        assert_eq!(account.primary, before);
        error
    };
    assert_eq!(failing(&device(2), DeviceChange::Remove(1)), PrimaryError::WrongIdentity);
    assert_eq!(failing(&phone, DeviceChange::Remove(0)), PrimaryError::IsPrimary);
    assert_eq!(failing(&phone, DeviceChange::Remove(2)), PrimaryError::UnknownDevice, "it was removed just before");
    assert_eq!(failing(&phone, DeviceChange::Add(certificate(9, next + 1))), PrimaryError::OtherIndex);
    assert_eq!(
        failing(&phone, DeviceChange::Add(certificate(9, 2))),
        PrimaryError::OtherIndex,
        "free, and never again"
    );
    assert_eq!(failing(&phone, DeviceChange::Add(certificate(2, next))), PrimaryError::AlreadyListed);
    assert_eq!(failing(&phone, DeviceChange::Add(elsewhere)), PrimaryError::BadPossession);
    assert_eq!(failing(&phone, DeviceChange::Update(certificate(9, 1))), PrimaryError::UnknownDevice, "not device 1's");
    assert_eq!(failing(&phone, DeviceChange::Update(certificate(3, 2))), PrimaryError::UnknownDevice);
}

/// P-10.8.
#[test]
fn a_list_is_reissued_after_a_week() {
    let mut account = Account::of(2);
    assert!(
        !account.primary.due(NOW) && !account.primary.due(Timestamp::from_unix_seconds(after(7).as_unix_seconds() - 1))
    );
    assert!(account.primary.due(after(7)));
    let list = account.reissue(after(7));
    assert!(!account.primary.due(after(7)) && list.expires() == after(37) && list.issued() == after(7));
    assert!(!account.primary.due(after(6)) && account.primary.due(after(5)), "dated two days ahead");
    assert_eq!(account.directory_at(after(7)).devices(), Account::of(2).directory().devices());
}

impl Account {
    fn directory_at(&self, now: Timestamp) -> DeviceDirectory {
        DeviceDirectory::trust(self.primary.list(), Trust::OnFirstUse, now).unwrap()
    }
}

/// P-10.26. A thief of the key can list whom he likes; the owner's next list names only devices that agreed.
#[test]
fn a_recovered_primary_leaves_out_a_device_that_never_agreed() {
    let mut account = Account::of(3);
    let backup = account.primary.clone();
    account.join(own(Custody::Person));
    let claimed = forged(&account.list(), |bytes| bytes[certificate_at(3) + POSSESSION] ^= 1).unwrap();
    let mut restored = backup.clone();
    let change = restored.recover(&account.phone, from_ref(&claimed), NOW).unwrap();
    assert!(change.is_empty() && restored.list().sequence() == claimed.sequence() + 1);
    assert_eq!(restored.next_index(), 4, "its index is gone with it");
    // A device that did agree stays, whatever signature the thief's list has for it.
    let spoiled = forged(&account.list(), |bytes| bytes[certificate_at(1) + POSSESSION] ^= 1).unwrap();
    let mut restored = backup.clone();
    let change = restored.recover(&account.phone, &[spoiled], NOW).unwrap();
    assert_eq!((change.added.len(), change.removed.len()), (1, 0));
    assert!(DeviceDirectory::trust(restored.list(), Trust::OnFirstUse, NOW).is_ok(), "for strangers too");
    let mut restored = backup.clone();
    assert_eq!(restored.recover(&device(2), &[claimed], NOW), Err(RecoverError::WrongIdentity));
    let sequence = |number: u64| {
        forged(&account.list(), |bytes| bytes[SEQUENCE..SEQUENCE + 8].copy_from_slice(&number.to_be_bytes()))
    };
    assert!(sequence(1 << 35).is_err(), "a frame could not name it");
    let last = sequence((1 << 35) - 1).unwrap();
    assert_eq!(restored.recover(&account.phone, &[last], NOW), Err(RecoverError::Exhausted));
    assert_eq!(restored, backup);
}

/// P-10.24. A vendor keeps its copy of a key whatever the list says.
#[test]
fn a_key_that_a_third_party_held_is_never_listed_as_the_owners() {
    let mut account = Account::of(2);
    account.join(vendor(9));
    let vendors = device(3);
    let listed =
        |account: &Account, index| DeviceCertificate::sign(&vendors, &account.key(), index, own(Custody::Business));
    let update = DeviceChange::Update(listed(&account, 2));
    assert_eq!(account.primary.issue(&account.phone, &[update], NOW).unwrap_err(), PrimaryError::WasHosted);
    let moved = DeviceCertificate::sign(&vendors, &account.key(), 2, vendor(10));
    account.primary.issue(&account.phone, &[DeviceChange::Update(moved)], NOW).unwrap();
    account.leave(2);
    let add = DeviceChange::Add(listed(&account, account.primary.next_index()));
    assert_eq!(account.primary.issue(&account.phone, &[add], NOW).unwrap_err(), PrimaryError::WasHosted, "later too");
    account.join(own(Custody::Business));
}

/// P-10.11.
#[test]
fn only_own_devices_can_send_own_device_payloads() {
    let account = Account::of(3);
    let directory = account.directory();
    let (laptop, tablet, stranger) = (device(2), device(3), device(77));
    assert!(directory.own(&stranger, NOW).is_err_and(|error| error == OwnDeviceError::NotListed));
    assert!(directory.own(&laptop, after(30)).is_err_and(|error| error == OwnDeviceError::Expired));
    let devices = directory.own(&laptop, NOW).unwrap();
    assert_eq!(devices.others().map(DeviceEntry::index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(devices.this().index(), 1);

    let mut rng = SeededRng::new(3);
    for (writer, expected) in [(&tablet, Ok(b"read up to 17".to_vec())), (&stranger, Err(OwnDeviceError::OtherDevice))]
    {
        let keys = PreKeys::generate(&laptop, NOW, &mut rng);
        let bundle = keys.bundle().verify(Trust::Pinned(laptop.public()), NOW).unwrap();
        let mut theirs = Session::initiate(writer, &bundle, NOW, &mut rng).unwrap();
        let hello = theirs.encrypt(b"halo", &mut rng).unwrap();
        let Accepted { mut session, .. } = Session::accept(&laptop, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        let early = theirs.encrypt(b"read up to 16", &mut rng).unwrap();
        let unconfirmed = devices.decrypt(&laptop, &mut session, &early).unwrap_err();
        let refusal = if expected.is_ok() { OwnDeviceError::Unconfirmed } else { OwnDeviceError::OtherDevice };
        assert_eq!(unconfirmed, refusal, "nobody has proved to be an own device");
        let answer = session.encrypt(b"hai", &mut rng).unwrap();
        assert!(theirs.decrypt(writer, &answer).unwrap().confirms);
        let message = theirs.encrypt(b"read up to 17", &mut rng).unwrap();
        let before = bisik_testkit::alice_and_bob::state(&mut session);
        let read = devices.decrypt(&laptop, &mut session, &message);
        assert_eq!(
            read.map(|read| (read.sender().index(), read.into_payload())),
            expected.clone().map(|text| (2, text))
        );
        if expected.is_err() {
            assert_eq!(bisik_testkit::alice_and_bob::state(&mut session), before, "nothing was decrypted");
        } else {
            let again = devices.decrypt(&laptop, &mut session, &message).unwrap_err();
            assert!(matches!(again, OwnDeviceError::Decrypt(_)), "{again:?}");
        }
    }
}

/// A change that an account makes.
#[derive(Clone, Copy, Debug)]
enum Act {
    Join(bool),
    Leave(prop::sample::Index),
    Update(prop::sample::Index, u8),
    Reissue,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<bool>().prop_map(Act::Join),
        any::<prop::sample::Index>().prop_map(Act::Leave),
        (any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(at, disclosure)| Act::Update(at, disclosure)),
        Just(Act::Reissue),
    ]
}

/// An account beside the expected devices: number and terms by index.
struct Modelled {
    account: Account,
    model: BTreeMap<u32, (u8, DeviceTerms)>,
    lists: Vec<DeviceList>,
}

impl Modelled {
    fn new() -> Self {
        let account = Account::new();
        let lists = vec![account.list()];
        Self { account, model: BTreeMap::from([(0, (1, own(Custody::Person)))]), lists }
    }

    fn run(&mut self, act: Act) {
        let Self { account, model, lists } = self;
        let nth = |at: prop::sample::Index| *model.keys().nth(at.index(model.len())).unwrap();
        match act {
            Act::Join(hosted) => {
                let terms = if hosted { vendor(1) } else { own(Custody::Person) };
                model.insert(account.primary.next_index(), (account.next, terms));
                account.join(terms);
            }
            Act::Leave(at) => match nth(at) {
                0 => assert_eq!(account.primary.remove(&account.phone, 0, NOW), Err(PrimaryError::IsPrimary)),
                index => {
                    account.leave(index);
                    model.remove(&index);
                }
            },
            Act::Update(at, disclosure) => {
                let index = nth(at);
                let (number, terms) = model.get_mut(&index).unwrap();
                *terms = vendor(disclosure);
                let change = DeviceCertificate::sign(&device(*number), &account.key(), index, *terms);
                account.primary.issue(&account.phone, &[DeviceChange::Update(change)], NOW).unwrap();
            }
            Act::Reissue => drop(account.reissue(NOW)),
        }
        if account.primary.list() != lists.last().unwrap() {
            lists.push(account.list());
        }
    }

    /// The directory agrees with the model.
    fn agrees(&self, directory: &DeviceDirectory) -> bool {
        let seen = directory.devices().iter().map(|entry| (entry.index(), (*entry.identity(), *entry.terms())));
        let right = self.model.iter().map(|(index, (number, terms))| (*index, (*device(*number).public(), *terms)));
        seen.eq(right)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-10.9, P-10.10.
    #[test]
    fn a_directory_follows_any_history_and_refuses_every_replayed_list(
        acts in prop::collection::vec((act(), any::<prop::sample::Index>()), 1..24),
        absent in any::<prop::sample::Index>(),
    ) {
        let mut world = Modelled::new();
        let mut follower = world.account.directory();
        let mut absentee = follower.clone();
        let absent = absent.index(acts.len());
        for (number, (act, replay)) in acts.into_iter().enumerate() {
            let before = follower.clone();
            world.run(act);
            let change = follower.accept(world.lists.last().unwrap(), NOW).unwrap();
            prop_assert!(world.agrees(&follower));
            prop_assert_eq!(before.devices() == follower.devices(), change.is_empty());
            prop_assert_eq!(before.devices().len() + change.added.len(), follower.devices().len() + change.removed.len());
            prop_assert!(change.added.iter().all(|entry| follower.at(entry.index()) == Some(entry)));
            let old = &world.lists[..world.lists.len() - 1];
            if let Some(old) = old.get(replay.index(world.lists.len())) {
                prop_assert_eq!(refused(&follower, old, NOW), DeviceListError::RolledBack);
            }
            if number <= absent {
                absentee = follower.clone();
            } else if absentee.sequence() + 1 < follower.sequence() {
                let mut over = absentee.clone();
                let skipped = over.accept(world.lists.last().unwrap(), NOW).unwrap().skipped;
                prop_assert_eq!(skipped, Some((absentee.sequence() + 1, follower.sequence() - 1)));
                prop_assert_eq!((over.id(), over.devices()), (follower.id(), follower.devices()));
            }
        }
        let missed: Vec<_> = world.lists.iter().filter(|list| list.sequence() > absentee.sequence()).cloned().collect();
        let _ = absentee.catch_up(&missed, NOW).unwrap();
        prop_assert_eq!(absentee, follower);
    }
}
