//! When an author sends again to one device, and what it has given up (docs/spec/conversations.md, section 12.5).

use alloc::vec::Vec;

use super::limits::{LOST, LOST_TRIES, MINUTE, STALE, back_off};
use super::name::{MessageId, Tag};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::{self, Timestamp};

/// The back-off of one device, and the names that were given up for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Author {
    /// Transmissions to this device so far.
    transmissions: u32,
    tries: u8,
    next: Option<Timestamp>,
    /// Given up, and the device does not know yet.
    lost: Vec<MessageId>,
}

/// What waits for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Some message waits.
    pub(super) any: bool,
    /// One of them is due now: it was never sent, or a later one has overtaken it.
    pub(super) now: bool,
}

/// What a frame was, to the back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// It acknowledged something.
    pub(super) news: bool,
    /// It asked for an answer.
    pub(super) asks: bool,
    /// It had a message.
    pub(super) speaks: bool,
}

impl Author {
    /// The number of the next transmission, which is above 0.
    pub(super) fn transmit(&mut self) -> u32 {
        self.transmissions = self.transmissions.saturating_add(1);
        self.transmissions
    }

    pub(super) const fn tries(&self) -> u8 {
        self.tries
    }

    pub(super) fn lost(&self) -> &[MessageId] {
        &self.lost
    }

    /// P-12.30: a message is given up for this device.
    pub(super) fn lose(&mut self, id: MessageId) {
        self.lost.push(id);
        let over = self.lost.len().saturating_sub(LOST);
        self.lost.drain(..over);
        self.tries = self.tries.min(2);
    }

    /// P-12.30: forgets the names that the device has heard of, and moves those that it would refuse to the number
    /// `last`. Whether there were any.
    pub(super) fn told(&mut self, is_listed: impl Fn(&Tag) -> bool, horizon: u64, last: u64) -> bool {
        let before = self.lost.len();
        self.lost.retain(|id| !is_listed(&id.tag()));
        for id in &mut self.lost {
            if id.number() < horizon {
                *id = MessageId::new(last, id.tag());
            }
        }
        self.lost.len() != before
    }

    /// P-12.27: when something is due; `None` if nothing waits.
    pub(super) fn due(&self, waiting: Waiting, now: Timestamp) -> Option<Timestamp> {
        if waiting.now {
            return Some(now);
        }
        if !waiting.any && (self.lost.is_empty() || self.tries >= LOST_TRIES) {
            return None;
        }
        // A clock that went back makes nobody wait longer than the back-off.
        let latest = now.plus_seconds(back_off(self.tries));
        Some(self.next.map_or(now, |next| next.min(latest)))
    }

    /// Whether the clock says that it is time, apart from what is due now.
    pub(super) fn is_time(&self, now: Timestamp) -> bool {
        self.next.is_none_or(|next| next <= now)
    }

