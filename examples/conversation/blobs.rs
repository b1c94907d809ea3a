//! The blob store: an untrusted directory.
//!
//! It keeps everything that is written. A reader gets some blobs damaged, truncated or exchanged, as determined by a
//! seed.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{RngExt, SeedableRng};

use crate::Outcome;
use crate::said::{Said, to_hex};

/// The store as one process sees it.
pub(crate) struct Blobs {
    directory: PathBuf,
    rng: StdRng,
    fetches: u32,
}

/// A blob in transit to a reader.
pub(crate) struct Fetch {
    blob: io::Take<File>,
    position: u64,
    /// The position of a flipped bit, if any.
    flip: Option<u64>,
}

impl Blobs {
    pub(crate) fn open(directory: PathBuf, seed: u64) -> Self {
        Self { directory, rng: StdRng::seed_from_u64(seed), fetches: 0 }
    }

    /// Returns a new name. It is random, so that it reveals nothing.
    pub(crate) fn new_name() -> String {
        to_hex(&rand::random::<[u8; NAME / 2]>())
    }

    /// Opens a blob for writing from `position`. The bytes before that are kept.
    pub(crate) fn write(&self, name: &str, position: u64) -> Outcome<File> {
        let mut blob = File::options().write(true).create(true).truncate(false).open(self.directory.join(name))?;
        blob.set_len(position)?;
        blob.seek(SeekFrom::Start(position))?;
        Ok(blob)
    }

    /// Opens a blob for reading, possibly altered.
    pub(crate) fn fetch(&mut self, name: &str) -> Outcome<Fetch> {
        // The peer supplies a blob name, which must not be a path.
        if name.len() != NAME || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("not a blob's name".into());
        }
        self.fetches += 1;
        // First one of each kind, so that the shortest conversation includes them all; then at random.
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

/// Returns the directory of the store.
pub(crate) fn directory(scene: &Path) -> PathBuf {
    scene.join("blobs")
}

/// The word for a blob that the store returns unaltered.
pub(crate) const HONEST: &str = "honest";
/// Bytes in a name.
pub(crate) const NAME: usize = 32;
