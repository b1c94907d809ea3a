//! [`Sas`]: the short authentication string that the user compares on both screens.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::message::{Channel, Transcript};
use crate::labels;
use bisik_core::primitives::kdf::Prk;

/// One emoji of a short authentication string, with a name to read aloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Emoji {
    /// The emoji, one code point.
    pub symbol: &'static str,
    /// Its name, in English.
    pub name: &'static str,
}

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
        self.emoji.map(|index| {
            let (symbol, name) = EMOJI.get(usize::from(index)).copied().unwrap_or_default();
            Emoji { symbol, name }
        })
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

/// The 64 emoji in order. They are easy to distinguish by look and by name, and each is one code point without a
/// variation selector.
const EMOJI: [(&str, &str); 64] = [
    ("\u{1f42f}", "tiger"),
    ("\u{1f435}", "monkey"),
    ("\u{1f418}", "elephant"),
    ("\u{1f40a}", "crocodile"),
    ("\u{1f422}", "turtle"),
    ("\u{1f40d}", "snake"),
    ("\u{1f438}", "frog"),
    ("\u{1f433}", "whale"),
    ("\u{1f419}", "octopus"),
    ("\u{1f980}", "crab"),
    ("\u{1f41e}", "ladybird"),
    ("\u{1f41d}", "bee"),
    ("\u{1f989}", "owl"),
    ("\u{1f427}", "penguin"),
    ("\u{1f413}", "rooster"),
    ("\u{1f98b}", "butterfly"),
    ("\u{1f335}", "cactus"),
    ("\u{1f334}", "palm"),
    ("\u{1f33b}", "sunflower"),
    ("\u{1f344}", "mushroom"),
    ("\u{1f33d}", "maize"),
    ("\u{1f955}", "carrot"),
    ("\u{1f34c}", "banana"),
    ("\u{1f347}", "grapes"),
    ("\u{1f353}", "strawberry"),
    ("\u{1f349}", "melon"),
    ("\u{1f34d}", "pineapple"),
    ("\u{1f35e}", "bread"),
    ("\u{1f9c0}", "cheese"),
    ("\u{1f95a}", "egg"),
    ("\u{1f369}", "doughnut"),
    ("\u{1f382}", "cake"),
    ("\u{1f30b}", "volcano"),
    ("\u{1f308}", "rainbow"),
    ("\u{1f319}", "moon"),
    ("\u{1f525}", "fire"),
    ("\u{26a1}", "lightning"),
    ("\u{26f5}", "sailboat"),
    ("\u{1f682}", "train"),
    ("\u{1f6b2}", "bicycle"),
    ("\u{1f680}", "rocket"),
    ("\u{1f681}", "helicopter"),
    ("\u{1f69c}", "tractor"),
    ("\u{2693}", "anchor"),
    ("\u{1f3e0}", "house"),
    ("\u{26fa}", "tent"),
    ("\u{1f5fc}", "tower"),
    ("\u{1f3a1}", "wheel"),
    ("\u{1f511}", "key"),
    ("\u{1f528}", "hammer"),
    ("\u{1f514}", "bell"),
    ("\u{23f0}", "clock"),
    ("\u{1f4f7}", "camera"),
    ("\u{1f392}", "backpack"),
    ("\u{1f453}", "glasses"),
    ("\u{1f45f}", "shoe"),
    ("\u{1f3a9}", "hat"),
    ("\u{1f302}", "umbrella"),
    ("\u{1f388}", "balloon"),
    ("\u{1f381}", "gift"),
    ("\u{1f3b8}", "guitar"),
    ("\u{1f941}", "drum"),
    ("\u{1f3c6}", "trophy"),
    ("\u{26bd}", "football"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_emoji_and_no_name_is_there_twice() {
        assert_eq!(EMOJI.iter().map(|(symbol, _)| symbol).collect::<BTreeSet<_>>().len(), 64);
        assert_eq!(EMOJI.iter().map(|(_, name)| name).collect::<BTreeSet<_>>().len(), 64);
        assert!(EMOJI.iter().all(|(symbol, _)| symbol.chars().count() == 1));
    }

    #[test]
    fn digits_are_always_twelve() {
        let shown = |digits| Sas { emoji: [0; 6], digits }.digits();
        assert_eq!(shown(0), "000 000 000 000");
        assert_eq!(shown(DIGITS - 1), "999 999 999 999");
        assert_eq!(shown(12_003_400_056), "012 003 400 056");
    }
}
