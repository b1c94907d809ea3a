//! Attachments: files of any size, encrypted in chunks for an untrusted store
//! ([section 8](crate::manual::spec::attachments#8-attachments)).
//!
//! Encryption yields a blob for the store and a [`Pointer`], which travels inside a message and holds the key:
//!
//! ```text
//!   sender                                    store                                   receiver
//!   Encryptor ──▶ header, chunk, chunk … ──▶  blob  ──▶ chunk, chunk … ──▶ Decryptor: each chunk once it has verified
//!       └───────▶ Pointer ───────── in an encrypted message ─────────────▶     └────▶ finish: the file is complete
//!                                                                          or RandomAccess: any part of it
//! ```
//!
//! This module performs no I/O. Plaintext and ciphertext pass through slices, and memory use is independent of the file
//! size. The feature `std` adds adapters to `std::io`; the feature `rayon` adds methods that use all cores.
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::media::{self, MediaType, Pointer};
//!
//! let photo = vec![7; 100_000];
//! let (blob, pointer) = media::encrypt(MediaType::new("image/jpeg")?, &photo, rng)?;
//! let message = pointer.to_bytes(); // goes into Session::encrypt; the blob goes to the store
//!
//! let pointer = Pointer::from_bytes(&message)?;
//! assert_eq!(pointer.decrypt(&blob)?, photo);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decrypt; //    push-style decryption; each chunk is released once it has verified
mod encrypt; //    push-style encryption
mod error; //      errors of attachments
mod format; //     8.2: positions and lengths of chunks
#[cfg(feature = "std")]
mod io; //         std::io::{Read, Write, Seek}
mod keys; //       8.1: the keys of chunks and the commitment to them
mod media_type; // 8.4: media types
#[cfg(feature = "rayon")]
mod parallel; //   encryption and decryption on all cores, with the same output
mod pointer; //    8.4: the pointer inside a message
mod range; //      8.3: any part of a file
mod root; //       8.2: the hash over a blob's tags, which names it
mod sealer; //     8.1: encryption of consecutive chunks
mod thumbnail; //  8.4: a small picture inside the pointer
mod upload; //     6.6: encryption that resumes after a restart

use alloc::vec::Vec;

use rand_core::CryptoRng;

pub use decrypt::Decryptor;
pub use encrypt::Encryptor;
pub use error::{DecryptError, EncryptError, MediaTypeError, PointerError};
pub use format::{CHUNK, HEADER, MAX_SIZE, ciphertext_size};
#[cfg(feature = "std")]
pub use io::{DecryptingReader, EncryptingReader, EncryptingWriter, RandomAccessReader};
pub use media_type::MediaType;
pub use pointer::Pointer;
pub use range::{RandomAccess, RangePlan};

/// Encrypts a file that is in memory, and returns its blob for the store and its pointer for a message.
///
/// Draws 32 bytes (key), then 24 (salt) from `rng`.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::media::{self, DecryptError, MediaType};
///
/// let (mut blob, pointer) = media::encrypt(MediaType::new("text/plain")?, b"halo", rng)?;
/// assert_eq!(blob.len() as u64, pointer.ciphertext_size());
/// assert_eq!(pointer.decrypt(&blob)?, b"halo");
/// blob[50] ^= 1; // the store damages it
/// assert_eq!(pointer.decrypt(&blob), Err(DecryptError::Rejected));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`EncryptError::TooLarge`] if the file has more than [`MAX_SIZE`] bytes.
pub fn encrypt(
    media_type: MediaType,
    plaintext: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Vec<u8>, Pointer), EncryptError> {
    let mut encryptor = Encryptor::new(media_type, format::bytes(plaintext.len()), rng)?;
    let mut blob = Vec::with_capacity(usize::try_from(encryptor.ciphertext_size()).unwrap_or(0));
    encryptor.push(plaintext, &mut blob)?;
    let pointer = loop {
        if let Some(pointer) = encryptor.finish(&mut blob)? {
            break pointer;
        }
    };
    Ok((blob, pointer))
}
