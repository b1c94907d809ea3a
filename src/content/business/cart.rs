//! [`Cart`]: the items that a customer wants to buy, with all data needed to show them.
//!
//! A business compares the prices with its own catalogue before it relies on them: see [`CartLine::agrees_with`].

use alloc::vec::Vec;
use core::fmt;

use super::{CatalogueItem, Price};
use crate::content::names::{bounded, within};
use crate::content::{ContentError, PrivateText, Text, limits, wire};

/// The items a customer wants to buy, with quantities and the prices that the customer saw: 1 to 100 lines in one
/// currency, each item at most once.
///
/// No field holds the total. A program that shows or charges it computes it from the lines.
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
    /// One line for each item.
    pub lines: Vec<CartLine>,
    /// The customer's note, if any.
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
    /// The price of one, as the customer saw it.
    pub price: Price,
}

impl CartLine {
    /// Returns a line with `quantity` of `item` at its current price.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] if the item has no price, or if `quantity` is not from 1 to 9,999.
    pub fn of(item: &CatalogueItem, quantity: u32) -> Result<Self, ContentError> {
        let price = item.price.clone().ok_or(ContentError::OutOfRange)?;
        let line = Self { item: item.id.clone(), title: item.title.clone(), quantity, price };
        line.check().map(|()| line)
    }

    /// Returns whether the business still sells `item` at the price that the customer saw. `item` is the business's own
    /// record of it. Requirement P-7.18.
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

/// Hides the quantity: how many of an item a customer wants is private.
impl fmt::Debug for CartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, title, quantity: _, price } = self;
        let mut line = f.debug_struct("CartLine");
        line.field("item", item).field("title", title).field("price", price).finish_non_exhaustive()
    }
}

impl Cart {
    /// Returns a cart without a note.
    #[must_use]
    pub fn new(lines: impl IntoIterator<Item = CartLine>) -> Self {
        Self { lines: lines.into_iter().collect(), note: None }
    }

    /// Returns the total price, computed from the lines. Requirement P-7.18.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] if there are no lines, if they have different currencies, or if the total is above
    /// 10^15. The cart of a [`Content`](crate::content::Content) never returns an error: it has been checked.
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
