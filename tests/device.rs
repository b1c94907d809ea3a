//! Accounts of several devices: which lists a directory follows, what a primary issues, how a device joins.
//!
//! Does not know the bytes of a list beyond where its fields are: known answers are in tests/vectors/device.txt.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use bisik::device::link::{Answered, Companion, CompanionComparing, Invitation, Linked, PrimaryComparing, Sas};
use bisik::device::{
    AccountKey, Change, Custody, DeviceCertificate, DeviceDirectory, DeviceEntry, DeviceList, Primary, Terms,
    TermsError,
};
use bisik::{
    Accepted, DeviceListError, DisclosureHash, Identity, LinkError, OwnDeviceError, PreKeys, PrimaryError, Session,
    Timestamp, Trust,
};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use sha2::{Digest, Sha512};
use support::{ConstantRng, SeededRng};

const DAY: u64 = 24 * 60 * 60;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Where a list has its fields; then come its certificates, 166 bytes each, the next index and the signature.
const SEQUENCE: usize = 65;
const PREVIOUS: usize = 73;
const ISSUED: usize = 105;
const EXPIRES: usize = 113;
const COUNT: usize = 121;
const CERTIFICATES: usize = 125;
/// Where a certificate has its fields.
const KEY: usize = 4;
const CUSTODY: usize = 68;
const AUTOMATED: usize = 69;
const DISCLOSURE: usize = 70;
const POSSESSION: usize = 102;

/// The device whose two secrets are 32 times this byte: so a test can sign in its name.
fn device(number: u8) -> Identity {
    Identity::generate(&mut ConstantRng(number))
}

/// `text ‖ signature` by device `number` over `label ‖ identity key ‖ text`, made without the library.
fn signed(number: u8, label: &str, text: &[u8]) -> Vec<u8> {
    let whole = [label.as_bytes(), &device(number).public().to_bytes(), text].concat();
    [text, &SigningKey::from_bytes(&[number; 32]).sign(&whole).to_bytes()].concat()
}

fn own(custody: Custody) -> Terms {
    Terms::own_held(custody).unwrap()
}

fn vendor(disclosure: u8) -> Terms {
    Terms::disclosed(Custody::Vendor, DisclosureHash::from_bytes([disclosure; 32]).unwrap()).unwrap()
}

fn after(days: u64) -> Timestamp {
    NOW.plus_seconds(days * DAY)
}

/// An account whose primary is device 1.
struct Account {
    phone: Identity,
    primary: Primary,
    next: u8,
}

impl Account {
    fn new() -> Self {
        let phone = device(1);
        Self { primary: Primary::new(&phone, own(Custody::Person), NOW), phone, next: 2 }
    }

    fn of(devices: usize) -> Self {
        let mut account = Self::new();
        (1..devices).for_each(|_| account.join(own(Custody::Person)));
        account
    }

    fn key(&self) -> AccountKey {
        AccountKey::of(&self.phone)
    }

    /// Another device, of the next number, at the next index.
    fn join(&mut self, terms: Terms) {
        let joining = DeviceCertificate::sign(&device(self.next), &self.key(), self.primary.next_index(), terms);
        self.primary.add(&self.phone, joining, NOW).unwrap();
        self.next += 1;
    }

    fn leave(&mut self, index: u32) {
        self.primary.remove(&self.phone, index, NOW).unwrap();
    }

    fn reissue(&mut self, now: Timestamp) -> DeviceList {
        self.primary.reissue(&self.phone, now).unwrap().clone()
    }

    fn list(&self) -> DeviceList {
        self.primary.list().clone()
    }

    /// What a peer remembers that has seen everything until now.
    fn directory(&self) -> DeviceDirectory {
        DeviceDirectory::trust(self.primary.list(), Trust::Pinned(self.phone.public()), NOW).unwrap()
    }
}

/// The next list as a dishonest primary would make it: the account's signature is good.
fn forged(list: &DeviceList, change: impl FnOnce(&mut Vec<u8>)) -> Result<DeviceList, DeviceListError> {
    let bytes = list.to_bytes();
    let mut content = bytes[..bytes.len() - 64].to_vec();
    change(&mut content);
    DeviceList::from_bytes(&signed(1, "bisik-1 device list", &content))
}

/// Why `list` is refused; nothing has changed then.
fn refused(directory: &DeviceDirectory, list: &DeviceList, now: Timestamp) -> DeviceListError {
    let mut after = directory.clone();
    let error = after.accept(list, now).unwrap_err();
    assert_eq!(after, *directory, "a refused list changes nothing");
    error
}

fn certificate_at(position: usize) -> usize {
    CERTIFICATES + position * DeviceCertificate::LENGTH
}

#[test]
fn a_directory_follows_its_account() {
    let mut account = Account::new();
    let mut directory = account.directory();
    account.join(own(Custody::Person));
    let change = directory.accept(account.primary.list(), NOW).unwrap();
    assert_eq!((change.added.len(), change.removed.len(), change.changed.len()), (1, 0, 0));
    assert_eq!(change.added[0].identity(), device(2).public());
    assert_eq!(directory.find(device(2).public()), Some(&change.added[0]));

    account.join(vendor(9).automated());
    account.leave(1);
    let missed = account.list();
    assert_eq!(refused(&directory, &missed, NOW), DeviceListError::Gap);
    let mut late = account.directory();
    assert_eq!(late.devices().iter().map(DeviceEntry::index).collect::<Vec<_>>(), [0, 2]);
    assert!(late.devices()[1].terms().is_automated() && late.devices()[1].custody() == Custody::Vendor);

    let kept = DeviceCertificate::sign(&device(3), &account.key(), 2, own(Custody::SelfHosted));
    account.primary.issue(&account.phone, &[Change::Update(kept)], NOW).unwrap();
    let change = late.accept(account.primary.list(), NOW).unwrap();
    assert_eq!((change.added.len(), change.removed.len(), change.changed.len()), (0, 0, 1));
    assert_eq!(change.changed[0].custody(), Custody::SelfHosted);
    assert_eq!(late, account.directory());
    assert_eq!(late, account.primary.directory());
}

