//! Hexadecimal digits. For public values only: the time that reading takes depends on the text.

use core::fmt;

use crate::codec::Malformed;

/// Writes each byte as two digits, in lower case.
///
/// # Errors
///
/// That of `f`.
pub fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads `2 * N` digits, in lower or upper case. Requirement P-1.9.
///
/// # Errors
///
/// [`Malformed`] for any other text.
pub fn decode<const N: usize>(text: &str) -> Result<[u8; N], Malformed> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(Malformed);
    }
    let mut bytes = [0; N];
    for (to, [high, low]) in bytes.iter_mut().zip(pairs) {
        *to = (digit(*high)? << 4) | digit(*low)?;
    }
    Ok(bytes)
}

fn digit(symbol: u8) -> Result<u8, Malformed> {
    let value = char::from(symbol).to_digit(16).ok_or(Malformed)?;
    Ok(u8::try_from(value)?)
}
