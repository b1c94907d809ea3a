//! The wire of others: X3DH and the Double Ratchet with AES-256-CBC and HMAC-SHA256, as WhatsApp's clients run it
//! (docs/interop.md).
//!
//! Does not know the native suite, whose sessions, keys and messages are types of their own: the compiler keeps the two
//! apart, nothing is negotiated between them, and no long-term key serves both.

mod fingerprint; //    safety numbers
mod key; //            identities, pre-keys and ratchet keys
pub mod media; //      attachments
mod message_secret; // votes, and whatever else is added to a message
mod padding; //        of messages, before they are encrypted
pub mod xeddsa; //     signatures with keys that were made for agreement

pub use fingerprint::{ITERATIONS, Party, SafetyNumber, ScanError};
pub use key::{Identity, IdentityKey, KeyError, KeyPair, PublicKey};
pub use message_secret::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
pub use padding::{MAX_PADDING, PaddingError, pad, unpad};
