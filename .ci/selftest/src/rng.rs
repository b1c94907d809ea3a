//! SplitMix64: a repeatable stream of numbers. FOR TESTS ONLY: anyone can predict it.
//! It implements `CryptoRng` without being one, so that a machine without an entropy source can run the test.

use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};

/// A predictable generator. Never let it near a real key.
pub struct NotRandom(u64);

impl NotRandom {
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    fn step(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl TryRng for NotRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.step() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.step())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for piece in destination.chunks_mut(8) {
            let word = self.step().to_le_bytes();
            piece.copy_from_slice(&word[..piece.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for NotRandom {}
