//! [`CatalogueItem`]: an item for sale, as the business presents it.
//!
//! The catalogue itself, and whether an item is still current, is the matter of the business's program.

use super::Price;
use crate::content::attachment::Blob;
use crate::content::names::bounded;
use crate::content::{ContentError, PrivateText, limits, wire};

/// An item that a business sells.
///
/// ```
/// use bisik::content::{Availability, CatalogueItem, Price};
///
/// let mut item = CatalogueItem::new("kopi-susu", "Kopi susu gula aren");
/// item.price = Some(Price::new(1_800_000, "IDR")?);
/// item.availability = Availability::IN_STOCK;
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogueItem {
    /// The business's own identifier for it: 1 to 64 bytes.
    pub id: PrivateText,
    /// Its name: 1 to 255 bytes.
    pub title: PrivateText,
    /// A description: at most 4,096 bytes, or empty.
    pub description: PrivateText,
    /// The current price of one. `None` if the customer has to ask.
    pub price: Option<Price>,
    /// A picture of it.
    pub picture: Option<Blob>,
    /// Whether it is available.
    pub availability: Availability,
}

/// Whether an item is available. A value from a later version is preserved, and equals none of these constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability(i32);

impl Availability {
    /// The business does not say.
    pub const UNSPECIFIED: Self = Self(0);
    /// In stock.
    pub const IN_STOCK: Self = Self(1);
    /// Out of stock.
    pub const OUT_OF_STOCK: Self = Self(2);
    /// Made or procured for the customer.
    pub const TO_ORDER: Self = Self(3);
}

impl CatalogueItem {
    /// Returns an item with an identifier and a title, and all else empty.
    #[must_use]
    pub fn new(id: impl Into<PrivateText>, title: impl Into<PrivateText>) -> Self {
        let (price, picture, availability) = (None, None, Availability::UNSPECIFIED);
        Self { id: id.into(), title: title.into(), description: PrivateText::default(), price, picture, availability }
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { id, title, description, price: _, picture, availability: _ } = self;
        bounded(id.len(), 1, limits::ITEM_ID)?;
        bounded(title.len(), 1, limits::NAME)?;
        bounded(description.len(), 0, limits::DESCRIPTION)?;
        picture.as_ref().map_or(Ok(()), Blob::check)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::CatalogueItem {
        let Self { id, title, description, price, picture, availability } = self;
        wire::CatalogueItem {
            id: (**id).into(),
            title: (**title).into(),
            description: (**description).into(),
            price: price.as_ref().and_then(Price::to_wire),
            picture: picture.as_ref().and_then(Blob::to_wire),
            availability: availability.0,
        }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::CatalogueItem) -> Result<Self, ContentError> {
        let wire::CatalogueItem { id, title, description, price, picture, availability } = wire;
        Ok(Self {
            id: PrivateText::take(id),
            title: PrivateText::take(title),
            description: PrivateText::take(description),
            price: price.as_ref().map(Price::from_wire).transpose()?,
            picture: picture.as_mut().map(|picture| Blob::from_wire(Some(picture))).transpose()?,
            availability: Availability(*availability),
        })
    }
}
