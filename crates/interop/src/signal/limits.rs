//! The bounds of sessions on this wire, each with its reason (docs/interop.md, section 6).
//!
//! Does not know where they are enforced.

/// S-6.1. Chain steps that one message may ask for before its tag has verified, over all states that it is tried in: one step costs a fraction of a
/// microsecond, and headers are clear, so that anybody can ask. Senders of this wire skip no further.
pub(super) const MAX_JUMP: u32 = 25_000;

/// S-6.2. Keys kept for messages of one chain that have not arrived; the oldest go first.
pub(super) const MAX_SKIPPED: usize = 2_000;

/// S-6.3. Keys kept in a whole session, over all chains and states; those of the longest unused go first. 320 KiB of secrets
/// at most.
pub(super) const MAX_SKIPPED_TOTAL: usize = 10_000;

/// S-6.4. Receiving chains that can still give keys. Senders of this wire do not say how long a chain was in a way that could
/// be relied upon, so that old ones stay open until four newer ones have come.
pub(super) const MAX_CHAINS: usize = 5;

/// S-6.5. States beside the current one. Bounds what a message of an unknown chain is tried in.
pub(super) const MAX_ARCHIVED: usize = 40;

/// S-6.6. Bytes of plaintext in one message: 64 MiB. Larger things travel as attachments.
pub(super) const MAX_PLAINTEXT: usize = 64 << 20;

/// S-6.7. One-time pre-keys that a device holds: clients of this wire upload 812 at first.
pub(super) const MAX_ONE_TIME: usize = 1_000;

/// S-6.8. Signed pre-keys that a device holds, the current one among them: rotated weekly, two months of first messages.
pub(super) const MAX_SIGNED: usize = 8;

/// S-6.9. First messages without a one-time pre-key that a signed pre-key remembers, lest they open a second session; the oldest
/// are forgotten.
pub(super) const MAX_BASE_KEYS: usize = 1_024;
