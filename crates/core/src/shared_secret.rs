//! [`SharedSecret`]: what a key exchange ends with and a ratchet starts from.

use alloc::boxed::Box;

use crate::primitives::secret::Secret;

crate::boxed_secret! {
    /// 32 secret bytes that two parties share. Wiped on drop, absent from `Debug`.
    ///
    /// The handshake of a session makes one. A key exchange of the caller's own may make one too, for a ratchet without a
    /// session.
    pub struct SharedSecret([u8; 32]);
    /// A secret from a key exchange of the caller's own. It must be uniformly random and used for nothing else.
    pub fn from_bytes(bytes);
    /// The secret bytes, for a protocol of the caller's own. Copies of them are the caller's to wipe.
    pub fn expose_bytes();
}

impl SharedSecret {
    /// The end of a key exchange, without a copy outside the wiped types.
    #[doc(hidden)]
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(Box::new(secret))
    }
}
