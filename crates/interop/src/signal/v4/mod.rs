//! Sessions of the Signal protocol, version 4: PQXDH with Kyber-1024, and the post-quantum ratchet in every message
//! (section 13 of `bisik::manual::interop`).
//!
//! [`Session`], [`PreKeys`], [`PreKeyBundle`] and [`Ciphertext`] are types of their own: no session of one version
//! becomes one of the other, and nothing is negotiated (S-13.16). Identities, signatures, safety numbers, sender keys and errors
//! are those of [`signal`](super).

mod addresses; //  the names of both devices inside first messages
mod bundle; //     pre-key bundles, as served and as verified
mod chains; //     the symmetric chains of the post-quantum ratchet
mod ciphertext; // one message and its kind
mod kyber; //      Kyber-1024 keys
mod part; //       the post-quantum field of a message
mod persist; //    pre-keys as a sealed record
mod pqxdh; //      set-up of a session
mod prekeys; //    the pre-keys that a device holds
mod session; //    sessions, and which of their states a message belongs to
mod spqr; //       the post-quantum ratchet: chains and braid
mod wire; //       messages as bytes

pub use addresses::{Addresses, ServiceAddress, ServiceKind};
pub use bundle::{KyberPreKey, PreKeyBundle, VerifiedBundle};
pub use ciphertext::{Ciphertext, Header, PreKeyHeader};
pub use kyber::{KyberKeyPair, KyberPublicKey};
pub use prekeys::{PreKeys, UsedPreKeys};
pub use session::{Accepted, Held, Reinitiated, Session, Staged};
