//! Both back ends give the same bytes for the same inputs.
//!
//! What is compared are the functions that the suites call, with the crates of the default code. Without the feature, and
//! on a processor that lacks the instructions, both sides are the default code.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use alloc::vec::Vec;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer, SigningKey};
use libcrux_ml_kem::mlkem768 as default_kem;
use proptest::prelude::*;

use super::supported;
use crate::primitives::aead::{Forged, TAG};
use crate::primitives::ed25519::SignatureKeyPair;
use crate::primitives::mlkem768::DecapsulationKey;
use crate::primitives::mlkem768_pieces::{CT1, Key};
use crate::primitives::secret::Secret;
use crate::primitives::sframe::FrameAead;
use crate::primitives::x25519::{self, Point};

/// A back end that is never chosen would pass every other test.
#[test]
#[cfg(all(feature = "graviola", target_arch = "x86_64"))]
fn the_back_end_is_chosen_where_the_processor_has_its_instructions() {
    let needed = std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("pclmulqdq")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("adx")
        && std::is_x86_feature_detected!("avx2");
    assert_eq!(supported(), needed);
    let secret = Secret::new([7; 32]);
    assert_eq!(super::public_key(&secret).is_some(), needed);
    assert_eq!(super::agree(&secret, &[9; 32]).is_some(), needed);
    assert_eq!(super::Signer::new(&secret).is_some(), needed);
    assert_eq!(super::DecapsulationKey::new(&Secret::new([7; 64])).is_some(), needed);
    assert_eq!(super::FrameCipher::new(&secret).is_some(), needed);
}

#[test]
#[cfg(not(feature = "graviola"))]
fn without_the_feature_the_default_code_runs() {
    assert!(!supported());
}

/// Points with a torsion part are agreed with like others: the scalar is a multiple of eight.
#[test]
fn agreements_with_points_of_every_torsion_part_are_the_same() {
    let ours = x25519::pair_from_secret(Secret::new([5; 32]));
    for torsion in EIGHT_TORSION {
        let theirs = (EdwardsPoint::mul_base_clamped([6; 32]) + torsion).to_montgomery();
        let point = Point::decode(x25519::decode_public(theirs.as_bytes()).unwrap()).unwrap();
        let expected = theirs.mul_clamped([5; 32]);
        assert_eq!(x25519::agree(&ours, &point).unwrap().expose(), expected.as_bytes());
    }
}

/// The check that the feature replaces, against dalek's.
#[test]
fn a_torsion_part_of_any_order_is_found_and_none_is_imagined() {
    for scalar in 1..=16_u8 {
        for torsion in EIGHT_TORSION {
            let point = EdwardsPoint::mul_base_clamped([scalar; 32]) + torsion;
            let encoded = point.to_montgomery();
            let decoded = Point::decode(x25519::decode_public(encoded.as_bytes()).unwrap()).unwrap();
            assert_eq!(decoded.is_torsion_free(), point.is_torsion_free());
            assert_eq!(decoded.is_torsion_free(), torsion == EIGHT_TORSION[0]);
        }
    }
}

