//! The formulas of section 3.1, written out; both sides; and keys that stolen secrets do not give.

use super::*;
use crate::keys::{Identity, IdentityKeyError, PreKeyBundle, PreKeys, Trust, VerifiedBundle};
use alloc::vec::Vec;
use bisik_core::primitives::kdf::{Prk, digest};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{KeyPair, Point, agree, pair_from_secret};
use bisik_core::time::Timestamp;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::montgomery::MontgomeryPoint;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;

struct Setting {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    bundles: Vec<VerifiedBundle>,
}

/// One last-resort bundle and one with one-time keys.
fn setting() -> Setting {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let mut bundles = keys.replenish(&bob, 1, rng).unwrap();
    bundles.push(keys.bundle());
    let verify = |bundle: PreKeyBundle| bundle.verify(Trust::OnFirstUse, NOW).unwrap();
    Setting { alice, bob, keys, bundles: bundles.into_iter().map(verify).collect() }
}

fn bytes(secrets: &StartingSecrets) -> [[u8; 32]; 5] {
    let StartingSecrets { root, chain, header, next_header, post_quantum } = secrets;
    [root, chain, header, next_header, post_quantum].map(|secret| *secret.expose())
}

fn dh(ours: &KeyPair, theirs: &PublicKey) -> Secret<32> {
    agree(ours, &Point::decode(*theirs).unwrap()).unwrap()
}

#[test]
fn both_sides_derive_the_secrets_that_the_formulas_give() {
    let Setting { alice, bob, keys, bundles } = setting();
    for bundle in &bundles {
        let initiated = initiate(&alice, bundle, None, NOW, &mut rand::rng()).unwrap();
        let header = &initiated.pre_key_header;
        let responded = respond(&bob, &keys, header, None, Trust::OnFirstUse, NOW).unwrap();
        let (at_alice, at_bob) = (&initiated.established, &responded.established);
        assert_eq!(bytes(&at_alice.secrets), bytes(&at_bob.secrets));
        assert_eq!((at_alice.binding, at_alice.session_id), (at_bob.binding, at_bob.session_id));
        assert_eq!((&at_alice.peer, &at_bob.peer), (bob.public(), alice.public()));
        assert_eq!(responded.claim().unwrap().one_time(), header.one_time_id != 0);

        // By the responder's secrets, one agreement at a time.
        let found = keys.find(header.signed_id, header.one_time_id, NOW).unwrap();
        let (ika, ek) = (&alice.public().agreement(), &header.ephemeral);
        let (dh0, dh1) = (dh(bob.agreement(), ika), dh(found.signed(), ika));
        let (dh2, dh3) = (dh(bob.agreement(), ek), dh(found.signed(), ek));
        let dh4 = found.one_time.map(|(_, pair)| *dh(pair, ek).expose());
        let ss = found.kem.decapsulate(&header.kem);
        let to =
            digest(&[b"bisik-1 handshake transcript open\0", &found.digest, ek.as_bytes(), &header.kem[..], &[0; 32]]);
        let tf = digest(&[b"bisik-1 handshake transcript full\0", &to, &alice.public().to_bytes()]);
        let dh4 = dh4.as_ref().map_or([].as_slice(), |secret| secret.as_slice());
        let inputs = [&[0xff; 32], dh0.expose(), dh1.expose(), dh2.expose(), dh3.expose(), dh4, ss.expose()];
        let inputs: Vec<&[u8]> = inputs.into_iter().map(|input: &[u8]| input).collect();
        let label = b"bisik-1_CURVE25519_SHA-256_ML-KEM-768\0bisik-1 handshake ratchet\0".as_slice();
        let output = Prk::extract(&[0; 32], &inputs).expand::<176>(&[label, &tf]);
        assert_eq!(bytes(&at_bob.secrets).concat(), output.expose()[..160]);
        assert_eq!((at_bob.session_id.as_slice(), at_bob.binding), (&output.expose()[160..], tf));
    }
}

