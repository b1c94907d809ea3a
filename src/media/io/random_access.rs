//! [`RandomAccessReader`]: any part of a file.

use std::io::{self, Read, Seek, SeekFrom};
use std::vec::Vec;

use core::fmt;
use zeroize::Zeroizing;

use super::super::format::{self, CHUNK, HEADER};
use super::super::pointer::Pointer;
use super::super::range::RandomAccess;
use super::{copy, invalid_data};

/// Reads any part of a file from its blob. Each byte is returned only after its chunk has verified.
///
/// It never tells whether the file is complete, not even when all of it was read: it does not compare the blob's root, so
/// that another holder of the pointer can, together with the store, have replaced chunks ([`RandomAccess`]). To receive
/// a file as its sender meant it, read it with [`DecryptingReader`](super::DecryptingReader).
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::media::{self, MediaType};
/// use bisik::media::RandomAccessReader;
/// use std::io::{Cursor, Read, Seek, SeekFrom};
///
/// # let file: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
/// # let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, rng)?;
/// let mut reader = RandomAccessReader::new(Cursor::new(&blob), &pointer)?;
/// reader.seek(SeekFrom::End(-1_000))?;
/// let mut end = Vec::new();
/// reader.read_to_end(&mut end)?;
/// assert_eq!(end, file[199_000..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RandomAccessReader<R> {
    inner: R,
    access: RandomAccess,
    position: u64,
    /// Plaintext of the chunk read last; `chunk_start` is its position in the file.
    chunk: Zeroizing<Vec<u8>>,
    chunk_start: u64,
    sealed: Vec<u8>,
}

impl<R: Read + Seek> RandomAccessReader<R> {
    /// Reads and checks the header of the blob that `pointer` names. The blob must begin at position 0 of `inner`.
    ///
    /// # Errors
    ///
    /// Errors of the inner reader; [`io::ErrorKind::InvalidData`] if the blob does not commit to the pointer.
    pub fn new(mut inner: R, pointer: &Pointer) -> io::Result<Self> {
        let mut header = [0; HEADER];
        inner.seek(SeekFrom::Start(0))?;
        inner.read_exact(&mut header)?;
        let access = RandomAccess::new(pointer, &header).map_err(invalid_data)?;
        let chunk = Zeroizing::new(Vec::new());
        Ok(Self { inner, access, position: 0, chunk, chunk_start: 0, sealed: Vec::new() })
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.access.size()
    }

    /// Reads and verifies the chunk that holds the byte at `position`.
    fn load(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.chunk_start = format::plain_start(format::chunk_of(self.position));
        let end = self.chunk_start.saturating_add(format::bytes(CHUNK));
        let plan = self.access.plan(self.chunk_start..end);
        let wanted = plan.ciphertext();
        let length = wanted.end.checked_sub(wanted.start).and_then(|length| usize::try_from(length).ok());
        self.sealed.resize(length.ok_or(io::ErrorKind::InvalidData)?, 0);
        self.inner.seek(SeekFrom::Start(wanted.start))?;
        self.inner.read_exact(&mut self.sealed)?;
        self.access.decrypt(&plan, &self.sealed, &mut self.chunk).map_err(invalid_data)
    }

    /// The loaded chunk's bytes from `position` on; empty if `position` is outside the chunk.
    fn loaded(&self) -> &[u8] {
        let offset = self.position.checked_sub(self.chunk_start).and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| self.chunk.get(offset..)).unwrap_or_default()
    }
}

impl<R: Read + Seek> Read for RandomAccessReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position < self.size() && self.loaded().is_empty() {
            self.load()?;
        }
        let count = copy(self.loaded(), buffer);
        self.position = self.position.saturating_add(format::bytes(count));
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for RandomAccessReader<R> {
    /// A position past the end is allowed, and reads there return nothing. A position before the beginning is an error.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.size().checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl<R> fmt::Debug for RandomAccessReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, access, position, chunk: _, chunk_start: _, sealed: _ } = self;
        f.debug_struct("RandomAccessReader").field("access", access).field("position", position).finish_non_exhaustive()
    }
}
