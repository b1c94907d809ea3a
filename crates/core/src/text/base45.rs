//! Base45 (RFC 9285): bytes as the characters that a QR code stores at 5.5 bits each, so that the text of a code takes no
//! more room in it than its bytes would.
//!
//! QR codes hold secrets: neither direction looks anything up at a place, or branches, by a value that it converts.

use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::codec::{Malformed, SecretWriter};

/// Writes two bytes as three characters; a byte that is left over as two.
///
/// # Errors
///
/// That of `f`.
pub fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let (pairs, rest) = bytes.as_chunks::<2>();
    for pair in pairs {
        write_digits::<3>(f, u16::from_be_bytes(*pair))?;
    }
    rest.iter().try_for_each(|byte| write_digits::<2>(f, u16::from(*byte)))
}

/// Reads a text of at most `most` bytes. A longer one is refused before memory is taken for it. Requirement P-1.9.
///
/// # Errors
///
/// [`Malformed`] if it is longer, has a character that is not of the alphabet, or has digits of no bytes.
pub fn decode(text: &str, most: usize) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let (triples, rest) = text.as_bytes().as_chunks::<3>();
    let length = triples.len().checked_mul(2).and_then(|bytes| bytes.checked_add(rest.len().div_ceil(2)));
    let length = length.filter(|length| *length <= most).ok_or(Malformed)?;
    let mut bytes = SecretWriter::with_capacity(length);
    for triple in triples {
        let pair = u16::try_from(read_digits(triple)?)?;
        bytes.bytes(&pair.to_be_bytes());
    }
    match rest {
        [] => {}
        [_, _] => {
            bytes.u8(u8::try_from(read_digits(rest)?)?);
        }
        _ => return Err(Malformed),
    }
    Ok(bytes.finish())
}

/// Writes a number as `N` digits, the lowest first.
fn write_digits<const N: usize>(f: &mut fmt::Formatter<'_>, number: u16) -> fmt::Result {
    let mut left = number;
    for _ in 0..N {
        f.write_char(char::from(symbol(left % 45)))?;
        left /= 45;
    }
    Ok(())
}

/// Reads the number that digits write, the lowest first.
fn read_digits(symbols: &[u8]) -> Result<u32, Malformed> {
    let mut valid = Choice::from(1);
    let number = symbols.iter().rev().try_fold(0_u32, |number, symbol| {
        let (digit, known) = digit(*symbol);
        valid &= known;
        number.checked_mul(45)?.checked_add(digit)
    });
    if valid.into() { number.ok_or(Malformed) } else { Err(Malformed) }
}

/// The character of a digit below 45.
fn symbol(digit: u16) -> u8 {
    ALPHABET
        .iter()
        .zip(0_u16..)
        .fold(0, |found, (symbol, value)| u8::conditional_select(&found, symbol, value.ct_eq(&digit)))
}

/// The digit of a character, and whether it is one.
fn digit(symbol: u8) -> (u32, Choice) {
    ALPHABET.iter().zip(0_u32..).fold((0, Choice::from(0)), |(found, known), (letter, value)| {
        let is = letter.ct_eq(&symbol);
        (u32::conditional_select(&found, &value, is), known | is)
    })
}

/// The alphabet, by value (RFC 9285, section 4.2).
const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    struct Shown<'a>(&'a [u8]);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(f, self.0)
        }
    }

    fn read(text: &str) -> Result<Vec<u8>, Malformed> {
        decode(text, 100).map(|bytes| bytes.to_vec())
    }

    /// RFC 9285, sections 4.3 and 4.4.
    #[test]
    fn base45_is_that_of_the_rfc() {
        let known =
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0"), ("", "")];
        for (bytes, text) in known {
            assert_eq!(Shown(bytes.as_bytes()).to_string(), text);
            assert_eq!(read(text), Ok(bytes.as_bytes().to_vec()));
        }
    }

    /// P-1.8. The examples of RFC 9285, section 6, among them.
    #[test]
    fn what_encodes_no_bytes_is_refused() {
        assert_eq!(read("FGW"), Ok([0xff, 0xff].to_vec()));
        assert_eq!(read("U5"), Ok([0xff].to_vec()));
        for text in ["GGW", ":::", "V5", "::", "A", "BB8A", "bb8", "BB8\n", "B\tB", "BB\u{e9}", "BB_", "BB#0", "\0\0\0"]
        {
            assert_eq!(read(text), Err(Malformed), "{text:?}");
        }
        assert_eq!(decode("BB8BB8", 3).map(|bytes| bytes.to_vec()), Err(Malformed), "too long");
    }

    #[test]
    fn every_pair_and_every_byte_comes_back() {
        for number in 0..=u16::MAX {
            let text = Shown(&number.to_be_bytes()).to_string();
            assert_eq!((text.len(), read(&text)), (3, Ok(number.to_be_bytes().to_vec())));
        }
        for byte in 0..=u8::MAX {
            let text = Shown(&[byte]).to_string();
            assert_eq!((text.len(), read(&text)), (2, Ok([byte].to_vec())));
        }
    }

    #[test]
    fn every_text_that_is_read_is_the_text_of_what_it_gave() {
        let symbols: Vec<char> = (0..=255_u8).map(char::from).filter(char::is_ascii).collect();
        for first in &symbols {
            for second in &symbols {
                let text: String = [*first, *second].iter().collect();
                assert!(read(&text).map_or(true, |bytes| Shown(&bytes).to_string() == text), "{text:?}");
            }
        }
    }
}
