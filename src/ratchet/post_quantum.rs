//! The post-quantum ratchet: the braid, whose epochs' secrets enter the root at steps (docs/spec/post-quantum.md).

use alloc::boxed::Box;
use core::fmt;

use super::step::StepDraw;
use bisik_core::braid::{Braid, Change, Draw, EpochSecret, MlKem768, NATIVE, Part, Phase, Refused, Wants};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::internal::InternalError;
use bisik_core::primitives::secret::Secret;

/// How long ago a session has last healed from a thief with a quantum computer: what was counted since the root last
/// took in a secret of the braid. The set-up counts as epoch 0.
///
/// Whoever copied the session before that, and can compute discrete logarithms, may still read it. A peer that never
/// answers, or whose braid says nothing, keeps it from healing. To heal at once, replace the session by one that is
/// bound to it. Requirement P-5.8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostQuantumAge {
    /// The newest epoch whose secret is in the root.
    pub epoch: u32,
    /// Messages sent since.
    pub sent: u32,
    /// Messages received since.
    pub received: u32,
    /// Steps since, of both sides.
    pub turns: u32,
    /// Whether a key or ciphertext of the peer's was wrong since: somebody has tampered with the session's keys in hand.
    pub faulted: bool,
}

/// The post-quantum part of the state.
pub(super) struct PostQuantum {
    age: PostQuantumAge,
    /// An epoch's secret that is not in the root yet. P-5.2: there is at most one.
    pending: Option<Box<EpochSecret>>,
    braid: Box<Braid>,
}

/// The part of a message to send, and what sending it does.
pub(super) struct Sending {
    pub(super) part: Part,
    secret: Option<EpochSecret>,
    change: Change<MlKem768>,
}

/// What receiving a part does.
pub(super) struct Receiving {
    secret: Option<EpochSecret>,
    change: Change<MlKem768>,
    faulted: bool,
}

impl PostQuantum {
    /// P-5.1: the initiator owns the first key.
    pub(super) fn new(seed: &Secret<32>, initiator: bool) -> Self {
        let braid = if initiator { Braid::initiator(&NATIVE, seed) } else { Braid::responder(&NATIVE, seed) };
        Self { age: PostQuantumAge::default(), pending: None, braid: Box::new(braid) }
    }

    pub(super) const fn age(&self) -> &PostQuantumAge {
        &self.age
    }

    /// The newest epoch whose secret is in the root.
    pub(super) const fn mixed(&self) -> u32 {
        self.age.epoch
    }

    /// P-5.3: the secret that an own step mixes in. The owner of the key has it only once the ciphertext is whole, and
    /// mixes it at once; the encapsulator waits for a message of the next epoch, which shows that the owner has it.
    pub(super) fn due(&self) -> Option<(u32, &Secret<32>)> {
        let EpochSecret { epoch, secret } =
            self.pending.as_deref().filter(|pending| pending.epoch < self.braid.epoch())?;
        Some((*epoch, secret))
    }

    /// P-5.3, P-5.4: the secret that a step of the peer's has mixed in, if its header says so.
    /// Whoever mixes a secret has gone on to the next epoch.
    pub(super) fn mixed_by_peer(&self, mixed: u32, part: &Part) -> Result<Option<&Secret<32>>, Malformed> {
        if mixed == self.mixed() {
            return Ok(None);
        }
        if part.epoch <= mixed {
            return Err(Malformed);
        }
        let pending = self
            .pending
            .as_deref()
            .filter(|pending| pending.epoch == mixed && self.mixed().checked_add(1) == Some(mixed));
        pending.map(|pending| Some(&*pending.secret)).ok_or(Malformed)
    }

    /// Counts a step, after which the secrets of the epochs up to `mixed` are in the root.
    pub(super) fn step(&mut self, mixed: u32) {
        if mixed == self.mixed() {
            self.age.turns = self.age.turns.saturating_add(1);
        } else {
            self.age = PostQuantumAge { epoch: mixed, ..PostQuantumAge::default() };
            self.pending = None;
        }
    }

    /// Whether a peer could have sent a part of this epoch. After a restart from an older record, its braid may be one
    /// epoch ahead.
    pub(super) fn permits(&self, part: &Part) -> bool {
        part.epoch <= self.braid.epoch().saturating_add(1)
    }

    /// Makes the part of the next message. P-5.5: the braid draws only in a message that steps, so that a sender that
    /// went back in time repeats no draw. `mixes` says whether that step mixes the pending secret.
    pub(super) fn send(&self, draw: Option<&StepDraw>, mixes: bool) -> Result<Sending, InternalError> {
        let free = self.pending.is_none() || mixes;
        let draw = draw.and_then(|draw| match self.braid.wants()? {
            Wants::Seed => Some(Draw::Seed(draw.kem_seed().into())),
            Wants::Randomness => free.then(|| Draw::Randomness(draw.encapsulation().into())),
        });
        let sent = self.braid.send(draw)?;
        Ok(Sending { part: sent.part, secret: sent.secret, change: sent.change })
    }

    pub(super) fn apply_sending(&mut self, sending: Sending) {
        let Sending { part: _, secret, change } = sending;
        self.braid.apply(change);
        self.keep(secret);
        self.age.sent = self.age.sent.saturating_add(1);
    }

    /// Reads the part of a message that has verified. P-5.6: a fault does not refuse the message, whose author is
    /// authenticated; the chunks are forgotten, and later ones fill in.
    pub(super) fn receive(&self, part: &Part) -> Result<Option<Receiving>, InternalError> {
        match self.braid.receive(part) {
            Ok(received) => Ok(Some(Receiving { secret: received.secret, change: received.change, faulted: false })),
            Err(Refused::Epoch) => Ok(None),
            Err(Refused::Faulty(fault)) => Ok(Some(Receiving { secret: None, change: fault.forget, faulted: true })),
            Err(Refused::Internal) => Err(InternalError),
        }
    }

