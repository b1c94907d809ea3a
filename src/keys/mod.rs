//! Identities, pre-keys and bundles (docs/spec/session.md, section 2).
//!
//! Keys are generated, signed, checked, rotated and removed here. Key agreement is in [`handshake`](crate::handshake).

mod bundle; //   2.3  the bundle that a device publishes
mod draw; //     2.5  draws that are hedged with the identity
mod identity; // 2.1  a device's identity
mod lookup; //   3.3  what the pre-keys lend to a handshake, and what it uses up
mod prekey; //   2.2  one generation of pre-keys, and one one-time pair
mod prekeys; //  2.4  all pre-keys of a device: rotation, replenishment, removal
mod replay; //   3.3  the sessions that a last-resort key has set up
mod rotation; // 2.4  replacing and deleting generations
mod stored; //   6.3  sealed records of pre-keys
mod verify; //   2.3  what a peer checks of a bundle

pub use bundle::{BundleError, BundleId, PreKeyBundle, Trust};
pub use identity::{Identity, IdentityKey, IdentityKeyError};
pub use lookup::UsedPreKeys;
pub(crate) use lookup::{Claim, UnknownPreKey};
pub use prekeys::{PreKeyCount, PreKeys, PreKeysError};
pub(crate) use replay::Refusal;
pub use rotation::Rotation;
pub(crate) use verify::Stale;
pub use verify::VerifiedBundle;

/// Type byte before every X25519 public key (docs/spec/conventions.md, section 1.5). The four type bytes differ.
pub(crate) const TYPE_X25519: u8 = 0x11;
/// Type byte before every Ed25519 public key.
pub(crate) const TYPE_ED25519: u8 = 0x12;
/// Type byte before a one-time ML-KEM-768 key.
pub(crate) const TYPE_KEM_ONE_TIME: u8 = 0x13;
/// Type byte before a last-resort ML-KEM-768 key.
pub(crate) const TYPE_KEM_LAST_RESORT: u8 = 0x14;

#[cfg(test)]
mod tests;
