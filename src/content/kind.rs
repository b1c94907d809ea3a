//! [`Kind`]: every type of content.

use core::num::NonZeroU32;

use super::attachment::{Contact, Document, Photo, Sticker, Video, VoiceNote};
use super::business::{
    Away, Buttons, Cart, CatalogueItem, Greeting, ListMenu, Profile, QuickReplies, Referral, Selection,
};
use super::group::{Album, Event, Pin, Remove, Rsvp, SealedReaction, Tally, Unpin};
use super::location::{LiveStart, LiveStop, LiveUpdate, Location};
use super::poll::{Ballot, Poll};
use super::receipt::Receipt;
use super::text::{Call, Delete, Edit, Reaction, Text, Timer};
use super::{ContentError, ContentId, PrivateBytes, wire};

/// The type of a content, and its data. More kinds will be added: a reader that does not know one returns
/// [`Kind::Unknown`] and keeps its bytes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A text.
    Text(Text),
    /// A photo.
    Photo(Photo),
    /// A video.
    Video(Video),
    /// A voice recording.
    VoiceNote(VoiceNote),
    /// A file of any other type.
    Document(Document),
    /// A sticker.
    Sticker(Sticker),
    /// A contact card.
    Contact(Contact),
    /// A place.
    Location(Location),
    /// The start of live location sharing.
    LiveStart(LiveStart),
    /// The sender's current position.
    LiveUpdate(LiveUpdate),
    /// The end of live location sharing.
    LiveStop(LiveStop),
    /// A question with options to choose from.
    Poll(Poll),
    /// A sealed vote.
    Ballot(Ballot),
    /// A new text for an earlier content.
    Edit(Edit),
    /// The deletion of an earlier content.
    Delete(Delete),
    /// An emoji reaction to a content.
    Reaction(Reaction),
    /// A receipt: contents were delivered, read or played.
    Receipt(Receipt),
    /// A step of call signalling.
    Call(Call),
    /// The disappearing-message timer of the conversation.
    Timer(Timer),
    /// A content is shown at the top of the conversation.
    Pin(Pin),
    /// A content is no longer shown at the top.
    Unpin(Unpin),
    /// Something that takes place, to which people are invited.
    Event(Event),
    /// A sealed answer to an event.
    Rsvp(Rsvp),
    /// A sealed reaction to a content.
    SealedReaction(SealedReaction),
    /// How many people answered what to a content.
    Tally(Tally),
    /// Photos and videos that belong together.
    Album(Album),
    /// The deletion of somebody else's content, by a person whose role permits it.
    Remove(Remove),
    /// The automatic first reply of a business.
    Greeting(Greeting),
    /// The automatic away message of a business.
    Away(Away),
    /// A business's description of itself.
    Profile(Profile),
    /// An item that a business sells.
    CatalogueItem(CatalogueItem),
    /// The items a customer wants to buy.
    Cart(Cart),
    /// A text with replies beside the keyboard.
    QuickReplies(QuickReplies),
    /// A text with a list of replies.
    List(ListMenu),
    /// A text with buttons.
    Buttons(Buttons),
    /// The reply that a customer chose.
    Selection(Selection),
    /// What the customer tapped before writing.
    Referral(Referral),
    /// A kind from a later version. Requirement P-7.5.
    Unknown(Unknown),
}

/// A kind that this version does not know. The content keeps its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    number: u32,
}

impl Unknown {
    /// Returns its field number in content.proto: 16 to 127.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }
}

