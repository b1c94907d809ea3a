//! [`MediaType`]: what a file is, in the words of RFC 6838.
//!
//! Does not know files: it is the sender's word for one, and nothing has looked inside.

use alloc::boxed::Box;
use core::fmt;

use super::error::MediaTypeError;

/// What a file is, such as `image/jpeg`: type and subtype without parameters, in small letters, so that each has one spelling.
///
/// The sender's word: a receiver that hands the file to another program judges for itself.
///
/// ```
/// use bisik::media::MediaType;
///
/// assert_eq!(MediaType::new("audio/ogg")?.as_str(), "audio/ogg");
/// assert!(MediaType::new("Audio/Ogg").is_err());
/// # Ok::<(), bisik::media::MediaTypeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaType(Box<str>);

impl MediaType {
    /// The longest, in bytes. RFC 6838 recommends names of at most 64 each.
    pub const MAX_LENGTH: usize = 127;

    /// Reads `type/subtype`, at most [`MAX_LENGTH`](Self::MAX_LENGTH) bytes.
    ///
    /// # Errors
    ///
    /// [`MediaTypeError`] where it is longer, or the two are not names of RFC 6838, section 4.2, in small letters.
    pub fn new(text: &str) -> Result<Self, MediaTypeError> {
        // P-8.7
        let (kind, subtype) = text.split_once('/').ok_or(MediaTypeError)?;
        let good = text.len() <= Self::MAX_LENGTH && is_name(kind) && is_name(subtype);
        if good { Ok(Self(text.into())) } else { Err(MediaTypeError) }
    }

    /// Bytes of which nothing is known: `application/octet-stream`.
    #[must_use]
    pub fn unknown() -> Self {
        Self("application/octet-stream".into())
    }

    /// The text that it was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A restricted name of RFC 6838, without capitals.
fn is_name(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.as_bytes().first().is_some_and(alphanumeric)
        && name.bytes().all(|byte| alphanumeric(&byte) || b"!#$&-^_.+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// P-8.7.
    #[test]
    fn a_media_type_is_two_names_in_small_letters() {
        let long = String::from("a/") + &"b".repeat(125);
        for good in ["image/jpeg", "application/vnd.oasis.opendocument.text", "image/svg+xml", "a/b", &long] {
            assert_eq!(MediaType::new(good).unwrap().as_str(), good);
        }
        let longer = String::from("a/") + &"b".repeat(126);
        let bad =
            ["", "/", "image", "image/", "/jpeg", "image/JPEG", "a/b/c", "a/b;c=d", "a /b", "é/b", "-a/b", &longer];
        for bad in bad {
            assert_eq!(MediaType::new(bad), Err(MediaTypeError), "{bad}");
        }
    }
}
