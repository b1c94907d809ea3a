//! [`MediaKind`]: the kind of a file, which its keys depend on.

/// The kind of a file. Its keys depend on it, so that one media key serves a picture and its thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// A picture, a sticker, a product's picture.
    Image,
    /// A video, an animation, a video note.
    Video,
    /// A sound file or a voice note.
    Audio,
    /// Any other file.
    Document,
    /// Messages from before a device was linked.
    History,
    /// A snapshot or patch of app state.
    AppState,
    /// A pack of stickers.
    StickerPack,
    /// The thumbnail of a link.
    LinkThumbnail,
    /// The thumbnail of a document.
    DocumentThumbnail,
    /// The thumbnail of a picture.
    ImageThumbnail,
    /// The thumbnail of a video.
    VideoThumbnail,
    /// The background of a payment.
    PaymentBackground,
}

impl MediaKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::History,
        Self::AppState,
        Self::StickerPack,
        Self::LinkThumbnail,
        Self::DocumentThumbnail,
        Self::ImageThumbnail,
        Self::VideoThumbnail,
        Self::PaymentBackground,
    ];

    /// The label of its key derivation.
    pub(super) const fn label(self) -> &'static [u8] {
        match self {
            Self::Image => b"WhatsApp Image Keys",
            Self::Video => b"WhatsApp Video Keys",
            Self::Audio => b"WhatsApp Audio Keys",
            Self::Document => b"WhatsApp Document Keys",
            Self::History => b"WhatsApp History Keys",
            Self::AppState => b"WhatsApp App State Keys",
            Self::StickerPack => b"WhatsApp Sticker Pack Keys",
            Self::LinkThumbnail => b"WhatsApp Link Thumbnail Keys",
            Self::DocumentThumbnail => b"WhatsApp Document Thumbnail Keys",
            Self::ImageThumbnail => b"WhatsApp Image Thumbnail Keys",
            Self::VideoThumbnail => b"WhatsApp Video Thumbnail Keys",
            Self::PaymentBackground => b"WhatsApp Payment Background Keys",
        }
    }
}
