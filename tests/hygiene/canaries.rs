//! Secrets to look for, and the search for all of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::derived;
use super::freed::{Freed, bytes_of};
use super::recording::Recording;

/// Length of the byte strings to search for. Of 32 bytes left behind, any 23 in a row are found, and any 16 that begin
/// at a multiple of 8. Shorter secrets are not searched for: the unused bytes of a small `Option` or `enum` hold old
/// stack contents.
const CHUNK: usize = 16;
/// Chunks begin at multiples of this in a secret.
const STEP: usize = 8;

/// Bytes that must not be found, by name.
pub struct Canaries {
    chunks: HashMap<[u8; CHUNK], String>,
    /// The first two bytes that occur: most places are ruled out by these alone.
    beginnings: Vec<bool>,
}

impl Canaries {
    pub fn new() -> Self {
        Self { chunks: HashMap::new(), beginnings: vec![false; 1 << 16] }
    }

    pub fn add(&mut self, name: &str, secret: &[u8]) {
        for chunk in secret.windows(CHUNK).step_by(STEP) {
            let chunk: &[u8; CHUNK] = chunk.try_into().unwrap();
            let distinct = chunk.iter().collect::<BTreeSet<_>>().len();
            assert!(distinct > CHUNK / 2, "{name}: too plain to be searched for");
            self.beginnings[beginning(chunk)] = true;
            self.chunks.entry(*chunk).or_insert_with(|| name.to_owned());
        }
    }

    /// Adds the output of a generator.
    pub fn add_drawn(&mut self, whose: &str, rng: &Recording) {
        for secret in rng.secrets() {
            self.add(&format!("a secret drawn by {whose}"), &secret);
        }
        for seed in rng.seeds() {
            self.add(&format!("an ML-KEM seed of {whose}"), &seed);
        }
    }

    /// Adds the output of a generator, and everything derived from a single draw.
    pub fn add_expanded(&mut self, whose: &str, rng: &Recording) {
        self.add_drawn(whose, rng);
        for secret in rng.secrets() {
            self.add(&format!("an Ed25519 secret of {whose}, expanded"), &derived::ed25519_expanded(&secret));
        }
        for seed in rng.seeds() {
            self.add(&format!("an ML-KEM key of {whose}, expanded"), &derived::ml_kem_expanded(&seed));
        }
    }

    /// Adds what the draws of one device give, whose X25519 identity secret was its first: hedge and pre-keys, and the
    /// ML-KEM keys of these, expanded. Returns the X25519 secrets and the seeds.
    pub fn add_hedged(&mut self, whose: &str, rng: &Recording) -> (Vec<[u8; 32]>, Vec<[u8; 64]>) {
        let (mut secrets, mut seeds) = (Vec::new(), Vec::new());
        let drawn = rng.secrets();
        self.add(&format!("the hedge of {whose}"), &derived::hedge(&drawn[0]));
        for random in &drawn[1..] {
            for kind in [1, 2] {
                let (secret, seed) = derived::pre_key(&drawn[0], random, kind);
                self.add(&format!("a pre-key of {whose}"), &secret);
                self.add(&format!("a seed of {whose}"), &seed);
                self.add(&format!("an ML-KEM key of {whose}, expanded"), &derived::ml_kem_expanded(&seed));
                secrets.push(secret);
                seeds.push(seed);
            }
        }
        (secrets, seeds)
    }

    /// Adds all secrets that two parties can agree with any of their keys, as bytes and as intermediate points.
    pub fn add_agreements(&mut self, one: &Recording, other: &Recording) {
        self.add_agreements_of(&one.secrets(), &other.secrets());
    }

    /// The same, of these secrets.
    pub fn add_agreements_of(&mut self, one: &[[u8; 32]], other: &[[u8; 32]]) {
        for agreed in derived::agreements(one, other) {
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

    /// The secrets found in freed memory, by name: their places, and the sizes of the blocks.
    pub fn found_in(&self, freed: &Freed) -> BTreeMap<&str, BTreeSet<Place>> {
        let mut found = BTreeMap::<_, BTreeSet<_>>::new();
        for block in freed {
            for (offset, window) in block.windows(CHUNK).enumerate() {
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

fn beginning(bytes: &[u8]) -> usize {
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
