//! Secrets to look for, and the search for all of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::derived;
use super::freed::{Freed, bytes_of};
use super::recording::Recording;

/// Bytes that are searched for. Of 32 bytes left behind any 23 in a row are found, and any 16 that begin at a multiple of 8.
/// Shorter secrets are not searched for: the unused bytes of a small `Option` or `enum` hold old stack contents.
const CHUNK: usize = 16;
/// Where in a secret chunks begin.
const STEP: usize = 8;

/// Bytes that must not be found, by name.
pub struct Canaries {
    chunks: HashMap<[u8; CHUNK], String>,
    /// Which first two bytes occur: most places are passed over by this alone.
    beginnings: Vec<bool>,
}

impl Canaries {
    pub fn new() -> Self {
        Self { chunks: HashMap::new(), beginnings: vec![false; 1 << 16] }
    }

    pub fn add(&mut self, name: &str, secret: &[u8]) {
        for chunk in secret.array_windows::<CHUNK>().step_by(STEP) {
            let distinct = chunk.iter().collect::<BTreeSet<_>>().len();
            assert!(distinct > CHUNK / 2, "{name}: too plain to be searched for");
            self.beginnings[beginning(chunk)] = true;
            self.chunks.entry(*chunk).or_insert_with(|| name.to_owned());
        }
    }

    /// What a generator gave.
    pub fn add_drawn(&mut self, whose: &str, rng: &Recording) {
        for secret in rng.secrets() {
            self.add(&format!("a secret drawn by {whose}"), &secret);
        }
        for seed in rng.seeds() {
            self.add(&format!("an ML-KEM seed of {whose}"), &seed);
        }
    }

    /// What a generator gave, and what can be had of each draw by itself.
    pub fn add_expanded(&mut self, whose: &str, rng: &Recording) {
        self.add_drawn(whose, rng);
        for secret in rng.secrets() {
            self.add(&format!("an Ed25519 secret of {whose}, expanded"), &derived::ed25519_expanded(&secret));
        }
        for seed in rng.seeds() {
            self.add(&format!("an ML-KEM key of {whose}, expanded"), &derived::ml_kem_expanded(&seed));
        }
    }

    /// All secrets that two parties can agree with any of their keys, as bytes and as intermediate points.
    pub fn add_agreements(&mut self, one: &Recording, other: &Recording) {
        for agreed in derived::agreements(&one.secrets(), &other.secrets()) {
            self.add("an agreement", &agreed.to_montgomery().0);
            self.add("an agreement, as a point", bytes_of(&agreed));
        }
    }

    pub fn chunks(&self) -> impl Iterator<Item = (&str, &[u8; CHUNK])> {
        self.chunks.iter().map(|(chunk, name)| (name.as_str(), chunk))
    }

    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The secrets found in freed memory, by name: where they were, and the size of the block.
    pub fn found_in(&self, freed: &Freed) -> BTreeMap<&str, BTreeSet<Place>> {
        let mut found = BTreeMap::<_, BTreeSet<_>>::new();
        for block in freed {
            for (offset, window) in block.array_windows::<CHUNK>().enumerate() {
                if self.beginnings[beginning(window)]
                    && let Some(name) = self.chunks.get(window)
                {
                    found.entry(name.as_str()).or_default().insert(Place { block: block.len(), offset });
                }
            }
        }
        found
    }

    #[track_caller]
    pub fn assert_absent(&self, freed: &Freed) {
        assert_ne!(self.len(), 0, "nothing to look for");
        assert_ne!(freed.len(), 0, "nothing was freed");
        let found = self.found_in(freed);
        assert!(found.is_empty(), "in freed memory: {found:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    block: usize,
    offset: usize,
}

fn beginning(bytes: &[u8; CHUNK]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

#[test]
fn the_search_finds_every_form_of_a_secret() {
    let mut canaries = Canaries::new();
    let secret: Vec<u8> = (100..132).collect();
    canaries.add("it", &secret);
    let mut memory = vec![0; 10];
    memory.extend_from_slice(&secret[1..24]);
    let found = |block: &[u8]| canaries.found_in(&vec![block.into()]).contains_key("it");
    assert!(found(&memory));
    assert!(!found(&memory[..32]));
}
