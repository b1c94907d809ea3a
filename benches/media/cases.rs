//! The measured cases. One run of each is one file of so many bytes, a power of two, which passes through a buffer.

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

use crate::support::meter::{Case, repeated};

/// Bytes processed at a time: longer files pass through the same memory again.
pub(crate) const BUFFER: u64 = 1 << 20;

/// Bytes that all cores together get at a time.
const WIDE: u64 = 8 << 20;

/// The buffer for a file of so many bytes, and how often it is filled.
fn buffer(bytes: u64, most: u64) -> (Vec<u8>, u64) {
    let length = bytes.min(most);
    (vec![7; length as usize], bytes / length)
}

/// Returns an encryptor. Powers of two get no padding, so all cases process the same number of bytes.
fn encryptor(bytes: u64) -> Encryptor {
    Encryptor::new(MediaType::unknown(), bytes, &mut rand::rng()).unwrap()
}

/// The bare cipher, in place.
pub(crate) fn raw_encrypt(bytes: u64) -> Case {
    let (cipher, (mut buffer, times)) = (ChaCha20Poly1305::new(&[7; 32].into()), buffer(bytes, BUFFER));
    repeated(move || {
        for number in 0..times {
            for (chunk, at) in buffer.chunks_mut(CHUNK).zip(0..) {
                black_box(cipher.encrypt_inout_detached(&nonce(number * 16 + at), &[], chunk.into()).unwrap());
            }
        }
    })
}

