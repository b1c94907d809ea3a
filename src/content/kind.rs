//! [`Kind`]: what a content can be.
//!
//! Does not know the envelope.

use super::attachment::{Contact, Document, Photo, Sticker, Video, VoiceNote};
use super::location::{LiveStart, LiveStop, LiveUpdate, Location};
use super::poll::{Ballot, Poll};
use super::receipt::Receipt;
use super::text::{Call, Delete, Edit, Reaction, Text, Timer};
use super::{ContentError, MessageId, PrivateBytes, wire};

/// What a content is. More kinds will come: a reader that does not know one has [`Kind::Unknown`], and keeps it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A text.
    Text(Text),
    /// A photo.
    Photo(Photo),
    /// A video.
    Video(Video),
    /// Something that was said.
    VoiceNote(VoiceNote),
    /// Any other file.
    Document(Document),
    /// A sticker.
    Sticker(Sticker),
    /// Somebody's card.
    Contact(Contact),
    /// A place.
    Location(Location),
    /// The sender's position will be shared for a while.
    LiveStart(LiveStart),
    /// Where the sender is now.
    LiveUpdate(LiveUpdate),
    /// It is not shared any more.
    LiveStop(LiveStop),
    /// A question with answers to choose from.
    Poll(Poll),
    /// A sealed vote.
    Ballot(Ballot),
    /// Another text in place of an earlier one.
    Edit(Edit),
    /// An earlier content is taken back.
    Delete(Delete),
    /// An emoji on a content.
    Reaction(Reaction),
    /// What became of contents.
    Receipt(Receipt),
    /// A step of call signalling.
    Call(Call),
    /// Contents disappear from now on, or no more.
    Timer(Timer),
    /// P-7.5. Something that a later version sends.
    Unknown(Unknown),
}

/// A kind that this version does not know. The content keeps its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    number: u32,
}

impl Unknown {
    /// Its field number in content.proto: 16 to 127.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }
}

impl Kind {
    /// Whether it is shown by itself, and so may be confirmed.
    pub(super) const fn is_visible(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Photo(_)
            | Self::Video(_)
            | Self::VoiceNote(_)
            | Self::Document(_)
            | Self::Sticker(_)
            | Self::Contact(_)
            | Self::Location(_)
            | Self::LiveStart(_)
            | Self::Poll(_) => true,
            Self::LiveUpdate(_)
            | Self::LiveStop(_)
            | Self::Ballot(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Reaction(_)
            | Self::Receipt(_)
            | Self::Call(_)
            | Self::Timer(_)
            | Self::Unknown(_) => false,
        }
    }

    /// Whether it can be shown once.
    pub(super) const fn takes_view_once(&self) -> bool {
        matches!(self, Self::Photo(_) | Self::Video(_) | Self::VoiceNote(_) | Self::Unknown(_))
    }

    /// Whether it means the same in another conversation: a poll is its votes' and a share its updates'.
    pub(super) const fn can_be_forwarded(&self) -> bool {
        let tied = matches!(self, Self::LiveStart(_) | Self::Poll(_));
        matches!(self, Self::Unknown(_)) || (self.is_visible() && !tied)
    }

    /// P-7.6. Every bound on what is in it.
    pub(super) fn check(&self) -> Result<(), ContentError> {
        match self {
            Self::Text(text) => text.check(),
            Self::Photo(photo) => photo.check(),
            Self::Video(video) => video.check(),
            Self::VoiceNote(note) => note.check(),
            Self::Document(document) => document.check(),
            Self::Sticker(sticker) => sticker.check(),
            Self::Contact(contact) => contact.check(),
            Self::Location(location) => location.check(),
            Self::LiveStart(start) => start.check(),
            Self::LiveUpdate(update) => update.check(),
            Self::Poll(poll) => poll.check(),
            Self::Edit(edit) => edit.text.check(),
            Self::Reaction(reaction) => reaction.check(),
            Self::Receipt(receipt) => receipt.check(),
            Self::Call(call) => call.check(),
            Self::Timer(timer) => timer.check(),
            Self::LiveStop(_) | Self::Ballot(_) | Self::Delete(_) | Self::Unknown(_) => Ok(()),
        }
    }

