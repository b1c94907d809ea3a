//! One signature and a batch are accepted by the same rule, whatever torsion parts a hostile signer adds.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::traits::IsIdentity;
use rand::seq::SliceRandom;

use super::*;

/// A signature whose key and whose `R` have these torsion parts, over `message`: `S` fits the large parts.
fn hostile(number: u8, of_a: EdwardsPoint, of_r: EdwardsPoint, message: &[u8]) -> ([u8; 32], [u8; SIGNATURE]) {
    let [a, r] = [1, 2].map(|part| Scalar::from_bytes_mod_order_wide(&sha512(&[&[number, part]])));
    let key = (EdwardsPoint::mul_base(&a) + of_a).compress().to_bytes();
    let encoded = (EdwardsPoint::mul_base(&r) + of_r).compress().to_bytes();
    let k = Scalar::from_bytes_mod_order_wide(&sha512(&[&encoded, &key, message]));
    (key, join(encoded, r + k * a))
}

fn join(encoded: [u8; 32], s: Scalar) -> [u8; SIGNATURE] {
    let mut signature = [0; SIGNATURE];
    signature[..32].copy_from_slice(&encoded);
    signature[32..].copy_from_slice(s.as_bytes());
    signature
}

fn honest(number: u8) -> Unverified {
    let pair = SignatureKeyPair::from_secret(&Secret::new([number; 32]));
    pair.public().unverified(&[b"te", b"xt"], &pair.sign(b"text")).unwrap()
}

fn forged(number: u8) -> Unverified {
    let mut forged = honest(number);
    forged.s += Scalar::ONE;
    forged
}

