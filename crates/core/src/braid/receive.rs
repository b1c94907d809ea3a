//! Receiving: the part of a message whose author is authenticated.

use alloc::boxed::Box;
use core::fmt;

use subtle::ConstantTimeEq;

use super::authenticator::TAG;
use super::change::{Change, Step};
use super::erasure::{CHUNK, Decoder, Kept};
use super::sender::{Long, Short};
use super::state::{
    Ct1Acknowledged, Ct1Received, Ct2Sampled, EkReceivedCt1Sampled, EkSentCt1Received, HeaderReceived, HeaderSent,
    NoHeaderReceived, State,
};
use super::{EpochSecret, Kem, Kind, Machine, Part, Phase, kem};
use crate::internal::InternalError;
use crate::primitives::secret::{BoxedSecret, Secret};

/// What receiving a part does.
pub struct Received<K: Kem> {
    /// The secret of the epoch, if this end owns its key and the ciphertext is whole.
    pub secret: Option<EpochSecret>,
    /// For [`Machine::apply`].
    pub change: Change<K>,
}

/// Why a part was not taken. Nothing has changed.
#[derive(Debug)]
pub enum Refused<K: Kem> {
    /// The epoch has not begun here, or is 0: see [`Machine::permits`].
    Epoch,
    /// The part completed a text that is wrong.
    Faulty(Fault<K>),
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

/// A text that is whole and wrong.
pub struct Fault<K: Kem> {
    /// Which text.
    pub kind: FaultKind,
    /// For [`Machine::apply`], instead of a refusal: forgets the chunks of that text. An acknowledgement that came
    /// with the last one counts.
    pub forget: Change<K>,
}

/// Which text was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The tag of a header.
    Header,
    /// A vector that is not its header's, or has a coefficient out of range.
    Vector,
    /// The tag of a ciphertext.
    Ciphertext,
}

impl<K: Kem> core::error::Error for Refused<K> {}

impl<K: Kem> fmt::Display for Refused<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoch => "the epoch has not begun",
            Self::Faulty(_) => "a whole text is wrong",
            Self::Internal => InternalError::TEXT,
        })
    }
}

impl<K: Kem> From<InternalError> for Refused<K> {
    fn from(_: InternalError) -> Self {
        Self::Internal
    }
}

/// What an encapsulator has of an epoch.
struct Own<'a> {
    header: &'a [u8],
    m: &'a BoxedSecret<32>,
}

impl<K: Kem> Machine<K> {
    /// Reads the part of a message. Call it once the message has verified.
    ///
    /// Mostly this compares numbers. A part that completes a text costs its decoding, and a check, an encapsulation or
    /// a decapsulation.
    ///
    /// # Errors
    ///
    /// [`Refused`]; the state is as before.
    pub fn receive(&self, part: &Part) -> Result<Received<K>, Refused<K>> {
        if !self.permits(part.epoch) {
            return Err(Refused::Epoch);
        }
        if part.epoch > self.epoch {
            let step = Step::Become { state: State::KeysUnsampled, authenticator: None, epoch: Some(part.epoch) };
            return Ok(step.into());
        }
        if part.epoch < self.epoch {
            return Ok(Step::Stay.into());
        }
        match (&self.state, part.kind) {
            (State::KeysSampled(of), Kind::Ct1) => {
                Ok(owner_ct1(&of.seed, &Long::default(), &Decoder::new(K::CT1 / CHUNK), part, true).into())
            }
            (State::HeaderSent(of), Kind::Ct1) => Ok(owner_ct1(&of.seed, &of.vector, &of.ct1, part, false).into()),
            (State::Ct1Received(of), Kind::Ct2) => {
                self.owner_ct2(&of.seed, &of.ct1, &Decoder::new(kem::ct2_blocks::<K>()), part)
            }
            (State::EkSentCt1Received(of), Kind::Ct2) => self.owner_ct2(&of.seed, &of.ct1, &of.ct2, part),
            (State::NoHeaderReceived(of), Kind::Header) => self.header(&of.header, part),
            (State::Ct1Sampled(of), Kind::Vector | Kind::VectorAcknowledging) => {
                self.vector_while_sending(&Own { header: &of.header, m: &of.m }, &of.ct1, &of.vector, part)
            }
            (State::EkReceivedCt1Sampled(of), Kind::VectorAcknowledging | Kind::Acknowledging) => {
                Ok(Step::to(Ct2Sampled { ct2: of.ct2.clone() }).into())
            }
            (State::Ct1Acknowledged(of), Kind::Vector | Kind::VectorAcknowledging) => {
                match of.vector.look(part.number, &part.chunk) {
                    Kept::Whole(text) => {
                        let ct2 = self.ciphertext(&Own { header: &of.header, m: &of.m }, &text, || Step::Forget)?;
                        Ok(Step::to(Ct2Sampled { ct2 }).into())
                    }
                    kept @ (Kept::Known | Kept::More) => Ok(keep(&kept, part).into()),
                }
            }
            // Nothing else happens: late parts, and parts for a state that is over or has not come.
            (
                State::KeysUnsampled
                | State::KeysSampled(_)
                | State::HeaderSent(_)
                | State::Ct1Received(_)
                | State::EkSentCt1Received(_)
                | State::NoHeaderReceived(_)
                | State::HeaderReceived(_)
                | State::Ct1Sampled(_)
                | State::EkReceivedCt1Sampled(_)
                | State::Ct1Acknowledged(_)
                | State::Ct2Sampled(_),
                _,
            ) => Ok(Step::Stay.into()),
        }
    }

