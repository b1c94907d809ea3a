//! [`Pointer`]: the data that a receiver needs to check and decrypt a blob (docs/spec/attachments.md, section 8.4).
//!
//! A pointer has no address. The application sends the blob's address beside it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::decrypt::Decryptor;
use super::error::{DecryptError, PointerError};
use super::format::{self, Layout};
use super::keys::Role;
use super::media_type::MediaType;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// The key, root, size, media type and thumbnail of a file.
///
/// A pointer is secret: anyone who has it can read the file. It travels inside an encrypted message. To forward the
/// file, forward the pointer.
///
/// The key is wiped on drop and does not appear in `Debug` output.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::media::{self, MediaType, Pointer};
///
/// let (blob, pointer) = media::encrypt(MediaType::new("image/jpeg")?, &[7; 100_000], rng)?;
/// let pointer = Pointer::from_bytes(&pointer.to_bytes())?; // as the receiver gets it, inside a message
/// assert_eq!((pointer.size(), pointer.media_type().as_str()), (100_000, "image/jpeg"));
/// assert_eq!(pointer.ciphertext_size(), blob.len() as u64); // what a download may take
/// assert_eq!(pointer.decrypt(&blob)?, [7; 100_000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pointer {
    attachment: Box<Secret<32>>,
    root: [u8; 32],
    layout: Layout,
    media_type: MediaType,
    /// Boxed: the unused bytes of an absent one would be what was on the stack, and be copied to the heap with the rest.
    pub(super) thumbnail: Option<Box<Thumbnail>>,
}

/// A small picture of the file, stored as a blob under the file's attachment key. `thumbnail.rs` makes and opens it.
#[derive(Clone)]
pub(super) struct Thumbnail {
    pub(super) layout: Layout,
    pub(super) blob: Vec<u8>,
}

impl Pointer {
    /// Size of the largest thumbnail in bytes, before encryption.
    pub const MAX_THUMBNAIL: usize = 32 << 10;

    /// Length of the longest encoded pointer in bytes.
    pub const MAX_LENGTH: usize = FIXED + MediaType::MAX_LENGTH + format::HEADER + Self::MAX_THUMBNAIL + format::TAG;

    pub(super) fn new(attachment: Secret<32>, root: [u8; 32], role: &Role, layout: Layout) -> Self {
        let media_type = match role {
            Role::File(media_type) => media_type.clone(),
            Role::Thumbnail => MediaType::unknown(),
        };
        Self { attachment: Box::new(attachment), root, layout, media_type, thumbnail: None }
    }

    /// Decrypts a blob that is in memory. Returns the whole file or an error.
    ///
    /// # Errors
    ///
    /// * [`DecryptError::Rejected`] if this is not the blob that the pointer names.
    /// * [`DecryptError::Incomplete`] if its end is missing.
    pub fn decrypt(&self, blob: &[u8]) -> Result<Vec<u8>, DecryptError> {
        // Compare sizes before allocating: a pointer can name any size.
        match format::bytes(blob.len()).cmp(&self.ciphertext_size()) {
            core::cmp::Ordering::Less => Err(DecryptError::Incomplete),
            core::cmp::Ordering::Greater => Err(DecryptError::Rejected),
            core::cmp::Ordering::Equal => decrypt_all(self.decryptor(), blob),
        }
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.layout.size()
    }

    /// Returns the size of the blob in bytes. Stop a download that exceeds it.
    #[must_use]
    pub const fn ciphertext_size(&self) -> u64 {
        self.layout.ciphertext_size()
    }

    /// Returns the root of the blob: the SHA-256 of its header and its chunks' tags. It is public, and anyone who has
    /// the blob can compute it, so that it may be the blob's name in the store. Without the key it does not tell whether
    /// the ciphertext is intact.
    #[must_use]
    pub const fn root(&self) -> &[u8; 32] {
        &self.root
    }

