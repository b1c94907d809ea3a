//! The business messages of content.proto, for prost; private, like those of the parent's wire.rs.
//!
//! They enforce no bounds: shape.rs checks the bytes before they are decoded, and each kind checks its values
//! afterwards.

use alloc::string::String;
use alloc::vec::Vec;

use prost::Message;
use zeroize::Zeroize;

use crate::content::wire::{Blob, Reference, Text};

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Greeting {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) text: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Away {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) text: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Opening {
    #[prost(uint32, tag = "1")]
    pub(in crate::content) day: u32,
    #[prost(uint32, tag = "2")]
    pub(in crate::content) from_min: u32,
    #[prost(uint32, tag = "3")]
    pub(in crate::content) to_min: u32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Profile {
    #[prost(string, tag = "1")]
    pub(in crate::content) name: String,
    #[prost(string, tag = "2")]
    pub(in crate::content) about: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) address: String,
    #[prost(string, tag = "4")]
    pub(in crate::content) email: String,
    #[prost(string, repeated, tag = "5")]
    pub(in crate::content) sites: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::content) hours: Vec<Opening>,
    #[prost(string, tag = "7")]
    pub(in crate::content) time_zone: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Price {
    #[prost(uint64, tag = "1")]
    pub(in crate::content) amount: u64,
    #[prost(string, tag = "2")]
    pub(in crate::content) currency: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct CatalogueItem {
    #[prost(string, tag = "1")]
    pub(in crate::content) id: String,
    #[prost(string, tag = "2")]
    pub(in crate::content) title: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) description: String,
    #[prost(message, optional, tag = "4")]
    pub(in crate::content) price: Option<Price>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::content) picture: Option<Blob>,
    #[prost(int32, tag = "6")]
    pub(in crate::content) availability: i32,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct CartLine {
    #[prost(string, tag = "1")]
    pub(in crate::content) item: String,
    #[prost(string, tag = "2")]
    pub(in crate::content) title: String,
    #[prost(uint32, tag = "3")]
    pub(in crate::content) quantity: u32,
    #[prost(message, optional, tag = "4")]
    pub(in crate::content) price: Option<Price>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Cart {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::content) lines: Vec<CartLine>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::content) note: Option<Text>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Choice {
    #[prost(string, tag = "1")]
    pub(in crate::content) id: String,
    #[prost(string, tag = "2")]
    pub(in crate::content) title: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct QuickReplies {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) text: Option<Text>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::content) choices: Vec<Choice>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Row {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) choice: Option<Choice>,
    #[prost(string, tag = "2")]
    pub(in crate::content) description: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Section {
    #[prost(string, tag = "1")]
    pub(in crate::content) title: String,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::content) rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct List {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) text: Option<Text>,
    #[prost(string, tag = "2")]
    pub(in crate::content) label: String,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::content) sections: Vec<Section>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Button {
    #[prost(string, tag = "1")]
    pub(in crate::content) title: String,
    #[prost(string, tag = "2")]
    pub(in crate::content) id: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) link: String,
    #[prost(string, tag = "4")]
    pub(in crate::content) number: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Buttons {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) text: Option<Text>,
    #[prost(string, tag = "2")]
    pub(in crate::content) footer: String,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::content) buttons: Vec<Button>,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Selection {
    #[prost(message, optional, tag = "1")]
    pub(in crate::content) of: Option<Reference>,
    #[prost(string, tag = "2")]
    pub(in crate::content) id: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) title: String,
}

#[derive(Clone, PartialEq, Message, Zeroize)]
#[prost(skip_debug)]
pub(in crate::content) struct Referral {
    #[prost(int32, tag = "1")]
    pub(in crate::content) origin: i32,
    #[prost(string, tag = "2")]
    pub(in crate::content) id: String,
    #[prost(string, tag = "3")]
    pub(in crate::content) link: String,
    #[prost(string, tag = "4")]
    pub(in crate::content) headline: String,
    #[prost(string, tag = "5")]
    pub(in crate::content) text: String,
}
