//! Code that handles secrets, run on tainted secrets. Valgrind may report only what `public.supp` names and justifies.
//! Results are revealed before they are inspected, and revealing asserts that the taint reached them.

use crate::tainted::Tainted;
use crate::{Case, valgrind};
use bisik::handshake::{self, PreKeyHeader};
use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
use bisik::{Identity, PreKeyBundle, PreKeys, StorageKey, Timestamp, Trust, VerifiedBundle};
use curve25519_dalek::{MontgomeryPoint, constants::X25519_BASEPOINT};
use selftest::NotRandom;
use std::hint::black_box;

/// Valgrind must report none of these.
pub const ALL: &[Case] = &[
    ("X25519 with the peer's point", x25519_shared),
    ("X25519 with the base point", x25519_public),
    ("key generation and signature of a bundle", bundle),
    ("handshake: initiator", initiate),
    ("handshake: responder", respond),
    ("ratchet: the plaintext that is sent", plaintext),
    ("ratchet: all keys, sending", send),
    ("ratchet: agreement, chain and message keys, receiving", receive),
    ("ratchet: all keys, refusing a forgery", refuse),
    ("sealed state: the storage key and the state", seal),
    ("sealed state: refusing a forgery", refuse_record),
];

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn x25519_shared() {
    let key = black_box([0x77_u8; 32]);
    valgrind::secret(&key);
    let shared = X25519_BASEPOINT.mul_clamped(key);
    valgrind::reveal(&shared);
}

fn x25519_public() {
    let key = black_box([0x77_u8; 32]);
    valgrind::secret(&key);
    let public = MontgomeryPoint::mul_base_clamped(key);
    valgrind::reveal(&public);
}

fn bundle() {
    let (_, _, bundle) = published();
    black_box(&bundle);
}

fn initiate() {
    let (_, _, bundle) = published();
    let alice = identity(2);
    let header = pre_key_header(&alice, &bundle);
    black_box(&header);
}

fn respond() {
    let (bob, keys, bundle) = published();
    let header = pre_key_header(&identity(2), &bundle);
    let header = PreKeyHeader::from_bytes(&header).expect("own bytes");
    let at_bob = handshake::respond(&bob, &keys, &header, None).expect("genuine");
    valgrind::reveal(at_bob.established.secret.expose_bytes());
}

fn plaintext() {
    let (mut alice, _) = ratchets();
    let text = black_box([b'x'; 200]);
    valgrind::secret(&text);
    let sent = alice.encrypt(&text, &mut random(1)).expect("the first to write");
    valgrind::reveal(sent.as_slice());
}

fn send() {
    let (mut alice, _) = secret_ratchets();
    for _ in 0..2 {
        let sent = alice.encrypt(b"halo", &mut tainted(1)).expect("the first to write");
        valgrind::reveal(sent.as_slice());
    }
}

/// A DH step with a secret pair, chain and message keys, messages out of order.
///
/// The root secret is public here, and therefore the header keys of the first messages are too: a header's content
/// decides what is done next, so timing necessarily depends on it.
fn receive() {
    let pair = secret_pair();
    let (mut alice, mut bob) = ends([7; 32], pair);
    let mut send = || alice.encrypt(b"halo", &mut random(1)).expect("the first to write");
    let [first, second, third] = [send(), send(), send()];
    for message in [third, first, second] {
        let read = bob.decrypt(&message).expect("genuine");
        valgrind::reveal(read.as_slice());
    }
    let answer = bob.encrypt(b"hai", &mut random(2)).expect("his turn");
    valgrind::reveal(answer.as_slice());
}

/// Header keys are secret here. The only observable is that the message was refused.
fn refuse() {
    let (mut alice, mut bob) = secret_ratchets();
    let mut message = reveal(alice.encrypt(b"halo", &mut tainted(1)).expect("the first to write"));
    message[20] ^= 1;
    assert!(bob.decrypt(&message).is_err());
}

fn seal() {
    let record = identity(1).seal(&storage_key(), b"identity", &mut random(3));
    valgrind::reveal(record.as_slice());
}

fn refuse_record() {
    let mut record = reveal(identity(1).seal(&storage_key(), b"identity", &mut random(3)));
    record[30] ^= 1;
    assert!(Identity::unseal(&storage_key(), b"identity", &record).is_err());
}

/// Bob, his pre-keys, and his bundle as a peer fetches it from a server.
fn published() -> (Identity, PreKeys, VerifiedBundle) {
    let bob = identity(1);
    let mut keys = PreKeys::generate(&bob, NOW, &mut tainted(3));
    let bundles = keys.replenish(&bob, 1, &mut tainted(4)).expect("his own");
    let bytes = reveal(bundles[0].to_bytes());
    let bundle = PreKeyBundle::from_bytes(&bytes).expect("own bytes");
    let bundle = bundle.verify(Trust::OnFirstUse, NOW).expect("signed");
    (bob, keys, bundle)
}

fn pre_key_header(alice: &Identity, bundle: &VerifiedBundle) -> Vec<u8> {
    let at_alice = handshake::initiate(alice, bundle, None, &mut tainted(5)).expect("verified");
    valgrind::reveal(at_alice.established.secret.expose_bytes());
    reveal(at_alice.pre_key_header.to_bytes())
}

/// An identity with tainted secrets and a public key that is not tainted.
fn identity(seed: u64) -> Identity {
    let identity = Identity::generate(&mut tainted(seed));
    valgrind::reveal(identity.public());
    identity
}

/// Both ends of a ratchet with untainted keys, for leaks of other data.
fn ratchets() -> (DoubleRatchet, DoubleRatchet) {
    let pair = KeyPair::generate(&mut random(7));
    ends([7; 32], pair)
}

/// Both ends of a ratchet whose keys are all tainted.
fn secret_ratchets() -> (DoubleRatchet, DoubleRatchet) {
    let secret = black_box([7_u8; 32]);
    valgrind::secret(&secret);
    ends(secret, secret_pair())
}

fn secret_pair() -> KeyPair {
    let pair = KeyPair::generate(&mut tainted(7));
    valgrind::reveal(pair.public());
    pair
}

fn ends(secret: [u8; 32], pair: KeyPair) -> (DoubleRatchet, DoubleRatchet) {
    let alice = DoubleRatchet::initiator(&SharedSecret::from_bytes(secret), &[0; 32], pair.public());
    let bob = DoubleRatchet::responder(&SharedSecret::from_bytes(secret), &[0; 32], pair);
    (alice, bob)
}

fn storage_key() -> StorageKey {
    StorageKey::generate(&mut tainted(9))
}

fn reveal(bytes: Vec<u8>) -> Vec<u8> {
    valgrind::reveal(bytes.as_slice());
    bytes
}

fn tainted(seed: u64) -> Tainted {
    Tainted(random(seed))
}

fn random(seed: u64) -> NotRandom {
    NotRandom::from_seed(seed)
}
