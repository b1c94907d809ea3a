//! [`GroupId`]: the name of a group or of an audience.

use rand_core::CryptoRng;

use crate::device::AccountKey;
use crate::labels;
use bisik_core::primitives::kdf::digest;

bisik_core::id! {
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
    pub struct GroupId: 32;
    /// Takes the 32 bytes of a name that is known.
    pub fn from_bytes(bytes);
    /// Returns the 32 bytes.
    pub fn as_bytes();
}

impl GroupId {
    /// A new audience of `author` ([section 14.1](crate::manual::spec::chains#141-chains)). Draws 16 bytes from `rng`.
    #[must_use]
    pub fn audience(author: &AccountKey, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut random = [0; 16];
        rng.fill_bytes(&mut random);
        Self(digest(&[labels::AUDIENCE, &author.to_bytes(), &random]))
    }
}