    /// Ct2 at the owner: whole, it gives the secret.
    fn owner_ct2(
        &self,
        seed: &Secret<64>,
        ct1: &[u8],
        decoder: &Decoder,
        part: &Part,
    ) -> Result<Received<K>, Refused<K>> {
        let waiting =
            |decoder: Decoder| EkSentCt1Received { seed: Box::new(seed.duplicate()), ct1: ct1.into(), ct2: decoder };
        let text = match decoder.look(part.number, &part.chunk) {
            Kept::Whole(text) => text,
            kept @ (Kept::Known | Kept::More) if self.phase() == Phase::EkSentCt1Received => {
                return Ok(keep(&kept, part).into());
            }
            Kept::Known | Kept::More => return Ok(Step::to(waiting(with(decoder, part))).into()),
        };
        let Some(next) = self.epoch.checked_add(1) else { return Ok(Step::Stay.into()) };
        let (ct2, tag) = text.split_last_chunk::<TAG>().ok_or(Refused::Internal)?;
        let mut fresh = None;
        let key = self.key(seed, &mut fresh)?;
        let shared = K::decapsulate(key, ct1, ct2).ok_or(Refused::Internal)?;
        let secret = self.epoch_secret(&shared);
        let authenticator = self.authenticator.updated(self.labels, self.epoch, &secret.secret);
        let expected = authenticator.ciphertext_tag(self.labels, self.epoch, ct1, ct2);
        if !bool::from(expected.expose().ct_eq(tag)) {
            let mut empty = decoder.clone();
            empty.clear();
            return Err(faulty(FaultKind::Ciphertext, Step::to(waiting(empty))));
        }
        let state = NoHeaderReceived { header: Decoder::new(kem::header_blocks::<K>()) }.into();
        let step = Step::Become { state, authenticator: Some(authenticator), epoch: Some(next) };
        Ok(Received { secret: Some(secret), change: Change::new(step) })
    }

    /// A header at the encapsulator.
    fn header(&self, decoder: &Decoder, part: &Part) -> Result<Received<K>, Refused<K>> {
        let text = match decoder.look(part.number, &part.chunk) {
            Kept::Whole(text) => text,
            kept @ (Kept::Known | Kept::More) => return Ok(keep(&kept, part).into()),
        };
        let (header, tag) = text.split_last_chunk::<TAG>().ok_or(Refused::Internal)?;
        let expected = self.authenticator.header_tag(self.labels, self.epoch, header);
        if bool::from(expected.expose().ct_eq(tag)) {
            Ok(Step::to(HeaderReceived { header: header.into() }).into())
        } else {
            Err(faulty(FaultKind::Header, Step::Forget))
        }
    }