#[test]
fn the_same_list_again_changes_nothing() {
    let account = Account::of(3);
    let mut directory = account.directory();
    assert!(directory.accept(account.primary.list(), NOW).unwrap().is_empty());
    assert_eq!(directory, account.directory());
    assert_eq!(refused(&directory, account.primary.list(), after(30)), DeviceListError::Expired);
}

/// P-10.8.
#[test]
fn a_list_that_was_rolled_back_is_refused() {
    let mut account = Account::of(2);
    let with_thief = account.list();
    account.leave(1);
    let directory = account.directory();
    assert_eq!(refused(&directory, &with_thief, NOW), DeviceListError::RolledBack);
    assert_eq!(refused(&directory, &with_thief, after(400)), DeviceListError::RolledBack, "whatever its dates");
}

/// P-10.8. A primary that was restored from a backup says two things under one number.
#[test]
fn a_forked_list_is_refused_at_once_and_ever_after() {
    let mut account = Account::of(2);
    let mut restored = Account { phone: device(1), primary: account.primary.clone(), next: 40 };
    account.join(own(Custody::Person));
    let directory = account.directory();
    restored.join(own(Custody::Person));
    assert_eq!(refused(&directory, restored.primary.list(), NOW), DeviceListError::Forked);
    restored.join(own(Custody::Person));
    assert_eq!(refused(&directory, restored.primary.list(), NOW), DeviceListError::Forked);
}

/// P-10.8.
#[test]
fn a_gap_is_refused_until_the_missing_lists_are_given_even_expired_ones() {
    let mut account = Account::of(2);
    let mut directory = account.directory();
    let lists: Vec<_> = (1..=9).map(|week| account.reissue(after(week * 7))).collect();
    let now = after(63);
    assert_eq!(refused(&directory, &lists[8], now), DeviceListError::Gap);
    let reversed = lists.iter().rev().cloned().collect::<Vec<_>>();
    for wrong in [&lists[1..], &[&lists[..3], &lists[4..]].concat(), &reversed] {
        let mut after = directory.clone();
        assert!(after.catch_up(wrong, now).is_err());
        assert_eq!(after, directory, "all or none");
    }
    assert!(directory.catch_up(&lists, now).unwrap().is_empty());
    assert_eq!(directory.sequence(), 11);
    assert!(directory.catch_up(&[], now).unwrap().is_empty());
}

/// P-10.6.
#[test]
fn a_list_is_good_from_a_day_before_its_date_until_30_days_after() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.reissue(NOW);
    let list = account.list();
    let at = |seconds: u64| Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds - DAY);
    assert_eq!(
        refused(&directory, &list, Timestamp::from_unix_seconds(at(0).as_unix_seconds() - 1)),
        DeviceListError::NotYetValid
    );
    assert_eq!(refused(&directory, &list, at(31 * DAY)), DeviceListError::Expired);
    for good in [at(0), at(31 * DAY - 1)] {
        assert!(directory.clone().accept(&list, good).unwrap().is_empty());
        assert!(DeviceDirectory::trust(&list, Trust::OnFirstUse, good).is_ok());
        assert!(!directory.is_expired(good));
    }
    let first = |now| DeviceDirectory::trust(&list, Trust::OnFirstUse, now).unwrap_err();
    assert_eq!((first(at(31 * DAY)), first(after(30))), (DeviceListError::Expired, DeviceListError::Expired));
    assert!(directory.is_expired(after(30)));
}

/// P-10.5.
#[test]
fn a_badly_signed_list_is_refused() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let bytes = account.list().to_bytes();
    let content = &bytes[..bytes.len() - 64];
    for bad in [signed(2, "bisik-1 device list", content), signed(1, "bisik-1 pre-key bundle", content)] {
        let list = DeviceList::from_bytes(&bad).unwrap();
        assert_eq!(refused(&directory, &list, NOW), DeviceListError::BadSignature);
        let first = DeviceDirectory::trust(&list, Trust::OnFirstUse, NOW);
        assert_eq!(first, Err(DeviceListError::BadSignature));
    }
    let good = forged(&account.list(), |_| ()).unwrap();
    assert_eq!(good, account.list(), "the signature is what the document says");
}

/// P-10.1.
#[test]
fn a_list_of_another_account_is_refused() {
    let account = Account::of(2);
    let other = device(50);
    let list = Primary::new(&other, own(Custody::Person), NOW).list().clone();
    assert_eq!(refused(&account.directory(), &list, NOW), DeviceListError::OtherAccount);
    let pinned = DeviceDirectory::trust(&list, Trust::Pinned(account.phone.public()), NOW);
    assert_eq!(pinned, Err(DeviceListError::OtherAccount));
    assert!(DeviceDirectory::trust(&list, Trust::Pinned(other.public()), NOW).is_ok());
}

