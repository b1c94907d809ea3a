//! The wire of others: X3DH and the Double Ratchet with AES-256-CBC and HMAC-SHA256, version 3 of the wire, as WhatsApp's
//! clients run it (docs/interop.md).
//!
//! Does not know the native suite. [`Session`], [`Identity`], [`PreKeys`] and [`Ciphertext`] of this module are types of
//! their own, and no variants inside those of the crate's root, so that the compiler keeps the two apart: what asks for a
//! native session can never be given one without a post-quantum part, nothing is negotiated between them, and no long-term
//! key serves both.
//!
//! The place of version 4 of the wire, with PQXDH and the post-quantum ratchet, is `pq/` in this module; it is not built.

mod app_state; //      what the devices of an account share
mod bundle; //         what a server hands out, and what a session may be started with
mod chain; //          the symmetric step of sessions and of groups
mod ciphertext; //     one message and its kind
mod fields; //         protobuf, written
mod fingerprint; //    safety numbers
mod handshake; //      X3DH
mod key; //            identities, pre-keys and ratchet keys
mod limits; //         every bound, with its reason
pub mod media; //      attachments
mod message_secret; // votes, and whatever else is added to a message
mod padding; //        of messages, before they are encrypted
mod prekeys; //        what a device holds
mod ratchet; //        chains and steps
pub(crate) mod sender_key; // groups, which have a module of their own outside
mod session; //        states, and which of them a message belongs to
mod stored; //         pre-keys as a sealed record
mod wire; //           messages as bytes
pub mod xeddsa; //     signatures with keys that were made for agreement

pub use app_state::{AppStateError, AppStateKeys, Collection, LtHash, Operation};
pub use bundle::{BundleError, OneTimePreKey, PreKeyBundle, SignedPreKey, Trust, VerifiedBundle};
pub use ciphertext::{Ciphertext, CiphertextError, Header, Kind, OpeningHeader};
pub use fingerprint::{ITERATIONS, Party, SafetyNumber, ScanError};
pub use key::{Identity, IdentityKey, KeyError, KeyPair, PublicKey};
pub use message_secret::{AddOn, AddOnError, MessageSecret, PollVote, SealedPayload, UseCase};
pub use padding::{MAX_PADDING, PaddingError, pad, unpad};
pub use prekeys::{PreKeys, PreKeysError, Used};
pub use session::{
    AcceptError, Accepted, AcceptedAgain, DecryptError, EncryptError, InitiateError, SealedSession, Session,
};
