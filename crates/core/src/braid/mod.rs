//! The braid: a post-quantum ratchet that sends ML-KEM-768 keys and ciphertexts in chunks of 32 bytes, one in a message.
//!
//! Two ends take turns, epoch by epoch, as *owner* of a key and *encapsulator*. Every epoch gives both one secret of 32
//! bytes. Loss, doubles and reordering cost time only: of each text any k different chunks suffice ([`erasure`]). Both
//! suites run this machine: [`Labels`] says what differs, and what a secret is used for is the suite's matter
//! (docs/spec/post-quantum.md).
//!
//! # Use
//!
//! A [`Braid`] never changes while a message is made or read. [`send`](Machine::send) and
//! [`receive`](Machine::receive) take `&self` and return a [`Change`], which [`apply`](Machine::apply) makes once the
//! message is kept; dropped, nothing happened. A change belongs to the state that it was made from: apply it before the
//! next call of either, once.
//!
//! ```
//! use bisik_core::braid::{Braid, Draw, NATIVE, Wants};
//! use bisik_core::primitives::secret::Secret;
//!
//! let rng = &mut rand::rng();
//! let start = Secret::random(rng);
//! let (mut a, mut b) = (Braid::initiator(&NATIVE, &start), Braid::responder(&NATIVE, &start));
//! let mut secrets = Vec::new();
//! while secrets.len() < 2 {
//!     // A suite that may draw in this message asks what is needed. `None` makes the braid wait.
//!     let draw = a.wants().map(|wants| match wants {
//!         Wants::Seed => Draw::Seed(Secret::random(rng).into()),
//!         Wants::Randomness => Draw::Randomness(Secret::random(rng).into()),
//!     });
//!     let sent = a.send(draw)?;
//!     a.apply(sent.change);
//!
//!     let received = b.receive(&sent.part)?;
//!     b.apply(received.change);
//!
//!     secrets.extend(sent.secret.into_iter().chain(received.secret));
//!     core::mem::swap(&mut a, &mut b);
//! }
//! assert_eq!((secrets[0].epoch, secrets[1].epoch), (1, 1));
//! assert_eq!(secrets[0].secret.expose(), secrets[1].secret.expose());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Order in a message received: [`permits`](Machine::permits) before anything is computed; then keys, tag, body; then
//! `receive`. Nothing here is needed for the key of the same message, so a forger causes no work in here.
//!
//! # States, for epoch N
//!
//! The initiator starts in `KeysUnsampled` and owns the keys of odd epochs, the responder in `NoHeaderReceived`. Nothing
//! else happens than:
//!
//! | state | writes | on a part of epoch N |
//! |---|---|---|
//! | `KeysUnsampled` | draws 64 bytes: `Header` 0, to `KeysSampled`; without a draw `None` | |
//! | `KeysSampled` | `Header` | `Ct1`: kept, to `HeaderSent` |
//! | `HeaderSent` | `Vector` | `Ct1`: kept; whole: to `Ct1Received` |
//! | `Ct1Received` | `VectorAcknowledging`, of the same text | `Ct2`: kept, to `EkSentCt1Received` |
//! | `EkSentCt1Received` | `Acknowledging` | `Ct2`: kept; whole: **secret N**, to `NoHeaderReceived` of N + 1 |
//! | `NoHeaderReceived` | `None` | `Header`: kept; whole: to `HeaderReceived` |
//! | `HeaderReceived` | draws 32 bytes: **secret N**, `Ct1` 0, to `Ct1Sampled`; without a draw `None` | |
//! | `Ct1Sampled` | `Ct1` | `Vector`, `VectorAcknowledging`: kept. The latter: to `Ct1Acknowledged`. Whole: `Vector`: to `EkReceivedCt1Sampled`, `VectorAcknowledging`: to `Ct2Sampled` |
//! | `EkReceivedCt1Sampled` | `Ct1` | `VectorAcknowledging`, `Acknowledging`: to `Ct2Sampled` |
//! | `Ct1Acknowledged` | `None` | `Vector`, `VectorAcknowledging`: kept; whole: to `Ct2Sampled` |
//! | `Ct2Sampled` | `Ct2` | a part of epoch N + 1, of any kind: to `KeysUnsampled` of N + 1, nothing else of it is used |
//!
//! A part of an earlier epoch changes nothing, one of a later epoch is refused except in the last row. Chunks of a text
//! are numbered 0, 1, .. 65,535, 0, ..; of two chunks of one number the first received counts. Texts: header ‖ tag
//! (3 chunks), vector (36), ct1 (30), ct2 ‖ tag (5).
//!
//! # Derivations
//!
//! ```text
//! HKDF = HKDF-SHA256, Z = 32 zero bytes, n = the epoch, big-endian, in 4 bytes (Signal: 8)
//! authenticator: root = Z at first; update(n, k): root ‖ mac key = HKDF(salt Z, root ‖ k, L_AUTH ‖ n, 64); at the start update(1, secret of the set-up)
//! header tag     = HMAC(mac key, L_BRAID_HEADER ‖ n ‖ header)
//! secret         = HKDF(salt Z, shared secret of ML-KEM-768, L_EPOCH ‖ n, 32), directly followed by update(n, secret)
//! ciphertext tag = HMAC(mac key, L_BRAID_CT ‖ n ‖ ct1 ‖ ct2), under the updated key
//! ```
//!
//! # Faults
//!
//! A text that is whole and wrong ([`Fault`]) was spoilt by somebody who holds the session's keys. The suite chooses:
//! drop the fault and refuse the message, the state is as before (Signal); or apply [`Fault::forget`], which forgets the
//! chunks of that text and heals as chunks arrive (native, P-5.6). A spoilt ct1 is found only with ct2 and is not
//! sent again: that braid stands still.
//!
//! # Cost
//!
//! Of the texts only what cannot be computed again is kept: a seed, or a header and m, the chunks received, and at most
//! seven chunks of the text that is sent. An expanded key is kept in memory until the epoch is over, never stored. A text
//! is decoded once, when its last chunk arrives.

