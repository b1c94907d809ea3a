//! [`Decryptor`]: push-style decryption; each chunk is released once it has verified (docs/spec/attachments.md, section
//! 8.3).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, iter};

use super::error::DecryptError;
use super::format::{self, CHUNK, HEADER, Layout, SEALED_CHUNK, TAG};
use super::keys::{ChunkKeys, Role};
use super::root::Root;
use bisik_core::internal::InternalError;
use bisik_core::primitives::secret::{Secret, reserve, wipe_from};

/// Decrypts one blob from its beginning.
///
/// It takes pieces of any length and returns the plaintext of each chunk once the chunk has verified. It buffers less
/// than one chunk of ciphertext, whatever the size of the file.
///
/// The plaintext returned has verified in its place. Only [`finish`](Self::finish) tells whether the file is complete,
/// and as its sender meant it rather than someone else who has the pointer; until then, present it as still loading.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::media::{self, MediaType};
/// use bisik::media::Decryptor;
///
/// # let file = vec![7; 100_000];
/// # let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, rng)?;
/// let mut decryptor = Decryptor::new(&pointer);
/// let mut plaintext = Vec::new();
/// for piece in blob.chunks(1_000) {
///     decryptor.push(piece, &mut plaintext)?;
/// }
/// decryptor.finish()?;
/// assert_eq!(plaintext, file);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decryptor {
    attachment: Box<Secret<32>>,
    role: Role,
    /// Expected root of the blob. A thumbnail has none: it is a single chunk.
    root: Option<[u8; 32]>,
    pub(super) opener: Opener,
    /// Ciphertext of an incomplete header or chunk.
    pub(super) pending: Vec<u8>,
    /// Number of bytes received.
    received: u64,
    /// The error of an earlier call. Every later call ends with the same.
    failed: Option<DecryptError>,
}

impl Decryptor {
    /// Creates a decryptor for the blob that `pointer` names.
    #[must_use]
    pub fn new(pointer: &super::Pointer) -> Self {
        pointer.decryptor()
    }

    pub(super) fn of(attachment: Box<Secret<32>>, role: Role, layout: Layout, root: Option<[u8; 32]>) -> Self {
        let opener = Opener { keys: None, layout, chunk: 0, root: Root::new() };
        Self { attachment, role, root, opener, pending: Vec::new(), received: 0, failed: None }
    }

    /// Takes the next bytes of the blob, and appends the file's bytes from all chunks that they complete.
    ///
    /// The plaintext appended is at most one chunk longer than `ciphertext`. If `plaintext` must grow, its old memory
    /// is wiped.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Rejected`] if the blob is not the one that the pointer names; every later call fails too.
    /// Plaintext appended before the error has verified in its place.
    pub fn push(&mut self, ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        self.unless_failed(|this| {
            let rest = this.accept(ciphertext, plaintext)?;
            this.open(rest, plaintext, AT_ONCE, ChunkKeys::open_each)
        })
    }

