//! Linking: how a new device joins an account, over a QR code or a typed code (docs/spec/accounts.md, section 10.5).
//!
//! Does not know the network, nor how a screen looks. Every state consumes itself; whatever does not fit ends the linking,
//! and has changed nothing.
//!
//! ```text
//!   companion (new)                                                  primary
//!        │  QR code: hello, link secret        or   code ▶ hello        │
//!   Companion ────────────────────────────────────────────────▶ Invitation
//!        │                     answer: account, index, terms, nonce     │ answer()
//!        │◀─────────────────────────────────────────────────────────────│
//!        │ answer()                                                 Answered
//!        │  reveal: nonce, possession                                   │
//!        │─────────────────────────────────────────────────────────────▶│ reveal()
//!   CompanionComparing          the user compares               PrimaryComparing
//!        │ confirm()            emoji or digits                         │ confirm()
//!   CompanionConfirmed                                       DeviceCertificate ▶ Primary::add
//!        │◀──────────────────────── device list ────────────────────────│
//!        │ finish()
//!      Linked
//! ```
//!
//! The companion is bound to its nonce before it sees the primary's, and neither can choose anything that the string
//! depends on after it has seen the other's: whoever is in the middle has one try, which succeeds once in 2^36.
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::device::link::{Companion, Invitation};
//! use bisik::device::{Custody, Primary, Terms};
//! use bisik::{Identity, Timestamp};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let phone = Identity::generate(rng);
//! let own = Terms::own_held(Custody::Person)?;
//! let mut primary = Primary::new(&phone, own, now);
//!
//! let (laptop, qr_code) = Companion::with_qr_code(rng); // shown on the laptop's screen
//! let (answered, answer) = Invitation::scan(qr_code.as_bytes())?.answer(&primary, own, rng);
//! let (laptop, reveal) = laptop.answer(&answer)?;
//! let comparing = answered.reveal(&reveal)?;
//! assert_eq!(laptop.sas().emoji(), comparing.sas().emoji()); // the user says so, on both screens
//!
//! let list = primary.add(&phone, comparing.confirm(), now)?;
//! let laptop = laptop.confirm().finish(list, now)?;
//! assert_eq!(laptop.directory.devices().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code; //      what is shown as a QR code, and what is typed
mod companion; // the new device's states
mod message; //   what travels, and the transcript
mod primary; //   the primary device's states
mod sas; //       what the user compares

pub use code::{LinkCode, QrCode};
pub use companion::{Companion, CompanionComparing, CompanionConfirmed, Linked};
pub use primary::{Answered, Invitation, PrimaryComparing};
pub use sas::{Emoji, Sas};
