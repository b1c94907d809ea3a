//! The operations that are measured: each with the primitives in it. What it needs is made before, elsewhere.

mod accounts;
mod interop;
mod others;
mod sessions;

use selftest::NotRandom;

use crate::Failure;
use crate::primitives::Primitive;

/// One operation, to be run once in a thread of its own.
pub type Work = Box<dyn FnOnce() -> Result<(), Failure> + Send>;

pub struct Operation {
    pub name: &'static str,
    /// The calls of ML-KEM in it.
    pub primitives: &'static [Primitive],
    /// Makes what it needs.
    pub prepare: fn() -> Result<Work, Failure>,
}

impl Operation {
    const fn new(name: &'static str, primitives: &'static [Primitive], prepare: fn() -> Result<Work, Failure>) -> Self {
        Self { name, primitives, prepare }
    }
}

pub fn all() -> impl Iterator<Item = Operation> {
    sessions::ALL.into_iter().chain(accounts::ALL).chain(others::ALL).chain(interop::ALL)
}

/// The moment of everything.
const NOW: bisik::Timestamp = bisik::Timestamp::from_unix_seconds(1_800_000_000);

fn rng() -> NotRandom {
    NotRandom::from_seed(1)
}

fn work(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<Work, Failure> {
    Ok(Box::new(work))
}