/// The first ratchet pair is neither the ephemeral pair nor a pre-key: it is drawn for itself.
#[test]
fn the_first_ratchet_key_is_fresh() {
    let Setting { alice, bundles, .. } = setting();
    let [one, other] = [0, 1].map(|_| initiate(&alice, &bundles[0], None, NOW, &mut rand::rng()).unwrap());
    let keys = [
        one.ratchet_key.public(),
        other.ratchet_key.public(),
        &one.pre_key_header.ephemeral,
        bundles[0].signed.public(),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
    let again = pair_from_secret(Secret::copy_of(one.ratchet_key.expose_secret_bytes()));
    assert_eq!(again.public(), one.ratchet_key.public());
    assert_ne!(one.labels, other.labels);
}

/// P-3.2: who has the signed pre-key, the KEM seed and the one-time secret, but not the responder's identity, cannot
/// compute DH0, and who has the identity cannot compute DH1: each changes every output.
#[test]
fn every_agreement_changes_every_secret() {
    let Setting { alice, bob, keys, bundles } = setting();
    let header = initiate(&alice, &bundles[0], None, NOW, &mut rand::rng()).unwrap().pre_key_header;
    let found = keys.find(header.signed_id, header.one_time_id, NOW).unwrap();
    let ek = &header.ephemeral;
    let ss = found.kem.decapsulate(&header.kem);
    let all = || {
        let of_ika = [bob.agreement(), found.signed()].map(|pair| dh(pair, &alice.public().agreement()));
        let of_ek = [bob.agreement(), found.signed(), found.one_time.unwrap().1].map(|pair| dh(pair, ek));
        of_ika.into_iter().chain(of_ek).collect::<Vec<_>>()
    };
    let transcript = transcript::OpenTranscript::new(&found.digest, ek, &header.kem, None);
    let outputs = |agreed: &[Secret<32>], kem: &Secret<32>| {
        let agreed = transcript::Agreed::new(agreed, kem).unwrap();
        let established = transcript.establish(alice.public(), *bob.public(), &agreed).unwrap();
        (bytes(&established.secrets), established.session_id)
    };
    let (genuine, id) = outputs(&all(), &ss);
    let differs = |agreed: &[Secret<32>], kem: &Secret<32>| {
        let (changed, other) = outputs(agreed, kem);
        assert!(genuine.iter().zip(&changed).all(|(genuine, changed)| genuine != changed) && id != other);
    };
    for at in 0..5 {
        let mut agreed = all();
        agreed[at].expose_mut()[31] ^= 1;
        differs(&agreed, &ss);
    }
    let mut kem = ss.duplicate();
    kem.expose_mut()[0] ^= 1;
    differs(&all(), &kem);
}

/// The keys `X + T` for the seven points of small order, which agree on the same secrets as `X`.
fn mixed_order(key: &IdentityKey) -> Vec<[u8; 64]> {
    let point = MontgomeryPoint(*key.agreement().as_bytes()).to_edwards(0).unwrap();
    let with = |torsion: &curve25519_dalek::EdwardsPoint| {
        let mut bytes = key.to_bytes();
        bytes[32..].copy_from_slice(&(point + torsion).to_montgomery().0);
        bytes
    };
    EIGHT_TORSION[1..].iter().map(with).collect()
}

/// P-2.3
#[test]
fn an_identity_key_with_a_component_of_small_order_is_refused() {
    let alice = Identity::generate(&mut rand::rng());
    let keys = mixed_order(alice.public());
    assert_eq!(keys.len(), 7);
    for key in keys {
        assert_ne!(key, alice.public().to_bytes());
        assert_eq!(IdentityKey::from_bytes(&key), Err(IdentityKeyError::MixedOrder));
    }
    assert_eq!(IdentityKey::from_bytes(&alice.public().to_bytes()), Ok(*alice.public()));
}

/// P-2.3: an initiator that seals `X + T` for its own `X` has the right agreements, and is refused.
#[test]
fn a_sealed_identity_with_a_component_of_small_order_is_refused() {
    let Setting { alice, bob, keys, bundles } = setting();
    let bundle = &bundles[0];
    let draw = alice.draw_set_up(&bundle.digest, None, &mut rand::rng());
    let ephemeral = pair_from_secret(draw.agreement());
    let points = [&bundle.agreement, &bundle.signed, &bundle.one_time.as_ref().unwrap().1];
    let agreed = points.map(|point| agree(&ephemeral, point).unwrap());
    let (kem, kem_secret) = bundle.kem.encapsulate_with(&draw.encapsulation());
    let transcript = transcript::OpenTranscript::new(&bundle.digest, ephemeral.public(), &kem, None);
    let flight = |identity: &[u8; 64]| {
        let identity = IdentityKey::from_bytes_without_points(identity).unwrap();
        let agreed = transcript::Agreed::of_ephemeral(&agreed, &kem_secret);
        PreKeyHeader {
            ephemeral: *ephemeral.public(),
            signed_id: bundle.signed_id,
            one_time_id: bundle.one_time.as_ref().unwrap().0,
            kem: kem.clone(),
            sealed_identity: transcript.seal_identity(&identity, &agreed).unwrap(),
        }
    };
    let genuine = flight(&alice.public().to_bytes());
    for trust in [Trust::OnFirstUse, Trust::Pinned(alice.public()), Trust::Pinned(bob.public())] {
        assert_eq!(respond(&bob, &keys, &genuine, None, trust, NOW).unwrap().established.peer, *alice.public());
        for key in mixed_order(alice.public()) {
            let refused = respond(&bob, &keys, &flight(&key), None, trust, NOW);
            assert_eq!(refused.unwrap_err(), RespondError::Rejected);
        }
        // The same for an Ed25519 half that is of small order or not reduced, and for one's own identity.
        let mut key = alice.public().to_bytes();
        for signing in [[0; 32], [0xff; 32]] {
            key[..32].copy_from_slice(&signing);
            assert_eq!(respond(&bob, &keys, &flight(&key), None, trust, NOW).unwrap_err(), RespondError::Rejected);
        }
        let own = flight(&bob.public().to_bytes());
        assert_eq!(respond(&bob, &keys, &own, None, trust, NOW).unwrap_err(), RespondError::Rejected);
    }
}

/// P-2.5
#[test]
fn a_verified_bundle_sets_up_sessions_for_a_day_and_until_it_expires() {
    let Setting { alice, bob, .. } = setting();
    let rng = &mut rand::rng();
    let at = |seconds: u64| Timestamp::from_unix_seconds(seconds);
    let created = NOW.as_unix_seconds();
    let bundle = PreKeys::generate(&bob, NOW, rng).bundle();
    let verified = bundle.clone().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut used = |bundle: &VerifiedBundle, now: u64| initiate(&alice, bundle, None, at(now), rng).map(drop);
    assert_eq!(used(&verified, created), Ok(()));
    assert_eq!(used(&verified, created + DAY), Ok(()));
    assert_eq!(used(&verified, created + DAY + 1), Err(InitiateError::BundleExpired));
    assert_eq!(used(&verified, created - DAY), Ok(()));
    assert_eq!(used(&verified, created - DAY - 1), Err(InitiateError::ClockWentBack));
    assert_eq!(verified.usable_until(), at(created + DAY));

    let late = bundle.verify(Trust::OnFirstUse, at(created + 30 * DAY - 60)).unwrap();
    assert_eq!(used(&late, created + 30 * DAY - 1), Ok(()));
    assert_eq!(used(&late, created + 30 * DAY), Err(InitiateError::BundleExpired));
    assert_eq!(late.usable_until(), at(created + 30 * DAY));
}

/// P-2.8: no clock is read here, but a caller that never rotates does not answer for ever.
#[test]
fn a_generation_is_not_answered_33_days_after_it_was_made() {
    let Setting { alice, bob, keys, bundles } = setting();
    for bundle in &bundles {
        let header = initiate(&alice, bundle, None, NOW, &mut rand::rng()).unwrap().pre_key_header;
        let at = |seconds| respond(&bob, &keys, &header, None, Trust::OnFirstUse, NOW.plus_seconds(seconds)).map(drop);
        assert_eq!(at(33 * DAY - 1), Ok(()));
        assert_eq!(at(33 * DAY), Err(RespondError::UnknownPreKey));
    }
}

/// P-3.3: one cloned generator, two identities, one bundle.
#[test]
fn two_identities_on_a_cloned_machine_share_no_ephemeral_key_and_no_keystream() {
    let Setting { alice, bundles, .. } = setting();
    let carol = Identity::generate(&mut rand::rng());
    let [at_alice, at_carol] = [&alice, &carol].map(|identity| {
        let cloned = &mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(7);
        initiate(identity, &bundles[0], None, NOW, cloned).unwrap()
    });
    let (a, c) = (&at_alice.pre_key_header, &at_carol.pre_key_header);
    assert_ne!(a.ephemeral, c.ephemeral);
    assert_ne!(a.kem, c.kem);
    assert_ne!(at_alice.ratchet_key.public(), at_carol.ratchet_key.public());
    assert_ne!(at_alice.labels, at_carol.labels);
    let (ika, ikc) = (alice.public().to_bytes(), carol.public().to_bytes());
    let same = (0..64).filter(|at| a.sealed_identity[*at] ^ ika[*at] == c.sealed_identity[*at] ^ ikc[*at]).count();
    assert!(same < 16, "one keystream for two plaintexts: {same} of 64 bytes");
    // The same identity, bundle and draw give the same set-up, byte for byte, and nothing else repeats.
    let again =
        initiate(&alice, &bundles[0], None, NOW, &mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(7));
    assert!(again.unwrap().pre_key_header == *a);
}

/// P-3.3: what a predicted generator gives is not the ephemeral secret.
#[test]
fn a_predicted_generator_does_not_give_the_ephemeral_key() {
    let Setting { alice, bundles, .. } = setting();
    let seeded = || <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(7);
    let header = initiate(&alice, &bundles[0], None, NOW, &mut seeded()).unwrap().pre_key_header;
    let guessed = pair_from_secret(Secret::random(&mut seeded()));
    assert_ne!(guessed.public(), &header.ephemeral);
    let (kem, _) = bundles[0].kem.encapsulate(&mut seeded());
    assert!(kem != header.kem);
}
