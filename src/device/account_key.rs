//! [`AccountKey`]: the name of an account, which is its primary device's identity key.
//!
//! Does not know which other devices the account has.

use crate::keys::{Identity, IdentityKey, IdentityKeyError};

/// The name of an account: the 64-byte identity key of its primary device, and so what verifies every device list.
///
/// A type of its own, because an account and a device are pinned for different reasons and never stand for each other.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
/// use bisik::device::AccountKey;
///
/// let phone = Identity::generate(rng);
/// let account = AccountKey::of(&phone);
/// assert_eq!(account.identity(), phone.public());
/// assert_eq!(AccountKey::from_bytes(&account.to_bytes())?, account);
/// # Ok::<(), bisik::IdentityKeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(IdentityKey);

impl AccountKey {
    /// Bytes of an account key.
    pub const LENGTH: usize = IdentityKey::LENGTH;

    /// The account whose primary device this is.
    #[must_use]
    pub const fn of(primary: &Identity) -> Self {
        Self(*primary.public())
    }

    /// The account whose primary device has this identity.
    #[must_use]
    pub const fn from_identity(primary: IdentityKey) -> Self {
        Self(primary)
    }

    /// Reads an account key.
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`] where either key is not canonical or of small order.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, IdentityKeyError> {
        IdentityKey::from_bytes(bytes).map(Self)
    }

    /// The 64 bytes: Ed25519, then X25519.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        self.0.to_bytes()
    }

    /// The primary device's identity.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.0
    }
}
