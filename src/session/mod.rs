//! [`Session`]: one device to one device, from the first message to the last (docs/spec/session.md, sections 3 to 5,
//! and docs/formats.md, section 6.5).
//!
//! Does not know accounts, conversations or any network: bytes and values in, bytes and values out.

mod accept; //     a session from a peer's first message
mod ciphertext; // the bytes that travel
mod error; //      why not
mod held; //       messages, sent and received, that wait until the state is stored
mod persist; //    sealed state
mod staged; //     a received message that is not committed yet

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

pub use accept::Accepted;
pub use bisik_core::held::{HeldPlaintext, SealedRecord, Stored};
pub use ciphertext::{Ciphertext, CiphertextError};
pub use error::{AcceptError, DecryptError};
pub use held::Held;
pub use staged::Staged;

pub use crate::handshake::InitiateError;
pub use crate::ratchet::EncryptError;

use crate::handshake::{self, Initiated};
use crate::keys::{Identity, IdentityKey, VerifiedBundle};
use crate::ratchet::DoubleRatchet;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::primitives::kdf::digest;
use bisik_core::revision;

/// Which protocol a session speaks. Fixed when it is set up: nothing is negotiated later, so nothing can be downgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// The native suite, docs/spec: PQXDH and the Double Ratchet with encrypted headers.
    Bisik1,
}

/// An end-to-end-encrypted session between two devices.
///
/// The value is the state: load it, use it, [seal](Session::seal) it, store it. Two rules keep it safe across crashes
/// (docs/persistence.md): store before you send, store before you show. [`Session::encrypt_held`] and [`Session::stage`]
/// are the forms that make a program keep them. `Send + Sync`; not `Clone`, because a copy would fork its key stream.
///
/// ```
#[doc = include_str!("../../examples/quickstart.rs")]
/// ```
pub struct Session {
    ratchet: DoubleRatchet,
    id: [u8; 16],
    peer: IdentityKey,
    disclosure: Option<DisclosureHash>,
    setup: SetupState,
    revision: u64,
}

/// How the session began, as far as that still matters.
enum SetupState {
    /// P-3.4. We initiated and have no answer yet: every message carries the first flight.
    Unanswered(Box<[u8]>),
    /// We initiated and were answered.
    Answered,
    /// We accepted: the digest of the first flight, by which the initiator's early messages are known.
    /// Boxed: the room of a variant that is not there is filled with whatever was on the stack.
    Accepted(Box<[u8; 32]>),
}

impl Session {
    /// Sets up a session with the owner of `bundle`, from 64 bytes of `rng`. Nothing has to be sent until there is a
    /// message: the first flight travels with every message until the peer has answered.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] where the bundle is the caller's own.
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        Self::initiate_under(identity, bundle, None, rng)
    }

    /// The same under the disclosure of a hosted device: the peer accepts only if it holds the same one.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] where the bundle is the caller's own.
    pub fn initiate_under(
        identity: &Identity,
        bundle: &VerifiedBundle,
        disclosure: Option<DisclosureHash>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let Initiated { established, first_flight, ratchet_key: _ } =
            handshake::initiate(identity, bundle, disclosure, rng)?;
        Ok(Self {
            ratchet: DoubleRatchet::initiator_with(&established.secret, &established.binding, bundle.signed.clone()),
            id: established.session_id,
            peer: established.peer,
            disclosure,
            setup: SetupState::Unanswered(first_flight.to_bytes().into_boxed_slice()),
            revision: 0,
        })
    }

    /// Encrypts one message. It hides its content and who is writing, not its length: pad before, if that matters.
    ///
    /// 133 bytes longer than `plaintext`, and 1,208 more until the peer has answered. Uses 16 bytes of `rng`, and 32 more
    /// when a DH step is due. Store the session before the message leaves; [`Session::encrypt_held`] sees to that.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]; the session is unchanged then.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ciphertext, EncryptError> {
        let length = plaintext.len().saturating_add(DoubleRatchet::OVERHEAD);
        let mut output = match &self.setup {
            SetupState::Unanswered(flight) => Ciphertext::start_first(flight, length),
            SetupState::Answered | SetupState::Accepted(_) => Ciphertext::start_ordinary(length),
        };
        self.ratchet.encrypt_into(&mut output, plaintext, &mut rng)?;
        self.revision = revision::after(self.revision);
        Ok(Ciphertext::finish(output))
    }

    /// Decrypts one message and commits at once. No clock, no randomness: the result depends on state and bytes alone.
    ///
    /// Messages may come late, twice or out of order. Use [`Session::stage`] to store before showing.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the session is the same as before then, bit for bit.
    pub fn decrypt(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// P-3.9. Whether `message` is a first message of *this* session, sent before its initiator had an answer.
    ///
    /// A receiver of a first message asks its sessions with the sender's mailbox this question, and calls
    /// [`Session::accept`] when none says yes.
    #[must_use]
    pub fn recognizes(&self, message: &Ciphertext) -> bool {
        match (&self.setup, message.first_flight()) {
            (SetupState::Accepted(known), Some(flight)) => digest(&[flight]).ct_eq(known.as_ref()).into(),
            (SetupState::Unanswered(_) | SetupState::Answered | SetupState::Accepted(_), _) => false,
        }
    }

    /// P-3.10. Of two sessions that two devices set up with each other at the same time, the one that both go on
    /// sending in:
    /// `true` for exactly one of the two, and the same one on both devices.
    ///
    /// The other is kept for reading until it falls silent. The order is that of the session ids. A device whose peer has
    /// lost its sessions, and asks for a new one, forgets the old ones first: there is nothing to compare then.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        self.id < other.id
    }

    /// Whom the session is with. Authenticated: what decrypts was written by whoever holds this identity.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.peer
    }

    /// A public name of the session, the same on both sides; not secret, never on the wire.
    #[must_use]
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The disclosure of a hosted device under which it was set up; `None` if there was none.
    #[must_use]
    pub const fn disclosure(&self) -> Option<DisclosureHash> {
        self.disclosure
    }

    /// The protocol it speaks.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        Suite::Bisik1
    }

    /// Counts changes: for compare-and-swap in the store, and to notice a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the peer has shown that it took part: always for one who accepted, after the first answer for an initiator.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        !matches!(self.setup, SetupState::Unanswered(_))
    }

    /// How many keys are kept for messages that have not arrived; at most 2,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.ratchet.skipped_keys()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratchet: _, id: _, peer, disclosure: _, setup: _, revision } = self;
        f.debug_struct("Session").field("peer", peer).field("revision", revision).finish_non_exhaustive()
    }
}
