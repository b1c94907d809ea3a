//! Attachments: neither keys nor plaintext are left in freed memory, whether a file is completed or not.
//!
//! Plaintext belongs to the caller, so it is wiped here.

use bisik::StorageKey;
use bisik::media::{self, CHUNK, Decryptor, Encryptor, HEADER, MediaType, Pointer, RandomAccess};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::canaries::Canaries;
use super::freed::{Freed, freed_by};
use super::recording::Recording;

/// Some chunks, the last one short.
const SIZE: usize = 2 * CHUNK + 1_000;

fn file() -> Zeroizing<Vec<u8>> {
    let rng = &mut Recording::new(77);
    Zeroizing::new((0..SIZE.div_ceil(32)).flat_map(|_| rng.secret()).take(SIZE).collect())
}

/// The keys of chunks for ChaCha20 and for HMAC, computed again (docs/spec/attachments.md, section 8.1).
pub(super) fn chunk_keys(key: &[u8], salt: &[u8], role: &[u8], size: u64, kind: &[u8]) -> Vec<u8> {
    let mut output = vec![0; 96];
    let info: [&[u8]; 6] = [b"bisik-1 attachment\0", &[0], salt, role, &size.to_be_bytes(), kind];
    hkdf::Hkdf::<Sha256>::from_prk(key).unwrap().expand_multi_info(&info, &mut output).unwrap();
    output.truncate(64);
    output
}

/// The states of SHA-256 after the two padded keys of HMAC (RFC 2104), which stand for the key.
fn hmac_states(key: &[u8]) -> [Vec<u8>; 2] {
    [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        Sha256::new_with_prefix(block).serialize()[..32].to_vec()
    })
}

fn assert_nothing_left(rng: &Recording, blob: &[u8], pointer: &Pointer, freed: &Freed) {
    let mut canaries = Canaries::new();
    canaries.add_drawn("the sender", rng);
    let (key, kind) = (&pointer.to_bytes()[1..33], pointer.media_type().as_str().as_bytes());
    let keys = chunk_keys(key, &blob[..24], &[1], pointer.size(), kind);
    canaries.add("keys of chunks", &keys);
    hmac_states(&keys[32..]).iter().for_each(|state| canaries.add("a state of HMAC", state));
    for (chunk, plaintext) in file().chunks(CHUNK).enumerate() {
        canaries.add(&format!("beginning of chunk {chunk}"), &plaintext[..200]);
        canaries.add(&format!("middle of chunk {chunk}"), &plaintext[plaintext.len() / 2..][..200]);
        canaries.add(&format!("end of chunk {chunk}"), &plaintext[plaintext.len() - 200..]);
    }
    canaries.assert_absent(freed);
}

#[test]
fn attachment_encryption_leaves_nothing_in_freed_memory() {
    let (file, mut rng) = (file(), Recording::new(1));
    let ((blob, pointer), freed) = freed_by(|| {
        let mut abandoned = Encryptor::new(MediaType::unknown(), SIZE as u64, &mut rng).unwrap();
        let mut output = Vec::new();
        abandoned.push(&file[..70_000], &mut output).unwrap();
        assert!(abandoned.push(&file, &mut output).is_err());
        drop(Box::new(abandoned));
        let mut encryptor = Encryptor::new(MediaType::unknown(), SIZE as u64, &mut rng).unwrap();
        let mut blob = Vec::new();
        // The vector grows many times while plaintext is appended.
        for piece in file.chunks(50_000) {
            encryptor.push(piece, &mut blob).unwrap();
        }
        let pointer = encryptor.finish(&mut blob).unwrap().unwrap();
        drop(vec![encryptor]);
        (blob, pointer)
    });
    assert_nothing_left(&rng, &blob, &pointer, &freed);
}

#[test]
fn attachment_decryption_leaves_nothing_in_freed_memory() {
    let (file, mut rng) = (file(), Recording::new(2));
    let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, &mut rng).unwrap();
    let ((), freed) = freed_by(|| {
        let mut changed = blob.clone();
        *changed.last_mut().unwrap() ^= 1;
        for blob in [&blob, &changed] {
            let mut decryptor = Decryptor::new(&pointer);
            // As above: the memory that plaintext moves out of is wiped.
            let mut plaintext = Vec::new();
            let pushed = blob.chunks(20_000).try_for_each(|piece| decryptor.push(piece, &mut plaintext));
            assert_eq!(pushed.and_then(|()| decryptor.finish()).is_ok(), plaintext == *file);
            plaintext.fill(0);
            drop(pointer.decrypt(blob).map(Zeroizing::new));
            let access = RandomAccess::new(&pointer, blob.first_chunk::<HEADER>().unwrap()).unwrap();
            for range in [10..SIZE as u64, 65_000..70_000, 65_000..65_400, 0..5] {
                let plan = access.plan(range);
                let (start, end) = (plan.ciphertext().start as usize, plan.ciphertext().end as usize);
                let mut part = Vec::new();
                let _ = access.decrypt(&plan, &blob[start..end], &mut part);
                // The part that a caller can see; the library wipes the rest of the memory.
                part.fill(0);
            }
            drop(vec![access]);
        }
    });
    assert_nothing_left(&rng, &blob, &pointer, &freed);
}

#[test]
fn a_pointer_and_its_thumbnail_leave_nothing_in_freed_memory() {
    let (file, mut rng) = (file(), Recording::new(3));
    let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, &mut rng).unwrap();
    let ((), freed) = freed_by(|| {
        let pointer = pointer.clone().with_thumbnail(&file[..1_000], &mut rng).unwrap();
        let bytes = Zeroizing::new(pointer.to_bytes());
        assert!(Pointer::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        let read = Pointer::from_bytes(&bytes).unwrap();
        drop(Zeroizing::new(read.thumbnail().unwrap().unwrap()));
        let mut pointers = vec![read];
        (0..10).for_each(|_| pointers.push(pointer.clone()));
        drop(Box::new(pointer));
    });
    assert_nothing_left(&rng, &blob, &pointer, &freed);
}

#[test]
fn a_suspended_upload_leaves_nothing_in_freed_memory() {
    let (file, mut rng) = (file(), Recording::new(4));
    let (key, context) = (StorageKey::from_bytes([0x3B; 32]), b"upload");
    let ((blob, pointer), freed) = freed_by(|| {
        let mut encryptor = Encryptor::new(MediaType::unknown(), SIZE as u64, &mut rng).unwrap();
        let mut blob = Vec::new();
        encryptor.push(&file[..CHUNK + 9], &mut blob).unwrap();
        let record = encryptor.seal(&key, context, &mut rng);
        drop(Box::new(encryptor));
        let mut resumed = Encryptor::unseal(&key, context, &record).unwrap();
        resumed.push(&file[CHUNK..], &mut blob).unwrap();
        let pointer = resumed.finish(&mut blob).unwrap().unwrap();
        (blob, pointer)
    });
    assert_eq!(pointer.decrypt(&blob).unwrap(), *file);
    assert_nothing_left(&rng, &blob, &pointer, &freed);
}
