//! Canonical encodings: decoding and encoding again gives the same bytes, everything else is refused, and a sealed
//! record opens only as its own kind.

use bisik::handshake::PreKeyHeader;
use bisik::ratchet::{DoubleRatchet, PublicKey, SharedSecret};
use bisik::{
    BundleError, Ciphertext, Identity, IdentityKey, IdentityKeyError, PreKeyBundle, PreKeys, Session, StorageKey,
    UnsealError,
};
use bisik_testkit::{AliceAndBob, ConstantRng, SeededRng};
use proptest::prelude::*;

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Decoders accept or refuse any bytes, and no two accepted encodings mean the same value.
    #[test]
    fn decoding_then_encoding_gives_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..1_600)) {
        if let Ok(bundle) = PreKeyBundle::from_bytes(&bytes) {
            prop_assert_eq!(bundle.to_bytes(), &*bytes);
        }
        if let Ok(header) = PreKeyHeader::from_bytes(&bytes) {
            prop_assert_eq!(header.to_bytes(), &*bytes);
        }
        if let Ok(message) = Ciphertext::from_bytes(&bytes) {
            prop_assert_eq!(message.as_bytes(), &*bytes);
        }
        if let Some(key) = bytes.first_chunk() && let Ok(identity) = IdentityKey::from_bytes(key) {
            prop_assert_eq!(&identity.to_bytes(), key);
        }
        if let Some(key) = bytes.first_chunk() && let Ok(public) = PublicKey::from_bytes(key) {
            prop_assert_eq!(public.as_bytes(), key);
        }
    }

    /// Slightly changed valid bytes, which a lenient decoder would accept.
    #[test]
    fn a_changed_bundle_or_pre_key_header_that_decodes_reencodes_identically(
        one_time in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut both = AliceAndBob::new(1);
        let mut bundle = both.bundle(one_time).to_bytes();
        let hello = both.initiate(one_time).encrypt(b"", &mut both.rng).unwrap();
        let mut header = hello.as_bytes()[1..=PreKeyHeader::LENGTH].to_vec();
        for (at, value) in changes {
            let (in_bundle, in_header) = (at.index(bundle.len()), at.index(header.len()));
            (bundle[in_bundle], header[in_header]) = (value, value);
        }
        if let Ok(decoded) = PreKeyBundle::from_bytes(&bundle) {
            prop_assert_eq!(decoded.to_bytes(), bundle);
        }
        if let Ok(decoded) = PreKeyHeader::from_bytes(&header) {
            prop_assert_eq!(decoded.to_bytes(), header);
        }
    }
}

