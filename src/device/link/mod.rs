//! Linking: how a new device joins an account, with a QR code or a typed code
//! ([section 10.5](crate::manual::spec::accounts#105-linking)).
//!
//! Performs no I/O: the application transfers the messages and shows the codes and strings. Each step consumes the
//! state before it. A message that is not the expected one ends the linking and changes nothing else.
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
//! The new device gets what is written once its writers know the new list of devices: nothing of before, and nothing that
//! a peer wrote with an older list. The application of another own device sends it what it should have, such as contacts
//! and history, with [`Recipients::Device`](crate::conversation::Recipients::Device).
//!
//! The companion commits to its nonce before it sees the primary's. Neither side can choose anything that the string
//! depends on after it has seen the other's nonce. So an attacker in the middle has one attempt, which succeeds with
//! probability 2^-36.
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::device::link::{Companion, Invitation};
//! use bisik::device::{DeviceChange, DeviceTerms};
//! use bisik::{Account, Timestamp};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let mut phone = Account::create(DeviceTerms::person(), now, rng);
//!
//! let (laptop, qr_code) = Companion::with_qr_code(rng); // `qr_code.to_string()` is on the laptop's screen
//! let scanned: Invitation = qr_code.to_string().parse()?; // what the phone's camera reads
//! let primary = phone.primary().ok_or("only the primary device links others")?;
//! let (answered, answer) = scanned.answer(primary, DeviceTerms::person(), rng);
//! let (laptop, reveal) = laptop.answer(&answer)?;
//! let comparing = answered.reveal(&reveal)?;
//! assert_eq!(laptop.sas().emoji(), comparing.sas().emoji()); // the user compares both screens
//!
//! // The phone stores its account before it sends the list.
//! let list = phone.change_devices(&[DeviceChange::Add(comparing.confirm())], now)?;
//! let laptop = Account::from_linked(laptop.confirm().finish(&list, now)?, now, rng);
//! assert_eq!((laptop.key(), laptop.index()), (phone.key(), Some(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code; //      QR codes and typed codes
mod companion; // the states of the new device
mod message; //   messages and transcript
mod primary; //   the states of the primary device
mod sas; //       the string that the user compares

pub use crate::emoji::Emoji;
pub use code::{LinkCode, QrCode};
pub use companion::{Companion, CompanionComparing, CompanionConfirmed, Linked};
pub use primary::{Answered, Invitation, PrimaryComparing};
pub use sas::Sas;
