//! Accepting: a session from a peer's pre-key message (docs/spec/session.md, section 3.3).
//!
//! P-3.6. Nothing is changed in place: session, plaintext and used pre-keys are returned together.

use alloc::boxed::Box;
use core::fmt;

use super::{AcceptError, Ciphertext, Opening, Session, Unconfirmed};
use crate::handshake::{self, PreKeyHeader};
use crate::keys::{Identity, PreKeys, Trust, UsedPreKeys};
use crate::ratchet::{DoubleRatchet, Missing, Reading};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::held::Lineage;
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

/// A session that a peer has set up, with its pre-key message.
///
/// Store `session` and, after [`PreKeys::remove`], the pre-keys in one transaction; then show `plaintext`, marked as
/// unconfirmed.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
///
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let mut keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// let Accepted { session, plaintext, used } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// keys.remove(used);
/// // Store `session` and `keys` together, and then:
/// assert_eq!(plaintext.show_unconfirmed(), b"halo");
/// assert_eq!(session.peer(), alice.public());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the pre-keys that were used are still there"]
pub struct Accepted {
    /// The new session. It is [unconfirmed](super::Standing::Unconfirmed) until the peer has written again after an
    /// answer.
    pub session: Session,
    /// The plaintext of the pre-key message.
    pub plaintext: Unconfirmed,
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
    /// Accepts a session: runs the handshake and decrypts a pre-key message. Whoever wrote it knew this device's
    /// pre-keys; the identity that it names is proved later, when the session is
    /// [confirmed](super::Standing::Confirmed).
    ///
    /// `message` may be any message that the initiator sent before it had a reply, not only the first. `identity` and
    /// `keys` are not changed. `now` is the local time: pre-keys that have ended are not used, even if nobody has called
    /// [`PreKeys::rotate`].
    ///
    /// # Errors
    ///
    /// [`AcceptError`].
    pub fn accept(
        identity: &Identity,
        keys: &PreKeys,
        message: &Ciphertext,
        trust: Trust<'_>,
        now: Timestamp,
    ) -> Result<Accepted, AcceptError> {
        Self::accept_under(identity, keys, message, trust, None, now)
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
        now: Timestamp,
    ) -> Result<Accepted, AcceptError> {
        let header_bytes = message.pre_key_header().ok_or(AcceptError::NotPreKeyMessage)?;
        let header = PreKeyHeader::from_bytes(header_bytes)?;
        let responded = handshake::respond(identity, keys, &header, disclosure, trust, now)?;
        let established = &responded.established;
        let mut ratchet = DoubleRatchet::start_responder(&established.secrets, &established.binding);
        let decrypted = ratchet.open(message.ratchet_message(), &Reading::default(), Missing::Keep)?;
        // P-3.9. Check trust only after the message has verified: a forgery must not be reported as a changed key.
        if !trust.allows(&established.peer) {
            return Err(AcceptError::IdentityMismatch);
        }
        let used = responded.claim()?;
        let (plaintext, _) = ratchet.commit(decrypted);
        let session = Self {
            ratchet,
            id: established.session_id,
            peer: established.peer,
            disclosure: disclosure.into(),
            bound_by: None,
            opening: Opening::Accepted { flight: Box::new(digest(&[header_bytes])), resumption: None },
            lineage: Lineage::default(),
        };
        Ok(Accepted { session, plaintext: Unconfirmed::new(plaintext), used })
    }
}
