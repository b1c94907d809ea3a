//! Why content was not composed or not read, and why a vote did not open.
//!
//! Does not know which field it was: nobody acts on that.

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
    /// Not cast by this voter in this poll, as this device has it, or changed. Drop it.
    Rejected,
    /// The voter sealed something that is no vote in this poll: too many choices, or an option that is not there. Drop it.
    Invalid,
}

bisik_core::error_texts! {
    BallotError {
        Rejected => "content.ballot.rejected", "the ballot was not cast by this voter in this poll";
        Invalid => "content.ballot.invalid", "the ballot holds a vote that the poll does not allow";
    }
}