/// P-10.2, P-10.4. An account cannot claim a device that did not agree to be in it, there, on these terms.
#[test]
fn a_list_with_a_wrong_possession_signature_is_refused() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let honest = account.list();
    let newcomer = device(3);
    let stranger = AccountKey::of(&device(60));
    let wrong = [
        DeviceCertificate::sign(&newcomer, &stranger, 2, own(Custody::Person)),
        DeviceCertificate::sign(&newcomer, &account.key(), 3, own(Custody::Person)),
        DeviceCertificate::sign(&newcomer, &account.key(), 2, own(Custody::Business)),
        DeviceCertificate::sign(&newcomer, &account.key(), 2, own(Custody::Person).automated()),
        DeviceCertificate::sign(&device(4), &account.key(), 2, own(Custody::Person)),
    ];
    for (case, certificate) in wrong.iter().enumerate() {
        let possession = &certificate.to_bytes()[POSSESSION..];
        let at = certificate_at(2) + POSSESSION;
        let list = forged(&honest, |bytes| bytes[at..at + 64].copy_from_slice(possession)).unwrap();
        assert_eq!(refused(&directory, &list, NOW), DeviceListError::BadPossession, "{case}");
        let first = DeviceDirectory::trust(&list, Trust::OnFirstUse, NOW);
        assert_eq!(first, Err(DeviceListError::BadPossession), "{case}");
    }
}

/// P-10.4. On the way through missed lists too.
#[test]
fn a_directory_does_not_catch_up_over_a_device_that_never_agreed() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let at = certificate_at(2) + POSSESSION;
    let claimed = forged(&account.list(), |bytes| bytes[at] ^= 1).unwrap();
    account.leave(2);
    let hash = claimed.hash();
    let after = forged(&account.list(), |bytes| bytes[PREVIOUS..PREVIOUS + 32].copy_from_slice(&hash)).unwrap();
    let mut behind = directory.clone();
    assert_eq!(behind.catch_up(&[claimed, after], NOW), Err(DeviceListError::BadPossession));
    assert_eq!(behind, directory);
}

/// P-10.4. Keys that no device can have are refused although the account has signed them.
#[test]
fn a_device_with_an_unusable_identity_is_refused() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let with_key = |offset: usize, key: [u8; 32]| {
        let at = certificate_at(2) + KEY + offset;
        forged(&account.list(), |bytes| bytes[at..at + 32].copy_from_slice(&key))
    };
    let mut two = [0; 32];
    two[0] = 2;
    assert_eq!(with_key(32, [0; 32]), Err(DeviceListError::Malformed), "small order");
    assert_eq!(refused(&directory, &with_key(32, two).unwrap(), NOW), DeviceListError::Malformed, "on the twist");
    assert_eq!(refused(&directory, &with_key(0, two).unwrap(), NOW), DeviceListError::Malformed, "on no curve");
}

