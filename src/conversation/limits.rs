//! Every bound on delivery, with its reason (docs/spec/conversations.md, section 12.3). Requirement P-12.13.

/// Names that a receiver remembers above its horizon, for each author device: twice what an author keeps.
pub(super) const NAMES: usize = 128;
/// Messages that are shown from a session that nobody has confirmed, for each device: a bound on what strangers write.
pub(super) const PREVIEWS: usize = 16;
/// Messages that their author keeps until they are acknowledged.
pub(super) const KEPT_MESSAGES: usize = 64;
/// Of these, letters of groups: a device that is away for weeks asks for what it lacks.
pub(super) const KEPT_LETTERS: usize = 32;
/// Bytes of their bodies together: four messages of the greatest length.
pub(super) const KEPT_BYTES: usize = 4 * super::MAX_BODY;
/// Seconds that a message is kept: 14 days.
pub(super) const KEPT_FOR: u64 = 14 * DAY;
/// A policy's default is this span (docs/spec/content.md, P-7.33).
#[cfg(feature = "content")]
const _: () = assert!(crate::content::DELIVERY_WINDOW == KEPT_FOR, "an edit may be on its way as long as any message");
/// Seconds between the two looks that agree that a message is too old: a clock that jumped and was set right loses
/// nothing.
pub(super) const LOOKS_APART: u64 = HOUR;
/// Names of messages that were given up, for each device, until it knows.
pub(super) const LOST: usize = KEPT_MESSAGES;
/// Tries after which nothing but such names is no reason to send any more.
pub(super) const LOST_TRIES: u8 = 6;
/// Seconds until the next try. The first is longer than [`ACK_WAIT`], so that a network without faults repeats nothing.
const BACK_OFF: [u64; 5] = [15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY];
/// The try from which silence alone makes a new session with a device of the peer: 17 hours after the first.
pub(super) const HEAL_PEER: u8 = 4;
/// The same for one's own devices, sooner: a copy that does not decrypt cannot be assigned to a conversation.
pub(super) const HEAL_OWN: u8 = 2;
/// The try from which a message of the peer makes what waits due within a minute: the peer is there again.
pub(super) const STALE: u8 = 3;
/// Names after which an acknowledgement travels alone.
pub(super) const ACK_NAMES: u8 = 8;
/// Seconds after which an acknowledgement travels alone.
pub(super) const ACK_WAIT: u64 = 10 * MINUTE;
/// Seconds between two reactions to what nobody authenticated: four at once, then slower.
const WAITS: [u64; 9] = [0, 0, 0, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY];
/// Seconds after which all four are there again.
pub(super) const TOKENS_RETURN: u64 = 2 * DAY;
/// Reactions that count as used at most, once a session was confirmed: the doubt was worth it.
pub(super) const REFUND: u8 = 4;
/// Ends of ciphertexts that are remembered for each device, beyond what its sessions remember: a queue delivers again what
/// was taken from it, and that is no sign of a lost session.
pub(super) const RECENT: usize = 32;
/// Sessions with one device. A message costs its receiver at most this many trials.
pub(super) const SLOTS: usize = 6;
/// Of those, sessions that are sent in.
pub(super) const LIVE: usize = 2;
/// Flushes into one unanswered session before another is set up: its bundle may name keys that the peer has lost.
pub(super) const RENEW: u8 = 3;
/// Resumption secrets that are kept of sessions that had to go.
pub(super) const FORMER_SECRETS: usize = 6;
/// Sessions that had to go and whose ids are remembered: the device may still name one ([P-3.23]).
pub(super) const GONE_SESSIONS: usize = 16;
/// Chains that a session has received when the secrets of those before it are deleted.
pub(super) const SETTLED: u32 = 4;
/// Chains that a session has received when it shows that it did not have to be replaced.
pub(super) const TURNS: u32 = 2;
/// Things that wait for the program: messages and events. What arrives when it is full stays with the relay.
pub(super) const INBOX: usize = 1_024;
/// Bytes of their bodies together.
pub(super) const INBOX_BYTES: usize = 4 << 20;
/// Payloads that are not kept and wait for the next flush; the oldest go.
pub(super) const EPHEMERAL: usize = 32;
/// Greatest number that is believed of a peer: numbers go up to 2^60, and every device can still count on.
pub(super) const GREATEST_CLAIM: u64 = 1 << 59;
/// Greatest moment that enters a number, in seconds: the year 10680.
pub(super) const GREATEST_MOMENT: u64 = 1 << 38;

/// Seconds to the try after `tries`.
pub(super) fn back_off(tries: u8) -> u64 {
    BACK_OFF.get(usize::from(tries)).copied().unwrap_or(DAY)
}

/// Seconds that have to pass after the reaction number `used`.
pub(super) fn wait_after(used: u8) -> u64 {
    let place = usize::from(used).checked_sub(1);
    place.map_or(0, |place| WAITS.get(place).copied().unwrap_or(DAY))
}

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
