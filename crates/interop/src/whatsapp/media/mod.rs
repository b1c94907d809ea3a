//! Attachments in WhatsApp's layout: AES-256-CBC and a tag over the whole, for a store that need not be trusted
//! (docs/interop.md, section 8).
//!
//! Does not know stores, networks or messages. The tag and the digests are at the end or about the whole, so nothing is
//! released before everything was seen: a blob in memory is verified and then decrypted; a larger one goes through a
//! [`Verifier`] first, and any part of it afterwards through the [`Ranges`] that come of it. With a sidecar those can be had
//! at once: it holds a tag for each 64 KiB.
//!
//! ```
//! # mod bisik { pub use bisik_interop as interop; }
//! # let rng = &mut rand::rng();
//! use bisik::interop::whatsapp::media::{self, MediaKind};
//!
//! let photo = vec![7; 100_000];
//! let (blob, attachment) = media::encrypt(MediaKind::Image, &photo, rng)?;
//! // The blob goes to the store; key, digests, size and sidecar of the attachment into the message.
//! assert_eq!(attachment.decrypt(&blob)?, photo);
//! # Ok::<(), bisik::interop::whatsapp::media::MediaError>(())
//! ```

mod attachment; // what travels inside a message, and decryption of what is in memory
mod encrypt; //    push-style encryption
mod error; //      what can go wrong
mod keys; //        8.1: the keys of a blob
mod kind; //        8.1: what a file is
mod range; //       8.5: any part of a file
mod verify; //      8.4: push-style verification
mod windows; //     8.3: a tag for each 64 KiB

use alloc::vec::Vec;

use rand_core::CryptoRng;

pub use attachment::Attachment;
pub use encrypt::Encryptor;
pub use error::MediaError;
pub use keys::MediaKey;
pub use kind::MediaKind;
pub use range::{RangePlan, Ranges};
pub use verify::Verifier;

/// Bytes of the largest file, 4 GiB: twice what clients send. What is kept for each 64 KiB of it then stays below 2 MiB.
pub const MAX_SIZE: u64 = 1 << 32;

/// Encrypts a file that is in memory: its blob, for a store, and what a message says of it. Uses 32 bytes of `rng`.
///
/// # Errors
///
/// [`MediaError::TooLarge`] where it has more than [`MAX_SIZE`] bytes.
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

/// Bytes that a blob has more than its file, at most: the padding and the tag.
const MOST_ADDED: usize = keys::BLOCK + keys::TAG;