    /// Returns the media type that the sender states.
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// Encodes the pointer, in at most [`MAX_LENGTH`](Self::MAX_LENGTH) bytes, for the plaintext of a message.
    ///
    /// The encoding is unique. It contains the key: the caller must wipe its copies.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { attachment, root, layout, media_type, thumbnail } = self;
        let (media_type, blob) = (media_type.as_str().as_bytes(), thumbnail.as_ref().map(|it| it.blob.as_slice()));
        let blob = blob.unwrap_or_default();
        let capacity = FIXED.saturating_add(media_type.len()).saturating_add(blob.len());
        let mut writer = SecretWriter::with_capacity(capacity);
        writer.u8(FORMAT).bytes(attachment.expose()).bytes(root).u64(layout.size());
        writer.u8(u8::try_from(media_type.len()).unwrap_or(u8::MAX)).bytes(media_type);
        // 0 stands for none.
        let size = match thumbnail {
            Some(it) => it.layout.size(),
            None => 0,
        };
        writer.u32(u32::try_from(size).unwrap_or(u32::MAX)).bytes(blob);
        core::mem::take(&mut *writer.finish())
    }

    /// Decodes a pointer from the plaintext of a message. The thumbnail is not decrypted yet.
    ///
    /// # Errors
    ///
    /// [`PointerError`] if the bytes do not encode a pointer.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointerError> {
        Self::decode(bytes).map_err(|Malformed| PointerError)
    }

    /// P-8.8: refuses sizes above their bounds, invalid media types and wrong lengths.
    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[FORMAT])?;
        let attachment = Box::new(Secret::copy_of(reader.array()?));
        let root = *reader.array()?;
        let layout = Layout::new(reader.u64()?).ok_or(Malformed)?;
        let length = usize::from(reader.u8()?);
        let media_type = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
        let media_type = MediaType::new(media_type).map_err(|_| Malformed)?;
        let thumbnail = match usize::try_from(reader.u32()?).map_err(|_| Malformed)? {
            0 => None,
            size => {
                let layout = thumbnail_layout(size).ok_or(Malformed)?;
                let length = usize::try_from(layout.ciphertext_size()).map_err(|_| Malformed)?;
                Some(Box::new(Thumbnail { layout, blob: reader.slice(length)?.to_vec() }))
            }
        };
        reader.finish()?;
        Ok(Self { attachment, root, layout, media_type, thumbnail })
    }

    pub(super) fn decryptor(&self) -> Decryptor {
        let attachment = Box::new(self.attachment.duplicate());
        Decryptor::of(attachment, self.role(), self.layout, Some(self.root))
    }

    pub(super) fn role(&self) -> Role {
        Role::File(self.media_type.clone())
    }

    pub(super) const fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) const fn attachment(&self) -> &Secret<32> {
        &self.attachment
    }
}

/// Clone a pointer to keep the file and forward it too.
impl Clone for Pointer {
    fn clone(&self) -> Self {
        let Self { attachment, root, layout, media_type, thumbnail } = self;
        let attachment = Box::new(attachment.duplicate());
        Self { attachment, root: *root, layout: *layout, media_type: media_type.clone(), thumbnail: thumbnail.clone() }
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attachment: _, root: _, layout, media_type, thumbnail } = self;
        f.debug_struct("Pointer")
            .field("size", &layout.size())
            .field("media_type", &media_type.as_str())
            .field("thumbnail", &thumbnail.is_some())
            .finish_non_exhaustive()
    }
}

/// Returns `None` if the thumbnail is too large. Thumbnails are limited so that the message carrying one stays small
/// (P-8.8).
pub(super) fn thumbnail_layout(size: usize) -> Option<Layout> {
    if size > Pointer::MAX_THUMBNAIL { None } else { Layout::new(format::bytes(size)) }
}

/// Decrypts a whole blob. Returns the whole file or an error.
pub(super) fn decrypt_all(mut decryptor: Decryptor, blob: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let mut plaintext = zeroize::Zeroizing::new(Vec::new());
    decryptor.push(blob, &mut plaintext)?;
    decryptor.finish()?;
    Ok(core::mem::take(&mut *plaintext))
}

/// Format number of pointers.
const FORMAT: u8 = 1;
/// Length in bytes of a pointer without its media type and thumbnail.
const FIXED: usize = 1 + 32 + 32 + 8 + 1 + 4;
