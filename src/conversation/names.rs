//! What a receiver remembers of one author device: which of its messages it has (docs/spec/conversations.md, section
//! 12.4).
//!
//! A horizon, below which everything is closed for ever, and the names above it. Nothing is remembered by name below the
//! horizon, and nothing below it is ever shown.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::limits::{ACK_NAMES, ACK_WAIT, NAMES, PREVIEWS};
use super::name::{MessageId, Tag};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::{self, Timestamp};

/// What a receiver remembers of one author device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Every number below is closed.
    horizon: u64,
    /// At or above the horizon: received, given up by their author, or withdrawn.
    known: BTreeMap<Tag, Known>,
    /// Shown from a session that nobody had confirmed.
    previews: BTreeMap<Tag, Preview>,
    /// Names that their author does not know of yet, and since when.
    waiting: u8,
    since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    number: u64,
    /// Never shown: its author gave it up or withdrew it.
    closed: bool,
}

/// A message that was shown before its session was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preview {
    pub(super) number: u64,
    /// The serial number of the session.
    pub(super) session: u32,
    /// Digest of the message, which its author confirms later.
    pub(super) digest: [u8; 16],
}

/// Whether a message was here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is new.
    New,
    /// It was shown as unconfirmed.
    Previewed,
    /// It was received, given up or withdrawn, or is below the horizon.
    Before,
}

/// What a frame tells an author about its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) horizon: u64,
    pub(super) highest: Option<u64>,
    /// Ascending.
    pub(super) shown: Vec<Tag>,
    /// Ascending.
    pub(super) closed: Vec<Tag>,
}

impl Names {
    /// P-12.16.
    pub(super) fn look(&self, id: MessageId) -> Seen {
        if id.number() < self.horizon || self.known.contains_key(&id.tag()) {
            Seen::Before
        } else if self.previews.contains_key(&id.tag()) {
            Seen::Previewed
        } else {
            Seen::New
        }
    }

    /// Whether the message that was shown as unconfirmed under this tag is another.
    pub(super) fn was_another(&self, id: MessageId, digest: Option<[u8; 16]>) -> bool {
        self.previews.get(&id.tag()).is_some_and(|preview| Some(preview.digest) != digest)
    }

    /// Remembers a message that was received; `closed` if there is nothing to show. It must not have been
    /// [seen before](Seen::Before).
    pub(super) fn receive(&mut self, id: MessageId, closed: bool) {
        self.previews.remove(&id.tag());
        self.known.insert(id.tag(), Known { number: id.number(), closed });
    }

    /// P-12.22: remembers a message that is shown as unconfirmed, if there is room.
    pub(super) fn preview(&mut self, id: MessageId, session: u32, digest: [u8; 16]) -> bool {
        if self.look(id) != Seen::New || self.previews.len() >= PREVIEWS {
            return false;
        }
        self.previews.insert(id.tag(), Preview { number: id.number(), session, digest });
        true
    }

    /// The messages that were shown from this session before it was confirmed.
    pub(super) fn previews(&self, session: u32) -> impl Iterator<Item = (MessageId, &Preview)> {
        let of = self.previews.iter().filter(move |(_, preview)| preview.session == session);
        of.map(|(tag, preview)| (MessageId::new(preview.number, *tag), preview))
    }

    /// P-12.20: closes a name that its author has given up. Whether that is news: the message was not here. One that was
    /// shown as unconfirmed counts as shown from here on, in every session, so that its author stops telling of it.
    pub(super) fn close_lost(&mut self, id: MessageId) -> bool {
        let seen = self.look(id);
        if seen != Seen::Before {
            self.receive(id, seen == Seen::New);
        }
        seen == Seen::New
    }

    /// Counts a name that its author does not know of yet.
    pub(super) fn will_acknowledge(&mut self, now: Timestamp) {
        if self.waiting == 0 {
            self.since = Some(now);
        }
        self.waiting = self.waiting.saturating_add(1);
    }

