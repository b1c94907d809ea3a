//! [`Ranges`]: decryption of any part of a file (docs/interop.md, section 8.5).
//!
//! Performs no I/O: a [`RangePlan`] tells the caller which bytes of the blob to fetch. These are always whole windows.
//! The cipher would allow single blocks, but nothing would authenticate them.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::error::MediaError;
use super::keys::{self, BLOCK, BlobKeys, TAG};
use super::windows::{self, WINDOW};
use bisik_core::convert::widened;
use bisik_core::primitives::aes_cbc_stream::Decrypting;
use bisik_core::primitives::secret::{reserve, wipe_from};

/// The bytes of a blob that are needed for a range of its file: contiguous whole windows, and the block before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangePlan {
    size: u64,
    plaintext: Range<u64>,
}

impl RangePlan {
    /// The range of the file, in bytes.
    #[must_use]
    pub const fn plaintext(&self) -> Range<u64> {
        self.plaintext.start..self.plaintext.end
    }

    /// The range of the blob to fetch, in bytes; empty for an empty range of the file.
    #[must_use]
    pub fn ciphertext(&self) -> Range<u64> {
        match self.windows() {
            None => 0..0,
            Some((first, last)) => {
                let start = first.saturating_mul(WINDOW_SIZE).saturating_sub(BLOCK_SIZE);
                let end = last.saturating_add(1).saturating_mul(WINDOW_SIZE);
                start..end.min(blob_size(self.size))
            }
        }
    }

    /// The first and the last window.
    fn windows(&self) -> Option<(u64, u64)> {
        let last = self.plaintext.end.checked_sub(1)?;
        (!self.plaintext.is_empty()).then_some((self.plaintext.start / WINDOW_SIZE, last / WINDOW_SIZE))
    }
}

/// Decrypts any part of a file, after verifying the windows that contain it.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// # use bisik::interop::whatsapp::media::{self, MediaKind};
/// # let file: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
/// # let (blob, attachment) = media::encrypt(MediaKind::Video, &file, rng)?;
/// # let fetch = |range: std::ops::Range<u64>| &blob[range.start as usize..range.end as usize];
/// let ranges = attachment.ranges()?; // the attachment has a sidecar
/// let plan = ranges.plan(100_000..150_000);
/// let mut part = Vec::new();
/// ranges.decrypt(&plan, fetch(plan.ciphertext()), &mut part)?;
/// assert_eq!(part, file[100_000..150_000]);
/// # Ok::<(), bisik::interop::whatsapp::media::MediaError>(())
/// ```
pub struct Ranges {
    keys: BlobKeys,
    size: u64,
    /// `length` bytes for each window.
    tags: Vec<u8>,
    length: usize,
}

impl Ranges {
    /// Reads a sidecar: one entry for each window. If only the tag is left over for a last window, some clients write
    /// one more entry, over that tag. S-8.6.
    pub(super) fn of_sidecar(keys: BlobKeys, size: u64, sidecar: &[u8]) -> Result<Self, MediaError> {
        let blob = blob_size(size);
        let count = usize::try_from(blob.div_ceil(WINDOW_SIZE)).map_err(|_| MediaError::Rejected)?;
        let more = usize::from(blob % WINDOW_SIZE == WINDOW_SIZE - ONLY_THE_TAG);
        let (tags, rest) = sidecar.split_at_checked(count.saturating_mul(TAG)).ok_or(MediaError::Rejected)?;
        if !rest.is_empty() && rest.len() != more.saturating_mul(TAG) {
            return Err(MediaError::Rejected);
        }
        Ok(Self { keys, size, tags: tags.to_vec(), length: TAG })
    }

