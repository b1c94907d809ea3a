//! [`Session`]: everything that one device knows about one peer device in version 4 (section 13 of
//! `bisik::manual::interop`).
//!
//! Performs no I/O: bytes and values in, bytes and values out.

mod accept; //  a state from a peer's pre-key message
mod held; //    messages, sent and received, that wait until the state is stored
mod open; //    find the state, verify, and only then commit
mod persist; // sealed state
mod staged; //  a received message that is not committed yet

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

pub use accept::{Accepted, Reinitiated};
pub use held::Held;
pub use staged::Staged;

use super::addresses::Addresses;
use super::bundle::VerifiedBundle;
use super::ciphertext::Ciphertext;
use super::pqxdh::{self, Initiated};
use super::spqr::Spqr;
use super::wire::{Around, VERSION, after_body};
use crate::signal::ciphertext::MessageKind;
use crate::signal::key::{Identity, IdentityKey, PublicKey};
use crate::signal::limits::{MAX_ARCHIVED, MAX_SKIPPED_TOTAL};
use crate::signal::ratchet::{Form, Parties, Ratchet};
use crate::signal::session::{DecryptError, EncryptError, InitiateError};
use bisik_core::held::Lineage;
use bisik_core::primitives::kyber1024::CIPHERTEXT;
use bisik_core::revision;

/// An end-to-end-encrypted session between two devices: a current state, and the states that it replaced.
///
/// It works as [`signal::Session`](crate::signal::Session) does, with a post-quantum part in the handshake and in every
/// message. Store it before a message is sent and before a plaintext is shown (`bisik::manual::persistence`);
/// [`Session::encrypt_held`], [`Session::decrypt_held`] and [`Session::stage`] enforce this order. A session that was
/// restored from an old record must not encrypt: a message key that is used twice encrypts two messages under one
/// initialisation vector. `Send + Sync` where the target has atomic pointers; not `Clone`, because a copy would fork the
/// key stream.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::v4::{Accepted, Ciphertext, PreKeys, Session};
/// use bisik::interop::signal::{Identity, Trust};
///
/// let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let mut keys = PreKeys::generate(&bob, rng);
/// let (id, kyber) = (keys.replenish(1, rng)?[0], keys.replenish_kyber(&bob, 1, rng)?[0]);
/// let bundle = keys.bundle(&bob, 1, Some(id), Some(kyber))?.verify(Trust::Pinned(&bob.public()))?;
///
/// let mut a = Session::initiate(&alice, &bundle, None, rng)?;
/// let hello = a.encrypt(b"halo", rng)?;
///
/// let received = Ciphertext::from_parts(hello.kind(), hello.as_bytes())?;
/// let Accepted { session: mut b, plaintext, used } =
///     Session::accept(&bob, &keys, &received, Trust::OnFirstUse, None)?;
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
    addresses: Option<Addresses>,
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
    /// What every message names until the peer has shown that it has this state. S-5.1.
    unanswered: Option<Box<Offer>>,
    ratchet: Ratchet,
    spqr: Spqr,
}

/// The pre-keys that a state of the local device was set up with, and the ciphertext for the Kyber pre-key.
#[derive(Clone)]
struct Offer {
    pre_key_id: Option<u32>,
    signed_pre_key_id: u32,
    kyber_pre_key_id: u32,
    kyber_ciphertext: Box<[u8; CIPHERTEXT]>,
}

