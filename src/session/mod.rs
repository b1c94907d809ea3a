//! [`Session`]: an encrypted session between two devices (docs/spec/session.md, sections 3 to 5, and docs/formats.md,
//! section 6.5).

mod accept; //     a session from a peer's pre-key message
mod ciphertext; // encrypted messages
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
use bisik_core::held::Instance;
use bisik_core::primitives::kdf::digest;
use bisik_core::revision;

/// The protocol of a session. It is fixed at set-up: nothing is negotiated later, so nothing can be downgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// PQXDH and the Double Ratchet with encrypted headers, as docs/spec specifies them.
    Bisik1,
}

/// An end-to-end-encrypted session between two devices.
///
/// The value holds its whole state: load it, use it, [seal](Session::seal) it, store it. Two rules keep it safe across
/// crashes (docs/persistence.md): store before you send, store before you show. [`Session::encrypt_held`] and
/// [`Session::stage`] enforce them. It is `Send + Sync` where the target has atomic pointers. It is not `Clone`, because
/// a copy would use the same keys again.
///
/// On error every method leaves the session unchanged.
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
    /// Identifies this value in memory, so that a record of another value cannot release what it holds.
    instance: Instance,
}

/// How the session was set up, as far as that still matters.
enum SetupState {
    /// Initiated here, without a reply yet: every message carries the pre-key header. P-3.4.
    Unanswered(Box<[u8]>),
    /// Initiated here; the peer has replied.
    Answered,
    /// Accepted here. Holds the digest of the pre-key header, to recognize the initiator's other pre-key messages.
    /// Boxed, because an inline payload would leave stale stack contents in the other variants.
    Accepted(Box<[u8; 32]>),
}

impl Session {
    /// Sets up a session with the owner of `bundle`. Uses 64 bytes of `rng`. Nothing has to be sent before the first
    /// message: every message carries the pre-key header until the peer has replied.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] if the bundle is the caller's own, and [`InitiateError::Internal`].
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        Self::initiate_under(identity, bundle, None, rng)
    }

    /// Like [`initiate`](Self::initiate), for sessions with a hosted device: the peer accepts only under the same
    /// `disclosure`.
    ///
    /// # Errors
    ///
    /// [`InitiateError::OwnBundle`] if the bundle is the caller's own, and [`InitiateError::Internal`].
    pub fn initiate_under(
        identity: &Identity,
        bundle: &VerifiedBundle,
        disclosure: Option<DisclosureHash>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let Initiated { established, pre_key_header, ratchet_key: _ } =
            handshake::initiate(identity, bundle, disclosure, rng)?;
        Ok(Self {
            ratchet: DoubleRatchet::initiator_with(&established.secret, &established.binding, bundle.signed.clone()),
            id: established.session_id,
            peer: established.peer,
            disclosure,
            setup: SetupState::Unanswered(pre_key_header.to_bytes().into_boxed_slice()),
            revision: 0,
            instance: Instance::new(),
        })
    }

    /// Encrypts one message. It hides the content and the sender, but not the length: pad `plaintext` first if the
    /// length matters.
    ///
    /// The message is 133 bytes longer than `plaintext`, and 1,208 more until the peer has replied. Uses 16 bytes of
    /// `rng`, and 32 more when a DH step is due. Store the session before you send the message;
    /// [`Session::encrypt_held`] enforces that.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ciphertext, EncryptError> {
        let length = plaintext.len().saturating_add(DoubleRatchet::OVERHEAD);
        let mut output = match &self.setup {
            SetupState::Unanswered(header) => Ciphertext::start_first(header, length),
            SetupState::Answered | SetupState::Accepted(_) => Ciphertext::start_ordinary(length),
        };
        self.ratchet.encrypt_into(&mut output, plaintext, &mut rng)?;
        self.revision = revision::after(self.revision);
        Ok(Ciphertext::finish(output))
    }

    /// Decrypts one message and commits at once. Uses neither clock nor randomness: the result depends only on the
    /// state and the message.
    ///
    /// Messages may arrive late, twice or out of order. Use [`Session::stage`] to store the session before showing the
    /// plaintext.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn decrypt(&mut self, message: &Ciphertext) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Returns whether `message` is a pre-key message of *this* session, sent before its initiator had a reply.
    ///
    /// The receiver of a pre-key message asks each of its sessions with the sender, and calls [`Session::accept`] if
    /// none recognizes the message. Requirement P-3.9.
    #[must_use]
    pub fn recognizes(&self, message: &Ciphertext) -> bool {
        match (&self.setup, message.pre_key_header()) {
            (SetupState::Accepted(known), Some(header)) => digest(&[header]).ct_eq(known.as_ref()).into(),
            (SetupState::Unanswered(_) | SetupState::Answered | SetupState::Accepted(_), _) => false,
        }
    }

    /// Returns whether both devices keep sending in this session rather than in `other`, if they have set up two
    /// sessions with each other at the same time.
    ///
    /// It is `true` for exactly one of the two, and for the same one on both devices: the one with the smaller session
    /// id. Keep the other for receiving until no more messages arrive in it. If a peer has lost its sessions and asks
    /// for a new one, delete the old ones first; do not compare with them. Requirement P-3.10.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        self.id < other.id
    }

    /// The peer's identity. It is authenticated: only its holder can have written the messages that decrypt.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.peer
    }

    /// The id of the session: the same on both devices, not secret, and never sent.
    #[must_use]
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The disclosure of a hosted device under which the session was set up; `None` if there was none.
    #[must_use]
    pub const fn disclosure(&self) -> Option<DisclosureHash> {
        self.disclosure
    }

    /// The protocol of the session.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        Suite::Bisik1
    }

    /// The revision, which grows with every change: for compare-and-swap in the store, and to notice a record that was
    /// rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the peer has proved that it took part: always on the accepting side, after the first reply on the
    /// initiator's.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        !matches!(self.setup, SetupState::Unanswered(_))
    }

    /// The number of skipped message keys; at most 2,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.ratchet.skipped_keys()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratchet: _, id: _, peer, disclosure: _, setup: _, revision, instance: _ } = self;
        f.debug_struct("Session").field("peer", peer).field("revision", revision).finish_non_exhaustive()
    }
}
