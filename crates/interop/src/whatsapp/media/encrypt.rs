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
/// let attachment = encryptor.finish(&mut output);
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
        let added = u64::try_from(plaintext.len()).unwrap_or(u64::MAX);
        let size = self.size.checked_add(added).filter(|size| *size <= MAX_SIZE).ok_or(MediaError::TooLarge)?;
        self.size = size;
        self.file.update(plaintext);
        let remainder = self.held.saturating_add(plaintext.len()) % BLOCK;
        let Some((ready, rest)) = plaintext.len().checked_sub(remainder).and_then(|at| plaintext.split_at_checked(at))
        else {
            // The piece does not fill a block.
            self.hold(plaintext);
            return Ok(());
        };
        let start = output.len();
        output.reserve(ready.len().saturating_add(MOST_ADDED));
        output.extend_from_slice(self.pending.expose().get(..self.held).unwrap_or_default());
        output.extend_from_slice(ready);
        self.seal(output, start);
        self.held = 0;
        self.hold(rest);
        Ok(())
    }

    /// Ends the file: appends the last block and the tag to `output`, 26 bytes, and returns the attachment.
    pub fn finish(mut self, output: &mut Vec<u8>) -> Attachment {
        let start = output.len();
        output.reserve(MOST_ADDED);
        let padding = BLOCK.saturating_sub(self.held);
        output.extend_from_slice(self.pending.expose().get(..self.held).unwrap_or_default());
        output.resize(start.saturating_add(BLOCK), u8::try_from(padding).unwrap_or_default());
        self.seal(output, start);
        let Self { kind, key, cipher: _, mac, file, mut blob, mut windows, pending: _, held: _, size } = self;
        let mac = mac.finish();
        let tag = mac.expose().first_chunk::<TAG>().map_or([].as_slice(), |tag| tag);
        output.extend_from_slice(tag);
        blob.update(tag);
        windows.update(tag);
        let sidecar = windows.finish().iter().flat_map(|tag| tag.iter().take(TAG)).copied().collect();
        Attachment::new(kind, key, file.finish(), blob.finish()).with_size(size).with_sidecar(sidecar)
    }

    /// Encrypts the blocks from `start` on in place. Tag and digests are computed over the ciphertext. S-8.2.
    fn seal(&mut self, output: &mut [u8], start: usize) {
        let sealed = output.get_mut(start..).unwrap_or_default();
        self.cipher.apply(sealed);
        self.mac.update(sealed);
        self.blob.update(sealed);
        self.windows.update(sealed);
    }

    fn hold(&mut self, piece: &[u8]) {
        self.pending.expose_mut().iter_mut().skip(self.held).zip(piece).for_each(|(to, from)| *to = *from);
        self.held = self.held.saturating_add(piece.len());
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key: _, cipher: _, mac: _, file: _, blob: _, windows: _, pending: _, held: _, size } = self;
        f.debug_struct("Encryptor").field("kind", kind).field("size", size).finish_non_exhaustive()
    }
}
