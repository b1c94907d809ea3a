//! The source of randomness: a generator, or the bytes that a request supplies.
//!
//! For tests only: all secrecy depends on real randomness.

use std::convert::Infallible;
use std::vec::IntoIter;

use bisik::rand_core::{CryptoRng, TryCryptoRng, TryRng};

use crate::protocol::{Args, Failure};

/// Returns the bytes of the argument `name` as a generator or, if it is absent, a real one.
pub(crate) fn draws(args: Args<'_>, name: &str) -> Result<Box<dyn CryptoRng>, Failure> {
    Ok(match args.find_hex(name)? {
        Some(bytes) => Box::new(Given(bytes.into_iter())),
        None => Box::new(rand::rng()),
    })
}

/// Returns these bytes, and zeros after them.
#[derive(Debug)]
struct Given(IntoIter<u8>);

impl Given {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.0.next().unwrap_or(0);
        }
        bytes
    }
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            [*byte] = self.array();
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}