    /// The vector at an encapsulator that still sends ct1.
    fn vector_while_sending(
        &self,
        own: &Own<'_>,
        ct1: &Long,
        decoder: &Decoder,
        part: &Part,
    ) -> Result<Received<K>, Refused<K>> {
        let (header, m) = (own.header, || Box::new(own.m.duplicate()));
        let acknowledges = part.kind == Kind::VectorAcknowledging;
        let acknowledged = |vector: Decoder| Step::to(Ct1Acknowledged { header: header.into(), m: m(), vector });
        match decoder.look(part.number, &part.chunk) {
            Kept::Whole(text) => {
                let ct2 = self.ciphertext(own, &text, || {
                    if acknowledges { acknowledged(Decoder::new(K::VECTOR / CHUNK)) } else { Step::Forget }
                })?;
                let step = if acknowledges {
                    Step::to(Ct2Sampled { ct2 })
                } else {
                    Step::to(EkReceivedCt1Sampled { header: header.into(), m: m(), ct1: ct1.clone(), ct2 })
                };
                Ok(step.into())
            }
            Kept::Known | Kept::More if acknowledges => Ok(acknowledged(with(decoder, part)).into()),
            kept @ (Kept::Known | Kept::More) => Ok(keep(&kept, part).into()),
        }
    }

    /// The text of ct2 and its tag. A vector that is wrong is a fault, after which `forget` is to be done.
    fn ciphertext(&self, own: &Own<'_>, vector: &[u8], forget: impl FnOnce() -> Step) -> Result<Short, Refused<K>> {
        if !K::fits(own.header, vector) {
            return Err(faulty(FaultKind::Vector, forget()));
        }
        let mut fresh = None;
        let encapsulation = self.encapsulation(own.header, own.m, &mut fresh)?;
        let ct2 = K::finish(encapsulation, vector).ok_or(Refused::Internal)?;
        let tag = self.authenticator.ciphertext_tag(self.labels, self.epoch, K::ct1(encapsulation), &ct2);
        Ok(Short::new(&[&ct2, tag.expose()]))
    }
}

/// Ct1 at the owner; `starts` where it is the first, which says that the header has arrived.
fn owner_ct1(seed: &Secret<64>, vector: &Long, decoder: &Decoder, part: &Part, starts: bool) -> Step {
    let (seed, vector) = (|| Box::new(seed.duplicate()), || vector.clone());
    match decoder.look(part.number, &part.chunk) {
        Kept::Whole(ct1) => Step::to(Ct1Received { seed: seed(), vector: vector(), ct1 }),
        Kept::Known | Kept::More if starts => {
            Step::to(HeaderSent { seed: seed(), vector: vector(), ct1: with(decoder, part) })
        }
        kept @ (Kept::Known | Kept::More) => keep(&kept, part),
    }
}

/// The change for a chunk that completes nothing.
const fn keep(kept: &Kept, part: &Part) -> Step {
    match kept {
        Kept::More => Step::Keep(part.number, part.chunk),
        Kept::Known | Kept::Whole(_) => Step::Stay,
    }
}

/// A decoder with one chunk more.
fn with(decoder: &Decoder, part: &Part) -> Decoder {
    let mut decoder = decoder.clone();
    decoder.keep(part.number, &part.chunk);
    decoder
}

fn faulty<K: Kem>(kind: FaultKind, forget: Step) -> Refused<K> {
    Refused::Faulty(Fault { kind, forget: Change::new(forget) })
}

impl<K: Kem> From<Step> for Received<K> {
    fn from(step: Step) -> Self {
        Self { secret: None, change: Change::new(step) }
    }
}

impl<K: Kem> fmt::Debug for Received<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl<K: Kem> fmt::Debug for Fault<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault").field("kind", &self.kind).finish_non_exhaustive()
    }
}
