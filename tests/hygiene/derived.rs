//! The secrets that the library derives, derived a second time from docs/spec without the library.

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

/// The secret vector; what follows it in an expanded key is public, or in the seed.
pub fn ml_kem_expanded(seed: &[u8; 64]) -> Vec<u8> {
    mlkem768::generate_key_pair(*seed).private_key().as_slice()[..1152].to_vec()
}

pub fn ml_kem_shared(seed: &[u8; 64], randomness: &[u8; 32]) -> [u8; 32] {
    mlkem768::encapsulate(mlkem768::generate_key_pair(*seed).public_key(), *randomness).1
}

/// What each scalar of one shares with each of the other. The coordinates of a point depend on which of the two computed it.
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

/// The secrets of a sealed session: what follows revision, id, peer, disclosure and opening (section 6.5).
pub fn add_session(canaries: &mut Canaries, state: &[u8]) {
    let mut fields = Fields(&state[8 + 16 + 64 + 32..]);
    match fields.byte() {
        0 => fields.skip(1_208),
        1 => {}
        _ => fields.skip(32),
    }
    add_ratchet(canaries, fields.0);
}

/// The secrets of a sealed ratchet (section 6.4).
pub fn add_ratchet(canaries: &mut Canaries, state: &[u8]) {
    let mut fields = Fields(state);
    fields.skip(32);
    canaries.add("root key", &fields.secret());
    if fields.byte() == 1 {
        canaries.add("ratchet secret", &fields.secret());
        fields.skip(32);
    }
    if fields.byte() == 1 {
        fields.skip(32);
    }
    if fields.byte() == 1 {
        add_aead_key(canaries, "sending header key", &fields.secret());
        add_chain_key(canaries, "sending chain key", &fields.secret());
        fields.skip(4);
    }
    add_aead_key(canaries, "next sending header key", &fields.secret());
    fields.skip(4);
    add_aead_key(canaries, "next receiving header key", &fields.secret());
    for _ in 0..fields.number() {
        add_aead_key(canaries, "receiving header key", &fields.secret());
        fields.skip(32 + 4);
        if fields.byte() == 1 {
            add_chain_key(canaries, "receiving chain key", &fields.secret());
        }
        for _ in 0..fields.number() {
            fields.skip(4);
            add_aead_key(canaries, "skipped message key", &fields.secret());
        }
    }
    assert!(fields.0.is_empty(), "the layout of the state has changed");
}

/// With the message key that it gives.
fn add_chain_key(canaries: &mut Canaries, name: &str, key: &[u8; 32]) {
    canaries.add(name, key);
    add_aead_key(canaries, "message key", &hmac(key, &[1]));
}

/// With the two hash states that stand for it wherever it is ready for use.
pub fn add_aead_key(canaries: &mut Canaries, name: &str, key: &[u8; 32]) {
    canaries.add(name, key);
    for pad in [0x36, 0x5C] {
        canaries.add(&format!("{name}, hashed"), &padded_state(key, pad));
    }
}

/// SHA-256 after one block: the key under a pad of HMAC. Words as they are in memory.
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
    fn array<const N: usize>(&mut self) -> [u8; N] {
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
