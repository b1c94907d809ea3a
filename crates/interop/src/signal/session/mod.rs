//! [`Session`]: everything that one device knows about one peer device (docs/interop.md, section 5).
//!
//! Does not know accounts, groups or any network: bytes and values in, bytes and values out.

mod accept; // a state from a peer's first message
mod error; //  why not
mod held; //   messages, sent and received, that wait until the state is stored
mod open; //   find the state, verify, and only then commit
mod persist; // sealed state
mod staged; // a received message that is not committed yet

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

pub use super::ratchet::EncryptError;
pub use accept::{Accepted, Reinitiated};
pub use error::{AcceptError, DecryptError, InitiateError};
pub use held::Held;
pub use staged::Staged;

use super::bundle::VerifiedBundle;
use super::ciphertext::{Ciphertext, Kind};
use super::key::{Identity, IdentityKey, PublicKey};
use super::limits::{MAX_ARCHIVED, MAX_SKIPPED_TOTAL};
use super::ratchet::{Parties, Ratchet};
use super::wire::PreKeyHeader;
use super::x3dh;

/// An end-to-end-encrypted session between two devices on this wire: a current state, and those that it replaced.
///
/// Each first message, in either direction, makes a state of its own. Messages are written in the current one and read in
/// all of them; the one whose newest message arrived last becomes the current one, so that two devices that began at the
/// same time end up in one.
///
/// The value is the record: load it, use it, [seal](Session::seal) it, store it before what it wrote is sent and before what
/// it read is shown (docs/persistence.md). Unlike a native session, a record that was rolled back is not safe to write from:
/// the wire has no salt that would keep a message key from being used twice. `Send + Sync`; not `Clone`, because a copy
/// would fork its key stream.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::{Accepted, Ciphertext, Identity, PreKeys, Session, Trust};
///
/// let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let mut keys = PreKeys::generate(&bob, rng);
/// let id = keys.replenish(1, rng)?[0];
/// let bundle = keys.bundle(&bob, 0, Some(id))?.verify(Trust::Pinned(&bob.public()))?;
///
/// let mut a = Session::initiate(&alice, &bundle, rng)?;
/// let hello = a.encrypt(b"halo", rng)?;
///
/// let received = Ciphertext::from_parts(hello.kind(), hello.as_bytes())?;
/// let Accepted { session: mut b, plaintext, used } =
///     Session::accept(&bob, &keys, &received, Trust::OnFirstUse)?;
/// keys.remove(used);
/// assert_eq!(plaintext, b"halo");
///
/// let answer = b.encrypt(b"hai", rng)?;
/// assert_eq!(a.decrypt(&answer)?, b"hai");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    ours: IdentityKey,
    registration_id: u32,
    peer: IdentityKey,
    /// The current one first, then the others, those used last before those used long ago. Never empty.
    states: VecDeque<Box<State>>,
    revision: u64,
}

/// One state: what one first message has set up.
struct State {
    /// The initiator's ephemeral key, by which both sides know the state.
    base_key: PublicKey,
    peer_registration_id: u32,
    /// The session's revision when the state was set up: which of two is the later.
    since_revision: u64,
    opening: Opening,
    ratchet: Ratchet,
}

/// How the state began, as far as that still matters.
#[derive(Clone, Copy)]
enum Opening {
    /// S-5.1. We initiated and have no answer yet: every message names the pre-keys.
    Unanswered { pre_key_id: Option<u32>, signed_pre_key_id: u32 },
    /// The peer has shown that it has the state.
    Answered,
}

