//! The Double Ratchet with encrypted headers (docs/spec/session.md, section 4). This page is its map.
//!
//! ```text
//!   sending.rs                                              receiving.rs
//!   ──────────                                              ────────────
//!   our fresh key ─┐                                  ┌─ the peer's key, from the header
//!                  ▼                                  ▼
//!   root.rs   ── DH ──▶ RK ─────────── DH ──────────▶ RK ──▶ …            the DH step: heals
//!                       │ CKs, NHKs                   │ CKr, NHKr
//!   chain.rs            ▼                             ▼
//!             CK ──▶ CK ──▶ CK ──▶ …         CK ──▶ CK ──▶ …              the symmetric step: forgets
//!              │      │      │                │      │
//!   message_   ▼      ▼      ▼                ▼      ▼    skipped.rs keeps the keys
//!   key.rs    mk0    mk1    mk2              mk0    mk1   of what has not arrived
//!              └── header.rs: encrypted under HK, its tag over the whole message ──┘
//! ```
//!
//! **The DH step** is taken in two places, marked "THE STEP": `sending.rs` takes it lazily, before the first message
//! after a reply; `receiving.rs` takes it when the *next* header key verifies a header. Both advance the same root key,
//! with the KDF in `root.rs`.

mod chain; //       4.3  the symmetric step
mod header; //      4.4  encrypted headers
mod layout; //      4.4  sizes, and the nonces of header and body
mod limits; //      4.7  bounds
mod message_key; // 4.5  bodies
mod receiving; //   4.6  stage, then commit
mod root; //        4.2  the KDF of the DH step
mod sending; //     4.6  the lazy step
mod skipped; //     4.7  skipped message keys
mod state; //       6.4  the state, sealed

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::x25519::Point;
pub use bisik_core::primitives::x25519::{KeyPair, PublicKey, PublicKeyError};
pub use bisik_core::shared_secret::SharedSecret;
pub use receiving::DecryptError;
pub use sending::EncryptError;

pub(crate) use receiving::Decrypted;
use receiving::Receiving;
use root::RootKey;
use sending::{PeerRatchetKey, Sending};

/// The state of one ratchet, on one of the two sides that share a secret.
///
/// [`Session`](crate::Session) contains one, and most programs should use that. This type is for protocols that agree
/// on a 32-byte secret in their own way. `Send + Sync`, and not `Clone`: a copy would use the same keys again.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
///
/// // Both sides share 32 bytes; the responder's first ratchet key is known to the initiator.
/// let bobs = KeyPair::generate(rng);
/// let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], bobs.public());
/// let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32], bobs);
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

/// Everything that a ratchet keeps (docs/spec/session.md, section 4.6).
struct State {
    /// Associated data of every message.
    binding: [u8; 32],
    root: RootKey,
    sending: Sending,
    receiving: Receiving,
}

impl DoubleRatchet {
    /// Ciphertext expansion in bytes: 132.
    pub const OVERHEAD: usize = sending::OVERHEAD;

    /// Starts the side that sends first. `peer_key` is the responder's first ratchet key. Every message is bound to
    /// `binding`, such as the hash of a transcript; both sides must pass the same.
    #[must_use]
    pub fn initiator(secret: &SharedSecret, binding: &[u8; 32], peer_key: &PublicKey) -> Self {
        Self::start_initiator(secret, binding, PeerRatchetKey::encoded(*peer_key))
    }

    /// Like [`initiator`](Self::initiator), with a point that is already decoded.
    pub(crate) fn initiator_with(secret: &SharedSecret, binding: &[u8; 32], peer_key: Point) -> Self {
        Self::start_initiator(secret, binding, PeerRatchetKey::decoded(peer_key))
    }

    fn start_initiator(secret: &SharedSecret, binding: &[u8; 32], peer_key: PeerRatchetKey) -> Self {
        let (root, ours, peers) = RootKey::start(secret, binding);
        let sending = Sending { pair: None, peer_key: Some(peer_key), chain: None, next_header: ours, previous: 0 };
        let receiving = Receiving { chains: VecDeque::new(), next_header: peers };
        Self { state: Box::new(State { binding: *binding, root, sending, receiving }) }
    }

