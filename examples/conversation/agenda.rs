//! What each party sends: a few lines of text, and its share of the files.
//!
//! Both parties and the process that checks them compute it from the same arguments.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use bisik::content::FileName;

use crate::{Outcome, Who};

/// One item to send.
pub(crate) enum Item {
    Text(&'static str),
    File(Source),
}

/// A file to send.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The file name for the receiver: the last component, made a name that every system takes.
    pub(crate) name: FileName,
    pub(crate) length: u64,
}

/// Returns the items of one party, in the order in which they are sent: texts between the files.
pub(crate) fn agenda(who: Who, sources: &[Source]) -> Vec<Item> {
    let mut texts = texts(who).iter().map(|text| Item::Text(text));
    let mut items = Vec::new();
    for source in sources.iter().skip(who.index()).step_by(2) {
        items.extend(texts.next());
        items.push(Item::File(source.clone()));
    }
    items.extend(texts);
    items
}

/// Returns the files that the arguments name, including those in directories. Without arguments, the repository's own.
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
    let sources = paths.into_iter().map(|path| {
        let length = fs::metadata(&path)?.len();
        Ok(Source { name: FileName::cleaned(&path.file_name().unwrap_or_default().to_string_lossy()), path, length })
    });
    sources.collect()
}

fn walk(path: PathBuf, into: &mut Vec<PathBuf>) -> Outcome<()> {
    let kind = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.file_type();
    if kind.is_file() {
        into.push(path);
    } else if kind.is_dir() {
        let entries = fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        // Skip links inside a directory: they may lead back into it.
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

/// The files to send if none is named.
const OWN: [&str; 7] =
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT", "docs"];
