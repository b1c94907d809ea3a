//! Accepting: a state from a peer's pre-key message (docs/interop.md, sections 2 and 5).
//!
//! S-2.4. The pre-keys are only read. Those that were used are returned, for the caller to remove.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::open::open_in;
use super::{AcceptError, Session, SetupState, State};
use crate::signal::bundle::Trust;
use crate::signal::ciphertext::{Ciphertext, MessageKind};
use crate::signal::key::{Identity, IdentityKey};
use crate::signal::limits::MAX_BASE_KEYS;
use crate::signal::prekeys::{PreKeys, UsedPreKeys};
use crate::signal::ratchet::{Decrypted, Parties};
use crate::signal::wire::PreKeyWhisper;
use crate::signal::x3dh;
use bisik_core::held::Lineage;

/// A session that a peer has set up, and its pre-key message.
///
/// Store `session` and, after [`PreKeys::remove`], the pre-keys in one transaction; then show `plaintext`.
#[must_use = "the pre-keys that were used have not been removed"]
pub struct Accepted {
    /// The new session.
    pub session: Session,
    /// The plaintext of the pre-key message.
    pub plaintext: Vec<u8>,
    /// The pre-keys that the message used.
    pub used: UsedPreKeys,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, plaintext: _, used } = self;
        f.debug_struct("Accepted").field("session", session).field("used", used).finish_non_exhaustive()
    }
}

/// A pre-key message by which the peer of an existing session set up a new state. Store the session and, after
/// [`PreKeys::remove`], the pre-keys in one transaction; then show `plaintext`.
#[must_use = "the pre-keys that were used have not been removed"]
pub struct Reinitiated {
    /// The plaintext of the pre-key message.
    pub plaintext: Vec<u8>,
    /// The pre-keys that the message used.
    pub used: UsedPreKeys,
}

impl fmt::Debug for Reinitiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plaintext: _, used } = self;
        f.debug_struct("Reinitiated").field("used", used).finish_non_exhaustive()
    }
}

impl Session {
    /// Accepts a pre-key message of a peer without a session: runs the handshake and decrypts the message, which
    /// authenticates the peer. Any of the messages that the peer sent before it had an answer will do, in any order.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]. No argument is changed, whatever the result.
    pub fn accept(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        trust: Trust<'_>,
    ) -> Result<Accepted, AcceptError> {
        let NewState { state, peer, number: _, plaintext, used } = NewState::read(identity, keys, message)?;
        // S-2.6. Trust is checked after the message has authenticated: otherwise a forgery could be reported to the
        // user as a changed identity key.
        if !trust.allows(&peer) {
            return Err(AcceptError::IdentityMismatch);
        }
        let session = Self {
            ours: identity.public(),
            registration_id: identity.registration_id(),
            peer,
            states: VecDeque::from([state]),
            lineage: Lineage::default(),
        };
        Ok(Accepted { session, plaintext, used })
    }

    /// Accepts a pre-key message by which this session's peer reinitiated: one for which [`Session::decrypt`] returned
    /// [`DecryptError::OpensNewSession`](super::DecryptError::OpensNewSession). The session encrypts in the new state
    /// from now on; the other states remain for decryption. A session that was begun at this side too, and has no answer
    /// yet, goes on in its own state until the peer's messages show that it reads nothing there.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; the session is then unchanged. A peer with a new identity gives
    /// [`AcceptError::IdentityMismatch`]: once the user has been warned, forget this session and call
    /// [`Session::accept`].
    pub fn accept_reinitiated(
        &mut self,
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
    ) -> Result<Reinitiated, AcceptError> {
        self.lineage.check()?;
        if identity.public() != self.ours {
            return Err(AcceptError::WrongIdentity);
        }
        let NewState { state, peer, number, plaintext, used } = NewState::read(identity, keys, message)?;
        if peer != self.peer {
            return Err(AcceptError::IdentityMismatch);
        }
        if self.states.iter().any(|known| known.base_key == state.base_key) {
            return Err(AcceptError::Replayed);
        }
        // S-5.2
        let becomes_current = self.is_confirmed() || self.yields_to(number);
        self.add(state, becomes_current);
        self.lineage.change();
        Ok(Reinitiated { plaintext, used })
    }
}

/// A state that a pre-key message has set up and that is in no session yet.
struct NewState {
    state: Box<State>,
    peer: IdentityKey,
    /// The message's number in its chain.
    number: u32,
    plaintext: Vec<u8>,
    used: UsedPreKeys,
}

impl NewState {
    fn read(identity: &Identity, keys: &PreKeys, message: &Ciphertext) -> Result<Self, AcceptError> {
        if message.kind() != MessageKind::PreKey {
            return Err(AcceptError::NotPreKeyMessage);
        }
        let ours = identity.public();
        if *keys.owner() != ours {
            return Err(AcceptError::WrongIdentity);
        }
        let outer = message.pre_key_whisper()?;
        let (keys_named, used) = keys.named(&outer)?;
        let peer = IdentityKey::from(outer.identity);
        let mut ratchet = x3dh::respond(identity, &keys_named).map_err(|_| AcceptError::Rejected)?;
        let Decrypted { change, mut plaintext } =
            open_in(&ratchet, &outer.message, Parties { sender: &peer, receiver: &ours, salt: &[0; 32] })?;
        // S-1.9. Checked last: it costs as much as a key agreement, and no forgery gets this far.
        if !outer.base_key.point().is_ok_and(|base| base.is_torsion_free()) {
            return Err(AcceptError::Rejected);
        }
        ratchet.apply(change);
        let state = Box::new(State {
            base_key: outer.base_key,
            peer_registration_id: outer.registration_id,
            since_revision: 0,
            setup: SetupState::Answered,
            ratchet,
        });
        let number = outer.message.counter;
        Ok(Self { state, peer, number, plaintext: core::mem::take(&mut plaintext), used })
    }
}

impl PreKeys {
    /// The pre-keys that a pre-key message names, and the value that removes them.
    fn named<'a>(
        &'a self,
        outer: &'a PreKeyWhisper<'_>,
    ) -> Result<(x3dh::PreKeyMessageKeys<'a>, UsedPreKeys), AcceptError> {
        let mut all = self.signed.iter();
        let signed = all.find(|known| known.id == outer.signed_pre_key_id).ok_or(AcceptError::UnknownPreKey)?;
        let one_time = match outer.pre_key_id {
            Some(id) => Some(self.one_time.get(&id).ok_or(AcceptError::UnknownPreKey)?),
            // S-2.5
            None if signed.base_keys.contains(&outer.base_key) => return Err(AcceptError::Replayed),
            None if signed.base_keys.len() >= MAX_BASE_KEYS => return Err(AcceptError::ReplayCacheFull),
            None => None,
        };
        let keys_named = x3dh::PreKeyMessageKeys {
            signed: &signed.pair,
            one_time,
            base_key: &outer.base_key,
            identity: &outer.identity,
        };
        Ok((keys_named, UsedPreKeys { one_time: outer.pre_key_id, signed: signed.id, base_key: outer.base_key }))
    }
}
