//! [`GroupId`]: the name of a group or of an audience.

use core::fmt;

use rand_core::CryptoRng;

use crate::device::AccountKey;
use crate::labels;
use bisik_core::id::IdError;
use bisik_core::primitives::kdf::digest;

/// The name of a group, or of an audience: 32 bytes.
///
/// `Display` shows all of it as hexadecimal digits, which `FromStr` reads. `Debug` shows the first four bytes.
///
/// ```
/// use bisik::group::GroupId;
///
/// let id = GroupId::from_bytes([0xA5; 32]);
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert_eq!(format!("{id:?}"), "GroupId(a5a5a5a5..)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId([u8; Self::LENGTH]);

impl GroupId {
    /// Length in bytes: 32.
    pub const LENGTH: usize = 32;

    /// Takes the 32 bytes of a name that is known.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// A new audience of `author` ([section 14.1](crate::manual::spec::chains#141-chains)). Draws 16 bytes from `rng`.
    #[must_use]
    pub fn audience(author: &AccountKey, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut random = [0; 16];
        rng.fill_bytes(&mut random);
        Self(digest(&[labels::AUDIENCE, &author.to_bytes(), &random]))
    }
}

impl AsRef<[u8]> for GroupId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    GroupId: GroupId::LENGTH, or IdError = IdError;
    from |bytes| Ok(GroupId::from_bytes(bytes));
    to |id| id.0;
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "GroupId({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}
