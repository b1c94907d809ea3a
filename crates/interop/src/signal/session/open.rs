//! Decryption: find the state that a message belongs to, verify it there, and only then commit.

use super::{DecryptError, Session, SetupState};
use crate::signal::ciphertext::{Ciphertext, MessageKind};
use crate::signal::limits::{MAX_SKIP, YIELD_GREATER, YIELD_SMALLER};
use crate::signal::ratchet::{Decrypted, OpenError, Parties, Ratchet, StateChange};
use crate::signal::wire::Whisper;

/// A message that was decrypted in one of the states and has not changed it yet.
pub(super) struct OpenedMessage {
    pub(super) place: Place,
    pub(super) opened: Decrypted,
}

/// Where a message was decrypted.
#[derive(Clone, Copy)]
pub(super) struct Place {
    state: usize,
    /// The message's number in its chain, of a pre-key message.
    first: Option<u32>,
}

impl Session {
    pub(super) fn open(&self, message: &Ciphertext) -> Result<OpenedMessage, DecryptError> {
        match message.kind() {
            MessageKind::Whisper => self.open_anywhere(&message.whisper()?),
            MessageKind::PreKey => {
                let outer = message.pre_key_whisper()?;
                // S-5.3. The base key names the state, so that no pre-key is needed a second time.
                let known = self.states.iter().enumerate().find(|(_, state)| state.base_key == outer.base_key);
                let (state, found) = known.ok_or(DecryptError::OpensNewSession)?;
                // S-5.4. No tag covers the identity in a pre-key message: it must at least not contradict the
                // session's.
                if outer.identity != *self.peer.key() {
                    return Err(DecryptError::Rejected);
                }
                let opened = open_in(&found.ratchet, &outer.message, self.incoming())?;
                Ok(OpenedMessage { place: Place { state, first: Some(outer.message.counter) }, opened })
            }
        }
    }

    /// A message of a known chain belongs to that chain's state alone. A message of an unknown chain is tried in all
    /// states that the peer can have stepped in, the current one first. Together they take no more steps than one chain
    /// may. S-5.5, S-6.1.
    fn open_anywhere(&self, message: &Whisper<'_>) -> Result<OpenedMessage, DecryptError> {
        for (state, known) in self.states.iter().enumerate() {
            if let Some(chain) = known.ratchet.chain_of(message) {
                let opened = known.ratchet.open_known(chain, message, self.incoming())?;
                return Ok(OpenedMessage { place: Place { state, first: None }, opened });
            }
        }
        let theirs = message.ratchet_key.point().map_err(|_| DecryptError::Rejected)?;
        // S-6.1. The tag of a long message costs more than the steps to its key, so that it counts too.
        let length = u32::try_from(message.authenticated.len() / BLOCK).unwrap_or(u32::MAX);
        let mut steps = 0_u32;
        for (state, known) in self.states.iter().enumerate().filter(|(_, known)| known.ratchet.awaits_step()) {
            steps = steps.saturating_add(message.counter);
            if steps > MAX_SKIP {
                return Err(DecryptError::TooFarAhead);
            }
            match known.ratchet.open_next(&theirs, message, self.incoming()) {
                Ok(opened) => return Ok(OpenedMessage { place: Place { state, first: None }, opened }),
                Err(OpenError::Rejected | OpenError::Replayed | OpenError::TooLate | OpenError::TooFarAhead) => {}
            }
            steps = steps.saturating_add(length);
        }
        Err(DecryptError::Rejected)
    }

    /// Whether a message makes its state the current one. It does if the peer made a DH step with it, because the peer
    /// then writes in that state now; any other message may merely be late, unless its state is newer than the current
    /// one. A current state that this device set up and that the peer has not answered stays current (S-5.6), until the
    /// peer's first messages show that it reads nothing in it (S-5.2).
    fn becomes_current(&self, place: Place, change: &StateChange) -> bool {
        let (Some(current), Some(state)) = (self.states.front(), self.states.get(place.state)) else { return false };
        let newest_in_a_newer_one = change.is_newest() && state.since_revision > current.since_revision;
        match current.setup {
            SetupState::Answered => change.is_step() || newest_in_a_newer_one,
            SetupState::Unanswered { .. } => {
                newest_in_a_newer_one && place.first.is_some_and(|number| self.yields_to(number))
            }
        }
    }

    /// Whether this device gives up a current state that it began itself and that has no answer, for one of which the
    /// peer's first message with this number arrived. S-5.2.
    pub(super) fn yields_to(&self, number: u32) -> bool {
        let smaller = self.ours.key().as_raw() < self.peer.key().as_raw();
        number >= if smaller { YIELD_SMALLER } else { YIELD_GREATER }
    }

    fn incoming(&self) -> Parties<'_> {
        Parties { sender: &self.peer, receiver: &self.ours, salt: &[0; 32] }
    }

    /// Applies what [`Session::open`] found. The state counts as used. Cannot fail.
    pub(super) fn apply(&mut self, place: Place, change: StateChange) {
        let becomes_current = self.becomes_current(place, &change);
        if let Some(state) = self.states.get_mut(place.state) {
            state.ratchet.apply(change);
            // S-5.1
            state.setup = SetupState::Answered;
        }
        if place.state > 0
            && let Some(state) = self.states.remove(place.state)
        {
            self.place(state, becomes_current);
        }
        self.discard_skipped_keys();
    }
}

/// Opens a message in the one ratchet that it can belong to.
pub(super) fn open_in(ratchet: &Ratchet, message: &Whisper<'_>, parties: Parties<'_>) -> Result<Decrypted, OpenError> {
    if let Some(chain) = ratchet.chain_of(message) {
        return ratchet.open_known(chain, message, parties);
    }
    let theirs = message.ratchet_key.point().map_err(|_| OpenError::Rejected)?;
    ratchet.open_next(&theirs, message, parties)
}

/// Bytes of a message whose authentication costs about as much as a chain step.
const BLOCK: usize = 64;
