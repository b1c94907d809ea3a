//! Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5), which needs no escaping in JSON, in a
//! path or in a query.

use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::codec::Malformed;

/// Writes all bytes. Takes no memory for it.
///
/// # Errors
///
/// That of `f`.
pub fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let mut text = [0; PIECE / 3 * 4];
    // Each piece but the last is a multiple of three bytes, so that the texts of the pieces are the text of all.
    bytes
        .chunks(PIECE)
        .try_for_each(|piece| f.write_str(Base64UrlUnpadded::encode(piece, &mut text).map_err(|_| fmt::Error)?))
}

/// Reads a text of at most `most` bytes. A longer one is refused before memory is taken for it. Requirement P-1.9.
///
/// # Errors
///
/// [`Malformed`] if it is longer, has a character that is not of the alphabet, or has bits that encode nothing.
pub fn decode(text: &str, most: usize) -> Result<Vec<u8>, Malformed> {
    if text.len() > most.div_ceil(3).saturating_mul(4) {
        return Err(Malformed);
    }
    let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| Malformed)?;
    if bytes.len() > most { Err(Malformed) } else { Ok(bytes) }
}

/// Bytes that are encoded at a time.
const PIECE: usize = 3 * 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};

    struct Shown<'a>(&'a [u8]);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(f, self.0)
        }
    }

    /// RFC 4648, section 10, without the padding.
    #[test]
    fn base64_is_that_of_the_rfc() {
        let known = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in known {
            assert_eq!(Shown(bytes.as_bytes()).to_string(), text);
            assert_eq!(decode(text, 6).as_deref(), Ok(bytes.as_bytes()));
        }
        assert_eq!(Shown(&[0xfb, 0xff, 0xbf]).to_string(), "-_-_");
    }

    #[test]
    fn pieces_join_without_a_seam() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * PIECE + 5).collect();
        for length in [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5] {
            let text = Shown(&bytes[..length]).to_string();
            assert_eq!(text, Base64UrlUnpadded::encode_string(&bytes[..length]), "{length}");
            assert_eq!(decode(&text, length).as_deref(), Ok(&bytes[..length]), "{length}");
            assert_eq!(decode(&text, length - 1), Err(Malformed), "{length}");
        }
    }

    /// P-1.8: a text with other bits at its end, with padding or with white space would be a second one of the value.
    #[test]
    fn a_value_has_one_text() {
        for text in ["Zh", "Zm9", "Zg==", "Zg=", "Z", " Zg", "Zg ", "Zg\n", "Z\ng", "Zm+v", "Zm/v", "Zm9v\u{e9}"] {
            assert_eq!(decode(text, 100), Err(Malformed), "{text:?}");
        }
        let every: String =
            (0..=255_u8).map(char::from).filter(|symbol| decode(&format!("AA{symbol}A"), 3).is_ok()).collect();
        assert_eq!(every, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    }
}
