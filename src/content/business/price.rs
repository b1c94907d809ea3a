//! [`Price`]: an amount of money, in whole minor units of a currency.

use core::fmt;

use zeroize::Zeroize;

use crate::content::{ContentError, limits, wire};

/// An amount of money in whole minor units (sen, cents; whole yen) of a currency, named by its ISO 4217 code. At most
/// 10^15, which the numbers of every language represent exactly.
///
/// What a user pays is private: the value is wiped on drop, and `Debug` shows none of it.
///
/// ```
/// use bisik::content::Price;
///
/// let coffee = Price::new(1_800_000, "IDR")?; // 18.000 rupiah: ISO 4217 counts 100 sen to the rupiah
/// assert_eq!(coffee.times(2)?.plus(&coffee)?.amount(), 5_400_000);
/// assert!(coffee.times(u32::MAX).is_err(), "no sum wraps around");
/// assert!(coffee.plus(&Price::new(1, "USD")?).is_err(), "nor mixes currencies");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Price {
    amount: u64,
    currency: [u8; 3],
}

impl Price {
    /// Returns a price of `amount` minor units. `currency` is a code of three letters from A to Z.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] for any other code, and above 10^15.
    pub fn new(amount: u64, currency: &str) -> Result<Self, ContentError> {
        let currency: [u8; 3] = currency.as_bytes().try_into().map_err(|_| ContentError::OutOfRange)?;
        let code = currency.iter().all(u8::is_ascii_uppercase);
        if code && amount <= limits::AMOUNT { Ok(Self { amount, currency }) } else { Err(ContentError::OutOfRange) }
    }

    /// Returns the amount in minor units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// Returns the currency code, three letters.
    #[must_use]
    pub fn currency(&self) -> &str {
        core::str::from_utf8(&self.currency).unwrap_or_default()
    }

    /// Returns the price of `quantity` pieces. Requirement P-7.18.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] above 10^15.
    pub fn times(&self, quantity: u32) -> Result<Self, ContentError> {
        self.with(self.amount.checked_mul(u64::from(quantity)))
    }

    /// Returns the sum of both prices. Requirement P-7.18.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] above 10^15, and if the currencies differ.
    pub fn plus(&self, other: &Self) -> Result<Self, ContentError> {
        let sum = self.amount.checked_add(other.amount).filter(|_| self.currency == other.currency);
        self.with(sum)
    }

    fn with(&self, amount: Option<u64>) -> Result<Self, ContentError> {
        let amount = amount.filter(|amount| *amount <= limits::AMOUNT).ok_or(ContentError::OutOfRange)?;
        Ok(Self { amount, currency: self.currency })
    }

    #[expect(clippy::unnecessary_wraps, reason = "protobuf makes every message field optional")]
    pub(super) fn to_wire(&self) -> Option<wire::Price> {
        Some(wire::Price { amount: self.amount, currency: self.currency().into() })
    }

    pub(super) fn from_wire(wire: &wire::Price) -> Result<Self, ContentError> {
        let wire::Price { amount, currency } = wire;
        Self::new(*amount, currency)
    }
}

impl Drop for Price {
    fn drop(&mut self) {
        let Self { amount, currency } = self;
        amount.zeroize();
        currency.zeroize();
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Price(..)")
    }
}
