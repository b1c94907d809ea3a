//! What each party has to say: a few lines of text, and its share of the files.
//!
//! Does not know encryption or sending. Both processes and the one that checks them work it out from the same arguments.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::content::{Content, Item, MAX_ITEMS, PIECE_LENGTH, Piece};
use crate::{Outcome, Who};

/// A file to be sent.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// What it is called on the other side: its last name, without what is not Unicode.
    pub(crate) name: String,
    pub(crate) length: u64,
    /// Who sends it.
    pub(crate) sender: Who,
    /// Its number, the same on both sides.
    pub(crate) number: u32,
}

/// The items of one party, in the order in which they are sent.
pub(crate) struct Agenda {
    items: Vec<Errand>,
}

enum Errand {
    Text(&'static str),
    Piece { path: PathBuf, name: String, file: u32, index: u32, total: u32 },
}

impl Agenda {
    pub(crate) fn of(who: Who, sources: &[Source]) -> Outcome<Self> {
        let mut items = Vec::new();
        let mut texts = texts(who).iter();
        for source in sources.iter().filter(|source| source.sender == who) {
            // Texts between the files, as people write.
            items.extend(texts.next().map(|text| Errand::Text(text)));
            let total = u32::try_from(source.length.div_ceil(LENGTH).max(1))?;
            items.extend((0..total).map(|index| Errand::Piece {
                path: source.path.clone(),
                name: source.name.clone(),
                file: source.number,
                index,
                total,
            }));
        }
        items.extend(texts.map(|text| Errand::Text(text)));
        if u32::try_from(items.len())? > MAX_ITEMS {
            return Err("the files have too many pieces".into());
        }
        Ok(Self { items })
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(MAX_ITEMS)
    }

    /// The texts, with their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (u32, &'static str)> {
        (0..).zip(&self.items).filter_map(|(number, errand)| match errand {
            Errand::Text(text) => Some((number, *text)),
            Errand::Piece { .. } => None,
        })
    }

    /// One item, as the plaintext of a message.
    pub(crate) fn plaintext(&self, number: u32) -> Outcome<Vec<u8>> {
        let item = Item { number, of: self.len() };
        let errand = self.items.get(usize::try_from(number)?).ok_or("no such item")?;
        Ok(match errand {
            Errand::Text(text) => Content::Text(item, text).encode(),
            Errand::Piece { path, name, file, index, total } => {
                let bytes = read_piece(path, *index)?;
                if bytes.len() < PIECE_LENGTH && index + 1 < *total {
                    return Err(format!("{} has become shorter", path.display()).into());
                }
                let piece = Piece { file: *file, index: *index, total: *total, name, bytes: &bytes };
                Content::Piece(item, piece).encode()
            }
        })
    }
}

fn read_piece(path: &Path, index: u32) -> Outcome<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(u64::from(index) * LENGTH))?;
    let mut bytes = Vec::with_capacity(PIECE_LENGTH);
    file.take(LENGTH).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The files that the arguments name, directories with all that is in them; without arguments, the repository's own.
pub(crate) fn sources(arguments: &[OsString]) -> Outcome<Vec<Source>> {
    let mut paths = Vec::new();
    if arguments.is_empty() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = OWN.iter().map(|name| repository.join(name));
        for path in own.filter(|path| path.exists()) {
            walk(path, &mut paths)?;
        }
    }
    for argument in arguments {
        walk(argument.into(), &mut paths)?;
    }
    let sources = paths.into_iter().enumerate().map(|(index, path)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let length = fs::metadata(&path)?.len();
        Ok(Source { path, name, length, sender: Who::BOTH[index % 2], number: u32::try_from(index)? })
    });
    sources.collect()
}

fn walk(path: PathBuf, into: &mut Vec<PathBuf>) -> Outcome<()> {
    let kind = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.file_type();
    if kind.is_file() {
        into.push(path);
    } else if kind.is_dir() {
        let entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        // Links inside a directory are left out: they may lead back into it.
        let mut entries: Vec<_> = entries.into_iter().filter(|entry| !entry.path().is_symlink()).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            walk(entry.path(), into)?;
        }
    } else {
        return Err(format!("{}: neither a file nor a directory", path.display()).into());
    }
    Ok(())
}

const fn texts(who: Who) -> &'static [&'static str] {
    match who {
        Who::Alice => &ALICE,
        Who::Bob => &BOB,
    }
}

const ALICE: [&str; 8] = [
    "Halo Bob, apa kabar? Is this line only for the two of us?",
    "I send you the papers now, one after the other, and you send me yours.",
    "If anything arrives twice or broken, do not worry: it is refused, and comes again.",
    "Schöne Grüße aus dem Süden. Привет из сети. ご無沙汰しております。 مرحبا من هنا 👋",
    "The one who carries this sees how long it is, and nothing else of it.",
    "My telephone may die at any moment; if it does, we go on where we stopped.",
    "This is the same sentence as before and the same sentence as before and the same.",
    "That was everything from me. Sampai jumpa lagi, and take care.",
];

const BOB: [&str; 8] = [
    "Kabar baik, Alice! I have scanned your code, and you have scanned mine.",
    "Whoever stands between us may drop, delay, repeat or damage what we write.",
    "And still each thing arrives once, or not at all, and never changed.",
    "Merci beaucoup, ça marche très bien d’ici. Ευχαριστώ πολύ! 谢谢你的文件。",
    "Every answer makes the keys new: what was stolen yesterday opens nothing tomorrow.",
    "Please keep the pictures, I have no other copy of them anywhere.",
    "My battery is low as well, so one of us will be gone in the middle of it.",
    "Received, everything is here. Terima kasih banyak dan selamat malam!",
];

/// What the repository sends when no file is named.
const OWN: [&str; 7] =
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT", "docs"];

/// Bytes of a piece.
#[allow(clippy::as_conversions)]
const LENGTH: u64 = PIECE_LENGTH as u64;
