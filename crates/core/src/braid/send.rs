//! Sending: the part of the next message.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::change::{Change, Step};
use super::erasure::{Chunk, Decoder};
use super::sender::{Long, Short};
use super::state::{Ct1Sampled, KeysSampled, State};
use super::{EpochSecret, Kem, Kind, Machine, Part, erasure};
use crate::internal::InternalError;
use crate::primitives::kdf::Prk;
use crate::primitives::secret::{BoxedSecret, Secret};

/// Randomness that the next part needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// 64 bytes, the seed of a key.
    Seed,
    /// 32 bytes, the randomness of an encapsulation.
    Randomness,
}

/// Randomness for the next part. It must be uniform, and is used in one state only.
pub enum Draw {
    /// The seed `d ‖ z` of a key, where [`Wants::Seed`] was asked.
    Seed(BoxedSecret<64>),
    /// The randomness `m` of an encapsulation, where [`Wants::Randomness`] was asked.
    Randomness(BoxedSecret<32>),
}

/// A part to send, and what sending it does.
pub struct Sent<K: Kem> {
    /// The part.
    pub part: Part,
    /// The secret of the epoch, if this end has just encapsulated.
    pub secret: Option<EpochSecret>,
    /// For [`Machine::apply`].
    pub change: Change<K>,
}

impl<K: Kem> Machine<K> {
    /// The randomness without which the next part says nothing. `None` in all states but two.
    #[must_use]
    pub const fn wants(&self) -> Option<Wants> {
        match self.state {
            State::KeysUnsampled => Some(Wants::Seed),
            State::HeaderReceived(_) => Some(Wants::Randomness),
            State::KeysSampled(_)
            | State::HeaderSent(_)
            | State::Ct1Received(_)
            | State::EkSentCt1Received(_)
            | State::NoHeaderReceived(_)
            | State::Ct1Sampled(_)
            | State::EkReceivedCt1Sampled(_)
            | State::Ct1Acknowledged(_)
            | State::Ct2Sampled(_) => None,
        }
    }

    /// Makes the part of the next message. `draw` is used where it is what [`Self::wants`] says, and dropped otherwise.
    ///
    /// Mostly this copies a chunk. Every eighth part of a long text encodes eight chunks; a draw costs a key or an
    /// encapsulation.
    ///
    /// # Errors
    ///
    /// [`InternalError`], which no input causes.
    pub fn send(&self, draw: Option<Draw>) -> Result<Sent<K>, InternalError> {
        match (&self.state, draw) {
            (State::KeysUnsampled, Some(Draw::Seed(seed))) => self.sample_key(seed),
            (State::HeaderReceived(of), Some(Draw::Randomness(m))) => self.encapsulate(&of.header, m),
            (State::KeysSampled(of), _) => self.short(Kind::Header, &of.header),
            (State::HeaderSent(of), _) => self.vector(Kind::Vector, &of.seed, &of.vector),
            (State::Ct1Received(of), _) => self.vector(Kind::VectorAcknowledging, &of.seed, &of.vector),
            (State::EkSentCt1Received(_), _) => Ok(self.silent(Kind::Acknowledging)),
            (State::Ct1Sampled(of), _) => self.ct1(&of.header, &of.m, &of.ct1),
            (State::EkReceivedCt1Sampled(of), _) => self.ct1(&of.header, &of.m, &of.ct1),
            (State::Ct2Sampled(of), _) => self.short(Kind::Ct2, &of.ct2),
            (
                State::KeysUnsampled
                | State::HeaderReceived(_)
                | State::NoHeaderReceived(_)
                | State::Ct1Acknowledged(_),
                _,
            ) => Ok(self.silent(Kind::None)),
        }
    }