    /// Checks that the whole file has been received.
    ///
    /// # Errors
    ///
    /// * [`DecryptError::Incomplete`] if the end of the blob is missing.
    /// * [`DecryptError::Rejected`] if the blob's root differs from the pointer's.
    /// * The error of the earlier call, if one failed.
    pub fn finish(self) -> Result<(), DecryptError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.opener.chunk < self.opener.layout.chunks() {
            return Err(DecryptError::Incomplete);
        }
        // P-8.6: a file is complete only if the blob has the pointer's root.
        let root = self.opener.root.finish();
        if self.root.is_none_or(|expected| expected == root) { Ok(()) } else { Err(DecryptError::Rejected) }
    }

    /// First part of [`push`](Self::push): checks the length, reads the header, and completes the pending chunk.
    /// Returns the remaining ciphertext, which begins at a chunk.
    pub(super) fn accept<'a>(
        &mut self,
        ciphertext: &'a [u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<&'a [u8], DecryptError> {
        let received = self.received.checked_add(format::bytes(ciphertext.len()));
        let received = received.filter(|received| *received <= self.opener.layout.ciphertext_size());
        self.received = received.ok_or(DecryptError::Rejected)?;
        let mut rest = ciphertext;
        if self.opener.keys.is_none() {
            rest = self.fill(rest, HEADER);
            let Some(header) = self.pending.first_chunk::<HEADER>() else { return Ok(&[]) };
            let keys = ChunkKeys::of_blob(&self.attachment, header, &self.role, self.opener.layout.size());
            let keys = keys.map_err(|_| DecryptError::Rejected)?;
            self.opener.root.add_header(header);
            self.opener.keys = Some(keys);
            self.pending.clear();
        }
        let next = self.opener.next_length();
        if !self.pending.is_empty() {
            rest = self.fill(rest, next);
            if self.pending.len() < next {
                return Ok(&[]);
            }
            self.opener.open(&self.pending, plaintext)?;
            self.pending.clear();
        }
        reserve(plaintext, self.opener.room(rest.len()));
        Ok(rest)
    }

    /// Decrypts the whole chunks of `ciphertext`, of which `open` decrypts those without padding, `at_once` at a time;
    /// and buffers the rest.
    pub(super) fn open(
        &mut self,
        ciphertext: &[u8],
        plaintext: &mut Vec<u8>,
        at_once: usize,
        open: impl OpenChunks,
    ) -> Result<(), DecryptError> {
        let mut rest = self.opener.open_full(ciphertext, plaintext, at_once, open)?;
        while let Some((sealed, after)) = rest.split_at_checked(self.opener.next_length())
            && !sealed.is_empty()
        {
            self.opener.open(sealed, plaintext)?;
            rest = after;
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Runs `work` unless an earlier call failed, and remembers its error.
    pub(super) fn unless_failed(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), DecryptError>,
    ) -> Result<(), DecryptError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let done = work(self);
        self.failed = done.err();
        done
    }

    /// Extends `pending` to at most `length` bytes; returns the remaining ciphertext.
    fn fill<'a>(&mut self, ciphertext: &'a [u8], length: usize) -> &'a [u8] {
        // Nothing more where there is as much already.
        let room = length.saturating_sub(self.pending.len());
        let (head, rest) = ciphertext.split_at(room.min(ciphertext.len()));
        let most =
            usize::try_from(self.opener.layout.ciphertext_size()).map_or(SEALED_CHUNK, |size| size.min(SEALED_CHUNK));
        self.pending.reserve_exact(most.saturating_sub(self.pending.len()));
        self.pending.extend_from_slice(head);
        rest
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attachment: _, role: _, root: _, opener, pending: _, received, failed } = self;
        f.debug_struct("Decryptor")
            .field("size", &opener.layout.size())
            .field("received", received)
            .field("failed", failed)
            .finish_non_exhaustive()
    }
}

/// Decrypts consecutive chunks, and adds their tags to the root.
pub(super) struct Opener {
    /// Set once the header has been read.
    pub(super) keys: Option<ChunkKeys>,
    pub(super) layout: Layout,
    /// Number of the next chunk.
    pub(super) chunk: u64,
    /// Root of the chunks before that one.
    pub(super) root: Root,
}

impl Opener {
    /// Ciphertext bytes of the next chunk; 0 after the last.
    pub(super) fn next_length(&self) -> usize {
        if self.chunk < self.layout.chunks() { self.layout.sealed_length(self.chunk) } else { 0 }
    }

    /// Capacity to reserve for `ciphertext` bytes: at most what remains of the file plus one chunk, because padding is
    /// decrypted before it is checked and removed.
    fn room(&self, ciphertext: usize) -> usize {
        let left = self.layout.size().saturating_sub(format::plain_start(self.chunk));
        usize::try_from(left).unwrap_or(usize::MAX).saturating_add(CHUNK).min(ciphertext)
    }

    /// Decrypts the chunks at the beginning of `ciphertext` that have no padding. Returns what is left.
    fn open_full<'a>(
        &mut self,
        ciphertext: &'a [u8],
        plaintext: &mut Vec<u8>,
        at_once: usize,
        open: impl OpenChunks,
    ) -> Result<&'a [u8], DecryptError> {
        // Before the header there is no chunk.
        let Some(keys) = &self.keys else { return Ok(ciphertext) };
        let opened = open_full(keys, self.layout, self.chunk, ciphertext, plaintext, at_once, open)?;
        let next = self.chunk.checked_add(format::bytes(opened)).ok_or(InternalError)?;
        ciphertext.chunks(SEALED_CHUNK).take(opened).try_for_each(|sealed| self.root.add_tag_of(sealed))?;
        self.chunk = next;
        opened.checked_mul(SEALED_CHUNK).and_then(|length| ciphertext.get(length..)).ok_or(InternalError.into())
    }

    fn open(&mut self, sealed: &[u8], plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        let keys = self.keys.as_ref().ok_or(InternalError)?;
        let next = self.chunk.checked_add(1).ok_or(InternalError)?;
        open_chunk(keys, self.layout, self.chunk, sealed, plaintext)?;
        self.root.add_tag_of(sealed)?;
        self.chunk = next;
        Ok(())
    }
}

