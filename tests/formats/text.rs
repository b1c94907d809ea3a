//! Texts of public values, and of QR codes: a value has one, and everything else is refused as its bytes would be.

use core::fmt::{Debug, Display};
use core::str::FromStr;

use bisik::conversation::{Arrival, ConversationId, MessageId};
use bisik::device::link::{Companion, Invitation, QrCode};
use bisik::device::{AccountKey, DeviceCertificate, DeviceList, DeviceListError, DeviceTerms, LinkError, ListId};
use bisik::group::{GroupId, GroupMessage, GroupMessageError};
use bisik::ratchet::{PublicKey, PublicKeyError};
use bisik::{
    Account, BlockId, BundleError, BundleId, Ciphertext, DisclosureHash, DisclosureHashError, IdError, Identity,
    IdentityKey, IdentityKeyError, PreKeyBundle,
};
use bisik_testkit::{AliceAndBob, SeededRng};
use proptest::prelude::*;

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Checks the conversions of a value to and from its bytes and its text, and what is near to its text.
fn check_text<T, E>(value: &T, bytes: &[u8], wrong: E)
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E> + PartialEq + Debug,
    E: PartialEq + Debug,
{
    assert_eq!(T::try_from(bytes).as_ref(), Ok(value));
    for length in [0, bytes.len() - 1] {
        assert!(T::try_from(&bytes[..length]).is_err());
    }
    let text = value.to_string();
    assert!(text.is_ascii() && !text.contains(char::is_whitespace), "{text}");
    assert_eq!(text.parse().as_ref(), Ok(value));
    let near = [
        String::new(),
        format!(" {text}"),
        format!("{text} "),
        format!("{text}\n"),
        format!("{} {}", &text[..4], &text[4..]),
        format!("0x{text}"),
        format!("{text}=="),
        format!("{}=", &text[..text.len() - 1]),
        format!("{}\u{e9}", &text[..text.len() - 2]),
        format!("{}\u{ff10}", &text[..text.len() - 3]),
        format!("+{}", &text[1..]),
        format!("{}/", &text[..text.len() - 1]),
        format!("{}\0", &text[..text.len() - 1]),
        text[..text.len() - 1].to_owned(),
    ];
    for near in near {
        assert_eq!(near.parse::<T>().as_ref(), Err(&wrong), "{near:?}");
    }
}

