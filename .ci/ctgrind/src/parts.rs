//! The primitives one by one, compiled from the crate's own source, so that no other code can lose or hide a taint.
//! Comparisons of public keys, identities and digests are not checked: their inputs are public, so they may take any
//! time.

use crate::tainted::Tainted;
use crate::{Case, valgrind};
use bisik_core::braid::{Braid, Draw, EpochSecret, NATIVE, Wants};
use bisik_core::primitives::aead::{Aead, open_once, seal_once};
use bisik_core::primitives::aes_cbc_stream::Encrypting;
use bisik_core::primitives::chunks::ChunkCipher;
use bisik_core::primitives::ed25519::SignatureKeyPair;
use bisik_core::primitives::kdf::{HmacSha256, Prk};
use bisik_core::primitives::mlkem768::DecapsulationKey;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sframe::FrameAead;
use bisik_core::primitives::x25519::{self, KeyPair, Point, agree_all, agree_each};
use bisik_core::primitives::{aes_cbc, aes_gcm};
use libcrux_ml_kem::mlkem768;
use selftest::NotRandom;
use std::hint::black_box;
use subtle::ConstantTimeEq;

/// Valgrind may report only what `public.supp` names.
pub const ALL: &[Case] = &[
    ("secrets compared", compare),
    ("HMAC under a key", keyed_hash),
    ("HKDF", hkdf),
    ("ChaCha20-HMAC-SHA256: seal and verify", seal_and_verify),
    ("ChaCha20-HMAC-SHA256: into new room", seal_append),
    ("ChaCha20 and HMAC-SHA256: a chunk into another buffer", seal_chunk),
    ("AES-256-CBC: into new room, whole and in pieces", cbc),
    ("AES-256-GCM: into new room", gcm),
    ("SFrame's ciphers: into new room", frames),
    ("XChaCha20-Poly1305: seal and open", seal_and_open_once),
    ("X25519: key generation", generate),
    ("X25519: one agreement", agree),
    ("X25519: several agreements", agree_many),
    ("X25519: generation and agreement in one", generate_and_agree),
    ("ML-KEM: decapsulation, the secret parts of the key", decapsulate_parts),
    ("ML-KEM: pair from a seed, and decapsulation", decapsulate_seed),
    ("the braid: an epoch from its key to the secret on both sides", epoch),
    ("Ed25519: pair from a secret, and signature", sign),
];

fn secret<const N: usize>(byte: u8) -> Secret<N> {
    let bytes = black_box([byte; N]);
    valgrind::secret(&bytes);
    Secret::new(bytes)
}

/// The result, equal or not, is public. The bytes compared are not.
fn compare() {
    for (one, other, same) in [(1, 1, true), (1, 2, false)] {
        assert_eq!(told(secret::<32>(one).ct_eq(&secret(other)).into()), same);
    }
}

fn keyed_hash() {
    let message = secret::<100>(2);
    let hash = HmacSha256::new(&secret(1)).hash(&[message.expose(), b"public"]);
    valgrind::reveal(hash.expose());
}

fn hkdf() {
    let output = Prk::extract(secret::<32>(1).expose(), &[secret::<32>(2).expose()]).expand::<96>(&[b"public"]);
    valgrind::reveal(output.expose());
}

fn seal_and_verify() {
    let aead = Aead::new(&secret(1));
    let mut buffer = black_box([3; 200]);
    valgrind::secret(&buffer);
    let tag = aead.seal(&[9; 24], b"public", &mut buffer);
    valgrind::reveal(&tag);
    valgrind::reveal(&buffer);
    for place in [0, 15] {
        let mut forged = tag;
        forged[place] ^= 1;
        assert!(!told(aead.verify(&[&buffer], &forged)));
    }
}

/// The plaintext of the checks that encrypt into new room: not whole blocks, so that padding and rests are covered.
fn secret_text() -> [u8; 200] {
    let text = black_box([3; 200]);
    valgrind::secret(&text);
    text
}

/// The key alone, then the plaintext alone: each must reach the output by itself.
fn seal_append() {
    for (key, text) in [(secret(1), [3; 200]), (Secret::new([1; 32]), secret_text())] {
        let mut output = Vec::new();
        Aead::new(&key).seal_append(&[9; 24], b"public", &text, &mut output);
        valgrind::reveal(&output[..200]);
        valgrind::reveal(&output[200..]);
    }
}

fn seal_chunk() {
    let (key, mac, text, mut output) = (secret(1), secret(2), secret_text(), [0; 200]);
    let tag = ChunkCipher::new(Box::new(key), &mac).seal(7, &text, &mut output).expect("of one length");
    valgrind::reveal(&tag);
    valgrind::reveal(&output);
}

fn cbc() {
    let (key, text) = (secret(1), secret_text());
    let mut output = Vec::new();
    aes_cbc::encrypt(&mut output, &key, &[9; 16], &text);
    valgrind::reveal(output.as_slice());

    let (blocks, rest) = text.as_chunks();
    let mut cipher = Encrypting::new(&key, &[9; 16]);
    let mut pieces = cipher.block(&secret(4)).to_vec();
    cipher.append(blocks, &mut pieces);
    pieces.extend_from_slice(&cipher.last(rest).expect("less than a block"));
    valgrind::reveal(&pieces[..16]);
    valgrind::reveal(&pieces[16..]);
}

fn gcm() {
    let output = aes_gcm::seal(&secret(1), &[9; 12], b"public", &secret_text()).expect("short");
    valgrind::reveal(&output[..200]);
    valgrind::reveal(&output[200..]);
}

