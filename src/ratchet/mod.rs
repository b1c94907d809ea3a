//! The Double Ratchet with encrypted headers ([section 4](crate::manual::spec::session#4-messages)). This page is its
//! map.
//!
//! ```text
//!   sending.rs                                              open.rs
//!   ──────────                                              ───────
//!   our fresh key ─┐                                  ┌─ the peer's key, from the header
//!                  ▼                                  ▼
//!   step.rs   ── DH ──▶ RK ─────────── DH ──────────▶ RK ──▶ …            the step: heals
//!                       │ CK, next HK                 │ CK, next HK
//!   chain.rs            ▼                             ▼
//!             CK ──▶ CK ──▶ CK ──▶ …         CK ──▶ CK ──▶ …              the symmetric step: forgets
//!              │      │      │                │      │
//!   message_   ▼      ▼      ▼                ▼      ▼    skipped.rs keeps the keys
//!   key.rs    mk0    mk1    mk2              mk0    mk1   of what has not arrived
//!              └── header.rs: encrypted under HK, its tag over the whole message ──┘
//! ```
//!
//! **The step** is taken in two places, marked "THE STEP": `sending.rs` takes it lazily, before the first message after
//! a reply; `open.rs` takes it when the *next* header key verifies a header. Both advance the same root key, with the
//! KDF in `step.rs`. Steps alternate strictly: only one side can step next, and each step gives the header key of the
//! chain that the other side will begin.

mod chain; //        4.3  the symmetric step
mod error; //        4.9  why a message was not decrypted
mod group; //        6.5  what a session stores as one block
mod header; //       4.4  encrypted headers
mod inputs; //       4.2  what a step takes in from outside
mod layout; //       4.4  sizes, and the nonces of header and body
mod limits; //       4.7  bounds
mod message_key; //  4.5  bodies
mod open; //         4.6  verify, and compute the change
mod parts; //        what a session needs one by one
mod post_quantum; // 5    the braid, and its secrets in the root
mod receiving; //    4.6  apply the change
mod remembered; //   4.9  duplicates and forks
mod resumption; //   3.6  what binds a later session to this one
mod sending; //      4.6  the lazy step
mod skipped; //      4.7  skipped message keys
mod staged; //       4.6  not committed yet
mod start; //        4.2  the secrets that a ratchet starts from
mod state; //        6.4  the state, sealed
mod step; //         4.2  the KDF of the step

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use bisik_core::primitives::x25519;
pub use bisik_core::primitives::x25519::{KeyPair, PublicKey, PublicKeyError};
pub use bisik_core::shared_secret::SharedSecret;
pub use error::DecryptError;
pub use post_quantum::PostQuantumAge;
pub use resumption::Resumption;
pub use sending::EncryptError;
pub use staged::Staged;
pub use start::StartingSecrets;

pub(crate) use chain::ChainKey;
use header::HeaderKey;
pub(crate) use header::MAX_PLACES;
pub(crate) use inputs::{Making, Missing, Reading};
pub(crate) use layout::SALT;
pub(crate) use limits::{MAX_BLOCKS, MAX_PLAINTEXT};
pub(crate) use message_key::MessageKey;
pub(crate) use parts::{Blocks, Encoded};
use post_quantum::PostQuantum;
pub(crate) use receiving::{Change, Decrypted};
use receiving::{Receiving, ReceivingChain};
use remembered::Remembered;
use resumption::Resumptions;
use sending::{PeerRatchetKey, SendingChain};
pub(crate) use skipped::KeysIn;
use step::RootKey;

/// The state of one ratchet, on one of the two sides that share a secret.
///
/// [`Session`](crate::Session) contains one, and most programs should use that. This type is for protocols that agree
/// on a 32-byte secret in their own way. It authenticates nobody: who has the secret is the peer. `Send + Sync`, and
/// not `Clone`: a copy would use the same keys again.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::ratchet::{DoubleRatchet, SharedSecret};
///
/// let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
/// let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
///
/// let hello = alice.encrypt(b"halo", rng)?;
/// assert_eq!(bob.decrypt(&hello)?, b"halo");
/// let reply = bob.encrypt(b"hai", rng)?;
/// assert_eq!(alice.decrypt(&reply)?, b"hai");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DoubleRatchet {
    /// Boxed, so that moving a ratchet, or growing a collection of them, leaves no keys behind.
    state: Box<State>,
}

