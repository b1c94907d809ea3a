//! Every bound of statuses, with its reason (docs/spec/statuses.md, section 16.4).

/// Seconds for which a status is shown at most, and after which its author begins a new chain: a day.
pub(super) const DAY: u64 = 24 * 60 * 60;
/// Accounts of an audience. A message to that many with four devices each is given in a chain's 16,384 distributions.
pub(super) const MEMBERS: usize = 4_096;
/// Accounts that an audience remembers, also those that were excluded: an older word about them must not count.
pub(super) const ENTRIES: usize = 2 * MEMBERS;
/// Messages that wait to be handed to the transport.
pub(super) const OUTBOX: usize = 64;
/// Bytes of these messages.
pub(super) const OUTBOX_BYTES: usize = 1 << 20;
/// Senders of one author, each a device in an audience: 16 devices in four audiences that show the same account something.
pub(super) const SOURCES: usize = 64;
/// Statuses that one message takes back.
pub(super) const MOST_DELETED: usize = 64;
/// Statuses that were taken back and that are remembered, because they may arrive later.
pub(super) const REMEMBERED: usize = 256;
/// Seconds after which a device is asked again for its chain, and given it again.
pub(super) const ASK_AGAIN: u64 = 60 * 60;
/// Bytes that a message adds to what it shows: 117, and 13 for when it was written and for how long.
pub(super) const OVERHEAD: usize = 130;