/// P-10.9.
#[test]
fn an_index_is_never_used_again() {
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

/// P-10.3.
#[test]
fn custody_and_disclosure_that_do_not_agree_are_malformed() {
    let mut account = Account::of(2);
    account.join(vendor(9));
    let list = account.list();
    let set = |position: usize, field: usize, value: u8| {
        forged(&list, |bytes| bytes[certificate_at(position) + field] = value).map(drop)
    };
    for (position, custodies) in [(1, [1, 2, 3]), (2, [4, 5, 6])] {
        for custody in 0..=255 {
            let expected = if custodies.contains(&custody) { Ok(()) } else { Err(DeviceListError::Malformed) };
            assert_eq!(set(position, CUSTODY, custody), expected, "device {position} in custody {custody}");
        }
    }
    assert_eq!(set(1, DISCLOSURE + 31, 1), Err(DeviceListError::Malformed), "a disclosure where none belongs");
    let at = certificate_at(2) + DISCLOSURE;
    let stripped = forged(&list, |bytes| bytes[at..at + 32].fill(0));
    assert_eq!(stripped, Err(DeviceListError::Malformed), "none where one belongs");
    assert_eq!((set(1, AUTOMATED, 1), set(1, AUTOMATED, 2)), (Ok(()), Err(DeviceListError::Malformed)));

    assert_eq!(Terms::own_held(Custody::Interop), Err(TermsError::DisclosureMissing));
    assert_eq!(DisclosureHash::from_bytes([0; 32]), None, "a hash that is none cannot be disclosed");
    assert_eq!(
        Terms::disclosed(Custody::Person, DisclosureHash::from_bytes([1; 32]).unwrap()),
        Err(TermsError::DisclosureUnexpected)
    );
}

/// P-10.7. Not even the account can say these.
#[test]
fn a_list_that_contradicts_itself_is_malformed() {
    let account = Account::of(3);
    let list = account.list();
    let bytes = list.to_bytes();
    let number = |at: usize, value: u64| {
        forged(&list, |bytes| bytes[at..at + 8].copy_from_slice(&value.to_be_bytes())).map(drop)
    };
    let malformed = Err(DeviceListError::Malformed);
    let now = NOW.as_unix_seconds();
    assert_eq!((number(SEQUENCE, 0), number(SEQUENCE, 1), number(SEQUENCE, 9)), (malformed, malformed, Ok(())));
    assert_eq!((number(EXPIRES, now), number(EXPIRES, now + 1)), (malformed, Ok(())));
    assert_eq!((number(EXPIRES, now + 30 * DAY + 1), number(ISSUED, now + 30 * DAY)), (malformed, malformed));
    assert_eq!(number(ISSUED, now - 1), malformed, "a second more than 30 days");
    let unchained = forged(&list, |bytes| bytes[PREVIOUS..PREVIOUS + 32].fill(0));
    assert_eq!(unchained.map(drop), malformed);
    let one = Account::new().list();
    let chained = forged(&one, |bytes| bytes[PREVIOUS] = 1);
    assert_eq!(chained.map(drop), malformed);

    let devices = |order: &[usize], next: u32| {
        forged(&list, |content| {
            content.truncate(COUNT);
            content.extend_from_slice(&u32::try_from(order.len()).unwrap().to_be_bytes());
            order.iter().for_each(|at| content.extend_from_slice(&bytes[certificate_at(*at)..certificate_at(at + 1)]));
            content.extend_from_slice(&next.to_be_bytes());
        })
        .map(drop)
    };
    assert_eq!((devices(&[0, 1, 2], 3), devices(&[0, 2], 3), devices(&[0], 9)), (Ok(()), Ok(()), Ok(())));
    for (order, next) in [(&[][..], 3), (&[1, 2], 3), (&[0, 2, 1], 3), (&[0, 0], 3), (&[0, 1, 1], 3), (&[0, 1, 2], 2)] {
        assert_eq!(devices(order, next), malformed, "{order:?} and then {next}");
    }
    let twice = forged(&list, |content| {
        let first = content[certificate_at(1) + KEY..][..64].to_vec();
        content[certificate_at(2) + KEY..][..64].copy_from_slice(&first);
    });
    assert_eq!(twice.map(drop), malformed, "one device at two indices");
    let not_primary = forged(&list, |content| {
        content[certificate_at(0) + KEY..][..64].copy_from_slice(&device(9).public().to_bytes())
    });
    assert_eq!(not_primary.map(drop), malformed, "index 0 is the account's own");
}

/// P-10.5. Whatever is changed, and still decodes: the signature no longer fits.
#[test]
fn a_list_with_any_byte_flipped_is_refused() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(vendor(9));
    let bytes = account.list().to_bytes();
    let mut changed = bytes.clone();
    let mut badly_signed = 0;
    for at in 0..bytes.len() {
        changed[at] ^= 1 << (at % 8);
        match DeviceList::from_bytes(&changed) {
            Err(error) => assert_eq!(error, DeviceListError::Malformed, "{at}"),
            Ok(list) => {
                assert_eq!(list.to_bytes(), changed, "one encoding");
                let error = refused(&directory, &list, NOW);
                // A changed account key is another account's.
                let expected =
                    if at < SEQUENCE { DeviceListError::OtherAccount } else { DeviceListError::BadSignature };
                assert_eq!(error, expected, "{at}");
                badly_signed += 1;
            }
        }
        changed[at] = bytes[at];
    }
    assert!(badly_signed > 400, "most changes decode: {badly_signed}");
}

#[test]
fn a_list_of_another_length_is_malformed() {
    let account = Account::of(3);
    let bytes = account.list().to_bytes();
    assert_eq!(bytes.len(), 193 + 3 * DeviceCertificate::LENGTH);
    assert_eq!(DeviceList::from_bytes(&bytes).unwrap(), account.list());
    for length in 0..bytes.len() {
        assert_eq!(DeviceList::from_bytes(&bytes[..length]), Err(DeviceListError::Malformed), "{length}");
    }
    for more in [1, 64, 166] {
        let longer = [bytes.as_slice(), &vec![0; more]].concat();
        assert_eq!(DeviceList::from_bytes(&longer), Err(DeviceListError::Malformed));
    }
}

/// P-10.7. A thousand and twenty-four, at the primary and in the encoding.
#[test]
fn a_list_holds_1024_devices_and_no_more() {
    let mut account = Account::new();
    let mut rng = SeededRng::new(1);
    let key = account.key();
    let mut adds: Vec<_> = (1..=1_024)
        .map(|index| DeviceCertificate::sign(&Identity::generate(&mut rng), &key, index, own(Custody::Business)))
        .map(Change::Add)
        .collect();
    let Some(Change::Add(last)) = adds.pop() else { panic!("there are 1,024") };
    account.primary.issue(&account.phone, &adds, NOW).unwrap();
    let list = account.list();
    assert_eq!(DeviceList::from_bytes(&list.to_bytes()), Ok(list.clone()));
    assert_eq!(account.primary.directory().devices().len(), 1_024);
    assert_eq!(account.primary.add(&account.phone, last, NOW), Err(PrimaryError::Full));
    assert_eq!(*account.primary.list(), list);
    let more = forged(&list, |bytes| {
        bytes[COUNT..COUNT + 4].copy_from_slice(&1_025_u32.to_be_bytes());
        let at = certificate_at(1_024);
        bytes.splice(at..at, last.to_bytes()).for_each(drop);
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&1_025_u32.to_be_bytes());
    });
    assert_eq!(more, Err(DeviceListError::Malformed));
}

