//! Names of documents: what no system takes for more than a file, and what is shown as it is read (P-7.8).

use bisik::content::{Content, ContentError, ContentMeta, Document, FileName, Kind};
use bisik_testkit::ConstantRng;
use bisik_testkit::protobuf::{body, field};
use proptest::prelude::*;

use super::fixtures::*;

/// What people and systems call files.
const ORDINARY: [&str; 24] = [
    "laporan.pdf",
    "..pdf",
    ".profile",
    "été 2026.tar.gz",
    "報告.pdf",
    "سند.pdf",
    "می‌خواهم.txt", // with a zero-width non-joiner
    "👩‍👩‍👧 ❤️.jpg",   // with joiners and variation selectors
    "Screenshot 2026-11-30 at 11.47.30\u{202f}AM.png",
    "What? \"No\" <yes> | 100 %*.txt",
    "a . b",
    "auxiliary.txt",
    "console",
    "CON-2.txt",
    "null",
    "COM",
    "com10.log",
    "comet.1",
    "LPTx",
    "COM\u{2460}", // a digit in a circle is no digit of a port
    "CON$",
    "my.con",
    "~$budget.xlsx",
    "-rf",
];

/// P-7.8
#[test]
fn names_of_any_script_are_file_names_and_stay_as_they_are() {
    for name in ORDINARY {
        assert_eq!(FileName::new(name).as_deref(), Ok(name));
        assert_eq!(&*FileName::cleaned(name), name);
    }
}

/// P-7.8
#[test]
fn a_path_a_drive_or_a_stream_is_no_file_name() {
    for name in ["/etc/passwd", "a/b", "..\\b", "C:evil.exe", "D:", "notes.txt:hidden.exe", "a::$DATA", "12:30.txt"] {
        refused(name);
    }
}

/// P-7.8
#[test]
fn a_name_of_which_a_system_leaves_out_a_part_is_no_file_name() {
    for name in
        [".", "..", "...", ".. ", ". .", "evil.exe.", "evil.exe ", "evil.exe . ", " a", "a\u{3000}", "\u{a0}a", " "]
    {
        refused(name);
    }
}

/// P-7.8
#[test]
fn the_name_of_a_device_is_no_file_name() {
    let numbers = "0123456789¹²³".chars().map(|number| number.to_string());
    let ports = numbers.flat_map(|number| [format!("COM{number}"), format!("LPT{number}")]);
    for device in ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].map(String::from).into_iter().chain(ports) {
        for name in [device.clone(), device.to_lowercase(), format!("{device}.tar.gz"), format!("{device} .txt")] {
            refused(&name);
        }
    }
}

/// P-7.8
#[test]
fn of_all_characters_separators_controls_line_breaks_and_direction_marks_are_no_part_of_a_file_name() {
    let forbidden = [
        '\0'..='\u{1f}',
        '/'..='/',
        ':'..=':',
        '\\'..='\\',
        '\u{7f}'..='\u{9f}',
        '\u{61c}'..='\u{61c}',
        '\u{200e}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
    ];
    for character in '\0'..=char::MAX {
        let allowed = !forbidden.iter().any(|range| range.contains(&character));
        assert_eq!(FileName::new(format!("a{character}b.pdf")).is_ok(), allowed, "{character:?}");
    }
}

/// P-7.8
#[test]
fn a_document_with_another_name_is_not_read() {
    let read = |name: &str| {
        let document = [field(1, &blob_bytes()), field(2, name.as_bytes())].concat();
        Content::from_body(&body(&[meta_bytes(), field(20, &document)].concat())).map(drop)
    };
    assert_eq!(read("laporan.pdf"), Ok(()));
    assert_eq!(read(&"a".repeat(255)), Ok(()));
    assert_eq!(read(&"a".repeat(256)), Err(ContentError::TooLong));
    for name in ["", "C:evil.exe", "a/b", "..", "nul", "a\u{61c}b", "a\u{2028}b", "\u{200f}a", "a\nb"] {
        assert_eq!(read(name), Err(ContentError::OutOfRange), "{name:?}");
    }
}

