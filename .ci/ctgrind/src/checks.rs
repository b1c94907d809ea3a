//! Code that handles secrets, run on tainted secrets. Valgrind may report only what `public.supp` names and justifies.
//! Results are revealed before they are inspected, and revealing asserts that the taint reached them.

use crate::tainted::Tainted;
use crate::{Case, valgrind};
use bisik::handshake::{self, PreKeyHeader};
use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{Accepted, Ciphertext, Identity, InitiateOptions, PreKeyBundle, PreKeys, Resumption, Session, StorageKey};
use bisik::{Timestamp, Trust, VerifiedBundle};
use curve25519_dalek::{MontgomeryPoint, constants::X25519_BASEPOINT};
use rand_core::CryptoRng;
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
    ("session: the first answer, which takes in an identity", first_answer),
    ("session: labels and the secret of an older session", resume),
    ("session: sealed, and refusing a forged record", seal_session),
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
    let at_bob = handshake::respond(&bob, &keys, &header, None, Trust::OnFirstUse, NOW).expect("genuine");
    at_bob.established.secrets.expose_all().map(|secret| valgrind::reveal(secret));
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

/// A step with secret pairs on both sides, chain and message keys, messages out of order.
///
/// The shared secret is public here, and therefore the header keys of the first two chains are too: a header's content
/// decides what is done next, so timing necessarily depends on it.
fn receive() {
    let (mut alice, mut bob) = ends([7; 32]);
    let hello = reveal(alice.encrypt(b"halo", &mut tainted(1)).expect("the first to write"));
    assert_eq!(bob.decrypt(&hello).expect("genuine"), b"halo");
    let mut send = || reveal(bob.encrypt(b"hai", &mut tainted(2)).expect("his turn"));
    let [first, second, third] = [send(), send(), send()];
    for message in [third, first, second] {
        let read = alice.decrypt(&message).expect("genuine");
        valgrind::reveal(read.as_slice());
    }
    let answer = alice.encrypt(b"halo", &mut random(3)).expect("her turn");
    valgrind::reveal(answer.as_slice());
}

/// Header keys are secret here. The only observable is that the message was refused.
fn refuse() {
    let (mut alice, mut bob) = secret_ratchets();
    let mut message = reveal(alice.encrypt(b"halo", &mut tainted(1)).expect("the first to write"));
    message[20] ^= 1;
    assert!(bob.decrypt(&message).is_err());
}

/// Alice's identity and Bob's new pair are secret. The set-up is public, because it gives the key of the answer's header.
fn first_answer() {
    let (mut alice, _) = answered();
    let next = alice.encrypt(b"apa kabar", &mut tainted(5)).expect("her turn");
    valgrind::reveal(next.as_bytes());
}

/// The older session's secrets are secret, and so is everything that they enter.
fn resume() {
    let (older_alice, older_bob) = answered();
    let offers = [older_alice.offer().expect("there was a step")];
    let (mut alice, mut bob) = sessions(&offers);
    let labels = alice.labels().expect("not answered");
    valgrind::reveal(&labels[0]);
    let resumed = bob.resume(&labels, &older_bob.accepts()).expect("not answered").expect("the first fits");
    assert_eq!(resumed.place, 1);
    let answer = received(bob.encrypt(b"hai", &mut random(4)).expect("his turn"));
    let read = alice.decrypt(&public_identity(2), &answer).expect("genuine").plaintext.confirmed().expect("answered");
    valgrind::reveal(read.as_slice());
}

/// A session whose root, chain and header keys are secret. A record that opens is not checked: what is in it decides how
/// it is read.
fn seal_session() {
    let (mut alice, _) = answered();
    let record = alice.seal(&storage_key(), b"session", &mut random(3)).expect("the first record");
    let mut record = reveal(record.head().to_vec());
    record[30] ^= 1;
    assert!(Session::unseal(&storage_key(), b"session", &record, |_| None).is_err());
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
    let at_alice = handshake::initiate(alice, bundle, None, NOW, &mut tainted(5)).expect("verified");
    at_alice.established.secrets.expose_all().map(|secret| valgrind::reveal(secret));
    reveal(at_alice.pre_key_header.to_bytes())
}

/// An identity with tainted secrets and a public key that is not tainted.
fn identity(seed: u64) -> Identity {
    let identity = Identity::generate(&mut tainted(seed));
    valgrind::reveal(identity.public());
    identity
}

/// The identity of the same seed, without a taint.
fn public_identity(seed: u64) -> Identity {
    Identity::generate(&mut random(seed))
}

/// Both ends of a session that was set up in public.
fn sessions(offers: &[Resumption]) -> (Session, Session) {
    let (alice, bob) = (public_identity(2), public_identity(1));
    let keys = PreKeys::generate(&bob, NOW, &mut random(3));
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), NOW).expect("signed");
    let options = InitiateOptions { offers, ..InitiateOptions::default() };
    let mut at_alice = Session::initiate_with(&alice, &bundle, options, NOW, &mut random(5)).expect("verified");
    let hello = at_alice.encrypt(b"halo", &mut random(6)).expect("the first to write");
    let Accepted { session, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).expect("genuine");
    (at_alice, session)
}

/// The same after the first answer, with which both become secret.
fn answered() -> (Session, Session) {
    let (mut alice, mut bob) = sessions(&[]);
    let answer = received(bob.encrypt(b"hai", &mut tainted(4)).expect("his turn"));
    let read = alice.decrypt(&identity(2), &answer).expect("genuine").plaintext.confirmed().expect("answered");
    valgrind::reveal(read.as_slice());
    (alice, bob)
}

fn received(sent: Ciphertext) -> Ciphertext {
    Ciphertext::from_bytes(&reveal(sent.into_bytes())).expect("own bytes")
}

/// Both ends of a ratchet with untainted keys, for leaks of other data.
fn ratchets() -> (DoubleRatchet, DoubleRatchet) {
    started([7; 32], &mut random(7))
}

/// Both ends of a ratchet whose keys are all tainted.
fn secret_ratchets() -> (DoubleRatchet, DoubleRatchet) {
    let secret = black_box([7_u8; 32]);
    valgrind::secret(&secret);
    ends(secret)
}

/// Both ends of a ratchet. The first pair is tainted.
fn ends(secret: [u8; 32]) -> (DoubleRatchet, DoubleRatchet) {
    started(secret, &mut tainted(7))
}

fn started(secret: [u8; 32], rng: &mut impl CryptoRng) -> (DoubleRatchet, DoubleRatchet) {
    let alice = DoubleRatchet::initiator(&SharedSecret::from_bytes(secret), &[0; 32], rng);
    let bob = DoubleRatchet::responder(&SharedSecret::from_bytes(secret), &[0; 32]);
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
