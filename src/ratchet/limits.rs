//! The bounds of the ratchet, each with its reason (docs/spec/session.md, section 4.7).

/// How many messages may be missing before one in its chain, after the last one received, and how many at the end of
/// the previous chain. Larger than [`MAX_SKIPPED`], because the two bound different things: this one work, that one
/// memory. If only the newest messages of a burst arrive, a device still decrypts those and continues; beyond this
/// bound it needs a new session. Without the chain's header key an attacker cannot make a receiver take a single chain
/// step. A peer can cause 50,000 steps with one message, 25,000 in each of two chains: one or two HMAC-SHA256
/// computations each.
pub(crate) const MAX_SKIP: u32 = 25_000;

/// Message keys kept for messages that have not arrived, over all chains; the oldest are evicted first. Each is a
/// secret that stays until its message arrives or it is evicted. 2,000 keys are 64 KB of secret bytes, and 72 KB in
/// every record of the session. Enough for messages that arrive out of order, but not for whole bursts of lost ones.
pub(crate) const MAX_SKIPPED: usize = 2_000;

/// Receiving chains whose header keys are kept, including the current one. Limits how many header keys a message is
/// tried against, and so the cost of a forgery.
pub(crate) const MAX_CHAINS: usize = 5;

/// Longest plaintext of one message in bytes: 64 MiB. Larger files are sent as attachments.
pub(crate) const MAX_PLAINTEXT: usize = 64 << 20;
