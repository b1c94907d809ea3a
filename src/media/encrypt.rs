//! [`Encryptor`]: push-style encryption of a file in constant memory (docs/spec/attachments.md, section 8.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, iter};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::error::EncryptError;
use super::format::{self, CHUNK, HEADER, Layout, SALT, SEALED_CHUNK};
use super::keys::{ChunkKeys, Role};
use super::media_type::MediaType;
use super::pointer::Pointer;
use super::root::Root;
use super::sealer::{SealChunks, Sealer, seal_each};
use bisik_core::internal::InternalError;
use bisik_core::primitives::secret::Secret;

/// Encrypts one file.
///
/// It takes pieces of plaintext of any length and returns pieces of the blob. It buffers less than two chunks, whatever
/// the size of the file.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::media::{Encryptor, MediaType};
///
/// let pieces = [vec![1; 70_000], vec![2; 30_000]];
/// let mut encryptor = Encryptor::new(MediaType::new("video/mp4")?, 100_000, rng)?;
/// let mut store = Vec::new(); // the untrusted store
/// let mut output = Vec::new();
/// for piece in &pieces {
///     encryptor.push(piece, &mut output)?;
///     store.append(&mut output); // send it
/// }
/// let pointer = loop {
///     let pointer = encryptor.finish(&mut output)?;
///     store.append(&mut output); // send it
///     if let Some(pointer) = pointer {
///         break pointer;
///     }
/// };
/// assert_eq!(pointer.decrypt(&store)?, pieces.concat());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Resuming uploads
///
/// [`seal`](Self::seal) stores the state of an encryption at the last whole chunk. [`unseal`](Self::unseal) resumes
/// from there and produces the same bytes; its documentation explains how to do this safely.
pub struct Encryptor {
    pub(super) attachment: Box<Secret<32>>,
    pub(super) salt: [u8; SALT],
    pub(super) role: Role,
    pub(super) sealer: Sealer,
    /// Plaintext of an incomplete chunk. Never grows beyond its first capacity.
    pub(super) pending: Zeroizing<Vec<u8>>,
    /// Whether the header has been output.
    pub(super) started: bool,
    /// Whether an earlier call ended with [`EncryptError::Internal`]. Continuing could encrypt different bytes under a
    /// chunk number already used, so every later call ends the same way.
    pub(super) failed: bool,
}

impl Encryptor {
    /// Begins a file of `size` bytes. Draws 32 bytes (key), then 24 (salt) from `rng`.
    ///
    /// # Errors
    ///
    /// [`EncryptError::TooLarge`] if `size` exceeds [`MAX_SIZE`](super::MAX_SIZE).
    pub fn new(
        media_type: MediaType,
        size: u64,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, EncryptError> {
        let attachment = Box::new(Secret::random(&mut rng));
        let layout = Layout::new(size).ok_or(EncryptError::TooLarge)?;
        Ok(Self::begin(attachment, Role::File(media_type), layout, &mut rng))
    }

    /// Begins a blob with a fresh salt. P-8.1: the attachment key is fresh for each file; its thumbnail shares it.
    pub(super) fn begin(attachment: Box<Secret<32>>, role: Role, layout: Layout, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        Self::at(attachment, salt, role, layout, 0, Root::new())
    }

    /// Continues before `chunk`; `root` is that of the chunks before it.
    pub(super) fn at(
        attachment: Box<Secret<32>>,
        salt: [u8; SALT],
        role: Role,
        layout: Layout,
        chunk: u64,
        root: Root,
    ) -> Self {
        let keys = ChunkKeys::derive(&attachment, &salt, &role, layout.size());
        let pending = Zeroizing::new(Vec::with_capacity(layout.chunk_length(0)));
        Self {
            attachment,
            salt,
            role,
            sealer: Sealer { keys, layout, chunk, root },
            pending,
            started: chunk > 0,
            failed: false,
        }
    }

    /// Returns the announced size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.sealer.layout.size()
    }

    /// Returns the size of the whole blob in bytes.
    #[must_use]
    pub const fn ciphertext_size(&self) -> u64 {
        self.sealer.layout.ciphertext_size()
    }

    /// Takes the next bytes of the file, and appends the finished part of the blob to `output`.
    ///
    /// The output consists of whole chunks, preceded by the header in the first call. [`room_for`](Self::room_for)
    /// returns its length.
    ///
    /// # Errors
    ///
    /// [`EncryptError::OtherSize`] if the file is longer than announced; nothing is taken in that case.
    /// [`EncryptError::Internal`], after which every later call fails.
    pub fn push(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), EncryptError> {
        let start = output.len();
        output.extend(iter::repeat_n(0, self.room_for(plaintext.len())));
        let (_, room) = output.split_at_mut(start);
        let pushed = self.push_into(plaintext, room);
        if pushed.is_err() {
            output.truncate(start);
        }
        pushed.map(drop)
    }