mod authenticator;
mod change;
pub mod erasure;
mod field;
mod kem;
mod labels;
mod part;
mod receive;
mod send;
mod sender;
mod state;
mod stored;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test panics where a number leaves its range")]
mod tests;

use core::fmt;

use crate::primitives::secret::{BoxedSecret, Secret};
use authenticator::Authenticator;
use change::Cache;
use erasure::Decoder;
use state::{NoHeaderReceived, State};

pub use change::Change;
pub use kem::{Kem, MlKem768};
pub use labels::{Labels, NATIVE};
pub use part::{Kind, Part};
pub use receive::{Fault, FaultKind, Received, Refused};
pub use send::{Draw, Sent, Wants};
pub use state::Phase;
pub use stored::MAX_STORED;

/// The braid over ML-KEM-768.
pub type Braid = Machine<MlKem768>;

/// One end of a braid over the key encapsulation `K`.
pub struct Machine<K: Kem> {
    labels: &'static Labels,
    epoch: u32,
    authenticator: Authenticator,
    state: State,
    cache: Option<Cache<K>>,
}

/// The secret of an epoch.
pub struct EpochSecret {
    /// The epoch: 1, 2, ..; each once, in order.
    pub epoch: u32,
    /// The secret.
    pub secret: BoxedSecret<32>,
}

impl<K: Kem> Machine<K> {
    /// Starts at the end that set the session up. `seed` is the secret that the set-up gave for this.
    #[must_use]
    pub fn initiator(labels: &'static Labels, seed: &Secret<32>) -> Self {
        Self::start(labels, seed, State::KeysUnsampled)
    }

    /// Starts at the other end.
    #[must_use]
    pub fn responder(labels: &'static Labels, seed: &Secret<32>) -> Self {
        Self::start(labels, seed, NoHeaderReceived { header: Decoder::new(kem::header_blocks::<K>()) }.into())
    }

    fn start(labels: &'static Labels, seed: &Secret<32>, state: State) -> Self {
        Self { labels, epoch: 1, authenticator: Authenticator::start(labels, seed), state, cache: None }
    }

    /// The epoch, from 1. Parts are sent with it.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Which state it is in.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// Whether [`Self::receive`] takes a part of `epoch`: one of an epoch that has begun here, or of the next where that
    /// is due. Compares numbers only.
    #[must_use]
    pub fn permits(&self, epoch: u32) -> bool {
        let next = self.phase() == Phase::Ct2Sampled && self.epoch.checked_add(1) == Some(epoch);
        (1..=self.epoch).contains(&epoch) || next
    }

    /// A copy, without what can be computed again.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let Self { labels, epoch, authenticator, state, cache: _ } = self;
        Self { labels, epoch: *epoch, authenticator: authenticator.duplicate(), state: state.duplicate(), cache: None }
    }
}

impl<K: Kem> fmt::Debug for Machine<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("epoch", &self.epoch).field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl fmt::Debug for EpochSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochSecret").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
