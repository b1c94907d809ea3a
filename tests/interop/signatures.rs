//! XEdDSA: both conventions of the sign bit, byte for byte, and what a strict verifier refuses.

use bisik::interop::signal::xeddsa::{self, SigningKey, VerifyingKey};
use bisik::interop::signal::{KeyError, KeyPair, PublicKey};

use super::known::{Draws, Known};

/// S-1.1, S-1.3, S-1.5, S-1.6
#[test]
fn xeddsa_signatures_match_other_implementations() {
    let mut signs = [[0, 0], [0, 0]];
    for known in Known::load("xeddsa.txt") {
        let pair = KeyPair::from_secret_bytes(known.array("private"));
        assert_eq!(pair.public().to_bytes(), known.array("public"));
        let (message, expected) = (known.hex("message"), known.array::<64>("signature"));
        let mut draws = Draws::listed(&known.hex("random"));
        let specified = known.text("convention") == "specification";
        let signature = if specified {
            xeddsa::sign_as_specified(&pair, &message, &mut draws)
        } else {
            xeddsa::sign(&pair, &message, &mut draws)
        };
        assert_eq!(signature, expected);
        assert!(draws.is_used_up());
        assert!(xeddsa::verify(&pair.public(), &message, &signature));
        signs[usize::from(specified)][usize::from(signature[63] >> 7)] += 1;
    }
    assert_eq!(signs, [[5, 3], [3, 0]], "both signs were met");
}

/// S-1.7. A signature with any bit changed, including the sign, does not verify.
#[test]
fn a_signature_with_any_bit_changed_does_not_verify() {
    let rng = &mut rand::rng();
    for _ in 0..4 {
        let pair = KeyPair::generate(rng);
        let key = VerifyingKey::new(&pair.public()).unwrap();
        let signature = SigningKey::new(&pair).sign(b"text", rng);
        assert!(key.verify(b"text", &signature));
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(b"text", &changed), "bit {bit}");
        }
    }
}

/// S-1.8. `s + q` is below 2^253 for every `s`, so a verifier that only checks that bound accepts it.
#[test]
fn a_malleated_xeddsa_signature_is_refused() {
    const Q: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let rng = &mut rand::rng();
    let pair = KeyPair::generate(rng);
    let signature = xeddsa::sign(&pair, b"text", rng);
    let mut second = signature;
    let sign = second[63] & 0x80;
    second[63] &= 0x7f;
    let mut carry = 0;
    for (byte, more) in second[32..].iter_mut().zip(Q) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert!(carry == 0 && second[63] < 0x20, "within the bound of the specification");
    second[63] |= sign;
    assert!(!xeddsa::verify(&pair.public(), b"text", &second));
}

/// S-1.2, S-1.8. A key of small order would verify forged signatures, so it does not decode.
#[test]
fn low_order_and_malformed_public_keys_are_refused() {
    let good = KeyPair::from_secret_bytes([7; 32]).public().to_bytes();
    assert!(PublicKey::from_bytes(&good).is_ok());
    for (bytes, error) in [
        (good[..32].to_vec(), KeyError::Malformed),
        ([good.as_slice(), &[0]].concat(), KeyError::Malformed),
        ([[0x06].as_slice(), &good[1..]].concat(), KeyError::Malformed),
        (Vec::new(), KeyError::Malformed),
        ([[0x05].as_slice(), &[0; 32]].concat(), KeyError::LowOrder),
        ([[0x05].as_slice(), &[0xff; 32]].concat(), KeyError::NonCanonical),
        // On the twist.
        ([[0x05, 2].as_slice(), &[0; 31]].concat(), KeyError::NonCanonical),
    ] {
        assert_eq!(PublicKey::from_bytes(&bytes), Err(error), "{bytes:02x?}");
    }
}

/// S-1.8. `R` = the neutral element and `s = h·a` would verify: the signature of a nonce of zero.
#[test]
fn a_signature_whose_nonce_is_zero_is_refused() {
    use sha2::{Digest, Sha512};
    let pair = KeyPair::from_secret_bytes([9; 32]);
    let scalar = curve25519_dalek::Scalar::from_bytes_mod_order(*pair.expose_secret_bytes());
    let public = curve25519_dalek::EdwardsPoint::mul_base(&scalar).compress().to_bytes();
    let r: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let h: [u8; 64] = Sha512::new().chain_update(r).chain_update(public).chain_update(b"text").finalize().into();
    let s = curve25519_dalek::Scalar::from_bytes_mod_order_wide(&h) * scalar;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    signature[63] |= public[31] & 0x80;
    assert!(!xeddsa::verify(&pair.public(), b"text", &signature));
}
