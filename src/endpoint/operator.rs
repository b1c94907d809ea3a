//! [`Operator`]: who holds an endpoint's keys in somebody else's name.
//!
//! Does not know what the operator may do: `terms` does. A name is what a user is shown and proves nothing; the key does.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::error::TextError;
use crate::codec::{Malformed, Reader, Writer};
use crate::keys::IdentityKey;

/// The name under which users are told of an operator: 1 to 64 bytes of UTF-8.
///
/// P-11.2: no control characters, no invisible or reordering ones, and no white space at either end, so that what is
/// shown
/// is what was signed.
///
/// ```
/// use bisik::endpoint::OperatorName;
///
/// assert_eq!(OperatorName::new("Awan Pesan").unwrap().as_str(), "Awan Pesan");
/// assert!(OperatorName::new("Awan\u{202e}nasePq").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorName(String);

impl OperatorName {
    /// Most bytes of a name.
    pub const LONGEST: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`TextError::Name`] where it is empty, too long, or holds characters that would show something else.
    pub fn new(name: &str) -> Result<Self, TextError> {
        let sized = !name.is_empty() && name.len() <= Self::LONGEST;
        if sized && name.trim() == name && !name.chars().any(is_deceptive) {
            Ok(Self(name.to_owned()))
        } else {
            Err(TextError::Name)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorName({:?})", self.0)
    }
}

/// Who runs an endpoint: a vendor, the network itself, or another messenger's provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// What users are shown.
    pub name: OperatorName,
    /// By what it is recognised: two operators of one name are two.
    pub key: IdentityKey,
}

impl Operator {
    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { name, key } = self;
        writer.bytes(&key.to_bytes()).u8(u8::try_from(name.0.len()).unwrap_or(u8::MAX)).bytes(name.0.as_bytes());
    }

    /// `key` reads the key: strictly where it comes from outside, without its points where it comes from sealed state.
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

/// Characters that are not seen, or that change how others are seen: controls, line and paragraph separators, zero-width
/// and bidirectional marks, soft hyphens, fillers, variation selectors and tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}
