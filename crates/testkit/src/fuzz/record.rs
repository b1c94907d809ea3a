//! Sealed records, opened and made with the storage key but without the library (docs/spec, sections 1.3 and
//! 6.1).
//!
//! A fuzzer thereby gets past the tag, and the library needs no hook that could weaken it.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The storage key of all records here.
pub const STORAGE_KEY: [u8; 32] = [0x4b; 32];
/// The kind of a block of skipped message keys.
pub const SKIPPED_KEYS: u8 = 14;
/// The name of every record.
pub const CONTEXT: &[u8] = b"record";

/// The kind of state in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Identity = 1,
    PreKeys = 2,
    Session = 3,
    Ratchet = 4,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Identity, Self::PreKeys, Self::Session, Self::Ratchet];
}

/// A record that holds `state`, valid or not.
pub fn seal(kind: Kind, state: &[u8]) -> Vec<u8> {
    seal_named(kind as u8, CONTEXT, state)
}

/// Like `seal`, of any kind and under any name.
pub fn seal_named(kind: u8, context: &[u8], state: &[u8]) -> Vec<u8> {
    seal_with([0x4e; NONCE], kind, context, state)
}

/// Like `seal_named`, with a nonce: a block has its name from it.
pub fn seal_with(nonce: [u8; NONCE], kind: u8, context: &[u8], state: &[u8]) -> Vec<u8> {
    let mut body = state.to_vec();
    apply_stream(&STORAGE_KEY, &nonce, &mut body);
    let tag = record_tag(kind, context, &nonce, &body);
    [&[FORMAT], nonce.as_slice(), &body, &tag].concat()
}

/// The state in a genuine record.
pub fn open(kind: Kind, record: &[u8]) -> Vec<u8> {
    open_named(kind as u8, CONTEXT, record)
}

/// Like `open`, of any kind and under any name.
pub fn open_named(kind: u8, context: &[u8], record: &[u8]) -> Vec<u8> {
    try_open(kind, context, record).expect("the record is genuine and of this kind")
}

/// Like `open_named`; nothing if the tag is not of this kind and name.
pub fn try_open(kind: u8, context: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = record[1..].split_first_chunk().expect("a record has a nonce");
    let (body, tag) = rest.split_last_chunk::<16>().expect("a record has a tag");
    let mut state = body.to_vec();
    apply_stream(&STORAGE_KEY, nonce, &mut state);
    (*tag == record_tag(kind, context, nonce, body)).then_some(state)
}

fn record_tag(kind: u8, context: &[u8], nonce: &[u8; NONCE], body: &[u8]) -> [u8; 16] {
    let associated = [b"bisik-1 sealed record\0", &[kind, FORMAT] as &[u8], context].concat();
    let length = (associated.len() as u64).to_be_bytes();
    tag(&STORAGE_KEY, &[&length, &associated, nonce, body])
}

/// HMAC-SHA256 of the concatenation of `parts`.
pub fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// `HMAC(K, 0x02 ‖ parts)[0..16]`.
pub fn tag(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 16] {
    let full = hmac(key, &[&[[0x02].as_slice()], parts].concat());
    *full.first_chunk().expect("32 bytes have 16")
}

/// ChaCha20 under `HMAC(K, 0x01 ‖ N)`.
pub fn apply_stream(key: &[u8; 32], nonce: &[u8; NONCE], buffer: &mut [u8]) {
    let stream_key = hmac(key, &[&[0x01], nonce]);
    ChaCha20::new(&stream_key.into(), &[0; 12].into()).apply_keystream(buffer);
}

/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// The format of sealed state.
const FORMAT: u8 = 1;
