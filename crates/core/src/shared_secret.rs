//! [`SharedSecret`]: the result of a key exchange, from which a ratchet starts.

use alloc::boxed::Box;

use crate::primitives::secret::Secret;

crate::boxed_secret! {
    /// 32 secret bytes shared by two parties.
    ///
    /// The handshake derives one. A custom key exchange may supply one for a ratchet without a session. It is wiped on drop
    /// and does not appear in `Debug` output.
    pub struct SharedSecret([u8; 32]);
    /// Creates a shared secret from another key exchange. The bytes must be uniformly random and used for nothing else.
    pub fn from_bytes(bytes);
    /// Returns the secret bytes, for a custom protocol. The caller must wipe copies of them.
    pub fn expose_bytes();
}

/// Boxes the output of a derivation, without a copy that is not wiped.
#[must_use]
pub fn from_secret(secret: Secret<32>) -> SharedSecret {
    SharedSecret(Box::new(secret))
}