    /// A new key: its header goes first, with its tag.
    fn sample_key(&self, seed: BoxedSecret<64>) -> Result<Sent<K>, InternalError> {
        let mut cache = None;
        let header = K::header(self.key(&seed, &mut cache)?).ok_or(InternalError)?;
        let tag = self.authenticator.header_tag(self.labels, self.epoch, header);
        let mut header = Short::new(&[header, tag.expose()]);
        let (number, first, encoded) = header.encode().ok_or(InternalError)?;
        header.advance(encoded);
        let change = Change { step: Step::to(KeysSampled { seed, header }), cache };
        Ok(self.sent(Kind::Header, (number, first), change))
    }

    /// A new encapsulation: the first part of the ciphertext goes first.
    fn encapsulate(&self, header: &[u8], m: BoxedSecret<32>) -> Result<Sent<K>, InternalError> {
        let (encapsulation, shared) = K::start(header, &m).ok_or(InternalError)?;
        let secret = self.epoch_secret(&shared);
        let authenticator = self.authenticator.updated(self.labels, self.epoch, &secret.secret);
        let mut ct1 = Long::default();
        let (number, chunk, encoded) = ct1.encode(K::ct1(&encapsulation)).ok_or(InternalError)?;
        ct1.advance(encoded);
        let vector = Decoder::new(K::VECTOR / erasure::CHUNK);
        let state = Ct1Sampled { header: header.into(), m, ct1, vector }.into();
        let step = Step::Become { state, authenticator: Some(authenticator), epoch: None };
        let change = Change { step, cache: Some(super::Cache::Encapsulation(encapsulation)) };
        Ok(Sent { secret: Some(secret), ..self.sent(Kind::Ct1, (number, chunk), change) })
    }

    /// The secret of the epoch from the shared secret of the key encapsulation.
    pub(super) fn epoch_secret(&self, shared: &Secret<32>) -> EpochSecret {
        let prk = Prk::extract(&[0; 32], &[shared.expose()]);
        let secret = prk.expand(&[self.labels.epoch, self.labels.number(self.epoch, &mut [0; 8])]);
        EpochSecret { epoch: self.epoch, secret: Box::new(secret) }
    }

    fn short(&self, kind: Kind, text: &Short) -> Result<Sent<K>, InternalError> {
        let (number, chunk, encoded) = text.encode().ok_or(InternalError)?;
        Ok(self.sent(kind, (number, chunk), Change::new(Step::Advance(encoded))))
    }

    fn vector(&self, kind: Kind, seed: &Secret<64>, text: &Long) -> Result<Sent<K>, InternalError> {
        let mut cache = None;
        let (first, encoded) = match text.chunk() {
            Some(first) => (first, Vec::new()),
            None => first_of(text, K::vector(self.key(seed, &mut cache)?).ok_or(InternalError)?)?,
        };
        Ok(self.sent(kind, first, Change { step: Step::Advance(encoded), cache }))
    }

    fn ct1(&self, header: &[u8], m: &Secret<32>, text: &Long) -> Result<Sent<K>, InternalError> {
        let mut cache = None;
        let (first, encoded) = match text.chunk() {
            Some(first) => (first, Vec::new()),
            None => first_of(text, K::ct1(self.encapsulation(header, m, &mut cache)?))?,
        };
        Ok(self.sent(Kind::Ct1, first, Change { step: Step::Advance(encoded), cache }))
    }

    const fn sent(&self, kind: Kind, (number, chunk): (u16, Chunk), change: Change<K>) -> Sent<K> {
        Sent { part: Part { epoch: self.epoch, kind, number, chunk }, secret: None, change }
    }

    const fn silent(&self, kind: Kind) -> Sent<K> {
        self.sent(kind, (0, [0; 32]), Change::new(Step::Stay))
    }
}

/// The chunk that comes next in a text of which none is kept, and those after it.
fn first_of(long: &Long, text: &[u8]) -> Result<((u16, Chunk), Vec<Chunk>), InternalError> {
    let (number, chunk, encoded) = long.encode(text).ok_or(InternalError)?;
    Ok(((number, chunk), encoded))
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draw(..)")
    }
}

impl<K: Kem> fmt::Debug for Sent<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("part", &self.part).field("secret", &self.secret).finish_non_exhaustive()
    }
}
