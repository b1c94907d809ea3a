//! Where the chunks of a blob are (docs/spec/attachments.md, section 8.2).
//!
//! Does not know keys.

use crate::codec::padme;
use crate::primitives::aead::TAG;

/// Bytes of plaintext in a chunk, except the last, which is shorter and may be empty.
pub const CHUNK: usize = 64 << 10;

/// Bytes before the first chunk of a blob: salt and commitment.
pub const HEADER: usize = SALT + COMMITMENT;

/// Bytes of the largest file: 8 PiB. Its chunks can be counted with 38 bits, as the public specification of this form asks,
/// and its size is a number that every language has.
pub const MAX_SIZE: u64 = 1 << 53;

/// Bytes of the blob of a file of `size` bytes, where that is at most [`MAX_SIZE`]. A store sees this number and no other: it
/// is the same for all sizes of a class.
///
/// ```
/// use bisik::media;
///
/// assert_eq!(media::ciphertext_size(1_000_000), Some(1_016_120));
/// assert_eq!(media::ciphertext_size(1_015_000), Some(1_016_120));
/// ```
#[must_use]
pub const fn ciphertext_size(size: u64) -> Option<u64> {
    match Layout::new(size) {
        Some(layout) => Some(layout.ciphertext_size()),
        None => None,
    }
}

/// Bytes of the salt.
pub(super) const SALT: usize = 24;
/// Bytes of the commitment.
pub(super) const COMMITMENT: usize = 32;
/// Bytes of a chunk of ciphertext, except the last.
pub(super) const SEALED_CHUNK: usize = CHUNK + TAG;

/// The sizes that follow from the size of a file. All of them are below 2^54.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    size: u64,
    padded: u64,
}

impl Layout {
    /// P-8.2. `None` where the file is too large.
    pub(super) const fn new(size: u64) -> Option<Self> {
        if size > MAX_SIZE { None } else { Some(Self { size, padded: padme(size) }) }
    }

    /// Bytes of the file.
    pub(super) const fn size(self) -> u64 {
        self.size
    }

    /// P-8.3. How many chunks there are: the last one is always short, so that one that ends a file is like no other.
    pub(super) const fn chunks(self) -> u64 {
        (self.padded / PLAIN).saturating_add(1)
    }

    /// Bytes of the blob.
    pub(super) const fn ciphertext_size(self) -> u64 {
        self.sealed_start(self.chunks().saturating_sub(1))
            .saturating_add(self.padded % PLAIN)
            .saturating_add(SEALED.saturating_sub(PLAIN))
    }

    /// Bytes of the plaintext of a chunk, with padding.
    pub(super) fn chunk_length(self, chunk: u64) -> usize {
        between(self.padded, chunk)
    }

    /// How many of them are the file's.
    pub(super) fn file_length(self, chunk: u64) -> usize {
        between(self.size, chunk)
    }

    /// Bytes of a chunk of ciphertext, with its tag.
    pub(super) fn sealed_length(self, chunk: u64) -> usize {
        self.chunk_length(chunk).saturating_add(TAG)
    }

    /// Where a chunk is in the blob.
    pub(super) const fn sealed_start(self, chunk: u64) -> u64 {
        chunk.saturating_mul(SEALED).saturating_add(FIRST)
    }

    /// Where a chunk ends in the blob.
    pub(super) fn sealed_end(self, chunk: u64) -> u64 {
        self.sealed_start(chunk).saturating_add(bytes(self.sealed_length(chunk)))
    }
}

/// Where a chunk begins in the file.
pub(super) const fn plain_start(chunk: u64) -> u64 {
    chunk.saturating_mul(PLAIN)
}

/// Which chunk has the byte at `position` of the file.
pub(super) const fn chunk_of(position: u64) -> u64 {
    position / PLAIN
}

/// A length, as it is written and counted.
pub(super) fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// How many bytes of a chunk come before `end`.
fn between(end: u64, chunk: u64) -> usize {
    let rest = end.saturating_sub(plain_start(chunk));
    usize::try_from(rest).unwrap_or(usize::MAX).min(CHUNK)
}

/// [`CHUNK`], as sizes of files are counted.
const PLAIN: u64 = 64 << 10;
/// [`SEALED_CHUNK`].
const SEALED: u64 = PLAIN + 16;
/// [`HEADER`].
const FIRST: u64 = 24 + 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_that_are_written_twice_agree() {
        assert_eq!((bytes(CHUNK), bytes(SEALED_CHUNK), bytes(HEADER)), (PLAIN, SEALED, FIRST));
    }

    /// P-8.2, P-8.3: what the document says of some sizes, computed by hand.
    #[test]
    fn the_last_chunk_is_always_short() {
        let known = [
            (0, 1, 56 + 32 + 16),
            (33, 1, 56 + 36 + 16),
            (65_535, 2, 56 + 65_552 + 16),
            (65_536, 2, 56 + 65_552 + 16),
            (65_537, 2, 56 + 65_552 + 2_048 + 16),
            (131_072, 3, 56 + 2 * 65_552 + 16),
        ];
        for (size, chunks, sealed) in known {
            let layout = Layout::new(size).unwrap();
            assert_eq!((layout.chunks(), layout.ciphertext_size()), (chunks, sealed), "{size}");
            let last = chunks - 1;
            assert!(layout.chunk_length(last) < CHUNK);
            assert_eq!(layout.sealed_end(last), sealed);
            let lengths: usize = (0..chunks).map(|chunk| layout.file_length(chunk)).sum();
            assert_eq!(bytes(lengths), size);
        }
    }

    /// P-8.2: the bound is where it is said to be, and nothing overflows there.
    #[test]
    fn the_largest_file_has_fewer_chunks_than_38_bits_count() {
        let largest = Layout::new(MAX_SIZE).unwrap();
        assert!(largest.chunks() < 1 << 38);
        assert_eq!(largest.ciphertext_size(), 56 + (1 << 37) * 65_552 + 16);
        assert_eq!(Layout::new(MAX_SIZE + 1), None);
        assert_eq!(ciphertext_size(u64::MAX), None);
    }
}
