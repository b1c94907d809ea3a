//! [`AccountEvent`]: what happened to the local account. [`Inbox`]: the events that the program has not settled.

use alloc::collections::VecDeque;

use crate::device::{DirectoryEvent, ListId};
use bisik_core::codec::{Malformed, Reader, Writer};

/// What happened to the local account. Show each to its owner, then [`settle`](crate::Account::settle) it: events stay in
/// the account's record until then, so that a crash loses none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountEvent {
    /// A device of the account joined, left or changed, or lists of the account are missing or forked. If the owner did
    /// not do it, somebody else has the primary device or its key.
    Devices(DirectoryEvent),
    /// **Alarm**, on the primary device: a list is signed with the account's key and this device did not sign it. Either
    /// it was restored from a backup: [recover](crate::Account::recover). Or somebody else holds its key.
    UnsignedList(ListId),
    /// **Alarm**, on the primary device: somebody goes by a list with this number, and this device has not signed so many.
    /// Nothing proves it. Ask the server, and the contact, for that list.
    UnsignedListClaimed {
        /// The number.
        sequence: u64,
    },
    /// The server had bundles of this device that the record does not know: the device was restored from a backup. All
    /// its pre-keys were replaced. Messages of the time between may be missing, and sessions are set up anew.
    Restored,
    /// The primary device continued from the list `from`, and signed the list `to`. What changed are events of their own.
    Recovered {
        /// The number of the list that it had.
        from: u64,
        /// The number of the list that it signed.
        to: u64,
    },
    /// So many events were not settled and had to go. Alarms go last.
    Dropped {
        /// How many.
        count: u32,
    },
}

impl AccountEvent {
    /// Returns whether somebody else may hold the account's key.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        match self {
            Self::UnsignedList(_)
            | Self::UnsignedListClaimed { .. }
            | Self::Devices(DirectoryEvent::ListsForked { .. }) => true,
            Self::Devices(_) | Self::Restored | Self::Recovered { .. } | Self::Dropped { .. } => false,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Devices(event) => event.write(writer.u8(1)),
            Self::UnsignedList(list) => list.write(writer.u8(2)),
            Self::UnsignedListClaimed { sequence } => {
                writer.u8(3).u64(*sequence);
            }
            Self::Restored => {
                writer.u8(4);
            }
            Self::Recovered { from, to } => {
                writer.u8(5).u64(*from).u64(*to);
            }
            Self::Dropped { count } => {
                writer.u8(6).u32(*count);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            1 => Self::Devices(DirectoryEvent::read(reader)?),
            2 => Self::UnsignedList(ListId::read(reader)?),
            3 => Self::UnsignedListClaimed { sequence: reader.u64()? },
            4 => Self::Restored,
            5 => Self::Recovered { from: reader.u64()?, to: reader.u64()? },
            6 => Self::Dropped { count: reader.u32()? },
            0 | 7.. => return Err(Malformed),
        })
    }
}

/// The events that are not settled, each with a number of its own, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inbox {
    /// The number of the next event.
    next: u64,
    events: VecDeque<(u64, AccountEvent)>,
}

impl Inbox {
    /// Adds an event. If there is no room, the oldest goes, alarms last, and [`AccountEvent::Dropped`] counts it.
    /// Requirement P-10.29.
    pub(super) fn add(&mut self, event: AccountEvent) {
        while self.events.len() >= MOST {
            let dropped = |event: &AccountEvent| matches!(event, AccountEvent::Dropped { .. });
            let oldest = self.events.iter().position(|(_, event)| !event.is_alarm() && !dropped(event));
            let oldest = oldest.or_else(|| self.events.iter().position(|(_, event)| !dropped(event)));
            let Some((number, _)) = oldest.and_then(|oldest| self.events.remove(oldest)) else { break };
            match self.events.front_mut() {
                Some((_, AccountEvent::Dropped { count })) => *count = count.saturating_add(1),
                _ => {
                    self.events.push_front((number, AccountEvent::Dropped { count: 1 }));
                }
            }
        }
        self.events.push_back((self.next, event));
        self.next = self.next.saturating_add(1);
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (u64, &AccountEvent)> {
        self.events.iter().map(|(number, event)| (*number, event))
    }

    /// Takes out the event with this number; returns whether it was there.
    pub(super) fn settle(&mut self, number: u64) -> bool {
        let before = self.events.len();
        self.events.retain(|(known, _)| *known != number);
        self.events.len() != before
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        let Self { next, events } = self;
        writer.u64(*next).count(events.len());
        for (number, event) in events {
            writer.u64(*number);
            event.write(writer);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let next = reader.u64()?;
        let count = reader.count(MOST)?;
        let event = |reader: &mut Reader<'_>| Ok((reader.u64()?, AccountEvent::read(reader)?));
        let events = (0..count).map(|_| event(reader)).collect::<Result<VecDeque<_>, Malformed>>()?;
        if events.iter().any(|(number, _)| *number >= next) {
            return Err(Malformed);
        }
        Ok(Self { next, events })
    }
}

/// Events that wait to be settled: more than the greatest change of an account at once, 64 devices for 63 others.
const MOST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// P-10.29.
    #[test]
    fn an_inbox_that_nobody_settles_stays_bounded_keeps_alarms_and_counts_what_went() {
        let mut inbox = Inbox::default();
        inbox.add(AccountEvent::UnsignedListClaimed { sequence: 9 });
        for number in 0..1_000 {
            inbox.add(AccountEvent::Recovered { from: number, to: number + 1 });
        }
        let events: Vec<_> = inbox.events().map(|(_, event)| *event).collect();
        assert_eq!(events.len(), MOST);
        assert_eq!(events[0], AccountEvent::Dropped { count: 746 });
        assert_eq!(events[1], AccountEvent::UnsignedListClaimed { sequence: 9 });
        assert_eq!(events[255], AccountEvent::Recovered { from: 999, to: 1_000 });
        let mut writer = Writer::with_capacity(0);
        inbox.encode(&mut writer);
        assert_eq!(Inbox::decode(&mut Reader::new(&writer.finish())), Ok(inbox.clone()));
        let numbers: Vec<_> = inbox.events().map(|(number, _)| number).collect();
        assert!(numbers.iter().all(|number| inbox.settle(*number) && !inbox.settle(*number)), "each has its own");
        assert_eq!(inbox.events().count(), 0);
    }
}
