//! The messages between businesses and their customers, encrypted like all others (docs/spec/content.md, section 7.8).
//!
//! Whether a peer is a business, and who operates its devices, is shown by the conversation's label. Nothing here needs
//! a server: catalogue items and the contents of a cart travel inside the message. They are not identifiers for a third
//! party to look up.

mod cart; //      the items a customer wants to buy, and their total
mod catalogue; // items for sale
mod greeting; //  greetings and away messages
mod menu; //      replies to choose from, and the one that was chosen
mod price; //     amounts of money
mod profile; //   a business's description of itself
mod referral; //  how a customer found the business
pub(super) mod wire; // the messages of content.proto

pub use cart::{Cart, CartLine};
pub use catalogue::{Availability, CatalogueItem};
pub use greeting::{Away, Greeting};
pub use menu::{Action, Button, Buttons, ListMenu, QuickReplies, ReplyOption, Row, Section, Selection};
pub use price::Price;
pub use profile::{OpeningHours, Profile};
pub use referral::{Origin, Referral};

use super::ContentError;
use super::names::bounded;

/// Checks that a link shows where it leads: `https`, printable ASCII, and no user name before the host, which would
/// make `https://bank.example@elsewhere.example` look like the bank's. Requirement P-7.21.
fn check_link(link: &str, most: usize) -> Result<(), ContentError> {
    bounded(link.len(), 1, most)?;
    let rest = link.strip_prefix("https://").ok_or(ContentError::OutOfRange)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = link.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let leads = !authority.is_empty() && !authority.contains('@');
    if plain && leads { Ok(()) } else { Err(ContentError::OutOfRange) }
}
