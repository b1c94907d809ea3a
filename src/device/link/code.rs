//! [`QrCode`]: the QR code that a companion shows. [`LinkCode`]: the code that a user types.
//!
//! Rendering the QR code is up to the application.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

use super::Invitation;
use super::message::Hello;
use crate::device::LinkError;
use bisik_core::text::base45;

/// The 130 bytes of a companion's QR code: its hello and the link secret.
///
/// Anyone who reads them can answer in place of the primary device, so show them and never send them. Wiped on drop,
/// and absent from `Debug`. There is no `Clone`, and the feature `serde` does not know it.
///
/// Most programs that draw or scan QR codes take text: that is Base45 (RFC 9285), 195 characters of a QR code's
/// alphanumeric mode. They fit in a code of version 6, as the bytes do. Wipe the text after it was drawn.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::LinkError;
/// use bisik::device::link::{Companion, Invitation, QrCode};
///
/// let (companion, qr_code) = Companion::with_qr_code(rng);
/// let shown = zeroize::Zeroizing::new(qr_code.to_string()); // draw it
/// assert_eq!(shown.len(), 195);
/// let invitation: Invitation = shown.parse()?; // on the primary device: what its camera gives
/// assert_eq!(invitation.companion(), companion.identity().public());
/// assert_eq!(shown.parse::<QrCode>()?.as_bytes(), qr_code.as_bytes());
/// assert_eq!("BB8".parse::<QrCode>().err(), Some(LinkError::Malformed));
/// # Ok::<(), LinkError>(())
/// ```
pub struct QrCode(pub(super) Zeroizing<Vec<u8>>);

impl QrCode {
    /// Bytes in a QR code.
    pub const LENGTH: usize = Hello::LENGTH + 32;

    /// Returns the bytes to encode as a QR code.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The text to encode as a QR code: Base45, 195 characters. It holds the link secret.
impl fmt::Display for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base45::write(f, &self.0)
    }
}

/// Reads the text of a QR code, and refuses what [`Invitation::scan`] refuses.
impl FromStr for QrCode {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let bytes = base45::decode(text, Self::LENGTH).map_err(|_| LinkError::Malformed)?;
        Invitation::scan(&bytes).map(|_| Self(bytes))
    }
}

/// Reads the text of a QR code ([`QrCode`]), as [`Invitation::scan`] reads its bytes.
impl FromStr for Invitation {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let bytes = base45::decode(text, QrCode::LENGTH).map_err(|_| LinkError::Malformed)?;
        Self::scan(&bytes)
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
    fn shown_codes_can_be_typed() {
        for bytes in [[0; 5], [0xff; 5], [1, 2, 3, 4, 5], [0x80, 0x40, 0x20, 0x10, 0x08]] {
            let shown = LinkCode(bytes).to_string();
            assert_eq!(shown.parse(), Ok(LinkCode(bytes)), "{shown}");
            assert_eq!(shown.to_lowercase().replace('-', "").parse(), Ok(LinkCode(bytes)), "{shown}");
        }
        assert_eq!(LinkCode([0, 0, 0, 0, 1]).to_string(), "0000-0001");
    }

    #[test]
    fn malformed_codes_are_refused() {
        for typed in ["", "7YQ0-K3M", "7YQ0-K3MVV", "7YQ0-K3MU", "7YQ0_K3MV", "7YQ0-K3M\u{e9}"] {
            assert_eq!(typed.parse::<LinkCode>(), Err(LinkError::Malformed), "{typed}");
        }
    }
}
