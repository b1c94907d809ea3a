//! [`Encryptor`]: plaintext in pieces of any length in, the blob out, in constant memory (docs/spec/attachments.md,
//! section 8.2).
//!
//! Does not know where the plaintext comes from, nor where the blob goes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::error::EncryptError;
use super::format::{self, CHUNK, HEADER, Layout, SALT, SEALED_CHUNK};
use super::keys::{ChunkKeys, Role};
use super::media_type::MediaType;
use super::pointer::Pointer;
use crate::primitives::aead::TAG;
use crate::primitives::secret::Secret;
use crate::primitives::sha256::Hash;

/// Encrypts one file: pieces of plaintext of any length in, pieces of the blob out. Holds less than two chunks, whatever the
/// size of the file.
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
/// # Uploads that are taken up again
///
/// [`seal`](Self::seal) puts an encryption away, at the last whole chunk; [`unseal`](Self::unseal) goes on there with the same
/// bytes. Read there how to do it safely.
pub struct Encryptor {
    pub(super) attachment: Box<Secret<32>>,
    pub(super) salt: [u8; SALT],
    pub(super) role: Role,
    pub(super) sealer: Sealer,
    /// Plaintext that fills no chunk yet. Never grows beyond its first capacity.
    pub(super) pending: Zeroizing<Vec<u8>>,
    /// Whether the header was given out.
    started: bool,
}

impl Encryptor {
    /// Begins with a file of `size` bytes. Uses 32 bytes of `rng` for its key and 24 for the salt.
    ///
    /// # Errors
    ///
    /// [`EncryptError::TooLarge`] where `size` is more than [`MAX_SIZE`](super::MAX_SIZE).
    pub fn new(
        media_type: MediaType,
        size: u64,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, EncryptError> {
        let attachment = Box::new(Secret::random(&mut rng));
        let layout = Layout::new(size).ok_or(EncryptError::TooLarge)?;
        Ok(Self::begin(attachment, Role::File(media_type), layout, &mut rng))
    }

    /// P-8.1: a fresh salt; `attachment` is fresh, or its file's.
    pub(super) fn begin(attachment: Box<Secret<32>>, role: Role, layout: Layout, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        Self::at(attachment, salt, role, layout, 0, Hash::new())
    }

    /// Before chunk `chunk`, with the digest of everything before it.
    pub(super) fn at(
        attachment: Box<Secret<32>>,
        salt: [u8; SALT],
        role: Role,
        layout: Layout,
        chunk: u64,
        digest: Hash,
    ) -> Self {
        let keys = ChunkKeys::derive(&attachment, &salt, &role, layout.size());
        let pending = Zeroizing::new(Vec::with_capacity(layout.chunk_length(0)));
        Self { attachment, salt, role, sealer: Sealer { keys, layout, chunk, digest }, pending, started: chunk > 0 }
    }

    /// Bytes of the file, as announced.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.sealer.layout.size()
    }

    /// Bytes of the whole blob.
    #[must_use]
    pub const fn ciphertext_size(&self) -> u64 {
        self.sealer.layout.ciphertext_size()
    }

    /// Takes the next bytes of the file, and appends to `output` what is ready of the blob: whole chunks, and before the first
    /// one the header, [`room_for`](Self::room_for) them.
    ///
    /// # Errors
    ///
    /// [`EncryptError::OtherSize`] where the file is longer than announced; nothing was taken then.
    pub fn push(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), EncryptError> {
        let start = output.len();
        output.resize(start.saturating_add(self.room_for(plaintext.len())), 0);
        let pushed = self.push_into(plaintext, output.get_mut(start..).unwrap_or_default());
        if pushed.is_err() {
            output.truncate(start);
        }
        pushed.map(drop)
    }

    /// [`push`](Self::push) into the caller's memory, which saves preparing it: the beginning of `output` is written, and the
    /// number of bytes returned.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); [`EncryptError::NoRoom`] where `output` is shorter than [`room_for`](Self::room_for) says.
    /// Nothing was taken then.
    pub fn push_into(&mut self, plaintext: &[u8], output: &mut [u8]) -> Result<usize, EncryptError> {
        let written = self.room_for(plaintext.len());
        let (rest, mut output) = self.accept(plaintext, output)?;
        let mut chunks = rest.chunks_exact(CHUNK);
        for chunk in &mut chunks {
            output = self.sealer.seal(chunk, output);
        }
        self.pending.extend_from_slice(chunks.remainder());
        Ok(written)
    }

