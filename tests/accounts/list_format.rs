//! The encoding of a device list: contradictions, wrong lengths and changed bytes are refused.
//!
//! Known answers are in tests/vectors/device.txt.

use bisik::device::{
    Custody, DeviceCertificate, DeviceChange, DeviceList, DeviceListError, DeviceTerms, DeviceTermsError, PrimaryError,
};
use bisik::{DisclosureHash, DisclosureHashError, Identity};
use bisik_testkit::SeededRng;

use super::parties::*;

/// P-10.3.
#[test]
fn a_certificate_whose_custody_and_disclosure_disagree_is_malformed() {
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

    assert_eq!(DeviceTerms::own_held(Custody::ForeignClient), Err(DeviceTermsError::DisclosureMissing));
    assert_eq!(
        DisclosureHash::from_bytes([0; 32]),
        Err(DisclosureHashError::Zero),
        "a hash that is none cannot be disclosed"
    );
    assert_eq!(
        DeviceTerms::disclosed(Custody::Person, DisclosureHash::from_bytes([1; 32]).unwrap()),
        Err(DeviceTermsError::DisclosureUnexpected)
    );
}

/// P-10.7. Refused even though the account has signed them.
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

/// P-10.5. A list that still decodes after any change fails its signature check.
#[test]
fn a_list_with_any_byte_changed_is_refused() {
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
                // A changed account key names another account.
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
fn a_truncated_or_extended_list_is_malformed() {
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

/// P-10.7. At most 64, checked by the primary and by the decoder.
#[test]
fn a_list_holds_at_most_64_devices() {
    let mut account = Account::new();
    let mut rng = SeededRng::new(1);
    let key = account.key();
    let mut adds: Vec<_> = (1..=64)
        .map(|index| DeviceCertificate::sign(&Identity::generate(&mut rng), &key, index, own(Custody::Business)))
        .map(DeviceChange::Add)
        .collect();
    let Some(DeviceChange::Add(last)) = adds.pop() else { panic!("there are 64") };
    account.primary.issue(&account.phone, &adds, NOW).unwrap();
    let list = account.list();
    assert_eq!(DeviceList::from_bytes(&list.to_bytes()), Ok(list.clone()));
    assert_eq!((list.to_bytes().len(), DeviceList::LONGEST, DeviceList::MOST_DEVICES), (10_817, 10_817, 64));
    assert_eq!(account.primary.directory().devices().len(), 64);
    assert_eq!(account.primary.add(&account.phone, last, NOW), Err(PrimaryError::Full));
    assert_eq!(*account.primary.list(), list);
    let more = forged(&list, |bytes| {
        bytes[COUNT..COUNT + 4].copy_from_slice(&65_u32.to_be_bytes());
        let at = certificate_at(64);
        bytes.splice(at..at, last.to_bytes()).for_each(drop);
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&65_u32.to_be_bytes());
    });
    assert_eq!(more, Err(DeviceListError::Malformed));
}