/// Everything that a ratchet keeps ([section 4.6](crate::manual::spec::session#46-state-and-steps)).
struct State {
    /// Associated data of every message.
    binding: [u8; 32],
    /// How many steps both sides have made. The chain of step n is chain n; chain 0 comes from the set-up.
    step: u32,
    root: RootKey,
    turn: Turn,
    /// The header key of the next chain: the peer's, if the last step was ours, and otherwise our own.
    next_header: HeaderKey,
    /// `PN`: the number of messages in the own chain before the current or next one.
    previous: u32,
    /// The place of the resumption secret that entered step 1; 0 if there was none.
    bound: u8,
    receiving: Receiving,
    resumptions: Resumptions,
    remembered: Remembered,
    /// The newest version of the layout that the peer reads; 0 before it has written.
    peer_reads: u8,
    post_quantum: PostQuantum,
}

/// Who has made the last step.
enum Turn {
    /// Nobody: a responder that has received nothing.
    Awaiting,
    /// This side, which goes on in its chain.
    Ours(Box<SendingChain>),
    /// The peer, with this ratchet key: a step is due before the next message.
    Theirs(PeerRatchetKey),
}

impl Turn {
    /// Whether this side sends the first message. Steps alternate, so that it follows from who made the last one.
    const fn is_initiator(&self, step: u32) -> bool {
        match self {
            Self::Awaiting => false,
            Self::Ours(_) => step.is_multiple_of(2),
            Self::Theirs(_) => !step.is_multiple_of(2),
        }
    }
}

impl State {
    /// What the headers of the chain of `step` say as their place.
    const fn bound_of(&self, step: u32) -> u8 {
        if step == 1 { self.bound } else { 0 }
    }

    /// Whether this side sends the first message.
    const fn is_initiator(&self) -> bool {
        self.turn.is_initiator(self.step)
    }
}

impl DoubleRatchet {
    /// Ciphertext expansion in bytes: 132.
    pub const OVERHEAD: usize = sending::OVERHEAD;

