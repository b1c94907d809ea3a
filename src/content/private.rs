//! [`PrivateText`] and [`PrivateBytes`]: what people say, wiped when it is dropped and never printed.
//!
//! Do not know what they hold. Every text and every opaque byte string of this module is one of the two, so that no `Debug`
//! of a kind can show one by mistake.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

/// A text that somebody wrote. Wiped on drop; `Debug` shows its length.
///
/// ```
/// use bisik::content::PrivateText;
///
/// let text = PrivateText::from("halo");
/// assert_eq!(&*text, "halo");
/// assert_eq!(format!("{text:?}"), "[4 bytes of text]");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateText(Zeroizing<String>);

impl PrivateText {
    /// What a decoder has read: moved, so that no copy stays behind.
    pub(super) fn take(text: &mut String) -> Self {
        Self(Zeroizing::new(core::mem::take(text)))
    }
}

impl Deref for PrivateText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PrivateText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(String::from(text)))
    }
}

/// Takes the text over, and wipes it when it is dropped. Blocks that the `String` grew out of before are the caller's.
impl From<String> for PrivateText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes of text]", self.len())
    }
}

/// Bytes that belong to what somebody said: a body, a pointer with its key. Wiped on drop; `Debug` shows their length.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateBytes(Zeroizing<Vec<u8>>);

impl PrivateBytes {
    /// What a decoder has read: moved, so that no copy stays behind.
    pub(super) fn take(bytes: &mut Vec<u8>) -> Self {
        Self(Zeroizing::new(core::mem::take(bytes)))
    }
}

impl Deref for PrivateBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for PrivateBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

/// Takes the bytes over, and wipes them when they are dropped.
impl From<Vec<u8>> for PrivateBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for PrivateBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.len())
    }
}
