//! [`Cart`]: what a customer would like to have, with everything that is needed to read it inside.
//!
//! Does not know the catalogue: whether the prices are still the business's own, its program decides, see [`CartLine::agrees_with`].

use alloc::vec::Vec;
use core::fmt;

use super::{CatalogueItem, Price};
use crate::content::names::{bounded, within};
use crate::content::{ContentError, PrivateText, Text, limits, wire};

/// Items, how many of each, and what each cost when it was chosen: 1 to 100 lines in one currency, no item twice.
///
/// The sum is in no field: who shows or charges one computes it from the lines.
///
/// ```
/// use bisik::content::{Cart, CartLine, CatalogueItem, Price};
///
/// let mut coffee = CatalogueItem::new("kopi-susu", "Kopi susu gula aren");
/// coffee.price = Some(Price::new(1_800_000, "IDR")?);
/// let cart = Cart::new([CartLine::of(&coffee, 2)?]);
/// assert_eq!(cart.total()?.amount(), 3_600_000);
///
/// coffee.price = Some(Price::new(2_000_000, "IDR")?);
/// assert!(!cart.lines[0].agrees_with(&coffee), "it has become dearer since");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cart {
    /// What is in it.
    pub lines: Vec<CartLine>,
    /// What the customer says about it.
    pub note: Option<Text>,
}

/// One item of a cart.
#[derive(Clone, PartialEq, Eq)]
pub struct CartLine {
    /// [`CatalogueItem::id`]: 1 to 64 bytes.
    pub item: PrivateText,
    /// [`CatalogueItem::title`], as the customer saw it: 1 to 255 bytes.
    pub title: PrivateText,
    /// How many: 1 to 9,999.
    pub quantity: u32,
    /// What one of it cost, as the customer saw it.
    pub price: Price,
}

impl CartLine {
    /// So many of `item`, at its price of now.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] for an item without a price, and unless there are 1 to 9,999 of it.
    pub fn of(item: &CatalogueItem, quantity: u32) -> Result<Self, ContentError> {
        let price = item.price.clone().ok_or(ContentError::OutOfRange)?;
        let line = Self { item: item.id.clone(), title: item.title.clone(), quantity, price };
        line.check().map(|()| line)
    }

    /// P-7.18. Whether the business, which knows `item`, still sells it at the price that the customer saw.
    #[must_use]
    pub fn agrees_with(&self, item: &CatalogueItem) -> bool {
        self.item == item.id && item.price.as_ref() == Some(&self.price)
    }

    fn check(&self) -> Result<(), ContentError> {
        let Self { item, title, quantity, price: _ } = self;
        bounded(item.len(), 1, limits::ITEM_ID)?;
        bounded(title.len(), 1, limits::NAME)?;
        within(*quantity, 1, limits::QUANTITY)
    }
}

/// How many of what somebody wants is theirs to say.
impl fmt::Debug for CartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, title, quantity: _, price } = self;
        let mut line = f.debug_struct("CartLine");
        line.field("item", item).field("title", title).field("price", price).finish_non_exhaustive()
    }
}

impl Cart {
    /// A cart without a note.
    #[must_use]
    pub fn new(lines: impl IntoIterator<Item = CartLine>) -> Self {
        Self { lines: lines.into_iter().collect(), note: None }
    }

    /// P-7.18. What all of it cost, by its lines.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] without lines, in several currencies, and above 10^15; never of a cart in a
    /// [`Content`](crate::content::Content).
    pub fn total(&self) -> Result<Price, ContentError> {
        let mut costs = self.lines.iter().map(|CartLine { quantity, price, .. }| price.times(*quantity));
        let first = costs.next().ok_or(ContentError::OutOfRange)??;
        costs.try_fold(first, |sum, cost| sum.plus(&cost?))
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { lines, note } = self;
        bounded(lines.len(), 1, limits::CART_LINES)?;
        lines.iter().try_for_each(CartLine::check)?;
        note.as_ref().map_or(Ok(()), Text::check)?;
        super::menu::all_different(lines.iter().map(|line| &line.item))?;
        self.total().map(drop)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Cart {
        let Self { lines, note } = self;
        let line = |CartLine { item, title, quantity, price }: &CartLine| wire::CartLine {
            item: (**item).into(),
            title: (**title).into(),
            quantity: *quantity,
            price: price.to_wire(),
        };
        wire::Cart { lines: lines.iter().map(line).collect(), note: note.as_ref().map(Text::to_wire) }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Cart) -> Result<Self, ContentError> {
        let wire::Cart { lines, note } = wire;
        let line = |wire::CartLine { item, title, quantity, price }: &mut wire::CartLine| {
            let price = Price::from_wire(price.as_ref().ok_or(ContentError::Malformed)?)?;
            let (item, title) = (PrivateText::take(item), PrivateText::take(title));
            Ok(CartLine { item, title, quantity: *quantity, price })
        };
        let lines = lines.iter_mut().map(line).collect::<Result<_, _>>()?;
        Ok(Self { lines, note: note.as_mut().map(Text::from_wire).transpose()? })
    }
}
