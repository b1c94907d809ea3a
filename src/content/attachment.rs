//! Attachments: the metadata that a client shows, and a pointer to the encrypted bytes.
//!
//! How blobs are encrypted is the matter of [`crate::media`] (docs/spec/attachments.md, section 8). Where they are
//! stored is up to the application.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::names::{bounded, within};
use super::{ContentError, FileName, PrivateBytes, PrivateText, Text, limits, wire};
use crate::media::Pointer;

/// The encrypted bytes of an attachment: how to decrypt them, and where they are stored.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Key, root, size, media type and thumbnail.
    pub pointer: Pointer,
    /// The location, as named by the blob store: 1 to 2,048 bytes. Untrusted; the pointer's root authenticates the
    /// blob.
    pub location: PrivateText,
}

impl Blob {
    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { pointer: _, location } = self;
        bounded(location.len(), 1, limits::BLOB_LOCATION)
    }

    #[expect(clippy::unnecessary_wraps, reason = "protobuf makes every message field optional")]
    pub(super) fn to_wire(&self) -> Option<wire::Blob> {
        let Self { pointer, location } = self;
        Some(wire::Blob { pointer: pointer.to_bytes(), location: (**location).into() })
    }

    pub(super) fn from_wire(wire: Option<&mut wire::Blob>) -> Result<Self, ContentError> {
        let wire::Blob { pointer, location } = wire.ok_or(ContentError::Malformed)?;
        let pointer = Pointer::from_bytes(pointer).map_err(|_| ContentError::Malformed)?;
        Ok(Self { pointer, location: PrivateText::take(location) })
    }
}

/// Compares the encodings: each pointer has exactly one.
impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        let [ours, theirs] = [self, other].map(|blob| Zeroizing::new(blob.pointer.to_bytes()));
        bool::from(ours.ct_eq(&theirs)) && self.location == other.location
    }
}

impl Eq for Blob {}

/// Width and height in pixels, each 1 to 65,535. Clients use them to reserve space before the picture has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Dimensions {
    fn check(self) -> Result<(), ContentError> {
        let Self { width, height } = self;
        within(width, 1, limits::EDGE)?;
        within(height, 1, limits::EDGE)
    }
}

/// A photo.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Blob, Content, ContentMeta, Dimensions, Kind, Photo, SentAt, Text};
/// use bisik::media::{self, MediaType};
///
/// let jpeg = [0xFF, 0xD8]; // the file
/// let (blob, pointer) = media::encrypt(MediaType::new("image/jpeg")?, &jpeg, rng)?;
/// let location = "https://blobs.example/1".into(); // where the store has put `blob`
/// let mut photo = Photo::new(Blob { pointer, location }, Dimensions { width: 1_600, height: 1_200 });
/// photo.caption = Some(Text::new("Bromo"));
/// let meta = ContentMeta::new(SentAt::from_unix_milliseconds(1_800_000_000_000)?, rng);
/// let sent = Content::new(meta, Kind::Photo(photo))?;
///
/// let read = Content::from_body(sent.as_body())?;
/// let Kind::Photo(Photo { blob: found, .. }) = read.kind() else { panic!("a photo was sent") };
/// assert_eq!(found.pointer.decrypt(&blob)?, jpeg); // download it from `found.location`
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Photo {
    /// The encrypted file.
    pub blob: Blob,
    /// Its size in pixels.
    pub dimensions: Dimensions,
    /// The caption, if any.
    pub caption: Option<Text>,
}

impl Photo {
    /// Returns a photo without a caption.
    #[must_use]
    pub const fn new(blob: Blob, dimensions: Dimensions) -> Self {
        Self { blob, dimensions, caption: None }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, dimensions, caption } = self;
        blob.check()?;
        dimensions.check()?;
        caption.as_ref().map_or(Ok(()), Text::check)
    }

    pub(super) fn to_wire(&self) -> wire::Photo {
        let Self { blob, dimensions: Dimensions { width, height }, caption } = self;
        let caption = caption.as_ref().map(Text::to_wire);
        wire::Photo { blob: blob.to_wire(), width: *width, height: *height, caption }
    }

    pub(super) fn from_wire(wire: &mut wire::Photo) -> Result<Self, ContentError> {
        let wire::Photo { blob, width, height, caption } = wire;
        let dimensions = Dimensions { width: *width, height: *height };
        Ok(Self { blob: Blob::from_wire(blob.as_mut())?, dimensions, caption: caption_from_wire(caption.as_mut())? })
    }
}

