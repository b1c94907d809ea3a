//! A search for secrets in the relay's recording and in the blob store: windows of every plaintext and key.
//!
//! It finds unencrypted data, the usual way in which secrets leak.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::AddAssign;

use crate::agenda::Source;
use crate::{Outcome, Who};

/// The windows to search for, of at least eight bytes.
pub(crate) struct Secrets {
    windows: Vec<(Kind, Vec<u8>)>,
    /// Windows by their first eight bytes.
    starts: HashMap<u64, Vec<usize>>,
    /// One bit for each of 2^24 hashes of these first bytes: the search rejects nearly all positions here.
    filter: Vec<u64>,
}

/// The kind of secret in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plaintext,
    Key,
    Identity(Who),
}

/// How often secrets were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) plaintext: u64,
    pub(crate) keys: u64,
    /// For each party's identity.
    pub(crate) identity: [u64; 2],
    /// The number of bytes searched.
    pub(crate) bytes: u64,
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        let Self { plaintext, keys, identity: [alice, bob], bytes } = other;
        self.plaintext += plaintext;
        self.keys += keys;
        self.identity = [self.identity[0] + alice, self.identity[1] + bob];
        self.bytes += bytes;
    }
}

impl Secrets {
    pub(crate) fn new() -> Self {
        Self { windows: Vec::new(), starts: HashMap::new(), filter: vec![0; 1 << (FILTER - 6)] }
    }

    /// Returns the number of windows of one kind.
    pub(crate) fn windows(&self, of: Kind) -> usize {
        self.windows.iter().filter(|(kind, _)| *kind == of).count()
    }

    /// Adds both halves of a secret key.
    pub(crate) fn add_key(&mut self, key: &[u8]) {
        key.chunks(16).for_each(|half| self.add(Kind::Key, half));
    }

    /// Adds every 16-byte window of both public keys.
    pub(crate) fn add_identity(&mut self, who: Who, key: &[u8]) {
        // The two keys are not adjacent where they are published, so no window spans both.
        for half in key.chunks(32) {
            half.windows(16).for_each(|window| self.add(Kind::Identity(who), window));
        }
    }

    /// Adds every 16-byte window of a text.
    pub(crate) fn add_text(&mut self, text: &str) {
        text.as_bytes().windows(16).for_each(|window| self.add(Kind::Plaintext, window));
    }

    /// Adds the file's name, unless it is too short to be significant, and about `samples` windows of 32 bytes spread
    /// over the file.
    pub(crate) fn add_file(&mut self, source: &Source, samples: u64) -> Outcome<()> {
        if source.name.len() >= START {
            self.add(Kind::Plaintext, source.name.as_bytes().get(..LONGEST).unwrap_or(source.name.as_bytes()));
        }
        let mut file = File::open(&source.path)?;
        let stride = (source.length / samples).max(64);
        let mut window = [0; LONGEST];
        let mut position = 0;
        while position + u64::try_from(LONGEST)? <= source.length {
            file.seek(SeekFrom::Start(position))?;
            file.read_exact(&mut window)?;
            // Windows of blanks or zeros occur everywhere and prove nothing.
            let mut different = window;
            different.sort_unstable();
            if different.chunk_by(u8::eq).count() >= 12 {
                self.add(Kind::Plaintext, &window);
            }
            position += stride;
        }
        Ok(())
    }

    fn add(&mut self, kind: Kind, window: &[u8]) {
        let Some(start) = window.first_chunk().copied().map(u64::from_le_bytes) else { return };
        let (word, bit) = place(start);
        self.filter[word] |= bit;
        self.starts.entry(start).or_default().push(self.windows.len());
        self.windows.push((kind, window.to_vec()));
    }

    /// Searches all of `from`, and reports progress in bytes.
    pub(crate) fn search(&self, from: &mut impl Read, mut progress: impl FnMut(u64)) -> Outcome<Found> {
        let mut found = Found::default();
        let mut buffer = Vec::with_capacity(BLOCK + LONGEST);
        loop {
            let read = Read::take(&mut *from, u64::try_from(BLOCK)?).read_to_end(&mut buffer)?;
            found.bytes += u64::try_from(read)?;
            progress(u64::try_from(read)?);
            // A window that may continue past the block is left to the next one.
            let starts = if read == 0 { buffer.len() } else { buffer.len().saturating_sub(LONGEST - 1) };
            self.search_block(&buffer, starts, &mut found);
            if read == 0 {
                return Ok(found);
            }
            buffer.drain(..starts);
        }
    }

    /// Counts the windows that begin at one of the first `starts` positions.
    fn search_block(&self, block: &[u8], starts: usize, found: &mut Found) {
        for (position, start) in block.windows(START).take(starts).enumerate() {
            let start = start.first_chunk().copied().map_or(0, u64::from_le_bytes);
            let (word, bit) = place(start);
            if self.filter[word] & bit == 0 {
                continue;
            }
            for index in self.starts.get(&start).into_iter().flatten() {
                let (kind, window) = &self.windows[*index];
                if block[position..].starts_with(window) {
                    match kind {
                        Kind::Plaintext => found.plaintext += 1,
                        Kind::Key => found.keys += 1,
                        Kind::Identity(who) => found.identity[who.index()] += 1,
                    }
                }
            }
        }
    }
}

/// Returns the position of a start's bit in the filter.
fn place(start: u64) -> (usize, u64) {
    // 2^64 divided by the golden ratio: the highest bits of the product depend on all bits of the start.
    let hash = start.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER);
    (usize::try_from(hash / 64).unwrap_or(0), 1 << (hash % 64))
}

/// Windows in an identity.
pub(crate) const IDENTITY_WINDOWS: u64 = 2 * (32 - 16 + 1);

/// Bytes in the longest window.
const LONGEST: usize = 32;
/// Bytes by which windows are looked up.
const START: usize = 8;
/// Bytes searched at once.
const BLOCK: usize = 1 << 20;
/// Binary logarithm of the filter's size in bits.
const FILTER: u32 = 24;
