//! Thumbnails: a small picture of a file, encrypted inside its [`Pointer`] (docs/spec/attachments.md, section 8.4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::decrypt::Decryptor;
use super::encrypt::Encryptor;
use super::error::{DecryptError, EncryptError};
use super::keys::Role;
use super::pointer::{Pointer, Thumbnail, decrypt_all, thumbnail_layout};

impl Pointer {
    /// Adds a thumbnail of 1 to [`MAX_THUMBNAIL`](Self::MAX_THUMBNAIL) bytes, replacing any earlier one.
    ///
    /// The thumbnail is encrypted under a key derived from the file's attachment key, so a cached copy is as unreadable
    /// as the blob. Draws 24 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// * [`EncryptError::TooLarge`] if the thumbnail is longer.
    /// * [`EncryptError::OtherSize`] if it is empty.
    pub fn with_thumbnail(
        mut self,
        thumbnail: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, EncryptError> {
        if thumbnail.is_empty() {
            return Err(EncryptError::OtherSize);
        }
        let layout = thumbnail_layout(thumbnail.len()).ok_or(EncryptError::TooLarge)?;
        let attachment = Box::new(self.attachment().duplicate());
        let mut encryptor = Encryptor::begin(attachment, Role::Thumbnail, layout, &mut rng);
        let mut blob = Vec::with_capacity(usize::try_from(layout.ciphertext_size()).unwrap_or(0));
        encryptor.push(thumbnail, &mut blob)?;
        encryptor.finish(&mut blob)?;
        self.thumbnail = Some(Box::new(Thumbnail { layout, blob }));
        Ok(self)
    }

    /// Decrypts the thumbnail, if there is one. An intact thumbnail proves nothing about the blob.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Rejected`] if the thumbnail was not made under this pointer's key.
    pub fn thumbnail(&self) -> Result<Option<Vec<u8>>, DecryptError> {
        let Some(Thumbnail { layout, blob }) = self.thumbnail.as_deref() else { return Ok(None) };
        let attachment = Box::new(self.attachment().duplicate());
        decrypt_all(Decryptor::of(attachment, Role::Thumbnail, *layout, None), blob).map(Some)
    }
}
