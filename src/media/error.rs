//! What can go wrong with attachments; a variant only where a caller acts differently.
//!
//! Does not know the operations.

use crate::internal::InternalError;
use core::fmt;

/// Why a file was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// It has more bytes than [`MAX_SIZE`](super::MAX_SIZE); of a thumbnail,
    /// [`Pointer::MAX_THUMBNAIL`](super::Pointer::MAX_THUMBNAIL).
    TooLarge,
    /// Its size is not the one that was announced: the file has changed. Begin again, with a new encryptor.
    OtherSize,
    /// The memory for the output is too short: ask [`Encryptor::room_for`](super::Encryptor::room_for).
    NoRoom,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the file is too large",
            Self::OtherSize => "the file has another size than was announced",
            Self::NoRoom => "the memory for the output is too short",
            Self::Internal => InternalError::TEXT,
        })
    }
}

impl core::error::Error for EncryptError {}

impl From<InternalError> for EncryptError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
    }
}

/// Why a blob was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// Not the blob that the pointer names, or changed since. One answer for everything, so that there is no oracle in it.
    Rejected,
    /// Nothing was wrong so far, and the end is missing: fetch the rest.
    Incomplete,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "not the file that the pointer names, or changed since",
            Self::Incomplete => "the end of the file is missing",
            Self::Internal => InternalError::TEXT,
        })
    }
}

impl core::error::Error for DecryptError {}

impl From<InternalError> for DecryptError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
    }
}

/// The bytes are not a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PointerError;

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a pointer to an attachment")
    }
}

impl core::error::Error for PointerError {}

/// The text is not a media type as this library writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaTypeError;

impl fmt::Display for MediaTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a media type in small letters and without parameters")
    }
}

impl core::error::Error for MediaTypeError {}
