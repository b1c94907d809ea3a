//! [`GroupCall`]: who is in a call, and a new key of ours whenever that changes.
//!
//! Does not know how people learn who joins and leaves: the application says so, and every device on its own.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::epoch::{Epoch, EpochKey};
use super::error::{EpochKeyError, InstallError, MemberError, OpenError, SealError};
use super::id::CallId;
use super::keys::Participant;
use super::opener::{DecryptedFrame, FrameOpener};
use super::sealer::FrameSealer;
use super::suite::FrameSuite;
use crate::keys::IdentityKey;
use crate::session::Session;

/// One device's part in a group call (docs/spec/calls.md, section 9.3).
///
/// Every participant seals with keys of its own, and takes a fresh one when anybody joins or leaves: whoever joined cannot
/// open what was said before, whoever left cannot open what is said after. There is no server to trust in it, and nothing
/// to agree on but who is in the call. A restarted device leaves and joins again.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(0));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse)?;
/// use bisik::call::{CallId, FrameSuite, GroupCall, Participant, Signal};
///
/// // Alice has the session `a` with Bob, he has `b` with her. Both know who is in the call, and by which number.
/// let (id, suite) = (CallId::generate(rng), FrameSuite::default());
/// let mut at_alice = GroupCall::start(id, suite, Participant(0), alice.public(), rng);
/// let mut at_bob = GroupCall::start(id, suite, Participant(1), bob.public(), rng);
/// at_alice.join(Participant(1), bob.public(), rng)?;
/// at_bob.join(Participant(0), alice.public(), rng)?;
///
/// // Each sends its key to each; here Alice's.
/// let message = a.encrypt(&at_alice.key_for(&a)?.to_bytes(), rng)?;
/// let Signal::EpochKey(key) = Signal::from_bytes(&b.decrypt(&message)?)? else { panic!("Bob expects a key") };
/// at_bob.accept_key(key, &b)?;
///
/// let mut packet = Vec::new();
/// at_alice.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
/// assert_eq!(&*at_bob.open(b"stream 1", &mut packet)?.plaintext, b"20 ms of sound");
///
/// at_alice.leave(Participant(1), rng)?; // from here on Bob hears nothing more of her
/// at_alice.seal(b"stream 1", b"about Bob", &mut packet)?;
/// assert!(at_alice.key_for(&a).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GroupCall {
    own: IdentityKey,
    others: BTreeMap<Participant, IdentityKey>,
    epoch: Epoch,
    sealer: FrameSealer,
    opener: FrameOpener,
}

impl GroupCall {
    /// The most participants, ourselves among them.
    pub const MAX_PARTICIPANTS: usize = FrameOpener::MAX_PARTICIPANTS;

    /// Begins our part in `call` as `participant`, with nobody else in it yet, from 32 bytes of `rng`. `own` is our identity
    /// key; call and suite are the same for all.
    #[must_use]
    pub fn start(
        call: CallId,
        suite: FrameSuite,
        participant: Participant,
        own: &IdentityKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let epoch = Epoch::generate(call, 0, participant, suite, &mut rng);
        let sealer = FrameSealer::new(epoch.sender_key(own));
        Self { own: *own, others: BTreeMap::new(), epoch, sealer, opener: FrameOpener::new() }
    }

    /// P-9.7. Somebody is in the call from now on, and a new epoch begins, from 32 bytes of `rng`: send everybody the new
    /// [key](Self::key_for).
    ///
    /// # Errors
    ///
    /// [`MemberError`]; nothing has changed then.
    pub fn join(
        &mut self,
        participant: Participant,
        identity: &IdentityKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), MemberError> {
        let known = participant == self.epoch.participant || self.others.contains_key(&participant);
        if known || *identity == self.own || self.others.values().any(|other| other == identity) {
            return Err(MemberError::AlreadyInCall);
        }
        if self.others.len().saturating_add(1) >= Self::MAX_PARTICIPANTS {
            return Err(MemberError::Full);
        }
        self.advance(&mut rng)?;
        self.others.insert(participant, *identity);
        Ok(())
    }

