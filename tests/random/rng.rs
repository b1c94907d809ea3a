//! Generators for tests: one that a seed determines and that can be rewound, and one that always returns the same byte.

use bisik::rand_core::{Rng, TryCryptoRng, TryRng};
use core::convert::Infallible;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A generator whose output depends only on its seed and the number of draws.
///
/// A clone behaves like the generator of a machine restored from a snapshot: it repeats its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededRng {
    seed: u64,
    draws: u64,
}

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self { seed, draws: 0 }
    }

    /// An independent generator for each `index`.
    pub fn fork(&self, index: u64) -> Self {
        Self::new(mix(&[self.seed, self.draws, index]))
    }

    /// A symbol of the next draw: equal symbols mean equal output.
    pub fn symbol(&self) -> u64 {
        mix(&[self.seed, self.draws])
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next_u64() % bound).unwrap()
    }
}

impl TryRng for SeededRng {
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
        StdRng::seed_from_u64(self.symbol()).fill_bytes(bytes);
        self.draws += 1;
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

/// A broken generator: every byte is the same. It also makes sealed records comparable.
#[derive(Clone, Copy, Debug)]
pub struct ConstantRng(pub u8);

impl TryRng for ConstantRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for ConstantRng {}

/// A well-mixed number from several: FNV-1a over the words, then the finalizer of SplitMix64.
pub fn mix(words: &[u64]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        state = (state ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    state ^ (state >> 31)
}
