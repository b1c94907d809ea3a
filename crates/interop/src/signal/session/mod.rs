//! [`Session`]: everything that one device knows about one peer device (section 5 of `bisik::manual::interop`).
//!
//! Performs no I/O: bytes and values in, bytes and values out.

mod accept; //  a state from a peer's pre-key message
mod error; //   why not
mod held; //    messages, sent and received, that wait until the state is stored
mod open; //    find the state, verify, and only then commit
mod persist; // sealed state
mod staged; //  a received message that is not committed yet

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
use super::ciphertext::{Ciphertext, MessageKind};
use super::key::{Identity, IdentityKey, PublicKey};
use super::limits::{MAX_ARCHIVED, MAX_SKIPPED_TOTAL};
use super::ratchet::{Parties, Ratchet};
use super::wire::PreKeyHeader;
use super::x3dh;
use bisik_core::held::Lineage;
use bisik_core::revision;

/// An end-to-end-encrypted session between two devices: a current state, and the states that it replaced.
///
/// Each handshake, in either direction, creates a state. Messages are encrypted in the current state, which is the one
/// that was set up last or in which the peer took a DH step last, and decrypted in any of them (section 5 of
/// `bisik::manual::interop` has the details and exceptions). Of two devices that initiate at the same time each reads
/// the other, and both end up in one state once their messages no longer cross.
///
/// The value holds its whole state: load it, use it, [seal](Session::seal) it, store it before a message is sent and
/// before a plaintext is shown (`bisik::manual::persistence`). [`Session::encrypt_held`], [`Session::decrypt_held`] and
/// [`Session::stage`] enforce this order. Unlike a native session, a session that was restored from an old record must
/// not encrypt: the protocol has no salt, and a message key that is used twice encrypts two messages under one
/// initialisation vector. `Send + Sync` where the target has atomic pointers; not `Clone`, because a copy would fork
/// the key stream.
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
    /// The current state first, then the others, most recently used first. Never empty.
    states: VecDeque<Box<State>>,
    /// The revision, and what ties the value to its records and to what it holds.
    lineage: Lineage,
}

/// One state: what one handshake set up.
struct State {
    /// The initiator's ephemeral key, which names the state on both sides.
    base_key: PublicKey,
    peer_registration_id: u32,
    /// The session's revision when the state was set up: tells which of two states is newer.
    since_revision: u64,
    setup: SetupState,
    ratchet: Ratchet,
}

/// How the state was set up, as far as that still matters.
#[derive(Clone, Copy)]
enum SetupState {
    /// The local device initiated and has no answer yet: every message names the pre-keys. S-5.1.
    Unanswered { pre_key_id: Option<u32>, signed_pre_key_id: u32 },
    /// The peer has shown that it has this state.
    Answered,
}

