//! You are probably looking for [`bisik`](https://docs.rs/bisik), the end-to-end-encryption library.
//!
//! This crate holds what `bisik` and `bisik-interop` share: typed wrappers of cryptographic primitives
//! ([`primitives`]), encodings ([`codec`]), sealed records ([`storage`]), results that wait until their record is
//! stored ([`held`]), the pieces of large states that are stored beside them ([`blocks`]), the post-quantum ratchet
//! ([`braid`]), text forms ([`text`]), timestamps ([`time`]), ids and boxed secrets. `bisik` re-exports the types that its users need.
//! Everything else here may change in any release: `bisik` and `bisik-interop` depend on one exact version.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod labels;

pub mod block_id;
pub mod blocks;
pub mod braid;
pub mod codec;
pub mod convert;
pub mod disclosure;
pub mod error;
pub mod held;
pub mod id;
pub mod internal;
pub mod primitives;
pub mod revision;
pub mod shared_secret;
pub mod storage;
pub mod text;
pub mod time;
