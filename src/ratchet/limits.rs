//! The bounds of the ratchet, each with its reason (docs/spec/session.md, section 4.7).

/// Message keys kept for messages that have not arrived, over all chains. Each is a secret that stays until its message
/// arrives or it ends. 2,000 keys are 64 KB of secret bytes in the store, most of them in blocks. Enough for messages that
/// arrive out of order; what would need more is refused as *ahead*, and read once the others have arrived.
///
/// It also bounds work: before the body of a message has verified, a receiver takes at most this many chain steps.
pub(crate) const MAX_KEPT: u32 = 2_000;

/// Message keys in one block of a session, and one more than its head has itself. With 2,000 keys, the head has about 700
/// bytes of names, and a message whose key was kept replaces one block of 800: less of the one would be more of the
/// other.
pub(crate) const GROUP: usize = 24;

/// Blocks that a session names at most. All keys that are kept were kept among the last 2,000 messages received, so that
/// at most so many were taken from blocks since: 167 blocks, except after the four billion messages that are counted.
pub(crate) const MAX_BLOCKS: usize = 2_000;

/// How many messages may be missing before one, in each of two chains, if the caller gives up what cannot be kept.
pub(crate) const MAX_GIVEN_UP: u32 = 25_000;

/// Kept keys end when this many messages were received after them.
pub(crate) const KEPT_FOR: u32 = 2_000;

/// Receiving chains whose header keys are kept, including the current one. Limits how many header keys a message is
/// tried against, and so the cost of a forgery.
pub(crate) const MAX_CHAINS: usize = 5;

/// Longest plaintext of one message in bytes: 64 MiB. Larger files are sent as attachments.
pub(crate) const MAX_PLAINTEXT: usize = 64 << 20;

/// Secrets of own steps that a peer may name to bind a new session to this one. A peer that has missed nothing names
/// one of the newest two.
pub(crate) const MAX_ACCEPTS: usize = 3;