    /// Whether the clock went back, so that a flush has to [notice](Self::notice) it.
    pub(super) fn is_ahead(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|next| next > now.plus_seconds(back_off(self.tries)))
    }

    /// P-12.27: a clock that went back makes nobody wait longer than the back-off, from the next flush on.
    pub(super) fn notice(&mut self, now: Timestamp) {
        let latest = now.plus_seconds(back_off(self.tries));
        self.next = self.next.map(|next| next.min(latest));
    }

    /// P-12.27: a try by the clock.
    pub(super) fn tried(&mut self, now: Timestamp) {
        self.next = Some(now.plus_seconds(back_off(self.tries)));
        self.tries = self.tries.saturating_add(1);
    }

    /// Something was sent that waits for an acknowledgement from now on.
    pub(super) fn sent(&mut self, now: Timestamp) {
        if self.next.is_none() {
            (self.next, self.tries) = (Some(now.plus_seconds(back_off(0))), 1);
        }
    }

    /// P-12.37: a session was confirmed: what waits is due now.
    pub(super) const fn begin_anew(&mut self, now: Timestamp) {
        (self.next, self.tries) = (Some(now), 0);
    }

    /// P-12.28, P-12.21: something was heard from the device. A bare frame changes nothing, so that nothing answers
    /// one.
    pub(super) fn heard(&mut self, waits: bool, heard: Heard, now: Timestamp) {
        let Heard { news, asks, speaks } = heard;
        if !waits && self.lost.is_empty() {
            (self.next, self.tries) = (None, 0);
        } else if news {
            (self.next, self.tries) = (Some(now.plus_seconds(back_off(0))), 1);
        } else if asks || (speaks && self.tries >= STALE) {
            let soon = if asks { now } else { now.plus_seconds(MINUTE) };
            (self.next, self.tries) = (Some(self.next.map_or(soon, |next| next.min(soon))), 1);
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { transmissions, tries, next, lost } = self;
        writer.u32(*transmissions).u8(*tries).u64(time::to_seconds(*next)).count(lost.len());
        for id in lost {
            writer.bytes(&id.to_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (transmissions, tries, next) = (reader.u32()?, reader.u8()?, time::read_optional(reader)?);
        let mut lost = Vec::new();
        for _ in 0..reader.count(LOST)? {
            lost.push(MessageId::read(reader)?);
        }
        Ok(Self { transmissions, tries, next, lost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Waiting = Waiting { any: false, now: false };
    const LATER: Waiting = Waiting { any: true, now: false };
    const BARE: Heard = Heard { news: false, asks: false, speaks: false };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn id(number: u64, tag: u8) -> MessageId {
        MessageId::new(number, Tag([tag; 8]))
    }

    /// P-12.27
    #[test]
    fn tries_back_off_to_one_a_day() {
        let mut author = Author::default();
        assert_eq!(author.due(NOTHING, at(0)), None);
        assert_eq!(author.due(Waiting { any: true, now: true }, at(0)), Some(at(0)));
        author.sent(at(0));
        let mut now = 0;
        for hours_4 in [1, 4, 16, 48, 96, 96] {
            assert_eq!(author.due(LATER, at(now)), Some(at(now + hours_4 * 900)));
            now += hours_4 * 900;
            assert!(author.is_time(at(now)) && !author.is_time(at(now - 1)));
            author.tried(at(now));
        }
        assert_eq!(author.due(LATER, at(0)), Some(at(86_400)), "a clock that went back");
    }

    /// P-12.27
    #[test]
    fn a_clock_that_was_ahead_for_a_month_delays_a_repeat_by_a_back_off() {
        let mut author = Author::default();
        author.sent(at(30 * 86_400));
        assert!(author.is_ahead(at(0)) && !author.is_ahead(at(30 * 86_400)));
        author.notice(at(0));
        assert_eq!((author.due(LATER, at(0)), author.due(LATER, at(900))), (Some(at(3_600)), Some(at(3_600))));
        assert!(!author.is_ahead(at(0)) && author.is_time(at(3_600)));
    }

    /// P-12.21, P-12.28
    #[test]
    fn a_bare_frame_makes_nothing_due() {
        let mut author = Author::default();
        author.sent(at(0));
        (0..4).for_each(|_| author.tried(at(10_000)));
        let before = author.clone();
        author.heard(true, BARE, at(20_000));
        assert_eq!(author, before);
        author.heard(true, Heard { speaks: true, ..BARE }, at(20_000));
        assert_eq!(author.due(LATER, at(20_000)), Some(at(20_060)));
        author.heard(true, Heard { asks: true, ..BARE }, at(20_000));
        assert_eq!(author.due(LATER, at(20_000)), Some(at(20_000)));
        author.heard(false, BARE, at(20_000));
        assert_eq!(author, Author { ..Author::default() });
    }

    /// P-12.30
    #[test]
    fn what_is_given_up_is_told_until_it_is_known() {
        let mut author = Author::default();
        (0..70).for_each(|number| author.lose(id(number, 1 + u8::try_from(number).unwrap())));
        assert_eq!((author.lost().len(), author.lost()[0].number()), (LOST, 6));
        assert_eq!(author.due(NOTHING, at(5)), Some(at(5)));
        assert!(author.told(|tag| tag.0[0] < 70, 500, 900));
        assert_eq!(author.lost(), [id(900, 70)], "a name below the horizon would be refused");
        (0..6).for_each(|_| author.tried(at(5)));
        assert_eq!(author.due(NOTHING, at(1 << 30)), None, "nothing else waits: enough tries");
        let mut writer = SecretWriter::with_capacity(64);
        author.write(&mut writer);
        assert_eq!(Author::read(&mut Reader::new(&writer.finish())), Ok(author));
    }
}