    /// Starts the side that replies. `pair` is its first ratchet key; the initiator knows the public half.
    #[must_use]
    pub fn responder(secret: &SharedSecret, binding: &[u8; 32], pair: KeyPair) -> Self {
        let (root, peers, ours) = RootKey::start(secret, binding);
        let sending = Sending { pair: Some(pair), peer_key: None, chain: None, next_header: ours, previous: 0 };
        let receiving = Receiving { chains: VecDeque::new(), next_header: peers };
        Self { state: Box::new(State { binding: *binding, root, sending, receiving }) }
    }

    /// Encrypts one message, using 16 bytes of `rng`, and 32 more when a DH step is due.
    ///
    /// The message is [`OVERHEAD`](Self::OVERHEAD) bytes longer than `plaintext`. It hides the content but not its
    /// length: pad `plaintext` first if the length matters. Store the state before you send the message
    /// (docs/persistence.md).
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
        self.encrypt_into(&mut output, plaintext, &mut rng)?;
        Ok(output)
    }

    /// Decrypts one message and commits at once, for callers that keep no state or store it afterwards.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the state is unchanged.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Decrypts one message without changing the state, so that the state after it can be stored before the plaintext
    /// is shown. If the result is dropped, the message can be received again.
    ///
    /// The result borrows the ratchet. Nothing else can change it before the commit, so the commit cannot fail.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn stage(&mut self, message: &[u8]) -> Result<Staged<'_>, DecryptError> {
        let decrypted = self.open(message)?;
        Ok(Staged { ratchet: self, decrypted })
    }

    /// Returns the number of skipped message keys; at most 2,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.state.skipped_keys()
    }
}

/// The parts of the public methods that a session needs one by one, and the encoding for its record.
impl DoubleRatchet {
    /// Encrypts one message and appends it to `output`: [`OVERHEAD`](Self::OVERHEAD) bytes more than `plaintext`.
    pub(crate) fn encrypt_into(
        &mut self,
        output: &mut Vec<u8>,
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), EncryptError> {
        self.state.encrypt_into(output, plaintext, rng)
    }

    /// Decrypts one message without changing anything.
    pub(crate) fn open(&self, message: &[u8]) -> Result<Decrypted, DecryptError> {
        self.state.open(message)
    }

    /// Applies the result of [`open`](Self::open) and returns the plaintext. Cannot fail.
    pub(crate) fn commit(&mut self, decrypted: Decrypted) -> Vec<u8> {
        let Decrypted { change, mut plaintext } = decrypted;
        self.state.apply(change);
        core::mem::take(&mut *plaintext)
    }

    /// A copy of the ratchet as [`commit`](Self::commit) will leave it, to be encoded before the commit.
    pub(crate) fn after(&self, decrypted: &Decrypted) -> Self {
        let mut state = self.state.duplicate();
        state.apply(decrypted.change.duplicate());
        Self { state }
    }

    /// Appends the state, as section 6.4 encodes it.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        self.state.write(writer);
    }

    /// Reads the encoding of [`write`](Self::write).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { state: State::read(reader)? })
    }
}

impl fmt::Debug for DoubleRatchet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { binding: _, root: _, sending: _, receiving } = self.state.as_ref();
        f.debug_struct("DoubleRatchet")
            .field("receiving_chains", &receiving.chains.len())
            .field("skipped_keys", &self.skipped_keys())
            .finish_non_exhaustive()
    }
}

/// A decrypted message that is not committed yet. See [`DoubleRatchet::stage`].
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    ratchet: &'a mut DoubleRatchet,
    decrypted: Decrypted,
}

impl Staged<'_> {
    /// The plaintext, to store in the same transaction as the state. Show it only after [`commit`](Staged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        self.decrypted.plaintext()
    }

    /// Deletes the message's key and returns its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { ratchet, decrypted } = self;
        ratchet.commit(decrypted)
    }

    /// Encodes the state as the commit will leave it.
    fn encode_after(&self) -> Zeroizing<Vec<u8>> {
        self.ratchet.after(&self.decrypted).state.encode()
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("length", &self.decrypted.plaintext.len()).finish_non_exhaustive()
    }
}
