//! `media_pointer`: arbitrary pointers. `media_decrypt`: edited blobs, and blobs of a dishonest sender.
//!
//! Dishonest blobs are written without the library, from docs/spec/attachments.md, section 8.

use std::sync::LazyLock;

use bisik::media::{self, CHUNK, Decryptor, HEADER, MediaType, Pointer, RandomAccess};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use hkdf::Hkdf;
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
    match input.byte() % 4 {
        3 => of_a_hostile_sender(input),
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

/// A blob of one chunk.
fn forge(size: u64, plaintext: &[u8]) -> (Vec<u8>, Pointer) {
    let (key, salt, kind) = ([0x41; 32], [0x73; 24], b"image/jpeg");
    let info: [&[u8]; 6] = [b"bisik-1 attachment\0", &[0], &salt, &[1], &size.to_be_bytes(), kind];
    let mut keys = [0; 76];
    Hkdf::<Sha256>::from_prk(&key).expect("32 bytes").expand_multi_info(&info, &mut keys).expect("76 bytes");
    let (cipher, rest) = keys.split_at(32);
    let (nonce, commitment) = rest.split_first_chunk::<12>().expect("76 bytes");
    let mut chunk = plaintext.to_vec();
    let cipher = ChaCha20Poly1305::new_from_slice(cipher).expect("32 bytes");
    let tag = cipher.encrypt_inout_detached(&(*nonce).into(), &[], chunk.as_mut_slice().into()).expect("a short one");
    let blob = [salt.as_slice(), commitment, &chunk, &tag].concat();
    let digest: [u8; 32] = Sha256::digest(&blob).into();
    let length = [kind.len() as u8];
    let pointer = [&[1], key.as_slice(), &digest, &size.to_be_bytes(), &length, kind, &[0; 4]].concat();
    (blob, Pointer::from_bytes(&pointer).expect("a pointer"))
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
    ]
}

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
const SPLICE: u8 = 4;
