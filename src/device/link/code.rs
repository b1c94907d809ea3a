//! [`QrCode`]: the QR code that a companion shows. [`LinkCode`]: the code that a user types.
//!
//! Rendering the QR code is up to the application.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

use crate::device::LinkError;

/// The 130 bytes of a companion's QR code: its hello and the link secret.
///
/// Anyone who reads them can answer in place of the primary device, so show them and never send them. Wiped on drop,
/// and absent from `Debug`.
pub struct QrCode(pub(super) Zeroizing<Vec<u8>>);

impl QrCode {
    /// Returns the bytes to encode as a QR code.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QrCode(..)")
    }
}

/// A code of eight characters under which a companion stores its hello on a server. Use it where there is no camera.
///
/// The code has 40 bits. It is a name and protects nothing: the hello stored under it is untrusted until the user has
/// compared the strings. It is shown as `7YQ0-K3MV`. When parsed, case and the hyphen do not matter, `O` is read as
/// `0`, and `I` and `L` as `1`.
///
/// ```
/// use bisik::device::link::LinkCode;
///
/// let typed: LinkCode = "7yqo k3mv".parse()?;
/// assert_eq!(typed.to_string(), "7YQ0-K3MV");
/// # Ok::<(), bisik::device::LinkError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkCode(pub(super) [u8; 5]);

impl LinkCode {
    /// Returns the name on the server.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 5] {
        self.0
    }

    /// Returns the 40 bits as eight numbers of five bits.
    fn symbols(self) -> impl Iterator<Item = u8> {
        let bits = self.0.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        [35, 30, 25, 20, 15, 10, 5, 0].into_iter().map(move |shift| {
            let [.., symbol] = ((bits >> shift) & 0x1f).to_be_bytes();
            symbol
        })
    }
}

impl fmt::Display for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, symbol) in self.symbols().enumerate() {
            if position == 4 {
                f.write_str("-")?;
            }
            let letter = ALPHABET.get(usize::from(symbol)).copied().unwrap_or_default();
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl FromStr for LinkCode {
    type Err = LinkError;

    fn from_str(typed: &str) -> Result<Self, LinkError> {
        let mut bits = 0_u64;
        let mut symbols = 0_u8;
        for letter in typed.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
            let letter = match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let symbol = ALPHABET.iter().position(|known| char::from(*known) == letter).ok_or(LinkError::Malformed)?;
            bits = (bits << 5) | u64::try_from(symbol).map_err(|_| LinkError::Malformed)?;
            symbols = symbols.checked_add(1).filter(|symbols| *symbols <= 8).ok_or(LinkError::Malformed)?;
        }
        let [_, _, _, code @ ..] = bits.to_be_bytes();
        if symbols == 8 { Ok(Self(code)) } else { Err(LinkError::Malformed) }
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode(..)")
    }
}

/// Crockford's Base32, without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_is_shown_can_be_typed() {
        for bytes in [[0; 5], [0xff; 5], [1, 2, 3, 4, 5], [0x80, 0x40, 0x20, 0x10, 0x08]] {
            let shown = LinkCode(bytes).to_string();
            assert_eq!(shown.parse(), Ok(LinkCode(bytes)), "{shown}");
            assert_eq!(shown.to_lowercase().replace('-', "").parse(), Ok(LinkCode(bytes)), "{shown}");
        }
        assert_eq!(LinkCode([0, 0, 0, 0, 1]).to_string(), "0000-0001");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "7YQ0-K3M", "7YQ0-K3MVV", "7YQ0-K3MU", "7YQ0_K3MV", "7YQ0-K3M\u{e9}"] {
            assert_eq!(typed.parse::<LinkCode>(), Err(LinkError::Malformed), "{typed}");
        }
    }
}
