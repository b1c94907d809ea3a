//! The secrets that the library derives, derived again from docs/spec without the library.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use hmac::{Hmac, KeyInit, Mac};
use libcrux_ml_kem::mlkem768;
use sha2::{Digest, Sha256, Sha512};

use super::canaries::Canaries;

pub fn ed25519_expanded(secret: &[u8; 32]) -> [u8; 64] {
    Sha512::digest(secret).into()
}

/// The secret vector. The rest of an expanded key is public, or in the seed.
pub fn ml_kem_expanded(seed: &[u8; 64]) -> Vec<u8> {
    mlkem768::generate_key_pair(*seed).private_key().as_slice()[..1152].to_vec()
}

pub fn ml_kem_shared(seed: &[u8; 64], randomness: &[u8; 32]) -> [u8; 32] {
    mlkem768::encapsulate(mlkem768::generate_key_pair(*seed).public_key(), *randomness).1
}

/// The agreements of every scalar of one party with every scalar of the other. The coordinates of a point depend on
/// which party computed it.
pub fn agreements(one: &[[u8; 32]], other: &[[u8; 32]]) -> Vec<EdwardsPoint> {
    let half = |ours: &[[u8; 32]], theirs: &[[u8; 32]]| -> Vec<_> {
        let publics = theirs.iter().map(|secret| MontgomeryPoint::mul_base_clamped(*secret).to_edwards(0).unwrap());
        publics.flat_map(|public| ours.iter().map(move |secret| public.mul_clamped(*secret))).collect()
    };
    [half(one, other), half(other, one)].concat()
}

/// The state inside a record (section 6.1), without checking its tag.
pub fn state_of(record: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let (nonce, mut body) = (&record[1..25], record[25..record.len() - 16].to_vec());
    let stream_key = hmac(key, &[&[1], nonce].concat());
    ChaCha20::new(&stream_key.into(), &[0; 12].into()).apply_keystream(&mut body);
    body
}

/// Adds the secrets of a sealed session (section 6.5): those of its set-up and of its ratchet.
pub fn add_session(canaries: &mut Canaries, state: &[u8]) {
    let mut fields = Fields(&state[8 + 16 + 64 + 32 + 8..]);
    match fields.byte() {
        0 => {
            fields.skip(1_208 + 64 + 32);
            for _ in 0..fields.number() {
                fields.skip(1 + 8);
                canaries.add("what an older session gives", &fields.secret());
            }
        }
        1 => {}
        2 => fields.skip(32),
        _ => {
            fields.skip(32);
            canaries.add("what an older session gives", &fields.secret());
        }
    }
    add_ratchet(canaries, fields.0);
}

/// Adds the secrets of a sealed ratchet (section 6.4), except for the randomness of the braid's encapsulations.
pub fn add_ratchet(canaries: &mut Canaries, state: &[u8]) {
    let mut fields = Fields(state);
    walk_ratchet(&mut fields, &mut |name, secret| {
        if name.ends_with("chain key") {
            add_chain_key(canaries, name, secret);
        } else if name.ends_with("header key") || name.ends_with("message key") {
            add_aead_key(canaries, name, secret);
        } else {
            canaries.add(name, secret);
        }
    });
    add_post_quantum(canaries, fields);
}

/// Visits the secrets of a sealed ratchet, up to its post-quantum part.
fn walk_ratchet(fields: &mut Fields<'_>, visit: &mut dyn FnMut(&str, &[u8; 32])) {
    fields.skip(32 + 4);
    visit("root key", &fields.secret());
    match fields.byte() {
        0 => {}
        1 => {
            visit("ratchet secret", &fields.secret());
            fields.skip(32);
            visit("sending header key", &fields.secret());
            visit("sending chain key", &fields.secret());
            fields.skip(4);
        }
        _ => fields.skip(32),
    }
    visit("next header key", &fields.secret());
    fields.skip(4 + 1);
    for chain in 0..fields.number() {
        fields.skip(4 + 4);
        visit("receiving header key", &fields.secret());
        fields.skip(32 + 4);
        if chain == 0 {
            visit("receiving chain key", &fields.secret());
        }
        for _ in 0..fields.number() {
            fields.skip(4 + 4);
            for _ in 0..fields.number() {
                visit("skipped message key", &fields.secret());
            }
        }
    }
    if fields.byte() == 1 {
        visit("resumption secret to offer", &fields.secret());
    }
    for _ in 0..fields.number() {
        visit("resumption secret to accept", &fields.secret());
    }
    fields.skip(4);
    let remembered = fields.number();
    fields.skip((4 + 4 + 8) * remembered as usize + 1);
}

