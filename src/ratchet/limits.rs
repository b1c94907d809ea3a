//! The bounds of the ratchet, each with its reason (docs/spec/session.md, section 4.7).

/// How far one message may be ahead of the last one received in its chain, and how much of a previous chain may be
/// missing. Larger than [`MAX_SKIPPED`], because the two bound different things: this one work, that one memory. After
/// a burst of which only the newest messages arrive, a device still reads those and continues; beyond this bound it
/// needs a new session. Without the chain's header key an attacker cannot make a receiver take even one of these steps.
/// A peer can cause 50,000 for one message, 25,000 in each of two chains: one or two HMAC-SHA256 computations each.
pub(crate) const MAX_SKIP: u32 = 25_000;

/// Message keys kept for messages that have not arrived, over all chains; the oldest go first. Each is a secret that
/// survives until its message arrives, which may be never: 64 KB in memory and 72 KB in every record of the session.
/// Enough for messages that arrive out of order; whole bursts of lost ones are given up.
pub(crate) const MAX_SKIPPED: usize = 2_000;

/// Receiving chains whose header keys are kept, including the current one. Limits how many header keys a message is
/// tried against, and so the cost of a forgery.
pub(crate) const MAX_CHAINS: usize = 5;

/// Longest plaintext of one message in bytes: 64 MiB. Larger files are sent as attachments.
pub(crate) const MAX_PLAINTEXT: usize = 64 << 20;