#[test]
fn a_file_name_has_1_to_255_bytes() {
    assert!(FileName::new("a".repeat(255)).is_ok());
    assert_eq!(FileName::new("a".repeat(256)), Err(ContentError::TooLong));
    assert_eq!(FileName::new(""), Err(ContentError::OutOfRange));
}

#[test]
fn what_a_system_calls_a_file_is_cleaned_into_a_name() {
    for (given, clean) in [
        ("\u{200f}\u{200f}צילום מסך 2026-11-30 114730.png", "צילום מסך 2026-11-30 114730.png"),
        ("Meeting 12:30.pdf", "Meeting 12_30.pdf"),
        ("C:\\Users\\Budi\\laporan.pdf", "C__Users_Budi_laporan.pdf"),
        ("../../.profile", ".._.._.profile"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("two\nlines\u{2028}.txt", "twolines.txt"),
        ("  laporan.pdf . ", "laporan.pdf"),
        ("aux.c", "_aux.c"),
        ("N\u{200e}UL", "_NUL"),
        ("COM¹.log", "_COM¹.log"),
        ("...", "_"),
        ("", "_"),
        ("\u{2066}\u{2069}", "_"),
    ] {
        assert_eq!(&*FileName::cleaned(given), clean, "{given:?}");
    }
}

#[test]
fn a_long_name_is_cut_between_characters_and_keeps_its_ending() {
    let cleaned = FileName::cleaned(&format!("{}.pdf", "é".repeat(200)));
    assert_eq!(&*cleaned, format!("{}.pdf", "é".repeat(125)));
    // 254 bytes, of which the last would be half of a character.
    assert_eq!(FileName::cleaned(&format!("a{}", "é".repeat(200))).len(), 253);
    // What is after the last dot is too long to be an ending.
    assert_eq!(FileName::cleaned(&format!("a.{}", "b".repeat(300))).len(), 254);
    // Cut after `CON` and blanks, it would be a device.
    assert_eq!(&*FileName::cleaned(&format!("CON{}x", " ".repeat(300))), "_CON");
    assert_eq!(FileName::cleaned(&format!("CON.{}", "b".repeat(251))).len(), 255);
}

/// Characters that the rules name, and others.
fn characters() -> impl Strategy<Value = char> {
    let special = "/\\:.. \u{a0}\u{3000}\n\u{9f}\u{61c}\u{200f}\u{2028}\u{202e}\u{2069}";
    prop_oneof![
        4 => prop::sample::select(special.chars().collect::<Vec<_>>()),
        4 => prop::sample::select("conprnauxnulcomlptCONINOUT$0123456789¹²³".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ]
}

proptest! {
    #[test]
    fn a_cleaned_name_is_a_file_name(name in prop::collection::vec(characters(), 0..400)) {
        let name: String = name.into_iter().collect();
        let cleaned = FileName::cleaned(&name);
        prop_assert!(cleaned.len() <= 255);
        prop_assert_eq!(FileName::new(&*cleaned), Ok(cleaned));
    }

    #[test]
    fn a_file_name_is_clean(name in prop::collection::vec(characters(), 0..8)) {
        let name: String = name.into_iter().collect();
        if let Ok(accepted) = FileName::new(name.as_str()) {
            prop_assert_eq!(&*FileName::cleaned(&name), name.as_str());
            let document = Kind::Document(Document::new(blob(), accepted));
            let sent = Content::new(ContentMeta::new(now(), &mut ConstantRng(1)), document).unwrap();
            prop_assert_eq!(Content::from_body(sent.as_body()), Ok(sent));
        }
    }
}

fn refused(name: &str) {
    assert_eq!(FileName::new(name), Err(ContentError::OutOfRange), "{name:?}");
    assert!(FileName::new(&*FileName::cleaned(name)).is_ok(), "{name:?}");
}