/// The same, decrypting from one buffer into another.
pub(crate) fn raw_decrypt(bytes: u64) -> Case {
    let (cipher, (mut sealed, times)) = (ChaCha20Poly1305::new(&[7; 32].into()), buffer(bytes, BUFFER));
    let tags: Vec<Tag> = sealed
        .chunks_mut(CHUNK)
        .zip(0..)
        .map(|(chunk, at)| cipher.encrypt_inout_detached(&nonce(at), &[], chunk.into()).unwrap())
        .collect();
    let mut buffer = vec![0; sealed.len()];
    repeated(move || {
        for _ in 0..times {
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
pub(crate) fn sha256(bytes: u64) -> Case {
    let (buffer, times) = buffer(bytes, BUFFER);
    repeated(move || {
        for _ in 0..times {
            buffer.chunks(CHUNK).for_each(|chunk| _ = black_box(Sha256::digest(chunk)));
        }
    })
}

/// ChaCha20 in place, then HMAC-SHA256 over the ciphertext: what a chunk cannot do without.
pub(crate) fn cipher_then_mac(bytes: u64) -> Case {
    let (mac, (mut buffer, times)) =
        (<Hmac<Sha256> as KeyInit>::new_from_slice(&[9; 32]).unwrap(), buffer(bytes, BUFFER));
    repeated(move || {
        for number in 0..times {
            for (chunk, at) in buffer.chunks_mut(CHUNK).zip(0..) {
                ChaCha20::new(&[7; 32].into(), &nonce(number * 16 + at)).apply_keystream(chunk);
                black_box(mac.clone().chain_update(&chunk).finalize());
            }
        }
    })
}

/// Room for what comes of so many bytes.
fn room(length: usize) -> Vec<u8> {
    vec![0; length + HEADER + (length / CHUNK + 1) * 32]
}

/// The whole encryption, from one buffer into another.
pub(crate) fn encrypt(bytes: u64) -> Case {
    let (plaintext, times) = buffer(bytes, BUFFER);
    let (mut output, mut end) = (room(plaintext.len()), Vec::new());
    repeated(move || {
        let mut encryptor = encryptor(bytes);
        for _ in 0..times {
            encryptor.push_into(black_box(&plaintext), &mut output).unwrap();
            black_box(&output);
        }
        end.clear();
        encryptor.finish(&mut end).unwrap()
    })
}

/// The same, appended to a vector.
pub(crate) fn encrypt_appending(bytes: u64) -> Case {
    let ((plaintext, times), mut output) = (buffer(bytes, BUFFER), Vec::new());
    repeated(move || {
        let mut encryptor = encryptor(bytes);
        for _ in 0..times {
            output.clear();
            encryptor.push(black_box(&plaintext), &mut output).unwrap();
            black_box(&output);
        }
        encryptor.finish(&mut output).unwrap()
    })
}

/// The same on all cores.
pub(crate) fn encrypt_parallel(bytes: u64) -> Case {
    let (plaintext, times) = buffer(bytes, WIDE);
    let (mut output, mut end) = (room(plaintext.len()), Vec::new());
    repeated(move || {
        let mut encryptor = encryptor(bytes);
        for _ in 0..times {
            encryptor.push_into_parallel(black_box(&plaintext), &mut output).unwrap();
            black_box(&output);
        }
        end.clear();
        encryptor.finish(&mut end).unwrap()
    })
}

fn blob(bytes: u64) -> (Vec<u8>, Pointer) {
    media::encrypt(MediaType::unknown(), &vec![7; bytes as usize], &mut rand::rng()).unwrap()
}

/// The whole decryption of a file that is in memory, in pieces.
pub(crate) fn decrypt(bytes: u64) -> Case {
    let ((blob, pointer), mut output) = (blob(bytes), Vec::new());
    let piece = room(BUFFER as usize).len();
    repeated(move || {
        let mut decryptor = Decryptor::new(&pointer);
        for piece in blob.chunks(piece) {
            output.clear();
            decryptor.push(black_box(piece), &mut output).unwrap();
            black_box(&output);
        }
        decryptor.finish().unwrap();
    })
}

/// The same on all cores.
pub(crate) fn decrypt_parallel(bytes: u64) -> Case {
    let ((blob, pointer), mut output) = (blob(bytes), Vec::new());
    let piece = room(WIDE as usize).len();
    repeated(move || {
        let mut decryptor = Decryptor::new(&pointer);
        for piece in blob.chunks(piece) {
            output.clear();
            decryptor.push_parallel(black_box(piece), &mut output).unwrap();
            black_box(&output);
        }
        decryptor.finish().unwrap();
    })
}

/// Decryption of ranges, which have no root.
pub(crate) fn decrypt_parts(bytes: u64) -> Case {
    let ((blob, pointer), mut output) = (blob(bytes), Vec::new());
    let access = RandomAccess::new(&pointer, blob.first_chunk::<HEADER>().unwrap()).unwrap();
    let (length, times) = (bytes.min(BUFFER), bytes / bytes.min(BUFFER));
    let plans: Vec<_> = (0..times).map(|at| RangePlan::new(&pointer, at * length..(at + 1) * length)).collect();
    repeated(move || {
        for plan in &plans {
            let (start, end) = (plan.ciphertext().start as usize, plan.ciphertext().end as usize);
            output.clear();
            access.decrypt(plan, black_box(&blob[start..end]), &mut output).unwrap();
            black_box(&output);
        }
    })
}

/// AES-256-CBC, then HMAC-SHA256 over the ciphertext. With `digest`, also SHA-256 over everything, which receivers
/// compare in the messengers that use this construction.
pub(crate) fn cbc_hmac(bytes: u64, digest: bool) -> Case {
    let piece = bytes.min(CHUNK as u64);
    let mut buffer = vec![7; piece as usize + 16];
    repeated(move || {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[9; 32]).unwrap();
        let mut hash = Sha256::new();
        for _ in 0..bytes / piece {
            // In practice one long encryption. It is restarted for each piece, which costs one block in four thousand.
            let cipher = cbc::Encryptor::<Aes256>::new(&[7; 32].into(), &[8; 16].into());
            let sealed = cipher.encrypt_padded::<Pkcs7>(black_box(&mut buffer), piece as usize).unwrap();
            mac.update(sealed);
            if digest {
                hash.update(sealed);
            }
        }
        (mac.finalize(), hash.finalize())
    })
}
