//! [`Referral`]: the advertisement or link that led a customer to the conversation.
//!
//! Whether to reveal it is the customer's decision: a program sends a referral only if its user keeps it.

use super::check_link;
use crate::content::names::bounded;
use crate::content::{ContentError, PrivateText, limits, wire};

/// What the customer tapped before writing. At least one of `id` and `link` is present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Referral {
    /// The kind of source.
    pub origin: Origin,
    /// The identifier of the campaign or code: at most 255 bytes, or empty.
    pub id: PrivateText,
    /// The page on which it appeared: an `https` link of at most 2,048 bytes, or empty.
    pub link: PrivateText,
    /// The headline of the advertisement: at most 255 bytes, or empty.
    pub headline: PrivateText,
    /// The text of the advertisement: at most 1,024 bytes, or empty.
    pub text: PrivateText,
}

/// Where a customer came from. A value from a later version is preserved, and equals none of these constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(i32);

impl Origin {
    /// The customer's program does not say.
    pub const UNSPECIFIED: Self = Self(0);
    /// An advertisement.
    pub const ADVERTISEMENT: Self = Self(1);
    /// A link, on a page or in a message.
    pub const LINK: Self = Self(2);
    /// A printed code, for example on a table or a parcel.
    pub const CODE: Self = Self(3);
}

impl Referral {
    /// Returns a referral with its origin only: `id` and `link`, one of which may be empty.
    #[must_use]
    pub fn new(origin: Origin, id: impl Into<PrivateText>, link: impl Into<PrivateText>) -> Self {
        let (headline, text) = (PrivateText::default(), PrivateText::default());
        Self { origin, id: id.into(), link: link.into(), headline, text }
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { origin: _, id, link, headline, text } = self;
        bounded(id.len(), usize::from(link.is_empty()), limits::NAME)?;
        if !link.is_empty() {
            check_link(link, limits::LINK)?;
        }
        bounded(headline.len(), 0, limits::NAME)?;
        bounded(text.len(), 0, limits::ABOUT)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Referral {
        let Self { origin, id, link, headline, text } = self;
        wire::Referral {
            origin: origin.0,
            id: (**id).into(),
            link: (**link).into(),
            headline: (**headline).into(),
            text: (**text).into(),
        }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Referral) -> Self {
        let wire::Referral { origin, id, link, headline, text } = wire;
        Self {
            origin: Origin(*origin),
            id: PrivateText::take(id),
            link: PrivateText::take(link),
            headline: PrivateText::take(headline),
            text: PrivateText::take(text),
        }
    }
}
