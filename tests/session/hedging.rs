//! Hedged salts and draws: a generator that repeats its output, or that somebody else predicts, reuses no key with the
//! same nonce and gives no ephemeral key.
//!
//! The same promise for message bodies is in rollback.rs.

use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{Identity, PreKeys, Session, StorageKey, Timestamp, Trust};
use bisik_testkit::draws::Draws;

/// P-4.6: the same message key and plaintext, under another `PN`.
/// P-4.2
#[test]
fn a_restored_state_reuses_no_header_key_and_nonce() {
    let rng = &mut rand::rng();
    let mut a = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    let mut b = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    let _ = b.decrypt(&a.encrypt(b"halo", rng).unwrap()).unwrap();
    let answer = b.encrypt(b"hai", rng).unwrap();
    let key = StorageKey::from_bytes([1; 32]);
    let backup = a.seal(&key, b"", rng);
    let write = |more: usize| {
        let mut a = DoubleRatchet::unseal(&key, b"", &backup).unwrap();
        for _ in 0..more {
            let _ = a.encrypt(b"more", &mut rand::rng()).unwrap();
        }
        let _ = a.decrypt(&answer).unwrap();
        a.encrypt(b"same", &mut Draws::listed(&[9; 48])).unwrap()
    };
    let (one, other) = (write(0), write(1));
    assert_ne!(one[16..100], other[16..100], "the headers differ in PN");
    assert_ne!(one[..16], other[..16], "and so must the salts");
}

/// P-3.3: two identities on a cloned machine, one bundle. The flights have no key in common.
#[test]
fn two_identities_with_one_cloned_generator_share_no_ephemeral_key_and_no_keystream() {
    let rng = &mut rand::rng();
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let bob = Identity::generate(rng);
    let bundle = PreKeys::generate(&bob, now, rng).bundle().verify(Trust::OnFirstUse, now).unwrap();
    let identities = [Identity::generate(rng), Identity::generate(rng)];
    let flights = [0, 1].map(|index: usize| {
        let cloned = &mut Draws::listed(&[9; 32]);
        let mut session = Session::initiate(&identities[index], &bundle, now, cloned).unwrap();
        session.encrypt(b"", &mut rand::rng()).unwrap().into_bytes()[1..1_209].to_vec()
    });
    let [one, other] = &flights;
    assert_ne!(one[..32], other[..32], "ephemeral keys");
    assert_ne!(one[40..1_128], other[40..1_128], "encapsulations");
    let keys = identities.map(|identity| identity.public().to_bytes());
    let stream = |flight: &[u8], key: &[u8; 64]| -> Vec<u8> {
        flight[1_128..1_192].iter().zip(key).map(|(sealed, plain)| sealed ^ plain).collect()
    };
    assert_ne!(stream(one, &keys[0]), stream(other, &keys[1]), "keystreams of the sealed identities");
}

/// P-3.3: one identity, one draw: the same bundle gives the same flight, another bundle nothing in common.
#[test]
fn a_repeated_draw_gives_another_flight_for_another_bundle() {
    let rng = &mut rand::rng();
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let bundles = [0, 1].map(|_| PreKeys::generate(&bob, now, rng).bundle().verify(Trust::OnFirstUse, now).unwrap());
    let flight = |index: usize| {
        let mut session = Session::initiate(&alice, &bundles[index], now, &mut Draws::listed(&[9; 32])).unwrap();
        session.encrypt(b"", &mut rand::rng()).unwrap().into_bytes()[1..1_209].to_vec()
    };
    assert_eq!(flight(0), flight(0));
    assert_ne!(flight(0)[..32], flight(1)[..32]);
}

/// P-2.12
#[test]
fn two_identities_with_one_cloned_generator_share_no_pre_key() {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let bundles = [0, 1].map(|_| {
        let identity = Identity::generate(&mut rand::rng());
        let mut keys = PreKeys::generate(&identity, now, &mut Draws::listed(&[9; 32]));
        let one_time = keys.replenish(&identity, 1, &mut Draws::listed(&[9; 32])).unwrap().remove(0);
        one_time.to_bytes()
    });
    let [one, other] = &bundles;
    assert_ne!(one[88..120], other[88..120], "signed pre-keys");
    assert_ne!(one[1_310..1_342], other[1_310..1_342], "one-time keys");
    assert_ne!(one[125..1_309], other[125..1_309], "encapsulation keys");
}
