//! [`Verifier`]: the blob in pieces of any length in, nothing out until all of it has held (docs/interop.md, section 8.4).
//!
//! Does not know where the blob comes from, nor whether it will be the same when it is read again: that is what the tags are
//! for which it leaves behind.

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

/// Verifies one blob from its beginning, and gives nothing of it out. What comes of it decrypts any part of the file, in a
/// second pass over the same bytes: of each 64 KiB it keeps a whole tag, which they must have again.
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
///     verifier.push(piece)?; // and on to the disk, say
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
    /// The most bytes that the blob may have; exactly so many where the size is known.
    most: u64,
    size: Option<u64>,
    cipher: Box<Decrypting>,
    mac: Box<HmacSha256Stream>,
    file: Hash,
    blob: Hash,
    windows: Windows,
    /// What came last, enough of it that the tag and the padding are always there. Never grows beyond its first capacity.
    pending: Zeroizing<Vec<u8>>,
    received: u64,
    /// Bytes of the file that were seen.
    seen: u64,
}

impl Verifier {
    pub(super) fn new(attachment: &Attachment) -> Self {
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
    /// [`MediaError::Rejected`] where the blob is longer than it can be, and at every call after that.
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

    /// Says whether all of it held: the tag, the digest of the blob, the padding, and the digest of the file.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] where anything differs.
    pub fn finish(self) -> Result<Ranges, MediaError> {
        let Self { keys, file_digest, blob_digest, mut cipher, mut mac, mut file, mut blob, mut windows, .. } = self;
        let mut pending = self.pending;
        blob.update(&pending);
        windows.update(&pending);
        let (ciphertext, tag) = pending.split_last_chunk_mut::<TAG>().ok_or(MediaError::Rejected)?;
        if self.received > self.most || ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
            return Err(MediaError::Rejected);
        }
        // S-8.4. The blob first; only what is the sender's is decrypted for its padding and digest.
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

    /// Takes a whole window off `pending`; what stays holds at least the tag and the last block.
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
/// Bytes that stay when a window is taken off: the tag, and the block with the padding.
const HELD: usize = BLOCK + TAG;
