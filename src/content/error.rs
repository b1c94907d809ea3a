//! Why content was not composed or not read, and why a vote did not open.
//!
//! Does not know which field it was: nobody acts on that.

use core::fmt;

/// Why content was not composed, or a body not read.
///
/// A body that decrypted comes from an authenticated peer. Whatever is wrong with it, its reader drops it; `TooLong` and
/// `OutOfRange` then say that the peer's program has other bounds, and may be newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentError {
    /// Not the encoding of content: padding, protobuf, UTF-8, or a part that has to be there. Drop it.
    Malformed,
    /// A text, a list or the whole is longer than docs/spec/content.md, section 7.3, allows. A composer cuts it.
    TooLong,
    /// A value is outside its range: empty where something must be, not a place on Earth, a name that is a path.
    OutOfRange,
    /// This kind cannot be shown once, or cannot be forwarded.
    Unfit,
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "content is malformed",
            Self::TooLong => "content is too long",
            Self::OutOfRange => "content has a value outside its range",
            Self::Unfit => "content of this kind does not allow this",
        })
    }
}

impl core::error::Error for ContentError {}

/// Why a ballot did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BallotError {
    /// Not cast by this voter in this poll, as this device has it, or changed. Drop it.
    Rejected,
    /// The voter sealed something that is no vote in this poll: too many choices, or an option that is not there. Drop it.
    Invalid,
}

impl fmt::Display for BallotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "ballot was not cast by this voter in this poll",
            Self::Invalid => "ballot holds no vote that the poll allows",
        })
    }
}

impl core::error::Error for BallotError {}
