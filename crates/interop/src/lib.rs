//! The Signal protocol, version 3, as WhatsApp's clients speak it: X3DH, the Double Ratchet with AES-256-CBC and
//! HMAC-SHA256, sender keys ([`signal`]), and what WhatsApp adds to it ([`whatsapp`]). Version 4, as Signal's clients
//! speak it, has PQXDH and the post-quantum ratchet ([`signal::v4`]). `bisik::manual::interop` is the specification.
//!
//! Use it as `bisik::interop`, with the feature of that name.
//!
//! This crate shares no key and no code with the native suite of `bisik` beyond `bisik-core`. Its [`signal::Session`],
//! [`signal::Identity`] and [`signal::PreKeys`] are types of their own: nothing is negotiated between the suites, no
//! long-term key serves both, and code that asks for a native session never gets one without a post-quantum part.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod fields; // writing protobuf
mod labels;
pub mod signal;
pub mod whatsapp;