/// P-10.9. And a refused change leaves the list as it was, whatever came before it in the same list.
#[test]
fn a_primary_refuses_what_no_directory_would_accept() {
    let mut account = Account::of(3);
    let (key, phone, next) = (account.key(), device(1), account.primary.next_index());
    let certificate = |number, index| DeviceCertificate::sign(&device(number), &key, index, own(Custody::Person));
    let elsewhere = DeviceCertificate::sign(&device(9), &AccountKey::of(&device(8)), next, own(Custody::Person));
    let mut failing = |identity: &Identity, change| {
        let before = account.primary.clone();
        let error = account.primary.issue(identity, &[Change::Remove(2), change], NOW).unwrap_err();
        assert_eq!(account.primary, before);
        error
    };
    assert_eq!(failing(&device(2), Change::Remove(1)), PrimaryError::OtherIdentity);
    assert_eq!(failing(&phone, Change::Remove(0)), PrimaryError::IsPrimary);
    assert_eq!(failing(&phone, Change::Remove(2)), PrimaryError::UnknownDevice, "it was removed just before");
    assert_eq!(failing(&phone, Change::Add(certificate(9, next + 1))), PrimaryError::OtherIndex);
    assert_eq!(failing(&phone, Change::Add(certificate(9, 2))), PrimaryError::OtherIndex, "free, and never again");
    assert_eq!(failing(&phone, Change::Add(certificate(2, next))), PrimaryError::AlreadyListed);
    assert_eq!(failing(&phone, Change::Add(elsewhere)), PrimaryError::BadPossession);
    assert_eq!(failing(&phone, Change::Update(certificate(9, 1))), PrimaryError::UnknownDevice, "not device 1's");
    assert_eq!(failing(&phone, Change::Update(certificate(3, 2))), PrimaryError::UnknownDevice);
}

/// P-10.11.
#[test]
fn a_list_is_issued_again_after_a_week() {
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

#[test]
fn a_restored_primary_goes_on_from_its_newest_list() {
    let mut account = Account::of(2);
    let backup = account.primary.clone();
    account.join(own(Custody::Person));
    account.leave(1);
    let mut directory = account.directory();
    let mut restored = Account { phone: device(1), primary: backup.clone(), next: 20 };
    let other = Primary::new(&device(30), own(Custody::Person), NOW);
    assert_eq!(restored.primary.recover(other.list()), Err(DeviceListError::OtherAccount));
    let newest = account.list().to_bytes();
    let badly_signed = DeviceList::from_bytes(&signed(2, "bisik-1 device list", &newest[..newest.len() - 64])).unwrap();
    assert_eq!(restored.primary.recover(&badly_signed), Err(DeviceListError::BadSignature));
    assert_eq!(restored.primary, backup);
    restored.primary.recover(account.primary.list()).unwrap();
    assert_eq!(restored.primary.recover(backup.list()), Err(DeviceListError::RolledBack));
    restored.join(own(Custody::Person));
    assert_eq!(directory.accept(restored.primary.list(), NOW).unwrap().added.len(), 1);
    account.join(own(Custody::Person));
    assert_eq!(restored.primary.recover(account.primary.list()), Err(DeviceListError::Forked));
}

/// P-10.12.
#[test]
fn only_an_own_device_makes_a_payload_of_an_own_device() {
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
        let mut theirs = Session::initiate(writer, &bundle, &mut rng).unwrap();
        let hello = theirs.encrypt(b"halo", &mut rng).unwrap();
        let Accepted { mut session, .. } = Session::accept(&laptop, &keys, &hello, Trust::OnFirstUse).unwrap();
        let message = theirs.encrypt(b"read up to 17", &mut rng).unwrap();
        let before = support::people::state(&session);
        let read = devices.decrypt(&mut session, &message);
        assert_eq!(
            read.map(|read| (read.sender().index(), read.into_payload())),
            expected.clone().map(|text| (2, text))
        );
        if expected.is_err() {
            assert_eq!(support::people::state(&session), before, "nothing was decrypted");
        } else {
            let again = devices.decrypt(&mut session, &message).unwrap_err();
            assert!(matches!(again, OwnDeviceError::Decrypt(_)), "{again:?}");
        }
    }
}

/// How a companion is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    QrCode,
    TypedCode,
}

const METHODS: [Method; 2] = [Method::QrCode, Method::TypedCode];

/// A new device, and what the primary has of it.
fn begin(method: Method, rng: &mut SeededRng) -> (Companion, Vec<u8>) {
    match method {
        Method::QrCode => {
            let (companion, code) = Companion::with_qr_code(rng);
            (companion, code.as_bytes().to_vec())
        }
        Method::TypedCode => {
            let (companion, _) = Companion::with_typed_code(rng);
            let hello = companion.hello().to_vec();
            (companion, hello)
        }
    }
}

fn invitation(method: Method, seen: &[u8]) -> Result<Invitation, LinkError> {
    match method {
        Method::QrCode => Invitation::scan(seen),
        Method::TypedCode => Invitation::fetch(seen),
    }
}

fn answer(method: Method, seen: &[u8], account: &Account, rng: &mut SeededRng) -> (Answered, Vec<u8>) {
    invitation(method, seen).unwrap().answer(&account.primary, own(Custody::Person), rng)
}

/// Both sides until the user compares.
fn compare(method: Method, account: &Account, rng: &mut SeededRng) -> (CompanionComparing, PrimaryComparing) {
    let (companion, seen) = begin(method, rng);
    let (answered, message) = answer(method, &seen, account, rng);
    let (companion, reveal) = companion.answer(&message).unwrap();
    (companion, answered.reveal(&reveal).unwrap())
}

fn same(one: &Sas, other: &Sas) -> bool {
    assert_eq!(one == other, one.emoji() == other.emoji() && one.digits() == other.digits());
    one.emoji() == other.emoji() || one.digits() == other.digits()
}

