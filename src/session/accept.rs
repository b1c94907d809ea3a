//! Accepting: a session from a peer's pre-key message (docs/spec/session.md, section 3.3).
//!
//! P-3.5. Nothing is changed in place: session, plaintext and used pre-keys are returned together.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{AcceptError, Ciphertext, Session, SetupState};
use crate::handshake::{self, PreKeyHeader, Responded};
use crate::keys::{Identity, PreKeys, Trust, UsedPreKeys};
use crate::ratchet::DoubleRatchet;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::held::Instance;
use bisik_core::primitives::kdf::digest;

/// A session that a peer has set up, with its pre-key message.
///
/// Store `session` and, after [`PreKeys::remove`], the pre-keys in one transaction; then show `plaintext`.
#[must_use = "the pre-keys that were used are still there"]
pub struct Accepted {
    /// The new session.
    pub session: Session,
    /// The plaintext of the pre-key message.
    pub plaintext: Vec<u8>,
    /// The pre-keys that the pre-key message has used up.
    pub used: UsedPreKeys,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, plaintext: _, used } = self;
        f.debug_struct("Accepted").field("session", session).field("used", used).finish_non_exhaustive()
    }
}

impl Session {
    /// Accepts a session: runs the handshake and decrypts a pre-key message, which proves who wrote it.
    ///
    /// `message` may be any message that the initiator sent before it had a reply, not only the first. `identity` and
    /// `keys` are not changed.
    ///
    /// # Errors
    ///
    /// [`AcceptError`].
    pub fn accept(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        trust: Trust<'_>,
    ) -> Result<Accepted, AcceptError> {
        Self::accept_under(identity, keys, message, trust, None)
    }

    /// Like [`accept`](Self::accept), for sessions with a hosted device: accepts only messages that were written under
    /// the same `disclosure`.
    ///
    /// # Errors
    ///
    /// [`AcceptError`].
    pub fn accept_under(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        trust: Trust<'_>,
        disclosure: Option<DisclosureHash>,
    ) -> Result<Accepted, AcceptError> {
        let header_bytes = message.pre_key_header().ok_or(AcceptError::NotPreKeyMessage)?;
        let header = PreKeyHeader::from_bytes(header_bytes)?;
        let Responded { established, ratchet_key, used } = handshake::respond(identity, keys, &header, disclosure)?;
        let mut ratchet = DoubleRatchet::responder(&established.secret, &established.binding, ratchet_key);
        let plaintext = ratchet.decrypt(message.ratchet_message())?;
        // P-3.8. Check trust only after the message has verified: a forgery must not be reported as a changed key.
        if !trust.allows(&established.peer) {
            return Err(AcceptError::IdentityMismatch);
        }
        let session = Self {
            ratchet,
            id: established.session_id,
            peer: established.peer,
            disclosure,
            setup: SetupState::Accepted(Box::new(digest(&[header_bytes]))),
            revision: 0,
            instance: Instance::new(),
        };
        Ok(Accepted { session, plaintext, used })
    }
}
