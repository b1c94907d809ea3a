//! Names in quotation marks: nothing in a name can end them, or change how the text around them is read. P-11.25.

use alloc::string::String;

/// `name` in quotation marks. Operators' names are as [`OperatorName`](crate::hosting::OperatorName) allows; for that of
/// a chat, which the application gives, what may not be shown is replaced and the rest is cut.
pub(super) fn quoted(name: &str, nameless: &str) -> String {
    let name = name.trim();
    if name.is_empty() {
        return nameless.into();
    }
    let mut text = String::from("\"");
    let isolated = name.chars().any(runs_from_right_to_left);
    if isolated {
        text.push(FIRST_STRONG_ISOLATE);
    }
    text.extend(name.chars().take(MOST).map(|one| if is_deceptive(one) { char::REPLACEMENT_CHARACTER } else { one }));
    if name.chars().nth(MOST).is_some() {
        text.push('…');
    }
    if isolated {
        text.push(POP_ISOLATE);
    }
    text.push('"');
    text
}

/// Whether a character is a quotation mark, is invisible, or changes how others are shown: controls, line and paragraph
/// separators, zero-width and bidirectional marks, soft hyphens, fillers, variation selectors and tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '"' | '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' | '\u{2039}' | '\u{203a}' | '\u{275d}' | '\u{275e}'
            | '\u{300c}'..='\u{300f}' | '\u{301d}'..='\u{301f}' | '\u{ff02}')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Hebrew, Arabic and the scripts beside them: the text around such a name keeps its order only if the name is isolated.
const fn runs_from_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

/// Characters that are shown of a name.
const MOST: usize = 64;
const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

#[cfg(test)]
mod tests {
    use super::*;

    /// P-11.25.
    #[test]
    fn a_name_cannot_leave_its_quotation_marks() {
        assert_eq!(quoted("Toko Awan", "?"), "\"Toko Awan\"");
        assert_eq!(quoted("  ", "this account"), "this account");
        assert_eq!(quoted("a\" b\u{201d}\u{202e}c\n", "?"), "\"a\u{fffd} b\u{fffd}\u{fffd}c\"");
        assert_eq!(quoted(&"x".repeat(65), "?").chars().count(), 64 + 3);
        assert_eq!(quoted("שלום", "?"), "\"\u{2068}שלום\u{2069}\"");
    }
}
