//! The blob store: a directory that nobody need trust, and that does not deserve it.
//!
//! Does not know what a blob is. It keeps all that is written into it, and a reader of it sees some blobs damaged, cut short
//! or exchanged, as a seed decides.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{RngExt, SeedableRng};

use crate::Outcome;
use crate::said::{Said, to_hex};

/// The store, as one process sees it.
pub(crate) struct Blobs {
    directory: PathBuf,
    rng: StdRng,
    fetches: u32,
}

/// A blob on its way to a reader.
pub(crate) struct Fetch {
    blob: io::Take<File>,
    position: u64,
    /// Where a bit is turned over, if anywhere.
    flip: Option<u64>,
}

impl Blobs {
    pub(crate) fn open(directory: PathBuf, seed: u64) -> Self {
        Self { directory, rng: StdRng::seed_from_u64(seed), fetches: 0 }
    }

    /// A new name: random, so that it says nothing.
    pub(crate) fn new_name() -> String {
        to_hex(&rand::random::<[u8; NAME / 2]>())
    }

    /// Where to write a blob from `position` on. What is there already is kept up to that.
    pub(crate) fn write(&self, name: &str, position: u64) -> Outcome<File> {
        let mut blob = File::options().write(true).create(true).truncate(false).open(self.directory.join(name))?;
        blob.set_len(position)?;
        blob.seek(SeekFrom::Start(position))?;
        Ok(blob)
    }

    /// A blob from its beginning, or something like it.
    pub(crate) fn fetch(&mut self, name: &str) -> Outcome<Fetch> {
        // The peer names a blob, and no path.
        if name.len() != NAME || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("no name of a blob".into());
        }
        self.fetches += 1;
        // One of each at the beginning, so that the shortest conversation sees them; then by chance.
        let choice = if self.fetches <= 3 { self.fetches } else { self.rng.random_range(1..=12) };
        let mut path = self.directory.join(name);
        let length = fs::metadata(&path)?.len();
        let (mut flip, mut end, mut trick) = (None, length, HONEST);
        match choice {
            1 => (flip, trick) = (Some(self.rng.random_range(0..length)), "damaged"),
            2 => (end, trick) = (self.rng.random_range(0..length), "truncated"),
            3 => {
                let others = fs::read_dir(&self.directory)?.flatten().map(|entry| entry.path());
                if let Some(other) = others.filter(|other| *other != path).choose(&mut self.rng) {
                    (path, end, trick) = (other, u64::MAX, "swapped");
                }
            }
            _ => {}
        }
        Said::Fetching.say(0, trick);
        Ok(Fetch { blob: File::open(path)?.take(end), position: 0, flip })
    }
}

impl Read for Fetch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.blob.read(buffer)?;
        let flip = self.flip.and_then(|flip| flip.checked_sub(self.position)?.try_into().ok());
        if let Some(byte) = flip.and_then(|flip: usize| buffer[..length].get_mut(flip)) {
            *byte ^= 1;
        }
        self.position += u64::try_from(length).unwrap_or(0);
        Ok(length)
    }
}

/// Where the store is.
pub(crate) fn directory(scene: &Path) -> PathBuf {
    scene.join("blobs")
}

/// What is said of a blob that is given as it is.
pub(crate) const HONEST: &str = "honest";
/// Bytes of a name.
pub(crate) const NAME: usize = 32;