/// Adds the secrets of the post-quantum part: what is not mixed yet, the braid's authenticator, and its seed.
fn add_post_quantum(canaries: &mut Canaries, mut fields: Fields<'_>) {
    fields.skip(4);
    if fields.byte() == 1 {
        fields.skip(4);
        canaries.add("secret of an epoch", &fields.secret());
    }
    fields.skip(4 + 4 + 4 + 1);
    let phase = fields.byte();
    fields.skip(4);
    canaries.add("authenticator", &fields.secret());
    if OWNS_A_SEED.contains(&phase) {
        canaries.add("ML-KEM seed", &fields.array::<64>());
    }
}

/// The states of the braid in which its record continues with the seed of an ML-KEM key.
const OWNS_A_SEED: std::ops::RangeInclusive<u8> = 1..=4;

/// The secrets of a pre-key that was made with this draw by the owner of this X25519 secret (section 2.6): X25519 secret
/// and ML-KEM seed.
pub fn pre_key(identity: &[u8; 32], random: &[u8; 32], kind: u8) -> ([u8; 32], [u8; 64]) {
    let draw = hmac(&hedge(identity), &[DRAW, &[0x03], random.as_slice(), &[kind]].concat());
    (expand(&draw, 0x10), expand(&draw, 0x12))
}

/// The secrets of a set-up (section 3.2): ephemeral secret, randomness of the encapsulation, first ratchet secret.
pub fn set_up(identity: &[u8; 32], random: &[u8; 32], bundle: &[u8]) -> [[u8; 32]; 3] {
    let digest = Sha256::digest(&bundle[..bundle.len() - 64]);
    let input = [DRAW, &[0x01], random.as_slice(), digest.as_slice(), &[0; 32]].concat();
    let draw = hmac(&hedge(identity), &input);
    [0x10, 0x11, 0x13].map(|purpose| expand(&draw, purpose))
}

/// The secret that every draw of a device passes through.
pub fn hedge(identity: &[u8; 32]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"bisik-1 hedge\0").unwrap();
    mac.update(identity);
    mac.finalize().into_bytes().into()
}

fn expand<const N: usize>(draw: &[u8; 32], purpose: u8) -> [u8; N] {
    let mut output = [0; N];
    let prk = hkdf::Hkdf::<Sha256>::from_prk(draw).unwrap();
    prk.expand(&[DRAW, &[purpose]].concat(), &mut output).unwrap();
    output
}

const DRAW: &[u8] = b"bisik-1 draw\0";

/// Adds a chain key and the message key that it gives.
fn add_chain_key(canaries: &mut Canaries, name: &str, key: &[u8; 32]) {
    canaries.add(name, key);
    add_aead_key(canaries, "message key", &hmac(key, &[1]));
}

/// The own ratchet secret in an answered session's state, in which the last step was its own.
pub fn ratchet_secret(state: &[u8]) -> [u8; 32] {
    let mut fields = Fields(&state[8 + 16 + 64 + 32 + 8..]);
    if fields.byte() != 1 {
        fields.skip(32);
    }
    fields.skip(32 + 4 + 32);
    assert_eq!(fields.byte(), 1, "the last step was the peer's");
    fields.secret()
}

/// The resumption secrets in a session's state.
pub fn resumption_secrets(state: &[u8]) -> Vec<[u8; 32]> {
    let mut fields = Fields(&state[8 + 16 + 64 + 32 + 8..]);
    if fields.byte() != 1 {
        fields.skip(32);
    }
    let mut found = Vec::new();
    walk_ratchet(&mut fields, &mut |name, secret| {
        if name.starts_with("resumption secret") {
            found.push(*secret);
        }
    });
    found
}

/// Adds an AEAD key and the two hash states that represent it once it is set up.
pub fn add_aead_key(canaries: &mut Canaries, name: &str, key: &[u8; 32]) {
    canaries.add(name, key);
    for pad in [0x36, 0x5C] {
        canaries.add(&format!("{name}, hashed"), &padded_state(key, pad));
    }
}

/// SHA-256 after one block: the key under a pad of HMAC, in words as they are in memory.
fn padded_state(key: &[u8; 32], pad: u8) -> Vec<u8> {
    let block = std::array::from_fn(|at| key.get(at).copied().unwrap_or(0) ^ pad);
    let mut state =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19_u32];
    sha2::block_api::compress256(&mut state, &[block]);
    state.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

pub fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// A state, read from the front.
pub struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().unwrap();
        self.0 = rest;
        *head
    }

    pub fn secret(&mut self) -> [u8; 32] {
        self.array()
    }

    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub fn skip(&mut self, length: usize) {
        self.0 = &self.0[length..];
    }
}
