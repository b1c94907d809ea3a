//! Positions and lengths of the chunks in a blob (docs/spec/attachments.md, section 8.2).

use bisik_core::codec::padme;
use bisik_core::convert::widened;
use bisik_core::primitives::chunks::CHUNK_TAG;

/// Plaintext bytes in each chunk but the last, which is shorter and may be empty.
pub const CHUNK: usize = 64 << 10;

/// Bytes before the first chunk of a blob: the salt and the commitment.
pub const HEADER: usize = SALT + COMMITMENT;

/// Size of the largest file in bytes: 8 PiB. The chunks of such a file can be counted in 38 bits, as
/// c2sp.org/chunked-encryption requires, and every programming language can represent its size.
pub const MAX_SIZE: u64 = 1 << 53;

/// Returns the size in bytes of the blob of a file of `size` bytes, or `None` if `size` exceeds [`MAX_SIZE`].
///
/// The store learns this number only. It is the same for all file sizes of a padding class.
///
/// ```
/// use bisik::media;
///
/// assert_eq!(media::ciphertext_size(1_000_000), Some(1_016_376));
/// assert_eq!(media::ciphertext_size(1_015_000), Some(1_016_376));
/// ```
#[must_use]
pub const fn ciphertext_size(size: u64) -> Option<u64> {
    match Layout::new(size) {
        Some(layout) => Some(layout.ciphertext_size()),
        None => None,
    }
}

/// Length of the salt in bytes.
pub(super) const SALT: usize = 24;
/// Length of the commitment in bytes.
pub(super) const COMMITMENT: usize = 32;
/// Length of a chunk's tag in bytes.
pub(super) const TAG: usize = CHUNK_TAG;
/// Ciphertext bytes, with the tag, of each chunk but the last.
pub(super) const SEALED_CHUNK: usize = CHUNK + TAG;

/// The sizes derived from the size of a file. All of them are below 2^54.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    size: u64,
    padded: u64,
}

impl Layout {
    /// Returns `None` if the file is too large (P-8.2: a size is at most 2^53).
    pub(super) const fn new(size: u64) -> Option<Self> {
        if size > MAX_SIZE { None } else { Some(Self { size, padded: padme(size) }) }
    }

    /// Size of the file in bytes.
    pub(super) const fn size(self) -> u64 {
        self.size
    }

    /// Number of chunks. P-8.3: the last chunk is always shorter than the others, so none of them can pass for it.
    pub(super) const fn chunks(self) -> u64 {
        (self.padded / PLAIN).saturating_add(1)
    }

    /// Size of the blob in bytes.
    pub(super) const fn ciphertext_size(self) -> u64 {
        self.sealed_start(self.chunks().saturating_sub(1))
            .saturating_add(self.padded % PLAIN)
            .saturating_add(SEALED - PLAIN)
    }

    /// Plaintext bytes of a chunk, including padding.
    pub(super) fn chunk_length(self, chunk: u64) -> usize {
        between(self.padded, chunk)
    }

    /// Plaintext bytes of a chunk that belong to the file, without padding.
    pub(super) fn file_length(self, chunk: u64) -> usize {
        between(self.size, chunk)
    }

    /// Ciphertext bytes of a chunk, including its tag.
    pub(super) fn sealed_length(self, chunk: u64) -> usize {
        self.chunk_length(chunk).saturating_add(TAG)
    }

    /// Position in the blob at which a chunk begins.
    pub(super) const fn sealed_start(self, chunk: u64) -> u64 {
        chunk.saturating_mul(SEALED).saturating_add(FIRST)
    }

    /// Position in the blob at which a chunk ends.
    pub(super) fn sealed_end(self, chunk: u64) -> u64 {
        self.sealed_start(chunk).saturating_add(bytes(self.sealed_length(chunk)))
    }
}

/// Position in the file at which a chunk begins.
pub(super) const fn plain_start(chunk: u64) -> u64 {
    chunk.saturating_mul(PLAIN)
}

/// Returns the number of the chunk that holds the byte at `position` of the file.
pub(super) const fn chunk_of(position: u64) -> u64 {
    position / PLAIN
}

/// Converts a length to the integer type in which sizes of files are counted.
pub(super) fn bytes(length: usize) -> u64 {
    widened(length)
}

/// Number of bytes of a chunk that come before position `end` of the plaintext.
fn between(end: u64, chunk: u64) -> usize {
    let rest = end.saturating_sub(plain_start(chunk));
    usize::try_from(rest).map_or(CHUNK, |rest| rest.min(CHUNK))
}

/// [`CHUNK`] as a `u64`.
const PLAIN: u64 = 64 << 10;
/// [`SEALED_CHUNK`] as a `u64`.
const SEALED: u64 = PLAIN + 32;
/// [`HEADER`] as a `u64`.
const FIRST: u64 = 24 + 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_that_are_written_twice_agree() {
        assert_eq!((bytes(CHUNK), bytes(SEALED_CHUNK), bytes(HEADER)), (PLAIN, SEALED, FIRST));
    }

    /// P-8.2, P-8.3: sizes computed by hand from the formulas of section 8.2.
    #[test]
    fn the_last_chunk_is_always_short() {
        let known = [
            (0, 1, 56 + 32 + 32),
            (33, 1, 56 + 36 + 32),
            (65_535, 2, 56 + 65_568 + 32),
            (65_536, 2, 56 + 65_568 + 32),
            (65_537, 2, 56 + 65_568 + 2_048 + 32),
            (131_072, 3, 56 + 2 * 65_568 + 32),
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

    /// P-8.2: the bound is exact, and nothing overflows at it.
    #[test]
    fn the_largest_file_has_fewer_chunks_than_38_bits_count() {
        let largest = Layout::new(MAX_SIZE).unwrap();
        assert!(largest.chunks() < 1 << 38);
        assert_eq!(largest.ciphertext_size(), 56 + (1 << 37) * 65_568 + 32);
        assert_eq!(Layout::new(MAX_SIZE + 1), None);
        assert_eq!(ciphertext_size(u64::MAX), None);
    }
}
