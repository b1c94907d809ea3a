//! Names and times: persons, content ids, references, time of sending.
//!
//! A person is any byte string that the application authenticates; this module knows no accounts.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{ContentError, limits, wire};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

bisik_core::id! {
    /// The id of a content: 16 random bytes.
    ///
    /// It is encrypted, and distinct from the message id that a relay sees. It is unique among the contents of an honest
    /// author; the full name of a content is a [`Reference`].
    pub struct ContentId;
    /// Returns an id from its stored bytes.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes.
    pub fn as_bytes();
    /// Returns a new id from 16 bytes of `rng`.
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

/// A person's identifier: 1 to 128 bytes that the application authenticates.
///
/// Between two devices it is the [`IdentityKey`] that [`Session::peer`](crate::Session::peer) returns. `Debug` shows
/// only the length, because mentions and replies are part of a message's content.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
/// use bisik::content::PersonId;
///
/// let by_key = PersonId::from(Identity::generate(rng).public()); // one device of a person
/// let by_account = PersonId::new(b"ana@example.com")?; // or what the application authenticates
/// assert_ne!(by_key, by_account);
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Box<[u8]>);

impl PersonId {
    /// Returns an identifier of the application's own.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] if it is empty, [`ContentError::TooLong`] above 128 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, ContentError> {
        bounded(bytes.len(), 1, limits::PERSON).map(|()| Self(bytes.into()))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for PersonId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Refuses what [`PersonId::new`] refuses.
impl TryFrom<&[u8]> for PersonId {
    type Error = ContentError;

    fn try_from(bytes: &[u8]) -> Result<Self, ContentError> {
        Self::new(bytes)
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

/// The full name of a content: author and id. An id alone is not a name, because a malicious author can copy another's.
/// Requirement P-7.9.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The author.
    pub author: PersonId,
    /// The id, unique among the author's contents.
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
/// The sender can claim any time. Use it to sort and label what is shown; no check of the library relies on it.
///
/// ```
/// use bisik::Timestamp;
/// use bisik::content::SentAt;
///
/// let sent = SentAt::from_unix_milliseconds(1_800_000_000_250)?;
/// assert_eq!(sent.timestamp(), Timestamp::from_unix_seconds(1_800_000_000));
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentAt(u64);

impl SentAt {
    /// Returns the moment `milliseconds` after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] after the year 9999.
    pub const fn from_unix_milliseconds(milliseconds: u64) -> Result<Self, ContentError> {
        if milliseconds > limits::SENT_MS { Err(ContentError::OutOfRange) } else { Ok(Self(milliseconds)) }
    }

    /// Returns the whole milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_unix_milliseconds(self) -> u64 {
        self.0
    }

    /// Returns the time in whole seconds, rounded down.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0 / 1_000)
    }
}

/// Checks a length: below `least` it is out of range, above `most` it is too long. Requirement P-7.7.
pub(super) const fn bounded(length: usize, least: usize, most: usize) -> Result<(), ContentError> {
    if length < least {
        Err(ContentError::OutOfRange)
    } else if length > most {
        Err(ContentError::TooLong)
    } else {
        Ok(())
    }
}

/// Checks a number. Requirement P-7.7.
pub(super) const fn within(value: u32, least: u32, most: u32) -> Result<(), ContentError> {
    if value < least || value > most { Err(ContentError::OutOfRange) } else { Ok(()) }
}
