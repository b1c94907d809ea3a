//! What people share in groups: pins, events, albums, removals, sealed reactions and tallies (docs/spec/content.md,
//! section 7.9). All of it works between two people as well.
//!
//! This module knows no members and no roles: the application says whether a sender may do what it asks for.

mod album; //    photos and videos that belong together
mod event; //    things that take place
mod pin; //      contents at the top of a conversation
mod reaction; // reactions that only holders of the content read
mod remove; //   deletion by somebody else than the author
mod rsvp; //     sealed answers to an event
mod tally; //    counts that an author publishes
pub(super) mod wire; // the messages of content.proto

pub use album::{Album, album_of};
pub use event::{Event, event_shown};
pub use pin::{Pin, PinWord, Unpin, pinned};
pub use reaction::{OpenedReaction, Reactions, SealedReaction};
pub use remove::Remove;
pub use rsvp::{Attendance, Rsvp, RsvpAnswer, Rsvps};
pub use tally::{Answered, Count, Tally, tallied};

use super::{Content, ContentError, ContentId, Reference, SentAt, wire as messages};

/// Reads a reference that may not be absent.
fn required(wire: Option<&messages::Reference>) -> Result<Reference, ContentError> {
    Reference::from_wire(wire.ok_or(ContentError::Malformed)?)
}

/// What decides between several contents of one author: the time, then the id as bytes. The body decides only between
/// two contents with one name, which no honest author sends.
fn order(content: &Content) -> (SentAt, ContentId, &[u8]) {
    (content.sent(), content.id(), content.as_body())
}
