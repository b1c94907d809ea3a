//! Encoding: fixed-width big-endian numbers and fixed-size arrays; no field is optional.
//!
//! Every value has exactly one encoding (P-1.8; docs/spec/conventions.md, section 1.5).

mod padme;
mod reader;
mod records;
mod writer;

pub use padme::padme;
pub use reader::Reader;
pub use records::{Record, Records, Value};
pub use writer::{SecretWriter, Writer};

/// The input ended early, had bytes left over, or held a value outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl From<core::num::TryFromIntError> for Malformed {
    fn from(_: core::num::TryFromIntError) -> Self {
        Self
    }
}
