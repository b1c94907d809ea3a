//! [`Session`]: an encrypted session between two devices ([spec::session](crate::manual::spec::session), sections 3 to
//! 5, and [section 6.5](crate::manual::formats#65-session)).

mod accept; //     a session from a peer's pre-key message
mod ciphertext; // encrypted messages
mod error; //      why not
mod held; //       messages, sent and received, that wait until the state is stored
mod persist; //    sealed state
mod plaintext; //  what a message says, by the standing of its session
mod resume; //     binding to an older session
mod staged; //     a received message that is not committed yet

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

pub use accept::Accepted;
pub use bisik_core::blocks::{Block, BlockId, SealedParts, Write};
pub use bisik_core::held::{SealError, Stored};
pub use ciphertext::{Ciphertext, CiphertextError};
pub use error::{AcceptError, DecryptError};
pub use held::{Held, HeldPlaintext};
pub use plaintext::{Decrypted, Plaintext, Standing, Unconfirmed};
pub use resume::{ResumeError, Resumed};
pub use staged::Staged;

pub use crate::handshake::InitiateError;
pub use crate::ratchet::{EncryptError, PostQuantumAge, Resumption};

use crate::handshake::{self, Initiated};
use crate::keys::{Identity, IdentityKey, VerifiedBundle};
use crate::ratchet::{DoubleRatchet, Making};
use bisik_core::disclosure::{DisclosureHash, OptionalHash};
use bisik_core::held::Lineage;
use bisik_core::internal::InternalError;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::BoxedSecret;
use bisik_core::primitives::x25519::Point;
use bisik_core::time::Timestamp;

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
/// [crashes](crate::manual::persistence): store before you send, store before you show. [`Session::encrypt_held`] and
/// [`Session::stage`] enforce them. It is `Send + Sync` where the target has atomic pointers. It is not `Clone`, because
/// a copy would use the same keys again.
///
/// A device may hold any number of sessions with one peer; they share nothing (requirement P-3.12): a peer that was
/// reinstalled sets up a new one. Store each under its [id](Session::id). On error every method leaves the session
/// unchanged.
///
/// In asynchronous code, `rand::rng()` must not live across an await: there are [two
/// ways](crate::manual::persistence#asynchronous-programs).
///
/// ```
/// use bisik::{Accepted, Identity, Plaintext, PreKeys, Session, Timestamp, Trust};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
///     let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
///     // Bob keeps `keys`, and publishes the bundle.
///     let mut keys = PreKeys::generate(&bob, now, rng);
///     let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
///     let mut a = Session::initiate(&alice, &bundle, now, rng)?;
///     let hello = a.encrypt(b"halo", rng)?; // send hello.as_bytes()
///     // The first contact: store the identity `b.peer()`, and pin it from now on.
///     let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
///     let Accepted { session: mut b, plaintext, used } = accepted;
///     keys.remove(used); // in the same transaction as storing `b`
///     let reply = b.encrypt(b"hai", rng)?;
///     // Alice is proved when she writes after an answer.
///     assert_eq!(plaintext.show_unconfirmed(), b"halo");
///     let reply = a.decrypt(&alice, &reply)?; // no randomness, no clock
///     assert_eq!(reply.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
///     Ok(())
/// }
/// ```
pub struct Session {
    ratchet: DoubleRatchet,
    id: [u8; 16],
    peer: IdentityKey,
    disclosure: OptionalHash,
    /// Name of the older session's secret that this one is bound to.
    bound_by: Option<[u8; 8]>,
    opening: Opening,
    /// The revision, and what ties the value to its records and to what it holds.
    lineage: Lineage,
}

/// How the session was set up, as far as that still matters.
enum Opening {
    /// Initiated here, without a reply yet.
    Waiting(Box<Waiting>),
    /// Initiated here; the peer has replied.
    Answered,
    /// Accepted here. Optional and variant payloads are boxed, because an inline payload would leave stale stack contents
    /// in the other variants.
    Accepted {
        /// Digest of the pre-key header, to recognize the initiator's other pre-key messages.
        flight: Box<[u8; 32]>,
        /// What an older session gives to step 1, until it is made.
        resumption: Option<BoxedSecret<32>>,
    },
}

/// What an initiator keeps until the peer has replied.
struct Waiting {
    /// The pre-key header, which every message carries. P-3.5.
    header: Box<[u8]>,
    /// The identity that initiated, which reads the first answer.
    own: IdentityKey,
    /// What the first messages name older sessions by.
    labels: [[u8; 8]; 4],
    shares: Vec<Share>,
}

