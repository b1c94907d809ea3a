//! Adapters to `std::io` (feature `std`): an encrypting writer, an encrypting reader and a seekable decrypting reader.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::vec::Vec;

use core::fmt;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::encrypt::Encryptor;
use super::error::{DecryptError, EncryptError};
use super::format::{self, CHUNK, HEADER};
use super::media_type::MediaType;
use super::pointer::Pointer;
use super::range::RandomAccess;

/// Encrypts the plaintext written to it, and writes the blob to an inner writer.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::media::{EncryptingWriter, MediaType};
/// use std::io::Write;
///
/// let mut writer = EncryptingWriter::new(Vec::new(), MediaType::new("text/plain")?, 11, rng)?;
/// writer.write_all(b"halo, dunia")?;
/// let (blob, pointer) = writer.finish()?; // writes the end of the blob
/// assert_eq!(pointer.decrypt(&blob)?, b"halo, dunia");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncryptingWriter<W> {
    inner: W,
    encryptor: Encryptor,
    output: Vec<u8>,
}

impl<W: Write> EncryptingWriter<W> {
    /// Begins a file of `size` bytes.
    ///
    /// # Errors
    ///
    /// As for [`Encryptor::new`].
    pub fn new(
        inner: W,
        media_type: MediaType,
        size: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, EncryptError> {
        Ok(Self { inner, encryptor: Encryptor::new(media_type, size, rng)?, output: Vec::new() })
    }

    /// Writes the end of the blob. Returns the inner writer and the pointer.
    ///
    /// # Errors
    ///
    /// Errors of the inner writer; [`io::ErrorKind::InvalidInput`] if the file is shorter than announced.
    pub fn finish(mut self) -> io::Result<(W, Pointer)> {
        loop {
            let pointer = self.encryptor.finish(&mut self.output).map_err(invalid_input)?;
            self.drain()?;
            if let Some(pointer) = pointer {
                self.inner.flush()?;
                return Ok((self.inner, pointer));
            }
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        self.inner.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }
}

impl<W: Write> Write for EncryptingWriter<W> {
    /// Takes at most one chunk. If the inner writer fails, the blob has a gap: start over with a new encryption.
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let (piece, _) = plaintext.split_at(CHUNK.min(plaintext.len()));
        self.encryptor.push(piece, &mut self.output).map_err(invalid_input)?;
        self.drain()?;
        Ok(piece.len())
    }

    /// Flushes the inner writer. Plaintext of an incomplete chunk stays buffered.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> fmt::Debug for EncryptingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, encryptor, output: _ } = self;
        f.debug_struct("EncryptingWriter").field("encryptor", encryptor).finish_non_exhaustive()
    }
}

/// Reads plaintext from an inner reader, and returns the blob to its own reader, such as an HTTP client that uploads.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::media::{EncryptingReader, MediaType};
/// use std::io::Read;
///
/// let mut reader = EncryptingReader::new(&b"halo, dunia"[..], MediaType::new("text/plain")?, 11, rng)?;
/// let mut blob = Vec::new();
/// reader.read_to_end(&mut blob)?; // or upload it
/// let pointer = reader.pointer().expect("it was read to its end");
/// assert_eq!(pointer.decrypt(&blob)?, b"halo, dunia");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncryptingReader<R> {
    inner: R,
    encryptor: Encryptor,
    /// Buffer for plaintext from `inner`.
    plaintext: Zeroizing<Vec<u8>>,
    output: Vec<u8>,
    /// Number of bytes of `output` that have been read.
    given: usize,
    pointer: Option<Pointer>,
}

impl<R: Read> EncryptingReader<R> {
    /// Begins a file of `size` bytes.
    ///
    /// # Errors
    ///
    /// As for [`Encryptor::new`].
    pub fn new(
        inner: R,
        media_type: MediaType,
        size: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, EncryptError> {
        Ok(Self::resume(inner, Encryptor::new(media_type, size, rng)?))
    }

    /// Resumes an encryption that [`Encryptor::unseal`] restored.
    ///
    /// `inner` must be positioned at [`file_position`](Encryptor::file_position). The first byte read is the blob's
    /// byte at [`blob_position`](Encryptor::blob_position).
    #[must_use]
    pub fn resume(inner: R, encryptor: Encryptor) -> Self {
        let plaintext = Zeroizing::new(std::vec![0; CHUNK]);
        Self { inner, encryptor, plaintext, output: Vec::new(), given: 0, pointer: None }
    }

    /// Returns the size of the whole blob in bytes, to announce to the store.
    #[must_use]
    pub const fn ciphertext_size(&self) -> u64 {
        self.encryptor.ciphertext_size()
    }

    /// Returns the encryptor, to store its state with [`Encryptor::seal`].
    #[must_use]
    pub const fn encryptor(&self) -> &Encryptor {
        &self.encryptor
    }

    /// Returns the pointer once the blob has been read to its end.
    #[must_use]
    pub const fn pointer(&self) -> Option<&Pointer> {
        self.pointer.as_ref()
    }

    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && self.pointer.is_none() {
            let count = self.inner.read(&mut self.plaintext)?;
            let piece = self.plaintext.get(..count).ok_or(io::ErrorKind::InvalidData)?;
            if piece.is_empty() {
                self.pointer = self.encryptor.finish(&mut self.output).map_err(invalid_input)?;
            } else {
                self.encryptor.push(piece, &mut self.output).map_err(invalid_input)?;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for EncryptingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() && !buffer.is_empty() {
            self.refill()?;
        }
        let count = copy(self.output.get(self.given..).unwrap_or_default(), buffer);
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

impl<R> fmt::Debug for EncryptingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, encryptor, plaintext: _, output: _, given: _, pointer: _ } = self;
        f.debug_struct("EncryptingReader").field("encryptor", encryptor).finish_non_exhaustive()
    }
}

/// Reads any part of a file from its blob. Each byte is returned only after its chunk has verified.
///
/// As with [`RandomAccess`], whether the rest of the blob is present and intact is unknown.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::media::{self, MediaType};
/// use bisik::media::DecryptingReader;
/// use std::io::{Cursor, Read, Seek, SeekFrom};
///
/// # let file: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
/// # let (blob, pointer) = media::encrypt(MediaType::unknown(), &file, rng)?;
/// let mut reader = DecryptingReader::new(Cursor::new(&blob), &pointer)?;
/// reader.seek(SeekFrom::End(-1_000))?;
/// let mut end = Vec::new();
/// reader.read_to_end(&mut end)?;
/// assert_eq!(end, file[199_000..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DecryptingReader<R> {
    inner: R,
    access: RandomAccess,
    position: u64,
    /// Plaintext of the chunk read last; `chunk_start` is its position in the file.
    chunk: Zeroizing<Vec<u8>>,
    chunk_start: u64,
    sealed: Vec<u8>,
}

impl<R: Read + Seek> DecryptingReader<R> {
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

impl<R: Read + Seek> Read for DecryptingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position < self.size() && self.loaded().is_empty() {
            self.load()?;
        }
        let count = copy(self.loaded(), buffer);
        self.position = self.position.saturating_add(format::bytes(count));
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for DecryptingReader<R> {
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

impl<R> fmt::Debug for DecryptingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, access, position, chunk: _, chunk_start: _, sealed: _ } = self;
        f.debug_struct("DecryptingReader").field("access", access).field("position", position).finish_non_exhaustive()
    }
}

/// Copies as many bytes as fit, and returns their number.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    from.len().min(to.len())
}

fn invalid_input(error: EncryptError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

fn invalid_data(error: DecryptError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
