//! Hedged salts: after a rollback, even a generator that repeats itself reuses no header key with the same nonce.
//!
//! The same promise for message bodies is in rollback.rs.

use bisik::StorageKey;
use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
use bisik_testkit::draws::Draws;

/// P-4.3: the same message key and plaintext, under another `PN`.
#[test]
fn a_restored_state_reuses_no_header_key_and_nonce() {
    let rng = &mut rand::rng();
    let pair = KeyPair::generate(rng);
    let mut a = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], pair.public());
    let mut b = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32], pair);
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
