//! [`CallId`], and the first byte of each kind of signal (docs/spec/calls.md, section 9.1).

use core::fmt;

use rand_core::CryptoRng;

/// The id of a call: 16 random bytes that only the parties of the call know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId([u8; 16]);

impl CallId {
    /// Draws a new id: 16 bytes from `rng`.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    /// Creates an id from bytes received in a signal.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth, ..] = self.0;
        write!(f, "CallId({first:02x}{second:02x}{third:02x}{fourth:02x}..)")
    }
}

/// First byte of an offer.
pub(super) const OFFER: u8 = 0x41;
/// First byte of an answer.
pub(super) const ANSWER: u8 = 0x42;
/// First byte of an epoch key.
pub(super) const EPOCH_KEY: u8 = 0x43;
