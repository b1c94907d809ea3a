//! The states, with what each of them keeps.

use alloc::boxed::Box;

use super::erasure::Decoder;
use super::sender::{Long, Short};
use crate::primitives::secret::BoxedSecret;

/// The names of the states (see the table in [`super`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Owner: the key is due.
    KeysUnsampled,
    /// Owner: sends header and tag.
    KeysSampled,
    /// Owner: sends the vector, receives ct1.
    HeaderSent,
    /// Owner: sends the vector, has ct1.
    Ct1Received,
    /// Owner: receives ct2 and tag.
    EkSentCt1Received,
    /// Encapsulator: receives header and tag.
    NoHeaderReceived,
    /// Encapsulator: the encapsulation is due.
    HeaderReceived,
    /// Encapsulator: sends ct1, receives the vector.
    Ct1Sampled,
    /// Encapsulator: sends ct1, has the vector.
    EkReceivedCt1Sampled,
    /// Encapsulator: receives the vector; ct1 has arrived.
    Ct1Acknowledged,
    /// Encapsulator: sends ct2 and tag.
    Ct2Sampled,
}

impl Phase {
    /// Its number in stored forms.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::KeysUnsampled => 0,
            Self::KeysSampled => 1,
            Self::HeaderSent => 2,
            Self::Ct1Received => 3,
            Self::EkSentCt1Received => 4,
            Self::NoHeaderReceived => 5,
            Self::HeaderReceived => 6,
            Self::Ct1Sampled => 7,
            Self::EkReceivedCt1Sampled => 8,
            Self::Ct1Acknowledged => 9,
            Self::Ct2Sampled => 10,
        }
    }

    /// Whether this end owns the key of the epoch.
    pub(super) const fn is_owner(self) -> bool {
        matches!(
            self,
            Self::KeysUnsampled | Self::KeysSampled | Self::HeaderSent | Self::Ct1Received | Self::EkSentCt1Received
        )
    }
}

/// A state. `seed` is that of the owner's key, `m` the randomness of the encapsulation.
pub(super) enum State {
    KeysUnsampled,
    KeysSampled { seed: BoxedSecret<64>, header: Short },
    HeaderSent { seed: BoxedSecret<64>, vector: Long, ct1: Decoder },
    Ct1Received { seed: BoxedSecret<64>, vector: Long, ct1: Box<[u8]> },
    EkSentCt1Received { seed: BoxedSecret<64>, ct1: Box<[u8]>, ct2: Decoder },
    NoHeaderReceived { header: Decoder },
    HeaderReceived { header: Box<[u8]> },
    Ct1Sampled { header: Box<[u8]>, m: BoxedSecret<32>, ct1: Long, vector: Decoder },
    EkReceivedCt1Sampled { header: Box<[u8]>, m: BoxedSecret<32>, ct1: Long, ct2: Short },
    Ct1Acknowledged { header: Box<[u8]>, m: BoxedSecret<32>, vector: Decoder },
    Ct2Sampled { ct2: Short },
}

impl State {
    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::KeysUnsampled => Phase::KeysUnsampled,
            Self::KeysSampled { .. } => Phase::KeysSampled,
            Self::HeaderSent { .. } => Phase::HeaderSent,
            Self::Ct1Received { .. } => Phase::Ct1Received,
            Self::EkSentCt1Received { .. } => Phase::EkSentCt1Received,
            Self::NoHeaderReceived { .. } => Phase::NoHeaderReceived,
            Self::HeaderReceived { .. } => Phase::HeaderReceived,
            Self::Ct1Sampled { .. } => Phase::Ct1Sampled,
            Self::EkReceivedCt1Sampled { .. } => Phase::EkReceivedCt1Sampled,
            Self::Ct1Acknowledged { .. } => Phase::Ct1Acknowledged,
            Self::Ct2Sampled { .. } => Phase::Ct2Sampled,
        }
    }

    pub(super) fn duplicate(&self) -> Self {
        let seed = |seed: &BoxedSecret<64>| Box::new(seed.duplicate());
        let copy = |m: &BoxedSecret<32>| Box::new(m.duplicate());
        match self {
            Self::KeysUnsampled => Self::KeysUnsampled,
            Self::KeysSampled { seed: own, header } => Self::KeysSampled { seed: seed(own), header: header.clone() },
            Self::HeaderSent { seed: own, vector, ct1 } => {
                Self::HeaderSent { seed: seed(own), vector: vector.clone(), ct1: ct1.clone() }
            }
            Self::Ct1Received { seed: own, vector, ct1 } => {
                Self::Ct1Received { seed: seed(own), vector: vector.clone(), ct1: ct1.clone() }
            }
            Self::EkSentCt1Received { seed: own, ct1, ct2 } => {
                Self::EkSentCt1Received { seed: seed(own), ct1: ct1.clone(), ct2: ct2.clone() }
            }
            Self::NoHeaderReceived { header } => Self::NoHeaderReceived { header: header.clone() },
            Self::HeaderReceived { header } => Self::HeaderReceived { header: header.clone() },
            Self::Ct1Sampled { header, m, ct1, vector } => {
                Self::Ct1Sampled { header: header.clone(), m: copy(m), ct1: ct1.clone(), vector: vector.clone() }
            }
            Self::EkReceivedCt1Sampled { header, m, ct1, ct2 } => {
                Self::EkReceivedCt1Sampled { header: header.clone(), m: copy(m), ct1: ct1.clone(), ct2: ct2.clone() }
            }
            Self::Ct1Acknowledged { header, m, vector } => {
                Self::Ct1Acknowledged { header: header.clone(), m: copy(m), vector: vector.clone() }
            }
            Self::Ct2Sampled { ct2 } => Self::Ct2Sampled { ct2: ct2.clone() },
        }
    }

    /// The decoder of the text that this state receives.
    pub(super) const fn decoder(&mut self) -> Option<&mut Decoder> {
        match self {
            Self::HeaderSent { ct1: decoder, .. }
            | Self::EkSentCt1Received { ct2: decoder, .. }
            | Self::NoHeaderReceived { header: decoder }
            | Self::Ct1Sampled { vector: decoder, .. }
            | Self::Ct1Acknowledged { vector: decoder, .. } => Some(decoder),
            Self::KeysUnsampled
            | Self::KeysSampled { .. }
            | Self::Ct1Received { .. }
            | Self::HeaderReceived { .. }
            | Self::EkReceivedCt1Sampled { .. }
            | Self::Ct2Sampled { .. } => None,
        }
    }
}
