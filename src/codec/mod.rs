//! Bytes to types and back: fixed-width big-endian numbers, fixed-size arrays, nothing optional.
//!
//! Does not know what the bytes mean. P-1.8: every value has exactly one encoding (docs/spec/conventions.md, section
//! 1.5).

mod padme;
mod reader;
mod records;
mod writer;

pub(crate) use padme::padme;
pub(crate) use reader::Reader;
pub(crate) use records::{Record, Records, Value};
pub(crate) use writer::{SecretWriter, Writer};

/// The input ended early, had bytes left over, or held a value outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;