/// Also for what has hexadecimal digits: either case, and no digit more.
fn check_hex<T, E>(value: &T, bytes: &[u8], wrong: E)
where
    T: Display + FromStr<Err = E> + for<'a> TryFrom<&'a [u8], Error = E> + PartialEq + Debug,
    E: PartialEq + Debug + Copy,
{
    check_text(value, bytes, wrong);
    let text = value.to_string();
    assert_eq!(text, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert_eq!(text.to_uppercase().parse().as_ref(), Ok(value));
    assert_eq!(T::try_from([bytes, &[0]].concat().as_slice()), Err(wrong));
    for longer in [format!("{text}0"), format!("{text}00"), format!("{}g", &text[..text.len() - 1])] {
        assert_eq!(longer.parse::<T>(), Err(wrong), "{longer}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// P-1.9
    #[test]
    fn ids_and_hashes_are_their_digits(bytes in any::<[u8; 40]>()) {
        let (sixteen, eight) = (*bytes.first_chunk::<16>().unwrap(), *bytes.first_chunk::<8>().unwrap());
        check_hex(&MessageId::from_bytes(sixteen), &sixteen, IdError);
        let (message, bundle, list) =
            (MessageId::from_bytes(sixteen), BundleId::from_bytes(&eight), ListId::from_bytes(&bytes));
        let all: [&[u8]; 3] = [message.as_ref(), bundle.as_ref(), list.as_ref()];
        prop_assert_eq!(all, [sixteen.as_slice(), &eight, &bytes]);
        check_hex(&ConversationId::from_bytes(sixteen), &sixteen, IdError);
        check_hex(&BlockId::from_bytes(sixteen), &sixteen, IdError);
        check_hex(&BundleId::from_bytes(&eight), &eight, IdError);
        check_hex(&ListId::from_bytes(&bytes), &bytes, IdError);
        let hash = *bytes.first_chunk::<32>().unwrap();
        check_hex(&GroupId::from_bytes(hash), &hash, IdError);
        if let Ok(value) = DisclosureHash::from_bytes(hash) {
            check_hex(&value, &hash, DisclosureHashError::Malformed);
        }
    }

    /// A server and a database sort ids as the library does.
    #[test]
    fn ids_are_ordered_as_their_bytes_are(one in any::<[u8; 40]>(), other in any::<[u8; 40]>(), same in 0..40_usize) {
        let mut other = other;
        other[..same].copy_from_slice(&one[..same]);
        let (a, b) = (one.first_chunk().unwrap(), other.first_chunk().unwrap());
        prop_assert_eq!(BundleId::from_bytes(a).cmp(&BundleId::from_bytes(b)), a.cmp(b));
        let (a, b) = (one.first_chunk().unwrap(), other.first_chunk().unwrap());
        prop_assert_eq!(MessageId::from_bytes(*a).cmp(&MessageId::from_bytes(*b)), a.cmp(b));
        prop_assert_eq!(MessageId::from_bytes(*a).number() < MessageId::from_bytes(*b).number(), a[..8] < b[..8]);
        let ids = (ListId::from_bytes(&one), ListId::from_bytes(&other));
        prop_assert_eq!(ids.0.cmp(&ids.1), one.cmp(&other));
        prop_assert_eq!(ids.0.sequence() < ids.1.sequence(), one[..8] < other[..8]);
    }

    /// P-1.9
    #[cfg(all(feature = "call", feature = "content"))]
    #[test]
    fn ids_of_calls_and_contents_are_their_digits(bytes in any::<[u8; 16]>()) {
        check_hex(&bisik::call::CallId::from_bytes(bytes), &bytes, IdError);
        check_hex(&bisik::content::ContentId::from_bytes(bytes), &bytes, IdError);
    }

    /// P-1.9
    #[test]
    fn messages_are_their_base64(bytes in prop::collection::vec(any::<u8>(), 132..700)) {
        let bytes = [&[0x22], bytes.as_slice()].concat();
        let message = Ciphertext::from_bytes(&bytes).unwrap();
        prop_assert_eq!(message.as_ref(), &*bytes);
        prop_assert_eq!(message.to_string().parse(), Ok(message));
        // One byte less is no message.
        let least = &bytes[..133];
        check_text(&Ciphertext::from_bytes(least).unwrap(), least, Ciphertext::from_bytes(&[]).unwrap_err());
        // Its number is 1.
        let least = GroupMessage::from_bytes(&[[1; 9].as_slice(), &[0, 0, 0, 1], &bytes[..104]].concat()).unwrap();
        let text = least.to_string();
        prop_assert_eq!(text.parse(), Ok(least));
        prop_assert_eq!(text[..text.len() - 4].parse::<GroupMessage>(), Err(GroupMessageError::Malformed));
        prop_assert_eq!(format!("{text} ").parse::<GroupMessage>(), Err(GroupMessageError::Malformed));
    }

    /// No text whatever makes a reader panic, and what is read is written as it was, but for the case of digits.
    #[test]
    fn whatever_is_read_is_written_again(text in "[0-9A-Za-z+/=_ -]{0,140}", unicode in "\\PC{0,40}") {
        for text in [text, unicode] {
            if let Ok(id) = text.parse::<MessageId>() {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
            if let Ok(message) = text.parse::<Ciphertext>() {
                prop_assert_eq!(message.to_string(), text.clone());
            }
            prop_assert!(text.parse::<IdentityKey>().is_err() || text.len() == 128);
            prop_assert!(text.parse::<PreKeyBundle>().is_err() && text.parse::<DeviceList>().is_err());
            prop_assert!(text.parse::<Invitation>().is_err());
        }
    }
}

proptest! {
    #![proptest_config(cases(16))]

    /// P-1.9
    #[test]
    fn keys_are_their_digits(seed in any::<u64>()) {
        let identity = Identity::generate(&mut SeededRng::new(seed));
        let (key, account) = (*identity.public(), AccountKey::of(&identity));
        let bytes = key.to_bytes();
        prop_assert_eq!((key.as_ref(), account.as_ref()), (bytes.as_slice(), bytes.as_slice()));
        check_hex(&key, &bytes, IdentityKeyError::Malformed);
        check_hex(&account, &bytes, IdentityKeyError::Malformed);
        let (_, agreement) = bytes.split_last_chunk::<32>().unwrap();
        let ratchet = PublicKey::from_bytes(agreement).unwrap();
        check_hex(&ratchet, agreement, PublicKeyError::Malformed);
        prop_assert_eq!(ratchet.as_ref(), agreement);
    }

    /// P-1.9
    #[test]
    fn bundles_and_lists_are_their_base64(seed in any::<u64>(), one_time in any::<bool>()) {
        let mut both = AliceAndBob::new(seed);
        let bundle = both.bundle(one_time);
        check_text(&bundle, &bundle.to_bytes(), BundleError::Malformed);
        check_hex(&bundle.id(), &bundle.id().to_bytes(), IdError);
        prop_assert_eq!(bundle.to_string().len(), if one_time { 1_875 } else { 1_831 });
        let phone = Account::create(DeviceTerms::person(), both.now, &mut both.rng);
        let list = phone.primary().unwrap().list();
        check_text(list, &list.to_bytes(), DeviceListError::Malformed);
        check_hex(&list.id(), &list.id().to_bytes(), IdError);
        let certificate = DeviceCertificate::sign(&both.bob, phone.key(), 1, DeviceTerms::business());
        check_text(&certificate, &certificate.to_bytes(), DeviceListError::Malformed);
    }
}

/// P-1.9: Keys of the Signal protocol have a type byte, which is a part of their text.
#[cfg(feature = "interop")]
#[test]
fn keys_of_the_signal_protocol_are_their_digits() {
    use bisik::interop::signal::{IdentityKey, KeyError, KeyPair, PublicKey};
    let key = KeyPair::generate(&mut SeededRng::new(6)).public();
    check_hex(&key, &key.to_bytes(), KeyError::Malformed);
    check_hex(&IdentityKey::from(key), &key.to_bytes(), KeyError::Malformed);
    let text = key.to_string();
    assert!(text.starts_with("05"));
    let other_type = format!("06{}", &text[2..]);
    assert_eq!(other_type.parse::<PublicKey>(), Err(KeyError::Malformed));
    assert_eq!(other_type.parse::<IdentityKey>(), Err(KeyError::Malformed));
    let zero = format!("05{}", "00".repeat(32));
    assert_eq!(zero.parse::<PublicKey>(), Err(KeyError::LowOrder));
    assert_eq!(zero.parse::<IdentityKey>(), Err(KeyError::LowOrder));
}

/// P-1.9, P-2.3: The text of a key is refused as its bytes are.
#[test]
fn the_text_of_a_key_that_names_nobody_is_refused() {
    let good = Identity::generate(&mut SeededRng::new(4)).public().to_bytes();
    let with = |half: [u8; 32]| [&good[..32], &half].concat();
    // Twice a base point plus a point of order 2 has a component of small order: u of the sum, from RFC 7748's curve.
    let point = curve25519_dalek::constants::ED25519_BASEPOINT_POINT + curve25519_dalek::constants::EIGHT_TORSION[1];
    let mixed = point.to_montgomery().to_bytes();
    let twist = {
        let mut two = [0; 32];
        two[0] = 2;
        two
    };
    for (half, error) in [
        (mixed, IdentityKeyError::MixedOrder),
        (twist, IdentityKeyError::NonCanonical),
        ([0; 32], IdentityKeyError::LowOrder),
        ([0xff; 32], IdentityKeyError::NonCanonical),
    ] {
        let bytes = with(half);
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text.parse::<IdentityKey>(), Err(error));
        assert_eq!(text.parse::<AccountKey>(), Err(error));
        assert_eq!(IdentityKey::try_from(bytes.as_slice()), Err(error));
        assert_eq!(AccountKey::try_from(bytes.as_slice()), Err(error));
    }
    let zero = "0".repeat(64);
    assert_eq!(zero.parse::<DisclosureHash>(), Err(DisclosureHashError::Zero));
    assert_eq!(DisclosureHash::try_from([0; 32].as_slice()), Err(DisclosureHashError::Zero));
}

/// Nothing is decoded of a text that is longer than the longest value.
#[test]
fn a_text_that_is_too_long_is_refused_whole() {
    let long = "A".repeat(1 << 20);
    assert_eq!(long.parse::<PreKeyBundle>(), Err(BundleError::Malformed));
    assert_eq!(long.parse::<DeviceList>(), Err(DeviceListError::Malformed));
    assert_eq!(long.parse::<IdentityKey>(), Err(IdentityKeyError::Malformed));
    assert_eq!(long.parse::<QrCode>().err(), Some(LinkError::Malformed));
    assert!(long.parse::<bisik::conversation::Envelope>().is_err());
    let allocated = allocation_counter::measure(|| {
        assert!(long.parse::<PreKeyBundle>().is_err() && long.parse::<DeviceList>().is_err());
    });
    assert_eq!(allocated.bytes_total, 0);
}

/// P-1.9, P-10.13: The text of a QR code, of which a camera gives every character.
#[test]
fn a_qr_code_is_scanned_from_its_text() {
    for seed in 0..20 {
        let (companion, code) = Companion::with_qr_code(&mut SeededRng::new(seed));
        let text = code.to_string();
        assert_eq!(text.len(), 195);
        assert!(text.bytes().all(|symbol| b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".contains(&symbol)));
        assert_eq!(text.parse::<Invitation>().unwrap().companion(), companion.identity().public());
        assert_eq!(text.parse::<QrCode>().unwrap().as_bytes(), code.as_bytes());
        let near = [
            text.to_lowercase(),
            format!("{text} "),
            format!(" {text}"),
            format!("{text}\n"),
            text[..192].to_owned(),
            format!("{text}000"),
            format!("{}GGW", &text[..192]),
            format!("{}_", &text[..194]),
            format!("{}\u{e9}", &text[..193]),
            String::new(),
        ];
        for near in near {
            assert_eq!(near.parse::<Invitation>().err(), Some(LinkError::Malformed), "{near:?}");
            assert_eq!(near.parse::<QrCode>().err(), Some(LinkError::Malformed), "{near:?}");
        }
    }
    // The right length, and not a companion's.
    assert_eq!("0".repeat(195).parse::<QrCode>().err(), Some(LinkError::Malformed));
}

/// Without a clock of the system: the feature `std` gives the conversion.
#[cfg(feature = "std")]
#[test]
fn the_system_clock_gives_whole_seconds_and_nothing_before_1970() {
    use std::time::{Duration, SystemTime};

    use bisik::Timestamp;

    let at = |milliseconds| Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds));
    assert_eq!([at(0), at(999), at(1_000)].map(Timestamp::as_unix_seconds), [0, 0, 1]);
    for before in [1, 999, 1_000, 86_400_000_000] {
        let moment = SystemTime::UNIX_EPOCH - Duration::from_millis(before);
        assert_eq!(Timestamp::from(moment).as_unix_seconds(), 0, "{before}");
    }
    let (before, now, after) = (SystemTime::now(), Timestamp::from(SystemTime::now()), SystemTime::now());
    assert!((Timestamp::from(before)..=Timestamp::from(after)).contains(&now));
}

/// An envelope is tested with its conversations, in tests/accounts/transport.rs.
#[test]
fn an_arrival_of_garbage_is_refused_without_a_panic() {
    let both = &mut AliceAndBob::new(1);
    let account = Account::create(DeviceTerms::person(), both.now, &mut both.rng);
    for length in 0..300 {
        for byte in [0, 1, 2, 0x21, 0x22, 0xff] {
            assert!(Arrival::from_bytes(&vec![byte; length], &account).is_err());
        }
    }
}
