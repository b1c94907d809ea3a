//! What the relay does wrong on purpose: which message, and how, follows from a seed.
//!
//! Does not know what a message contains; nobody here does.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What happens to one message.
pub(crate) enum Trick {
    None,
    /// Held back until so many later ones have overtaken it.
    Late(u64),
    /// Delivered, and once more after so many later ones.
    Twice(u64),
    /// Delivered in this form first.
    Damaged(Vec<u8>),
}

/// The tricks played on one direction.
pub(crate) struct Mischief {
    rng: StdRng,
    messages: u64,
}

impl Mischief {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), messages: 0 }
    }

    /// What to do with the next message.
    pub(crate) fn next(&mut self, message: &[u8]) -> Trick {
        self.messages += 1;
        // One of each at the beginning, so that the shortest conversation sees them all; then by chance.
        let choice = if self.messages <= 4 { self.messages } else { self.rng.random_range(1..=24) };
        match choice {
            1 | 5 => Trick::Damaged(self.damage(message)),
            2 | 6 | 7 => Trick::Late(self.rng.random_range(1..=OVERTAKEN)),
            3 | 8 => Trick::Twice(self.rng.random_range(0..=OVERTAKEN)),
            _ => Trick::None,
        }
    }

    /// One bit turned over anywhere, some bytes cut off, or one added.
    fn damage(&mut self, message: &[u8]) -> Vec<u8> {
        let mut damaged = message.to_vec();
        let position = self.rng.random_range(0..damaged.len());
        match self.rng.random_range(0..4) {
            0 => damaged.truncate(position),
            1 => damaged.push(self.rng.random()),
            _ => damaged[position] ^= 1 << self.rng.random_range(0..8),
        }
        damaged
    }
}

/// A message that is overtaken by more than this may be given up by the receiver, who knows the five newest chains of
/// the sender: each of the four that overtake it may begin a new one. Then it would have to be written again.
const OVERTAKEN: u64 = 4;