/// What one offered secret gives, if the peer takes it.
struct Share {
    place: u8,
    name: [u8; 8],
    input: BoxedSecret<32>,
}

/// How to set up a session: [`Session::initiate_with`].
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// use bisik::InitiateOptions;
///
/// # let _ = a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?;
/// // Alice sets up a second session, and shows that she has the state of the first one, `a`.
/// let offers: Vec<_> = a.offer().into_iter().collect();
/// let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
/// let options = InitiateOptions { offers: &offers, ..InitiateOptions::default() };
/// let second = Session::initiate_with(&alice, &bundle, options, now, rng)?;
/// assert_eq!(second.peer(), bob.public());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InitiateOptions<'a> {
    /// For sessions with a hosted device: the peer accepts only under the same disclosure.
    pub disclosure: Option<DisclosureHash>,
    /// Secrets of older confirmed sessions with the same peer, from [`Session::offer`]: of sessions that are sent in first,
    /// the newest first. The first four are offered.
    pub offers: &'a [Resumption],
}

impl Session {
    /// Sets up a session with the owner of `bundle`. Uses 32 bytes of `rng`. Nothing has to be sent before the first
    /// message: every message carries the pre-key header until the peer has replied.
    ///
    /// `now` is the local time: a bundle is used within a day after it was verified, and not after it has expired.
    ///
    /// A development build needs a large stack here, and for [`accept`](Self::accept), unless the application has [two
    /// lines](crate::PreKeys::generate) in its `Cargo.toml`.
    ///
    /// # Errors
    ///
    /// [`InitiateError`].
    pub fn initiate(
        identity: &Identity,
        bundle: &VerifiedBundle,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        Self::initiate_with(identity, bundle, InitiateOptions::default(), now, rng)
    }

    /// Like [`initiate`](Self::initiate), for sessions with a hosted device, and for sessions that replace others with
    /// the same peer.
    ///
    /// # Errors
    ///
    /// [`InitiateError`].
    pub fn initiate_with(
        identity: &Identity,
        bundle: &VerifiedBundle,
        options: InitiateOptions<'_>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, InitiateError> {
        let InitiateOptions { disclosure, offers } = options;
        let Initiated { established, pre_key_header, ratchet_key, labels } =
            handshake::initiate(identity, bundle, disclosure, now, rng)?;
        let (labels, shares) = resume::shares(offers, &established.binding, labels);
        let header = pre_key_header.to_bytes().into_boxed_slice();
        Ok(Self {
            ratchet: DoubleRatchet::start_initiator(&established.secrets, &established.binding, ratchet_key),
            id: established.session_id,
            peer: established.peer,
            disclosure: disclosure.into(),
            bound_by: None,
            opening: Opening::Waiting(Box::new(Waiting { header, own: *identity.public(), labels, shares })),
            lineage: Lineage::default(),
        })
    }