/// P-10.16, P-10.19, P-10.20.
#[test]
fn a_device_joins_over_a_qr_code_and_over_a_typed_code() {
    let mut rng = SeededRng::new(10);
    for method in METHODS {
        let mut account = Account::of(2);
        let mut peer = account.directory();
        let (companion, primary) = compare(method, &account, &mut rng);
        assert!(same(companion.sas(), primary.sas()), "{method:?}");
        assert_eq!((companion.account(), companion.terms()), (&account.key(), &own(Custody::Person)));
        let list = account.primary.add(&account.phone, primary.confirm(), NOW).unwrap();
        let Linked { identity, directory, entry, .. } = companion.confirm().finish(list, NOW).unwrap();
        assert_eq!(peer.accept(list, NOW).unwrap().added, [entry]);
        assert_eq!((directory.clone(), entry.index(), entry.identity()), (peer, 2, identity.public()));
        assert!(directory.own(&identity, NOW).is_ok());
    }
}

#[test]
fn a_hosted_endpoint_joins_under_its_disclosure() {
    let mut rng = SeededRng::new(11);
    let mut account = Account::new();
    let (companion, code) = Companion::with_qr_code(&mut rng);
    let invited = Invitation::scan(code.as_bytes()).unwrap();
    assert_eq!(invited.companion(), companion.identity().public(), "for the disclosure that both sign");
    let (answered, message) = invited.answer(&account.primary, vendor(7), &mut rng);
    let (companion, reveal) = companion.answer(&message).unwrap();
    assert_eq!(companion.terms(), &vendor(7));
    let list = account.primary.add(&account.phone, answered.reveal(&reveal).unwrap().confirm(), NOW).unwrap();
    let linked = companion.confirm().finish(list, NOW).unwrap();
    assert_eq!(linked.entry.terms().disclosure(), DisclosureHash::from_bytes([7; 32]));
}

/// What became of one linking with a relay in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Caught {
    AtCompanion,
    AtPrimary,
    ByTheUser,
}

/// Both go on with what the relay gave them; the user looks at both screens. Panics where nobody notices.
fn caught(companion: Companion, message: &[u8], answered: Answered, tamper: impl Fn(Vec<u8>) -> Vec<u8>) -> Caught {
    let Ok((companion, reveal)) = companion.answer(message) else { return Caught::AtCompanion };
    let Ok(primary) = answered.reveal(&tamper(reveal)) else { return Caught::AtPrimary };
    assert!(!same(companion.sas(), primary.sas()), "nobody notices");
    Caught::ByTheUser
}

/// P-10.14. The link secret never was on the network.
#[test]
fn after_a_qr_code_every_changed_message_is_refused() {
    let mut rng = SeededRng::new(12);
    let account = Account::of(2);
    for at in 0..199 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let (answered, mut message) = answer(Method::QrCode, &seen, &account, &mut rng);
        message[at] ^= 1 << (at % 8);
        assert_eq!(caught(companion, &message, answered, |reveal| reveal), Caught::AtCompanion, "answer, {at}");
    }
    for at in 0..129 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let (answered, message) = answer(Method::QrCode, &seen, &account, &mut rng);
        let flip = |mut reveal: Vec<u8>| {
            reveal[at] ^= 1 << (at % 8);
            reveal
        };
        assert_eq!(caught(companion, &message, answered, flip), Caught::AtPrimary, "reveal, {at}");
    }
}

/// P-10.13, P-10.16. Without a secret: what one side's checks let through, the user sees.
#[test]
fn after_a_typed_code_every_changed_message_is_refused_or_seen() {
    let mut rng = SeededRng::new(13);
    let account = Account::of(2);
    let mut count = BTreeMap::new();
    for at in 0..98 + 167 + 97 {
        let (companion, mut seen) = begin(Method::TypedCode, &mut rng);
        if at < 98 {
            seen[at] ^= 1 << (at % 8);
            if invitation(Method::TypedCode, &seen).is_err() {
                *count.entry(Caught::AtPrimary).or_insert(0) += 1;
                continue;
            }
        }
        let (answered, mut message) = answer(Method::TypedCode, &seen, &account, &mut rng);
        if (98..98 + 167).contains(&at) {
            message[at - 98] ^= 1 << (at % 8);
        }
        let flip = |mut reveal: Vec<u8>| {
            if let Some(byte) = at.checked_sub(98 + 167).and_then(|at| reveal.get_mut(at)) {
                *byte ^= 1 << (at % 8);
            }
            reveal
        };
        *count.entry(caught(companion, &message, answered, flip)).or_insert(0) += 1;
    }
    assert_eq!(count.values().sum::<u32>(), 98 + 167 + 97);
    assert_eq!(count[&Caught::ByTheUser], 32, "the primary's nonce, which only the string binds");
}

/// P-10.13, P-10.15. A relay that links its own device with the primary, and the companion with its own account.
#[test]
fn a_relay_in_the_middle_makes_the_strings_differ() {
    let mut rng = SeededRng::new(14);
    let account = Account::of(2);
    let relay = Account { phone: device(66), primary: Primary::new(&device(66), own(Custody::Person), NOW), next: 67 };
    for companion_first in [false, true] {
        for _ in 0..100 {
            let (companion, seen) = begin(Method::TypedCode, &mut rng);
            let (own_companion, own_hello) = begin(Method::TypedCode, &mut rng);
            let (as_primary, to_companion) = answer(Method::TypedCode, &seen, &relay, &mut rng);
            let (answered, from_primary) = answer(Method::TypedCode, &own_hello, &account, &mut rng);
            let (companion, its_reveal) = companion.answer(&to_companion).unwrap();
            let (as_companion, own_reveal) = own_companion.answer(&from_primary).unwrap();
            if companion_first {
                assert!(same(as_primary.reveal(&its_reveal).unwrap().sas(), companion.sas()));
            }
            let primary = answered.reveal(&own_reveal).unwrap();
            assert!(same(as_companion.sas(), primary.sas()), "the relay is a good peer on either side");
            assert!(!same(companion.sas(), primary.sas()));
        }
    }
}

