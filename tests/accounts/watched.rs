//! What an owner is told of his own account, and everybody of a peer's.

use std::slice::from_ref;

use bisik::conversation::Event;
use bisik::device::{ChangedDevice, Custody, DeviceCertificate, DeviceChange, DirectoryEvent};
use bisik::hosting::Retention;
use bisik::{Account, AccountEvent, Identity};
use bisik_testkit::accounts::Accounts;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::parties::{NOW, own};
use super::recovering::{backup, founded, link, load};

fn events(account: &Account) -> Vec<AccountEvent> {
    account.events().map(|(_, event)| *event).collect()
}

/// P-10.29. A device that the owner did not link is on his screen, before anything goes to it.
#[test]
fn a_device_that_joins_ones_own_account_is_an_event() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut phone = founded(rng);
    let (laptop, list) = link(&mut phone, Custody::Person, NOW, rng);
    let mut laptop = Account::join(laptop, phone.key(), &list, NOW, rng).unwrap();
    let (ghost, list) = link(&mut phone, Custody::Person, NOW, rng);
    let told = laptop.accept_devices(from_ref(&list), NOW).unwrap();
    assert!(
        matches!(told[..], [AccountEvent::Devices(DirectoryEvent::Joined(entry))] if entry.identity() == ghost.public())
    );
    assert_eq!(laptop.accept_devices(&[list], NOW).unwrap(), [], "once");
    let left = phone.change_devices(&[DeviceChange::Remove(2)], NOW).unwrap();
    let told = laptop.accept_devices(&[left], NOW).unwrap();
    assert!(matches!(told[..], [AccountEvent::Devices(DirectoryEvent::Left(entry))] if entry.index() == 2));
    // They wait in the record until they were shown, each by itself.
    let mut laptop = load(&backup(&mut laptop, rng));
    let waiting: Vec<_> = laptop.events().map(|(number, event)| (number, *event)).collect();
    assert_eq!(waiting.len(), 2);
    laptop.settle(waiting[1].0);
    let mut laptop = load(&backup(&mut laptop, rng));
    assert_eq!(events(&laptop), [waiting[0].1]);
    let revision = laptop.revision();
    laptop.settle(waiting[1].0);
    assert_eq!(laptop.revision(), revision, "it is gone");
    laptop.settle(waiting[0].0);
    assert!(events(&laptop).is_empty() && laptop.revision() > revision);
}

/// P-10.29. The weakest device decides who can read; a vendor's on one's own account too.
#[test]
fn a_vendors_device_on_ones_own_account_is_an_event() {
    let mut accounts = Accounts::new(2, [2, 1]);
    let operator = Identity::generate(&mut accounts.rng);
    let index = accounts.host(0, &operator, Retention::THIRTY_DAYS);
    accounts.publish_lists();
    let told = events(&accounts.devices[&(0, 1)].account);
    assert!(matches!(told[..], [AccountEvent::Devices(DirectoryEvent::Joined(entry))]
        if entry.index() == index && entry.custody() == Custody::Vendor && entry.terms().disclosure().is_some()));
}

/// P-10.29. Custody and automation, of one's own devices and of a peer's.
#[test]
fn a_change_of_custody_or_automation_is_an_event_for_owner_and_peer() {
    let mut accounts = Accounts::new(3, [2, 1]);
    let laptop = &accounts.devices[&(0, 1)].account;
    let terms = own(Custody::SelfHosted).automated();
    let certificate = DeviceCertificate::sign(laptop.identity(), laptop.key(), 1, terms);
    let phone = &mut accounts.devices.get_mut(&(0, 0)).unwrap().account;
    let list = phone.change_devices(&[DeviceChange::Update(certificate)], accounts.now).unwrap();
    accounts.lists[0].push(list);
    accounts.publish_lists();
    let is_it = |event: &DirectoryEvent| {
        matches!(event, DirectoryEvent::Changed(ChangedDevice { before, after })
            if before.custody() == Custody::Person && !before.terms().is_automated() && *after.terms() == terms)
    };
    let told = events(&accounts.devices[&(0, 1)].account);
    assert!(matches!(&told[..], [AccountEvent::Devices(event)] if is_it(event)), "{told:?}");
    let peers = &accounts.devices[&(1, 0)].events;
    assert_eq!(peers.iter().filter(|event| matches!(event, Event::Devices(event) if is_it(event))).count(), 1);
}

/// P-10.21. A peer is told of lists that it never saw.
#[test]
fn lists_that_a_peer_never_saw_are_an_event_of_the_conversation() {
    let mut accounts = Accounts::new(4, [1, 1]);
    accounts.join_without_telling(1);
    accounts.join_without_telling(1);
    let (disclosures, now) = (accounts.disclosures.clone(), accounts.now);
    let newest = accounts.lists[1].last().unwrap().clone();
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let talk = device.conversation.as_mut().unwrap();
    talk.accept_devices(&device.account, &[newest], &disclosures, now).unwrap();
    drop(device.store(&mut accounts.rng));
    device.settle();
    let skipped = Event::Devices(DirectoryEvent::ListsSkipped { from: 2, to: 2 });
    assert!(device.events.contains(&skipped), "{:?}", device.events);
    let joined = |event: &&Event| matches!(event, Event::Devices(DirectoryEvent::Joined(_)));
    assert_eq!(device.events.iter().filter(joined).count(), 2);
}
