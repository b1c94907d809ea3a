//! Files, blobs and pointers, and a second implementation of section 8 of docs/spec/attachments.md that also makes
//! dishonest blobs.

use std::ops::Range;
use std::sync::LazyLock;

pub use crate::rng::SeededRng;
use bisik::media::{self, CHUNK, DecryptError, Decryptor, Encryptor, HEADER, MediaType, Pointer};
use bisik::rand_core::Rng;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use proptest::prelude::*;

/// A whole chunk with its tag.
pub const SEALED: usize = CHUNK + 16;

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

pub fn pointer_bytes(key: &[u8], digest: &[u8; 32], size: u64, kind: &str, thumbnail: u32, blob: &[u8]) -> Vec<u8> {
    let length = [kind.len() as u8];
    let fields: [&[u8]; 8] =
        [&[1], key, digest, &size.to_be_bytes(), &length, kind.as_bytes(), &thumbnail.to_be_bytes(), blob];
    fields.concat()
}

/// A blob by section 8 of docs/spec/attachments.md, independent of the library: with any padding and any size.
pub fn forge(key: &[u8], salt: &[u8; 24], file: &[u8], padding: &[u8], kind: &str) -> (Vec<u8>, Pointer) {
    let size = file.len() as u64;
    let info: [&[u8]; 6] = [b"bisik-1 attachment\0", &[0], salt, &[1], &size.to_be_bytes(), kind.as_bytes()];
    let mut keys = [0; 76];
    hkdf::Hkdf::<sha2::Sha256>::from_prk(key).unwrap().expand_multi_info(&info, &mut keys).unwrap();
    let cipher = chacha20poly1305::ChaCha20Poly1305::new_from_slice(&keys[..32]).unwrap();
    let padded = media::ciphertext_size(size).unwrap() as usize;
    let mut plaintext = [file, padding].concat();
    plaintext.resize(padded - HEADER - 16 * (padded - HEADER).div_ceil(SEALED), 0);
    let mut blob = [salt, &keys[44..]].concat();
    for number in 0..=plaintext.len() / CHUNK {
        let mut chunk = plaintext[number * CHUNK..plaintext.len().min((number + 1) * CHUNK)].to_vec();
        let mut nonce: [u8; 12] = keys[32..44].try_into().unwrap();
        nonce.iter_mut().zip((number as u128).to_be_bytes()[4..].iter()).for_each(|(to, from)| *to ^= from);
        let tag = cipher.encrypt_inout_detached(&nonce.into(), &[], chunk.as_mut_slice().into()).unwrap();
        blob.extend_from_slice(&chunk);
        blob.extend_from_slice(&tag);
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&blob).into();
    let pointer = Pointer::from_bytes(&pointer_bytes(key, &digest, size, kind, 0, &[])).unwrap();
    (blob, pointer)
}