    /// Counts a message, and applies what [`receive`](Self::receive) of its part gave.
    pub(super) fn apply_receiving(&mut self, receiving: Option<Receiving>) {
        if let Some(Receiving { secret, change, faulted }) = receiving {
            self.braid.apply(change);
            self.keep(secret);
            self.age.faulted |= faulted;
        }
        self.age.received = self.age.received.saturating_add(1);
    }

    fn keep(&mut self, secret: Option<EpochSecret>) {
        if let Some(secret) = secret {
            self.pending = Some(Box::new(secret));
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { age, pending, braid } = self;
        let PostQuantumAge { epoch, sent, received, turns, faulted } = age;
        writer.u32(*epoch).flag(pending.is_some());
        if let Some(pending) = pending {
            writer.u32(pending.epoch).bytes(pending.secret.expose());
        }
        writer.u32(*sent).u32(*received).u32(*turns).flag(*faulted);
        braid.write(writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>, initiator: bool) -> Result<Self, Malformed> {
        let epoch = reader.u32()?;
        let pending = match reader.flag()? {
            true => {
                let pending = EpochSecret { epoch: reader.u32()?, secret: Secret::copy_of(reader.array()?).into() };
                Some(Box::new(pending))
            }
            false => None,
        };
        let (sent, received, turns) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let age = PostQuantumAge { epoch, sent, received, turns, faulted: reader.flag()? };
        let braid = Box::new(Braid::read(&NATIVE, initiator, reader)?);
        let next = epoch.checked_add(1).ok_or(Malformed)?;
        // Epochs are mixed one after another, and at most one secret is not mixed yet.
        let fits = match &pending {
            Some(pending) => {
                pending.epoch == next && (braid.epoch() == next || Some(braid.epoch()) == next.checked_add(1))
            }
            // A side that was restored to before its own part of an epoch takes the secret in with the peer's step, and its
            // braid stands still in that epoch.
            None => braid.epoch() == next || (epoch > 0 && braid.epoch() == epoch && has_encapsulated(braid.phase())),
        };
        if fits { Ok(Self { age, pending, braid }) } else { Err(Malformed) }
    }

    pub(super) fn duplicate(&self) -> Self {
        let Self { age, pending, braid } = self;
        let pending = pending
            .as_ref()
            .map(|pending| Box::new(EpochSecret { epoch: pending.epoch, secret: pending.secret.duplicate().into() }));
        Self { age: *age, pending, braid: Box::new(braid.duplicate()) }
    }
}

/// Whether this side has made the ciphertext of the braid's epoch, and so had its secret.
const fn has_encapsulated(phase: Phase) -> bool {
    matches!(phase, Phase::Ct1Sampled | Phase::EkReceivedCt1Sampled | Phase::Ct1Acknowledged | Phase::Ct2Sampled)
}

impl fmt::Debug for Receiving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving").field("faulted", &self.faulted).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratchet::step::RootKey;
    use bisik_core::braid::Kind;

    /// P-5.6
    #[test]
    fn a_wrong_part_refuses_no_message_and_is_told_until_an_epoch_heals_it() {
        let mut state = PostQuantum::new(&Secret::new([7; 32]), false);
        for number in 0..3 {
            let part = Part { kind: Kind::Header, epoch: 1, number, chunk: [9; 32] };
            assert!(!state.age().faulted, "chunk {number} is not the last");
            let receiving = state.receive(&part).unwrap();
            state.apply_receiving(receiving);
        }
        assert!(state.age().faulted);
        assert_eq!((state.age().received, state.mixed()), (3, 0));
        state.step(1);
        assert_eq!(*state.age(), PostQuantumAge { epoch: 1, ..PostQuantumAge::default() });
    }

    /// A side that was restored takes a secret in by the peer's step while its braid stands still in that epoch.
    #[test]
    fn a_braid_that_stands_still_can_be_stored() {
        let draw = || RootKey::new(&Secret::new([8; 32])).draw(1, &mut rand::rng());
        let read = |state: &PostQuantum| {
            let mut writer = SecretWriter::with_capacity(2_000);
            state.write(&mut writer);
            PostQuantum::read(&mut Reader::new(&writer.finish()), false)
        };
        let mut owner = PostQuantum::new(&Secret::new([7; 32]), true);
        let mut state = PostQuantum::new(&Secret::new([7; 32]), false);
        for _ in 0..3 {
            let sent = owner.send(Some(&draw()), false).unwrap();
            let receiving = state.receive(&sent.part).unwrap();
            owner.apply_sending(sent);
            state.apply_receiving(receiving);
        }
        let sent = state.send(Some(&draw()), false).unwrap();
        state.apply_sending(sent);
        // The peer's step mixes the secret; the parts by which the braid would go on are lost.
        let part = Part { kind: Kind::None, epoch: 2, number: 0, chunk: [0; 32] };
        assert!(state.mixed_by_peer(1, &part).is_ok_and(|secret| secret.is_some()));
        assert!(state.mixed_by_peer(1, &Part { epoch: 1, ..part }).is_err(), "whoever mixes has gone on");
        state.step(1);
        let stored = read(&state).unwrap();
        assert_eq!((stored.mixed(), stored.braid.epoch(), stored.braid.phase()), (1, 1, Phase::Ct1Sampled));

        let mut impossible = PostQuantum::new(&Secret::new([7; 32]), false);
        impossible.step(1);
        assert!(read(&impossible).is_err(), "no secret was made in this epoch");
    }
}
