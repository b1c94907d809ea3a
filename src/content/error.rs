//! Why content was not composed or not read, and why a vote did not open.
//!
//! An error does not name the field: no caller acts on that.

/// Why content was not composed, or a body not read.
///
/// A body that decrypted comes from an authenticated peer. A reader drops it whatever is wrong with it; `TooLong` and
/// `OutOfRange` then say that the peer's program has other bounds, and may be newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentError {
    /// Padding, protobuf or UTF-8 is invalid, or a required part is missing. Drop it.
    Malformed,
    /// A text, a list or the whole is longer than [section 7.3](crate::manual::spec::content#73-bounds) allows. A
    /// composer cuts it.
    TooLong,
    /// A value is outside its range: an empty required text, a position that is not on Earth, a file name that is a path.
    OutOfRange,
    /// Content of this kind cannot be shown once, forwarded or merged.
    NotAllowed,
}

bisik_core::error_texts! {
    ContentError {
        Malformed => "content.malformed", "the content is malformed";
        TooLong => "content.too_long", "the content is too long";
        OutOfRange => "content.out_of_range", "the content has a value outside its range";
        NotAllowed => "content.not_allowed", "content of this kind does not allow this";
    }
}

/// Why a ballot did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BallotError {
    /// This voter did not cast it in this poll as this device knows it, or it was changed. Drop it.
    Rejected,
    /// The vote has too many choices, or an option that the poll does not have. Drop it.
    Invalid,
}

bisik_core::error_texts! {
    BallotError {
        Rejected => "content.ballot.rejected", "the ballot was not cast by this voter in this poll";
        Invalid => "content.ballot.invalid", "the ballot holds a vote that the poll does not allow";
    }
}
