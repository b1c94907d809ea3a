//! [`Attachment`]: what a message carries about a blob, and decryption of a blob in memory (docs/interop.md, section
//! 8.4).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::MAX_SIZE;
use super::error::MediaError;
use super::keys::{self, BLOCK, BlobKeys, MediaKey, TAG};
use super::kind::MediaKind;
use super::range::Ranges;
use bisik_core::convert::widened;
use bisik_core::primitives::aes_cbc_stream::Decrypting;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::wipe_from;

/// What a message carries about a blob: kind, key, two SHA-256 digests and, if known, the size of the file and the
/// sidecar.
///
/// A holder can decrypt the file: send it inside an encrypted message only. The key is zeroized on drop; `Debug` shows
/// neither key nor digests.
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

    /// Sets the size of the file in bytes, which is then verified too.
    ///
    /// Some clients write 0 or a wrong length into their messages, where it is for display alone. Do not pass on a length
    /// of a message whose sender is not known to write it right: a good file would be refused. The digests cover the
    /// whole file without it; only [`ranges`](Self::ranges) needs it.
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets the streaming sidecar, with which parts can be decrypted before the whole blob was received.
    #[must_use]
    pub fn with_sidecar(mut self, sidecar: Vec<u8>) -> Self {
        self.sidecar = sidecar;
        self
    }

    /// Computes the attachment of a blob in memory whose digests are unknown, such as one from an archive. The tag is
    /// verified, which proves only that a holder of the key encrypted the blob. If a message carries the digests, use
    /// [`new`](Self::new) with them instead.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if the tag does not verify.
    pub fn of_blob(kind: MediaKind, key: MediaKey, blob: &[u8]) -> Result<Self, MediaError> {
        let file = open(&BlobKeys::derive(kind, &key), blob)?;
        let size = widened(file.len());
        Ok(Self::new(kind, key, digest(&[&file]), digest(&[blob])).with_size(size))
    }

    /// The kind of the file.
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

    /// Size of the file in bytes, if known.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// The sidecar: ten bytes for each 64 KiB of the blob, or empty. Messages carry one for sound and video.
    #[must_use]
    pub fn sidecar(&self) -> &[u8] {
        &self.sidecar
    }

    /// Decrypts a blob in memory. Digest and tag of the blob are verified before decryption, the digest of the file
    /// before it is returned. S-8.4.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if anything differs.
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

    /// Decrypts parts of the file at once, each verified by its entries in the sidecar. This does not show that the
    /// rest of the blob exists or matches the message's digests: only [`verifier`](Self::verifier) checks all of it.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if size or sidecar is missing, or they do not match each other.
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

/// Decrypts a blob after verifying its tag.
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
