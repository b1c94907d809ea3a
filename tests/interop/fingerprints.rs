//! Safety numbers and scannable codes: known answers, and what must not match.

use bisik::interop::signal::{ITERATIONS, Identity, IdentityKey, Party, SafetyNumber, ScanError};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::known::Known;

/// S-9.1, S-9.2, S-9.3.
#[test]
fn safety_numbers_and_codes_match_another_implementation() {
    let blocks = Known::load("fingerprint.txt");
    assert_eq!(blocks.len(), 3);
    for known in blocks {
        let number = |name: &str| known.text(name).parse::<u32>().unwrap();
        let (local_id, remote_id) = (known.hex("local_id"), known.hex("remote_id"));
        let key = |name: &str| [IdentityKey::from_bytes(&known.hex(name)).unwrap()];
        let (local_keys, remote_keys) = (key("local_key"), key("remote_key"));
        let local = Party { identifier: &local_id, keys: &local_keys };
        let remote = Party { identifier: &remote_id, keys: &remote_keys };
        let (iterations, version) = (number("iterations"), number("version"));

        let ours = SafetyNumber::with_iterations(iterations, version, &local, &remote);
        assert_eq!(ours.to_string(), known.text("display"));
        assert_eq!(ours.to_scannable(), known.hex("scannable"));
        let theirs = SafetyNumber::with_iterations(iterations, version, &remote, &local);
        assert_eq!(theirs.to_string(), known.text("display"));
        assert_eq!(theirs.verify(&known.hex("scannable")), Ok(()));
        assert_eq!(ours.verify(&known.hex("scannable")), Err(ScanError::Mismatch), "the local code confirms nothing");
        if iterations == ITERATIONS {
            assert_eq!(SafetyNumber::new(version, &local, &remote), ours);
        }
    }
}

/// S-9.1. Two from a published telephone number example, checked independently in Python.
#[test]
fn safety_numbers_match_the_published_digits() {
    let key = |hex: &str| [IdentityKey::from_bytes(&super::known::from_hex(hex)).unwrap()];
    let alice = key("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868");
    let bob = key("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b");
    let alice = Party { identifier: b"+14152222222", keys: &alice };
    let bob = Party { identifier: b"+14153333333", keys: &bob };
    let number = SafetyNumber::new(1, &alice, &bob).to_string();
    assert_eq!(number, "300354477692869396892869876765458257569162576843440918079131");
}

fn identity(seed: u64) -> IdentityKey {
    Identity::generate(&mut StdRng::seed_from_u64(seed)).public()
}

/// S-9.1.
#[test]
fn safety_number_ignores_device_order_and_covers_every_device() {
    let (one, two, other) = (identity(1), identity(2), identity(3));
    let remote = Party { identifier: b"bob", keys: &[identity(4)] };
    let of = |keys: &[IdentityKey]| {
        SafetyNumber::with_iterations(2, 1, &Party { identifier: b"alice", keys }, &remote).to_string()
    };
    assert_eq!(of(&[one, two]), of(&[two, one]));
    assert_ne!(of(&[one, two]), of(&[one]));
    assert_ne!(of(&[one, two]), of(&[one, other]));
}

/// S-9.3.
#[test]
fn a_scannable_code_with_any_bit_changed_does_not_match() {
    let alice = Party { identifier: b"alice", keys: &[identity(1)] };
    let bob = Party { identifier: b"bob", keys: &[identity(2)] };
    let number = SafetyNumber::with_iterations(2, 2, &alice, &bob);
    let code = SafetyNumber::with_iterations(2, 2, &bob, &alice).to_scannable();
    assert_eq!(code.len(), 74);
    assert_eq!(number.verify(&code), Ok(()));
    for bit in 0..code.len() * 8 {
        let mut changed = code.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(number.verify(&changed).is_err(), "bit {bit}");
    }
    for length in 0..code.len() {
        assert!(number.verify(&code[..length]).is_err(), "{length} bytes");
    }
    let other = SafetyNumber::with_iterations(2, 1, &bob, &alice).to_scannable();
    assert_eq!(number.verify(&other), Err(ScanError::OtherVersion { theirs: 1 }));
    // A truncated half does not match, even if the rest is equal.
    let cut = [&[8, 2, 0x1a, 2, 0x0a, 0, 0x12, 2, 0x0a, 0][..]].concat();
    assert_eq!(number.verify(&cut), Err(ScanError::Mismatch));
}

proptest! {
    #[test]
    fn any_scanned_bytes_are_compared_or_refused_without_panic(code in prop::collection::vec(any::<u8>(), 0..200)) {
        let party = Party { identifier: b"alice", keys: &[identity(1)] };
        prop_assert!(SafetyNumber::with_iterations(1, 2, &party, &party).verify(&code).is_err());
    }
}