/// A video.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Video {
    /// The encrypted file.
    pub blob: Blob,
    /// Its size in pixels.
    pub dimensions: Dimensions,
    /// Duration in milliseconds: at most a day.
    pub duration_ms: u32,
    /// The caption, if any.
    pub caption: Option<Text>,
}

impl Video {
    /// Returns a video without a caption.
    #[must_use]
    pub const fn new(blob: Blob, dimensions: Dimensions, duration_ms: u32) -> Self {
        Self { blob, dimensions, duration_ms, caption: None }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, dimensions, duration_ms, caption } = self;
        blob.check()?;
        dimensions.check()?;
        within(*duration_ms, 0, limits::DURATION_MS)?;
        caption.as_ref().map_or(Ok(()), Text::check)
    }

    pub(super) fn to_wire(&self) -> wire::Video {
        let Self { blob, dimensions: Dimensions { width, height }, duration_ms, caption } = self;
        let caption = caption.as_ref().map(Text::to_wire);
        wire::Video { blob: blob.to_wire(), width: *width, height: *height, duration_ms: *duration_ms, caption }
    }

    pub(super) fn from_wire(wire: &mut wire::Video) -> Result<Self, ContentError> {
        let wire::Video { blob, width, height, duration_ms, caption } = wire;
        let dimensions = Dimensions { width: *width, height: *height };
        let (blob, caption) = (Blob::from_wire(blob.as_mut())?, caption_from_wire(caption.as_mut())?);
        Ok(Self { blob, dimensions, duration_ms: *duration_ms, caption })
    }
}

/// A voice recording.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Blob, VoiceNote};
/// use bisik::media::{self, MediaType};
///
/// let (blob, pointer) = media::encrypt(MediaType::new("audio/ogg")?, b"OggS", rng)?;
/// let location = "https://blobs.example/1".into(); // where the store has put `blob`
/// let note = VoiceNote::new(Blob { pointer, location }, 2_500); // 2.5 seconds
/// assert_eq!(note.duration_ms, 2_500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VoiceNote {
    /// The encrypted file.
    pub blob: Blob,
    /// Duration in milliseconds: at most a day.
    pub duration_ms: u32,
    /// Loudness over time, one byte per value: at most 256.
    pub waveform: PrivateBytes,
}

impl VoiceNote {
    /// Returns a voice note without a waveform.
    #[must_use]
    pub fn new(blob: Blob, duration_ms: u32) -> Self {
        Self { blob, duration_ms, waveform: PrivateBytes::default() }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, duration_ms, waveform } = self;
        blob.check()?;
        within(*duration_ms, 0, limits::DURATION_MS)?;
        bounded(waveform.len(), 0, limits::WAVEFORM)
    }

    pub(super) fn to_wire(&self) -> wire::VoiceNote {
        let Self { blob, duration_ms, waveform } = self;
        wire::VoiceNote { blob: blob.to_wire(), duration_ms: *duration_ms, waveform: waveform.to_vec() }
    }

    pub(super) fn from_wire(wire: &mut wire::VoiceNote) -> Result<Self, ContentError> {
        let wire::VoiceNote { blob, duration_ms, waveform } = wire;
        let blob = Blob::from_wire(blob.as_mut())?;
        Ok(Self { blob, duration_ms: *duration_ms, waveform: PrivateBytes::take(waveform) })
    }
}

