//! [`Timestamp`]: a moment by the application's clock. The library reads no clock.

use core::fmt;

use crate::codec::{Malformed, Reader};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, by the application's clock.
///
/// Only rules about lifetimes use one (section 2.4 of `bisik::manual::spec::session`); decryption never does.
///
/// ```
/// # use bisik_core::time as bisik;
/// use bisik::Timestamp;
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(now.plus_seconds(60).as_unix_seconds(), 1_800_000_060);
/// ```
///
/// With the feature `std`, `Timestamp::from(std::time::SystemTime::now())` is the present moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Creates the moment `seconds` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0
    }

    /// Returns the moment `seconds` later, or the greatest moment if that overflows.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// The moment by the system's clock, with the feature `std`. Parts of a second are cut off.
///
/// Every moment before 1970 becomes 1970-01-01T00:00:00Z. No clock that is right shows one; by one that is so wrong,
/// every bundle and every device list is of the future, and is refused as not yet valid, as in 1970.
///
/// ```
/// # use bisik_core::time as bisik;
/// use std::time::{Duration, SystemTime};
///
/// use bisik::Timestamp;
///
/// let now = Timestamp::from(SystemTime::now());
/// assert!(now.as_unix_seconds() > 1_700_000_000);
/// let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_999);
/// assert_eq!(Timestamp::from(moment), Timestamp::from_unix_seconds(1_800_000_000));
/// let wrong = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
/// assert_eq!(Timestamp::from(wrong), Timestamp::from_unix_seconds(0));
/// ```
#[cfg(feature = "std")]
impl From<std::time::SystemTime> for Timestamp {
    fn from(moment: std::time::SystemTime) -> Self {
        Self(moment.duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

/// Whole seconds since 1970-01-01T00:00:00Z, a number in every format.
#[cfg(feature = "serde")]
impl serde_core::Serialize for Timestamp {
    fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde_core::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_core::Deserialize::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({}s)", self.0)
    }
}

/// Encodes an optional time in seconds: 0 for `None`.
#[must_use]
pub fn to_seconds(moment: Option<Timestamp>) -> u64 {
    moment.map_or(0, Timestamp::as_unix_seconds)
}

/// Reads an optional time: 8 bytes, 0 for `None`.
///
/// # Errors
///
/// [`Malformed`] if fewer than eight bytes are left.
pub fn read_optional(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, Malformed> {
    reader.u64().map(|seconds| (seconds != 0).then_some(Timestamp(seconds)))
}
