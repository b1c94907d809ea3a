//! Attachments: files of any size, encrypted in chunks for a store that need not be trusted (docs/spec/attachments.md,
//! section 8).
//!
//! Does not know stores, networks or messages: a [`Pointer`] travels inside a message, the blob beside it.
//!
//! ```text
//!   sender                                    store                                   receiver
//!   Encryptor ──▶ header, chunk, chunk … ──▶  blob  ──▶ chunk, chunk … ──▶ Decryptor: each chunk once it is verified
//!       └───────▶ Pointer ───────── in an encrypted message ─────────────▶     └────▶ finish: nothing is missing
//!                                                                          or RandomAccess: any part of it
//! ```
//!
//! Nothing here does I/O, and memory does not grow with the file: plaintext and ciphertext go through slices. The feature
//! `std` adds adapters to `std::io`, the feature `rayon` all cores.
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

mod decrypt; //    push-style decryption, each chunk released once it is verified
mod encrypt; //    push-style encryption, and where it can be taken up again
mod error; //      what can go wrong
mod format; //     8.2: where chunks are
#[cfg(feature = "std")]
mod io; //         std::io::{Read, Write, Seek}
mod keys; //       8.1: the keys of chunks, and the commitment to them
mod media_type; // what a file is
#[cfg(feature = "rayon")]
mod parallel; //   all cores, the same bytes
mod pointer; //    8.4: what travels inside a message
mod range; //      any part of a file
mod thumbnail; //  8.4: a small picture inside the pointer
mod upload; //     6.6: an encryption that survives a restart

use alloc::vec::Vec;

use rand_core::CryptoRng;

pub use decrypt::Decryptor;
pub use encrypt::Encryptor;
pub use error::{DecryptError, EncryptError, MediaTypeError, PointerError};
pub use format::{CHUNK, HEADER, MAX_SIZE, ciphertext_size};
#[cfg(feature = "std")]
pub use io::{DecryptingReader, EncryptingReader, EncryptingWriter};
pub use media_type::MediaType;
pub use pointer::Pointer;
pub use range::{RandomAccess, RangePlan};

/// Encrypts a file that is in memory: its blob, for a store, and its pointer, for a message. Uses 32 and 24 bytes of `rng`.
///
/// # Errors
///
/// [`EncryptError::TooLarge`] where it has more than [`MAX_SIZE`] bytes.
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
