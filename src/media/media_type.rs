//! [`MediaType`]: a file's media type (RFC 6838), as the sender states it.

use alloc::boxed::Box;
use core::fmt;

use super::error::MediaTypeError;

/// A media type such as `image/jpeg`: type and subtype in lower case, without parameters. Each has one spelling.
///
/// It is the sender's claim; nobody has checked the file against it. A receiver that hands the file to another program
/// must do its own checks.
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
    /// Maximum length in bytes. RFC 6838 recommends at most 64 for each of the two names.
    pub const MAX_LENGTH: usize = 127;

    /// Parses `type/subtype` of at most [`MAX_LENGTH`](Self::MAX_LENGTH) bytes.
    ///
    /// # Errors
    ///
    /// [`MediaTypeError`] if `text` is longer, or if the two are not lower-case names of RFC 6838, section 4.2.
    pub fn new(text: &str) -> Result<Self, MediaTypeError> {
        // P-8.7: restricted names, no capitals, no parameters, at most 127 bytes.
        let (kind, subtype) = text.split_once('/').ok_or(MediaTypeError)?;
        let good = text.len() <= Self::MAX_LENGTH && is_name(kind) && is_name(subtype);
        if good { Ok(Self(text.into())) } else { Err(MediaTypeError) }
    }

    /// Returns `application/octet-stream`, for a file of unknown type.
    #[must_use]
    pub fn unknown() -> Self {
        Self("application/octet-stream".into())
    }

    /// Returns the text, `type/subtype`.
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

/// Returns whether `name` is a restricted name of RFC 6838 without capitals.
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
