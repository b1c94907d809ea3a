//! [`Attachment`]: what a message says of a blob, and decryption of one that is in memory (docs/interop.md, section 8.4).
//!
//! Does not know the message that carries it, nor where the blob is.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::MAX_SIZE;
use super::error::MediaError;
use super::keys::{self, BLOCK, BlobKeys, MediaKey, TAG};
use super::kind::MediaKind;
use super::range::Ranges;
use super::verify::Verifier;
use bisik_core::convert::widened;
use bisik_core::primitives::aes_cbc_stream::Decrypting;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::wipe_from;

/// What a message says of a blob: kind, key, the two SHA-256 digests, and where they are known the size of the file and the
/// sidecar.
///
/// Who has it has the file: it travels inside an encrypted message only. The key is wiped on drop; `Debug` shows neither key
/// nor digests.
pub struct Attachment {
    pub(super) kind: MediaKind,
    pub(super) key: MediaKey,
    pub(super) file_digest: [u8; 32],
    pub(super) blob_digest: [u8; 32],
    pub(super) size: Option<u64>,
    sidecar: Vec<u8>,
}

impl Attachment {
    /// From the fields of a message: `file_sha256` is of the file, `file_enc_sha256` of the blob.
    #[must_use]
    pub const fn new(kind: MediaKind, key: MediaKey, file_sha256: [u8; 32], file_enc_sha256: [u8; 32]) -> Self {
        let (file_digest, blob_digest) = (file_sha256, file_enc_sha256);
        Self { kind, key, file_digest, blob_digest, size: None, sidecar: Vec::new() }
    }

    /// With the size of the file, which is then checked too.
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// With the streaming sidecar, by which parts can be decrypted before all of it was seen.
    #[must_use]
    pub fn with_sidecar(mut self, sidecar: Vec<u8>) -> Self {
        self.sidecar = sidecar;
        self
    }

    /// What a blob in memory contains, where no message says its digests: the tag is verified, so it is of whoever has the
    /// key, and the digests are taken from it. For files from an archive; a message has digests, and they are to be used.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] where the tag does not hold.
    pub fn of_blob(kind: MediaKind, key: MediaKey, blob: &[u8]) -> Result<Self, MediaError> {
        let file = open(&BlobKeys::derive(kind, &key), blob)?;
        let size = widened(file.len());
        Ok(Self::new(kind, key, digest(&[&file]), digest(&[blob])).with_size(size))
    }

    /// What the file is.
    #[must_use]
    pub const fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The key, for the message.
    #[must_use]
    pub const fn key(&self) -> &MediaKey {
        &self.key
    }

    /// SHA-256 of the file.
    #[must_use]
    pub const fn file_sha256(&self) -> &[u8; 32] {
        &self.file_digest
    }

    /// SHA-256 of the blob.
    #[must_use]
    pub const fn file_enc_sha256(&self) -> &[u8; 32] {
        &self.blob_digest
    }

    /// Bytes of the file, where they are known.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Ten bytes for each 64 KiB of the blob; empty where there is none. Messages carry it for sound and video.
    #[must_use]
    pub fn sidecar(&self) -> &[u8] {
        &self.sidecar
    }

    /// S-8.4. The file of a blob that is in memory. Digest and tag of the blob are verified before anything is decrypted, and
    /// the digest of the file before anything is returned.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] where anything differs.
    pub fn decrypt(&self, blob: &[u8]) -> Result<Vec<u8>, MediaError> {
        if digest(&[blob]) != self.blob_digest {
            return Err(MediaError::Rejected);
        }
        let mut file = open(&BlobKeys::derive(self.kind, &self.key), blob)?;
        let size = u64::try_from(file.len()).ok();
        let expected = self.size.is_none_or(|expected| Some(expected) == size);
        if expected && digest(&[&file]) == self.file_digest {
            Ok(core::mem::take(&mut *file))
        } else {
            Err(MediaError::Rejected)
        }
    }

    /// Begins to verify a blob that is not in memory.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::new(self)
    }

    /// Any part of the file at once, each verified by its entries in the sidecar. That the rest is there, and has the digests
    /// of the message, is not said: only [`verifier`](Self::verifier) sees all of it.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] where size or sidecar are not there, or do not fit each other.
    pub fn ranges(&self) -> Result<Ranges, MediaError> {
        let size = self.size.filter(|size| *size <= MAX_SIZE).ok_or(MediaError::Rejected)?;
        Ranges::of_sidecar(BlobKeys::derive(self.kind, &self.key), size, &self.sidecar)
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key: _, file_digest: _, blob_digest: _, size, sidecar: _ } = self;
        f.debug_struct("Attachment").field("kind", kind).field("size", size).finish_non_exhaustive()
    }
}

/// The file in a blob of which the tag holds.
fn open(keys: &BlobKeys, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, MediaError> {
    let (ciphertext, tag) = blob.split_last_chunk::<TAG>().ok_or(MediaError::Rejected)?;
    if ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
        return Err(MediaError::Rejected);
    }
    if !keys::verify(keys.mac.hash(&[&keys.iv, ciphertext]).expose(), tag) {
        return Err(MediaError::Rejected);
    }
    let mut file = Zeroizing::new(ciphertext.to_vec());
    Decrypting::new(&keys.cipher, &keys.iv).apply(&mut file);
    let length = keys::without_padding(&file).ok_or(MediaError::Rejected)?.len();
    wipe_from(&mut file, length);
    Ok(file)
}
