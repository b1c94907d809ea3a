//! [`AccountKey`]: the name of an account, which is the identity key of its primary device.

use crate::keys::{Identity, IdentityKey, IdentityKeyError};

/// The name of an account: the 64-byte identity key of its primary device. It verifies every device list of the
/// account.
///
/// This is a separate type because accounts and devices are pinned for different reasons, and neither may stand for the
/// other.
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
/// assert_eq!(account.to_string().parse(), Ok(account)); // 128 hexadecimal digits, for a link or a file
/// # Ok::<(), bisik::IdentityKeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(IdentityKey);

impl AccountKey {
    /// Bytes of an account key.
    pub const LENGTH: usize = IdentityKey::LENGTH;

    /// Returns the account whose primary device this is.
    #[must_use]
    pub const fn of(primary: &Identity) -> Self {
        Self(*primary.public())
    }

    /// Returns the account whose primary device has this identity.
    #[must_use]
    pub const fn from_identity(primary: IdentityKey) -> Self {
        Self(primary)
    }

    /// Reads an account key.
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`], as for [`IdentityKey::from_bytes`].
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, IdentityKeyError> {
        IdentityKey::from_bytes(bytes).map(Self)
    }

    /// Returns the 64 bytes: Ed25519 key, then X25519 key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        self.0.to_bytes()
    }

    /// Returns the identity of the primary device.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.0
    }
}

/// The 64 bytes: Ed25519 key, then X25519 key.
impl AsRef<[u8]> for AccountKey {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

bisik_core::hex_text! {
    AccountKey: AccountKey::LENGTH, or IdentityKeyError = IdentityKeyError::Malformed;
    from |bytes| AccountKey::from_bytes(&bytes);
    to |key| key.to_bytes();
}
