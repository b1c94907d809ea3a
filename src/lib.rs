//! End-to-end encryption for messengers: sessions between devices, accounts with several devices, attachments, calls,
//! and labels that show when a third party can read a conversation. Pure Rust, `no_std` with `alloc`, no `unsafe`.
//!
//! bisik performs no I/O and reads no clock. Your program passes values and bytes in, and gets values and bytes back.
//! It stores the state in its own database and moves the messages over its own network.
//!
//! **The library has not been audited.** [`manual::threat_model`] lists what it promises, and what it does not.
//!
//! # Quickstart
//!
//! ```sh
//! cargo add bisik
//! cargo add rand@0.10
//! ```
//!
//! No version is on a registry yet; until then, `cargo add --path ../bisik` names a checkout. `rand` must be 0.10,
//! because bisik takes the `CryptoRng` of `rand_core` 0.10. [`manual::randomness`] has a wrapper for older generators.
//! In async code, `rand::rng()` must not be held over an await: [two ways](manual::persistence#asynchronous-programs)
//! around it.
//!
//! A [development build](PreKeys#development-builds) needs two lines more in your `Cargo.toml`, or ML-KEM takes more
//! stack than some threads have:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 2
//! ```
//!
//! ```
//! use bisik::{Accepted, Identity, Plaintext, PreKeys, Session, Timestamp, Trust};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
//!     let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
//!     // Bob keeps `keys`, and publishes the bundle.
//!     let mut keys = PreKeys::generate(&bob, now, rng);
//!     let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
//!     let mut a = Session::initiate(&alice, &bundle, now, rng)?;
//!     let hello = a.encrypt(b"halo", rng)?; // send hello.as_bytes()
//!     // The first contact: store the identity `b.peer()`, and pin it from now on.
//!     let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
//!     let Accepted { session: mut b, plaintext, used } = accepted;
//!     keys.remove(used); // in the same transaction as storing `b`
//!     let reply = b.encrypt(b"hai", rng)?;
//!     // Alice is proved when she writes after an answer.
//!     assert_eq!(plaintext.show_unconfirmed(), b"halo");
//!     let reply = a.decrypt(&alice, &reply)?; // no randomness, no clock
//!     assert_eq!(reply.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
//!     Ok(())
//! }
//! ```
//!
//! In a real program the two sides are two processes. Received bytes become values again with
//! [`PreKeyBundle::from_bytes`] and [`Ciphertext::from_bytes`].
//!
//! # Where to start
//!
//! | you are writing | use |
//! |---|---|
//! | a messenger, with several devices for each person, and businesses | [`Conversation`], [`Account`], [`device`], [`hosting`], `content` |
//! | groups in such a messenger | [`Group`], [`group`] |
//! | a program that connects one device to one device | [`Session`], [`Identity`], [`PreKeys`] |
//! | a protocol of your own | [`handshake`], [`ratchet`], [`group::chain`], [`media`], `call` |
//! | a client of the Signal protocol, version 3 as WhatsApp's clients speak it, or version 4 | `interop` |
//!
//! Then, whatever you are writing:
//!
//! * **Where state goes.** A value holds its whole state; sealed with your [`StorageKey`], it is a record for your
//!   database. Store before you send, store before you show: [`manual::persistence`] says what to write and in which
//!   order, and what to do when two writers meet.
//! * **What your server does.** It keeps what devices upload, hands it out, delivers messages, answers what it has, and
//!   decides who may. Clients check all that it says. [`manual::server`] is one page with sizes and times.
//! * **What an error means.** Each operation has a small error type of its own, and [`manual::errors`] says for every
//!   value what to do.
//!
//! [`manual`] has the other documents, the specification among them.
//!
//! # What the words mean
//!
//! A **device** is one installation of your app. It has an [`Identity`]: long-term keys that it generates itself and
//! that leave it only in records sealed with your storage key. The public half is an [`IdentityKey`].
//!
//! A **session** ([`Session`]) encrypts the messages between two devices. Every message gets a key of its own, which is
//! deleted after use, so that stolen state does not decrypt earlier messages. With each reply the two devices also
//! agree on fresh keys, so that a session recovers after a theft. The handshake that sets up a session is PQXDH; the
//! session itself is a Double Ratchet with encrypted headers, into whose root secrets of ML-KEM-768 are mixed.
//!
//! **Pre-keys** ([`PreKeys`]) let others set up a session with a device that is offline. The device generates them
//! ahead of time, keeps the secret halves, and publishes the public halves as a signed [`PreKeyBundle`]. To write to
//! Bob, Alice fetches his bundle from the server, verifies it, and sends a *pre-key message*, which carries both the
//! handshake and her first message.
//!
//! An **account** ([`Account`]) is one person or one business with all of its devices. Its primary device signs the
//! list of them, so that no server can add a device. A [`Conversation`] joins two accounts: it encrypts each message
//! for every device of both, and repairs sessions that a device has lost.
//!
//! A **hosted device** is a device of an account whose keys are held by someone other than the owner of the account,
//! such as a vendor that answers for a business. The account's signed list says so, and a *disclosure* says who the
//! operator is, what it keeps and why. Your user sees a label and decides. Until the user consents, the device is sent
//! nothing except the user's decision ([`hosting`]).
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `call` | yes | calls: keys for two and for many, and SFrame; brings AES |
//! | `content` | yes | typed message contents; brings prost |
//! | `interop` | no | the Signal protocol, version 3 as WhatsApp's clients speak it, and version 4; brings AES |
//! | `std` | no | adapters of [`media`] to `std::io`, and [`Timestamp`] from `SystemTime` |
//! | `serde` | no | public values in the formats of serde: keys, ids, bundles, device lists, messages, times; never a secret |
//! | `rayon` | no | attachments on all cores, with the same bytes |
//! | `graviola` | no | X25519, signing, ML-KEM and SFrame in less time, with the same bytes; brings assembly, needs the standard library |
//!
//! A feature only adds; it never changes what another part does.
//!
//! # Minimum Rust
//!
//! 1.89, by what the dependencies declare and by clippy's check of the standard library. CI runs the current stable
//! release only.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod labels; // every derivation label and every kind of record

