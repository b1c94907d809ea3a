//! Which of two writes holds (docs/spec/registers.md, section 17.1): the greater in one total order. So the order in which
//! they arrive does not matter, nor how often.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::key::{AUDIENCE, BLOCKED, Mark, PINNED, Pin, READ_MARK, RegisterKey, VERIFIED};
use super::limits::{DAY, EACH};
use bisik_core::time::Timestamp;

/// The newest write that is known.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Register {
    pub(super) counter: u64,
    /// The index of the device that wrote it.
    pub(super) device: u32,
    /// Absence is a value too.
    pub(super) value: Option<Zeroizing<Vec<u8>>>,
}

/// Compared from left to right: a version that the kind has, the counter, what is safer or further, the device, the value.
type Rank<'a> = ((u64, bool), u64, u64, u32, Option<&'a [u8]>);

impl Register {
    /// P-17.1: whether this write holds and not the other one.
    pub(super) fn beats(&self, other: &Self, key: &RegisterKey) -> bool {
        self.rank(key.kind) > other.rank(key.kind)
    }

    fn rank(&self, kind: u8) -> Rank<'_> {
        let value = self.value.as_ref().map(|value| value.as_slice());
        let is = |byte: u8| value.and_then(<[u8]>::last) == Some(&byte);
        let (version, care) = match kind {
            READ_MARK => ((0, false), self.number()),
            AUDIENCE => ((self.number(), is(0)), 0),
            VERIFIED => {
                let is_verified = value.and_then(Mark::read).is_some_and(|mark| matches!(mark, Mark::Verified { .. }));
                ((0, false), u64::from(!is_verified))
            }
            PINNED => {
                let care = match value.and_then(Pin::read) {
                    Some(Pin::Changed(_)) => 2,
                    Some(Pin::Known(_)) => 0,
                    None => 1,
                };
                ((0, false), care)
            }
            BLOCKED => ((0, false), u64::from(is(1))),
            _ => ((0, false), 0),
        };
        (version, self.counter, care, self.device, value)
    }

    /// The number with which the values of read marks and of members begin.
    pub(super) fn number(&self) -> u64 {
        let value = self.value.as_ref().and_then(|value| value.first_chunk());
        value.map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// P-17.2: whether its counter, or its version, is more than a day ahead.
    pub(super) fn is_late(&self, key: &RegisterKey, now: Timestamp) -> bool {
        self.counter >= latest(now) || (key.kind == AUDIENCE && self.number() >= latest(now))
    }

    /// When it was written, by the clock of its device.
    pub(super) const fn written(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.counter >> FRACTION)
    }

    /// Bytes that count for the bound.
    pub(super) fn size(&self, key: &RegisterKey) -> usize {
        let value = self.value.as_ref().map_or(0, |value| value.len());
        key.id.len().saturating_add(value).saturating_add(EACH)
    }
}

/// The counter of the next write, P-17.2: greater than that of the last, and no less than the time.
pub(super) fn next(known: Option<u64>, now: Timestamp) -> u64 {
    known.map_or(0, |known| known.saturating_add(1)).max(counter_at(now))
}

/// The least counter of a moment.
pub(super) fn counter_at(now: Timestamp) -> u64 {
    now.as_unix_seconds().min(LATEST) << FRACTION
}

/// The counter from which on a write is later than it can be: a day ahead of the clock, P-17.2.
pub(super) fn latest(now: Timestamp) -> u64 {
    counter_at(now.plus_seconds(DAY))
}

/// Bits of a counter below the second.
const FRACTION: u32 = 10;
/// The greatest second in a counter: the year 10680.
const LATEST: u64 = 1 << 38;