    /// Same as [`push`](Self::push), but writes to the beginning of `output`, which need not be zeroed first. Returns
    /// the number of bytes written.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push), and [`EncryptError::NoRoom`] if `output` is shorter than
    /// [`room_for`](Self::room_for) returns; nothing is taken in that case either.
    pub fn push_into(&mut self, plaintext: &[u8], output: &mut [u8]) -> Result<usize, EncryptError> {
        self.push_with(plaintext, output, seal_each)
    }

    /// Checks the length, then takes `plaintext`; `seal` encrypts the whole chunks. If encryption fails, the part of
    /// `output` to be written is zeroed, and every later call fails.
    pub(super) fn push_with(
        &mut self,
        plaintext: &[u8],
        output: &mut [u8],
        seal: impl SealChunks,
    ) -> Result<usize, EncryptError> {
        if self.failed {
            return Err(EncryptError::Internal);
        }
        if format::bytes(plaintext.len()) > self.missing() {
            return Err(EncryptError::OtherSize);
        }
        let written = self.room_for(plaintext.len());
        let room = output.get_mut(..written).ok_or(EncryptError::NoRoom)?;
        let before = self.sealer.position();
        if let Err(bug) = self.fill(plaintext, room, seal) {
            self.fail(before);
            room.fill(0);
            return Err(bug.into());
        }
        Ok(written)
    }

    /// Returns the number of bytes that [`push`](Self::push) outputs for the next `length` bytes of the file. It
    /// exceeds `length` by at most 64 KiB and the tags.
    #[must_use]
    pub fn room_for(&self, length: usize) -> usize {
        let chunks = self.pending.len().saturating_add(length) / CHUNK;
        chunks.saturating_mul(SEALED_CHUNK).saturating_add(self.header_room())
    }

    /// Outputs the header, completes the pending chunk, encrypts the whole chunks after it, and keeps the rest.
    fn fill(&mut self, plaintext: &[u8], output: &mut [u8], seal: impl SealChunks) -> Result<(), InternalError> {
        let mut output = self.start(output)?;
        let mut rest = plaintext;
        if !self.pending.is_empty() {
            let room = CHUNK.checked_sub(self.pending.len()).ok_or(InternalError)?;
            let (head, after) = plaintext.split_at(room.min(plaintext.len()));
            self.pending.extend_from_slice(head);
            if self.pending.len() == CHUNK {
                output = self.sealer.seal(&self.pending, output)?;
                self.pending.clear();
            }
            rest = after;
        }
        let (chunks, rest) = rest.as_chunks();
        self.sealer.seal_whole(chunks, output, seal)?;
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Ends the file: appends its last bytes and the padding to `output`, at most 16 chunks (1 MiB and their tags) and
    /// the header per call. Repeat the call until it returns the pointer.
    ///
    /// # Errors
    ///
    /// [`EncryptError::OtherSize`] if the file is shorter than announced. [`EncryptError::Internal`], after which every
    /// later call fails.
    pub fn finish(&mut self, output: &mut Vec<u8>) -> Result<Option<Pointer>, EncryptError> {
        if self.failed {
            return Err(EncryptError::Internal);
        }
        if self.missing() > 0 {
            return Err(EncryptError::OtherSize);
        }
        let start = output.len();
        let before = self.sealer.position();
        if let Err(bug) = self.pad(output) {
            self.fail(before);
            output.truncate(start);
            return Err(bug.into());
        }
        let Self { attachment, role, sealer, .. } = self;
        if sealer.chunk < sealer.layout.chunks() {
            return Ok(None);
        }
        let root = sealer.root.clone().finish();
        Ok(Some(Pointer::new(attachment.duplicate(), root, role, sealer.layout)))
    }

    /// Ends every later call, and takes the position back to that of the output, so that a record of it resumes there.
    fn fail(&mut self, before: (u64, Root)) {
        self.failed = true;
        (self.sealer.chunk, self.sealer.root) = before;
    }

    /// Encrypts the pending chunk and the padding after it, at most [`AT_ONCE`] chunks.
    fn pad(&mut self, output: &mut Vec<u8>) -> Result<(), InternalError> {
        let start = output.len();
        let end = self.sealer.chunk.saturating_add(AT_ONCE).min(self.sealer.layout.chunks());
        output.extend(iter::repeat_n(0, self.header_room()));
        for chunk in self.sealer.chunk..end {
            output.extend(iter::repeat_n(0, self.sealer.layout.sealed_length(chunk)));
        }
        let (_, room) = output.split_at_mut(start);
        let mut room = self.start(room)?;
        let Self { sealer, pending, .. } = self;
        while sealer.chunk < end {
            // P-8.2: the padding is zeros.
            pending.resize(sealer.layout.chunk_length(sealer.chunk), 0);
            room = sealer.seal(pending, room)?;
            pending.clear();
        }
        Ok(())
    }

    /// Number of bytes of the file not taken yet.
    fn missing(&self) -> u64 {
        let taken = format::plain_start(self.sealer.chunk).saturating_add(format::bytes(self.pending.len()));
        self.size().saturating_sub(taken)
    }

    const fn header_room(&self) -> usize {
        if self.started { 0 } else { HEADER }
    }

    /// Outputs the header unless it has been output already; returns the remaining output.
    fn start<'b>(&mut self, output: &'b mut [u8]) -> Result<&'b mut [u8], InternalError> {
        let (header, rest) = output.split_at_mut_checked(self.header_room()).ok_or(InternalError)?;
        let bytes = self.salt.iter().chain(self.sealer.keys.commitment());
        header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.sealer.root.add_header(header);
        self.started = true;
        Ok(rest)
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attachment: _, salt: _, role: _, sealer, pending: _, started: _, failed: _ } = self;
        f.debug_struct("Encryptor").field("size", &sealer.layout.size()).finish_non_exhaustive()
    }
}

