//! [`EncryptingWriter`] and [`EncryptingReader`].

use std::io::{self, Read, Write};
use std::vec::Vec;

use core::fmt;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::super::encrypt::Encryptor;
use super::super::error::EncryptError;
use super::super::format::CHUNK;
use super::super::media_type::MediaType;
use super::super::pointer::Pointer;
use super::{copy, invalid_input};

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
