//! What one message says for the braid.

use super::erasure::Chunk;
use crate::codec::Malformed;

/// The kinds of parts, with their numbers on the wire of both suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 0: nothing is there to say.
    None,
    /// 1: a chunk of header and tag.
    Header,
    /// 2: a chunk of the vector.
    Vector,
    /// 3: a chunk of the vector; the first part of the ciphertext has arrived.
    VectorAcknowledging,
    /// 4: no chunk; the first part of the ciphertext has arrived.
    Acknowledging,
    /// 5: a chunk of the first part of the ciphertext.
    Ct1,
    /// 6: a chunk of the second part of the ciphertext and the tag.
    Ct2,
}

impl Kind {
    /// Whether a part of this kind has a chunk.
    #[must_use]
    pub const fn has_chunk(self) -> bool {
        !matches!(self, Self::None | Self::Acknowledging)
    }
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::None => 0,
            Kind::Header => 1,
            Kind::Vector => 2,
            Kind::VectorAcknowledging => 3,
            Kind::Acknowledging => 4,
            Kind::Ct1 => 5,
            Kind::Ct2 => 6,
        }
    }
}

impl TryFrom<u8> for Kind {
    type Error = Malformed;

    fn try_from(byte: u8) -> Result<Self, Malformed> {
        Ok(match byte {
            0 => Self::None,
            1 => Self::Header,
            2 => Self::Vector,
            3 => Self::VectorAcknowledging,
            4 => Self::Acknowledging,
            5 => Self::Ct1,
            6 => Self::Ct2,
            7.. => return Err(Malformed),
        })
    }
}

/// What one message says for the braid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The kind.
    pub kind: Kind,
    /// The chunk's number; 0 where the kind has no chunk.
    pub number: u16,
    /// The chunk; zeros where the kind has none.
    pub chunk: Chunk,
}

impl Part {
    /// Whether the epoch is at least 1, and number and chunk are zero where the kind has none.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.epoch >= 1 && (self.kind.has_chunk() || (self.number == 0 && self.chunk == [0; 32]))
    }
}