impl Kind {
    /// Returns whether the content is shown by itself, and so may have a receipt.
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
            | Self::Poll(_)
            | Self::Event(_)
            | Self::Greeting(_)
            | Self::Away(_)
            | Self::CatalogueItem(_)
            | Self::Cart(_)
            | Self::QuickReplies(_)
            | Self::List(_)
            | Self::Buttons(_)
            | Self::Selection(_) => true,
            Self::LiveUpdate(_)
            | Self::LiveStop(_)
            | Self::Ballot(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Reaction(_)
            | Self::Receipt(_)
            | Self::Call(_)
            | Self::Timer(_)
            | Self::Pin(_)
            | Self::Unpin(_)
            | Self::Rsvp(_)
            | Self::SealedReaction(_)
            | Self::Tally(_)
            | Self::Album(_)
            | Self::Remove(_)
            | Self::Profile(_)
            | Self::Referral(_)
            | Self::Unknown(_) => false,
        }
    }

    /// Returns whether `view_once` may be set.
    pub(super) const fn takes_view_once(&self) -> bool {
        matches!(self, Self::Photo(_) | Self::Video(_) | Self::VoiceNote(_) | Self::Unknown(_))
    }

    /// Returns whether the metadata may hold a secret for sealed reactions. Requirement P-7.26.
    pub(super) const fn takes_secret(&self) -> bool {
        self.is_visible() || matches!(self, Self::Unknown(_))
    }

    /// Returns whether only programs send this kind. Requirement P-7.17.
    pub(super) const fn is_automated(&self) -> bool {
        matches!(self, Self::Greeting(_) | Self::Away(_))
    }

    /// Returns whether the content keeps its meaning in another conversation. A poll and an event do not, because
    /// answers refer to them; nor does a live location, because its updates do. Of the business kinds, only items for
    /// sale can be forwarded.
    pub(super) const fn can_be_forwarded(&self) -> bool {
        let tied = matches!(
            self,
            Self::LiveStart(_)
                | Self::Poll(_)
                | Self::Event(_)
                | Self::Greeting(_)
                | Self::Away(_)
                | Self::Cart(_)
                | Self::QuickReplies(_)
                | Self::List(_)
                | Self::Buttons(_)
                | Self::Selection(_)
        );
        matches!(self, Self::Unknown(_)) || (self.is_visible() && !tied)
    }

    /// Checks every bound on the fields. Requirement P-7.7.
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
            Self::Pin(pin) => pin.check(),
            Self::Event(event) => event.check(),
            Self::Tally(tally) => tally.check(),
            Self::Album(album) => album.check(),
            Self::Greeting(greeting) => greeting.text.check(),
            Self::Away(away) => away.text.check(),
            Self::Profile(profile) => profile.check(),
            Self::CatalogueItem(item) => item.check(),
            Self::Cart(cart) => cart.check(),
            Self::QuickReplies(replies) => replies.check(),
            Self::List(list) => list.check(),
            Self::Buttons(buttons) => buttons.check(),
            Self::Selection(selection) => selection.check(),
            Self::Referral(referral) => referral.check(),
            Self::LiveStop(_)
            | Self::Ballot(_)
            | Self::Delete(_)
            | Self::Unpin(_)
            | Self::Rsvp(_)
            | Self::SealedReaction(_)
            | Self::Remove(_)
            | Self::Unknown(_) => Ok(()),
        }
    }

    /// Returns `None` for an unknown kind: only the bytes of the content hold it.
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
            Self::Timer(Timer { seconds }) => wire::Kind::Timer(wire::Timer { seconds: wire::zero_for_none(*seconds) }),
            Self::Pin(pin) => wire::Kind::Pin(pin.to_wire()),
            Self::Unpin(unpin) => wire::Kind::Unpin(unpin.to_wire()),
            Self::Event(event) => wire::Kind::Event(event.to_wire()),
            Self::Rsvp(rsvp) => wire::Kind::Rsvp(rsvp.to_wire()),
            Self::SealedReaction(reaction) => wire::Kind::SealedReaction(reaction.to_wire()),
            Self::Tally(tally) => wire::Kind::Tally(tally.to_wire()),
            Self::Album(album) => wire::Kind::Album(album.to_wire()),
            Self::Remove(remove) => wire::Kind::Remove(remove.to_wire()),
            Self::Greeting(greeting) => wire::Kind::Greeting(greeting.to_wire()),
            Self::Away(away) => wire::Kind::Away(away.to_wire()),
            Self::Profile(profile) => wire::Kind::Profile(profile.to_wire()),
            Self::CatalogueItem(item) => wire::Kind::CatalogueItem(item.to_wire()),
            Self::Cart(cart) => wire::Kind::Cart(cart.to_wire()),
            Self::QuickReplies(replies) => wire::Kind::QuickReplies(replies.to_wire()),
            Self::List(list) => wire::Kind::List(list.to_wire()),
            Self::Buttons(buttons) => wire::Kind::Buttons(buttons.to_wire()),
            Self::Selection(selection) => wire::Kind::Selection(selection.to_wire()),
            Self::Referral(referral) => wire::Kind::Referral(referral.to_wire()),
            Self::Unknown(_) => return None,
        })
    }

    /// Decodes the kind. `number` is the field number of the one kind that the bytes contain.
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
            wire::Kind::LiveStop(stop) => Self::LiveStop(LiveStop { share: ContentId::from_wire(&stop.share)? }),
            wire::Kind::Poll(poll) => Self::Poll(Poll::from_wire(poll)?),
            wire::Kind::Ballot(ballot) => Self::Ballot(Ballot::from_wire(ballot)?),
            wire::Kind::Edit(edit) => Self::Edit(Edit::from_wire(edit)?),
            wire::Kind::Delete(delete) => Self::Delete(Delete { target: ContentId::from_wire(&delete.target)? }),
            wire::Kind::Reaction(reaction) => Self::Reaction(Reaction::from_wire(reaction)?),
            wire::Kind::Receipt(receipt) => Self::Receipt(Receipt::from_wire(receipt)?),
            wire::Kind::Call(call) => Self::Call(Call { signal: PrivateBytes::take(&mut call.signal) }),
            wire::Kind::Timer(timer) => Self::Timer(Timer { seconds: NonZeroU32::new(timer.seconds) }),
            wire::Kind::Pin(pin) => Self::Pin(Pin::from_wire(pin)?),
            wire::Kind::Unpin(unpin) => Self::Unpin(Unpin::from_wire(unpin)?),
            wire::Kind::Event(event) => Self::Event(Event::from_wire(event)?),
            wire::Kind::Rsvp(rsvp) => Self::Rsvp(Rsvp::from_wire(rsvp)?),
            wire::Kind::SealedReaction(reaction) => Self::SealedReaction(SealedReaction::from_wire(reaction)?),
            wire::Kind::Tally(tally) => Self::Tally(Tally::from_wire(tally)?),
            wire::Kind::Album(album) => Self::Album(Album::from_wire(album)?),
            wire::Kind::Remove(remove) => Self::Remove(Remove::from_wire(remove)?),
            wire::Kind::Greeting(greeting) => Self::Greeting(Greeting::from_wire(greeting)?),
            wire::Kind::Away(away) => Self::Away(Away::from_wire(away)?),
            wire::Kind::Profile(profile) => Self::Profile(Profile::from_wire(profile)),
            wire::Kind::CatalogueItem(item) => Self::CatalogueItem(CatalogueItem::from_wire(item)?),
            wire::Kind::Cart(cart) => Self::Cart(Cart::from_wire(cart)?),
            wire::Kind::QuickReplies(replies) => Self::QuickReplies(QuickReplies::from_wire(replies)?),
            wire::Kind::List(list) => Self::List(ListMenu::from_wire(list)?),
            wire::Kind::Buttons(buttons) => Self::Buttons(Buttons::from_wire(buttons)?),
            wire::Kind::Selection(selection) => Self::Selection(Selection::from_wire(selection)?),
            wire::Kind::Referral(referral) => Self::Referral(Referral::from_wire(referral)),
        })
    }
}