    /// A frame has told the author everything. Whether it had not known.
    pub(super) fn acknowledged(&mut self) -> bool {
        let waited = self.waiting != 0;
        (self.waiting, self.since) = (0, None);
        waited
    }

    /// P-12.19: when the acknowledgement travels alone; `None` if none waits. A clock that went back makes it due.
    pub(super) fn acknowledgement_due(&self, now: Timestamp) -> Option<Timestamp> {
        let since = self.since?;
        if self.waiting >= ACK_NAMES || now < since { Some(now) } else { Some(since.plus_seconds(ACK_WAIT)) }
    }

    /// P-12.17. The author's own word: nothing below `base` will come. Then room is made, from below.
    pub(super) fn raise(&mut self, base: u64) {
        self.horizon = self.horizon.max(base);
        self.drop_below();
        while self.known.len() > NAMES {
            let Some(lowest) = self.known.values().map(|known| known.number).min() else { return };
            self.horizon = self.horizon.max(lowest.saturating_add(1));
            self.drop_below();
        }
    }

    fn drop_below(&mut self) {
        let horizon = self.horizon;
        self.known.retain(|_, known| known.number >= horizon);
        self.previews.retain(|_, preview| preview.number >= horizon);
    }

    /// P-12.18: what a frame says that travels in this session.
    pub(super) fn report(&self, session: u32) -> Report {
        let known = |closed| self.known.iter().filter(move |(_, known)| known.closed == closed).map(|(tag, _)| *tag);
        let previews = self.previews.iter().filter(|(_, preview)| preview.session == session).map(|(tag, _)| *tag);
        let mut shown: Vec<Tag> = known(false).chain(previews).collect();
        shown.sort_unstable();
        let highest = self.known.values().map(|known| known.number).max();
        Report { horizon: self.horizon, highest, shown, closed: known(true).collect() }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { horizon, known, previews, waiting, since } = self;
        writer.u64(*horizon).u8(*waiting).u64(time::to_seconds(*since));
        writer.count(known.len());
        for (Tag(tag), Known { number, closed }) in known {
            writer.bytes(tag).u64(*number).flag(*closed);
        }
        writer.count(previews.len());
        for (Tag(tag), Preview { number, session, digest }) in previews {
            writer.bytes(tag).u64(*number).u32(*session).bytes(digest);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (horizon, waiting, since) = (reader.u64()?, reader.u8()?, time::read_optional(reader)?);
        let mut names = Self { horizon, waiting, since, ..Self::default() };
        for _ in 0..reader.count(NAMES)? {
            let (tag, number, closed) = (Tag(*reader.array()?), reader.u64()?, reader.flag()?);
            if number < horizon || names.known.last_key_value().is_some_and(|(last, _)| *last >= tag) {
                return Err(Malformed);
            }
            names.known.insert(tag, Known { number, closed });
        }
        for _ in 0..reader.count(PREVIEWS)? {
            let tag = Tag(*reader.array()?);
            let preview = Preview { number: reader.u64()?, session: reader.u32()?, digest: *reader.array()? };
            let ascends = names.previews.last_key_value().is_none_or(|(last, _)| *last < tag);
            if preview.number < horizon || !ascends || names.known.contains_key(&tag) {
                return Err(Malformed);
            }
            names.previews.insert(tag, preview);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64, tag: u8) -> MessageId {
        MessageId::new(number, Tag([tag; 8]))
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// P-12.16, P-12.17
    #[test]
    fn a_message_is_new_once_and_a_name_below_the_horizon_never() {
        let mut names = Names::default();
        assert_eq!(names.look(id(5, 1)), Seen::New);
        names.receive(id(5, 1), false);
        assert_eq!(names.look(id(5, 1)), Seen::Before);
        assert_eq!(names.look(id(9, 1)), Seen::Before, "a tag is used once, whatever the number");
        assert_eq!(names.look(id(5, 2)), Seen::New, "a number may be used twice after a restore");
        names.raise(6);
        assert_eq!(names.look(id(5, 1)), Seen::Before);
        assert_eq!(names.look(id(5, 2)), Seen::Before);
        assert_eq!(names.look(id(6, 2)), Seen::New);
    }

    /// P-12.13, P-12.17
    #[test]
    fn what_does_not_fit_is_closed_from_below() {
        let mut names = Names::default();
        for number in 0..200_u8 {
            names.receive(id(u64::from(number), number), false);
            names.raise(0);
        }
        let report = names.report(0);
        assert_eq!((report.shown.len(), report.horizon, report.highest), (NAMES, 72, Some(199)));
        assert_eq!(names.look(id(10, 10)), Seen::Before);
    }

    /// P-12.16, P-12.18, P-12.22
    #[test]
    fn a_preview_has_room_and_becomes_known_when_it_comes_again() {
        let mut names = Names::default();
        for tag in 0..20 {
            assert_eq!(names.preview(id(7, tag), 3, [tag; 16]), usize::from(tag) < PREVIEWS);
        }
        assert_eq!(names.look(id(7, 0)), Seen::Previewed);
        assert_eq!((names.report(3).shown.len(), names.report(4).shown.len()), (PREVIEWS, 0));
        // P-12.23: the name is the same, the message is not.
        assert!(!names.was_another(id(7, 0), Some([0; 16])));
        assert!(names.was_another(id(7, 0), Some([1; 16])) && names.was_another(id(7, 0), None));
        names.receive(id(7, 0), false);
        assert_eq!((names.look(id(7, 0)), names.previews(3).count()), (Seen::Before, PREVIEWS - 1));
        assert_eq!(names.report(4).shown, [Tag([0; 8])], "told in any session");
    }

    /// P-12.18, P-12.20
    #[test]
    fn a_lost_name_is_told_apart_from_a_shown_one() {
        let mut names = Names::default();
        names.receive(id(1, 1), false);
        assert!(names.close_lost(id(2, 2)) && !names.close_lost(id(2, 2)) && !names.close_lost(id(1, 1)));
        let report = names.report(0);
        assert_eq!((report.shown, report.closed), ([Tag([1; 8])].into(), [Tag([2; 8])].into()));
        assert_eq!(names.look(id(2, 2)), Seen::Before, "should it arrive after all");
    }

    /// P-12.19
    #[test]
    fn a_lost_name_that_was_shown_as_unconfirmed_is_told_as_shown_in_every_session() {
        let mut names = Names::default();
        names.preview(id(7, 1), 3, [1; 16]);
        assert!(!names.close_lost(id(7, 1)), "it is not missing");
        let report = names.report(4);
        assert_eq!((report.shown, report.closed), ([Tag([1; 8])].into(), [].into()));
    }

    #[test]
    fn an_acknowledgement_waits_for_ten_minutes_or_eight_names() {
        let mut names = Names::default();
        assert_eq!(names.acknowledgement_due(at(0)), None);
        names.will_acknowledge(at(100));
        names.will_acknowledge(at(200));
        assert_eq!(names.acknowledgement_due(at(200)), Some(at(700)));
        assert_eq!(names.acknowledgement_due(at(50)), Some(at(50)), "a clock that went back");
        (0..6).for_each(|_| names.will_acknowledge(at(200)));
        assert_eq!(names.acknowledgement_due(at(200)), Some(at(200)));
        assert!(names.acknowledged() && !names.acknowledged());
        assert_eq!(names.acknowledgement_due(at(900)), None);
    }

    #[test]
    fn a_record_gives_the_same_names_again() {
        let mut names = Names::default();
        names.receive(id(20, 1), false);
        names.close_lost(id(21, 2));
        names.preview(id(22, 3), 9, [4; 16]);
        names.will_acknowledge(at(5));
        names.raise(20);
        let mut writer = SecretWriter::with_capacity(64);
        names.write(&mut writer);
        let bytes = writer.finish();
        assert_eq!(Names::read(&mut Reader::new(&bytes)), Ok(names));
    }
}
