//! Decryption: find the state that a message belongs to, verify it there, and only then commit.
//!
//! S-13.14: the keys of both ratchets, the tag, the body, the braid, and then everything is kept. A forgery costs chain
//! steps and nothing else.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{DecryptError, Session, State};
use crate::signal::ciphertext::MessageKind;
use crate::signal::key::IdentityKey;
use crate::signal::limits::MAX_STEPS;
use crate::signal::ratchet::{Decrypted, OpenError, Parties, Ratchet, StateChange};
use crate::signal::v4::addresses::Addresses;
use crate::signal::v4::ciphertext::Ciphertext;
use crate::signal::v4::spqr::{Receiving, Spqr};
use crate::signal::v4::wire::Message;
use crate::signal::wire::Whisper;

/// A message that was decrypted in one of the states and has not changed it yet.
pub(super) struct OpenedMessage {
    pub(super) state: usize,
    pub(super) opened: Opened,
}

/// What a message says, and what it does to both ratchets.
pub(super) struct Opened {
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) change: StateChange,
    pub(super) receiving: Receiving,
}

/// The identities of a message that arrives.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) peer: &'a IdentityKey,
    pub(super) ours: &'a IdentityKey,
}

impl Session {
    pub(super) fn open(&self, message: &Ciphertext) -> Result<OpenedMessage, DecryptError> {
        match message.kind() {
            MessageKind::Whisper => {
                let message = message.message()?;
                check_names(self.addresses.as_ref(), &message)?;
                self.open_anywhere(&message)
            }
            MessageKind::PreKey => {
                let outer = message.pre_key_message()?;
                // S-5.3. The base key names the state, so that no pre-key is needed a second time.
                let known = self.states.iter().enumerate().find(|(_, state)| state.base_key == outer.base_key);
                let (state, found) = known.ok_or(DecryptError::OpensNewSession)?;
                // S-5.4. No tag covers the identity in a pre-key message: it must at least not contradict the
                // session's.
                if outer.identity != *self.peer.key() {
                    return Err(DecryptError::Rejected);
                }
                check_names(self.addresses.as_ref(), &outer.message)?;
                let opened = open_in(&found.ratchet, &found.spqr, &outer.message, self.incoming())?;
                Ok(OpenedMessage { state, opened })
            }
        }
    }

    /// A message of a known chain belongs to that chain's state alone. A message of an unknown chain is tried in all
    /// states that the peer can have stepped in, the current one first. Together they take no more steps than both
    /// ratchets of one state may. S-5.5, S-13.13.
    fn open_anywhere(&self, message: &Message<'_>) -> Result<OpenedMessage, DecryptError> {
        let known = self.states.iter().position(|state| state.ratchet.chain_of(&message.whisper).is_some());
        if let Some((state, found)) = known.and_then(|index| Some((index, self.states.get(index)?))) {
            let opened = open_in(&found.ratchet, &found.spqr, message, self.incoming())?;
            return Ok(OpenedMessage { state, opened });
        }
        // S-6.1. The tag of a long message costs more than the steps to its key, so that it counts too.
        let length = u32::try_from(message.whisper.authenticated.len() / BLOCK).unwrap_or(u32::MAX);
        let (mut steps, mut too_far) = (0_u32, false);
        for (state, known) in self.states.iter().enumerate().filter(|(_, known)| known.ratchet.awaits_step()) {
            steps = steps.saturating_add(message.whisper.counter).saturating_add(known.spqr.steps(&message.part));
            if steps > MAX_STEPS {
                return Err(DecryptError::TooFarAhead);
            }
            match open_in(&known.ratchet, &known.spqr, message, self.incoming()) {
                Ok(opened) => return Ok(OpenedMessage { state, opened }),
                Err(OpenError::TooFarAhead) => too_far = true,
                Err(OpenError::Rejected | OpenError::Replayed | OpenError::TooLate) => {}
            }
            steps = steps.saturating_add(length);
        }
        Err(if too_far { DecryptError::TooFarAhead } else { DecryptError::Rejected })
    }

    /// Whether a message makes its state the current one. It does if the peer made a DH step with it, because the peer
    /// then writes in that state now; any other message may merely be late, unless its state is newer than the current
    /// one. A current state that this device set up and that the peer has not answered stays current. S-5.6.
    fn becomes_current(&self, index: usize, change: &StateChange) -> bool {
        match (self.states.front(), self.states.get(index)) {
            (Some(current), Some(state)) if current.unanswered.is_none() => {
                change.is_step() || change.is_newest() && state.since_revision > current.since_revision
            }
            _ => false,
        }
    }

    fn incoming(&self) -> Incoming<'_> {
        Incoming { peer: &self.peer, ours: &self.ours }
    }

    /// Applies what [`Session::open`] found in the state at `index`, which counts as used. Cannot fail.
    pub(super) fn apply(&mut self, index: usize, change: StateChange, receiving: Receiving) {
        let becomes_current = self.becomes_current(index, &change);
        if let Some(state) = self.states.get_mut(index) {
            state.apply(change, receiving);
        }
        if index > 0
            && let Some(state) = self.states.remove(index)
        {
            // S-6.5
            let current = if becomes_current { None } else { self.states.pop_front() };
            self.states.push_front(state);
            if let Some(current) = current {
                self.states.push_front(current);
            }
        }
        self.discard_skipped_keys();
    }
}

impl State {
    pub(super) fn apply(&mut self, change: StateChange, receiving: Receiving) {
        self.ratchet.apply(change);
        self.spqr.apply(receiving);
        // S-5.1
        self.unanswered = None;
    }
}

/// Names that a message carries are those of the session, where the session has any. S-13.7.
pub(super) fn check_names(addresses: Option<&Addresses>, message: &Message<'_>) -> Result<(), OpenError> {
    match (addresses, message.addresses) {
        (Some(expected), Some(names)) if expected.incoming() != *names => Err(OpenError::Rejected),
        _ => Ok(()),
    }
}

/// Opens a message in the one state that it can belong to.
pub(super) fn open_in(
    ratchet: &Ratchet,
    spqr: &Spqr,
    message: &Message<'_>,
    incoming: Incoming<'_>,
) -> Result<Opened, OpenError> {
    let found = spqr.find(&message.part)?;
    let parties = Parties { sender: incoming.peer, receiver: incoming.ours, salt: found.key.expose() };
    let Decrypted { change, plaintext } = open_ratchet(ratchet, &message.whisper, parties)?;
    let receiving = spqr.receive(&message.part, found)?;
    Ok(Opened { plaintext, change, receiving })
}

fn open_ratchet(ratchet: &Ratchet, message: &Whisper<'_>, parties: Parties<'_>) -> Result<Decrypted, OpenError> {
    if let Some(chain) = ratchet.chain_of(message) {
        return ratchet.open_known(chain, message, parties);
    }
    let theirs = message.ratchet_key.point().map_err(|_| OpenError::Rejected)?;
    ratchet.open_next(&theirs, message, parties)
}

/// Bytes of a message whose authentication costs about as much as a chain step.
const BLOCK: usize = 64;
