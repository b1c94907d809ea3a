//! The feature `serde`: public values in a format of text and in one of bytes, by the rules of `FromStr` and `from_bytes`;
//! and no secret in any.

use core::fmt::{Debug, Display};

use bisik::conversation::{ConversationId, Envelope, MessageId};
use bisik::device::{AccountKey, DeviceCertificate, DeviceList, DeviceTerms, ListId};
use bisik::hosting::Disclosure;
use bisik::{Account, BlockId, BundleId, Ciphertext, DisclosureHash, Identity, IdentityKey, PreKeyBundle, Timestamp};
use bisik_testkit::AliceAndBob;
use bisik_testkit::accounts::Accounts;
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

/// Checks a value in both formats, and that neither takes what the value refuses.
fn check<T: Serialize + DeserializeOwned + Display + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(json, format!("\"{value}\""), "text where people read");
    assert_eq!(serde_json::from_str::<T>(&json).as_ref().ok(), Some(value));

    let packed = postcard::to_allocvec(value).unwrap();
    assert_eq!(packed, postcard::to_allocvec(&Bytes(bytes)).unwrap(), "bytes elsewhere");
    assert_eq!(postcard::from_bytes::<T>(&packed).as_ref(), Ok(value));

    let text = value.to_string();
    for wrong in [
        format!("\"{}\"", &text[..text.len() - 1]),
        format!("\"{text} \""),
        format!("\"{text}=\""),
        format!("\"{}\u{e9}\"", &text[..text.len() - 2]),
        "\"\"".to_owned(),
        "7".to_owned(),
        "null".to_owned(),
        serde_json::to_string(bytes).unwrap(),
    ] {
        assert!(serde_json::from_str::<T>(&wrong).is_err(), "{wrong}");
    }
    for wrong in [&bytes[..bytes.len() - 1], &[]] {
        assert!(postcard::from_bytes::<T>(&postcard::to_allocvec(&Bytes(wrong)).unwrap()).is_err());
    }
}

/// Bytes as bytes, which serde's slices are not.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn public_values_are_text_in_json_and_bytes_in_binary_formats() {
    let both = &mut AliceAndBob::new(7);
    let key = *both.alice.public();
    check(&key, &key.to_bytes());
    let account = AccountKey::of(&both.alice);
    check(&account, &account.to_bytes());
    let agreement = *key.to_bytes().last_chunk().unwrap();
    check(&bisik::ratchet::PublicKey::from_bytes(&agreement).unwrap(), &agreement);
    check(&MessageId::from_bytes([7; 16]), &[7; 16]);
    check(&ConversationId::from_bytes([7; 16]), &[7; 16]);
    check(&BlockId::from_bytes([7; 16]), &[7; 16]);
    check(&BundleId::from_bytes(&[7; 8]), &[7; 8]);
    check(&ListId::from_bytes(&[7; 40]), &[7; 40]);
    check(&DisclosureHash::from_bytes([7; 32]).unwrap(), &[7; 32]);
    check(&bisik::group::GroupId::from_bytes([7; 32]), &[7; 32]);
    let message = [[1; 9].as_slice(), &[0; 4], &[1; 104]].concat();
    check(&bisik::group::GroupMessage::from_bytes(&message).unwrap(), &message);
    check(&Ciphertext::from_bytes(&[0x22; 133]).unwrap(), &[0x22; 133]);
    for one_time in [true, false] {
        let bundle = both.bundle(one_time);
        check(&bundle, &bundle.to_bytes());
    }
    let phone = Account::create(DeviceTerms::person(), both.now, &mut both.rng);
    let list = phone.primary().unwrap().list();
    check(list, &list.to_bytes());
    let certificate = DeviceCertificate::sign(&both.bob, phone.key(), 1, DeviceTerms::person());
    check(&certificate, &certificate.to_bytes());
}

#[cfg(all(feature = "call", feature = "content"))]
#[test]
fn ids_of_calls_and_contents_are_public_values_too() {
    check(&bisik::call::CallId::from_bytes([7; 16]), &[7; 16]);
    check(&bisik::content::ContentId::from_bytes([7; 16]), &[7; 16]);
}

#[cfg(feature = "interop")]
#[test]
fn public_keys_of_the_signal_protocol_are_public_values_too() {
    use bisik::interop::signal::{IdentityKey, KeyPair};
    let key = KeyPair::generate(&mut rand::rng()).public();
    check(&key, &key.to_bytes());
    check(&IdentityKey::from(key), &key.to_bytes());
}

