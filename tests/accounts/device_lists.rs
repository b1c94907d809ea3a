//! Device lists: a verifier follows the chain of one account's lists, and refuses lists that are rolled back, forked,
//! skipped, expired or forged.

use bisik::device::{
    AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError,
    Primary,
};
use bisik::{Timestamp, Trust};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::montgomery::MontgomeryPoint;

use super::parties::*;

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
    account.primary.issue(&account.phone, &[DeviceChange::Update(kept)], NOW).unwrap();
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

/// P-10.9.
#[test]
fn a_rolled_back_list_is_refused() {
    let mut account = Account::of(2);
    let with_thief = account.list();
    account.leave(1);
    let directory = account.directory();
    assert_eq!(refused(&directory, &with_thief, NOW), DeviceListError::RolledBack);
    assert_eq!(refused(&directory, &with_thief, after(400)), DeviceListError::RolledBack, "regardless of its dates");
}

/// P-10.9. A primary restored from a backup signs a second list with a known number, and then one that follows it.
#[test]
fn a_forked_list_is_refused_now_and_later() {
    let mut account = Account::of(2);
    let mut restored = Account { phone: device(1), primary: account.primary.clone(), next: 40 };
    account.join(own(Custody::Person));
    let directory = account.directory();
    restored.join(own(Custody::Person));
    assert_eq!(refused(&directory, restored.primary.list(), NOW), DeviceListError::Forked);
    restored.join(own(Custody::Person));
    assert_eq!(refused(&directory, restored.primary.list(), NOW), DeviceListError::Forked);
}

/// P-10.9.
#[test]
fn a_gap_in_the_chain_of_lists_is_refused_until_it_is_filled() {
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
fn a_list_is_valid_from_one_day_before_issue_to_30_days_after() {
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
fn a_list_with_an_invalid_signature_is_refused() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let bytes = account.list().to_bytes();
    let content = &bytes[..bytes.len() - 64];
    for bad in [signed(2, "bisik-1 device list\0", content), signed(1, "bisik-1 pre-key bundle\0", content)] {
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

/// P-10.2, P-10.4. An account cannot claim a device that did not sign for this account, index and terms.
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

/// P-1.5, P-10.4. One batch verifies them all: a wrong one is found in every place, and so are two whose errors cancel
/// each other in the sum of their equations. The first device that is refused decides the error.
#[test]
fn a_wrong_possession_signature_is_found_among_good_ones() {
    let account = Account::of(6);
    let honest = account.list();
    let trusted = |list: &DeviceList| DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).map(drop);
    assert_eq!(trusted(&honest), Ok(()));
    let scalar = |position: usize| certificate_at(position) + POSSESSION + 32;
    let add_to =
        |bytes: &mut Vec<u8>, position: usize| bytes[scalar(position)] = bytes[scalar(position)].wrapping_add(1);
    let subtract =
        |bytes: &mut Vec<u8>, position: usize| bytes[scalar(position)] = bytes[scalar(position)].wrapping_sub(1);
    for one in 0..6 {
        let list = forged(&honest, |bytes| add_to(bytes, one)).unwrap();
        assert_eq!(trusted(&list), Err(DeviceListError::BadPossession), "{one}");
        for other in (0..6).filter(|other| *other != one) {
            let cancelling = |bytes: &mut Vec<u8>| {
                add_to(bytes, one);
                subtract(bytes, other);
            };
            let list = forged(&honest, cancelling).unwrap();
            assert_eq!(trusted(&list), Err(DeviceListError::BadPossession), "{one}, {other}");
        }
    }
    let on_the_twist = |bytes: &mut Vec<u8>, position: usize| {
        let at = certificate_at(position) + KEY + 32;
        bytes[at..at + 32].fill(0);
        bytes[at] = 2;
    };
    for (wrong, malformed, expected) in [(1, 3, DeviceListError::BadPossession), (3, 1, DeviceListError::Malformed)] {
        let both = |bytes: &mut Vec<u8>| {
            add_to(bytes, wrong);
            on_the_twist(bytes, malformed);
        };
        assert_eq!(trusted(&forged(&honest, both).unwrap()), Err(expected));
    }
}

/// P-10.4. Also while catching up over missed lists.
#[test]
fn a_chain_of_lists_with_a_device_that_never_agreed_is_refused() {
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

/// P-10.4. Invalid identity keys are refused even though the account has signed them.
#[test]
fn a_device_with_a_low_order_or_malformed_identity_key_is_refused() {
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
    let point = MontgomeryPoint(device(3).public().to_bytes()[32..].try_into().unwrap()).to_edwards(0).unwrap();
    let mixed = (point + EIGHT_TORSION[1]).to_montgomery().to_bytes();
    assert_eq!(refused(&directory, &with_key(32, mixed).unwrap(), NOW), DeviceListError::Malformed, "of mixed order");
}