#[test]
fn a_truncated_or_extended_bundle_is_malformed() {
    let mut both = AliceAndBob::new(2);
    for one_time in [true, false] {
        let bytes = both.bundle(one_time).to_bytes();
        assert_eq!(bytes.len(), if one_time { 1_406 } else { 1_373 });
        assert_eq!(PreKeyBundle::from_bytes(&bytes).unwrap().to_bytes(), bytes);
        // Input that ends within a key is noticed at its end, before or after the key is checked.
        for length in 0..bytes.len() {
            assert!(PreKeyBundle::from_bytes(&bytes[..length]).is_err());
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(PreKeyBundle::from_bytes(&longer), Err(BundleError::Malformed));
    }
}

#[test]
fn a_truncated_or_extended_pre_key_header_is_malformed() {
    let mut both = AliceAndBob::new(3);
    let hello = both.initiate(true).encrypt(b"", &mut both.rng).unwrap();
    let header = &hello.as_bytes()[1..=PreKeyHeader::LENGTH];
    assert_eq!(PreKeyHeader::from_bytes(header).unwrap().to_bytes(), header);
    for length in 0..header.len() {
        assert!(PreKeyHeader::from_bytes(&header[..length]).is_err());
    }
    assert!(PreKeyHeader::from_bytes(&[header, &[0]].concat()).is_err());
}

/// RFC 7748 and RFC 8032 have several encodings for some keys; here each has one, and keys of small order have none.
#[test]
fn a_key_has_one_encoding() {
    let good = Identity::generate(&mut SeededRng::new(4)).public().to_bytes();
    assert!(IdentityKey::from_bytes(&good).is_ok());
    let with = |offset: usize, half: [u8; 32]| {
        let mut bytes = good;
        bytes[offset..offset + 32].copy_from_slice(&half);
        IdentityKey::from_bytes(&bytes)
    };
    let (signing, agreement) = (0, 32);
    // p, p + 1 and 2^255 - 1 are 0, 1 and 18 again.
    for low in [0xed, 0xee, 0xff] {
        assert_eq!(with(agreement, field(low, 0x7f)), Err(IdentityKeyError::NonCanonical));
        assert!(with(signing, field(low, 0x7f)).is_err());
    }
    // The unused bit.
    let mut unused: [u8; 32] = *good.last_chunk().unwrap();
    unused[31] |= 0x80;
    assert_eq!(with(agreement, unused), Err(IdentityKeyError::NonCanonical));
    // u = 2 is on the twist; y = 2 is on no curve.
    let mut two = [0; 32];
    two[0] = 2;
    assert_eq!(with(agreement, two), Err(IdentityKeyError::NonCanonical));
    assert_eq!(with(signing, two), Err(IdentityKeyError::NonCanonical));
    // Small order: u = 0, 1, p - 1; y = 1, p - 1, 0.
    let mut one = [0; 32];
    one[0] = 1;
    for small in [[0; 32], one, field(0xec, 0x7f)] {
        assert_eq!(with(agreement, small), Err(IdentityKeyError::LowOrder));
        assert_eq!(with(signing, small), Err(IdentityKeyError::LowOrder));
    }
}

#[test]
fn a_record_opens_only_under_its_key_and_name() {
    for record in Record::all() {
        let Record { bytes, unseal, .. } = &record;
        assert_eq!(unseal(&key(), b"nama", bytes), Ok(()));
        assert_eq!(unseal(&StorageKey::from_bytes([8; 32]), b"nama", bytes), Err(UnsealError::Rejected));
        for name in [b"lain".as_slice(), b"nam", b"nama ", b""] {
            assert_eq!(unseal(&key(), name, bytes), Err(UnsealError::Rejected));
        }
    }
}

#[test]
fn a_record_opens_only_as_its_own_kind() {
    let records = Record::all();
    for (index, record) in records.iter().enumerate() {
        for (other, Record { unseal, .. }) in records.iter().enumerate() {
            let expected = if index == other { Ok(()) } else { Err(UnsealError::Rejected) };
            assert_eq!(unseal(&key(), b"nama", &record.bytes), expected);
        }
    }
}

#[test]
fn a_record_with_any_byte_changed_does_not_open() {
    for Record { bytes, unseal, .. } in Record::all() {
        let mut changed = bytes.clone();
        for at in 0..bytes.len() {
            for mask in [1 << (at % 8), 0xff] {
                changed[at] ^= mask;
                // The first byte is the format: an old program can tell a new record from a damaged one.
                let expected = if at == 0 { UnsealError::UnknownVersion } else { UnsealError::Rejected };
                assert_eq!(unseal(&key(), b"nama", &changed), Err(expected));
                changed[at] = bytes[at];
            }
        }
    }
}

#[test]
fn a_truncated_or_extended_record_does_not_open() {
    for Record { bytes, unseal, .. } in Record::all() {
        for length in 0..bytes.len() {
            assert_eq!(unseal(&key(), b"nama", &bytes[..length]), Err(UnsealError::Rejected));
        }
        for length in [1, 16, 32] {
            assert_eq!(unseal(&key(), b"nama", &[&*bytes, &vec![0; length]].concat()), Err(UnsealError::Rejected));
        }
    }
}

/// Opens a record under a key and a name, and drops the content.
type Unseal = fn(&StorageKey, &[u8], &[u8]) -> Result<(), UnsealError>;

/// A record of each kind, all under the same key and name.
struct Record {
    bytes: Vec<u8>,
    unseal: Unseal,
}

impl Record {
    fn all() -> [Self; 4] {
        let mut both = AliceAndBob::new(5);
        let (mut session, _) = both.established();
        let ratchet = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
        let rng = &mut ConstantRng(9);
        [
            Self { bytes: both.bob.seal(&key(), b"nama", rng), unseal: |k, n, b| Identity::unseal(k, n, b).map(drop) },
            Self { bytes: both.keys.seal(&key(), b"nama", rng), unseal: |k, n, b| PreKeys::unseal(k, n, b).map(drop) },
            Self {
                bytes: session.seal(&key(), b"nama", rng).unwrap().head().to_vec(),
                unseal: |k, n, b| Session::unseal(k, n, b, |_| None).map(drop),
            },
            Self {
                bytes: ratchet.seal(&key(), b"nama", rng),
                unseal: |k, n, b| DoubleRatchet::unseal(k, n, b).map(drop),
            },
        ]
    }
}

fn key() -> StorageKey {
    StorageKey::from_bytes([7; 32])
}

/// A number just below 2^255, by its lowest and highest byte.
fn field(low: u8, high: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (low, high);
    bytes
}
