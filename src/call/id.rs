//! [`CallId`], and the first byte of each kind of signal (docs/spec/calls.md, section 9.1).

bisik_core::id! {
    /// The id of a call: 16 random bytes that only the parties of the call know.
    pub struct CallId;
    /// Creates an id from bytes received in a signal.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes of the id.
    pub fn as_bytes();
    /// Draws a new id: 16 bytes from `rng`.
    pub fn generate(rng);
}

/// First byte of an offer.
pub(super) const OFFER: u8 = 0x41;
/// First byte of an answer.
pub(super) const ANSWER: u8 = 0x42;
/// First byte of an epoch key.
pub(super) const EPOCH_KEY: u8 = 0x43;
/// First byte of a commitment in a spoken comparison.
pub(super) const COMMITMENT: u8 = 0x46;
/// First byte of an opening in a spoken comparison.
pub(super) const OPENING: u8 = 0x47;
