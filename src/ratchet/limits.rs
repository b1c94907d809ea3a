//! The bounds of the ratchet, each with its reason (docs/spec/session.md, section 4.7).

/// How far one message may be ahead of the last one received in its chain, and how many messages of a previous chain
/// may be missing. A device that was away for long still catches up. An attacker without the chain's header key cannot
/// make a receiver take even one of these steps; a peer can cost its receiver a few milliseconds at most.
pub(crate) const MAX_SKIP: u32 = 25_000;

/// Skipped message keys kept over all chains; the oldest are deleted first. At most 64 KiB of secrets.
pub(crate) const MAX_SKIPPED: usize = 2_000;

/// Receiving chains whose header keys are kept, including the current one. Limits how many header keys a message is
/// tried against, and so the cost of a forgery.
pub(crate) const MAX_CHAINS: usize = 5;

/// Longest plaintext of one message in bytes: 64 MiB. Larger files are sent as attachments.
pub(crate) const MAX_PLAINTEXT: usize = 64 << 20;