/// P-10.14. Over a QR code a relay has not even that: it cannot answer, and what it reveals is not taken.
#[test]
fn a_relay_that_has_not_seen_the_qr_code_is_refused() {
    let mut rng = SeededRng::new(15);
    let (account, relay) = (Account::of(2), Account::of(1));
    for _ in 0..20 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let mut guessed = seen.clone();
        guessed[98..].fill(0);
        let (_, forged) = answer(Method::QrCode, &guessed, &relay, &mut rng);
        assert_eq!(companion.answer(&forged).unwrap_err(), LinkError::Rejected);

        let (answered, message) = answer(Method::QrCode, &seen, &account, &mut rng);
        let (own_companion, _) = begin(Method::QrCode, &mut rng);
        assert_eq!(own_companion.answer(&message).unwrap_err(), LinkError::OtherLink);
        let (other, other_seen) = begin(Method::QrCode, &mut rng);
        let (_, other_message) = answer(Method::QrCode, &other_seen, &account, &mut rng);
        let (_, other_reveal) = other.answer(&other_message).unwrap();
        assert_eq!(answered.reveal(&other_reveal).unwrap_err(), LinkError::Rejected);
    }
}

/// P-10.17. Nothing of one linking is good in another, or at another step.
#[test]
fn messages_in_the_wrong_order_and_of_other_linkings_are_refused() {
    let mut rng = SeededRng::new(16);
    let account = Account::of(2);
    for method in METHODS {
        let mut run = || {
            let (companion, seen) = begin(method, &mut rng);
            let hello = companion.hello().to_vec();
            let (answered, message) = answer(method, &seen, &account, &mut rng);
            (companion, hello, answered, message)
        };
        let (first, _, first_answered, first_message) = run();
        let (_, first_reveal) = first.answer(&first_message).unwrap();
        drop(first_answered);

        let (companion, hello, answered, _) = run();
        assert_eq!(companion.answer(&hello).unwrap_err(), LinkError::WrongStep);
        assert_eq!(answered.reveal(&hello).unwrap_err(), LinkError::WrongStep);
        let (companion, _, answered, message) = run();
        assert_eq!(companion.answer(&first_reveal).unwrap_err(), LinkError::WrongStep);
        assert_eq!(answered.reveal(&message).unwrap_err(), LinkError::WrongStep);
        let (companion, _, answered, _) = run();
        assert_eq!(companion.answer(&first_message).unwrap_err(), LinkError::OtherLink, "an answer replayed");
        assert_eq!(answered.reveal(&first_reveal).unwrap_err(), LinkError::Rejected, "a reveal replayed");
        assert_eq!(Invitation::fetch(&first_message).unwrap_err(), LinkError::WrongStep);
    }
}

/// P-1.8.
#[test]
fn messages_of_linking_that_are_cut_or_extended_or_of_the_other_method_are_malformed() {
    let mut rng = SeededRng::new(17);
    let account = Account::of(2);
    for (method, hello_length, answer_length, reveal_length) in
        [(Method::QrCode, 130_usize, 199_usize, 129_usize), (Method::TypedCode, 98, 167, 97)]
    {
        let (_, seen) = begin(method, &mut rng);
        assert_eq!(seen.len(), hello_length);
        for wrong in [&seen[..0], &seen[..hello_length - 1], &[seen.as_slice(), &[0]].concat()] {
            assert_eq!(invitation(method, wrong).unwrap_err(), LinkError::Malformed);
        }
        for (answer_change, reveal_change) in
            [(-1_isize, 0_isize), (1, 0), (32, 0), (-32, 0), (0, -1), (0, 1), (0, 32), (0, -32)]
        {
            let (companion, seen) = begin(method, &mut rng);
            let (answered, mut message) = answer(method, &seen, &account, &mut rng);
            message.resize(answer_length.checked_add_signed(answer_change).unwrap(), 0);
            if answer_change != 0 {
                assert_eq!(companion.answer(&message).unwrap_err(), LinkError::Malformed);
                continue;
            }
            let (_, mut reveal) = companion.answer(&message).unwrap();
            assert_eq!(reveal.len(), reveal_length);
            reveal.resize(reveal_length.checked_add_signed(reveal_change).unwrap(), 0);
            assert_eq!(answered.reveal(&reveal).unwrap_err(), LinkError::Malformed);
        }
    }
    let (companion, code) = Companion::with_qr_code(&mut rng);
    assert_eq!(Invitation::fetch(companion.hello()).unwrap_err(), LinkError::Malformed, "it wants a camera");
    let (typed, _) = Companion::with_typed_code(&mut rng);
    let shown = [typed.hello(), &code.as_bytes()[98..]].concat();
    assert_eq!(Invitation::scan(&shown).unwrap_err(), LinkError::Malformed, "and it wants none");
}

