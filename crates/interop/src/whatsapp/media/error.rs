//! What can go wrong with attachments.
//!
//! Does not know the operations.

use core::fmt;

/// Why a file was not encrypted, or a blob not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaError {
    /// The file has more bytes than [`MAX_SIZE`](super::MAX_SIZE).
    TooLarge,
    /// Not the blob or the payload that was meant, or changed since. One answer for everything, so that there is no oracle
    /// in it.
    Rejected,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the file is too large",
            Self::Rejected => "not what the message names, or changed since",
        })
    }
}

impl core::error::Error for MediaError {}