impl Session {
    /// Sets up a session with the owner of `bundle`, from 32 bytes of `rng`. Nothing has to be sent until there is a
    /// message: every message can open the session until the peer has answered.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] where the bundle is the caller's own; [`InitiateError::Rejected`] where its keys agree on
    /// nothing.
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let mut rng = rng;
        let state = State::initiate(identity, bundle, &mut rng)?;
        Ok(Self {
            ours: identity.public(),
            registration_id: identity.registration_id(),
            peer: bundle.identity,
            states: VecDeque::from([state]),
            revision: 0,
        })
    }

    /// Sets up a new state with the same peer, and writes in it from now on: for a peer that has lost its own. The others
    /// stay for reading. Draws 32 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`InitiateError`]; the session is unchanged then.
    pub fn reinitiate(
        &mut self,
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), InitiateError> {
        let mut rng = rng;
        if identity.public() != self.ours || bundle.identity != self.peer {
            return Err(InitiateError::OtherIdentity);
        }
        let state = State::initiate(identity, bundle, &mut rng)?;
        self.push(state);
        self.revision = self.revision.saturating_add(1);
        Ok(())
    }

    /// Encrypts one message. It hides its content, not its length nor who is writing: pad before, if that matters.
    ///
    /// 60 to 80 bytes longer than `plaintext`, and about 90 more until the peer has answered. Draws 32 bytes of `rng` when
    /// a DH step is due. Store the session before the message leaves.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]; the session is unchanged then.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ciphertext, EncryptError> {
        let mut rng = rng;
        let Self { ours, registration_id, peer, states, revision } = self;
        let state = states.front_mut().ok_or(EncryptError::Exhausted)?;
        let next = state.ratchet.prepare(plaintext, &mut rng)?;
        let parties = Parties { sender: ours, receiver: peer };
        *revision = revision.saturating_add(1);
        match state.opening {
            Opening::Answered => {
                let mut bytes = Vec::with_capacity(next.length());
                state.ratchet.seal(&next, &mut bytes, parties, plaintext);
                Ok(Ciphertext::made(Kind::Whisper, bytes))
            }
            Opening::Unanswered { pre_key_id, signed_pre_key_id } => {
                let header = PreKeyHeader {
                    registration_id: *registration_id,
                    pre_key_id,
                    signed_pre_key_id,
                    base_key: state.base_key,
                    identity: *ours.key(),
                };
                let mut bytes = Vec::with_capacity(next.length().saturating_add(PreKeyHeader::MOST));
                header.write_before(&mut bytes, next.length());
                state.ratchet.seal(&next, &mut bytes, parties, plaintext);
                header.write_after(&mut bytes);
                Ok(Ciphertext::made(Kind::PreKey, bytes))
            }
        }
    }

    /// Decrypts one message and commits at once. No clock, no randomness: the result depends on state and bytes alone.
    ///
    /// Messages may come late, twice or out of order, and in any of the states. A first message of a state that is not
    /// here is for [`Session::accept_reinitiated`].
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the session is the same as before then, bit for bit.
    pub fn decrypt(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Whom the session is with. Authenticated: what decrypts was written by whoever holds this identity.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.peer
    }

    /// The peer's registration id, by the word of its bundle or of its first message.
    #[must_use]
    pub fn peer_registration_id(&self) -> u32 {
        self.states.front().map_or(0, |state| state.peer_registration_id)
    }

    /// The initiator's ephemeral key of the current state: a public name of it, the same on both sides.
    #[must_use]
    pub fn base_key(&self) -> Option<&PublicKey> {
        self.states.front().map(|state| &state.base_key)
    }

    /// Counts changes: for compare-and-swap in the store, and to notice a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the peer has shown that it has the current state.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.states.front().is_some_and(|state| matches!(state.opening, Opening::Answered))
    }

    /// How many states are kept for reading beside the current one; at most 40.
    #[must_use]
    pub fn archived(&self) -> usize {
        self.states.len().saturating_sub(1)
    }

    /// How many keys are kept for messages that have not arrived; at most 10,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.states.iter().fold(0, |sum, state| sum.saturating_add(state.ratchet.skipped_keys()))
    }

    /// S-5.2, S-6.5. Makes `state` the current one; of too many others, those used longest ago go.
    fn push(&mut self, mut state: Box<State>) {
        state.since_revision = self.revision.saturating_add(1);
        self.states.push_front(state);
        self.states.truncate(MAX_ARCHIVED.saturating_add(1));
        self.give_up();
    }

    /// S-6.3. Gives up kept keys, those of the states used longest ago first, until the bound holds.
    fn give_up(&mut self) {
        let mut surplus = self.skipped_keys().saturating_sub(MAX_SKIPPED_TOTAL);
        for state in self.states.iter_mut().rev() {
            if surplus == 0 {
                break;
            }
            surplus = state.ratchet.give_up(surplus);
        }
    }
}

impl State {
    fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<Self>, InitiateError> {
        if bundle.identity == identity.public() {
            return Err(InitiateError::OwnBundle);
        }
        let (base_key, ratchet) = x3dh::initiate(identity, bundle, rng).map_err(|_| InitiateError::Rejected)?;
        let pre_key_id = bundle.one_time.as_ref().map(|(id, _)| *id);
        let opening = Opening::Unanswered { pre_key_id, signed_pre_key_id: bundle.signed_id };
        Ok(Box::new(Self {
            base_key,
            peer_registration_id: bundle.registration_id,
            since_revision: 0,
            opening,
            ratchet,
        }))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours: _, registration_id: _, peer, states, revision } = self;
        f.debug_struct("Session")
            .field("peer", peer)
            .field("states", &states.len())
            .field("revision", revision)
            .finish_non_exhaustive()
    }
}
