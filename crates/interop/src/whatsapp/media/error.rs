//! Why a file was not encrypted, or a blob not decrypted.

/// Why a file was not encrypted, or a blob not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaError {
    /// The file has more bytes than [`MAX_SIZE`](super::MAX_SIZE).
    TooLarge,
    /// The blob or payload does not verify: another one, or changed. There is one error for all causes, so that it is
    /// no oracle.
    Rejected,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    MediaError {
        TooLarge => "interop.whatsapp.media.too_large", "file is too large";
        Rejected => "interop.whatsapp.media.rejected", "the blob is not the one that the message names, or was changed";
        @Internal => "interop.whatsapp.media.internal";
    }
}