    pub(super) fn of_tags(keys: BlobKeys, size: u64, tags: Vec<[u8; 32]>) -> Self {
        Self { keys, size, tags: tags.into_flattened(), length: 32 }
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// For the bytes `range` of the file, as far as the file has them.
    #[must_use]
    pub fn plan(&self, range: Range<u64>) -> RangePlan {
        let end = range.end.min(self.size);
        RangePlan { size: self.size, plaintext: range.start.min(end)..end }
    }

    /// Decrypts the fetched bytes of `plan` and appends the plaintext to `output`: all of it, or nothing on error. If
    /// `output` has to grow, its old memory is zeroized. S-8.5.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if `ciphertext` is not what the plan names, or the plan is of another file.
    pub fn decrypt(&self, plan: &RangePlan, ciphertext: &[u8], output: &mut Vec<u8>) -> Result<(), MediaError> {
        let wanted = plan.ciphertext();
        let length = wanted.end.checked_sub(wanted.start);
        if plan.size != self.size || Some(widened(ciphertext.len())) != length {
            return Err(MediaError::Rejected);
        }
        let Some((first, _)) = plan.windows() else { return Ok(()) };
        let (before, body) = if first == 0 {
            (&self.keys.iv, ciphertext)
        } else {
            ciphertext.split_first_chunk::<BLOCK>().ok_or(MediaError::Rejected)?
        };
        self.verify(first, before, body)?;
        let start = output.len();
        reserve(output, body.len());
        output.extend_from_slice(body);
        let opened = self.open(plan, first, before, output, start);
        if opened.is_err() {
            wipe_from(output, start);
        }
        opened
    }

    /// Verifies every window, before any is decrypted.
    fn verify(&self, first: u64, before: &[u8; BLOCK], body: &[u8]) -> Result<(), MediaError> {
        let skipped = usize::try_from(first).map_err(|_| MediaError::Rejected)?;
        let mut tags = self.tags.chunks_exact(self.length).skip(skipped);
        let mut before = before;
        for window in body.chunks(WINDOW) {
            let tag = tags.next().ok_or(MediaError::Rejected)?;
            if !keys::verify(&windows::tag(&self.keys.mac, before, window), tag) {
                return Err(MediaError::Rejected);
            }
            // Only the last window can be shorter than a block, and no window follows it.
            before = window.last_chunk().unwrap_or(before);
        }
        Ok(())
    }

    /// Decrypts what follows `start` in `output`, and keeps the range of the plan.
    fn open(
        &self,
        plan: &RangePlan,
        first: u64,
        before: &[u8; BLOCK],
        output: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), MediaError> {
        let position = first.saturating_mul(WINDOW_SIZE);
        let offset = |of: u64| usize::try_from(of.saturating_sub(position)).unwrap_or(usize::MAX);
        let blocks = offset(keys::ciphertext_size(self.size));
        let (_, opened) = output.split_at_mut(start);
        // The tag at the end of the blob is no block.
        let (opened, _tag) = opened.split_at_mut(blocks.min(opened.len()));
        Decrypting::new(&self.keys.cipher, before).apply(opened);
        if opened.len() == blocks && keys::without_padding(opened).map(<[u8]>::len) != Some(offset(self.size)) {
            // The size in the sender's message is not the size of the encrypted file.
            return Err(MediaError::Rejected);
        }
        let (from, to) = (offset(plan.plaintext.start), offset(plan.plaintext.end));
        let kept = to.checked_sub(from).and_then(|kept| start.checked_add(kept)).ok_or(MediaError::Rejected)?;
        let (_, opened) = output.split_at_mut(start);
        opened.copy_within(from..to, 0);
        wipe_from(output, kept);
        Ok(())
    }
}

impl fmt::Debug for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys: _, size, tags: _, length: _ } = self;
        f.debug_struct("Ranges").field("size", size).finish_non_exhaustive()
    }
}

/// Bytes of the blob of a file of `size` bytes.
const fn blob_size(size: u64) -> u64 {
    keys::ciphertext_size(size).saturating_add(TAG_SIZE)
}

/// Bytes of a window.
const WINDOW_SIZE: u64 = 64 << 10;
/// Bytes of a block.
const BLOCK_SIZE: u64 = 16;
/// Bytes of the tag at the end.
const TAG_SIZE: u64 = 10;
/// If the tag alone is left over as a last window of `IV ‖ blob`, the blob is 6 bytes short of a whole number of
/// windows: 16 fewer for the IV, 10 more for the tag.
const ONLY_THE_TAG: u64 = 6;