/// How whole chunks without padding are decrypted, the first of which has the number given: into room for their
/// plaintext. Returns how many verified, from the first on; the room of the others is not to be released.
pub(super) trait OpenChunks: Fn(&ChunkKeys, u64, &[u8], &mut [u8]) -> usize {}

impl<T: Fn(&ChunkKeys, u64, &[u8], &mut [u8]) -> usize> OpenChunks for T {}

/// Appends the file's bytes of the chunks at the beginning of `ciphertext`, from chunk `first` on, that are whole and
/// have no padding. Returns how many they are. If one does not verify, only the chunks before it are appended.
pub(super) fn open_full(
    keys: &ChunkKeys,
    layout: Layout,
    first: u64,
    ciphertext: &[u8],
    plaintext: &mut Vec<u8>,
    at_once: usize,
    open: impl OpenChunks,
) -> Result<usize, DecryptError> {
    let full = format::chunk_of(layout.size()).saturating_sub(first);
    let full = usize::try_from(full).unwrap_or(usize::MAX).min(ciphertext.len() / SEALED_CHUNK);
    let whole = full.checked_mul(SEALED_CHUNK).and_then(|length| ciphertext.get(..length)).ok_or(InternalError)?;
    let mut number = first;
    for batch in whole.chunks(at_once.saturating_mul(SEALED_CHUNK).max(SEALED_CHUNK)) {
        let count = batch.len() / SEALED_CHUNK;
        let length = count.checked_mul(CHUNK).ok_or(InternalError)?;
        let next = number.checked_add(format::bytes(count)).ok_or(InternalError)?;
        let start = plaintext.len();
        plaintext.extend(iter::repeat_n(0, length));
        let (_, room) = plaintext.split_at_mut(start);
        let opened = open(keys, number, batch, room);
        if opened < count {
            let kept = opened.checked_mul(CHUNK).and_then(|length| start.checked_add(length));
            wipe_from(plaintext, kept.unwrap_or(start));
            return Err(DecryptError::Rejected);
        }
        number = next;
    }
    Ok(full)
}

/// Appends the file's bytes of one chunk if the chunk verifies and its padding is valid; otherwise appends nothing.
pub(super) fn open_chunk(
    keys: &ChunkKeys,
    layout: Layout,
    chunk: u64,
    sealed: &[u8],
    plaintext: &mut Vec<u8>,
) -> Result<(), DecryptError> {
    let start = plaintext.len();
    let length = sealed.len().checked_sub(TAG).ok_or(DecryptError::Rejected)?;
    let end = start.checked_add(layout.file_length(chunk)).ok_or(InternalError)?;
    reserve(plaintext, length);
    plaintext.extend(iter::repeat_n(0, length));
    let (_, opened) = plaintext.split_at_mut(start);
    let verified = keys.open(chunk, sealed, opened).is_ok();
    // P-8.2: the padding must be zeros. Otherwise one file would have many blobs.
    let (file, padding) = opened.split_at(layout.file_length(chunk).min(length));
    if !verified || file.len() != layout.file_length(chunk) || padding.iter().any(|byte| *byte != 0) {
        wipe_from(plaintext, start);
        return Err(DecryptError::Rejected);
    }
    plaintext.truncate(end);
    Ok(())
}

/// Chunks decrypted at a time, so that each but the first is hashed while the one before it is decrypted. Few enough that
/// the new memory is still in a cache when it is written to again.
pub(super) const AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_that_of_every_later_call() {
        let (blob, pointer) =
            crate::media::encrypt(crate::media::MediaType::unknown(), b"x", &mut rand::rng()).unwrap();
        for error in [DecryptError::Internal, DecryptError::Rejected] {
            let (mut decryptor, mut plaintext) = (Decryptor::new(&pointer), Vec::new());
            assert_eq!(decryptor.unless_failed(|_| Err(error)), Err(error));
            assert_eq!(decryptor.push(&blob, &mut plaintext), Err(error));
            assert_eq!((decryptor.finish(), plaintext.len()), (Err(error), 0));
        }
    }
}
