//! Sessions and sender keys of the Signal protocol, version 3.

mod bundle; //      pre-key bundles, as served and as verified
mod chain; //       the symmetric step of sessions and of groups
mod ciphertext; //  one message and its kind
mod fingerprint; // safety numbers
mod key; //         identities, pre-keys and ratchet keys
mod limits; //      every bound, with its reason
mod persist; //      pre-keys as a sealed record
mod prekeys; //     the pre-keys that a device holds
mod ratchet; //     chains and steps
mod sender_key; //  groups
mod session; //     sessions, and which of their states a message belongs to
pub mod v4; //      version 4: PQXDH and the post-quantum ratchet
mod wire; //        messages as bytes
mod x3dh; //        set-up of a session
pub mod xeddsa; //  signatures with X25519 keys

pub use bundle::{BundleError, OneTimePreKey, PreKeyBundle, SignedPreKey, Trust, VerifiedBundle};
pub use ciphertext::{Ciphertext, CiphertextError, Header, MessageKind, PreKeyHeader};
pub use fingerprint::{ITERATIONS, Party, SafetyNumber, ScanError};
pub use key::{Identity, IdentityKey, KeyError, KeyPair, PublicKey};
pub use prekeys::{PreKeys, PreKeysError, UsedPreKeys};
pub use sender_key::{
    Distribution, DistributionError, GroupDecryptError, GroupEncryptError, GroupHeader, GroupHeld, GroupReceiver,
    GroupSender, GroupStaged, SenderKeyFormat,
};
pub use session::{
    AcceptError, Accepted, DecryptError, EncryptError, Held, InitiateError, Reinitiated, Session, Staged,
};

pub use bisik_core::held::{HeldPlaintext, SealError, SealedRecord, Stored};
