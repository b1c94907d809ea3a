//! Identities, pre-keys and bundles (docs/spec/session.md, section 2).
//!
//! Keys are generated, signed, checked, rotated and removed here. Key agreement is in [`handshake`](crate::handshake).

mod bundle; //   2.3  the bundle that a device publishes and a peer verifies
mod identity; // 2.1  a device's identity
mod prekey; //   2.2  one generation of pre-keys, and one one-time pair
mod prekeys; //  2.4  all pre-keys of a device: rotation, replenishment, removal
mod stored; //   6.3  sealed records of pre-keys

pub use bundle::{BundleError, PreKeyBundle, Trust, VerifiedBundle};
pub use identity::{Identity, IdentityKey, IdentityKeyError};
pub(crate) use prekeys::LookupError;
pub use prekeys::{PreKeyCount, PreKeys, PreKeysError, UsedPreKeys};

/// Type byte before every X25519 public key (docs/spec/conventions.md, section 1.5). The four type bytes differ.
pub(crate) const TYPE_X25519: u8 = 0x11;
/// Type byte before every Ed25519 public key.
pub(crate) const TYPE_ED25519: u8 = 0x12;
/// Type byte before a one-time ML-KEM-768 key.
pub(crate) const TYPE_KEM_ONE_TIME: u8 = 0x13;
/// Type byte before a last-resort ML-KEM-768 key.
pub(crate) const TYPE_KEM_LAST_RESORT: u8 = 0x14;
