//! Every bound on what a device has to send and to show in a group, with its reason (docs/spec/rooms.md, section 15.5).

/// Messages of the program that wait to be handed to the transport. Beside them there are letters, at most one chain and a few
/// notes for each device.
pub(super) const OUTBOX: usize = 64;
/// Bytes of these messages.
pub(super) const OUTBOX_BYTES: usize = 1 << 20;
/// Chains that wait for an entry or a list of their sender; of one device as many as it has chains.
pub(super) const ASIDE: usize = 64;
pub(super) const ASIDE_OF_A_DEVICE: usize = 4;
/// Seconds after which a device is asked again for what it did not give, and answered again.
pub(super) const ASK_AGAIN: u64 = 60 * 60;
/// Times that a device is answered within that time: each answer may leave something for the next.
pub(super) const ANSWERS: u8 = 8;
/// Letters in one answer.
pub(super) const ANSWER_LETTERS: usize = 8;
/// Devices that questions are remembered of.
pub(super) const ASKED: usize = 4_096;
/// Bytes that a message adds to its body: 117, and one for what the body is.
pub(super) const MESSAGE_OVERHEAD: usize = 118;
/// Acts from which on the owner's device settles the group.
pub(super) const SETTLE_AT: usize = 256;
/// Bytes of letters that wait to be handed over, from which on nobody is answered: whoever asks decides no memory.
pub(super) const LETTER_BYTES: usize = 1 << 20;
/// Contents that their author keeps for those whom they did not reach, as a conversation does.
pub(super) const KEPT: usize = 64;
/// Bytes of these.
pub(super) const KEPT_BYTES: usize = 256 << 10;
/// Seconds that one is kept: 14 days.
pub(super) const KEPT_FOR: u64 = 14 * 24 * 60 * 60;
/// Seconds after which a message that was skipped is asked for: a relay mixes messages, and then it comes.
pub(super) const LATE: u64 = 10 * 60;
/// Times that a device is asked for what it has not given.
pub(super) const TRIES: u8 = 3;
/// Messages that a member passes on at once: what somebody who joins looks at.
pub(super) const HISTORY_MESSAGES: usize = 100;
/// Seconds that they go back: 14 days.
pub(super) const HISTORY_FOR: u64 = 14 * 24 * 60 * 60;
/// Bytes of their encoding: as many as wait for the program.
pub(super) const HISTORY_BYTES: usize = 4 << 20;
/// Bytes of a letter with statements from which on its sender may have more: it is asked at once.
pub(super) const ASK_AT_ONCE: usize = 32 << 10;
/// Chains of one name under which a message is tried: each costs one signature, and honest devices give different ones.
pub(super) const SAME_NAME: usize = 4;
