//! Hexadecimal, and randomness that is given in advance or recorded.

use std::convert::Infallible;

use bisik::rand_core::{Rng, TryCryptoRng, TryRng};

/// The randomness of one operation.
pub enum Draws {
    /// Returns these bytes, and panics if more are drawn.
    Listed { bytes: Vec<u8>, drawn: usize },
    /// Returns fresh bytes and records them.
    Recorded(Vec<u8>),
}

impl Draws {
    pub fn listed(bytes: &[u8]) -> Self {
        Self::Listed { bytes: bytes.to_vec(), drawn: 0 }
    }

    pub const fn recorded() -> Self {
        Self::Recorded(Vec::new())
    }

    /// Whether everything that was listed has been drawn.
    pub fn is_used_up(&self) -> bool {
        match self {
            Self::Listed { bytes, drawn } => *drawn == bytes.len(),
            Self::Recorded(_) => true,
        }
    }

    /// Returns the bytes drawn. Panics if fewer were drawn than listed.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Listed { bytes, drawn } => {
                assert_eq!(drawn, bytes.len(), "less randomness is drawn than listed");
                bytes
            }
            Self::Recorded(bytes) => bytes,
        }
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("randomness is drawn in whole byte strings")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("randomness is drawn in whole byte strings")
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        match self {
            Self::Listed { bytes, drawn } => {
                let end = *drawn + destination.len();
                let next = bytes.get(*drawn..end).expect("more randomness is drawn than listed");
                destination.copy_from_slice(next);
                *drawn = end;
            }
            Self::Recorded(bytes) => {
                rand::rng().fill_bytes(destination);
                bytes.extend_from_slice(destination);
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "hexadecimal digits come in pairs");
    let digits = |at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(|at| digits(at).expect("hexadecimal digits, two by two")).collect()
}
