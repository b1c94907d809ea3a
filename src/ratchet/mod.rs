//! The Double Ratchet with encrypted headers (docs/spec/session.md, section 4). This page is its map.
//!
//! Does not know how the first secret came about, who the peer is, or where state is kept.
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
//! **The step** is in two places: [`sending`](self) makes it lazily, before the first message after an answer; receiving
//! makes it when the *next* header key opens a header. Both turn the same root key.

mod chain; //       4.3  the symmetric step
mod header; //      4.4  encrypted headers
mod layout; //      4.4  sizes, and the nonces of header and body
mod limits; //      4.7  bounds
mod message_key; // 4.5  bodies
mod receiving; //   4.6  stage, then commit
mod root; //        4.2  the DH step
mod sending; //     4.6  the lazy step
mod skipped; //     4.7  keys of what has not arrived
mod state; //       6.4  the same, sealed

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

/// The state of one ratchet: half a conversation between two parties who share a secret.
///
/// [`Session`](crate::Session) contains one and is what most people want. This type serves those who agree on a
/// 32-byte secret in their own way. `Send + Sync`, and not `Clone`: a copy would fork its key stream.
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

/// All that a ratchet remembers (docs/spec/session.md, section 4.6).
struct State {
    /// Associated data of every message.
    binding: [u8; 32],
    root: RootKey,
    sending: Sending,
    receiving: Receiving,
}

impl DoubleRatchet {
    /// Bytes that a message has more than its plaintext: 132.
    pub const OVERHEAD: usize = sending::OVERHEAD;

    /// The side that writes first. `peer_key` is the responder's first ratchet key; `binding` is what both sides want every
    /// message bound to, such as the hash of a transcript.
    #[must_use]
    pub fn initiator(secret: &SharedSecret, binding: &[u8; 32], peer_key: &PublicKey) -> Self {
        Self::start_initiator(secret, binding, PeerRatchetKey::encoded(*peer_key))
    }

    /// The same where the point was decoded already.
    pub(crate) fn initiator_with(secret: &SharedSecret, binding: &[u8; 32], peer_key: Point) -> Self {
        Self::start_initiator(secret, binding, PeerRatchetKey::decoded(peer_key))
    }

    fn start_initiator(secret: &SharedSecret, binding: &[u8; 32], peer_key: PeerRatchetKey) -> Self {
        let (root, ours, peers) = RootKey::start(secret, binding);
        let sending = Sending { pair: None, peer_key: Some(peer_key), chain: None, next_header: ours, previous: 0 };
        let receiving = Receiving { chains: VecDeque::new(), next_header: peers };
        Self { state: Box::new(State { binding: *binding, root, sending, receiving }) }
    }

    /// The side that answers. `pair` is its first ratchet key, whose public half the initiator knows.
    #[must_use]
    pub fn responder(secret: &SharedSecret, binding: &[u8; 32], pair: KeyPair) -> Self {
        let (root, peers, ours) = RootKey::start(secret, binding);
        let sending = Sending { pair: Some(pair), peer_key: None, chain: None, next_header: ours, previous: 0 };
        let receiving = Receiving { chains: VecDeque::new(), next_header: peers };
        Self { state: Box::new(State { binding: *binding, root, sending, receiving }) }
    }

    /// Encrypts one message, using 16 bytes of `rng`, and 32 more when a DH step is due.
    ///
    /// The message is [`OVERHEAD`](Self::OVERHEAD) bytes longer than `plaintext`, and hides nothing but its content: pad
    /// before, if the length matters. Store the state before the message leaves (docs/persistence.md).
    ///
    /// # Errors
    ///
    /// [`EncryptError`]; the state is unchanged then.
    pub fn encrypt(
        &mut self,
        plaintext: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, EncryptError> {
        let mut output = Vec::with_capacity(plaintext.len().saturating_add(Self::OVERHEAD));
        self.encrypt_into(&mut output, plaintext, &mut rng)?;
        Ok(output)
    }

    /// Decrypts one message and commits at once: for callers who keep no state, or store it afterwards.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the state is the same as before then, bit for bit.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, DecryptError> {
        Ok(self.stage(message)?.commit())
    }

    /// Decrypts one message without changing anything yet: the state that follows can be stored before the plaintext is
    /// shown. Dropping the [`Staged`] form forgets the message, which then can come again.
    ///
    /// It borrows the ratchet, so that nothing else can change it before the commit, which is why that cannot fail.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the state is the same as before then, bit for bit.
    pub fn stage(&mut self, message: &[u8]) -> Result<Staged<'_>, DecryptError> {
        let decrypted = self.open(message)?;
        Ok(Staged { ratchet: self, decrypted })
    }

    /// How many keys are kept for messages that have not arrived; at most 2,000.
    #[must_use]
    pub fn skipped_keys(&self) -> usize {
        self.state.skipped_keys()
    }
}

/// What a session needs of its ratchet: the steps of the public methods one by one, and the encoding inside its record.
impl DoubleRatchet {
    /// Appends one message to `output`: [`OVERHEAD`](Self::OVERHEAD) bytes more than `plaintext`.
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

    /// Applies what [`open`](Self::open) found, and gives the plaintext. Cannot fail.
    pub(crate) fn commit(&mut self, decrypted: Decrypted) -> Vec<u8> {
        let Decrypted { change, mut plaintext } = decrypted;
        self.state.apply(change);
        core::mem::take(&mut *plaintext)
    }

    /// A copy of the ratchet as [`commit`](Self::commit) would leave it, to be encoded before the commit.
    pub(crate) fn after(&self, decrypted: &Decrypted) -> Self {
        let mut state = self.state.duplicate();
        state.apply(decrypted.change.duplicate());
        Self { state }
    }

    /// Appends the state, as section 6.4 encodes it.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        self.state.write(writer);
    }

    /// Reads what [`write`](Self::write) wrote.
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

/// A message that verified and has not been committed. See [`DoubleRatchet::stage`].
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    ratchet: &'a mut DoubleRatchet,
    decrypted: Decrypted,
}

impl Staged<'_> {
    /// The plaintext, for the transaction that stores the state too. Showing it is for after [`commit`](Staged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        self.decrypted.plaintext()
    }

    /// Commits: the keys of this message are gone, and here is its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { ratchet, decrypted } = self;
        ratchet.commit(decrypted)
    }

    /// The state as the commit will leave it, encoded: what a caller seals and stores before it shows the plaintext.
    fn encode_after(&self) -> Zeroizing<Vec<u8>> {
        self.ratchet.after(&self.decrypted).state.encode()
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("length", &self.decrypted.plaintext.len()).finish_non_exhaustive()
    }
}