/// Chunks of padding per call: the padding of a large file may not fit in memory.
const AT_ONCE: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a bug would do: the whole chunks fail after the header and the pending chunk were written.
    #[test]
    fn after_an_internal_error_nothing_is_in_the_output_and_every_call_fails() {
        let size = format::bytes(3 * CHUNK);
        let mut encryptor = Encryptor::new(MediaType::unknown(), size, &mut rand::rng()).unwrap();
        encryptor.push(&[7; 100], &mut Vec::new()).unwrap();
        let mut room = alloc::vec![9; encryptor.room_for(2 * CHUNK) + 5];
        let failed = encryptor.push_with(&[7; 2 * CHUNK], &mut room, |_: &_, _, _: &_, _: &mut _| Err(InternalError));
        assert_eq!(failed, Err(EncryptError::Internal));
        let (written, after) = room.split_at(room.len() - 5);
        assert!(written.iter().all(|byte| *byte == 0), "no ciphertext of a chunk that may be encrypted again");
        assert_eq!(after, [9; 5]);

        let mut output = b"before".to_vec();
        assert_eq!(encryptor.push(&[7; 100], &mut output), Err(EncryptError::Internal));
        assert_eq!(encryptor.push_into(&[7; 100], &mut room), Err(EncryptError::Internal));
        assert_eq!(encryptor.finish(&mut output).err(), Some(EncryptError::Internal));
        assert_eq!(output, b"before");
    }

    /// A record that is sealed after the failure resumes at the end of what was output.
    #[test]
    fn a_record_sealed_after_an_internal_error_has_the_state_before_it() {
        let file = alloc::vec![7; 4 * CHUNK + 9];
        let mut encryptor = Encryptor::new(MediaType::unknown(), format::bytes(file.len()), &mut rand::rng()).unwrap();
        let mut blob = Vec::new();
        let (sent, rest) = file.split_at(CHUNK + 100);
        encryptor.push(sent, &mut blob).unwrap();
        let at = (encryptor.file_position(), encryptor.blob_position());
        assert_eq!(at, (format::bytes(CHUNK), format::bytes(blob.len())));
        let mut room = alloc::vec![0; encryptor.room_for(rest.len())];
        let half_way = |keys: &ChunkKeys, first, chunks: &[[u8; CHUNK]], room: &mut [u8]| {
            seal_each(keys, first, &chunks[..1], &mut room[..SEALED_CHUNK]).and(Err(InternalError))
        };
        assert_eq!(encryptor.push_with(rest, &mut room, half_way), Err(EncryptError::Internal));
        assert_eq!((encryptor.file_position(), encryptor.blob_position()), at);

        let key = bisik_core::storage::StorageKey::from_bytes([7; 32]);
        let record = encryptor.seal(&key, b"", &mut rand::rng());
        let mut resumed = Encryptor::unseal(&key, b"", &record).unwrap();
        resumed.push(&file[CHUNK..], &mut blob).unwrap();
        let pointer = loop {
            if let Some(pointer) = resumed.finish(&mut blob).unwrap() {
                break pointer;
            }
        };
        assert_eq!(pointer.decrypt(&blob).unwrap(), file);
    }
}
