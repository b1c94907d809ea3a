//! [`GroupCall`]: the members of a call, and a new local key whenever they change.
//!
//! The application tells each device who joins and leaves.

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
use bisik_core::time::Timestamp;

/// The local device's part in a group call ([section 9.3](crate::manual::spec::calls#93-group-calls)).
///
/// Every participant encrypts with keys of its own, and takes a fresh key whenever anyone joins or leaves. A
/// participant who joins cannot decrypt earlier frames; one who leaves cannot decrypt later ones. No server needs to be
/// trusted, and the members need to agree only on who is in the call.
///
/// A device that loses this state, for example by a restart, leaves the call and joins again.
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(0));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// # let _ = a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?;
/// use bisik::call::{CallId, FrameSuite, GroupCall, Participant, Signal};
///
/// // Alice has the session `a` with Bob; Bob has `b` with Alice. Both know who is in the call, and their numbers.
/// let (id, suite) = (CallId::generate(rng), FrameSuite::default());
/// let mut at_alice = GroupCall::start(id, suite, Participant(0), alice.public(), now, rng);
/// let mut at_bob = GroupCall::start(id, suite, Participant(1), bob.public(), now, rng);
/// at_alice.join(Participant(1), bob.public(), rng)?;
/// at_bob.join(Participant(0), alice.public(), rng)?;
///
/// // Every participant sends its key to every other; here Alice to Bob.
/// let message = a.encrypt(&at_alice.key_for(&a)?.to_bytes(), rng)?;
/// let read = b.decrypt(&bob, &message)?.plaintext.confirmed().expect("Alice has read an answer");
/// let Signal::EpochKey(key) = Signal::from_bytes(&read)? else { panic!("Bob expects a key") };
/// at_bob.accept_key(key, &b)?;
///
/// let mut packet = Vec::new();
/// at_alice.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
/// assert_eq!(&*at_bob.open(b"stream 1", &mut packet)?.plaintext, b"20 ms of sound");
///
/// at_alice.leave(Participant(1), rng)?; // Bob cannot decrypt Alice's frames from here on
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
    /// Maximum number of participants, including the local one.
    pub const MAX_PARTICIPANTS: usize = FrameOpener::MAX_PARTICIPANTS;

    /// Joins `call` as `participant`, with no other members yet.
    ///
    /// `own` is the local identity key. `call` and `suite` are the same for all members. `now` is the local time: from it
    /// come the numbers of the epochs, so that those of a participant who left, or restarted, and joins again are after
    /// those of its former stay. (A clock that was set back meanwhile makes its keys look old to the others, until they
    /// have removed and added it once more.) Draws 32 bytes from `rng`. Requirement P-9.15.
    #[must_use]
    pub fn start(
        call: CallId,
        suite: FrameSuite,
        participant: Participant,
        own: &IdentityKey,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let epoch = Epoch::generate(call, first_epoch(now), participant, suite, &mut rng);
        let sealer = FrameSealer::new(epoch.sender_key(own));
        Self { own: *own, others: BTreeMap::new(), epoch, sealer, opener: FrameOpener::new() }
    }

    /// Adds a participant, and begins a new epoch. Send the new [key](Self::key_for) to every other participant.
    ///
    /// Draws 32 bytes from `rng`. Requirement P-9.7.
    ///
    /// # Errors
    ///
    /// [`MemberError`] if the participant or its identity is in the call already, the call is full, or no epoch is
    /// left.
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

    /// Removes a participant and its keys, and begins a new epoch. Send the new [key](Self::key_for) to every other
    /// participant.
    ///
    /// Draws 32 bytes from `rng`. Requirement P-9.7.
    ///
    /// The participant who left can decrypt the frames of each other member until that member has removed it too. Older
    /// keys of the other members still decrypt late frames for a while; [`GroupCall::forget_older`] ends that.
    ///
    /// # Errors
    ///
    /// [`MemberError`] if the participant is not in the call, or no epoch is left.
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

    /// Begins a new epoch with a fresh key (P-9.6), used from the next frame on (P-9.7).
    fn advance(&mut self, rng: &mut dyn CryptoRng) -> Result<(), MemberError> {
        let Epoch { call, number, participant, suite, .. } = &self.epoch;
        let number = number.checked_add(1).ok_or(MemberError::Exhausted)?;
        let epoch = Epoch::generate(*call, number, *participant, *suite, rng);
        self.sealer = FrameSealer::new(epoch.sender_key(&self.own));
        self.epoch = epoch;
        Ok(())
    }

    /// Returns the current local key for the peer of `session`. Send it as a message in this session.
    ///
    /// # Errors
    ///
    /// [`MemberError::NotInCall`] if the peer is not in the call.
    pub fn key_for(&self, session: &Session) -> Result<EpochKey, MemberError> {
        self.member(session.peer()).ok_or(MemberError::NotInCall)?;
        Ok(self.epoch.key_for(&self.own, session))
    }

    /// Takes the key of another participant. `session` is the session in which it arrived.
    ///
    /// # Errors
    ///
    /// [`EpochKeyError`] if the key is for another call, its sender is not in the call, it was not made for this device
    /// and session, or a newer key of the sender is known.
    pub fn accept_key(&mut self, key: EpochKey, session: &Session) -> Result<(), EpochKeyError> {
        if key.call() != self.epoch.call {
            return Err(EpochKeyError::OtherCall);
        }
        let participant = self.member(session.peer()).ok_or(EpochKeyError::NotInCall)?;
        // P-9.5: the sender's own number, the call's suite, and a confirmation for this device and session.
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

    /// Encrypts one frame for all participants. See [`FrameSealer::seal`].
    ///
    /// # Errors
    ///
    /// As for [`FrameSealer::seal`].
    pub fn seal(&mut self, metadata: &[u8], plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        self.sealer.seal(metadata, plaintext, output)
    }

    /// Decrypts one frame of any participant. See [`FrameOpener::open`].
    ///
    /// A frame with an unknown key may have overtaken that key: keep it for a moment and try again.
    ///
    /// # Errors
    ///
    /// As for [`FrameOpener::open`].
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<DecryptedFrame<'a>, OpenError> {
        self.opener.open(metadata, frame)
    }

    /// Removes the other participants' older keys. See [`FrameOpener::forget_older`].
    pub fn forget_older(&mut self) {
        self.opener.forget_older();
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.epoch.call
    }

    /// Returns the number of the local epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch.number
    }

    /// Returns the other participants and their identity keys.
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

/// P-9.15: the number of the first epoch of a stay in a call: the time in 1/65,536 of a second. Nobody joins and leaves so
/// often that the numbers of one stay reach those of the next.
fn first_epoch(now: Timestamp) -> u64 {
    now.as_unix_seconds().min(LAST_MOMENT) << STEPS
}

/// Bits of an epoch's number below the seconds.
const STEPS: u32 = 16;
/// The last moment that enters a number, in seconds since 1970.
const LAST_MOMENT: u64 = (1 << (u64::BITS - STEPS)) - 1;
