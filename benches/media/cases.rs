//! The measured cases. Each processes a number of bytes through one buffer, repeatedly.

use std::hint::black_box;

use aes::Aes256;
use bisik::media::{self, CHUNK, Decryptor, Encryptor, HEADER, MediaType, Pointer, RandomAccess, RangePlan};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Tag};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// Processes this many bytes.
pub(crate) type Work = Box<dyn FnMut(u64)>;

/// Bytes processed at a time: longer inputs pass through the same memory again.
pub(crate) const BUFFER: usize = 1 << 20;

/// Bytes that all cores together get at a time.
const WIDE: usize = 8 << 20;

fn buffers(bytes: u64) -> u64 {
    bytes / BUFFER as u64
}

/// Returns an encryptor. Powers of two get no padding, so all cases process the same number of bytes.
fn encryptor(bytes: u64) -> Encryptor {
    Encryptor::new(MediaType::unknown(), bytes, &mut rand::rng()).unwrap()
}

/// The bare cipher, in place.
pub(crate) fn raw_encrypt() -> Work {
    let (cipher, mut buffer) = (ChaCha20Poly1305::new(&[7; 32].into()), vec![7; BUFFER]);
    Box::new(move |bytes| {
        for number in 0..buffers(bytes) {
            for (chunk, at) in buffer.chunks_mut(CHUNK).zip(0..) {
                black_box(cipher.encrypt_inout_detached(&nonce(number * 16 + at), &[], chunk.into()).unwrap());
            }
        }
    })
}

/// The same, decrypting from one buffer into another.
pub(crate) fn raw_decrypt() -> Work {
    let cipher = ChaCha20Poly1305::new(&[7; 32].into());
    let mut sealed = vec![7; BUFFER];
    let tags: Vec<Tag> = sealed
        .chunks_mut(CHUNK)
        .zip(0..)
        .map(|(chunk, at)| cipher.encrypt_inout_detached(&nonce(at), &[], chunk.into()).unwrap())
        .collect();
    let mut buffer = vec![0; BUFFER];
    Box::new(move |bytes| {
        for _ in 0..buffers(bytes) {
            for (((from, to), tag), at) in sealed.chunks(CHUNK).zip(buffer.chunks_mut(CHUNK)).zip(&tags).zip(0..) {
                let buffer = InOutBuf::new(from, to).unwrap();
                cipher.decrypt_inout_detached(&nonce(at), &[], buffer, tag).unwrap();
            }
            black_box(&buffer);
        }
    })
}

fn nonce(number: u64) -> chacha20poly1305::Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce.into()
}

/// The hash alone, chunk by chunk.
pub(crate) fn sha256() -> Work {
    let buffer = vec![7; BUFFER];
    Box::new(move |bytes| {
        for _ in 0..buffers(bytes) {
            buffer.chunks(CHUNK).for_each(|chunk| _ = black_box(Sha256::digest(chunk)));
        }
    })
}

/// ChaCha20 in place, then HMAC-SHA256 over the ciphertext: what a chunk cannot do without.
pub(crate) fn cipher_then_mac() -> Work {
    let (mac, mut buffer) = (<Hmac<Sha256> as KeyInit>::new_from_slice(&[9; 32]).unwrap(), vec![7; BUFFER]);
    Box::new(move |bytes| {
        for number in 0..buffers(bytes) {
            for (chunk, at) in buffer.chunks_mut(CHUNK).zip(0..) {
                ChaCha20::new(&[7; 32].into(), &nonce(number * 16 + at)).apply_keystream(chunk);
                black_box(mac.clone().chain_update(&chunk).finalize());
            }
        }
    })
}

/// The whole encryption, from one buffer into another.
pub(crate) fn encrypt() -> Work {
    let (plaintext, mut output) = (vec![7; BUFFER], vec![0; BUFFER + HEADER + BUFFER / CHUNK * 32]);
    let mut end = Vec::new();
    Box::new(move |bytes| {
        let mut encryptor = encryptor(bytes);
        for _ in 0..buffers(bytes) {
            encryptor.push_into(black_box(&plaintext), &mut output).unwrap();
            black_box(&output);
        }
        end.clear();
        black_box(encryptor.finish(&mut end).unwrap());
    })
}

