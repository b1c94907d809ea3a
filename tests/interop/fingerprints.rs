//! Safety numbers and scannable codes: known answers, and codes that must not match.

use bisik::interop::signal::{ITERATIONS, Identity, IdentityKey, Party, SafetyNumber, ScanError};
use bisik_core::codec::{Records, Value};
use proptest::prelude::*;
use prost::Message;
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

/// S-9.1. Two examples with published telephone numbers, checked independently in Python.
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

/// The code as prost reads and writes it.
#[derive(Clone, PartialEq, Message)]
struct Code {
    #[prost(uint32, optional, tag = "1")]
    version: Option<u32>,
    #[prost(message, optional, tag = "2")]
    local: Option<Half>,
    #[prost(message, optional, tag = "3")]
    remote: Option<Half>,
}

#[derive(Clone, PartialEq, Message)]
struct Half {
    #[prost(bytes = "vec", optional, tag = "1")]
    content: Option<Vec<u8>>,
}

/// What `number` answers to a code that prost reads.
fn verify_by_prost(number: &SafetyNumber, code: &[u8]) -> Result<(), ScanError> {
    let ours = Code::decode(number.to_scannable().as_slice()).unwrap();
    let Code { version, local, remote } = Code::decode(code).map_err(|_| ScanError::Malformed)?;
    let content = |half: Option<Half>| half.and_then(|half| half.content).ok_or(ScanError::Malformed);
    let (version, local, remote) = (version.ok_or(ScanError::Malformed)?, content(local)?, content(remote)?);
    if Some(version) != ours.version {
        return Err(ScanError::OtherVersion { theirs: version });
    }
    let same = content(ours.local) == Ok(remote) && content(ours.remote) == Ok(local);
    if same { Ok(()) } else { Err(ScanError::Mismatch) }
}

/// Whether the first malformed record of `message`, or of a message in it, is a group.
fn has_group(message: &[u8]) -> bool {
    let mut at = 0;
    for record in Records::of(message) {
        let Ok(record) = record else { return message.get(at).is_some_and(|tag| tag & 7 == 3) };
        at += record.bytes.len();
        if matches!(record.value, Value::Bytes(inner) if has_group(inner)) {
            return true;
        }
    }
    false
}

/// Two people's numbers of this version, each seen from one side.
fn numbers(version: u32) -> [SafetyNumber; 2] {
    let alice = Party { identifier: b"alice", keys: &[identity(1)] };
    let bob = Party { identifier: b"bob", keys: &[identity(2)] };
    [(&alice, &bob), (&bob, &alice)].map(|(one, other)| SafetyNumber::with_iterations(1, version, one, other))
}

/// S-9.3.
#[test]
fn codes_are_the_bytes_that_prost_writes() {
    for version in [0, 1, 2, 127, 128, u32::MAX] {
        for number in numbers(version) {
            let code = number.to_scannable();
            let read = Code::decode(code.as_slice()).unwrap();
            assert_eq!(read.encode_to_vec(), code);
            assert_eq!(read.version, Some(version));
        }
    }
}

/// S-9.3. Unknown fields, fields that occur twice, long encodings of numbers and fields of another type.
#[test]
fn unusual_codes_are_read_as_prost_reads_them() {
    let [alice, bob] = numbers(2);
    let code = bob.to_scannable();
    let unusual: &[(&[u8], Result<(), ScanError>)] = &[
        (&[], Ok(())),
        (&[0x20, 7, 0x2a, 1, 9, 0x35, 1, 2, 3, 4, 0x39, 1, 2, 3, 4, 5, 6, 7, 8], Ok(())), // unknown fields
        (&[0x82, 0x01, 1, 9], Ok(())),                                                    // unknown, number 16
        (&[8, 3], Err(ScanError::OtherVersion { theirs: 3 })),                            // the last version counts
        (&[8, 0x82, 0x80, 0], Ok(())),                                                    // 2 in three bytes
        (&[8, 0x82, 0x80, 0x80, 0x80, 0x10], Ok(())),                                     // 2 above 2^32
        (&[0x12, 0], Ok(())),                                                             // a half that adds nothing
        (&[0x12, 2, 0x10, 1], Ok(())),                                                    // its unknown field
        (&[0x12, 2, 0x0a, 0], Err(ScanError::Mismatch)),                                  // the last content counts
        (&[0x12, 2, 0x08, 1], Err(ScanError::Malformed)),                                 // a content that is a number
        (&[0x12, 2, 0x0a, 1], Err(ScanError::Malformed)),                                 // a content cut short
        (&[0x0a, 0], Err(ScanError::Malformed)),                                          // a version that is bytes
        (&[0x18, 0], Err(ScanError::Malformed)),                                          // a half that is a number
        (&[0x20], Err(ScanError::Malformed)),                                             // an unknown field cut short
        (&[0x00, 0], Err(ScanError::Malformed)),                                          // field number 0
        (&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Err(ScanError::Malformed)),
    ];
    for (more, expected) in unusual {
        let code = [&code, *more].concat();
        assert_eq!(alice.verify(&code), *expected, "{more:x?}");
        assert_eq!(verify_by_prost(&alice, &code), *expected, "{more:x?}");
    }
}

proptest! {
    #[test]
    fn changed_codes_are_read_as_prost_reads_them(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        more in prop::collection::vec(0_u8..0x40, 0..12),
    ) {
        let [alice, bob] = numbers(2);
        let mut code = [bob.to_scannable(), more].concat();
        for (at, byte) in changes {
            let at = at.index(code.len());
            code[at] = byte;
        }
        // Prost skips groups, which proto3 does not have; the library refuses them.
        let (ours, prosts) = (alice.verify(&code), verify_by_prost(&alice, &code));
        prop_assert!(ours == prosts || ours == Err(ScanError::Malformed) && has_group(&code), "{ours:?}, {prosts:?}");
    }

    #[test]
    fn any_scanned_bytes_are_compared_or_refused_without_panic(code in prop::collection::vec(any::<u8>(), 0..200)) {
        let party = Party { identifier: b"alice", keys: &[identity(1)] };
        prop_assert!(SafetyNumber::with_iterations(1, 2, &party, &party).verify(&code).is_err());
    }
}
