//! The bounds of the ratchet, each with its reason (docs/spec/session.md, section 4.7).
//!
//! Does not know where they are enforced.

/// How far one message may be ahead of the last one received in its chain, and how much of a previous chain may be
/// missing. A device that was away for long still catches up; nobody without the chain's header key can make a receiver
/// take even one of these steps; a peer costs its receiver some milliseconds at most.
pub(crate) const MAX_SKIP: u32 = 25_000;

/// Message keys kept for messages that have not arrived, over all chains; the oldest go first. 64 KiB of secrets at most.
pub(crate) const MAX_SKIPPED: usize = 2_000;

/// Receiving chains whose header keys are known, the current one among them. Bounds the header keys that a message is
/// tried against, and so the cost of a forged one.
pub(crate) const MAX_CHAINS: usize = 5;

/// Bytes of plaintext in one message: 64 MiB. Larger things travel as attachments.
pub(crate) const MAX_PLAINTEXT: usize = 64 << 20;