    /// P-9.7. Somebody is not in the call any more: its keys are forgotten, and a new epoch begins, from 32 bytes of `rng`:
    /// send everybody else the new [key](Self::key_for).
    ///
    /// What others seal stays readable to whoever left until they have heard of it too. Their older keys open late frames
    /// for a while; [`GroupCall::forget_older`] ends that.
    ///
    /// # Errors
    ///
    /// [`MemberError`]; nothing has changed then.
    pub fn leave(
        &mut self,
        participant: Participant,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), MemberError> {
        if !self.others.contains_key(&participant) {
            return Err(MemberError::NotInCall);
        }
        self.advance(&mut rng)?;
        self.others.remove(&participant);
        self.opener.remove(participant);
        Ok(())
    }

    /// P-9.6, P-9.7. A fresh key, used from the next frame on.
    fn advance(&mut self, rng: &mut dyn CryptoRng) -> Result<(), MemberError> {
        let Epoch { call, number, participant, suite, .. } = &self.epoch;
        let number = number.checked_add(1).ok_or(MemberError::Exhausted)?;
        let epoch = Epoch::generate(*call, number, *participant, *suite, rng);
        self.sealer = FrameSealer::new(epoch.sender_key(&self.own));
        self.epoch = epoch;
        Ok(())
    }

    /// Our present key, for the peer of `session`: a message to send in this session.
    ///
    /// # Errors
    ///
    /// [`MemberError::NotInCall`] where the peer is not in the call: it gets no key.
    pub fn key_for(&self, session: &Session) -> Result<EpochKey, MemberError> {
        self.member(session.peer()).ok_or(MemberError::NotInCall)?;
        Ok(self.epoch.key_for(&self.own, session))
    }

    /// Takes the key of another participant, which came in `session`.
    ///
    /// # Errors
    ///
    /// [`EpochKeyError`]; nothing has changed then.
    pub fn accept_key(&mut self, key: EpochKey, session: &Session) -> Result<(), EpochKeyError> {
        if key.call() != self.epoch.call {
            return Err(EpochKeyError::OtherCall);
        }
        let participant = self.member(session.peer()).ok_or(EpochKeyError::NotInCall)?;
        // P-9.5
        let fits = key.participant() == participant && key.epoch.suite == self.epoch.suite;
        if !fits || !key.is_for(&self.own, session) {
            return Err(EpochKeyError::Rejected);
        }
        self.opener.install(key.epoch.sender_key(session.peer())).map_err(|error| match error {
            InstallError::Stale => EpochKeyError::Stale,
            InstallError::Full => EpochKeyError::NotInCall,
        })
    }

    fn member(&self, identity: &IdentityKey) -> Option<Participant> {
        self.others.iter().find(|(_, other)| *other == identity).map(|(participant, _)| *participant)
    }

    /// Seals one frame for all: see [`FrameSealer::seal`].
    ///
    /// # Errors
    ///
    /// [`SealError`]; nothing has changed then.
    pub fn seal(&mut self, metadata: &[u8], plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        self.sealer.seal(metadata, plaintext, output)
    }

    /// Opens one frame of any participant: see [`FrameOpener::open`]. One with an unknown key may have overtaken that key:
    /// keep it for a moment, and try again.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing has changed then.
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<DecryptedFrame<'a>, OpenError> {
        self.opener.open(metadata, frame)
    }

    /// Forgets the others' keys of older epochs: see [`FrameOpener::forget_older`].
    pub fn forget_older(&mut self) {
        self.opener.forget_older();
    }

    /// Which call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.epoch.call
    }

    /// Which of our keys we seal with.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch.number
    }

    /// Who else is in it.
    pub fn others(&self) -> impl Iterator<Item = (Participant, &IdentityKey)> {
        self.others.iter().map(|(participant, identity)| (*participant, identity))
    }
}

impl fmt::Debug for GroupCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own: _, others, epoch, sealer: _, opener: _ } = self;
        f.debug_struct("GroupCall")
            .field("call", &epoch.call)
            .field("participant", &epoch.participant)
            .field("epoch", &epoch.number)
            .field("others", &others.len())
            .finish_non_exhaustive()
    }
}
