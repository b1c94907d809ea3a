//! [`CallId`], and the first bytes by which signals are told apart (docs/spec/calls.md, section 9.1).

bisik_core::id! {
    /// The name of a call: 16 random bytes that only its parties know.
    pub struct CallId;
    /// A name received in a signal.
    pub fn from_bytes(bytes);
    /// Its 16 bytes.
    pub fn as_bytes();
    /// A new name from 16 bytes of `rng`.
    pub fn generate(rng);
}

/// First byte of an offer.
pub(super) const OFFER: u8 = 0x41;
/// First byte of an answer.
pub(super) const ANSWER: u8 = 0x42;
/// First byte of an epoch key.
pub(super) const EPOCH_KEY: u8 = 0x43;
