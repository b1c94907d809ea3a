//! [`Sealing`]: a record with blocks that is being sealed.

use super::Origin;

/// A record with blocks that is being sealed.
#[derive(Debug)]
pub struct Sealing {
    /// Of the record: affirming that it was stored confirms its number.
    pub(crate) origin: Origin,
    /// Blocks that were put before another move are under a former key.
    pub(crate) moves: u32,
    /// What was put by a record with this number or a lower one is stored.
    pub(crate) confirmed: usize,
}

impl Sealing {
    /// The revision of the record.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.origin.revision
    }

    pub(crate) const fn number(&self) -> usize {
        self.origin.seal
    }
}