    /// `None` for what is not known: it has no form but the bytes that it came in.
    pub(super) fn to_wire(&self) -> Option<wire::Kind> {
        Some(match self {
            Self::Text(text) => wire::Kind::Text(text.to_wire()),
            Self::Photo(photo) => wire::Kind::Photo(photo.to_wire()),
            Self::Video(video) => wire::Kind::Video(video.to_wire()),
            Self::VoiceNote(note) => wire::Kind::VoiceNote(note.to_wire()),
            Self::Document(document) => wire::Kind::Document(document.to_wire()),
            Self::Sticker(sticker) => wire::Kind::Sticker(sticker.to_wire()),
            Self::Contact(contact) => wire::Kind::Contact(contact.to_wire()),
            Self::Location(location) => wire::Kind::Location(location.to_wire()),
            Self::LiveStart(start) => wire::Kind::LiveStart(start.to_wire()),
            Self::LiveUpdate(update) => wire::Kind::LiveUpdate(update.to_wire()),
            Self::LiveStop(LiveStop { share }) => wire::Kind::LiveStop(wire::LiveStop { share: share.to_wire() }),
            Self::Poll(poll) => wire::Kind::Poll(poll.to_wire()),
            Self::Ballot(ballot) => wire::Kind::Ballot(ballot.to_wire()),
            Self::Edit(edit) => wire::Kind::Edit(edit.to_wire()),
            Self::Delete(Delete { target }) => wire::Kind::Delete(wire::Delete { target: target.to_wire() }),
            Self::Reaction(reaction) => wire::Kind::Reaction(reaction.to_wire()),
            Self::Receipt(receipt) => wire::Kind::Receipt(receipt.to_wire()),
            Self::Call(Call { signal }) => wire::Kind::Call(wire::Call { signal: signal.to_vec() }),
            Self::Timer(Timer { seconds }) => wire::Kind::Timer(wire::Timer { seconds: *seconds }),
            Self::Unknown(_) => return None,
        })
    }

    /// `number` is that of the one kind which the bytes hold.
    pub(super) fn from_wire(wire: Option<&mut wire::Kind>, number: u32) -> Result<Self, ContentError> {
        let Some(wire) = wire else { return Ok(Self::Unknown(Unknown { number })) };
        Ok(match wire {
            wire::Kind::Text(text) => Self::Text(Text::from_wire(text)?),
            wire::Kind::Photo(photo) => Self::Photo(Photo::from_wire(photo)?),
            wire::Kind::Video(video) => Self::Video(Video::from_wire(video)?),
            wire::Kind::VoiceNote(note) => Self::VoiceNote(VoiceNote::from_wire(note)?),
            wire::Kind::Document(document) => Self::Document(Document::from_wire(document)?),
            wire::Kind::Sticker(sticker) => Self::Sticker(Sticker::from_wire(sticker)?),
            wire::Kind::Contact(contact) => Self::Contact(Contact::from_wire(contact)?),
            wire::Kind::Location(location) => Self::Location(Location::from_wire(location)?),
            wire::Kind::LiveStart(start) => Self::LiveStart(LiveStart::from_wire(start)?),
            wire::Kind::LiveUpdate(update) => Self::LiveUpdate(LiveUpdate::from_wire(update)?),
            wire::Kind::LiveStop(stop) => Self::LiveStop(LiveStop { share: MessageId::from_wire(&stop.share)? }),
            wire::Kind::Poll(poll) => Self::Poll(Poll::from_wire(poll)?),
            wire::Kind::Ballot(ballot) => Self::Ballot(Ballot::from_wire(ballot)?),
            wire::Kind::Edit(edit) => Self::Edit(Edit::from_wire(edit)?),
            wire::Kind::Delete(delete) => Self::Delete(Delete { target: MessageId::from_wire(&delete.target)? }),
            wire::Kind::Reaction(reaction) => Self::Reaction(Reaction::from_wire(reaction)?),
            wire::Kind::Receipt(receipt) => Self::Receipt(Receipt::from_wire(receipt)?),
            wire::Kind::Call(call) => Self::Call(Call { signal: PrivateBytes::take(&mut call.signal) }),
            wire::Kind::Timer(timer) => Self::Timer(Timer { seconds: timer.seconds }),
        })
    }
}