#[test]
fn a_forged_frame_of_any_length_is_left_as_it_was() {
    for length in [0, 1, 15, 16, 255, 256, 1535, 1536, 1537, 20_000] {
        for cipher in [FrameAead::aes_128_gcm(&Secret::new([1; 16])), FrameAead::aes_256_gcm(&Secret::new([1; 32]))] {
            let (mut sealed, plaintext) = (b"before".to_vec(), alloc::vec![0xA5; length]);
            cipher.seal_append(&[2; 12], b"header", &plaintext, &mut sealed).unwrap();
            assert_eq!((&sealed[..6], sealed.len()), (b"before".as_slice(), 6 + length + TAG));
            let (before, tag) = sealed[6..].split_at(length);
            let mut buffer = before.to_vec();
            for place in 0..TAG {
                let mut forged = tag.to_vec();
                forged[place] ^= 0x10;
                assert_eq!(cipher.open(&[2; 12], b"header", &mut buffer, &forged), Err(Forged));
                assert_eq!(buffer, before, "{length}");
            }
            for tag in [&tag[..15], &[tag, &[0]].concat(), &[]] {
                assert_eq!(cipher.open(&[2; 12], b"header", &mut buffer, tag), Err(Forged));
            }
            assert_eq!(cipher.open(&[2; 12], b"Header", &mut buffer, tag), Err(Forged));
            assert_eq!(cipher.open(&[3; 12], b"header", &mut buffer, tag), Err(Forged));
            assert_eq!(buffer, before, "{length}");
            assert_eq!(cipher.open(&[2; 12], b"header", &mut buffer, tag), Ok(()));
            assert_eq!(buffer, plaintext);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn x25519_is_the_same(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        let (ours, theirs) = (x25519::pair_from_secret(Secret::new(a)), x25519::pair_from_secret(Secret::new(b)));
        prop_assert_eq!(ours.public().as_bytes(), &MontgomeryPoint::mul_base_clamped(a).0);
        let (at_a, at_b) = (Point::decode(*ours.public()).unwrap(), Point::decode(*theirs.public()).unwrap());
        let expected = MontgomeryPoint(*theirs.public().as_bytes()).mul_clamped(a).0;
        prop_assert_eq!(*x25519::agree(&ours, &at_b).unwrap().expose(), expected);
        let (pair, [first, second]) = x25519::pair_and_agree(Secret::new(a), [&at_b, &at_a]).unwrap();
        prop_assert_eq!(pair.public(), ours.public());
        prop_assert_eq!(first.expose(), &expected);
        prop_assert_eq!(second.expose(), &MontgomeryPoint(*ours.public().as_bytes()).mul_clamped(a).0);
    }

    #[test]
    fn signatures_and_their_keys_are_the_same(secret in any::<[u8; 32]>(), message in any::<Vec<u8>>()) {
        let (pair, default) = (SignatureKeyPair::from_secret(&Secret::new(secret)), SigningKey::from_bytes(&secret));
        let public = pair.public();
        prop_assert_eq!(*public.as_bytes(), default.verifying_key().to_bytes());
        prop_assert_eq!(pair.secret(), &secret);
        let signature = pair.sign(&message);
        prop_assert_eq!(signature, default.sign(&message).to_bytes());
        prop_assert!(public.verify(&message, &signature));
    }

    /// Also of ciphertexts that no honest sender made, of which the secret comes from `z`.
    #[test]
    fn ml_kem_768_is_the_same(
        d in any::<[u8; 32]>(), z in any::<[u8; 32]>(), m in any::<[u8; 32]>(), place in 0..1088_usize
    ) {
        let seed = || [d, z].concat().try_into().unwrap();
        let default = default_kem::generate_key_pair(seed());
        let (key, pieces) = (DecapsulationKey::from_seed(&Secret::new(seed())), Key::from_seed(&Secret::new(seed())));
        prop_assert_eq!(key.public().as_bytes(), default.pk());
        let (header, vector) = pieces.public().unwrap();
        prop_assert_eq!([vector.as_slice(), &header[..32]].concat(), default.pk());
        prop_assert_eq!(&header[32..], libcrux_sha3::sha256(default.pk()));

        let (ciphertext, secret) = key.public().encapsulate_with(&Secret::new(m));
        let (expected, shared) = default_kem::encapsulate(&default.pk().into(), m);
        prop_assert_eq!((&ciphertext[..], secret.expose()), (&expected.as_slice()[..], &shared));
        let mut forged = *ciphertext;
        forged[place] ^= 1;
        for ciphertext in [*ciphertext, forged] {
            let expected = default_kem::decapsulate(&default.sk().into(), &(&ciphertext).into());
            prop_assert_eq!(*key.decapsulate(&ciphertext).expose(), expected);
            let (ct1, ct2) = ciphertext.split_at(CT1);
            prop_assert_eq!(*pieces.decapsulate(ct1.try_into().unwrap(), ct2.try_into().unwrap()).expose(), expected);
        }
    }

    #[test]
    fn aes_gcm_of_frames_is_the_same(
        key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(),
        associated in proptest::collection::vec(any::<u8>(), 0..300),
        plaintext in proptest::collection::vec(any::<u8>(), 0..2000)
    ) {
        let [short @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = key;
        let (mut of_128, mut of_256) = (plaintext.clone(), plaintext.clone());
        let tag_128 = Aes128Gcm::new(&short.into());
        let tag_128 = tag_128.encrypt_inout_detached(&nonce.into(), &associated, of_128.as_mut_slice().into()).unwrap();
        let tag_256 = Aes256Gcm::new(&key.into());
        let tag_256 = tag_256.encrypt_inout_detached(&nonce.into(), &associated, of_256.as_mut_slice().into()).unwrap();
        for (cipher, ciphertext, tag) in [
            (FrameAead::aes_128_gcm(&Secret::new(short)), of_128, tag_128),
            (FrameAead::aes_256_gcm(&Secret::new(key)), of_256, tag_256),
        ] {
            let mut sealed = Vec::new();
            cipher.seal_append(&nonce, &associated, &plaintext, &mut sealed).unwrap();
            prop_assert_eq!(&sealed, &[ciphertext.as_slice(), tag.as_slice()].concat());
            sealed.truncate(plaintext.len());
            prop_assert_eq!(cipher.open(&nonce, &associated, &mut sealed, &tag), Ok(()));
            prop_assert_eq!(&sealed, &plaintext);
        }
    }
}