/// P-10.18, P-10.19. Without the primary's confirmation there is no list; and any other list is not the one.
#[test]
fn a_companion_ends_linking_only_with_the_list_that_was_agreed() {
    let mut rng = SeededRng::new(18);
    let mut account = Account::of(2);
    let (companion, _) = compare(Method::QrCode, &account, &mut rng);
    assert_eq!(companion.confirm().finish(account.primary.list(), NOW).unwrap_err(), LinkError::NotListed);

    let (companion, _) = compare(Method::QrCode, &account, &mut rng);
    account.join(own(Custody::Person));
    let error = companion.confirm().finish(account.primary.list(), NOW).unwrap_err();
    assert_eq!(error, LinkError::NotListed, "another device has its index");

    let (companion, primary) = compare(Method::QrCode, &account, &mut rng);
    let other = Primary::new(&device(88), own(Custody::Person), NOW);
    let error = companion.confirm().finish(other.list(), NOW).unwrap_err();
    assert_eq!(error, LinkError::List(DeviceListError::OtherAccount));

    let before = account.primary.clone();
    account.primary = before.clone();
    account.join(own(Custody::Person));
    let late = account.primary.add(&account.phone, primary.confirm(), NOW);
    assert_eq!(late, Err(PrimaryError::OtherIndex), "another device joined meanwhile");

    let (companion, primary) = compare(Method::QrCode, &account, &mut rng);
    let list = account.primary.add(&account.phone, primary.confirm(), NOW).unwrap();
    let error = companion.confirm().finish(list, after(30)).unwrap_err();
    assert_eq!(error, LinkError::List(DeviceListError::Expired));

    let (one, _) = begin(Method::QrCode, &mut rng);
    let (two, _) = begin(Method::QrCode, &mut rng);
    assert_ne!(one.identity().public(), two.identity().public(), "a fresh identity for each linking");
}

/// P-10.15. There are many signatures of one text. If the string depended on the companion's, a relay that has seen the
/// primary's nonce could try them until the strings agree.
#[test]
fn the_string_does_not_depend_on_which_signature_was_revealed() {
    let account = Account::of(2);
    let mut strings = Vec::new();
    for salt in 0..3 {
        // Both of the companion's secrets and its nonce are 32 times this byte.
        let (companion, _) = Companion::with_typed_code(&mut ConstantRng(90));
        let invited = Invitation::fetch(companion.hello()).unwrap();
        let (answered, message) = invited.answer(&account.primary, own(Custody::Person), &mut ConstantRng(91));
        let (companion, mut reveal) = companion.answer(&message).unwrap();
        if salt > 0 {
            let text = [account.key().to_bytes().as_slice(), &2_u32.to_be_bytes(), &[1, 0], &[0; 32]].concat();
            let other = another_signature(90, salt, "bisik-1 device possession", &text);
            assert_ne!(reveal[33..], other);
            reveal[33..].copy_from_slice(&other);
        }
        let primary = answered.reveal(&reveal).unwrap();
        assert!(same(companion.sas(), primary.sas()));
        strings.push(primary.sas().digits());
    }
    assert!(strings.iter().all(|digits| *digits == strings[0]));
}

/// A good signature whose nonce is not RFC 8032's.
fn another_signature(number: u8, salt: u8, label: &str, text: &[u8]) -> [u8; 64] {
    let public = device(number).public().to_bytes();
    let whole = [label.as_bytes(), &public, text].concat();
    let wide = |parts: &[&[u8]]| Scalar::from_bytes_mod_order_wide(&Sha512::digest(parts.concat()).into());
    let expanded = Sha512::digest([number; 32]);
    let secret = Scalar::from_bytes_mod_order(clamp_integer(*expanded.first_chunk().unwrap()));
    let nonce = wide(&[&[salt], &whole]);
    let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let response = nonce + wide(&[&commitment, &public[..32], &whole]) * secret;
    [commitment, response.to_bytes()].concat().try_into().unwrap()
}

#[test]
fn strings_of_different_linkings_differ() {
    let mut rng = SeededRng::new(19);
    let account = Account::of(1);
    let strings = (0..100).map(|_| compare(Method::TypedCode, &account, &mut rng).0.sas().digits());
    assert_eq!(strings.collect::<std::collections::BTreeSet<_>>().len(), 100);
}

/// One thing that an account does.
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

/// An account, and beside it who should be in it: a device's number and terms by index.
struct Modelled {
    account: Account,
    model: BTreeMap<u32, (u8, Terms)>,
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
                account.primary.issue(&account.phone, &[Change::Update(change)], NOW).unwrap();
            }
            Act::Reissue => drop(account.reissue(NOW)),
        }
        if account.primary.list() != lists.last().unwrap() {
            lists.push(account.list());
        }
    }

    /// The directory says what the model says.
    fn agrees(&self, directory: &DeviceDirectory) -> bool {
        let seen = directory.devices().iter().map(|entry| (entry.index(), (*entry.identity(), *entry.terms())));
        let right = self.model.iter().map(|(index, (number, terms))| (*index, (*device(*number).public(), *terms)));
        seen.eq(right)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-10.8, P-10.9.
    #[test]
    fn a_directory_follows_any_history_and_accepts_no_replay(
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
                prop_assert_eq!(refused(&absentee, world.lists.last().unwrap(), NOW), DeviceListError::Gap);
            }
        }
        let missed: Vec<_> = world.lists.iter().filter(|list| list.sequence() > absentee.sequence()).cloned().collect();
        let _ = absentee.catch_up(&missed, NOW).unwrap();
        prop_assert_eq!(absentee, follower);
    }
}
