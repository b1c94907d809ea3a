//! [`Referral`]: by which advertisement or link a customer came to open the conversation.
//!
//! Does not know who placed it. It is the customer's to tell: a program sends it only if its user keeps it.

use super::check_link;
use crate::content::names::bounded;
use crate::content::{ContentError, PrivateText, limits, wire};

/// What the customer tapped before writing. At least an id or a link is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Referral {
    /// What kind of thing it was.
    pub origin: Origin,
    /// The campaign's or code's own name: at most 255 bytes, empty for none.
    pub id: PrivateText,
    /// Where it stood: at most 2,048 bytes of an `https` link, empty for nowhere.
    pub link: PrivateText,
    /// What it said in large letters: at most 255 bytes, empty for nothing.
    pub headline: PrivateText,
    /// What it said below: at most 1,024 bytes, empty for nothing.
    pub text: PrivateText,
}

/// Where a customer came from. A value that a later version sends is kept, and equal to none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(i32);

impl Origin {
    /// The customer's program does not say.
    pub const UNSPECIFIED: Self = Self(0);
    /// An advertisement.
    pub const ADVERTISEMENT: Self = Self(1);
    /// A link, on a page or in a message.
    pub const LINK: Self = Self(2);
    /// A printed code, as on a table or a parcel.
    pub const CODE: Self = Self(3);
}

impl Referral {
    /// A referral that says no more than where it is from: `id` and `link`, one of which may be empty.
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
