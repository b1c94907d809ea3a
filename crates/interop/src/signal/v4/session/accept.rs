//! Accepting: a state from a peer's pre-key message (docs/interop.md, sections 5 and 13).
//!
//! S-2.4. The pre-keys are only read. Those that were used are returned, for the caller to remove.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::open::{Incoming, Opened, check_names, open_in};
use super::{Addresses, Session, State};
use crate::signal::bundle::Trust;
use crate::signal::ciphertext::MessageKind;
use crate::signal::key::{Identity, IdentityKey};
use crate::signal::limits::MAX_BASE_KEYS;
use crate::signal::session::AcceptError;
use crate::signal::v4::ciphertext::Ciphertext;
use crate::signal::v4::kyber::KyberKeyPair;
use crate::signal::v4::pqxdh;
use crate::signal::v4::prekeys::{PreKeys, UsedPreKeys};
use crate::signal::v4::wire::PreKeyMessage;
use crate::signal::x3dh::PreKeyMessageKeys;
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
    /// `addresses` are those of [`Session::initiate`].
    ///
    /// # Errors
    ///
    /// [`AcceptError`]. No argument is changed, whatever the result.
    pub fn accept(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        trust: Trust<'_>,
        addresses: Option<Addresses>,
    ) -> Result<Accepted, AcceptError> {
        let NewState { state, peer, plaintext, used } = NewState::read(identity, keys, message, addresses.as_ref())?;
        // S-2.6. Trust is checked after the message has authenticated: otherwise a forgery could be reported to the
        // user as a changed identity key.
        if !trust.allows(&peer) {
            return Err(AcceptError::IdentityMismatch);
        }
        let session = Self {
            ours: identity.public(),
            registration_id: identity.registration_id(),
            peer,
            addresses,
            states: VecDeque::from([state]),
            lineage: Lineage::default(),
        };
        Ok(Accepted { session, plaintext, used })
    }

    /// Accepts a pre-key message by which this session's peer reinitiated: one for which [`Session::decrypt`] returned
    /// [`DecryptError::OpensNewSession`](crate::signal::DecryptError::OpensNewSession). The session encrypts in the new state
    /// from now on; the other states remain for decryption.
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
        let NewState { state, peer, plaintext, used } =
            NewState::read(identity, keys, message, self.addresses.as_ref())?;
        if peer != self.peer {
            return Err(AcceptError::IdentityMismatch);
        }
        if self.states.iter().any(|known| known.base_key == state.base_key) {
            return Err(AcceptError::Replayed);
        }
        // S-13.17
        self.push(state);
        self.lineage.change();
        Ok(Reinitiated { plaintext, used })
    }
}

/// A state that a pre-key message has set up and that is in no session yet.
struct NewState {
    state: Box<State>,
    peer: IdentityKey,
    plaintext: Vec<u8>,
    used: UsedPreKeys,
}

impl NewState {
    fn read(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        addresses: Option<&Addresses>,
    ) -> Result<Self, AcceptError> {
        if message.kind() != MessageKind::PreKey {
            return Err(AcceptError::NotPreKeyMessage);
        }
        let ours = identity.public();
        if *keys.owner() != ours {
            return Err(AcceptError::WrongIdentity);
        }
        let outer = message.pre_key_message()?;
        check_names(addresses, &outer.message)?;
        let (keys_named, kyber, used) = keys.named(&outer)?;
        let peer = IdentityKey::from(outer.identity);
        let (ratchet, spqr) =
            pqxdh::respond(identity, &keys_named, kyber, outer.kyber_ciphertext).map_err(|_| AcceptError::Rejected)?;
        let Opened { mut plaintext, change, receiving } =
            open_in(&ratchet, &spqr, &outer.message, Incoming { peer: &peer, ours: &ours })?;
        // S-1.9. Checked last: it costs as much as a key agreement, and no forgery gets this far.
        if !outer.base_key.point().is_ok_and(|base| base.is_torsion_free()) {
            return Err(AcceptError::Rejected);
        }
        let mut state = Box::new(State {
            base_key: outer.base_key,
            peer_registration_id: outer.registration_id,
            since_revision: 0,
            unanswered: None,
            ratchet,
            spqr,
        });
        state.apply(change, receiving);
        Ok(Self { state, peer, plaintext: core::mem::take(&mut plaintext), used })
    }
}

impl PreKeys {
    /// The pre-keys that a pre-key message names, and the value that removes them.
    fn named<'a>(
        &'a self,
        outer: &'a PreKeyMessage<'_>,
    ) -> Result<(PreKeyMessageKeys<'a>, &'a KyberKeyPair, UsedPreKeys), AcceptError> {
        let mut all = self.curve.signed.iter();
        let signed = all.find(|known| known.id == outer.signed_pre_key_id).ok_or(AcceptError::UnknownPreKey)?;
        let (kyber, once) = self.kyber_of(outer.kyber_pre_key_id).ok_or(AcceptError::UnknownPreKey)?;
        let one_time = match outer.pre_key_id {
            Some(id) => Some(self.curve.one_time.get(&id).ok_or(AcceptError::UnknownPreKey)?),
            None if once => None,
            // S-13.5
            None if signed.base_keys.contains(&outer.base_key) => return Err(AcceptError::Replayed),
            None if signed.base_keys.len() >= MAX_BASE_KEYS => return Err(AcceptError::ReplayCacheFull),
            None => None,
        };
        let keys_named =
            PreKeyMessageKeys { signed: &signed.pair, one_time, base_key: &outer.base_key, identity: &outer.identity };
        let used =
            UsedPreKeys { one_time: outer.pre_key_id, signed: signed.id, kyber: kyber.id, base_key: outer.base_key };
        Ok((keys_named, &kyber.pair, used))
    }
}