mod emoji; // what users compare on two screens

mod keys; // identities, pre-keys, bundles

pub mod handshake; // PQXDH with an encrypted identity
pub mod ratchet; // the Double Ratchet with encrypted headers

mod session; // one device to one device

#[cfg(feature = "call")]
pub mod call; // calls of two and of many, SFrame

#[cfg(feature = "content")]
pub mod content; // typed payloads

pub mod media; // attachments

pub mod device; // certificates, device lists, linking

pub mod hosting; // devices whose keys a third party holds

mod account; // one device of an account

pub mod conversation; // all devices of two accounts

#[cfg(feature = "call")]
pub mod call_link; // who may ask to be let into a call

pub mod group; // who is in a group, and one device to all devices of it

pub mod registers; // what own devices share

pub mod manual;

#[cfg(feature = "interop")]
pub use bisik_interop as interop;
pub use rand_core;

pub use account::{Account, AccountEvent, MaintenanceOutput, RecoverFirstError, SealedAccount, ServerState};
pub use conversation::Conversation;
pub use group::Group;

pub use bisik_core::disclosure::{DisclosureHash, DisclosureHashError};
pub use bisik_core::held::SealedRecord;
pub use bisik_core::id::IdError;
pub use bisik_core::storage::{StorageKey, UnsealError};
pub use bisik_core::time::Timestamp;
pub use keys::{
    BundleError, BundleId, Identity, IdentityKey, IdentityKeyError, PreKeyBundle, PreKeyCount, PreKeys, PreKeysError,
    Rotation, Trust, UsedPreKeys, VerifiedBundle,
};
pub use session::{
    AcceptError, Accepted, Block, BlockId, Ciphertext, CiphertextError, DecryptError, Decrypted, EncryptError, Held,
    HeldPlaintext, InitiateError, InitiateOptions, Plaintext, PostQuantumAge, ResumeError, Resumed, Resumption,
    SealError, SealedParts, Session, Staged, Standing, Stored, Suite, Unconfirmed, Write,
};
