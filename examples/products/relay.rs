//! The relay: device lists, disclosures, bundles, blobs and letters, all as bytes; and a record of every byte that it was given.
//!
//! Does not know any key. It is what an operator of the network has, or whoever breaks into its servers.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::town::At;

/// One message to one device.
pub(crate) struct Letter {
    pub(crate) to: At,
    pub(crate) from: At,
    pub(crate) id: [u8; 16],
    pub(crate) bytes: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Relay {
    lists: BTreeMap<&'static str, Vec<Vec<u8>>>,
    disclosures: Vec<Vec<u8>>,
    bundles: BTreeMap<[u8; 64], VecDeque<Vec<u8>>>,
    blobs: Vec<Vec<u8>>,
    letters: VecDeque<Letter>,
    record: Vec<u8>,
    /// Letters to each device, ever.
    carried: BTreeMap<At, usize>,
}

impl Relay {
    fn note(&mut self, bytes: &[u8]) {
        self.record.extend_from_slice(bytes);
    }

    pub(crate) fn publish_list(&mut self, of: &'static str, list: Vec<u8>) {
        self.note(&list);
        self.lists.entry(of).or_default().push(list);
    }

    /// Those after the first `known`.
    pub(crate) fn lists(&self, of: &str, known: usize) -> &[Vec<u8>] {
        self.lists.get(of).and_then(|lists| lists.get(known..)).unwrap_or_default()
    }

    pub(crate) fn publish_disclosure(&mut self, disclosure: Vec<u8>) {
        self.note(&disclosure);
        self.disclosures.push(disclosure);
    }

    pub(crate) fn disclosures(&self) -> &[Vec<u8>] {
        &self.disclosures
    }

    pub(crate) fn publish_bundle(&mut self, of: [u8; 64], bundle: Vec<u8>) {
        self.note(&bundle);
        self.bundles.entry(of).or_default().push_back(bundle);
    }

    /// A bundle for one session; the last one is given out again and again.
    pub(crate) fn bundle(&mut self, of: &[u8; 64]) -> Option<Vec<u8>> {
        let bundles = self.bundles.get_mut(of)?;
        if bundles.len() > 1 { bundles.pop_front() } else { bundles.front().cloned() }
    }

    /// The name that the store gives to the blob.
    pub(crate) fn keep_blob(&mut self, blob: Vec<u8>) -> String {
        self.note(&blob);
        self.blobs.push(blob);
        format!("blob/{}", self.blobs.len() - 1)
    }

    pub(crate) fn blob(&self, name: &str) -> Option<&[u8]> {
        let at: usize = name.strip_prefix("blob/")?.parse().ok()?;
        self.blobs.get(at).map(Vec::as_slice)
    }

    pub(crate) fn post(&mut self, letter: Letter) {
        self.note(&letter.id);
        self.note(&letter.bytes);
        *self.carried.entry(letter.to).or_default() += 1;
        self.letters.push_back(letter);
    }

    pub(crate) fn next(&mut self) -> Option<Letter> {
        self.letters.pop_front()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.letters.is_empty()
    }

    /// How many letters there ever were to a device.
    pub(crate) fn carried_to(&self, device: At) -> usize {
        self.carried.get(&device).copied().unwrap_or(0)
    }

    pub(crate) fn carried(&self) -> usize {
        self.carried.values().sum()
    }

    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }
}

/// Everything that was said, in pieces of eight bytes in a row, as a search for it needs them.
#[derive(Default)]
pub(crate) struct Said {
    pieces: HashSet<[u8; PIECE]>,
    pub(crate) contents: usize,
    pub(crate) bytes: usize,
}

impl Said {
    /// Padding is left out: zeros say nothing, and are everywhere.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let tells = |piece: &[u8; PIECE]| piece.iter().filter(|byte| **byte == 0).count() <= 2;
        self.pieces.extend(bytes.array_windows().filter(|piece| tells(piece)));
        self.contents += 1;
        self.bytes += bytes.len();
    }

    /// Where in `record` a piece of anything that was said begins.
    pub(crate) fn found_in(&self, record: &[u8]) -> Vec<usize> {
        let places = record.array_windows::<PIECE>().enumerate();
        places.filter(|(_, piece)| self.pieces.contains(*piece)).map(|(at, _)| at).collect()
    }

    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len()
    }
}

/// So few that a sentence cannot hide, so many that random bytes do not spell one.
const PIECE: usize = 8;
