//! End-to-end encryption for messengers, as a library: sessions, attachments, calls, accounts of several devices, and endpoints
//! that somebody else hosts. Pure Rust, `no_std` with `alloc`, no `unsafe`, no I/O, no clock: values and bytes in, values
//! and bytes out.
//!
//! ```
#![doc = include_str!("../examples/quickstart.rs")]
//! ```
//!
//! # Three rungs
//!
//! | rung | modules | for whom |
//! |---|---|---|
//! | conversation | [`Conversation`], [`Account`], [`device`], [`hosting`], [`content`] | a messenger: many devices for each person, businesses, labels, messages again |
//! | session | [`Session`], [`Identity`], [`PreKeys`] | one device to one device: what most people want |
//! | primitives | [`handshake`], [`ratchet`], [`media`], `call` | someone with a protocol of their own |
//!
//! # Where things happen
//!
//! | question | file |
//! |---|---|
//! | what exactly is bound by the handshake? | `src/handshake/transcript.rs` |
//! | where is the DH step? | `src/ratchet/sending.rs` and `receiving.rs`, each at "THE STEP" |
//! | what keeps a failed message from changing anything? | `src/ratchet/receiving.rs`: `open(&self)`, then `apply` |
//! | what makes a rolled-back state safe to send from? | `src/ratchet/message_key.rs`: the salt |
//! | what is refused before memory is taken for it? | `src/content/shape.rs` |
//! | what keeps a device from confirming what it does not show? | `src/content/receipt.rs` |
//! | which session with a device is sent in? | `src/conversation/link.rs` |
//! | what keeps a message from a hosted device without consent? | `src/conversation/send.rs`: `check_peer`; `src/hosting/permit.rs` |
//! | which state does a message of the Signal protocol belong to? | `crates/interop/src/signal/session/open.rs` |
//! | every label of every derivation | `src/labels.rs` |
//! | every bound, with its reason | `src/ratchet/limits.rs`, `src/keys/prekeys.rs` |
//!
//! # Documents
//!
//! [`manual`] holds the normative protocol, the threat model, and the rules of persistence and errors.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

use bisik_core::{codec, convert, disclosure, internal, primitives, revision, shared_secret, storage, time};

mod labels;

mod keys;

pub mod handshake;
pub mod ratchet;

mod session;

#[cfg(feature = "call")]
pub mod call;

#[cfg(feature = "content")]
pub mod content;

pub mod media;

pub mod device;

pub mod hosting;

mod account;
pub mod conversation;

pub mod manual;

#[cfg(feature = "interop")]
pub use bisik_interop as interop;
pub use rand_core;

pub use account::{Account, MaintenanceOutput, SealedAccount};
pub use conversation::Conversation;

pub use disclosure::DisclosureHash;
pub use keys::{
    BundleError, Identity, IdentityKey, IdentityKeyError, PreKeyBundle, PreKeyCount, PreKeys, PreKeysError, Trust,
    UsedPreKeys, VerifiedBundle,
};
pub use session::{
    AcceptError, Accepted, Ciphertext, CiphertextError, DecryptError, EncryptError, Held, HeldPlaintext, InitiateError,
    SealedRecord, Session, Staged, Stored, Suite,
};
pub use storage::{StorageKey, UnsealError};
pub use time::Timestamp;
