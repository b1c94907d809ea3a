//! [`Timestamp`]: a moment by the application's clock. The library reads no clock.

use core::fmt;

use crate::codec::{Malformed, Reader};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, by the application's clock.
///
/// Only rules about lifetimes use one (docs/spec/session.md, section 2.4); decryption never does.
///
/// ```
/// # use bisik_core::time as bisik;
/// use bisik::Timestamp;
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(now.plus_seconds(60).as_unix_seconds(), 1_800_000_060);
/// ```
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
