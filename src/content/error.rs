//! Why content was not composed or not read, and why a sealed answer did not open.
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
    /// Content of this kind cannot be shown once, forwarded, merged, answered or given a secret; or it would be
    /// forwarded with its own secret.
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

/// Why a ballot, an answer to an event or a sealed reaction did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BallotError {
    /// This person did not seal it for this content as this device knows it, or it was changed. Drop it.
    Rejected,
    /// It says what the content does not allow: an option that the poll does not have, too many choices or guests, a
    /// reaction that is no text. Drop it.
    Invalid,
}

bisik_core::error_texts! {
    BallotError {
        Rejected => "content.ballot.rejected", "the answer was not sealed by this person for this content";
        Invalid => "content.ballot.invalid", "the answer says what the content does not allow";
    }
}
