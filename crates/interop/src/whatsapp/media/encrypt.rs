//! [`Encryptor`]: push-style encryption of a file (docs/interop.md, section 8.2).
//!
//! Performs no I/O: plaintext goes in in pieces of any length, and the blob comes out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::attachment::Attachment;
use super::error::MediaError;
use super::keys::{BLOCK, BlobKeys, MediaKey, TAG};
use super::kind::MediaKind;
use super::windows::Windows;
use super::{MAX_SIZE, MOST_ADDED};
use bisik_core::convert::widened;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aes_cbc_stream::Encrypting;
use bisik_core::primitives::kdf::HmacSha256Stream;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sha256::Hash;

/// Encrypts one file in pieces of any length. Buffers less than one block of plaintext, and a tag for each 64 KiB of
/// the blob.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::whatsapp::media::{Encryptor, MediaKey, MediaKind};
///
/// let pieces = [vec![1; 70_000], vec![2; 30_000]];
/// let mut encryptor = Encryptor::new(MediaKind::Video, MediaKey::generate(rng));
/// let mut store = Vec::new(); // the untrusted store
/// let mut output = Vec::new();
/// for piece in &pieces {
///     encryptor.push(piece, &mut output)?;
///     store.append(&mut output); // send it
/// }
/// let attachment = encryptor.finish(&mut output)?;
/// store.append(&mut output); // send it
/// assert_eq!(attachment.decrypt(&store)?, pieces.concat());
/// # Ok::<(), bisik::interop::whatsapp::media::MediaError>(())
/// ```
pub struct Encryptor {
    kind: MediaKind,
    key: MediaKey,
    cipher: Box<Encrypting>,
    mac: Box<HmacSha256Stream>,
    file: Hash,
    blob: Hash,
    windows: Windows,
    /// Plaintext that does not fill a block yet: the first `held` bytes.
    pending: Box<Secret<BLOCK>>,
    held: usize,
    size: u64,
}

impl Encryptor {
    /// Begins a file of this kind. Use a key for one file of each kind only, and never for a changed version of that
    /// file: the format has no salt, so that the initialisation vector follows from the key.
    #[must_use]
    pub fn new(kind: MediaKind, key: MediaKey) -> Self {
        let keys = BlobKeys::derive(kind, &key);
        let mut mac = Box::new(keys.mac.start());
        mac.update(&keys.iv);
        Self {
            kind,
            key,
            cipher: Box::new(Encrypting::new(&keys.cipher, &keys.iv)),
            mac,
            file: Hash::new(),
            blob: Hash::new(),
            windows: Windows::new(&keys),
            pending: Box::new(Secret::zero()),
            held: 0,
            size: 0,
        }
    }

    /// Takes the next bytes of the file and appends the finished blocks of the blob to `output`.
    ///
    /// # Errors
    ///
    /// [`MediaError::TooLarge`] if the file would become longer than [`MAX_SIZE`]; the encryptor is then unchanged.
    pub fn push(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), MediaError> {
        let size = self.size.checked_add(widened(plaintext.len()));
        let size = size.filter(|size| *size <= MAX_SIZE).ok_or(MediaError::TooLarge)?;
        let start = output.len();
        output.reserve(plaintext.len().saturating_add(MOST_ADDED));
        let (head, rest) = plaintext.split_at(self.room().min(plaintext.len()));
        self.hold(head);
        if self.held == BLOCK {
            output.extend_from_slice(&self.cipher.block(&self.pending));
            self.held = 0;
            let (blocks, rest) = rest.as_chunks();
            self.cipher.append(blocks, output);
            self.hold(rest);
        }
        self.size = size;
        self.file.update(plaintext);
        let (_, sealed) = output.split_at(start);
        self.digest(sealed);
        Ok(())
    }

    /// Ends the file: appends the last block and the tag to `output`, 26 bytes, and returns the attachment.
    ///
    /// # Errors
    ///
    /// [`MediaError::Internal`] alone.
    pub fn finish(mut self, output: &mut Vec<u8>) -> Result<Attachment, MediaError> {
        output.reserve(MOST_ADDED);
        let rest = self.pending.expose().get(..self.held).ok_or(InternalError)?;
        let last = self.cipher.last(rest)?;
        self.digest(&last);
        output.extend_from_slice(&last);
        let Self { kind, key, cipher: _, mac, file, mut blob, mut windows, pending: _, held: _, size } = self;
        let mac = mac.finish();
        let tag = mac.truncate::<TAG>();
        output.extend_from_slice(&tag);
        blob.update(&tag);
        windows.update(&tag);
        let sidecar = windows.finish().iter().flat_map(|tag| tag.iter().take(TAG)).copied().collect();
        Ok(Attachment::new(kind, key, file.finish(), blob.finish()).with_size(size).with_sidecar(sidecar))
    }

    /// Tag and digests are over the ciphertext (S-8.2).
    fn digest(&mut self, sealed: &[u8]) {
        self.mac.update(sealed);
        self.blob.update(sealed);
        self.windows.update(sealed);
    }

    /// Bytes that the block in `pending` has left.
    fn room(&self) -> usize {
        self.pending.expose().iter().skip(self.held).len()
    }

    fn hold(&mut self, piece: &[u8]) {
        self.pending.expose_mut().iter_mut().skip(self.held).zip(piece).for_each(|(to, from)| *to = *from);
        self.held = self.held.saturating_add(piece.len()).min(BLOCK);
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key: _, cipher: _, mac: _, file: _, blob: _, windows: _, pending: _, held: _, size } = self;
        f.debug_struct("Encryptor").field("kind", kind).field("size", size).finish_non_exhaustive()
    }
}
