//! Where a party shows what it was told: a directory in place of a screen.
//!
//! Does not know messages. Showing the same item twice leaves one file with the same bytes, so that a crash between
//! showing an item and noting that it was shown does no harm. To survive a power cut as well, it would have to wait for the
//! disk before the receipt leaves.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::content::{Item, PIECE_LENGTH, Piece};

/// The directory of one party.
pub(crate) struct Received(PathBuf);

impl Received {
    pub(crate) fn open(directory: PathBuf) -> Outcome<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self(directory))
    }

    pub(crate) fn show_text(&self, item: Item, text: &str) -> Outcome<()> {
        Ok(fs::write(text_path(&self.0, item.number), text)?)
    }

    /// Writes a piece to its place. A messenger would show the file once it is whole.
    pub(crate) fn show_piece(&self, piece: &Piece<'_>) -> Outcome<()> {
        let path = file_path(&self.0, piece.file, piece.name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.seek(SeekFrom::Start(u64::from(piece.index) * u64::try_from(PIECE_LENGTH)?))?;
        Ok(file.write_all(piece.bytes)?)
    }
}

pub(crate) fn text_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("text-{number:06}"))
}

/// The sender's name for a file is the sender's: it may be `..`, `CON`, or longer than this file system allows.
pub(crate) fn file_path(directory: &Path, file: u32, name: &str) -> PathBuf {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.chars().map(harmless).take(100).collect();
    directory.join(format!("file-{file:06}-{name}-"))
}
