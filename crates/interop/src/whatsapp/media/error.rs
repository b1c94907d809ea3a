//! Errors of attachments.

use core::fmt;

/// Why a file was not encrypted, or a blob not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaError {
    /// The file has more bytes than [`MAX_SIZE`](super::MAX_SIZE).
    TooLarge,
    /// The blob or payload does not verify: another one, or changed. There is one error for all causes, so that it is
    /// no oracle.
    Rejected,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "file is too large",
            Self::Rejected => "attachment does not verify",
        })
    }
}

impl core::error::Error for MediaError {}
