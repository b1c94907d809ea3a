//! [`Setting`]: what the owner's log says about a group, apart from who may do what.

use alloc::vec::Vec;
use core::str;

use super::limits::SETTING_VALUE;
use bisik_core::codec::Malformed;

/// Which setting. The numbers are those of [section 13.2](crate::manual::spec::groups#132-rights); a number that is not
/// listed here belongs to a later version or to the program, is kept, and has no meaning for this library.
///
/// ```
/// use bisik::group::membership::Setting;
///
/// assert!(Setting::NAME.accepts("Trip to Lombok".as_bytes()));
/// assert!(!Setting::WHO_WRITES.accepts(&[3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Setting(pub u8);

impl Setting {
    /// The name: UTF-8, at most 255 bytes.
    pub const NAME: Self = Self(1);
    /// A description: UTF-8, at most 2,048 bytes.
    pub const DESCRIPTION: Self = Self(2);
    /// Who may write: one byte, 1 for everybody but readers (the default), 2 for the owner and admins.
    pub const WHO_WRITES: Self = Self(3);
    /// Seconds after which messages disappear: a number of four bytes, big-endian.
    pub const DISAPPEARING: Self = Self(4);
    /// Whether newcomers are [given older messages](crate::Group::history): one byte, 1 for never (the default), 2 by the owner
    /// and admins, 3 by members too, but not by readers.
    pub const HISTORY: Self = Self(5);
    /// The picture: an attachment's pointer, at most 1,024 bytes.
    pub const PICTURE: Self = Self(6);
    /// The groups of a community: at most 64 ids of 32 bytes.
    pub const GROUPS: Self = Self(7);

    /// Returns whether `value` may be this setting's: at most 4,096 bytes, and of the form that is listed above. An empty
    /// value removes the setting.
    #[must_use]
    pub fn accepts(self, value: &[u8]) -> bool {
        let text = |most| value.len() <= most && str::from_utf8(value).is_ok();
        value.is_empty()
            || match self {
                Self::NAME => text(255),
                Self::DESCRIPTION => text(2_048),
                Self::WHO_WRITES => matches!(value, [1 | 2]),
                Self::DISAPPEARING => value.len() == 4,
                Self::HISTORY => matches!(value, [1..=3]),
                Self::PICTURE => value.len() <= 1_024,
                Self::GROUPS => value.len() <= 64 * 32 && value.len().is_multiple_of(32),
                Self(_) => value.len() <= SETTING_VALUE,
            }
    }

    /// Takes a value, if it may be this setting's.
    pub(super) fn value(self, value: &[u8]) -> Result<Vec<u8>, Malformed> {
        if self.accepts(value) { Ok(value.to_vec()) } else { Err(Malformed) }
    }
}
