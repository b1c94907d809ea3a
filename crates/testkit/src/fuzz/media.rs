//! `media_pointer`: arbitrary pointers. `media_decrypt`: edited blobs, and blobs of a dishonest sender or receiver.
//!
//! Dishonest blobs are written without the library, from docs/spec/attachments.md, section 8.

use std::sync::LazyLock;

use bisik::media::{self, CHUNK, Decryptor, HEADER, MediaType, Pointer, RandomAccess};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::fixtures::Repeatable;
use super::input::{Input, RAW};

/// A file, its blob and its pointer.
struct Sent {
    file: Vec<u8>,
    blob: Vec<u8>,
    pointer: Pointer,
}

/// Of one chunk, of two, and of two with an empty one at the end. Edits reach the first 64 KiB of each.
static SENT: LazyLock<[Sent; 3]> = LazyLock::new(|| {
    [200, CHUNK + 1_000, CHUNK].map(|size| {
        let file: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let kind = MediaType::new("image/jpeg").expect("a media type");
        let (blob, pointer) = media::encrypt(kind, &file, &mut Repeatable(size as u64)).expect("a small file");
        Sent { file, blob, pointer }
    })
});

/// A decoded pointer has one encoding, and can be queried without panic.
pub fn media_pointer(data: &[u8]) {
    let Ok(pointer) = Pointer::from_bytes(data) else { return };
    assert_eq!(pointer.to_bytes(), data, "decoded values have one encoding");
    assert!(data.len() <= Pointer::MAX_LENGTH && pointer.size() <= media::MAX_SIZE);
    assert!(MediaType::new(pointer.media_type().as_str()).is_ok());
    if let Ok(Some(thumbnail)) = pointer.thumbnail() {
        assert!(!thumbnail.is_empty() && thumbnail.len() <= Pointer::MAX_THUMBNAIL);
    }
    let Sent { blob, pointer: genuine, .. } = &SENT[0];
    let genuine = genuine.to_bytes();
    let same = data.get(..73) == genuine.get(..73) && pointer.media_type().as_str() == "image/jpeg";
    assert_eq!(pointer.decrypt(blob).is_ok(), same, "one pointer opens a blob");
}

/// The first byte selects the blob.
pub fn media_decrypt(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 5 {
        3 => of_a_hostile_sender(input),
        4 => of_another_receiver(input),
        which => with_edits(&SENT[usize::from(which)], input),
    }
}

fn with_edits(sent: &Sent, mut input: Input<'_>) {
    let [step, start, length] = [(); 3].map(|()| usize::from(u16::from_be_bytes(input.array())));
    let blob = input.edited(&SENT.each_ref().map(|sent| sent.blob.as_slice()));
    let genuine = blob == sent.blob;
    assert_eq!(sent.pointer.decrypt(&blob).is_ok(), genuine, "only the blob itself opens");

    let (mut decryptor, mut released) = (Decryptor::new(&sent.pointer), Vec::new());
    let pushed = blob.chunks(step.max(50)).try_for_each(|piece| decryptor.push(piece, &mut released));
    let end = pushed.and_then(|()| decryptor.finish());
    assert_eq!(end.is_ok(), genuine);
    assert!(end != Err(media::DecryptError::Incomplete) || blob.len() < sent.blob.len());
    assert!(sent.file.starts_with(&released), "released plaintext is the file's");
    assert!(end.is_err() || released == sent.file);

    let Some(header) = blob.first_chunk::<HEADER>() else { return };
    let Ok(access) = RandomAccess::new(&sent.pointer, header) else { return };
    let plan = access.plan(start as u64..(start + length) as u64);
    let wanted = plan.ciphertext();
    let Some(part) = blob.get(wanted.start as usize..wanted.end as usize) else { return };
    let mut output = Vec::new();
    if access.decrypt(&plan, part, &mut output).is_ok() {
        assert_eq!(output, sent.file[start.min(sent.file.len())..(start + length).min(sent.file.len())]);
    }
}

/// A sender that has the key writes any plaintext and claims any size.
fn of_a_hostile_sender(mut input: Input<'_>) {
    let size = u64::from(input.byte());
    let plaintext = input.bytes(CHUNK - 1);
    let (blob, pointer) = forge(size, plaintext);
    let decrypted = pointer.decrypt(&blob);
    let (file, padding) = plaintext.split_at(plaintext.len().min(size as usize));
    let good = blob.len() as u64 == pointer.ciphertext_size() && padding.iter().all(|byte| *byte == 0);
    assert_eq!(decrypted.ok().as_deref(), good.then_some(file), "padding is zeros, and as long as it must be");
}

/// Another receiver has the key, and makes tags for a blob that it edits.
fn of_another_receiver(mut input: Input<'_>) {
    let sent = &SENT[usize::from(input.byte()) % SENT.len()];
    let mut blob = input.edited(&SENT.each_ref().map(|sent| sent.blob.as_slice()));
    if let Some((header, chunks)) = blob.split_first_chunk_mut::<HEADER>() {
        let [_, mac, _] = keys(&sent.pointer.to_bytes()[1..33], &header[..24], sent.pointer.size());
        for (number, chunk) in (0..).zip(chunks.chunks_mut(CHUNK + 32)) {
            if let Some((body, end)) = chunk.split_last_chunk_mut() {
                *end = tag(&mac, body, number);
            }
        }
    }
    let decrypted = sent.pointer.decrypt(&blob);
    assert_eq!(decrypted.is_ok(), blob == sent.blob, "a pointer has one content, also for those who have the key");
}

