//! The relay's deliberate faults. A seed determines which messages are affected, and how.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What happens to one message.
pub(crate) enum Trick {
    None,
    /// Held back until this many later messages have overtaken it.
    Late(u64),
    /// Delivered, and delivered once more after this many later messages.
    Twice(u64),
    /// Delivered in this form first.
    Damaged(Vec<u8>),
}

/// The faults in one direction.
pub(crate) struct Mischief {
    rng: StdRng,
    messages: u64,
}

impl Mischief {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), messages: 0 }
    }

    /// Returns what to do with the next message.
    pub(crate) fn next(&mut self, message: &[u8]) -> Trick {
        self.messages += 1;
        // First one of each kind, so that the shortest conversation includes them all; then at random.
        let choice = if self.messages <= 4 { self.messages } else { self.rng.random_range(1..=24) };
        match choice {
            1 | 5 => Trick::Damaged(self.damage(message)),
            2 | 6 | 7 => Trick::Late(self.rng.random_range(1..=OVERTAKEN)),
            3 | 8 => Trick::Twice(self.rng.random_range(0..=OVERTAKEN)),
            _ => Trick::None,
        }
    }

    /// Flips one bit anywhere, removes some bytes, or adds one.
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

/// The most messages that may overtake one. The receiver knows the five newest chains of the sender, and each
/// overtaking message may start a new chain. A message overtaken by more may be lost, and would have to be encrypted
/// again.
const OVERTAKEN: u64 = 4;
