//! [`Verifier`]: push-style verification of a blob (docs/interop.md, section 8.4).
//!
//! Performs no I/O, and releases nothing. It keeps a tag for each window, so that the bytes are verified again when
//! they are read a second time for decryption.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::MAX_SIZE;
use super::attachment::Attachment;
use super::error::MediaError;
use super::keys::{self, BLOCK, BlobKeys, TAG};
use super::range::Ranges;
use super::windows::{WINDOW, Windows};
use bisik_core::convert::widened;
use bisik_core::primitives::aes_cbc_stream::Decrypting;
use bisik_core::primitives::kdf::HmacSha256Stream;
use bisik_core::primitives::sha256::Hash;

/// Verifies one blob from its beginning, without decrypting it. The resulting [`Ranges`] decrypt any part of the file
/// in a second pass over the same bytes, which are verified again with a full tag for each 64 KiB.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// # use bisik::interop::whatsapp::media::{self, MediaKind};
/// # let file = vec![7; 200_000];
/// # let (blob, attachment) = media::encrypt(MediaKind::Document, &file, rng)?;
/// # let fetch = |range: std::ops::Range<u64>| &blob[range.start as usize..range.end as usize];
/// let mut verifier = attachment.verifier();
/// for piece in blob.chunks(1_000) {
///     verifier.push(piece)?; // and write it to disk, for example
/// }
/// let ranges = verifier.finish()?;
/// let mut part = Vec::new();
/// let plan = ranges.plan(100_000..150_000);
/// ranges.decrypt(&plan, fetch(plan.ciphertext()), &mut part)?;
/// assert_eq!(part, file[100_000..150_000]);
/// # Ok::<(), bisik::interop::whatsapp::media::MediaError>(())
/// ```
pub struct Verifier {
    keys: BlobKeys,
    file_digest: [u8; 32],
    blob_digest: [u8; 32],
    /// The most bytes that the blob may have; exactly that many if the size is known.
    most: u64,
    size: Option<u64>,
    cipher: Box<Decrypting>,
    mac: Box<HmacSha256Stream>,
    file: Hash,
    blob: Hash,
    windows: Windows,
    /// The bytes received last, always including tag and padding. Never grows beyond its initial capacity.
    pending: Zeroizing<Vec<u8>>,
    received: u64,
    /// Bytes of the file that were hashed.
    seen: u64,
}

impl Attachment {
    /// Begins to verify a blob that is not in memory.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::new(self)
    }
}

impl Verifier {
    fn new(attachment: &Attachment) -> Self {
        let Attachment { kind, key, file_digest, blob_digest, size, .. } = attachment;
        let keys = BlobKeys::derive(*kind, key);
        let mut mac = Box::new(keys.mac.start());
        mac.update(&keys.iv);
        let most = keys::ciphertext_size(size.unwrap_or(MAX_SIZE).min(MAX_SIZE)).saturating_add(TAG_SIZE);
        Self {
            file_digest: *file_digest,
            blob_digest: *blob_digest,
            most,
            size: *size,
            cipher: Box::new(Decrypting::new(&keys.cipher, &keys.iv)),
            mac,
            file: Hash::new(),
            blob: Hash::new(),
            windows: Windows::new(&keys),
            pending: Zeroizing::new(Vec::with_capacity(WINDOW + HELD)),
            received: 0,
            seen: 0,
            keys,
        }
    }

    /// Takes the next bytes of the blob.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if the blob is too long, and at every call after that.
    pub fn push(&mut self, ciphertext: &[u8]) -> Result<(), MediaError> {
        // Once past the most it stays there, and `finish` refuses too.
        self.received = self.received.saturating_add(widened(ciphertext.len()));
        if self.received > self.most {
            return Err(MediaError::Rejected);
        }
        let mut rest = ciphertext;
        while !rest.is_empty() {
            let room = (WINDOW + HELD).saturating_sub(self.pending.len());
            let (head, after) = rest.split_at(room.min(rest.len()));
            self.pending.extend_from_slice(head);
            if head.len() == room {
                self.absorb();
            }
            rest = after;
        }
        Ok(())
    }

    /// Verifies the tag, the digest of the blob, the padding, and the digest of the file.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if anything differs.
    pub fn finish(self) -> Result<Ranges, MediaError> {
        let Self { keys, file_digest, blob_digest, mut cipher, mut mac, mut file, mut blob, mut windows, .. } = self;
        let mut pending = self.pending;
        blob.update(&pending);
        windows.update(&pending);
        let (ciphertext, tag) = pending.split_last_chunk_mut::<TAG>().ok_or(MediaError::Rejected)?;
        if self.received > self.most || ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
            return Err(MediaError::Rejected);
        }
        // S-8.4. The blob first: only an authentic blob is decrypted to check its padding and digest.
        mac.update(ciphertext);
        if blob.finish() != blob_digest || !keys::verify(mac.finish().expose(), tag) {
            return Err(MediaError::Rejected);
        }
        cipher.apply(ciphertext);
        let end = keys::without_padding(ciphertext).ok_or(MediaError::Rejected)?;
        file.update(end);
        let size = self.seen.checked_add(widened(end.len())).ok_or(MediaError::Rejected)?;
        if file.finish() != file_digest || self.size.is_some_and(|expected| expected != size) {
            return Err(MediaError::Rejected);
        }
        Ok(Ranges::of_tags(keys, size, windows.finish()))
    }

    /// Removes a whole window from `pending`. What remains includes the tag and the last block.
    fn absorb(&mut self) {
        let Some((window, rest)) = self.pending.split_at_mut_checked(WINDOW) else { return };
        self.blob.update(window);
        self.windows.update(window);
        self.mac.update(window);
        self.cipher.apply(window);
        self.file.update(window);
        self.seen = self.seen.saturating_add(widened(window.len()));
        window.zeroize();
        let kept = rest.len();
        self.pending.copy_within(WINDOW.., 0);
        self.pending.truncate(kept);
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("received", &self.received).finish_non_exhaustive()
    }
}

/// Bytes of the tag.
const TAG_SIZE: u64 = 10;
/// Bytes that remain when a window is removed: the tag, and the block with the padding.
const HELD: usize = BLOCK + TAG;