    /// How many bytes [`push`](Self::push) gives out for the next `length` bytes of the file: at most 64 KiB and the tags more.
    #[must_use]
    pub fn room_for(&self, length: usize) -> usize {
        let chunks = self.pending.len().saturating_add(length) / CHUNK;
        chunks.saturating_mul(SEALED_CHUNK).saturating_add(self.header_room())
    }

    /// What a push does first: checks the length, gives out the header, and fills up the chunk that is pending. Gives what is
    /// left of the plaintext, which begins a chunk, and of the output.
    pub(super) fn accept<'a, 'b>(
        &mut self,
        plaintext: &'a [u8],
        output: &'b mut [u8],
    ) -> Result<(&'a [u8], &'b mut [u8]), EncryptError> {
        if format::bytes(plaintext.len()) > self.missing() {
            return Err(EncryptError::OtherSize);
        }
        let output = output.get_mut(..self.room_for(plaintext.len())).ok_or(EncryptError::NoRoom)?;
        let mut output = self.start(output);
        if self.pending.is_empty() {
            return Ok((plaintext, output));
        }
        let room = CHUNK.saturating_sub(self.pending.len());
        let (head, rest) = plaintext.split_at_checked(room).unwrap_or((plaintext, &[]));
        self.pending.extend_from_slice(head);
        if self.pending.len() == CHUNK {
            output = self.sealer.seal(&self.pending, output);
            self.pending.clear();
        }
        Ok((rest, output))
    }

    /// Ends the file: appends its last bytes and the padding to `output`, at most 1 MiB of them in one call. Call it until it
    /// gives the pointer.
    ///
    /// # Errors
    ///
    /// [`EncryptError::OtherSize`] where the file is shorter than announced.
    pub fn finish(&mut self, output: &mut Vec<u8>) -> Result<Option<Pointer>, EncryptError> {
        if self.missing() > 0 {
            return Err(EncryptError::OtherSize);
        }
        let start = output.len();
        let end = self.sealer.chunk.saturating_add(AT_ONCE).min(self.sealer.layout.chunks());
        let sealed = (self.sealer.chunk..end).map(|chunk| self.sealer.layout.sealed_length(chunk));
        output.resize(sealed.fold(start.saturating_add(self.header_room()), usize::saturating_add), 0);
        let mut room = self.start(output.get_mut(start..).unwrap_or_default());
        let Self { sealer, pending, .. } = self;
        while sealer.chunk < end {
            // P-8.2. The padding is zeros.
            pending.resize(sealer.layout.chunk_length(sealer.chunk), 0);
            room = sealer.seal(pending, room);
            pending.clear();
        }
        if end < sealer.layout.chunks() {
            return Ok(None);
        }
        let digest = sealer.digest.clone().finish();
        Ok(Some(Pointer::new(self.attachment.duplicate(), digest, &self.role, sealer.layout)))
    }

    /// How much of the file is still to come.
    fn missing(&self) -> u64 {
        let taken = format::plain_start(self.sealer.chunk).saturating_add(format::bytes(self.pending.len()));
        self.size().saturating_sub(taken)
    }

    const fn header_room(&self) -> usize {
        if self.started { 0 } else { HEADER }
    }

    /// Gives out the header, once; gives what is left of the output.
    fn start<'b>(&mut self, output: &'b mut [u8]) -> &'b mut [u8] {
        let Some((header, rest)) = output.split_at_mut_checked(self.header_room()) else { return &mut [] };
        let bytes = self.salt.iter().chain(self.sealer.keys.commitment());
        header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.sealer.digest.update(header);
        self.started = true;
        rest
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attachment: _, salt: _, role: _, sealer, pending: _, started: _ } = self;
        f.debug_struct("Encryptor").field("size", &sealer.layout.size()).finish_non_exhaustive()
    }
}

/// Encrypts chunk after chunk, and digests what comes of it.
pub(super) struct Sealer {
    pub(super) keys: ChunkKeys,
    pub(super) layout: Layout,
    /// The chunk that comes next.
    pub(super) chunk: u64,
    /// Of everything before it.
    pub(super) digest: Hash,
}

impl Sealer {
    /// Writes the next chunk's ciphertext and tag; gives what is left of the output, in which there is room for them.
    fn seal<'b>(&mut self, plaintext: &[u8], output: &'b mut [u8]) -> &'b mut [u8] {
        let length = plaintext.len().saturating_add(TAG);
        let Some((sealed, rest)) = output.split_at_mut_checked(length) else { return &mut [] };
        self.keys.seal(self.chunk, plaintext, sealed);
        // While the chunk is in the processor's cache.
        self.digest.update(sealed);
        self.chunk = self.chunk.saturating_add(1);
        rest
    }
}

/// Chunks of padding in one call: large files have padding that is too long for memory.
const AT_ONCE: u64 = 16;
