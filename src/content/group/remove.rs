//! [`Remove`]: the deletion of somebody else's content.

use super::required;
use crate::content::{ContentError, Reference, wire};

/// The deletion, for everyone, of a content by somebody who is not its author: an administrator of a group. Advisory,
/// as [`Delete`](crate::content::Delete) is.
///
/// It is a type of its own, so that a program cannot take it for a deletion by the author, and its target is readable
/// only for who says what the sender may do. Between two people it has no effect. Requirement P-7.31.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Kind, PersonId, Remove, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let spam = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("buy this")))?;
/// let eve = PersonId::new(b"eve")?; // who wrote it
/// let remove = Remove::new(spam.reference(&eve));
/// # let arrived = Content::new(ContentMeta::new(sent, rng), Kind::Remove(remove.clone()))?;
/// // The receiver asks the group whether the sender is an administrator in the state in which it was sent.
/// assert_eq!(remove.target_of(true), Some(&spam.reference(&eve)));
/// assert_eq!(remove.target_of(false), None, "anybody else removes nothing");
/// # let _ = arrived;
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remove {
    target: Reference,
}

impl Remove {
    /// Returns the removal of `target`. For one's own contents use [`Delete`](crate::content::Delete).
    #[must_use]
    pub const fn new(target: Reference) -> Self {
        Self { target }
    }

    /// Returns the content to delete if the sender of the removal is an administrator, and `None` otherwise. The content
    /// may arrive later than its removal. Requirement P-7.31.
    #[must_use]
    pub fn target_of(&self, sender_is_admin: bool) -> Option<&Reference> {
        sender_is_admin.then_some(&self.target)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Remove {
        wire::Remove { target: Some(self.target.to_wire()) }
    }

    pub(in crate::content) fn from_wire(wire: &wire::Remove) -> Result<Self, ContentError> {
        let wire::Remove { target } = wire;
        Ok(Self { target: required(target.as_ref())? })
    }
}
