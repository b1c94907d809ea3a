//! One session beside its model, and how both send.
//!
//! An attacker's copy is a checked session too.

use std::cmp::Reverse;
use std::rc::Rc;

use bisik::{Ciphertext, Session, StorageKey};

use super::prekey_pool::PreKeyHeader;
use super::symbolic::{Ratchet, Stamp, Symbol};
use crate::blocks::{block, head};
use crate::rng::{ConstantRng, SeededRng, mix};

/// One session, its stored record, and its model.
pub struct CheckedSession {
    pub session: Session,
    pub record: Rc<Vec<u8>>,
    pub model: Model,
}

/// The model of one session.
#[derive(Clone, Debug)]
pub struct Model {
    pub ratchet: Ratchet,
    pub session: Symbol,
    pub epoch: u32,
    pub setup: SetupState,
}

/// How a session was set up, in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupState {
    Unanswered(PreKeyHeader),
    Answered,
    Accepted,
}

/// A message given to the network.
pub struct Sent {
    pub ciphertext: Ciphertext,
    pub stamp: Stamp,
    pub session: Symbol,
    pub header: Option<PreKeyHeader>,
}

impl CheckedSession {
    pub fn new(mut session: Session, model: Model) -> Self {
        let record = Rc::new(record(&mut session));
        Self { session, record, model }
    }

    pub fn open(record: &Rc<Vec<u8>>, model: Model) -> Self {
        let session = Session::unseal(&storage_key(), CONTEXT, record, block).unwrap();
        Self { session, record: Rc::clone(record), model }
    }

    /// Whether the session equals its record, compared in bytes.
    pub fn is_stored(&mut self) -> bool {
        record(&mut self.session) == *self.record
    }

    /// The attacker's copy.
    pub fn duplicate(&self) -> Self {
        let mut copy = Self::open(&self.record, self.model.clone());
        assert!(copy.is_stored(), "unsealing and sealing gives the same state");
        copy
    }

    /// Encrypts, stores, and only then has something to send.
    pub fn send(&mut self, plaintext: &[u8], rng: &mut SeededRng, stores: bool) -> Option<Sent> {
        let fresh = rng.symbol();
        let held = self.session.encrypt_held(plaintext, rng).unwrap();
        let stamp = self.model.ratchet.send(fresh, digest(plaintext));
        if !stores {
            return None;
        }
        let sealed = self.session.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap();
        self.record = Rc::new(head(&sealed));
        let ciphertext = held.release(&sealed.stored()).unwrap();
        let header = match self.model.setup {
            SetupState::Unanswered(header) => Some(header),
            SetupState::Answered | SetupState::Accepted => None,
        };
        assert_eq!(ciphertext.is_pre_key_message(), header.is_some());
        Some(Sent { ciphertext, stamp, session: self.model.session, header })
    }
}

/// The session in which both devices keep sending: among those of the newest epoch, the one with the smallest id.
pub fn preferred(sessions: &[CheckedSession]) -> Option<usize> {
    (0..sessions.len()).reduce(|best, index| {
        let (old, new) = (&sessions[best], &sessions[index]);
        let rank = |checked: &CheckedSession| (checked.model.epoch, Reverse(*checked.session.id()));
        if rank(new) > rank(old) { index } else { best }
    })
}

/// The state in bytes: equal bytes mean equal states.
fn record(session: &mut Session) -> Vec<u8> {
    head(&session.seal(&storage_key(), CONTEXT, &mut sealing()).unwrap())
}

/// A symbol of a message's bytes: no two plaintexts here are equal.
fn digest(plaintext: &[u8]) -> Symbol {
    mix(&plaintext.iter().map(|byte| u64::from(*byte)).collect::<Vec<_>>())
}

pub fn storage_key() -> StorageKey {
    StorageKey::from_bytes([0x5a; 32])
}

/// A constant generator makes sealed records comparable.
pub const fn sealing() -> ConstantRng {
    ConstantRng(0)
}

/// The name of every record here.
pub const CONTEXT: &[u8] = b"simulation";
