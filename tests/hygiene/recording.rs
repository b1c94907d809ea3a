//! A generator that records its output: the secrets from which all others are derived.
//!
//! The length of a draw identifies its kind: 32 and 64 bytes are secrets, 16 a salt, 12 and 24 a nonce, 8 a message's
//! tag, 4 an id, 5 a typed code, 2 a number of a stay in a call.

use std::convert::Infallible;

use bisik::rand_core::{Rng, TryCryptoRng, TryRng};
use rand::SeedableRng;
use rand::rngs::StdRng;

pub struct Recording {
    generator: StdRng,
    given: Vec<Vec<u8>>,
}

impl Recording {
    pub fn new(seed: u64) -> Self {
        Self { generator: StdRng::seed_from_u64(seed), given: Vec::new() }
    }

    /// Secret scalars, Ed25519 secrets, encapsulation randomness, storage keys.
    pub fn secrets(&self) -> Vec<[u8; 32]> {
        self.given.iter().filter_map(|bytes| bytes.as_slice().try_into().ok()).collect()
    }

    /// ML-KEM seeds.
    pub fn seeds(&self) -> Vec<[u8; 64]> {
        self.given.iter().filter_map(|bytes| bytes.as_slice().try_into().ok()).collect()
    }

    /// A secret supplied by a caller.
    pub fn secret(&mut self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.fill_bytes(&mut secret);
        secret
    }
}

impl TryRng for Recording {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        assert!(
            [2, 4, 5, 8, 12, 16, 24, 32, 64].contains(&bytes.len()),
            "a draw of {} bytes: is it secret?",
            bytes.len()
        );
        self.generator.fill_bytes(bytes);
        self.given.push(bytes.to_vec());
        Ok(())
    }
}

impl TryCryptoRng for Recording {}
