//! The relay: device lists, disclosures, bundles, blobs and letters, all as bytes, and a record of every byte that it
//! was given.
//!
//! It is what the operator of the network has, or an attacker who breaks into its servers.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::accounts::At;

/// One message to one device.
pub(crate) struct Letter {
    pub(crate) to: At,
    pub(crate) from: At,
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
    /// The number of letters ever sent from each device to each other.
    carried: BTreeMap<(At, At), usize>,
}

impl Relay {
    fn note(&mut self, bytes: &[u8]) {
        self.record.extend_from_slice(bytes);
    }

    pub(crate) fn publish_list(&mut self, of: &'static str, list: Vec<u8>) {
        self.note(&list);
        self.lists.entry(of).or_default().push(list);
    }

    /// Returns the lists after the first `known`.
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

    pub(crate) fn withdraw_bundles(&mut self, of: &[u8; 64]) {
        self.bundles.remove(of);
    }

    /// Returns a bundle for one session. The last one is handed out repeatedly.
    pub(crate) fn bundle(&mut self, of: &[u8; 64]) -> Option<Vec<u8>> {
        let bundles = self.bundles.get_mut(of)?;
        if bundles.len() > 1 { bundles.pop_front() } else { bundles.front().cloned() }
    }

    /// Stores a blob. Returns the name that the store gives it.
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
        self.note(&letter.bytes);
        *self.carried.entry((letter.from, letter.to)).or_default() += 1;
        self.letters.push_back(letter);
    }

    /// Takes the letters to a device, oldest first.
    pub(crate) fn take(&mut self, to: At) -> VecDeque<Letter> {
        let (taken, left) = std::mem::take(&mut self.letters).into_iter().partition(|letter| letter.to == to);
        self.letters = left;
        taken
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.letters.is_empty()
    }

    /// Returns how many letters were ever sent to a device.
    pub(crate) fn carried_to(&self, device: At) -> usize {
        self.carried.iter().filter(|((_, to), _)| *to == device).map(|(_, count)| count).sum()
    }

    /// Returns how many letters a device has ever sent.
    pub(crate) fn carried_from(&self, device: At) -> usize {
        self.carried.iter().filter(|((from, _), _)| *from == device).map(|(_, count)| count).sum()
    }

    pub(crate) fn carried(&self) -> usize {
        self.carried.values().sum()
    }

    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }
}

/// Everything that was sent, as all its sequences of eight bytes, for a search.
#[derive(Default)]
pub(crate) struct Said {
    pieces: HashSet<[u8; PIECE]>,
    pub(crate) contents: usize,
    pub(crate) bytes: usize,
}

impl Said {
    /// Adds the sequences of `bytes`. Padding is left out: zeros carry no information and occur everywhere.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let tells = |piece: &[u8; PIECE]| piece.iter().filter(|byte| **byte == 0).count() <= 2;
        self.pieces.extend(pieces(bytes).filter(tells));
        self.contents += 1;
        self.bytes += bytes.len();
    }

    /// Returns the positions in `record` at which a sequence of anything that was sent begins.
    pub(crate) fn found_in(&self, record: &[u8]) -> Vec<usize> {
        let places = pieces(record).enumerate();
        places.filter(|(_, piece)| self.pieces.contains(piece)).map(|(at, _)| at).collect()
    }

    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len()
    }
}

/// All sequences of `bytes`, one at each place.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = [u8; PIECE]> {
    bytes.windows(PIECE).filter_map(|piece| piece.first_chunk().copied())
}

/// Bytes in a sequence: short enough that no sentence escapes, long enough that random bytes do not match.
const PIECE: usize = 8;
