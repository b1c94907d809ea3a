//! Sender keys: one chain and one signing pair of each sender in a group, told to every member over the sessions of two
//! (docs/interop.md, section 11).
//!
//! Does not know groups: who is a member, and when a key must be thrown away because somebody is no longer one, is the
//! caller's. It does not know who a distribution came from, either: that is the session's word.
//!
//! ```text
//!   GroupSender ── Distribution ── in a session with each member ──▶ GroupReceiver::process
//!       └───────── encrypt ─────── one message for all ────────────▶ GroupReceiver::decrypt: the signature first
//! ```

mod error; //     what can go wrong
mod format; //      11.1: two ways to write the same
mod held; //      messages, sent and received, that wait until the state is stored
mod message_key; // 11.2: the keys of one message
mod persist; //    both as sealed records
mod receiving; // 11.4: what a member knows of one sender
mod sending; //   11.3: a device's own key
mod staged; //    a received message that is not committed yet
mod wire; //      11.1: messages as bytes

use super::chain::ChainKey;
use bisik_core::primitives::secret::Secret;

pub use error::{DistributionError, GroupDecryptError, GroupEncryptError};
pub use format::SenderKeyFormat;
pub use held::GroupHeld;
pub use receiving::GroupReceiver;
pub use sending::GroupSender;
pub use staged::GroupStaged;
pub use wire::{Distribution, GroupHeader};

/// S-11.8. Keys of one sender that a member keeps: the current one, and those of messages still on their way.
const MAX_STATES: usize = 5;
