//! Device lists: a verifier follows the chain of one account's lists, goes on where some are missing, and refuses lists
//! that are rolled back, forked, expired or forged.

use bisik::device::{
    AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError,
    DeviceTerms, DirectoryEvent, Primary,
};
use bisik::{DisclosureHash, Timestamp, Trust};
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
    let mut late = account.directory();
    assert_eq!(late.devices().iter().map(DeviceEntry::index).collect::<Vec<_>>(), [0, 2]);
    assert!(late.devices()[1].terms().is_automated() && late.devices()[1].custody() == Custody::Vendor);

    let platform = DeviceTerms::disclosed(Custody::Platform, DisclosureHash::from_bytes([10; 32]).unwrap()).unwrap();
    let kept = DeviceCertificate::sign(&device(3), &account.key(), 2, platform);
    account.primary.issue(&account.phone, &[DeviceChange::Update(kept)], NOW).unwrap();
    let change = late.accept(account.primary.list(), NOW).unwrap();
    assert_eq!((change.added.len(), change.removed.len(), change.changed.len()), (0, 0, 1));
    assert_eq!(change.changed[0].after.custody(), Custody::Platform);
    assert_eq!(change.changed[0].before.custody(), Custody::Vendor);
    assert_eq!(change.events(), [DirectoryEvent::Changed(change.changed[0])]);
    assert_eq!(late.id(), account.primary.list().id());
    assert_eq!(late.devices(), account.primary.directory().devices());
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

/// P-10.21. The server has lost lists, or hides them: nobody is shut out by that, and everybody is told.
#[test]
fn a_missing_list_ends_nothing_and_is_an_event() {
    let mut account = Account::of(3);
    let mut directory = account.directory();
    let known = directory.sequence();
    account.leave(1);
    account.join(vendor(9));
    account.reissue(NOW);
    let change = directory.accept(account.primary.list(), NOW).unwrap();
    assert_eq!(change.skipped, Some((known + 1, known + 2)));
    assert!(matches!(
        change.events()[..],
        [
            DirectoryEvent::ListsSkipped { from, to },
            DirectoryEvent::Left(left),
            DirectoryEvent::Joined(joined),
        ] if (from, to) == (known + 1, known + 2)
            && (left.index(), joined.index(), joined.custody()) == (1, 3, Custody::Vendor)
    ));
    assert_eq!((directory.id(), directory.devices().len()), (account.primary.list().id(), 3));
    // A list that the server had hidden comes after all: it is old.
    assert!(directory.clone().accept(&account.reissue(NOW), NOW).unwrap().is_empty(), "and the chain goes on");
}

/// P-10.21. Lists between are not needed; where some are there, the missing ones are named.
#[test]
fn a_directory_catches_up_over_any_gaps() {
    let mut account = Account::of(2);
    let directory = account.directory();
    let lists: Vec<_> = (1..=9).map(|week| account.reissue(after(week * 7))).collect();
    let now = after(63);
    for (given, skipped) in [
        (lists.clone(), None),
        (vec![lists[8].clone()], Some((3, 10))),
        (lists[1..].to_vec(), Some((3, 3))),
        ([&lists[..3], &lists[4..6], &lists[8..]].concat(), Some((6, 10))),
    ] {
        let mut behind = directory.clone();
        let change = behind.catch_up(&given, now).unwrap();
        assert_eq!((change.skipped, behind.id()), (skipped, lists[8].id()));
    }
    let reversed = lists.iter().rev().cloned().collect::<Vec<_>>();
    for wrong in [reversed.as_slice(), &[&lists[..], &lists[..1]].concat()] {
        let mut after = directory.clone();
        assert_eq!(after.catch_up(wrong, now), Err(DeviceListError::RolledBack));
        assert_eq!(after, directory, "all or none");
    }
    assert!(directory.clone().catch_up(&[], now).unwrap().is_empty());
}

/// P-10.10, P-10.21. A gap is no way to change what was known: indices keep their keys, and never go back.
#[test]
fn no_index_changes_its_key_over_a_gap() {
    let mut account = Account::of(3);
    account.leave(2);
    let directory = account.directory();
    account.reissue(NOW);
    let next = account.reissue(NOW);
    let other = DeviceCertificate::sign(&device(70), &account.key(), 1, own(Custody::Person)).to_bytes();
    let swapped = forged(&next, |bytes| bytes[certificate_at(1)..certificate_at(2)].copy_from_slice(&other));
    assert_eq!(refused(&directory, &swapped.unwrap(), NOW), DeviceListError::IndexReused);
    let lowered = forged(&next, |bytes| bytes[certificate_at(2) + 3] = 2);
    assert_eq!(refused(&directory, &lowered.unwrap(), NOW), DeviceListError::IndexReused);
}

