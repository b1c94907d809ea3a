//! Files, blobs and pointers, and a second implementation of section 8 of docs/spec/attachments.md that also makes
//! dishonest blobs.

use std::ops::Range;
use std::sync::LazyLock;

pub use crate::rng::SeededRng;
use bisik::media::{self, CHUNK, DecryptError, Decryptor, Encryptor, HEADER, MediaType, Pointer};
use bisik::rand_core::Rng;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use hmac::{KeyInit, Mac};
use proptest::prelude::*;

/// A whole chunk with its tag.
pub const SEALED: usize = CHUNK + 32;

pub fn photo() -> MediaType {
    MediaType::new("image/jpeg").unwrap()
}

/// A file of this size whose chunks are all different.
pub fn file(size: usize) -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut block = vec![0; CHUNK + 7];
        SeededRng::new(0).fill_bytes(&mut block);
        block.repeat(66)
    });
    BYTES[..size].to_vec()
}

/// A file, its blob and its pointer.
pub fn encrypted(size: usize) -> (Vec<u8>, Vec<u8>, Pointer) {
    let plaintext = file(size);
    let (blob, pointer) = media::encrypt(photo(), &plaintext, &mut SeededRng::new(1)).unwrap();
    (plaintext, blob, pointer)
}

/// In pieces of the given lengths, repeated.
pub fn encrypt_in_pieces(plaintext: &[u8], lengths: &[usize]) -> (Vec<u8>, Pointer) {
    let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut SeededRng::new(1)).unwrap();
    let mut blob = Vec::new();
    for piece in pieces(plaintext, lengths) {
        encryptor.push(piece, &mut blob).unwrap();
    }
    let pointer = finish(&mut encryptor, &mut blob);
    (blob, pointer)
}

pub fn finish(encryptor: &mut Encryptor, blob: &mut Vec<u8>) -> Pointer {
    loop {
        if let Some(pointer) = encryptor.finish(blob).unwrap() {
            return pointer;
        }
    }
}

/// All released plaintext, and the result at the end.
pub fn decrypt_in_pieces(pointer: &Pointer, blob: &[u8], lengths: &[usize]) -> (Vec<u8>, Result<(), DecryptError>) {
    let (mut decryptor, mut plaintext) = (Decryptor::new(pointer), Vec::new());
    let pushed = pieces(blob, lengths).try_for_each(|piece| decryptor.push(piece, &mut plaintext));
    (plaintext, pushed.and_then(|()| decryptor.finish()))
}

pub fn pieces<'a>(bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().copied().cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(lengths.next().unwrap().min(rest.len()));
        rest = after;
        (!(piece.is_empty() && rest.is_empty())).then_some(piece)
    })
}

/// Sizes around every boundary.
pub fn sizes() -> impl Strategy<Value = usize> {
    let border = prop::sample::select(vec![0, 32, 64, CHUNK, 2 * CHUNK, 3 * CHUNK]);
    prop_oneof![
        (border, 0_usize..70).prop_map(|(border, around)| (border + around).saturating_sub(35)),
        0_usize..200_000
    ]
}

pub fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1_usize..100, 1_usize..200_000, Just(CHUNK), Just(SEALED)], 1..5)
        .prop_filter("not a byte at a time", |lengths| lengths.iter().sum::<usize>() > 500)
}

pub fn cut(blob: &[u8], range: Range<u64>) -> &[u8] {
    &blob[range.start as usize..range.end as usize]
}

pub fn pointer_bytes(key: &[u8], root: &[u8; 32], size: u64, kind: &str, thumbnail: u32, blob: &[u8]) -> Vec<u8> {
    let length = [kind.len() as u8];
    let fields: [&[u8]; 8] =
        [&[1], key, root, &size.to_be_bytes(), &length, kind.as_bytes(), &thumbnail.to_be_bytes(), blob];
    fields.concat()
}

/// The keys of a blob, by section 8.1 of docs/spec/attachments.md: for ChaCha20, for HMAC, and the commitment.
fn keys_of(key: &[u8], salt: &[u8], size: u64, kind: &str) -> [[u8; 32]; 3] {
    let info: [&[u8]; 6] = [b"bisik-1 attachment\0", &[0], salt, &[1], &size.to_be_bytes(), kind.as_bytes()];
    let mut keys = [0; 96];
    hkdf::Hkdf::<sha2::Sha256>::from_prk(key).unwrap().expand_multi_info(&info, &mut keys).unwrap();
    [0, 32, 64].map(|at| keys[at..at + 32].try_into().unwrap())
}

/// The tag of a chunk's ciphertext.
fn tag_of(mac: &[u8], ciphertext: &[u8], number: u64) -> [u8; 32] {
    let mut hmac = hmac::Hmac::<sha2::Sha256>::new_from_slice(mac).unwrap();
    hmac.update(ciphertext);
    hmac.update(&number.to_be_bytes());
    hmac.finalize().into_bytes().into()
}

/// The root of a blob.
pub fn root_of(blob: &[u8]) -> [u8; 32] {
    let (header, chunks) = blob.split_at(HEADER);
    let tags = chunks.chunks(SEALED).flat_map(|chunk| &chunk[chunk.len() - 32..]);
    <sha2::Sha256 as sha2::Digest>::digest(header.iter().chain(tags).copied().collect::<Vec<_>>()).into()
}

/// A blob by section 8 of docs/spec/attachments.md, independent of the library: with any padding and any size.
pub fn forge(key: &[u8], salt: &[u8; 24], file: &[u8], padding: &[u8], kind: &str) -> (Vec<u8>, Pointer) {
    let size = file.len() as u64;
    let [cipher, mac, commitment] = keys_of(key, salt, size, kind);
    let padded = media::ciphertext_size(size).unwrap() as usize;
    let mut plaintext = [file, padding].concat();
    plaintext.resize(padded - HEADER - 32 * (padded - HEADER).div_ceil(SEALED), 0);
    let mut blob = [salt.as_slice(), &commitment].concat();
    for number in 0..=plaintext.len() / CHUNK {
        let mut chunk = plaintext[number * CHUNK..plaintext.len().min((number + 1) * CHUNK)].to_vec();
        let nonce: [u8; 12] = (number as u128).to_be_bytes()[4..].try_into().unwrap();
        chacha20::ChaCha20::new(&cipher.into(), &nonce.into()).apply_keystream(&mut chunk);
        let tag = tag_of(&mac, &chunk, number as u64);
        blob.extend_from_slice(&chunk);
        blob.extend_from_slice(&tag);
    }
    let pointer = pointer_bytes(key, &root_of(&blob), size, kind, 0, &[]);
    (blob, Pointer::from_bytes(&pointer).unwrap())
}

/// The blob of a photo with a byte of a chunk changed by someone who has the pointer, and therefore makes a tag for it.
pub fn changed_with_the_key(blob: &[u8], pointer: &Pointer, chunk: usize, at: usize) -> Vec<u8> {
    let [_, mac, _] = keys_of(&pointer.to_bytes()[1..33], &blob[..24], pointer.size(), "image/jpeg");
    let mut changed = blob.to_vec();
    let end = changed.len();
    let sealed = &mut changed[HEADER + chunk * SEALED..end.min(HEADER + (chunk + 1) * SEALED)];
    let (body, tag) = sealed.split_last_chunk_mut::<32>().unwrap();
    body[at] ^= 1;
    *tag = tag_of(&mac, body, chunk as u64);
    changed
}
