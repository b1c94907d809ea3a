//! [`PrivateText`] and [`PrivateBytes`]: user data that is wiped on drop and never printed.
//!
//! Every text and every opaque byte string in this module is one of the two, so no `Debug` of a kind can show one by
//! mistake.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

/// Text that a user wrote. Wiped on drop; `Debug` shows only its length.
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
    /// Takes the text out of a decoder. It is moved, so no copy stays behind.
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

/// Takes ownership of the text and wipes it on drop. Buffers that the `String` outgrew earlier are the caller's to
/// wipe.
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

/// Bytes that belong to a user's message, such as a body or a pointer with its key. Wiped on drop; `Debug` shows only
/// their length.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateBytes(Zeroizing<Vec<u8>>);

impl PrivateBytes {
    /// Takes the bytes out of a decoder. They are moved, so no copy stays behind.
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

/// Takes ownership of the bytes and wipes them on drop.
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
