//! [`Retention`] and [`Region`]: for how long and where an operator keeps messages (docs/spec/hosting.md, section
//! 11.1).

use core::fmt;

use super::error::TextError;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::time::Timestamp;

/// Where an operator keeps messages: 2 to 16 characters of `A-Z`, `0-9` and `-`, such as `ID` or `EU-CENTRAL-1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// The text, then zeros.
    text: [u8; Self::LONGEST],
    /// Bytes of the text.
    length: u8,
}

impl Region {
    /// Characters of the longest region.
    pub const LONGEST: usize = 16;

    /// Checks a region's name.
    ///
    /// # Errors
    ///
    /// [`TextError::Region`] if it has another length or other characters.
    pub fn new(region: &str) -> Result<Self, TextError> {
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        if !(2..=Self::LONGEST).contains(&region.len()) || !region.bytes().all(plain) {
            return Err(TextError::Region);
        }
        let length = u8::try_from(region.len()).map_err(|_| TextError::Region)?;
        let mut text = [0; Self::LONGEST];
        for (to, from) in text.iter_mut().zip(region.bytes()) {
            *to = from;
        }
        Ok(Self { text, length })
    }

    /// The region's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.length)).and_then(|text| core::str::from_utf8(text).ok());
        // Only for display: `new` let ASCII through and nothing else.
        text.unwrap_or_default()
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.text.iter().copied().take(usize::from(self.length))
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.as_str())
    }
}

/// How long an operator keeps a message after its hosted device has decrypted it.
///
/// ```
/// use bisik::Timestamp;
/// use bisik::hosting::Retention;
///
/// let received = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(Retention::THIRTY_DAYS.deadline(received), received.plus_seconds(30 * 86_400));
/// assert_eq!(Retention::NO_STORAGE.deadline(received), received.plus_seconds(3_600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retention {
    /// Seconds for which it is stored: 0 if it is not stored, [`Retention::FOREVER`] if there is no limit.
    pub at_rest: u64,
    /// Seconds for which it is processed, in memory and queues.
    pub in_use: u64,
    /// Where it is stored; `None` if nothing is promised.
    pub region: Option<Region>,
}

impl Retention {
    /// No limit, in seconds.
    pub const FOREVER: u64 = u64::MAX;
    /// Processed for at most an hour and never stored. A message that cannot be decrypted within the hour cannot be
    /// requested again.
    pub const NO_STORAGE: Self = Self { at_rest: 0, in_use: 3_600, region: None };
    /// Stored for 30 days.
    pub const THIRTY_DAYS: Self = Self { at_rest: 30 * 86_400, in_use: 3_600, region: None };

    /// When a message that was decrypted at `received` must have been deleted everywhere: after the longer of the two
    /// periods. P-11.21.
    #[must_use]
    pub const fn deadline(&self, received: Timestamp) -> Timestamp {
        received.plus_seconds(if self.at_rest > self.in_use { self.at_rest } else { self.in_use })
    }

    /// When its working copies must have been deleted.
    #[must_use]
    pub const fn working_deadline(&self, received: Timestamp) -> Timestamp {
        received.plus_seconds(self.in_use)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { at_rest, in_use, region } = self;
        writer.u64(*at_rest).u64(*in_use).u8(region.map_or(0, |region| region.length));
        for byte in region.iter().flat_map(Region::bytes) {
            writer.u8(byte);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (at_rest, in_use) = (reader.u64()?, reader.u64()?);
        let region = match usize::from(reader.u8()?) {
            0 => None,
            length => {
                let region = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
                Some(Region::new(region).map_err(|_| Malformed)?)
            }
        };
        Ok(Self { at_rest, in_use, region })
    }
}