impl Session {
    /// Sets up a session with the owner of `bundle`, from 32 bytes of `rng`. Sends nothing by itself. Until the peer
    /// answers, every message is a pre-key message, which can open the session.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] if the bundle is the local device's own, and [`InitiateError::Internal`].
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let state = State::initiate(identity, bundle, &mut rng)?;
        Ok(Self {
            ours: identity.public(),
            registration_id: identity.registration_id(),
            peer: bundle.identity,
            states: VecDeque::from([state]),
            lineage: Lineage::default(),
        })
    }

    /// Sets up a new state with the same peer and encrypts in it from now on: for a peer that has lost its session. The
    /// other states remain for decryption. Uses 32 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`InitiateError`]; the session is then unchanged.
    pub fn reinitiate(
        &mut self,
        identity: &Identity,
        bundle: &VerifiedBundle,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), InitiateError> {
        self.lineage.check()?;
        if identity.public() != self.ours || bundle.identity != self.peer {
            return Err(InitiateError::WrongIdentity);
        }
        let state = State::initiate(identity, bundle, &mut rng)?;
        self.add(state, true);
        self.lineage.change();
        Ok(())
    }

    /// Encrypts one message. Encryption hides the content, but neither its length nor the sender's identity: pad first
    /// if the length matters.
    ///
    /// Ciphertext expansion: 60 to 80 bytes, and about 90 more until the peer has answered. Uses 32 bytes of `rng` when
    /// a DH step is due. Store the session before the message is sent: [`Session::encrypt_held`] enforces that.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]; the session is then unchanged.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ciphertext, EncryptError> {
        self.lineage.check()?;
        let Self { ours, registration_id, peer, states, lineage } = self;
        let state = states.front_mut().ok_or(EncryptError::Internal)?;
        let next = state.ratchet.prepare(plaintext, &mut rng)?;
        let parties = Parties { sender: ours, receiver: peer, salt: &[0; 32] };
        let ciphertext = match state.setup {
            SetupState::Answered => {
                let mut bytes = Vec::with_capacity(next.length());
                state.ratchet.seal(next, &mut bytes, parties, plaintext)?;
                Ciphertext::made(MessageKind::Whisper, bytes)
            }
            SetupState::Unanswered { pre_key_id, signed_pre_key_id } => {
                let header = PreKeyHeader {
                    registration_id: *registration_id,
                    pre_key_id,
                    signed_pre_key_id,
                    base_key: state.base_key,
                    identity: *ours.key(),
                };
                let mut bytes = Vec::with_capacity(next.length().saturating_add(PreKeyHeader::MOST));
                header.write_before(&mut bytes, next.length());
                state.ratchet.seal(next, &mut bytes, parties, plaintext)?;
                header.write_after(&mut bytes);
                Ciphertext::made(MessageKind::PreKey, bytes)
            }
        };
        lineage.change();
        Ok(ciphertext)
    }

    /// Decrypts one message and commits at once. Uses no clock and no randomness: the result depends on state and bytes
    /// alone.
    ///
    /// Messages may arrive late, twice or out of order, and belong to any of the states. Pass a pre-key message of an
    /// unknown state ([`DecryptError::OpensNewSession`]) to [`Session::accept_reinitiated`].
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the session is then unchanged.
    pub fn decrypt(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// The peer's identity. Authenticated: every message that decrypts was encrypted by the holder of this identity.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.peer
    }

    /// The peer's registration id, as its bundle or pre-key message claimed.
    #[must_use]
    pub fn peer_registration_id(&self) -> u32 {
        self.states.front().map_or(0, |state| state.peer_registration_id)
    }

    /// The initiator's ephemeral key of the current state: a public name of it, the same on both sides.
    #[must_use]
    pub fn base_key(&self) -> Option<&PublicKey> {
        self.states.front().map(|state| &state.base_key)
    }

    /// Counts changes: for compare-and-swap in the store, and to detect a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// Whether the peer has shown that it has the current state.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.states.front().is_some_and(|state| matches!(state.setup, SetupState::Answered))
    }

    /// How many states remain for decryption beside the current one; at most 40.
    #[must_use]
    pub fn archived(&self) -> usize {
        self.states.len().saturating_sub(1)
    }

    /// The number of skipped message keys; at most 10,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.states.iter().fold(0, |sum, state| sum.saturating_add(state.ratchet.skipped_keys()))
    }

    /// Adds a new state. If there are too many, discards those used longest ago. S-5.2, S-6.5.
    fn add(&mut self, mut state: Box<State>, becomes_current: bool) {
        state.since_revision = revision::after(self.lineage.revision());
        self.place(state, becomes_current);
        self.states.truncate(MAX_ARCHIVED + 1);
        self.discard_skipped_keys();
    }

    /// Puts a state before all others, or before all but the current one.
    fn place(&mut self, state: Box<State>, becomes_current: bool) {
        let current = if becomes_current { None } else { self.states.pop_front() };
        self.states.push_front(state);
        if let Some(current) = current {
            self.states.push_front(current);
        }
    }

    /// Discards skipped message keys until the bound holds, those of the states used longest ago first. S-6.3.
    fn discard_skipped_keys(&mut self) {
        let mut surplus = self.skipped_keys().saturating_sub(MAX_SKIPPED_TOTAL);
        for state in self.states.iter_mut().rev() {
            if surplus == 0 {
                break;
            }
            surplus = state.ratchet.discard_skipped_keys(surplus);
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
        let (base_key, ratchet) = x3dh::initiate(identity, bundle, rng)?;
        let pre_key_id = bundle.one_time.as_ref().map(|(id, _)| *id);
        let setup = SetupState::Unanswered { pre_key_id, signed_pre_key_id: bundle.signed_id };
        Ok(Box::new(Self { base_key, peer_registration_id: bundle.registration_id, since_revision: 0, setup, ratchet }))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours: _, registration_id: _, peer, states, lineage } = self;
        f.debug_struct("Session")
            .field("peer", peer)
            .field("states", &states.len())
            .field("revision", &lineage.revision())
            .finish_non_exhaustive()
    }
}
