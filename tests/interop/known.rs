//! Reads known answers: blocks of `name = value` lines, and a generator that returns the randomness listed in a block.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fs;

use bisik::rand_core::{TryCryptoRng, TryRng};
pub use bisik_testkit::draws::from_hex;

/// One block of lines.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<String, String>);

impl Known {
    /// The blocks of a file in tests/vectors/interop, or in the directory that `BISIK_INTEROP` names.
    pub fn load(name: &str) -> Vec<Self> {
        let directory = std::env::var("BISIK_INTEROP").unwrap_or_else(|_| String::from("tests/vectors/interop"));
        let text = fs::read_to_string(format!("{directory}/{name}")).unwrap();
        let mut blocks = vec![Self::default()];
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split_once('=') {
                Some((name, value)) => {
                    let old = blocks.last_mut().unwrap().0.insert(name.trim().to_owned(), value.trim().to_owned());
                    assert_eq!(old, None, "{name} stands there twice");
                }
                None => blocks.push(Self::default()),
            }
        }
        blocks.retain(|block| !block.0.is_empty());
        blocks
    }

    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The bytes of a line that may be missing.
    pub fn find(&self, name: &str) -> Option<Vec<u8>> {
        self.0.get(name).map(|text| from_hex(text))
    }

    pub fn hex(&self, name: &str) -> Vec<u8> {
        from_hex(self.text(name))
    }

    pub fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.hex(name).try_into().unwrap()
    }
}

/// Gives these bytes and no others.
#[derive(Debug)]
pub struct Draws(VecDeque<u8>);

impl Draws {
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().collect())
    }

    pub fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0.pop_front().expect("more was drawn than is known");
        }
        Ok(())
    }
}

impl TryCryptoRng for Draws {}
