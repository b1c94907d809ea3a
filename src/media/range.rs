//! [`RandomAccess`]: any part of a file from the chunks that hold it (docs/spec/attachments.md, section 8.3).
//!
//! Performs no I/O; callers fetch the ranges that a [`RangePlan`] names.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::decrypt::{AT_ONCE, open_chunk, open_full};
use super::error::DecryptError;
use super::format::{self, HEADER, Layout, SEALED_CHUNK};
use super::keys::ChunkKeys;
use super::pointer::Pointer;
use bisik_core::internal::InternalError;
use bisik_core::primitives::secret::{reserve, wipe_from};

/// The range of a blob to fetch for a range of its file: consecutive whole chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangePlan {
    layout: Layout,
    plaintext: Range<u64>,
}

impl RangePlan {
    /// Plans for the bytes `range` of the file that `pointer` names. A range past the end of the file is shortened.
    #[must_use]
    pub fn new(pointer: &Pointer, range: Range<u64>) -> Self {
        Self::of(pointer.layout(), range)
    }

    fn of(layout: Layout, range: Range<u64>) -> Self {
        let end = range.end.min(layout.size());
        Self { layout, plaintext: range.start.min(end)..end }
    }

    /// Returns the range of the file in bytes.
    #[must_use]
    pub const fn plaintext(&self) -> Range<u64> {
        self.plaintext.start..self.plaintext.end
    }

    /// Returns the range of the blob to fetch, in bytes; empty if the range of the file is empty.
    #[must_use]
    pub fn ciphertext(&self) -> Range<u64> {
        match self.last_chunk() {
            None => 0..0,
            Some(last) => self.layout.sealed_start(self.first_chunk())..self.layout.sealed_end(last),
        }
    }

    const fn first_chunk(&self) -> u64 {
        format::chunk_of(self.plaintext.start)
    }

    fn last_chunk(&self) -> Option<u64> {
        let last = self.plaintext.end.checked_sub(1)?;
        (!self.plaintext.is_empty()).then(|| format::chunk_of(last))
    }
}

/// Decrypts any part of a file, to play from the middle or to load several parts at once.
///
/// Every byte returned was made with the pointer's key for its position. Whether the rest of the blob exists and has the
/// pointer's root is unknown; only a [`Decryptor`](super::Decryptor) sees the whole blob. Whoever else has the pointer
/// can make other chunks that verify, if the store helps; they do not fit the root. The size is authentic even before
/// the last chunk is read, because the commitment covers it.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::media::{self, MediaType};
/// use bisik::media::{HEADER, RandomAccess, RangePlan};
///
/// # let file: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
/// # let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, rng)?;
/// # let fetch = |range: std::ops::Range<u64>| &blob[range.start as usize..range.end as usize];
/// let access = RandomAccess::new(&pointer, fetch(0..HEADER as u64).first_chunk().unwrap())?;
/// let plan = RangePlan::new(&pointer, 100_000..150_000);
/// let mut part = Vec::new();
/// access.decrypt(&plan, fetch(plan.ciphertext()), &mut part)?;
/// assert_eq!(part, file[100_000..150_000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RandomAccess {
    keys: ChunkKeys,
    layout: Layout,
}

impl RandomAccess {
    /// Checks the header, the first [`HEADER`] bytes of the blob that `pointer` names.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Rejected`] if the blob does not commit to the pointer's key, size and media type.
    pub fn new(pointer: &Pointer, header: &[u8; HEADER]) -> Result<Self, DecryptError> {
        let layout = pointer.layout();
        let keys = ChunkKeys::of_blob(pointer.attachment(), header, &pointer.role(), layout.size());
        Ok(Self { keys: keys.map_err(|_| DecryptError::Rejected)?, layout })
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.layout.size()
    }

    /// Plans for a range of this file; see [`RangePlan::new`].
    #[must_use]
    pub fn plan(&self, range: Range<u64>) -> RangePlan {
        RangePlan::of(self.layout, range)
    }

    /// Decrypts the planned range and appends it to `output`.
    ///
    /// `ciphertext` is the range of the blob that [`RangePlan::ciphertext`] returns. If `output` must grow, its old
    /// memory is wiped.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Rejected`] if `ciphertext` is not the planned range, or the plan is for another file. Nothing is
    /// appended in that case.
    pub fn decrypt(&self, plan: &RangePlan, ciphertext: &[u8], output: &mut Vec<u8>) -> Result<(), DecryptError> {
        let wanted = plan.ciphertext();
        let length = wanted.end.checked_sub(wanted.start);
        if plan.layout != self.layout || Some(format::bytes(ciphertext.len())) != length {
            return Err(DecryptError::Rejected);
        }
        let start = output.len();
        reserve(output, ciphertext.len());
        let opened = self.open(plan, ciphertext, output);
        if opened.is_err() {
            wipe_from(output, start);
        }
        opened
    }

    fn open(&self, plan: &RangePlan, ciphertext: &[u8], output: &mut Vec<u8>) -> Result<(), DecryptError> {
        let (start, first) = (output.len(), plan.first_chunk());
        let opened = open_full(&self.keys, self.layout, first, ciphertext, output, AT_ONCE, ChunkKeys::open_each)?;
        // Then the one with the end of the file, if the range has it: the only one with bytes of both.
        let chunk = first.checked_add(format::bytes(opened)).ok_or(InternalError)?;
        let rest = opened.checked_mul(SEALED_CHUNK).and_then(|length| ciphertext.get(length..)).ok_or(InternalError)?;
        if !rest.is_empty() {
            open_chunk(&self.keys, self.layout, chunk, rest, output)?;
        }
        trim(output, start, format::plain_start(first), &plan.plaintext);
        Ok(())
    }
}

impl fmt::Debug for RandomAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys: _, layout } = self;
        f.debug_struct("RandomAccess").field("size", &layout.size()).finish_non_exhaustive()
    }
}

/// Reduces the bytes of `output` from `start` on, which begin at `position` of the file, to those in `range`.
fn trim(output: &mut Vec<u8>, start: usize, position: u64, range: &Range<u64>) {
    let offset = |of: u64| usize::try_from(of.saturating_sub(position)).unwrap_or(usize::MAX);
    let end = start.saturating_add(offset(range.end)).min(output.len());
    wipe_from(output, end);
    let before = start.saturating_add(offset(range.start)).min(end);
    if before > start {
        output.copy_within(before.., start);
        let kept = start.saturating_add(end.saturating_sub(before));
        wipe_from(output, kept);
    }
}