/// P-10.22. A fork shows as long as either list is remembered: the last eight.
#[test]
fn a_fork_shows_after_later_lists_were_accepted() {
    let mut account = Account::of(2);
    let mut restored = Account { phone: device(1), primary: account.primary.clone(), next: 40 };
    restored.join(own(Custody::Person));
    let other = restored.list();
    let mut directory = account.directory();
    for _ in 0..8 {
        let _ = directory.accept(&account.reissue(NOW), NOW).unwrap();
        assert_eq!(refused(&directory, &other, NOW), DeviceListError::Forked);
    }
    let _ = directory.accept(&account.reissue(NOW), NOW).unwrap();
    assert_eq!(refused(&directory, &other, NOW), DeviceListError::Forked);
    let _ = directory.accept(&account.reissue(NOW), NOW).unwrap();
    assert_eq!(refused(&directory, &other, NOW), DeviceListError::RolledBack, "too long ago");
}

/// P-10.22. The server has lists of two histories; the newest decides, and the fork is an event.
#[test]
fn a_fork_among_older_lists_is_told_and_shuts_nobody_out() {
    let mut account = Account::of(2);
    let mut restored = Account { phone: device(1), primary: account.primary.clone(), next: 40 };
    restored.join(own(Custody::Person));
    let other = restored.list();
    let mut directory = account.directory();
    account.reissue(NOW);
    let _ = directory.accept(account.primary.list(), NOW).unwrap();
    let newest = account.reissue(NOW);
    let change = directory.catch_up(&[other.clone(), newest.clone()], NOW).unwrap();
    assert_eq!(change.events(), [DirectoryEvent::ListsForked { sequence: other.sequence() }]);
    assert_eq!(directory.id(), newest.id());
}

/// P-10.23. The signature of a known entry is not verified again, so that it may be anything.
#[test]
fn only_devices_that_differ_from_the_known_ones_are_verified() {
    let account = Account::of(4);
    let mut directory = account.directory();
    let mut primary = account.primary.clone();
    let next = primary.reissue(&account.phone, NOW).unwrap();
    let unsigned = |positions: &[usize]| {
        let wrong = |bytes: &mut Vec<u8>| positions.iter().for_each(|at| bytes[certificate_at(*at) + POSSESSION] ^= 1);
        forged(next, wrong).unwrap()
    };
    assert!(DeviceDirectory::trust(&unsigned(&[2]), Trust::OnFirstUse, NOW).is_err(), "a stranger verifies it");
    let mut changed = unsigned(&[]).to_bytes();
    changed.truncate(changed.len() - 64);
    changed[certificate_at(3) + AUTOMATED] = 1;
    let changed = DeviceList::from_bytes(&signed(1, "bisik-1 device list\0", &changed)).unwrap();
    assert_eq!(refused(&directory, &changed, NOW), DeviceListError::BadPossession, "it differs");
    assert!(directory.accept(&unsigned(&[0, 1, 2, 3]), NOW).unwrap().is_empty());
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

/// P-10.4. Also while catching up over missed lists: it never joins.
#[test]
fn a_device_that_never_agreed_does_not_join_in_a_chain_of_lists() {
    let mut account = Account::of(2);
    let directory = account.directory();
    account.join(own(Custody::Person));
    let at = certificate_at(2) + POSSESSION;
    let claimed = forged(&account.list(), |bytes| bytes[at] ^= 1).unwrap();
    let hash = claimed.hash();
    let chained =
        |list: &DeviceList| forged(list, |bytes| bytes[PREVIOUS..PREVIOUS + 32].copy_from_slice(&hash)).unwrap();
    account.reissue(NOW);
    let still = forged(&chained(&account.list()), |bytes| bytes[at] ^= 1).unwrap();
    let mut behind = directory.clone();
    assert_eq!(behind.catch_up(&[claimed.clone(), still], NOW), Err(DeviceListError::BadPossession));
    assert_eq!(behind, directory);
    account.leave(2);
    let gone = forged(&account.list(), |bytes| bytes[SEQUENCE + 7] -= 1).unwrap();
    let change = behind.catch_up(&[claimed, chained(&gone)], NOW).unwrap();
    assert!(change.is_empty() && behind.devices() == directory.devices(), "it was there in no list that counts");
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