impl Session {
    /// Sets up a session with the owner of `bundle`, from 64 bytes of `rng`. Sends nothing by itself. Until the peer
    /// answers, every message is a pre-key message, which can open the session.
    ///
    /// `addresses` are the names of both devices, where both have service ids: pre-key messages then carry them, and an
    /// incoming message with other names is refused. Without them nothing is written, and names are not compared. S-13.7.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] if the bundle is the local device's own, and [`InitiateError::Internal`].
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        addresses: Option<Addresses>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let state = State::initiate(identity, bundle, &mut rng)?;
        Ok(Self {
            ours: identity.public(),
            registration_id: identity.registration_id(),
            peer: *bundle.identity(),
            addresses,
            states: VecDeque::from([state]),
            lineage: Lineage::default(),
        })
    }

    /// Sets up a new state with the same peer and encrypts in it from now on: for a peer that has lost its session. The
    /// other states remain for decryption. Uses 64 bytes of `rng`.
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
        if identity.public() != self.ours || *bundle.identity() != self.peer {
            return Err(InitiateError::WrongIdentity);
        }
        let state = State::initiate(identity, bundle, &mut rng)?;
        self.push(state);
        self.lineage.change();
        Ok(())
    }

    /// Encrypts one message. Encryption hides the content, but neither its length nor the sender's identity: pad first
    /// if the length matters.
    ///
    /// Ciphertext expansion: 65 to 125 bytes, and about 1,700 more until the peer has answered. Uses 64 or 32 bytes of
    /// `rng` when the post-quantum ratchet draws, and then 32 when a DH step is due. Store the session before the message
    /// is sent: [`Session::encrypt_held`] enforces that.
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
        let Self { ours, registration_id, peer, addresses, states, lineage } = self;
        let State { base_key, unanswered, ratchet, spqr, .. } =
            states.front_mut().ok_or(EncryptError::Internal)?.as_mut();
        // In this order, because recorded runs list their draws so: those of the post-quantum ratchet, then that of the step.
        let sending = spqr.send(&mut rng)?;
        let next = ratchet.prepare(plaintext, &mut rng)?;
        // S-13.7
        let names = addresses.filter(|_| unanswered.is_some()).map(|addresses| addresses.outgoing());
        let after = after_body(&sending.part, names);
        let length = next.length().saturating_add(after.len());
        let parties = Parties { sender: ours, receiver: peer, salt: sending.key.expose() };
        let form = Form { version: VERSION, after: &after };
        let ciphertext = match unanswered {
            None => {
                let mut bytes = Vec::with_capacity(length);
                ratchet.seal_as(next, &mut bytes, parties, form, plaintext)?;
                Ciphertext::made(MessageKind::Whisper, bytes)
            }
            Some(offer) => {
                let around = offer.around(*registration_id, *base_key, ours);
                let mut bytes = Vec::with_capacity(length.saturating_add(Around::MOST));
                around.write_before(&mut bytes, length);
                ratchet.seal_as(next, &mut bytes, parties, form, plaintext)?;
                around.write_after(&mut bytes);
                Ciphertext::made(MessageKind::PreKey, bytes)
            }
        };
        spqr.sent(sending);
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
        self.states.front().is_some_and(|state| state.unanswered.is_none())
    }

    /// The epoch of the post-quantum ratchet in the current state, from 1. It grows as long as both sides write.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.states.front().map_or(0, |state| state.spqr.epoch())
    }

    /// How many messages were sent and received under the newest post-quantum secret in use. A peer that never answers,
    /// or that writes nothing for the ratchet, keeps it from healing: then this number grows without end. Set up a new
    /// session if that must not be.
    #[must_use]
    pub fn messages_in_epoch(&self) -> u32 {
        self.states.front().map_or(0, |state| state.spqr.messages())
    }

    /// How many states remain for decryption beside the current one; at most 40.
    #[must_use]
    pub fn archived(&self) -> usize {
        self.states.len().saturating_sub(1)
    }

    /// The number of skipped message keys, without those of the post-quantum ratchet; at most 10,000 of either.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.states.iter().fold(0, |sum, state| sum.saturating_add(state.ratchet.skipped_keys()))
    }

    fn skipped_post_quantum_keys(&self) -> usize {
        self.states.iter().fold(0, |sum, state| sum.saturating_add(state.spqr.skipped_keys()))
    }

    /// Makes `state` the current one. If there are too many, discards the states used longest ago. S-5.2, S-6.5.
    fn push(&mut self, mut state: Box<State>) {
        state.since_revision = revision::after(self.lineage.revision());
        self.states.push_front(state);
        self.states.truncate(MAX_ARCHIVED + 1);
        self.discard_skipped_keys();
    }

    /// Discards skipped keys of both ratchets until the bound of each holds, those of the states used longest ago first.
    /// S-6.3, S-13.13.
    fn discard_skipped_keys(&mut self) {
        let mut surplus = self.skipped_keys().saturating_sub(MAX_SKIPPED_TOTAL);
        let mut post_quantum = self.skipped_post_quantum_keys().saturating_sub(MAX_SKIPPED_TOTAL);
        for state in self.states.iter_mut().rev() {
            surplus = state.ratchet.discard_skipped_keys(surplus);
            post_quantum = state.spqr.discard_skipped_keys(post_quantum);
        }
    }
}

impl State {
    fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<Self>, InitiateError> {
        if *bundle.identity() == identity.public() {
            return Err(InitiateError::OwnBundle);
        }
        let Initiated { base_key, ciphertext, ratchet, spqr } = pqxdh::initiate(identity, bundle, rng)?;
        let offer = Offer {
            pre_key_id: bundle.classical.one_time.as_ref().map(|(id, _)| *id),
            signed_pre_key_id: bundle.classical.signed_id,
            kyber_pre_key_id: bundle.kyber_id,
            kyber_ciphertext: ciphertext,
        };
        Ok(Box::new(Self {
            base_key,
            peer_registration_id: bundle.classical.registration_id,
            since_revision: 0,
            unanswered: Some(Box::new(offer)),
            ratchet,
            spqr,
        }))
    }
}

impl Offer {
    fn around(&self, registration_id: u32, base_key: PublicKey, ours: &IdentityKey) -> Around<'_> {
        let Self { pre_key_id, signed_pre_key_id, kyber_pre_key_id, kyber_ciphertext } = self;
        Around {
            registration_id,
            pre_key_id: *pre_key_id,
            signed_pre_key_id: *signed_pre_key_id,
            kyber_pre_key_id: *kyber_pre_key_id,
            kyber_ciphertext,
            base_key,
            identity: *ours.key(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("peer", &self.peer)
            .field("states", &self.states.len())
            .field("revision", &self.lineage.revision())
            .finish_non_exhaustive()
    }
}
