//! [`DecryptingReader`]: a whole file, whose end says that it is complete.

use std::boxed::Box;
use std::io::{self, Read};
use std::vec::Vec;

use core::fmt;
use zeroize::Zeroizing;

use super::super::decrypt::Decryptor;
use super::super::error::DecryptError;
use super::super::format::{self, SEALED_CHUNK};
use super::super::pointer::Pointer;
use super::{copy, invalid_data};

/// Reads a blob from an inner reader, such as an HTTP client that downloads, and returns the file to its own reader.
///
/// Each byte is returned only after its chunk has verified. The end of the file (a `read` that returns 0) is returned
/// only after the inner reader has ended too and the blob has proved to be the pointer's, whole and without a change.
/// The bytes of the last chunk that has any wait for that as well: whoever has read [`size`](Self::size) bytes has the
/// file. So `read_to_end`, `read_exact` and [`io::copy`] succeed only with the sender's file.
///
/// Limit the inner reader to one byte more than [`Pointer::ciphertext_size`] where its end is far away.
///
/// # Errors
///
/// `read` returns errors of the inner reader, after which it can be called again, and the following, which every later
/// `read` returns too. What was read before is the beginning of a file that nobody has vouched for as a whole.
///
/// * [`io::ErrorKind::UnexpectedEof`] if the end of the blob is missing ([`DecryptError::Incomplete`]).
/// * [`io::ErrorKind::InvalidData`] if the blob is not the one that the pointer names ([`DecryptError::Rejected`]).
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::media::{self, MediaType};
/// use bisik::media::DecryptingReader;
/// use std::io::Read;
///
/// # let (blob, pointer) = media::encrypt(MediaType::unknown(), b"halo, dunia", rng)?;
/// let mut file = Vec::new();
/// DecryptingReader::new(&blob[..], &pointer).read_to_end(&mut file)?; // complete, or an error
/// assert_eq!(file, b"halo, dunia");
///
/// let cut = &blob[..blob.len() - 1];
/// assert!(DecryptingReader::new(cut, &pointer).read_to_end(&mut Vec::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DecryptingReader<R> {
    inner: R,
    state: State,
    size: u64,
    /// Buffer for ciphertext from `inner`.
    ciphertext: Vec<u8>,
    /// Plaintext of verified chunks.
    plaintext: Zeroizing<Vec<u8>>,
    /// Number of bytes of `plaintext` that have been read.
    given: usize,
}

/// How far the blob has been read.
enum State {
    Reading(Box<Decryptor>),
    /// To its end, which has verified.
    Complete,
    Failed(DecryptError),
}

impl<R: Read> DecryptingReader<R> {
    /// Reads the blob that `pointer` names from its beginning. Nothing is read yet.
    #[must_use]
    pub fn new(inner: R, pointer: &Pointer) -> Self {
        let decryptor = Decryptor::new(pointer);
        let ciphertext = std::vec![0; SEALED_CHUNK];
        let plaintext = Zeroizing::new(Vec::new());
        Self {
            inner,
            size: decryptor.opener.layout.size(),
            state: State::Reading(Box::new(decryptor)),
            ciphertext,
            plaintext,
            given: 0,
        }
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether nothing can be returned before more of the blob has been read.
    fn must_read_on(&self) -> bool {
        let all_given = self.given == self.plaintext.len();
        match &self.state {
            // P-8.6: the end of the file waits for the root.
            State::Reading(decryptor) => all_given || has_released_all(decryptor),
            State::Complete => false,
            State::Failed(_) => all_given,
        }
    }

    /// Reads a piece of the blob, or its end.
    fn read_on(&mut self) -> io::Result<()> {
        let decryptor = match &mut self.state {
            State::Reading(decryptor) => decryptor,
            State::Complete => return Ok(()),
            State::Failed(error) => return Err(invalid_data(*error)),
        };
        let count = self.inner.read(&mut self.ciphertext)?;
        let piece = self.ciphertext.get(..count).ok_or(io::ErrorKind::InvalidData)?;
        if piece.is_empty() {
            // The state in between is an error, so that no way out of here leaves a reader that claims to be complete.
            let ended = core::mem::replace(&mut self.state, State::Failed(DecryptError::Internal));
            let State::Reading(decryptor) = ended else { return Ok(()) };
            let held = has_released_all(&decryptor);
            self.state = match decryptor.finish() {
                Ok(()) => State::Complete,
                Err(error) => State::Failed(error),
            };
            self.drop_unless_complete(held);
            return Ok(());
        }
        if self.given == self.plaintext.len() {
            self.plaintext.clear();
            self.given = 0;
        }
        if let Err(error) = decryptor.push(piece, &mut self.plaintext) {
            let held = has_released_all(decryptor);
            self.state = State::Failed(error);
            self.drop_unless_complete(held);
        }
        Ok(())
    }

    /// Drops the end of the file, which was `held` back, where the blob has not proved to be the pointer's.
    fn drop_unless_complete(&mut self, held: bool) {
        if held && !matches!(self.state, State::Complete) {
            self.plaintext = Zeroizing::new(Vec::new());
            self.given = 0;
        }
    }
}

/// Whether all plaintext has been released. Padding may still be missing, and the root has not been compared.
const fn has_released_all(decryptor: &Decryptor) -> bool {
    format::plain_start(decryptor.opener.chunk) >= decryptor.opener.layout.size()
}

impl<R: Read> Read for DecryptingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() && self.must_read_on() {
            self.read_on()?;
        }
        let count = copy(self.plaintext.get(self.given..).unwrap_or_default(), buffer);
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

impl<R> fmt::Debug for DecryptingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner: _, state, size, ciphertext: _, plaintext: _, given: _ } = self;
        let state = match state {
            State::Reading(_) => "reading",
            State::Complete => "complete",
            State::Failed(_) => "failed",
        };
        f.debug_struct("DecryptingReader").field("size", size).field("state", &state).finish_non_exhaustive()
    }
}
