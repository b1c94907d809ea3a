//! [`OperatorName`]: what an operator calls itself, in one script (docs/spec/hosting.md, section 11.1).
//!
//! The characters are a closed list, so that every implementation accepts the same names whatever its tables of Unicode
//! say. No table would show two names of one look in one script to be different; nothing here claims that.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::error::TextError;

/// What an operator calls itself: 1 to 64 bytes of UTF-8, in one script.
///
/// Anybody may call himself anything, so the name is a claim and is shown as one, in quotation marks. It has letters of
/// one script, digits, spaces and `& ' ’ ( ) + , - .`; it begins with a letter or a digit, has a letter, and no mark twice in a row. No
/// quotation mark, control, invisible or reordering character can be in it. P-11.2.
///
/// ```
/// use bisik::hosting::OperatorName;
///
/// assert_eq!(OperatorName::new("Awan Pesan").unwrap().as_str(), "Awan Pesan");
/// assert!(OperatorName::new("Awan\u{202e}nasePq").is_err());
/// assert!(OperatorName::new("M\u{435}ta").is_err(), "a Cyrillic letter among Latin ones");
/// assert!(OperatorName::new("\" is nobody").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorName {
    name: String,
    /// Bytes of the name.
    length: u8,
}

impl OperatorName {
    /// Bytes of the longest name.
    pub const LONGEST: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`TextError::Name`] if it is empty or too long, mixes scripts, or has a character that is not in the list.
    pub fn new(name: &str) -> Result<Self, TextError> {
        let length = u8::try_from(name.len()).map_err(|_| TextError::Name)?;
        if name.len() > Self::LONGEST || !is_plain(name) {
            return Err(TextError::Name);
        }
        Ok(Self { name: name.to_owned(), length })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Bytes of the name.
    pub(super) const fn length(&self) -> u8 {
        self.length
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorName({:?})", self.name)
    }
}

/// Whether a name is of one script, without anything that could be read as the end of it.
fn is_plain(name: &str) -> bool {
    let mut script = None;
    let mut before = None;
    for character in name.chars() {
        match kind(character) {
            Some(Kind::Letter(found)) if script.is_none_or(|known| known == found) => script = Some(found),
            Some(Kind::Digit) => {}
            // Two of the same mark could look like another one: two apostrophes like a quotation mark.
            Some(Kind::Mark(mark)) if before.is_some_and(|before| before != Some(mark)) => {
                before = Some(Some(mark));
                continue;
            }
            Some(Kind::Letter(_) | Kind::Mark(_)) | None => return false,
        }
        before = Some(None);
    }
    script.is_some() && before != Some(Some(' '))
}

#[derive(Clone, Copy)]
enum Kind {
    /// A letter, or a sign that belongs to one, of the script with this number.
    Letter(usize),
    Digit,
    /// A mark; both apostrophes are one.
    Mark(char),
}

fn kind(character: char) -> Option<Kind> {
    match character {
        '0'..='9' => Some(Kind::Digit),
        '\'' | '\u{2019}' => Some(Kind::Mark('\'')),
        ' ' | '&' | '(' | ')' | '+' | ',' | '-' | '.' => Some(Kind::Mark(character)),
        _ => {
            let code = u32::from(character);
            let within = |ranges: &&[(u32, u32)]| ranges.iter().any(|(low, high)| (*low..=*high).contains(&code));
            SCRIPTS.iter().position(within).map(Kind::Letter)
        }
    }
}

/// The letters of each script, as in section 11.1. Chinese, Japanese and Korean writing is one script: it mixes its parts.
const SCRIPTS: [&[(u32, u32)]; 24] = [
    // Latin
    &[(0x41, 0x5a), (0x61, 0x7a), (0xc0, 0xd6), (0xd8, 0xf6), (0xf8, 0x17f), (0x1e00, 0x1ef9)],
    // Greek
    &[(0x386, 0x386), (0x388, 0x38a), (0x38c, 0x38c), (0x38e, 0x3a1), (0x3a3, 0x3ce)],
    // Cyrillic
    &[(0x400, 0x481), (0x48a, 0x52f)],
    // Armenian
    &[(0x531, 0x556), (0x561, 0x587)],
    // Hebrew
    &[(0x5d0, 0x5ea)],
    // Arabic
    &[(0x620, 0x63a), (0x641, 0x64a), (0x671, 0x6d3)],
    // Devanagari
    &[(0x900, 0x94d), (0x958, 0x961)],
    // Bengali
    &[(0x980, 0x9cd), (0x9dc, 0x9e1), (0x9f0, 0x9f1)],
    // Gurmukhi
    &[(0xa01, 0xa4d), (0xa59, 0xa5e), (0xa70, 0xa75)],
    // Gujarati
    &[(0xa81, 0xacd), (0xae0, 0xae1)],
    // Odia
    &[(0xb01, 0xb4d), (0xb5c, 0xb61), (0xb71, 0xb71)],
    // Tamil
    &[(0xb82, 0xbcd)],
    // Telugu
    &[(0xc00, 0xc4d), (0xc58, 0xc61)],
    // Kannada
    &[(0xc80, 0xccd), (0xcde, 0xce1)],
    // Malayalam
    &[(0xd00, 0xd4d), (0xd5f, 0xd61), (0xd7a, 0xd7f)],
    // Sinhala
    &[(0xd81, 0xddf)],
    // Thai
    &[(0xe01, 0xe3a), (0xe40, 0xe4e)],
    // Lao
    &[(0xe81, 0xece), (0xedc, 0xedf)],
    // Myanmar
    &[(0x1000, 0x103f)],
    // Georgian
    &[(0x10d0, 0x10fa), (0x10fd, 0x10ff)],
    // Ethiopic
    &[(0x1200, 0x135a)],
    // Khmer
    &[(0x1780, 0x17b3), (0x17b6, 0x17d2)],
    // Javanese
    &[(0xa980, 0xa9c0)],
    // Chinese, Japanese and Korean
    &[
        (0x3005, 0x3007),
        (0x3041, 0x3096),
        (0x30a1, 0x30fa),
        (0x30fc, 0x30fc),
        (0x3400, 0x4dbf),
        (0x4e00, 0x9fff),
        (0xac00, 0xd7a3),
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// P-11.2.
    #[test]
    fn no_character_belongs_to_two_scripts() {
        let mut all: Vec<_> = SCRIPTS.iter().flat_map(|ranges| ranges.iter().copied()).collect();
        all.sort_unstable();
        assert!(all.iter().all(|(low, high)| low <= high));
        assert!(all.is_sorted_by(|one, next| one.1 < next.0), "ranges overlap");
        assert!(all.iter().all(|(low, high)| [*low, *high].map(char::from_u32).iter().all(Option::is_some)));
    }

    /// P-11.2.
    #[test]
    fn no_letter_of_a_name_is_invisible_or_a_quotation_mark() {
        let deceptive = [
            '"', '\u{ad}', '\u{ab}', '\u{bb}', '\u{34f}', '\u{61c}', '\u{17b4}', '\u{17b5}', '\u{200b}', '\u{201c}',
            '\u{202e}', '\u{2066}', '\u{3164}', '\u{fe0f}', '\u{ff02}', '\u{300c}', '{', '}', '<', ':', '/', '@',
        ];
        for character in deceptive {
            assert!(kind(character).is_none(), "{character:?}");
        }
        let controls = (0..0xa0).filter_map(char::from_u32).filter(|one| one.is_control());
        assert!(controls.into_iter().all(|control| kind(control).is_none()));
    }

    use alloc::vec::Vec;
}
