//! [`Sas`]: the short authentication string that the user compares on both screens.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::message::{Channel, Transcript};
use crate::emoji::Emoji;
use crate::labels;
use bisik_core::primitives::kdf::Prk;

/// The short authentication string that both screens show and the user compares: six of 64 emoji, or twelve digits.
///
/// If there is no attacker in the middle, both screens show the same string. If there is one, the strings are equal
/// with probability 2^-36. Both screens must show the same form.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::device::link::{Companion, Invitation};
/// # use bisik::device::DeviceTerms;
/// # use bisik::{Account, Timestamp};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let phone = Account::create(DeviceTerms::person(), now, rng);
/// # let (laptop, qr_code) = Companion::with_qr_code(rng);
/// # let primary = phone.primary().ok_or("a primary device")?;
/// # let (answered, answer) = Invitation::scan(qr_code.as_bytes())?.answer(primary, DeviceTerms::person(), rng);
/// # let (laptop, reveal) = laptop.answer(&answer)?;
/// # let phone = answered.reveal(&reveal)?;
/// let (on_laptop, on_phone) = (laptop.sas(), phone.sas());
/// println!("{}", on_laptop.emoji().map(|emoji| emoji.symbol).join(" "));
/// println!("{}", on_laptop.digits()); // such as 042 917 335 808
/// assert_eq!(on_laptop.digits(), on_phone.digits());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sas {
    emoji: [u8; 6],
    /// Below 10^12.
    digits: u64,
}

impl Sas {
    /// Derives the string from the values that both sides fixed before either saw the other's choice.
    /// Requirement P-10.15.
    pub(super) fn derive(channel: &Channel, transcript: &Transcript) -> Self {
        let output = Prk::extract(channel.salt(), &[transcript.as_bytes()]).expand::<16>(&[labels::LINK_SAS]);
        let high = output.truncate();
        let [_, _, _, _, _, _, _, _, low @ ..] = *output.expose();
        let bits = u64::from_be_bytes(high);
        let emoji = [58, 52, 46, 40, 34, 28].map(|shift| {
            let [.., index] = ((bits >> shift) & 0x3f).to_be_bytes();
            index
        });
        Self { emoji, digits: u64::from_be_bytes(low) % DIGITS }
    }

    /// Returns six emoji, left to right.
    #[must_use]
    pub fn emoji(&self) -> [Emoji; 6] {
        self.emoji.map(Emoji::of)
    }

    /// Returns twelve digits in groups of three, for terminals and for reading aloud.
    #[must_use]
    pub fn digits(&self) -> String {
        let digits = self.digits;
        let (millions, rest) = (digits / 1_000_000, digits % 1_000_000);
        let groups = [millions / 1_000, millions % 1_000, rest / 1_000, rest % 1_000];
        groups.map(|group| format!("{group:03}")).join(" ")
    }
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sas(..)")
    }
}

/// The number of strings of twelve digits.
const DIGITS: u64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_always_twelve() {
        let shown = |digits| Sas { emoji: [0; 6], digits }.digits();
        assert_eq!(shown(0), "000 000 000 000");
        assert_eq!(shown(DIGITS - 1), "999 999 999 999");
        assert_eq!(shown(12_003_400_056), "012 003 400 056");
    }
}