/// A blob of one chunk.
fn forge(size: u64, plaintext: &[u8]) -> (Vec<u8>, Pointer) {
    let (key, salt) = ([0x41; 32], [0x73; 24]);
    let [cipher, mac, commitment] = keys(&key, &salt, size);
    let mut chunk = plaintext.to_vec();
    ChaCha20::new(&cipher.into(), &[0; 12].into()).apply_keystream(&mut chunk);
    let tag = tag(&mac, &chunk, 0);
    let root: [u8; 32] = Sha256::digest([salt.as_slice(), &commitment, &tag].concat()).into();
    let blob = [salt.as_slice(), &commitment, &chunk, &tag].concat();
    let length = [KIND.len() as u8];
    let pointer = [&[1], key.as_slice(), &root, &size.to_be_bytes(), &length, KIND, &[0; 4]].concat();
    (blob, Pointer::from_bytes(&pointer).expect("a pointer"))
}

/// The keys for ChaCha20 and for HMAC, and the commitment.
fn keys(key: &[u8], salt: &[u8], size: u64) -> [[u8; 32]; 3] {
    let info: [&[u8]; 6] = [b"bisik-1 attachment\0", &[0], salt, &[1], &size.to_be_bytes(), KIND];
    let mut keys = [[0; 32]; 3];
    let room = keys.as_flattened_mut();
    Hkdf::<Sha256>::from_prk(key).expect("32 bytes").expand_multi_info(&info, room).expect("96 bytes");
    keys
}

fn tag(mac: &[u8], ciphertext: &[u8], number: u64) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(mac).expect("any length");
    hmac.update(ciphertext);
    hmac.update(&number.to_be_bytes());
    hmac.finalize().into_bytes().into()
}

pub fn pointer_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let plain = SENT[0].pointer.to_bytes();
    let pointer = SENT[0].pointer.clone().with_thumbnail(b"a small picture", &mut Repeatable(3));
    let thumbnail = pointer.expect("a short one").to_bytes();
    let changed = |at: usize, bytes: &[u8]| {
        let mut pointer = plain.clone();
        pointer[at..][..bytes.len()].copy_from_slice(bytes);
        pointer
    };
    vec![
        ("plain", plain.clone()),
        ("thumbnail", thumbnail.clone()),
        ("thumbnail_damaged", [&thumbnail[..thumbnail.len() - 1], &[0]].concat()),
        ("thumbnail_cut", thumbnail[..thumbnail.len() - 1].to_vec()),
        ("largest", changed(65, &media::MAX_SIZE.to_be_bytes())),
        ("too_large", changed(65, &[0xff; 8])),
        ("media_type_with_capitals", changed(74, b"I")),
        ("media_type_too_long", changed(73, &[0xff])),
        ("trailing_byte", [plain.as_slice(), &[0]].concat()),
    ]
}

pub fn decrypt_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let edit = |which: u8, edits: &[u8]| [&[which, 0x03, 0xe8, 0, 50, 0x7f, 0xff, which], edits].concat();
    let hostile = |size: u8, plaintext: &[u8]| [&[3, size], plaintext].concat();
    vec![
        ("one_chunk", edit(0, &[0])),
        ("two_chunks", edit(1, &[0])),
        ("empty_last_chunk", edit(2, &[0])),
        ("flipped_salt", edit(0, &[1, FLIP, 1, 0, 2])),
        ("flipped_commitment", edit(0, &[1, FLIP, 1, 0, 30])),
        ("flipped_chunk", edit(1, &[1, FLIP, 1, 1, 0])),
        ("flipped_tag", edit(0, &[1, FLIP, 1, 1, 20])),
        ("truncated", edit(1, &[1, TRUNCATE, 0, 0xff, 0])),
        ("of_another_file", vec![0, 0, 99, 0, 0, 0, 9, 1, 0]),
        ("spliced", edit(1, &[1, SPLICE, 2, 0, 56])),
        ("raw", [&[0, 0, 99, 0, 0, 0, 9, RAW, 0, 60], [7; 60].as_slice()].concat()),
        ("hostile_good", hostile(5, &[b"photo".as_slice(), &[0; 27]].concat())),
        ("hostile_padding", hostile(4, &[b"photo".as_slice(), &[0; 27]].concat())),
        ("hostile_size", hostile(60, &[0x55; 32])),
        ("retagged", vec![4, 0, 0, 0]),
        ("retagged_flipped_chunk", vec![4, 1, 1, 1, FLIP, 1, 1, 0]),
        ("retagged_of_another_file", vec![4, 1, 0, 0]),
    ]
}

/// The media type of all files here.
const KIND: &[u8] = b"image/jpeg";

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
const SPLICE: u8 = 4;
