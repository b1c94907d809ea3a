//! The messages of content.proto, for prost. Private, so that the encoding is not part of the public API.
//!
//! They enforce no bounds: shape.rs checks the bytes before they are decoded, and each kind checks its values
//! afterwards. Their users wipe them. They have no `Debug`, which would show user data.

use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use prost::{Message, Oneof};
use zeroize::Zeroize;

pub(super) use super::business::wire::{
    Away, Button, Buttons, Cart, CartLine, CatalogueItem, Choice, Greeting, List, Opening, Price, Profile,
    QuickReplies, Referral, Row, Section, Selection,
};
pub(super) use super::group::wire::{Album, Count, Event, Pin, Remove, Rsvp, SealedReaction, Tally, Unpin};

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Content {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) sent_ms: u64,
    #[prost(message, optional, tag = "3")]
    pub(super) reply_to: Option<Reference>,
    #[prost(uint32, tag = "4")]
    pub(super) disappears_after_s: u32,
    #[prost(bool, tag = "5")]
    pub(super) view_once: bool,
    #[prost(bool, tag = "6")]
    pub(super) forwarded: bool,
    #[prost(bool, tag = "7")]
    pub(super) automated: bool,
    #[prost(bytes = "vec", tag = "9")]
    pub(super) secret: Vec<u8>,
    #[prost(
        oneof = "Kind",
        tags = "16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73"
    )]
    pub(super) kind: Option<Kind>,
}

/// One variant for each kind that this version knows.
#[derive(Clone, PartialEq, Oneof, Zeroize)]
#[prost(skip_debug)]
pub(super) enum Kind {
    #[prost(message, tag = "16")]
    Text(Text),
    #[prost(message, tag = "17")]
    Photo(Photo),
    #[prost(message, tag = "18")]
    Video(Video),
    #[prost(message, tag = "19")]
    VoiceNote(VoiceNote),
    #[prost(message, tag = "20")]
    Document(Document),
    #[prost(message, tag = "21")]
    Sticker(Sticker),
    #[prost(message, tag = "22")]
    Contact(Contact),
    #[prost(message, tag = "23")]
    Location(Location),
    #[prost(message, tag = "24")]
    LiveStart(LiveStart),
    #[prost(message, tag = "25")]
    LiveUpdate(LiveUpdate),
    #[prost(message, tag = "26")]
    LiveStop(LiveStop),
    #[prost(message, tag = "27")]
    Poll(Poll),
    #[prost(message, tag = "28")]
    Ballot(Ballot),
    #[prost(message, tag = "29")]
    Edit(Edit),
    #[prost(message, tag = "30")]
    Delete(Delete),
    #[prost(message, tag = "31")]
    Reaction(Reaction),
    #[prost(message, tag = "32")]
    Receipt(Receipt),
    #[prost(message, tag = "33")]
    Call(Call),
    #[prost(message, tag = "34")]
    Timer(Timer),
    #[prost(message, tag = "35")]
    Pin(Pin),
    #[prost(message, tag = "36")]
    Unpin(Unpin),
    #[prost(message, tag = "37")]
    Event(Event),
    #[prost(message, tag = "38")]
    Rsvp(Rsvp),
    #[prost(message, tag = "39")]
    SealedReaction(SealedReaction),
    #[prost(message, tag = "40")]
    Tally(Tally),
    #[prost(message, tag = "41")]
    Album(Album),
    #[prost(message, tag = "42")]
    Remove(Remove),
    #[prost(message, tag = "64")]
    Greeting(Greeting),
    #[prost(message, tag = "65")]
    Away(Away),
    #[prost(message, tag = "66")]
    Profile(Profile),
    #[prost(message, tag = "67")]
    CatalogueItem(CatalogueItem),
    #[prost(message, tag = "68")]
    Cart(Cart),
    #[prost(message, tag = "69")]
    QuickReplies(QuickReplies),
    #[prost(message, tag = "70")]
    List(List),
    #[prost(message, tag = "71")]
    Buttons(Buttons),
    #[prost(message, tag = "72")]
    Selection(Selection),
    #[prost(message, tag = "73")]
    Referral(Referral),
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Reference {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) author: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Text {
    #[prost(string, tag = "1")]
    pub(super) body: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) mentions: Vec<Mention>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Mention {
    #[prost(uint32, tag = "1")]
    pub(super) start: u32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) person: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Blob {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) pointer: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) location: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Photo {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(uint32, tag = "2")]
    pub(super) width: u32,
    #[prost(uint32, tag = "3")]
    pub(super) height: u32,
    #[prost(message, optional, tag = "4")]
    pub(super) caption: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Video {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(uint32, tag = "2")]
    pub(super) width: u32,
    #[prost(uint32, tag = "3")]
    pub(super) height: u32,
    #[prost(uint32, tag = "4")]
    pub(super) duration_ms: u32,
    #[prost(message, optional, tag = "5")]
    pub(super) caption: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct VoiceNote {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(uint32, tag = "2")]
    pub(super) duration_ms: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) waveform: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Document {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(string, tag = "2")]
    pub(super) file_name: String,
    #[prost(message, optional, tag = "3")]
    pub(super) caption: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Sticker {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(uint32, tag = "2")]
    pub(super) width: u32,
    #[prost(uint32, tag = "3")]
    pub(super) height: u32,
    #[prost(string, tag = "4")]
    pub(super) emoji: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Contact {
    #[prost(message, optional, tag = "1")]
    pub(super) blob: Option<Blob>,
    #[prost(string, tag = "2")]
    pub(super) display_name: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Coordinates {
    #[prost(double, tag = "1")]
    pub(super) latitude: f64,
    #[prost(double, tag = "2")]
    pub(super) longitude: f64,
    #[prost(uint32, tag = "3")]
    pub(super) accuracy_m: u32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Location {
    #[prost(message, optional, tag = "1")]
    pub(super) at: Option<Coordinates>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) address: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct LiveStart {
    #[prost(message, optional, tag = "1")]
    pub(super) at: Option<Coordinates>,
    #[prost(uint32, tag = "2")]
    pub(super) duration_s: u32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct LiveUpdate {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) share: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(super) sequence: u32,
    #[prost(message, optional, tag = "3")]
    pub(super) at: Option<Coordinates>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct LiveStop {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) share: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Poll {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) secret: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) question: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) options: Vec<String>,
    #[prost(uint32, tag = "4")]
    pub(super) most_choices: u32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Ballot {
    #[prost(message, optional, tag = "1")]
    pub(super) poll: Option<Reference>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Edit {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) target: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub(super) text: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Delete {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) target: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Reaction {
    #[prost(message, optional, tag = "1")]
    pub(super) target: Option<Reference>,
    #[prost(string, tag = "2")]
    pub(super) emoji: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Receipt {
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(super) messages: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Call {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) signal: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(super) struct Timer {
    #[prost(uint32, tag = "1")]
    pub(super) seconds: u32,
}

/// The field of a number that can be absent: 0 stands for none.
pub(super) fn zero_for_none(number: Option<NonZeroU32>) -> u32 {
    number.map_or(0, NonZeroU32::get)
}
