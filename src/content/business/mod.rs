//! What businesses and their customers send each other, inside the same ciphertext as all else (docs/spec/content.md,
//! section 7.8).
//!
//! Does not know who is a business, nor which devices are hosted: that is the conversation's label. Has no server side: a catalogue's
//! items and what is in a cart travel in the message, and not as names that somebody else could look up.

mod cart; //      what a customer would like to have, and what that costs
mod catalogue; // what a business sells
mod greeting; //  what a machine says first, and while nobody is there
mod menu; //      answers to choose from, and the one that was chosen
mod price; //     amounts of money
mod profile; //   what a business says of itself
mod referral; //  how a customer came to it
pub(super) mod wire; // the messages of content.proto

pub use cart::{Cart, CartLine};
pub use catalogue::{Availability, CatalogueItem};
pub use greeting::{Away, Greeting};
pub use menu::{Action, Button, Buttons, Choice, List, QuickReplies, Row, Section, Selection};
pub use price::Price;
pub use profile::{Opening, Profile};
pub use referral::{Origin, Referral};

use super::ContentError;
use super::names::bounded;

/// P-7.21. A link that shows where it leads: `https`, ASCII that can be seen, and no user's name before the host, by which
/// `https://bank.example@elsewhere.example` looks like the bank's.
fn check_link(link: &str, most: usize) -> Result<(), ContentError> {
    bounded(link.len(), 1, most)?;
    let rest = link.strip_prefix("https://").ok_or(ContentError::OutOfRange)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = link.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let leads = !authority.is_empty() && !authority.contains('@');
    if plain && leads { Ok(()) } else { Err(ContentError::OutOfRange) }
}