#[test]
fn envelopes_and_disclosures_are_public_values_too() {
    let mut accounts = Accounts::new(310, [1, 1]);
    accounts.send((0, 0), b"").unwrap();
    let envelope = accounts.mail[0].2.clone();
    let json = serde_json::to_string(&envelope).unwrap();
    assert_eq!(serde_json::from_str::<Envelope>(&json).ok(), Some(envelope.clone()));
    let packed = postcard::to_allocvec(&envelope).unwrap();
    assert_eq!(postcard::from_bytes::<Envelope>(&packed).as_ref(), Ok(&envelope));
    assert!(
        postcard::from_bytes::<Envelope>(&postcard::to_allocvec(&Bytes(&envelope.to_bytes()[..400])).unwrap()).is_err()
    );

    let operator = Identity::generate(&mut accounts.rng);
    accounts.host(1, &operator, bisik::hosting::Retention::NO_STORAGE);
    let disclosure = accounts.disclosures[0].clone();
    check(&disclosure, &disclosure.to_bytes());
}

/// P-2.3, P-1.9: A format is no way around the checks of a key.
#[test]
fn what_is_no_key_is_refused_in_every_format() {
    for bytes in [[0; 64], [0xff; 64]] {
        let packed = postcard::to_allocvec(&Bytes(&bytes)).unwrap();
        assert!(postcard::from_bytes::<IdentityKey>(&packed).is_err());
        assert!(postcard::from_bytes::<AccountKey>(&packed).is_err());
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let error = serde_json::from_str::<IdentityKey>(&format!("\"{text}\"")).unwrap_err().to_string();
        assert!(error.contains(&text.parse::<IdentityKey>().unwrap_err().to_string()), "{error}");
    }
    assert!(serde_json::from_str::<DisclosureHash>(&format!("\"{}\"", "0".repeat(64))).is_err());
}

#[test]
fn a_time_is_a_number_of_seconds() {
    let moment = Timestamp::from_unix_seconds(1_800_000_000);
    assert_eq!(serde_json::to_string(&moment).unwrap(), "1800000000");
    assert_eq!(serde_json::from_str::<Timestamp>("1800000000").unwrap(), moment);
    assert_eq!(postcard::from_bytes::<Timestamp>(&postcard::to_allocvec(&moment).unwrap()), Ok(moment));
    for wrong in ["-1", "1.5", "\"1800000000\"", "18446744073709551616", "null"] {
        assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
    }
}

/// The answer for every type, to which that of `Out` or `In` is preferred where it exists.
trait Without {
    const SERIALIZED: bool = false;
}

impl<T> Without for T {}

struct Out<T>(core::marker::PhantomData<T>);

impl<T: Serialize> Out<T> {
    const SERIALIZED: bool = true;
}

struct In<T>(core::marker::PhantomData<T>);

impl<T: DeserializeOwned> In<T> {
    const SERIALIZED: bool = true;
}

/// Whether a type has a trait of serde.
macro_rules! is_serialized {
    ($name:ty) => {
        <Out<$name>>::SERIALIZED || <In<$name>>::SERIALIZED
    };
}

/// A secret leaves only in a sealed record. tests/house/public.rs has the list of all types that are serialized.
#[test]
fn no_type_with_a_secret_has_the_traits_of_serde() {
    macro_rules! none_of {
        ($($name:ty),+ $(,)?) => { $(assert!(!is_serialized!($name), stringify!($name));)+ };
    }
    let known = [
        is_serialized!(IdentityKey),
        is_serialized!(PreKeyBundle),
        is_serialized!(DeviceList),
        is_serialized!(Disclosure),
        is_serialized!(Envelope),
        is_serialized!(Timestamp),
    ];
    assert_eq!(known, [true; 6], "the question itself is right");
    none_of!(
        Account,
        bisik::Conversation,
        bisik::Decrypted,
        bisik::HeldPlaintext,
        Identity,
        bisik::Plaintext,
        bisik::PreKeys,
        bisik::Resumption,
        bisik::Session,
        bisik::StorageKey,
        bisik::Unconfirmed,
        bisik::conversation::Received,
        bisik::device::Primary,
        bisik::device::link::Companion,
        bisik::device::link::CompanionConfirmed,
        bisik::device::link::Invitation,
        bisik::device::link::LinkCode,
        bisik::device::link::Linked,
        bisik::device::link::QrCode,
        bisik::hosting::Decision,
        bisik::media::Pointer,
        bisik::ratchet::DoubleRatchet,
        bisik::ratchet::KeyPair,
        bisik::ratchet::SharedSecret,
    );
    #[cfg(feature = "call")]
    none_of!(
        bisik::call::BaseKey,
        bisik::call::CallKeys,
        bisik::call::EpochKey,
        bisik::call::FrameSealer,
        bisik::call::GroupCall,
        bisik::call::Offer,
        bisik::call::SenderKey,
    );
    #[cfg(feature = "interop")]
    none_of!(
        bisik::interop::signal::Distribution,
        bisik::interop::signal::GroupSender,
        bisik::interop::signal::Identity,
        bisik::interop::signal::KeyPair,
        bisik::interop::signal::PreKeys,
        bisik::interop::signal::Session,
    );
}
