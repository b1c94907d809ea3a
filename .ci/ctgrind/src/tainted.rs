//! A random number generator whose output is tainted.
//! It uses the predictable generator of the self-test, which does no harm here.

use crate::valgrind;
use rand_core::{Infallible, Rng, TryCryptoRng, TryRng};
use selftest::NotRandom;

/// A generator whose output counts as secret.
pub struct Tainted(pub NotRandom);

impl TryRng for Tainted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let word = self.0.next_u32();
        valgrind::secret(&word);
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let word = self.0.next_u64();
        valgrind::secret(&word);
        Ok(word)
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(destination);
        valgrind::secret(destination);
        Ok(())
    }
}

impl TryCryptoRng for Tainted {}
