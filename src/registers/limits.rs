//! Every bound of registers, with its reason (docs/spec/registers.md, section 17.4).

/// Registers of an account.
pub(super) const MOST: usize = 16_384;
/// Bytes of their keys and values together, with `EACH` for each: the record has all of them.
pub(super) const BYTES: usize = 1 << 20;
/// Bytes that a register adds to its key and its value.
pub(super) const EACH: usize = 16;
/// Bytes of a key's name: 16 of an audience's and an account key.
pub(super) const ID: usize = 80;
/// Bytes of a value.
pub(super) const VALUE: usize = 4_096;
/// Seconds for which it is remembered that a register has no value: 90 days. A device that was off for longer may bring the
/// former value back.
pub(super) const KEPT_ABSENT: u64 = 90 * 24 * 60 * 60;
/// Seconds after which other devices are asked by themselves, once a session is there.
pub(super) const DAY: u64 = 24 * 60 * 60;
/// Seconds after which a device that has asked is asked, and within which answers are counted.
pub(super) const HOUR: u64 = 60 * 60;
/// Seconds for which a device list is valid: a clock that is further from its end is behind.
pub(super) const LIST: u64 = 30 * DAY;
/// Seconds for which a restored device waits for an answer.
pub(super) const QUIET: u64 = 60 * 60;
/// Letters of one answer. A conversation keeps 32.
pub(super) const ANSWER_LETTERS: usize = 16;
/// Answers to one device within an hour.
pub(super) const ANSWERS: u8 = 4;
/// Registers in one letter.
pub(super) const LETTER: usize = 256;
/// Bytes from which on a letter is full.
pub(super) const LETTER_BYTES: usize = 48 << 10;
/// Parts whose digests are compared.
pub(super) const PARTS: usize = 32;
/// Own devices that are remembered: as many as a list has.
pub(super) const PEERS: usize = 64;