    /// Encrypts one message. It hides the content and the sender, but not the length: pad `plaintext` first if the
    /// length matters.
    ///
    /// The message is 133 bytes longer than `plaintext`, and 1,208 more until the peer has replied. Uses 16 bytes of
    /// `rng`, and 32 before them when a step is due. Store the session before you send the message;
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
        self.lineage.check()?;
        let length = plaintext.len().saturating_add(DoubleRatchet::OVERHEAD);
        let mut output = match &self.opening {
            Opening::Waiting(waiting) => Ciphertext::start_first(&waiting.header, length),
            Opening::Answered | Opening::Accepted { .. } => Ciphertext::start_ordinary(length),
        };
        match &mut self.opening {
            // P-3.13: the first answer. Only who holds the identity that the set-up names can read it.
            Opening::Accepted { flight: _, resumption } if self.ratchet.step() == 0 => {
                let identity = Point::decode(self.peer.agreement()).map_err(|_| InternalError)?;
                let making = Making { identity: Some(&identity), resumption: resumption.as_deref() };
                self.ratchet.encrypt_into(&mut output, plaintext, &making, &mut rng)?;
                *resumption = None;
            }
            Opening::Waiting(_) | Opening::Answered | Opening::Accepted { .. } => {
                self.ratchet.encrypt_into(&mut output, plaintext, &Making::default(), &mut rng)?;
            }
        }
        self.lineage.change();
        Ok(Ciphertext::finish(output))
    }

    /// Decrypts one message and commits at once. Uses neither clock nor randomness: the result depends only on the
    /// state and the message. `identity` is the local one: whoever initiated needs it to read the first answer.
    ///
    /// Messages may arrive late, twice or out of order. Use [`Session::stage`] to store the session before showing the
    /// plaintext.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn decrypt(&mut self, identity: &Identity, message: &Ciphertext) -> Result<Decrypted, DecryptError> {
        Ok(self.stage(identity, message)?.commit())
    }

    /// Like [`decrypt`](Self::decrypt), for a message that is still [ahead](DecryptError::Ahead) after all others were
    /// decrypted: gives up the oldest of the missing messages, at most 25,000 in each of two chains.
    /// [`Decrypted::given_up`] says how many: they cannot be read if they arrive after all.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; [`TooFar`](DecryptError::TooFar) if more are missing.
    pub fn decrypt_giving_up(&mut self, identity: &Identity, message: &Ciphertext) -> Result<Decrypted, DecryptError> {
        Ok(self.stage_giving_up(identity, message)?.commit())
    }

    /// Returns whether `message` is a pre-key message of *this* session, sent before its initiator had a reply.
    ///
    /// The receiver of a pre-key message asks each of its sessions with the sender, and calls [`Session::accept`] if
    /// none recognizes the message: a second copy never sets up a second session. Requirement P-3.10.
    #[must_use]
    pub fn recognizes(&self, message: &Ciphertext) -> bool {
        match (&self.opening, message.pre_key_header()) {
            (Opening::Accepted { flight, .. }, Some(header)) => digest(&[header]).ct_eq(flight.as_ref()).into(),
            (Opening::Waiting(waiting), Some(header)) => waiting.header.ct_eq(header).into(),
            (Opening::Waiting(_) | Opening::Answered | Opening::Accepted { .. }, _) => false,
        }
    }

    /// How far the two devices have proved to each other that they take part. Requirement P-3.14.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.opening {
            Opening::Waiting(_) => Standing::Waiting,
            Opening::Answered => Standing::Confirmed,
            // Chain 2 is the initiator's first after an answer, which only its identity could read.
            Opening::Accepted { .. } if self.ratchet.newest_received().is_some_and(|step| step >= 2) => {
                Standing::Confirmed
            }
            Opening::Accepted { .. } => Standing::Unconfirmed,
        }
    }

    /// Whether the peer has proved that it holds its identity and takes part: the standing is
    /// [`Confirmed`](Standing::Confirmed).
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.standing() == Standing::Confirmed
    }

    /// The number of the peer's chains in which something was read: its turns, without those of which nothing arrived
    /// and that are not the newest. Requirement P-3.11.
    #[must_use]
    pub fn chains_received(&self) -> u32 {
        match (self.ratchet.newest_received(), self.ratchet.is_initiator()) {
            (None, _) => 0,
            (Some(step), true) => step.div_ceil(2),
            (Some(step), false) => (step / 2).saturating_add(1),
        }
    }

    /// How many messages were received in this session: at most 2^32 - 1, where the count stops.
    #[must_use]
    pub const fn messages_received(&self) -> u32 {
        self.ratchet.messages_received()
    }

    /// The peer's identity. Once the session is confirmed, only its holder can have written the messages that decrypt.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.peer
    }

    /// The id of the session: the same on both devices, not secret, and never sent. It names the session's record; each
    /// session has [revisions of its own](crate::manual::persistence#several-sessions-with-one-peer).
    #[must_use]
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The disclosure of a hosted device under which the session was set up; `None` if there was none.
    #[must_use]
    pub fn disclosure(&self) -> Option<DisclosureHash> {
        self.disclosure.get()
    }

    /// The protocol of the session.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        Suite::Bisik1
    }

    /// The revision, which grows with every change: for compare-and-swap in the store, and to notice a record that was
    /// rolled back. A new session begins at 0, also one with a peer with whom there are others: compare only with records
    /// of the same [id](Self::id).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// How long ago the session has last healed from a thief with a quantum computer. After 500 messages or a week in
    /// which both sides wrote, without a new epoch, replace the session by one that is bound to it. Requirement P-5.8.
    #[must_use]
    pub fn post_quantum_age(&self) -> PostQuantumAge {
        self.ratchet.post_quantum_age()
    }

    /// The number of skipped message keys; at most 2,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.ratchet.skipped_keys()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratchet: _, id: _, peer, disclosure: _, bound_by: _, opening: _, lineage } = self;
        f.debug_struct("Session").field("peer", peer).field("revision", &lineage.revision()).finish_non_exhaustive()
    }
}