fn frames() {
    let ciphers =
        [FrameAead::aes_128_gcm(&secret(1)), FrameAead::aes_256_gcm(&secret(1)), FrameAead::ctr_hmac(&secret(1), 10)];
    for cipher in ciphers {
        let mut output = Vec::new();
        cipher.seal_append(&[9; 12], b"public", &secret_text(), &mut output).expect("short");
        valgrind::reveal(&output[..200]);
        valgrind::reveal(&output[200..]);
    }
}

fn seal_and_open_once() {
    let key = secret(1);
    let mut buffer = black_box([3; 64]);
    valgrind::secret(&buffer);
    let tag = seal_once(&key, &[0; 24], b"public", &mut buffer).expect("short");
    valgrind::reveal(&tag);
    valgrind::reveal(&buffer);
    assert!(public(open_once(&key, &[0; 24], b"public", &mut buffer, &tag).is_ok()));
    valgrind::reveal(&buffer);
}

fn generate() {
    let pair = KeyPair::generate(&mut tainted());
    valgrind::reveal(pair.public().as_bytes());
}

fn agree() {
    let shared = x25519::agree(&x25519::pair_from_secret(secret(1)), &peer(2)).expect("of large order");
    valgrind::reveal(shared.expose());
}

fn agree_many() {
    let (one, other) = (x25519::pair_from_secret(secret(1)), x25519::pair_from_secret(secret(2)));
    let shared = agree_all(&[(&one, &peer(3)), (&other, &peer(3)), (&one, &peer(4))]).expect("of large order");
    for shared in &shared {
        valgrind::reveal(shared.expose());
    }
    for shared in agree_each([(&one, &peer(3)), (&other, &peer(4))]).expect("of large order") {
        valgrind::reveal(shared.expose());
    }
}

fn generate_and_agree() {
    let (pair, [one, other]) = x25519::pair_and_agree(secret(7), [&peer(3), &peer(4)]).expect("of large order");
    valgrind::reveal(pair.public().as_bytes());
    valgrind::reveal(one.expose());
    valgrind::reveal(other.expose());
}

fn peer(byte: u8) -> Point {
    Point::decode(*x25519::pair_from_secret(Secret::new([byte; 32])).public()).expect("generated")
}

/// A valid ciphertext and an invalid one. Timing must not tell them apart.
fn decapsulate_parts() {
    let pair = mlkem768::generate_key_pair([5; 64]);
    let (ciphertext, _) = mlkem768::encapsulate(pair.public_key(), [6; 32]);
    let mut damaged = ciphertext.as_slice().to_owned();
    damaged[100] ^= 1;
    let mut key: [u8; 2400] = pair.into_parts().0.into();
    black_box(&mut key);
    // The secret vector, and z. The encapsulation key and its hash are between them.
    valgrind::secret(&key[..1152]);
    valgrind::secret(&key[2368..]);
    for ciphertext in [ciphertext, damaged.into()] {
        let shared = mlkem768::decapsulate(&key.into(), &ciphertext);
        valgrind::reveal(&shared);
    }
}

fn decapsulate_seed() {
    let key = DecapsulationKey::from_seed(&secret(5));
    valgrind::reveal(key.public().as_bytes());
    let (ciphertext, _) = key.public().encapsulate_with(&Secret::new([6; 32]));
    let shared = key.decapsulate(&ciphertext);
    valgrind::reveal(shared.expose());
}

/// Both ends share a secret. Only what they send is public.
fn epoch() {
    let seed = secret(4);
    let (mut owner, mut other) = (Braid::initiator(&NATIVE, &seed), Braid::responder(&NATIVE, &seed));
    let mut secrets: Vec<EpochSecret> = Vec::new();
    while secrets.len() < 2 {
        secrets.extend(say(&mut owner, &mut other));
        secrets.extend(say(&mut other, &mut owner));
    }
    for EpochSecret { epoch, secret } in &secrets {
        assert_eq!(*epoch, 1);
        valgrind::reveal(secret.expose());
    }
}

/// One message of the braid. Returns the secrets that sender and receiver got by it.
fn say(from: &mut Braid, to: &mut Braid) -> impl Iterator<Item = EpochSecret> {
    let draw = from.wants().map(|wants| match wants {
        Wants::Seed => Draw::Seed(Box::new(secret(5))),
        Wants::Randomness => Draw::Randomness(Box::new(secret(6))),
    });
    let sent = from.send(draw).expect("no bug");
    let mut part = sent.part;
    black_box(&mut part);
    valgrind::public(&part.chunk);
    from.apply(sent.change);
    let received = to.receive(&part).expect("genuine");
    to.apply(received.change);
    sent.secret.into_iter().chain(received.secret)
}

fn sign() {
    let pair = SignatureKeyPair::from_secret(&secret(1));
    let signature = pair.sign(b"public");
    valgrind::reveal(&signature);
    valgrind::reveal(pair.public().as_bytes());
}

/// Declassifies whether a tag verified. The function may have branched on it, as `public.supp` permits; then it is no
/// longer tainted.
fn public(verified: bool) -> bool {
    let mut verified = [verified];
    black_box(&mut verified);
    valgrind::public(&verified);
    verified[0]
}

/// Reveals a result that is public, although its inputs are secret.
fn told(found: bool) -> bool {
    let mut found = [found];
    // Force the compiler to read the value from memory, where it is revealed, not from a tainted copy in a register.
    black_box(&mut found);
    valgrind::reveal(&found);
    found[0]
}

fn tainted() -> Tainted {
    Tainted(NotRandom::from_seed(7))
}