/// A file of any other type.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Blob, Document, FileName};
/// use bisik::media::{self, MediaType};
///
/// let (blob, pointer) = media::encrypt(MediaType::new("application/pdf")?, b"%PDF", rng)?;
/// let location = "https://blobs.example/1".into(); // where the store has put `blob`
/// let document = Document::new(Blob { pointer, location }, FileName::cleaned("Meeting 12:30.pdf"));
/// assert_eq!(&*document.file_name, "Meeting 12_30.pdf");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The encrypted file.
    pub blob: Blob,
    /// The file name that the sender chose.
    pub file_name: FileName,
    /// The caption, if any.
    pub caption: Option<Text>,
}

impl Document {
    /// Returns a file without a caption.
    #[must_use]
    pub const fn new(blob: Blob, file_name: FileName) -> Self {
        Self { blob, file_name, caption: None }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, file_name: _, caption } = self;
        blob.check()?;
        caption.as_ref().map_or(Ok(()), Text::check)
    }

    pub(super) fn to_wire(&self) -> wire::Document {
        let Self { blob, file_name, caption } = self;
        let caption = caption.as_ref().map(Text::to_wire);
        wire::Document { blob: blob.to_wire(), file_name: (**file_name).into(), caption }
    }

    pub(super) fn from_wire(wire: &mut wire::Document) -> Result<Self, ContentError> {
        let wire::Document { blob, file_name, caption } = wire;
        let (blob, caption) = (Blob::from_wire(blob.as_mut())?, caption_from_wire(caption.as_mut())?);
        Ok(Self { blob, file_name: FileName::new(PrivateText::take(file_name))?, caption })
    }
}

/// A sticker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sticker {
    /// The encrypted file.
    pub blob: Blob,
    /// Its size in pixels.
    pub dimensions: Dimensions,
    /// The emoji to show in its place if the sticker cannot be shown: at most 64 bytes, or empty.
    pub emoji: PrivateText,
}

impl Sticker {
    /// Returns a sticker without an emoji.
    #[must_use]
    pub fn new(blob: Blob, dimensions: Dimensions) -> Self {
        Self { blob, dimensions, emoji: PrivateText::default() }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, dimensions, emoji } = self;
        blob.check()?;
        dimensions.check()?;
        bounded(emoji.len(), 0, limits::EMOJI)
    }

    pub(super) fn to_wire(&self) -> wire::Sticker {
        let Self { blob, dimensions: Dimensions { width, height }, emoji } = self;
        wire::Sticker { blob: blob.to_wire(), width: *width, height: *height, emoji: (**emoji).into() }
    }

    pub(super) fn from_wire(wire: &mut wire::Sticker) -> Result<Self, ContentError> {
        let wire::Sticker { blob, width, height, emoji } = wire;
        let dimensions = Dimensions { width: *width, height: *height };
        Ok(Self { blob: Blob::from_wire(blob.as_mut())?, dimensions, emoji: PrivateText::take(emoji) })
    }
}

/// A contact card.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// The encrypted card.
    pub blob: Blob,
    /// The name to show: 1 to 255 bytes.
    pub display_name: PrivateText,
}

impl Contact {
    /// Returns a contact card with the name to show for it.
    #[must_use]
    pub fn new(blob: Blob, display_name: impl Into<PrivateText>) -> Self {
        Self { blob, display_name: display_name.into() }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { blob, display_name } = self;
        blob.check()?;
        bounded(display_name.len(), 1, limits::NAME)
    }

    pub(super) fn to_wire(&self) -> wire::Contact {
        let Self { blob, display_name } = self;
        wire::Contact { blob: blob.to_wire(), display_name: (**display_name).into() }
    }

    pub(super) fn from_wire(wire: &mut wire::Contact) -> Result<Self, ContentError> {
        let wire::Contact { blob, display_name } = wire;
        Ok(Self { blob: Blob::from_wire(blob.as_mut())?, display_name: PrivateText::take(display_name) })
    }
}

fn caption_from_wire(wire: Option<&mut wire::Text>) -> Result<Option<Text>, ContentError> {
    wire.map(Text::from_wire).transpose()
}
