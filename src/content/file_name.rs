//! [`FileName`]: a name that is the same file name on every system, and looks like what it is (docs/spec/content.md,
//! section 7.3).

use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

use super::names::bounded;
use super::{ContentError, PrivateText, limits};

/// The name of a file: 1 to 255 bytes. Wiped on drop; `Debug` shows only its length.
///
/// It can be joined to a directory and shown: on no system does it name anything outside of that directory, a stream of
/// another file or a device, and it has no character that breaks its line or turns the direction of writing, with which
/// `invoice\u{202e}fdp.exe` would be shown as `invoiceexe.pdf`. Requirement P-7.8.
///
/// A receiver still chooses itself where to store a file, does not replace one that is there, and trusts neither the
/// name nor its ending.
///
/// ```
/// use bisik::content::{ContentError, FileName};
///
/// // What the systems of senders give: dates with colons, marks that set the direction, characters of any script.
/// let name = FileName::cleaned("\u{200f}لقطة شاشة 2026-11-30 12:30.png");
/// assert_eq!(&*name, "لقطة شاشة 2026-11-30 12_30.png");
///
/// assert_eq!(FileName::new("../../.profile"), Err(ContentError::OutOfRange));
/// assert_eq!(&*FileName::cleaned("../../.profile"), ".._.._.profile");
/// # Ok::<(), ContentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FileName(PrivateText);

impl FileName {
    /// Takes a name as it is.
    ///
    /// # Errors
    ///
    /// [`ContentError::TooLong`] if it has more than 255 bytes; [`ContentError::OutOfRange`] if it is empty or not a name
    /// on every system: [`cleaned`](Self::cleaned) then makes one of it.
    pub fn new(name: impl Into<PrivateText>) -> Result<Self, ContentError> {
        let name = name.into();
        bounded(name.len(), 1, limits::NAME)?;
        if is_file_name(&name) { Ok(Self(name)) } else { Err(ContentError::OutOfRange) }
    }

    /// Makes a name of any text, such as the name that a file has on the sender's system: a name that [`new`](Self::new)
    /// takes stays as it is.
    ///
    /// Separators become `_`. Other characters that a name cannot have are left out, and so are blanks at both ends and
    /// dots at the end. `_` stands before the name of a device, and for a name of which nothing is left. A longer name is
    /// cut before its ending.
    #[must_use]
    pub fn cleaned(name: &str) -> Self {
        let mut shown = Zeroizing::new(String::with_capacity(name.len()));
        shown.extend(
            name.chars()
                .filter(|character| !is_hidden(*character))
                .map(|character| if is_separator(character) { '_' } else { character }),
        );
        let name = trimmed(&shown);
        let fits = name.len() < limits::NAME || name.len() == limits::NAME && !is_device(name);
        let (stem, ending) = if fits { (name, "") } else { cut(name) };
        let prefix = if stem.is_empty() || is_device(stem) { PREFIX } else { "" };
        Self([prefix, stem, ending].concat().into())
    }
}

impl Deref for FileName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What P-7.8 demands beside the length.
fn is_file_name(name: &str) -> bool {
    let forbidden = |character| is_separator(character) || is_hidden(character);
    !name.chars().any(forbidden) && trimmed(name) == name && !is_device(name)
}

/// Separates directories, drives or streams on some system.
const fn is_separator(character: char) -> bool {
    matches!(character, '/' | '\\' | ':')
}

/// Is not shown itself, and changes how the others are: a control character (Cc), a separator of lines or paragraphs (Zl,
/// Zp), or a Bidi_Control.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A separator of words (Zs).
const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Without what some systems leave out: blanks at both ends, dots at the end.
fn trimmed(name: &str) -> &str {
    name.trim_start_matches(is_blank).trim_end_matches(|character| character == '.' || is_blank(character))
}

/// Whether Windows opens a device under this name, in any directory and whatever follows the first dot.
fn is_device(name: &str) -> bool {
    let Some(first) = name.split('.').next() else { return false };
    let first = first.trim_end_matches(is_blank);
    let is = |device: &&str| first.eq_ignore_ascii_case(device);
    let numbered = |class: &&str| {
        let parts = first.split_at_checked(class.len());
        parts.is_some_and(|(letters, number)| letters.eq_ignore_ascii_case(class) && NUMBERS.contains(&number))
    };
    DEVICES.iter().any(is) || PORTS.iter().any(numbered)
}

/// Cuts a name so that there is room for [`PREFIX`]; its ending stays, if it is short.
fn cut(name: &str) -> (&str, &str) {
    let ending = match name.rfind('.').and_then(|dot| name.get(dot..)) {
        Some(ending) if ending.len() <= LONGEST_ENDING => ending,
        Some(_) | None => "",
    };
    let room = ROOM.saturating_sub(ending.len());
    // At most three steps back to the start of a character.
    let stem = (0..=room).rev().find_map(|end| name.get(..end));
    (stem.map_or("", trimmed), ending)
}

/// Stands before the name of a device, and for a name of which nothing is left.
const PREFIX: &str = "_";

/// Bytes of a name that is cut.
const ROOM: usize = limits::NAME - PREFIX.len();

/// Bytes of an ending that is kept when a name is cut, with its dot: a longer one is hardly an ending.
const LONGEST_ENDING: usize = 32;

/// Devices that have no number.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Devices that have one.
const PORTS: [&str; 2] = ["COM", "LPT"];

/// The numbers of ports: digits, and the three that look like one and count as one.
const NUMBERS: [&str; 13] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "\u{b9}", "\u{b2}", "\u{b3}"];
