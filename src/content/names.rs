//! Names and times: who wrote, which content, when.
//!
//! Does not know accounts: a person is whatever bytes the application authenticates.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{ContentError, limits, wire};
use crate::keys::IdentityKey;
use crate::time::Timestamp;

bisik_core::id! {
    /// The id of one content: 16 random bytes, inside the encryption, and not the name of the message that carries it, which a relay
    /// sees. It is unique among contents of one author, if the author is honest; the name of a content is a [`Reference`].
    pub struct ContentId;
    /// An id that was kept.
    pub fn from_bytes(bytes);
    /// Its 16 bytes.
    pub fn as_bytes();
    /// A new id from 16 bytes of `rng`.
    pub fn generate(rng);
}

impl ContentId {
    pub(super) fn to_wire(self) -> Vec<u8> {
        self.0.to_vec()
    }

    pub(super) fn from_wire(bytes: &[u8]) -> Result<Self, ContentError> {
        bytes.try_into().map(Self).map_err(|_| ContentError::Malformed)
    }
}

/// Somebody, by the bytes that the application authenticates: 1 to 128 of them.
///
/// Between two devices that is the [`IdentityKey`] that [`Session::peer`](crate::Session::peer) gives. `Debug` shows the
/// length: who is mentioned or answered is part of what was said.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Box<[u8]>);

impl PersonId {
    /// A person by the application's own name.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] where it is empty, [`ContentError::TooLong`] above 128 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, ContentError> {
        bounded(bytes.len(), 1, limits::PERSON).map(|()| Self(bytes.into()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&IdentityKey> for PersonId {
    fn from(key: &IdentityKey) -> Self {
        Self(Box::from(key.to_bytes().as_slice()))
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonId([{} bytes])", self.0.len())
    }
}

/// P-7.9. The name of a content: author and id. Two people can use the same id, by malice, so an id alone names
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Who wrote it.
    pub author: PersonId,
    /// Which of the author's contents it is.
    pub id: ContentId,
}

impl Reference {
    pub(super) fn to_wire(&self) -> wire::Reference {
        let Self { author, id } = self;
        wire::Reference { author: author.0.to_vec(), id: id.to_wire() }
    }

    pub(super) fn from_wire(wire: &wire::Reference) -> Result<Self, ContentError> {
        Ok(Self { author: PersonId::new(&wire.author)?, id: ContentId::from_wire(&wire.id)? })
    }
}

/// When a content was sent, by the sender's clock: whole milliseconds since 1970, up to the end of the year 9999.
///
/// The sender may say anything: it orders and labels what is shown, and no rule of the library trusts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentAt(u64);

impl SentAt {
    /// The moment `milliseconds` after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] after the year 9999.
    pub const fn from_unix_milliseconds(milliseconds: u64) -> Result<Self, ContentError> {
        if milliseconds > limits::SENT_MS { Err(ContentError::OutOfRange) } else { Ok(Self(milliseconds)) }
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_unix_milliseconds(self) -> u64 {
        self.0
    }

    /// The second in which it lies.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0 / 1_000)
    }
}

/// P-7.7. Checks a length: too short is outside its range, too long is too long.
pub(super) const fn bounded(length: usize, least: usize, most: usize) -> Result<(), ContentError> {
    if length < least {
        Err(ContentError::OutOfRange)
    } else if length > most {
        Err(ContentError::TooLong)
    } else {
        Ok(())
    }
}

/// P-7.7. Checks a number.
pub(super) const fn within(value: u32, least: u32, most: u32) -> Result<(), ContentError> {
    if value < least || value > most { Err(ContentError::OutOfRange) } else { Ok(()) }
}
