//! The messages of content.proto for what people share in groups, for prost; private, like those of the parent's wire.rs.
//!
//! They enforce no bounds: shape.rs checks the bytes before they are decoded, and each kind checks its values
//! afterwards.

use alloc::string::String;
use alloc::vec::Vec;

use prost::Message;
use zeroize::Zeroize;

use crate::content::wire::{Coordinates, Reference};

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Pin {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) target: Option<Reference>,
    #[prost(uint64, tag = "2")]
    pub(in crate::content) until_s: u64,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Unpin {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) target: Option<Reference>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Event {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::content) secret: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(in crate::content) title: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) description: String,
    #[prost(uint64, tag = "4")]
    pub(in crate::content) from_s: u64,
    #[prost(uint64, tag = "5")]
    pub(in crate::content) to_s: u64,
    #[prost(string, tag = "6")]
    pub(in crate::content) place: String,
    #[prost(message, optional, tag = "7")]
    pub(in crate::content) at: Option<Coordinates>,
    #[prost(uint32, tag = "8")]
    pub(in crate::content) most_guests: u32,
    #[prost(bytes = "vec", tag = "9")]
    pub(in crate::content) replaces: Vec<u8>,
    #[prost(bool, tag = "10")]
    pub(in crate::content) cancelled: bool,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Rsvp {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) event: Option<Reference>,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::content) sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct SealedReaction {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) target: Option<Reference>,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::content) sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Tally {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::content) target: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::content) counts: Vec<Count>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Count {
    #[prost(uint32, tag = "1")]
    pub(in crate::content) choice: u32,
    #[prost(string, tag = "2")]
    pub(in crate::content) emoji: String,
    #[prost(uint32, tag = "3")]
    pub(in crate::content) people: u32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Album {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(in crate::content) items: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Remove {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) target: Option<Reference>,
}