    /// Starts the side that sends first, with 32 bytes of `rng`. Every message is bound to `binding`, such as the hash of
    /// a transcript; both sides must pass the same.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[1; 32], rng);
    /// // Of another transcript: the two never understand each other.
    /// let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[2; 32]);
    /// assert_eq!(bob.decrypt(&alice.encrypt(b"halo", rng)?), Err(DecryptError::Rejected));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn initiator(secret: &SharedSecret, binding: &[u8; 32], mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let secrets = StartingSecrets::derive(secret, binding);
        let draw = RootKey::new(&secrets.root).draw(0, &mut rng);
        Self::start_initiator(&secrets, binding, x25519::pair_from_secret(draw.first_pair()))
    }

    /// Starts the side that replies.
    #[must_use]
    pub fn responder(secret: &SharedSecret, binding: &[u8; 32]) -> Self {
        Self::start_responder(&StartingSecrets::derive(secret, binding), binding)
    }

    /// P-4.1: the initiator's first chain comes from the set-up, without a step. `pair` is fresh.
    pub(crate) fn start_initiator(secrets: &StartingSecrets, binding: &[u8; 32], pair: KeyPair) -> Self {
        let chain = SendingChain {
            pair,
            header: HeaderKey::new(&secrets.header),
            key: ChainKey::new(secrets.chain.duplicate()),
            number: 0,
        };
        Self::start(secrets, binding, Turn::Ours(Box::new(chain)), Receiving::default())
    }

    pub(crate) fn start_responder(secrets: &StartingSecrets, binding: &[u8; 32]) -> Self {
        let first = ReceivingChain {
            step: 0,
            mixed: 0,
            header: HeaderKey::new(&secrets.header),
            ratchet_key: None,
            key: Some(Box::new(ChainKey::new(secrets.chain.duplicate()))),
            next: 0,
        };
        let receiving = Receiving { chains: [Box::new(first)].into(), ..Receiving::default() };
        Self::start(secrets, binding, Turn::Awaiting, receiving)
    }

    fn start(secrets: &StartingSecrets, binding: &[u8; 32], turn: Turn, receiving: Receiving) -> Self {
        let initiator = matches!(turn, Turn::Ours(_));
        let state = State {
            binding: *binding,
            step: 0,
            root: RootKey::new(&secrets.root),
            turn,
            next_header: HeaderKey::new(&secrets.next_header),
            previous: 0,
            bound: 0,
            receiving,
            resumptions: Resumptions::default(),
            remembered: Remembered::default(),
            peer_reads: 0,
            post_quantum: PostQuantum::new(&secrets.post_quantum, initiator),
        };
        Self { state: Box::new(state) }
    }

    /// Encrypts one message, using 16 bytes of `rng`, and 32 before them when a step is due.
    ///
    /// The message is [`OVERHEAD`](Self::OVERHEAD) bytes longer than `plaintext`. It hides the content but not its
    /// length: pad `plaintext` first if the length matters. Store the state before you send the message
    /// ([persistence](crate::manual::persistence)).
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// let message = alice.encrypt(b"halo", rng)?;
    /// assert_eq!(message.len(), b"halo".len() + DoubleRatchet::OVERHEAD);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncryptError`]. On error the state is unchanged.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, EncryptError> {
        let mut output = Vec::with_capacity(plaintext.len().saturating_add(Self::OVERHEAD));
        self.encrypt_into(&mut output, plaintext, &Making::default(), &mut rng)?;
        Ok(output)
    }

    /// Decrypts one message and commits at once, for callers that keep no state or store it afterwards.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// let (first, second) = (alice.encrypt(b"satu", rng)?, alice.encrypt(b"dua", rng)?);
    /// assert_eq!(bob.decrypt(&second)?, b"dua"); // in any order
    /// assert_eq!(bob.decrypt(&first)?, b"satu");
    /// assert_eq!(bob.decrypt(&first), Err(DecryptError::Duplicate)); // once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the state is unchanged.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Like [`decrypt`](Self::decrypt), for a message that is still [ahead](DecryptError::Ahead) after all others:
    /// gives up the oldest of up to 25,000 missing messages in each of two chains. Returns the plaintext, and how many
    /// messages are given up: they cannot be read if they arrive after all.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// for _ in 0..3_000 {
    ///     alice.encrypt(b"lost on the way", rng)?;
    /// }
    /// let message = alice.encrypt(b"halo?", rng)?;
    /// assert_eq!(bob.decrypt(&message), Err(DecryptError::Ahead { missing: 3_000 }));
    /// // Nothing else has arrived: they are lost.
    /// let (plaintext, given_up) = bob.decrypt_giving_up(&message)?;
    /// assert_eq!((plaintext.as_slice(), given_up), (b"halo?".as_slice(), 1_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the state is unchanged.
    pub fn decrypt_giving_up(&mut self, message: &[u8]) -> Result<(Vec<u8>, u32), DecryptError> {
        let decrypted = self.open(message, &Reading::default(), Missing::GiveUp)?;
        Ok(self.commit(decrypted))
    }

    /// Decrypts one message without changing the state, so that the state after it can be stored before the plaintext
    /// is shown. If the result is dropped, the message can be received again.
    ///
    /// The result borrows the ratchet. Nothing else can change it before the commit, so the commit cannot fail.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// let message = alice.encrypt(b"halo", rng)?;
    /// drop(bob.stage(&message)?); // it could not be stored: nothing has happened
    /// let staged = bob.stage(&message)?;
    /// assert_eq!(staged.plaintext(), b"halo"); // write it into the database, and then:
    /// assert_eq!(staged.commit(), b"halo");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn stage(&mut self, message: &[u8]) -> Result<Staged<'_>, DecryptError> {
        let decrypted = self.open(message, &Reading::default(), Missing::Keep)?;
        Ok(Staged { ratchet: self, decrypted })
    }

    /// How long ago the ratchet has last healed from a thief with a quantum computer.
    #[must_use]
    pub fn post_quantum_age(&self) -> PostQuantumAge {
        *self.state.post_quantum.age()
    }

    /// Returns the number of skipped message keys; at most 2,000.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::ratchet::{DecryptError, DoubleRatchet, SharedSecret};
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// let lost = alice.encrypt(b"satu", rng)?;
    /// bob.decrypt(&alice.encrypt(b"dua", rng)?)?;
    /// assert_eq!(bob.skipped_keys(), 1);
    /// bob.decrypt(&lost)?;
    /// assert_eq!(bob.skipped_keys(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        usize::try_from(self.state.skipped_keys()).unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for DoubleRatchet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoubleRatchet")
            .field("step", &self.state.step)
            .field("receiving_chains", &self.state.receiving.chains.len())
            .field("skipped_keys", &self.skipped_keys())
            .finish_non_exhaustive()
    }
}
