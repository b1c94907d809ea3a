//! The bounds of sessions, each with its reason (docs/interop.md, section 6).

/// Chain steps that one message may cost before its tag has verified, over all states that it is tried in. One step
/// takes a fraction of a microsecond; headers are not encrypted, so that an attacker can ask for steps. No known client
/// skips further. S-6.1.
pub(super) const MAX_SKIP: u32 = 25_000;

/// Skipped message keys of one chain; the oldest are discarded first. S-6.2.
pub(super) const MAX_SKIPPED: usize = 2_000;

/// Skipped message keys of a whole session, over all chains and states; those of the states unused longest are
/// discarded first. 320 KiB of secrets at most. S-6.3.
pub(super) const MAX_SKIPPED_TOTAL: usize = 10_000;

/// Receiving chains that can still give keys. Senders do not state reliably how long a chain was, so that an old chain
/// stays open until five newer ones exist. S-6.4.
pub(super) const MAX_CHAINS: usize = 5;

/// Ended chains that a state remembers, whether or not keys of them are kept: their late messages are told from
/// forgeries. 12 bytes each. S-6.4.
pub(super) const MAX_ENDED: usize = 16;

/// The number in its chain from which on a peer's first messages show that it does not read this device's, so that this
/// device gives up the state that it began itself. It differs, so that two devices that began at once do not both give
/// up theirs: of the one with the smaller identity key. S-5.2.
pub(super) const YIELD_SMALLER: u32 = 8;

/// The same, of the one with the greater identity key.
pub(super) const YIELD_GREATER: u32 = 16;

/// Archived states of one session. Bounds the states that a message of an unknown chain is tried in. S-6.5.
pub(super) const MAX_ARCHIVED: usize = 40;

/// Bytes of plaintext in one message: 64 MiB. Send anything larger as an attachment. S-6.6.
pub(super) const MAX_PLAINTEXT: usize = 64 << 20;

/// One-time pre-keys that a device holds; clients upload 812 at first. S-6.7.
pub(super) const MAX_ONE_TIME: usize = 1_000;

/// Signed pre-keys that a device holds, including the current one: rotated weekly, they cover pre-key messages of two
/// months. S-6.8.
pub(super) const MAX_SIGNED: usize = 8;

/// Base keys that a signed pre-key remembers of sessions without a one-time pre-key, so that their pre-key messages open
/// no second session. S-6.9.
pub(super) const MAX_BASE_KEYS: usize = 1_024;

/// One-time Kyber pre-keys that a device holds; clients upload 100. Each costs a signature to make. S-13.15.
pub(super) const MAX_KYBER: usize = 400;

/// Chain steps of both ratchets of version 4 that one message may cost before its tag has verified, over all states that
/// it is tried in. S-13.13.
pub(super) const MAX_STEPS: u32 = 2 * MAX_SKIP;
