//! The bounds of chains, each with its reason (docs/spec/chains.md, section 14.5).

/// Messages of a chain: each has a number below this. Whoever copied the chain's key reads to its end: this bounds how
/// much, without a distribution for each device too often. It also bounds what a malicious sender can make a receiver
/// compute.
pub(super) const MAX_MESSAGES: u32 = 1_000;

/// Seconds after which a sender begins a new chain: the same bound for those who write little. 7 days.
pub(super) const MAX_AGE: u64 = 7 * 86_400;

/// Seconds that a chain may have begun ahead of the clock, before the clock is known to have gone back: a day.
pub(super) const MAX_AHEAD: u64 = 86_400;

/// Longest body in bytes, as in a session.
pub(super) const MAX_BODY: usize = crate::ratchet::MAX_PLAINTEXT;

/// Devices that a chain is given at most: 1,024 accounts with 16 devices each. Each takes 65 bytes of the sender's record.
pub(super) const MAX_GIVEN: usize = 16_384;

/// Keys of messages that have not arrived, over all chains of one sending device.
pub(super) const MAX_KEPT: u32 = 2_000;

/// A kept key ends when so many messages of its sender were received after it was kept.
pub(super) const KEPT_FOR: u32 = 2_000;

/// Chains of one sending device: the newest, and those of which messages may still arrive.
pub(super) const MAX_CHAINS: usize = 5;

/// Chains that are gone and are not taken again, of each sending device, with what they said to follow.
pub(super) const MAX_GONE: usize = 16;

/// Messages of a chain whose salt is remembered, to tell a repeated message from another one under its number: more than a
/// network delivers twice at once, and than a device usually loses by a restored backup of an hour ago.
pub(super) const MAX_REMEMBERED: usize = 64;

/// Messages of a backlog whose signatures are verified by one equation.
pub(super) const BATCH: usize = 1_024;
