//! Reads known answers: blocks of `name = value` lines.

use std::collections::BTreeMap;
use std::fs;

pub use crate::draws::{Draws, from_hex};

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