fn all(batch: &[&Unverified]) -> Vec<Unverified> {
    batch.iter().map(|one| (*one).clone()).collect()
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    assert_eq!(hex.len(), 2 * N);
    core::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

/// RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
#[test]
fn signatures_are_those_of_rfc_8032() {
    let abc = sha512(&[b"abc"]);
    let known: [(&str, &str, &[u8], &str); 4] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            &[],
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            &[0x72],
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            &[0xaf, 0x82],
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            &abc,
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    let mut batch = Vec::new();
    for (secret, public, message, signature) in known {
        let pair = SignatureKeyPair::from_secret(&Secret::new(bytes(secret)));
        let key = SignaturePublicKey::decode(&bytes(public)).unwrap();
        assert_eq!(pair.public().as_bytes(), key.as_bytes());
        assert_eq!(pair.sign(message), bytes(signature));
        assert!(key.verify(message, &bytes(signature)));
        assert!(!key.verify(b"other", &bytes(signature)));
        batch.push(key.unverified(&[message], &bytes(signature)).unwrap());
    }
    assert!(verify_batch(&batch));
}

/// P-1.5. Every torsion part of `A` with every one of `R`: accepted alone, twice, beside each other one, and all
/// together; and with a wrong large part refused everywhere. Without cofactor the verdict of a batch would depend on
/// the company.
#[test]
fn torsion_parts_change_no_verdict_alone_or_in_company() {
    let parts = || EIGHT_TORSION.into_iter().flat_map(|of_a| EIGHT_TORSION.map(|of_r| (of_a, of_r)));
    let (mut good, mut bad, mut cofactorless) = (Vec::new(), Vec::new(), 0);
    for (number, (of_a, of_r)) in (0_u8..).zip(parts()) {
        let (key, signature) = hostile(number, of_a, of_r, b"text");
        let key = SignaturePublicKey::decode(&key).unwrap();
        assert!(key.verify(b"text", &signature), "{number}");
        assert!(!key.verify(b"other", &signature), "{number}");
        good.push(key.unverified(&[b"text"], &signature).unwrap());
        cofactorless += usize::from(is_exact(good.last().unwrap()));
        let mut forged = good.last().unwrap().clone();
        forged.s += Scalar::ONE;
        assert!(!forged.verify(), "{number}");
        bad.push(forged);
    }
    assert!((1..64).contains(&cofactorless), "{cofactorless} of 64 verify without cofactor");
    for one in &good {
        for other in &good {
            assert!(verify_batch(&all(&[one, other])));
        }
        for other in bad.iter().step_by(7) {
            assert!(!verify_batch(&all(&[one, other])));
            assert!(!verify_batch(&all(&[other, one])));
        }
    }
    assert!(verify_batch(&good));
    assert!(!verify_batch(&bad));
    for forged in &bad {
        good.push(forged.clone());
        assert!(!verify_batch(&good));
        good.pop();
    }
}

fn is_exact(Unverified { key, encoded: _, r, s, k }: &Unverified) -> bool {
    (EdwardsPoint::mul_base(s) - r - key.0.to_edwards() * k).is_identity()
}

/// P-1.5.
#[test]
fn a_key_or_r_of_small_order_is_refused() {
    let (key, _) = hostile(1, EIGHT_TORSION[0], EIGHT_TORSION[0], b"");
    let key = SignaturePublicKey::decode(&key).unwrap();
    for point in EIGHT_TORSION {
        let encoded = point.compress().to_bytes();
        assert_eq!(SignaturePublicKey::decode(&encoded).err(), Some(InvalidVerifyingKey::LowOrder));
        // The equation holds: the signer of `R` of small order has a nonce of 0.
        let a = Scalar::from_bytes_mod_order_wide(&sha512(&[&[1, 1]]));
        let k = Scalar::from_bytes_mod_order_wide(&sha512(&[&encoded, key.as_bytes(), b"text"]));
        assert!(key.unverified(&[b"text"], &join(encoded, k * a)).is_none());
    }
}

/// P-1.5. The nineteen numbers from p on encode small y-coordinates a second time.
#[test]
fn a_key_or_r_that_is_not_canonical_is_refused() {
    let key = honest(1).key;
    let mut points = 0;
    for low in 0..19_u8 {
        for sign in [0, 0x80] {
            let (mut canonical, mut other) = ([0; 32], [0xff; 32]);
            (canonical[0], canonical[31]) = (low, sign);
            (other[0], other[31]) = (0xed + low, 0x7f | sign);
            assert!(key.unverified(&[], &join(other, Scalar::ONE)).is_none());
            assert!(SignaturePublicKey::decode(&other).is_err());
            points += usize::from(key.unverified(&[], &join(canonical, Scalar::ONE)).is_some());
        }
    }
    assert!(points > 10, "{points} of the canonical ones are points of large order");
}

/// P-1.5. `S + l` satisfies the equation too. The greatest `S` is `l - 1`.
#[test]
fn an_s_that_is_not_reduced_is_refused() {
    let Unverified { key, encoded, r: _, s, k: _ } = honest(1);
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    let larger: [u8; 32] = core::array::from_fn(|at| {
        carry = u16::from(s.as_bytes()[at]) + u16::from(order[at]) + (carry >> 8);
        carry.to_le_bytes()[0]
    });
    let with = |s: &[u8; 32]| {
        let mut signature = join(encoded, Scalar::ZERO);
        signature[32..].copy_from_slice(s);
        signature
    };
    assert!(key.verify(b"text", &with(s.as_bytes())));
    assert!(!key.verify(b"text", &with(&larger)));
    assert!(key.unverified(&[b"text"], &with(&order)).is_none());
    assert!(key.unverified(&[b"text"], &with((-Scalar::ONE).as_bytes())).is_some());
}

#[test]
fn a_forged_signature_is_found_in_every_place_of_a_batch_of_any_size() {
    assert!(verify_batch(&[]));
    for size in [1, 2, 3, 5, 20, 100] {
        let mut batch: Vec<_> = (0..size).map(honest).collect();
        assert!(verify_batch(&batch), "{size}");
        for place in (0..usize::from(size)).step_by(usize::from(size / 10).max(1)) {
            batch[place] = forged(7);
            assert!(!verify_batch(&batch), "{place} of {size}");
            batch[place] = honest(7);
        }
        batch.shuffle(&mut rand::rng());
        assert!(verify_batch(&batch), "{size}, in another order, one or more of them twice");
    }
}

/// Errors that cancel each other in a plain sum, and errors that are made to cancel under the factors of the honest
/// batch: the factors are of the signatures as they are.
#[test]
fn errors_that_cancel_each_other_are_found() {
    let mut batch = [honest(1), honest(2)];
    batch[0].s += Scalar::ONE;
    batch[1].s -= Scalar::ONE;
    assert!(!verify_batch(&batch));

    let mut batch = [honest(1), honest(2)];
    let known: Vec<_> = factors(&batch).take(2).collect();
    batch[0].s += known[1];
    batch[1].s -= known[0];
    assert!(!verify_batch(&batch));
}

/// P-1.5. The factors have 128 bits, differ, and follow from every key, signature and message, and from their order.
#[test]
fn the_factors_depend_on_everything_in_the_batch() {
    let of = |batch: &[Unverified]| factors(batch).take(2).map(|z| z.to_bytes()).collect::<Vec<_>>();
    let batch = [honest(1), honest(2)];
    let first = of(&batch);
    assert_eq!(of(&batch), first);
    assert!(first[0] != first[1] && first.iter().all(|z| z[16..] == [0; 16] && z[..16] != [0; 16]));
    let changed: [fn(&mut [Unverified; 2]); 6] = [
        |batch| batch.swap(0, 1),
        |batch| batch[1].key = honest(3).key,
        |batch| batch[1].encoded = honest(3).encoded,
        |batch| batch[1].s += Scalar::ONE,
        |batch| batch[1].k += Scalar::ONE,
        |batch| batch[0].k += Scalar::ONE,
    ];
    for change in changed {
        let mut other = batch.clone();
        change(&mut other);
        assert!(of(&other).iter().zip(&first).all(|(other, first)| other != first));
    }
}
