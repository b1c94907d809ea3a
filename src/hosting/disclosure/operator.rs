//! [`Operator`]: the party that holds a hosted device's keys (docs/spec/hosting.md, section 11.1).
//!
//! The name is what users are shown. It proves nothing; the key does.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::error::TextError;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};

/// The name of an operator, as users are shown it: 1 to 64 bytes of UTF-8.
///
/// It has no control, invisible or reordering characters and no white space at either end, so that users read what was
/// signed. P-11.2.
///
/// ```
/// use bisik::hosting::OperatorName;
///
/// assert_eq!(OperatorName::new("Awan Pesan").unwrap().as_str(), "Awan Pesan");
/// assert!(OperatorName::new("Awan\u{202e}nasePq").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorName {
    name: String,
    /// Bytes of the name.
    length: u8,
}

impl OperatorName {
    /// Bytes of the longest name.
    pub const LONGEST: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`TextError::Name`] if it is empty or too long, or if it has characters that would show users something else.
    pub fn new(name: &str) -> Result<Self, TextError> {
        if name.is_empty() || name.len() > Self::LONGEST || name.trim() != name || name.chars().any(is_deceptive) {
            return Err(TextError::Name);
        }
        let length = u8::try_from(name.len()).map_err(|_| TextError::Name)?;
        Ok(Self { name: name.to_owned(), length })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorName({:?})", self.name)
    }
}

/// The party that holds a hosted device's keys: a vendor, the network itself, or another messenger's provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// The name that users are shown.
    pub name: OperatorName,
    /// The key that identifies it. Two operators may have the same name.
    pub key: IdentityKey,
}

impl Operator {
    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { name, key } = self;
        writer.bytes(&key.to_bytes()).u8(name.length).bytes(name.name.as_bytes());
    }

    /// `key` reads the key: with all checks if another party sent it, without decompressing its points if it comes from a
    /// sealed record.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        key: fn(&mut Reader<'_>) -> Result<IdentityKey, Malformed>,
    ) -> Result<Self, Malformed> {
        let key = key(reader)?;
        let length = usize::from(reader.u8()?);
        let name = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
        Ok(Self { name: OperatorName::new(name).map_err(|_| Malformed)?, key })
    }
}

/// Whether a character is invisible or changes how others are shown: controls, line and paragraph separators, zero-width
/// and bidirectional marks, soft hyphens, fillers, variation selectors and tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}