/// The same, appended to a vector.
pub(crate) fn encrypt_appending() -> Work {
    let (plaintext, mut output) = (vec![7; BUFFER], Vec::new());
    Box::new(move |bytes| {
        let mut encryptor = encryptor(bytes);
        for _ in 0..buffers(bytes) {
            output.clear();
            encryptor.push(black_box(&plaintext), &mut output).unwrap();
            black_box(&output);
        }
        black_box(encryptor.finish(&mut output).unwrap());
    })
}

/// The same on all cores.
pub(crate) fn encrypt_parallel() -> Work {
    let (plaintext, mut output) = (vec![7; WIDE], vec![0; WIDE + HEADER + WIDE / CHUNK * 32]);
    let mut end = Vec::new();
    Box::new(move |bytes| {
        let mut encryptor = encryptor(bytes);
        for _ in 0..(bytes / WIDE as u64).max(1) {
            let plaintext = &plaintext[..WIDE.min(bytes as usize)];
            encryptor.push_into_parallel(black_box(plaintext), &mut output).unwrap();
            black_box(&output);
        }
        end.clear();
        black_box(encryptor.finish(&mut end).unwrap());
    })
}

fn blob(length: usize) -> (Vec<u8>, Pointer) {
    media::encrypt(MediaType::unknown(), &vec![7; length], &mut rand::rng()).unwrap()
}

/// The whole decryption of a file of one buffer, once for each buffer.
pub(crate) fn decrypt() -> Work {
    let ((blob, pointer), mut output) = (blob(BUFFER), Vec::new());
    Box::new(move |bytes| {
        for _ in 0..buffers(bytes) {
            let mut decryptor = Decryptor::new(&pointer);
            output.clear();
            decryptor.push(black_box(&blob), &mut output).unwrap();
            decryptor.finish().unwrap();
            black_box(&output);
        }
    })
}

/// The same on all cores.
pub(crate) fn decrypt_parallel() -> Work {
    let (narrow, wide, mut output) = (blob(BUFFER), blob(WIDE), Vec::new());
    Box::new(move |bytes| {
        let (blob, pointer) = if bytes < WIDE as u64 { &narrow } else { &wide };
        for _ in 0..(bytes / WIDE as u64).max(1) {
            let mut decryptor = Decryptor::new(pointer);
            output.clear();
            decryptor.push_parallel(black_box(blob), &mut output).unwrap();
            decryptor.finish().unwrap();
            black_box(&output);
        }
    })
}

/// Decryption of ranges, which have no root.
pub(crate) fn decrypt_parts() -> Work {
    let ((blob, pointer), mut output) = (blob(BUFFER), Vec::new());
    let access = RandomAccess::new(&pointer, blob.first_chunk::<HEADER>().unwrap()).unwrap();
    let plan = RangePlan::new(&pointer, 0..BUFFER as u64);
    let (start, end) = (plan.ciphertext().start as usize, plan.ciphertext().end as usize);
    Box::new(move |bytes| {
        for _ in 0..buffers(bytes) {
            output.clear();
            access.decrypt(&plan, black_box(&blob[start..end]), &mut output).unwrap();
            black_box(&output);
        }
    })
}

/// AES-256-CBC, then HMAC-SHA256 over the ciphertext. With `digest`, also SHA-256 over everything, which receivers
/// compare in the messengers that use this construction.
pub(crate) fn cbc_hmac(digest: bool) -> Work {
    let mut buffer = vec![7; CHUNK + 16];
    Box::new(move |bytes| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[9; 32]).unwrap();
        let mut hash = Sha256::new();
        for _ in 0..buffers(bytes) * (BUFFER / CHUNK) as u64 {
            // In practice one long encryption. It is restarted for each piece, which costs one block in four thousand.
            let cipher = cbc::Encryptor::<Aes256>::new(&[7; 32].into(), &[8; 16].into());
            let sealed = cipher.encrypt_padded::<Pkcs7>(black_box(&mut buffer), CHUNK).unwrap();
            mac.update(sealed);
            if digest {
                hash.update(sealed);
            }
        }
        black_box((mac.finalize(), hash.finalize()));
    })
}
