//! [`SharedSecret`]: what a key exchange ends with and a ratchet starts from.

use alloc::boxed::Box;
use core::fmt;

use crate::primitives::secret::Secret;

/// 32 secret bytes that two parties share. Wiped on drop, absent from `Debug`.
///
/// The handshake of a session makes one. A key exchange of the caller's own may make one too, for a ratchet without a session.
pub struct SharedSecret(Box<Secret<32>>);

impl SharedSecret {
    #[doc(hidden)]
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(Box::new(secret))
    }

    /// A secret from a key exchange of the caller's own. It must be uniformly random and used for nothing else.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(Secret::new(bytes)))
    }

    /// The secret bytes, for a protocol of the caller's own. Copies of them are the caller's to wipe.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}
