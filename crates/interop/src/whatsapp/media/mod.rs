//! Attachments in WhatsApp's format: AES-256-CBC and one tag over the whole file, for an untrusted store
//! (docs/interop.md, section 8).
//!
//! Performs no I/O. Tag and digests cover the whole blob, so that nothing is released before all of it was verified: a
//! blob in memory is verified and then decrypted. A larger one passes through a [`Verifier`] first; any part of it can
//! then be decrypted through the resulting [`Ranges`]. With a sidecar, which holds a tag for each 64 KiB, ranges are
//! available at once.
//!
//! ```
//! # mod bisik { pub use bisik_interop as interop; }
//! # let rng = &mut rand::rng();
//! use bisik::interop::whatsapp::media::{self, MediaKind};
//!
//! let photo = vec![7; 100_000];
//! let (blob, attachment) = media::encrypt(MediaKind::Image, &photo, rng)?;
//! // The blob goes to the store; key, digests, size and sidecar of the attachment go into the message.
//! assert_eq!(attachment.decrypt(&blob)?, photo);
//! # Ok::<(), bisik::interop::whatsapp::media::MediaError>(())
//! ```

mod attachment; // what a message carries, and decryption in memory
mod encrypt; //    push-style encryption
mod error; //      what can go wrong
mod keys; //       8.1: the keys of a blob
mod kind; //       8.1: kinds of file
mod range; //      8.5: decryption of any part of a file
mod verify; //     8.4: push-style verification
mod windows; //    8.3: a tag for each 64 KiB

use alloc::vec::Vec;

use rand_core::CryptoRng;

pub use attachment::Attachment;
pub use encrypt::Encryptor;
pub use error::MediaError;
pub use keys::MediaKey;
pub use kind::MediaKind;
pub use range::{RangePlan, Ranges};
pub use verify::Verifier;

/// Bytes of the largest file: 4 GiB, twice what clients send. The tags of its 64 KiB windows stay within about 2 MiB.
pub const MAX_SIZE: u64 = 1 << 32;

/// Encrypts a file in memory. Returns the blob, for the store, and the attachment, for the message. Uses 32 bytes of
/// `rng`.
///
/// # Errors
///
/// [`MediaError::TooLarge`] if the file has more than [`MAX_SIZE`] bytes.
pub fn encrypt(
    kind: MediaKind,
    plaintext: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Vec<u8>, Attachment), MediaError> {
    let mut encryptor = Encryptor::new(kind, MediaKey::generate(rng));
    let mut blob = Vec::with_capacity(plaintext.len().saturating_add(MOST_ADDED));
    encryptor.push(plaintext, &mut blob)?;
    let attachment = encryptor.finish(&mut blob)?;
    Ok((blob, attachment))
}

/// Greatest ciphertext expansion of a blob in bytes: padding and tag.
const MOST_ADDED: usize = keys::BLOCK + keys::TAG;
