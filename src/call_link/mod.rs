//! Call links ([section 9.8](crate::manual::spec::calls#98-call-links)): whoever has one can ask to be let into a call. It
//! gives nobody a key.
//!
//! ```text
//!   in the call:    CallLink ─▶ CallDoor ── notice ───▶ server ─▶ who has the link
//!   who has it:     CallLink ─▶ knock, a letter for the call ──▶ server ─▶ CallDoor::hear ─▶ Knock ─▶ verify ─▶ Visitor
//! ```
//!
//! Everybody in the call sees who knocks, by the account and the device that have signed it, and lets him in or not. Who is
//! let in gets epoch keys in sessions of his own, like anybody else in the call; so a link that is found later opens nothing
//! (P-9.25).
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::call::CallId;
//! use bisik::call_link::{CallDoor, CallLink, LinkPolicy};
//! use bisik::device::DeviceTerms;
//! use bisik::{Account, Timestamp};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let bob = Account::create(DeviceTerms::person(), now, rng);
//!
//! // Alice opens a call, and sends the link to whom she wants in any way: everything behind the # stays with the browser.
//! let link = CallLink::generate(rng);
//! let address = link.expose_address("https://call.example/join");
//! let mut door = CallDoor::new(link, CallId::generate(rng));
//! let notice = door.notice(rng)?; // for the server, under `door.link().locator()`
//!
//! // Bob has the link, and fetches what the server has for it.
//! let link = CallLink::from_address(&address)?;
//! let knock = link.knock(&bob, &notice, rng)?;
//!
//! // Alice's device hears it, fetches Bob's list, and asks Alice.
//! let knock = door.hear(&knock)?;
//! let visitor = knock.verify(bob.devices(), now)?;
//! assert_eq!((visitor.device.account, LinkPolicy::Ask.admits(false)), (*bob.key(), None));
//! // Now the conversation with Bob's account carries the call's keys.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error; // why not
mod link; //  9.8 links, notices and knocks

pub use error::CallLinkError;
pub use link::{CallAdmission, CallDoor, CallLink, CallLocator, Knock, LinkPolicy, Visitor, is_by_who_has_the_link};
