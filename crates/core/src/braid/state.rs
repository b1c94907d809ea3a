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

/// A state. What it has is in a box of its own size: room that a smaller state left in a larger one would be filled with
/// what the stack held, and never be wiped.
pub(super) enum State {
    KeysUnsampled,
    KeysSampled(Box<KeysSampled>),
    HeaderSent(Box<HeaderSent>),
    Ct1Received(Box<Ct1Received>),
    EkSentCt1Received(Box<EkSentCt1Received>),
    NoHeaderReceived(Box<NoHeaderReceived>),
    HeaderReceived(Box<HeaderReceived>),
    Ct1Sampled(Box<Ct1Sampled>),
    EkReceivedCt1Sampled(Box<EkReceivedCt1Sampled>),
    Ct1Acknowledged(Box<Ct1Acknowledged>),
    Ct2Sampled(Box<Ct2Sampled>),
}

/// `seed` is that of the owner's key.
pub(super) struct KeysSampled {
    pub(super) seed: BoxedSecret<64>,
    pub(super) header: Short,
}

pub(super) struct HeaderSent {
    pub(super) seed: BoxedSecret<64>,
    pub(super) vector: Long,
    pub(super) ct1: Decoder,
}

pub(super) struct Ct1Received {
    pub(super) seed: BoxedSecret<64>,
    pub(super) vector: Long,
    pub(super) ct1: Box<[u8]>,
}

pub(super) struct EkSentCt1Received {
    pub(super) seed: BoxedSecret<64>,
    pub(super) ct1: Box<[u8]>,
    pub(super) ct2: Decoder,
}

pub(super) struct NoHeaderReceived {
    pub(super) header: Decoder,
}

pub(super) struct HeaderReceived {
    pub(super) header: Box<[u8]>,
}

/// `m` is the randomness of the encapsulation.
pub(super) struct Ct1Sampled {
    pub(super) header: Box<[u8]>,
    pub(super) m: BoxedSecret<32>,
    pub(super) ct1: Long,
    pub(super) vector: Decoder,
}

pub(super) struct EkReceivedCt1Sampled {
    pub(super) header: Box<[u8]>,
    pub(super) m: BoxedSecret<32>,
    pub(super) ct1: Long,
    pub(super) ct2: Short,
}

pub(super) struct Ct1Acknowledged {
    pub(super) header: Box<[u8]>,
    pub(super) m: BoxedSecret<32>,
    pub(super) vector: Decoder,
}

pub(super) struct Ct2Sampled {
    pub(super) ct2: Short,
}

impl State {
    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::KeysUnsampled => Phase::KeysUnsampled,
            Self::KeysSampled(_) => Phase::KeysSampled,
            Self::HeaderSent(_) => Phase::HeaderSent,
            Self::Ct1Received(_) => Phase::Ct1Received,
            Self::EkSentCt1Received(_) => Phase::EkSentCt1Received,
            Self::NoHeaderReceived(_) => Phase::NoHeaderReceived,
            Self::HeaderReceived(_) => Phase::HeaderReceived,
            Self::Ct1Sampled(_) => Phase::Ct1Sampled,
            Self::EkReceivedCt1Sampled(_) => Phase::EkReceivedCt1Sampled,
            Self::Ct1Acknowledged(_) => Phase::Ct1Acknowledged,
            Self::Ct2Sampled(_) => Phase::Ct2Sampled,
        }
    }

    pub(super) fn duplicate(&self) -> Self {
        let seed = |seed: &BoxedSecret<64>| Box::new(seed.duplicate());
        let copy = |m: &BoxedSecret<32>| Box::new(m.duplicate());
        match self {
            Self::KeysUnsampled => Self::KeysUnsampled,
            Self::KeysSampled(of) => KeysSampled { seed: seed(&of.seed), header: of.header.clone() }.into(),
            Self::HeaderSent(of) => {
                HeaderSent { seed: seed(&of.seed), vector: of.vector.clone(), ct1: of.ct1.clone() }.into()
            }
            Self::Ct1Received(of) => {
                Ct1Received { seed: seed(&of.seed), vector: of.vector.clone(), ct1: of.ct1.clone() }.into()
            }
            Self::EkSentCt1Received(of) => {
                EkSentCt1Received { seed: seed(&of.seed), ct1: of.ct1.clone(), ct2: of.ct2.clone() }.into()
            }
            Self::NoHeaderReceived(of) => NoHeaderReceived { header: of.header.clone() }.into(),
            Self::HeaderReceived(of) => HeaderReceived { header: of.header.clone() }.into(),
            Self::Ct1Sampled(of) => {
                let Ct1Sampled { header, m, ct1, vector } = of.as_ref();
                Ct1Sampled { header: header.clone(), m: copy(m), ct1: ct1.clone(), vector: vector.clone() }.into()
            }
            Self::EkReceivedCt1Sampled(of) => {
                let EkReceivedCt1Sampled { header, m, ct1, ct2 } = of.as_ref();
                EkReceivedCt1Sampled { header: header.clone(), m: copy(m), ct1: ct1.clone(), ct2: ct2.clone() }.into()
            }
            Self::Ct1Acknowledged(of) => {
                let Ct1Acknowledged { header, m, vector } = of.as_ref();
                Ct1Acknowledged { header: header.clone(), m: copy(m), vector: vector.clone() }.into()
            }
            Self::Ct2Sampled(of) => Ct2Sampled { ct2: of.ct2.clone() }.into(),
        }
    }

    /// The decoder of the text that this state receives.
    pub(super) const fn decoder(&mut self) -> Option<&mut Decoder> {
        match self {
            Self::HeaderSent(of) => Some(&mut of.ct1),
            Self::EkSentCt1Received(of) => Some(&mut of.ct2),
            Self::NoHeaderReceived(of) => Some(&mut of.header),
            Self::Ct1Sampled(of) => Some(&mut of.vector),
            Self::Ct1Acknowledged(of) => Some(&mut of.vector),
            Self::KeysUnsampled
            | Self::KeysSampled(_)
            | Self::Ct1Received(_)
            | Self::HeaderReceived(_)
            | Self::EkReceivedCt1Sampled(_)
            | Self::Ct2Sampled(_) => None,
        }
    }
}

/// Each boxes what a state has.
macro_rules! boxed {
    ($($state:ident)*) => {$(
        impl From<$state> for State {
            fn from(of: $state) -> Self {
                Self::$state(Box::new(of))
            }
        }
    )*};
}

boxed! {
    KeysSampled HeaderSent Ct1Received EkSentCt1Received NoHeaderReceived HeaderReceived Ct1Sampled
    EkReceivedCt1Sampled Ct1Acknowledged Ct2Sampled
}
