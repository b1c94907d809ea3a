//! Sender keys: each sender in a group has one chain and one signing pair, distributed to every member through pairwise
//! sessions (docs/interop.md, section 11).
//!
//! The caller manages membership: who receives a distribution, and when a member's departure requires a new sender key.
//! The caller must also take a distribution only from the pairwise session that authenticates its sender.
//!
//! ```text
//!   GroupSender ── Distribution ── in a session with each member ──▶ GroupReceiver::process
//!       └───────── encrypt ─────── one message for all ────────────▶ GroupReceiver::decrypt: the signature first
//! ```

mod error; //       what can go wrong
mod format; //      11.1: the two encodings
mod held; //        messages, sent and received, that wait until the state is stored
mod message_key; // 11.2: the keys of one message
mod persist; //     both as sealed records
mod receiving; //   11.4: a sender's keys at a member
mod sending; //     11.3: a device's own key
mod staged; //      a received message that is not committed yet
mod state; //       11.5 to 11.7: one sender key at a member
mod wire; //        11.1: messages as bytes

use super::chain::ChainKey;
use bisik_core::primitives::secret::Secret;

pub use error::{DistributionError, GroupDecryptError, GroupEncryptError};
pub use format::SenderKeyFormat;
pub use held::GroupHeld;
pub use receiving::GroupReceiver;
pub use sending::GroupSender;
pub use staged::GroupStaged;
pub use wire::{Distribution, GroupHeader};

/// Sender keys of one sender that a member stores: the current one, and older ones for messages still in transit.
/// S-11.8.
const MAX_STATES: usize = 5;
