//! Messages that their author keeps until each device has acknowledged them (docs/spec/conversations.md, section 12.5).
//!
//! They are part of the sealed record, and so encrypted at rest.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::author::Waiting;
use super::frame::Kind;
use super::limits::{KEPT_BYTES, KEPT_FOR, KEPT_LETTERS, KEPT_MESSAGES, LOOKS_APART};
use super::name::{MessageId, Tag};
use super::piece::{Blocks, Piece};
use super::{DeviceAddress, MAX_BODY, Side};
use crate::labels::kind;
use bisik_core::blocks::BlockId;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::{self, Timestamp};

/// A message that some device has not acknowledged.
pub(super) struct Kept {
    pub(super) id: MessageId,
    pub(super) kind: Kind,
    pub(super) body: Piece<Zeroizing<Vec<u8>>>,
    at: Timestamp,
    /// On a hosted device: when its disclosure promises that the message is gone.
    until: Option<Timestamp>,
    /// Some device may have it.
    sent: bool,
    waiting: BTreeMap<DeviceAddress, Transmission>,
}

/// The last transmission to one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Transmission {
    /// Its number among those to this device; 0 if one is due.
    number: u32,
    /// The flush that made it, until the program has handed it to its transport; 0 from then on.
    batch: u64,
}

/// Why an author no longer sends a message to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The device has shown it.
    Delivered,
    /// The device knows that it was given up or withdrawn, before this device was restored.
    ClosedBefore,
    /// The device would refuse its number for ever.
    BelowHorizon,
}

/// What an acknowledgement has settled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// What became of which message; not of those that were withdrawn, nor of letters.
    pub(super) messages: Vec<(MessageId, Settled)>,
    /// Whether anything was settled, withdrawn messages included.
    pub(super) any: bool,
}

/// A message that makes room, and the devices that it still waited for.
pub(super) struct Dropped {
    pub(super) id: MessageId,
    /// Nobody is told.
    pub(super) silent: bool,
    pub(super) devices: Vec<DeviceAddress>,
}

/// The messages of a conversation, oldest first.
#[derive(Default)]
pub(super) struct KeptMessages {
    list: VecDeque<Kept>,
    /// When some of them were first seen to be too old.
    overdue: Option<Timestamp>,
}

impl Kept {
    const fn is_withdrawn(&self) -> bool {
        matches!(self.kind, Kind::Withdrawn)
    }

    const fn is_letter(&self) -> bool {
        matches!(self.kind, Kind::Letter)
    }

    /// Whether it is given up, and delivered, without a word: what was withdrawn, and letters, which their group makes
    /// again for whoever asks.
    const fn is_silent(&self) -> bool {
        self.is_withdrawn() || self.is_letter()
    }
}

impl KeptMessages {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Keeps a message for `devices`, and returns what makes room for it.
    pub(super) fn keep(
        &mut self,
        id: MessageId,
        (kind, body): (Kind, &[u8]),
        devices: &[DeviceAddress],
        (now, until): (Timestamp, Option<Timestamp>),
    ) -> Vec<Dropped> {
        if devices.is_empty() {
            return Vec::new();
        }
        let waiting = devices.iter().map(|device| (*device, Transmission::default())).collect();
        self.list.push_back(Kept {
            id,
            kind,
            body: Piece::new(Zeroizing::new(body.to_vec())),
            at: now,
            until,
            sent: false,
            waiting,
        });
        let mut dropped = Vec::new();
        // P-12.63: letters never take the place of messages.
        while self.list.iter().filter(|kept| kept.is_letter()).count() > KEPT_LETTERS {
            dropped.extend(self.oldest_letter().and_then(|at| self.list.remove(at)).map(Dropped::from));
        }
        while self.is_over() {
            let gone = match self.oldest_letter() {
                Some(at) => self.list.remove(at),
                None => self.list.pop_front(),
            };
            dropped.extend(gone.map(Dropped::from));
        }
        dropped
    }

    fn oldest_letter(&self) -> Option<usize> {
        self.list.iter().position(Kept::is_letter)
    }

    fn is_over(&self) -> bool {
        let bytes: usize = self.list.iter().map(|kept| kept.body.len()).sum();
        self.list.len() > KEPT_MESSAGES || bytes > KEPT_BYTES
    }

    /// P-12.29: gives up what is too old, at the second of two looks an hour apart.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Dropped> {
        let is_old = |kept: &Kept| kept.at.plus_seconds(KEPT_FOR) <= now;
        // P-12.58: what was promised needs no second look.
        let mut dropped = self.take_promised(now);
        if !self.list.iter().any(is_old) {
            self.overdue = None;
        } else if self.overdue.is_none_or(|since| since > now) {
            self.overdue = Some(now);
        } else if self.overdue.is_some_and(|since| since.plus_seconds(LOOKS_APART) <= now) {
            self.overdue = None;
            dropped.extend(self.take(is_old));
        }
        dropped
    }

    /// P-12.58: gives up what a hosted device has promised to delete by now.
    pub(super) fn take_promised(&mut self, now: Timestamp) -> Vec<Dropped> {
        self.take(|kept| kept.until.is_some_and(|until| until <= now))
    }

    fn take(&mut self, which: impl Fn(&Kept) -> bool) -> Vec<Dropped> {
        let (gone, rest): (VecDeque<Kept>, _) = core::mem::take(&mut self.list).into_iter().partition(which);
        self.list = rest;
        gone.into_iter().map(Dropped::from).collect()
    }

    /// When [`expire`](Self::expire) should look.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        let oldest = self.list.iter().map(|kept| kept.at.plus_seconds(KEPT_FOR)).min()?;
        let look = self.overdue.map_or(oldest, |since| since.plus_seconds(LOOKS_APART));
        let promised = self.list.iter().filter_map(|kept| kept.until).min();
        Some(promised.map_or(look, |promised| promised.min(look)))
    }

    /// P-12.31: replaces the body by nothing. What no device can have is removed at once. Whether the message was kept.
    pub(super) fn withdraw(&mut self, id: MessageId) -> bool {
        let Some(place) = self.list.iter().position(|kept| kept.id == id) else { return false };
        let Some(kept) = self.list.get_mut(place) else { return false };
        if kept.sent {
            (kept.kind, kept.body) = (Kind::Withdrawn, Piece::new(Zeroizing::default()));
        } else {
            self.list.remove(place);
        }
        true
    }

    /// What waits for a device, of the kinds that may be sent.
    pub(super) fn waiting(&self, device: DeviceAddress, may_send: impl Fn(Kind) -> bool) -> Waiting {
        let mut waiting = Waiting { any: false, now: false };
        for kept in self.list.iter().filter(|kept| may_send(kept.kind)) {
            if let Some(transmission) = kept.waiting.get(&device) {
                waiting.any = true;
                waiting.now |= transmission.number == 0;
            }
        }
        waiting
    }

    /// P-12.27: what a flush sends: all that is due now, else the oldest if `by_clock`.
    pub(super) fn due(&self, device: DeviceAddress, may_send: impl Fn(Kind) -> bool, by_clock: bool) -> Vec<&Kept> {
        let waits = |kept: &&Kept| may_send(kept.kind) && kept.waiting.contains_key(&device);
        let now: Vec<_> = self
            .list
            .iter()
            .filter(waits)
            .filter(|kept| kept.waiting.get(&device).is_some_and(|transmission| transmission.number == 0))
            .collect();
        if now.is_empty() && by_clock { self.list.iter().find(waits).into_iter().collect() } else { now }
    }

    /// Notes that a flush has sent a message to a device.
    pub(super) fn transmitted(&mut self, id: MessageId, device: DeviceAddress, number: u32, batch: u64) {
        if let Some(kept) = self.list.iter_mut().find(|kept| kept.id == id) {
            kept.sent = true;
            if let Some(transmission) = kept.waiting.get_mut(&device) {
                *transmission = Transmission { number, batch };
            }
        }
    }

    /// The transport has what this flush made.
    pub(super) fn handed(&mut self, batch: u64) {
        for transmission in self.list.iter_mut().flat_map(|kept| kept.waiting.values_mut()) {
            if transmission.batch == batch {
                transmission.batch = 0;
            }
        }
    }

    /// Letters that were sent to a device are due again: they were not taken, because no session was confirmed.
    pub(super) fn letters_are_due(&mut self, device: DeviceAddress) {
        let letters = self.list.iter_mut().filter(|kept| kept.is_letter());
        for transmission in letters.filter_map(|kept| kept.waiting.get_mut(&device)) {
            *transmission = Transmission::default();
        }
    }

    /// The lowest number that still waits for a device.
    pub(super) fn lowest(&self, device: DeviceAddress) -> Option<u64> {
        self.list.iter().filter(|kept| kept.waiting.contains_key(&device)).map(|kept| kept.id.number()).min()
    }

    /// The highest number of all.
    pub(super) fn highest(&self) -> Option<u64> {
        self.list.back().map(|kept| kept.id.number())
    }

    /// P-12.25, P-12.26: settles what a device reports. Returns what became of which message, and makes due what a
    /// later message has overtaken.
    pub(super) fn acknowledge(
        &mut self,
        device: DeviceAddress,
        shown: &BTreeSet<Tag>,
        closed: &BTreeSet<Tag>,
        horizon: u64,
    ) -> Acknowledged {
        let (mut settled, mut newest) = (Acknowledged::default(), 0);
        for kept in &mut self.list {
            let Some(Transmission { number, .. }) = kept.waiting.get(&device).copied() else { continue };
            let outcome = if shown.contains(&kept.id.tag()) {
                Settled::Delivered
            } else if closed.contains(&kept.id.tag()) {
                Settled::ClosedBefore
            } else if kept.id.number() < horizon {
                Settled::BelowHorizon
            } else {
                continue;
            };
            kept.waiting.remove(&device);
            settled.any = true;
            if outcome != Settled::BelowHorizon {
                newest = newest.max(number);
            }
            if !kept.is_silent() {
                settled.messages.push((kept.id, outcome));
            }
        }
        self.list.retain(|kept| !kept.waiting.is_empty());
        for transmission in self.list.iter_mut().filter_map(|kept| kept.waiting.get_mut(&device)) {
            if transmission.number < newest {
                *transmission = Transmission::default();
            }
        }
        settled
    }

    /// Whether anything waits for a device, of any kind.
    pub(super) fn waits(&self, device: DeviceAddress) -> bool {
        self.list.iter().any(|kept| kept.waiting.contains_key(&device))
    }

    /// A device that was removed waits for nothing; a changed account gets nothing of before. Whether something waited.
    pub(super) fn forget(&mut self, gone: impl Fn(&DeviceAddress) -> bool) -> bool {
        let mut any = false;
        for kept in &mut self.list {
            let before = kept.waiting.len();
            kept.waiting.retain(|device, _| !gone(device));
            any |= kept.waiting.len() != before;
        }
        self.list.retain(|kept| !kept.waiting.is_empty());
        any
    }

    /// Writes everything but the bodies, which are blocks.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { list, overdue } = self;
        writer.u64(time::to_seconds(*overdue)).count(list.len());
        for Kept { id, kind, body: _, at, until, sent, waiting } in list {
            writer.bytes(&id.to_bytes()).u8(kind.byte()).u64(at.as_unix_seconds()).u64(time::to_seconds(*until));
            writer.flag(*sent).count(waiting.len());
            for (device, Transmission { number, batch }) in waiting {
                write_device(*device, writer);
                // P-12.54: what was made and perhaps never left is due again.
                writer.u32(if *batch == 0 { *number } else { 0 });
            }
        }
    }

    /// Names the blocks of the bodies, one for each message.
    pub(super) fn write_bodies(&mut self, blocks: &mut Blocks<'_, '_>) {
        for kept in &mut self.list {
            kept.body.write(kind::CONVERSATION_BODY, blocks, |body| body.clone());
        }
    }

    /// The conversation has another name.
    pub(super) fn displace(&mut self) {
        for kept in &mut self.list {
            kept.body.displace();
        }
    }

    /// Reads what [`write`](Self::write) wrote, and the body of each message from its block.
    pub(super) fn read<E: From<Malformed>>(
        reader: &mut Reader<'_>,
        mut body: impl FnMut() -> Result<(BlockId, Zeroizing<Vec<u8>>), E>,
    ) -> Result<Self, E> {
        let overdue = time::read_optional(reader)?;
        let mut list = VecDeque::<Kept>::new();
        for _ in 0..reader.count(KEPT_MESSAGES)? {
            let (id, kind) = (MessageId::read(reader)?, Kind::from_byte(reader.u8()?)?);
            let (at, until) = (Timestamp::from_unix_seconds(reader.u64()?), time::read_optional(reader)?);
            let sent = reader.flag()?;
            let mut waiting = BTreeMap::new();
            for _ in 0..reader.count_of(DEVICE + 4)? {
                let device = read_device(reader)?;
                if waiting.last_key_value().is_some_and(|(last, _)| *last >= device) {
                    return Err(Malformed.into());
                }
                waiting.insert(device, Transmission { number: reader.u32()?, batch: 0 });
            }
            let (block, body) = body()?;
            let ascends = list.back().is_none_or(|last| last.id.number() < id.number());
            if waiting.is_empty() || !ascends || matches!(kind, Kind::Unknown(_)) || body.len() > MAX_BODY {
                return Err(Malformed.into());
            }
            list.push_back(Kept { id, kind, body: Piece::stored(body, block), at, until, sent, waiting });
        }
        let kept = Self { list, overdue };
        if kept.is_over() { Err(Malformed.into()) } else { Ok(kept) }
    }
}

impl From<Kept> for Dropped {
    fn from(kept: Kept) -> Self {
        let silent = kept.is_silent();
        Self { id: kept.id, silent, devices: kept.waiting.into_keys().collect() }
    }
}

pub(super) fn write_device(DeviceAddress { side, index }: DeviceAddress, writer: &mut SecretWriter) {
    writer.flag(side == Side::Own).u32(index);
}

pub(super) fn read_device(reader: &mut Reader<'_>) -> Result<DeviceAddress, Malformed> {
    let side = if reader.flag()? { Side::Own } else { Side::Peer };
    Ok(DeviceAddress { side, index: reader.u32()? })
}

/// Bytes of a device's address.
const DEVICE: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const A: DeviceAddress = DeviceAddress::peer(0);
    const B: DeviceAddress = DeviceAddress::own(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn id(number: u64) -> MessageId {
        MessageId::new(number, tag(number))
    }

    fn tag(number: u64) -> Tag {
        Tag(number.to_be_bytes())
    }

    fn with(numbers: &[u64]) -> KeptMessages {
        let mut kept = KeptMessages::default();
        for number in numbers {
            assert!(kept.keep(id(*number), (Kind::Message, b"halo"), &[A, B], (at(0), None)).is_empty());
        }
        kept
    }

    fn due(kept: &KeptMessages, device: DeviceAddress) -> Vec<u64> {
        kept.due(device, |_| true, false).iter().map(|kept| kept.id.number()).collect()
    }

    /// P-12.63
    #[test]
    fn letters_of_groups_never_take_the_place_of_messages() {
        let mut kept = KeptMessages::default();
        let mut keep = |number, kind| kept.keep(id(number), (kind, b"halo"), &[A], (at(0), None));
        assert!((0..40).all(|number| keep(number, Kind::Message).is_empty()));
        let dropped: Vec<_> = (40..80).flat_map(|number| keep(number, Kind::Letter)).collect();
        assert!(dropped.iter().all(|dropped| dropped.silent), "nobody is told");
        let dropped: Vec<_> = dropped.iter().map(|dropped| dropped.id.number()).collect();
        assert_eq!(dropped, (40..56).collect::<Vec<_>>(), "24 letters have room beside 40 messages");
        assert!(keep(80, Kind::Message).iter().all(|dropped| dropped.id.number() == 56));
        let mut kept = KeptMessages::default();
        for number in 0..64 {
            kept.keep(id(number), (Kind::Letter, b"halo"), &[A], (at(0), None));
        }
        assert_eq!(kept.len(), KEPT_LETTERS);
    }

    /// P-12.64
    #[test]
    fn letters_are_due_again_when_a_session_is_confirmed() {
        let mut kept = with(&[5]);
        kept.keep(id(6), (Kind::Letter, b"surat"), &[A, B], (at(0), None));
        for (number, device) in [(5, A), (6, A), (6, B)] {
            kept.transmitted(id(number), device, 1, 1);
        }
        kept.letters_are_due(A);
        assert_eq!((due(&kept, A), due(&kept, B)), ([6].into(), [5].into()));
        let letter = kept.acknowledge(A, &[tag(6)].into(), &BTreeSet::new(), 0);
        assert!(letter.any && letter.messages.is_empty(), "delivered without a word");
    }

    /// P-12.25: a number alone confirms nothing.
    #[test]
    fn only_the_tag_acknowledges() {
        let mut kept = with(&[5, 6, 7]);
        let none = BTreeSet::new();
        assert!(!kept.acknowledge(A, &[tag(9)].into(), &none, 0).any);
        assert_eq!(
            kept.acknowledge(A, &[tag(5)].into(), &[tag(6)].into(), 0).messages,
            [(id(5), Settled::Delivered), (id(6), Settled::ClosedBefore)]
        );
        assert_eq!(kept.acknowledge(A, &none, &none, 8).messages, [(id(7), Settled::BelowHorizon)]);
        assert_eq!((kept.len(), kept.lowest(A), kept.lowest(B)), (3, None, Some(5)), "the other device still waits");
    }

    /// P-12.26
    #[test]
    fn what_a_later_message_has_overtaken_is_due_again() {
        let mut kept = with(&[5, 6, 7]);
        for (number, transmission) in [(5, 1), (6, 2), (7, 3)] {
            kept.transmitted(id(number), A, transmission, 1);
        }
        assert_eq!((due(&kept, A), due(&kept, B)), ([].into(), [5, 6, 7].into()));
        kept.acknowledge(A, &[tag(6)].into(), &BTreeSet::new(), 0);
        assert_eq!(due(&kept, A), [5], "and 7 is still on its way");
        assert_eq!(kept.due(A, |_| true, true).len(), 1);
    }

    /// P-12.54
    #[test]
    fn what_was_not_handed_over_is_due_again_after_a_crash() {
        let mut kept = with(&[5, 6]);
        kept.transmitted(id(5), A, 1, 1);
        kept.transmitted(id(6), A, 2, 2);
        kept.handed(1);
        let mut writer = SecretWriter::with_capacity(64);
        kept.write(&mut writer);
        let body = || Ok::<_, Malformed>((BlockId::from_bytes([7; 16]), Zeroizing::new(b"halo".to_vec())));
        let loaded = KeptMessages::read(&mut Reader::new(&writer.finish()), body).unwrap();
        assert_eq!((due(&kept, A), due(&loaded, A)), ([].into(), [6].into()));
    }

    /// P-12.31
    #[test]
    fn a_withdrawn_message_leaves_nothing_of_its_text() {
        let mut kept = with(&[5, 6]);
        kept.transmitted(id(5), A, 1, 1);
        assert!(kept.withdraw(id(5)) && kept.withdraw(id(6)) && !kept.withdraw(id(6)));
        assert_eq!(kept.len(), 1, "no device can have the second one");
        let [left] = &kept.due(B, |_| true, false)[..] else { panic!() };
        assert_eq!((left.kind, left.body.as_slice()), (Kind::Withdrawn, b"".as_slice()));
        let settled = kept.acknowledge(A, &BTreeSet::new(), &[tag(5)].into(), 0);
        assert!(settled.any && settled.messages.is_empty(), "settled without a word");
    }

    /// P-12.29
    #[test]
    fn a_clock_that_jumps_and_comes_back_loses_nothing() {
        let mut kept = with(&[5]);
        assert!(kept.expire(at(20 * 86_400)).is_empty());
        assert!(kept.expire(at(60)).is_empty() && kept.expire(at(30 * 86_400)).is_empty());
        assert!(kept.expire(at(30 * 86_400 + 3_599)).is_empty());
        let dropped = kept.expire(at(30 * 86_400 + 3_600));
        assert_eq!((dropped.len(), dropped[0].devices.len(), kept.len()), (1, 2, 0));
    }

    /// P-12.13, P-12.29
    /// P-12.58
    #[test]
    fn a_hosted_device_keeps_what_it_wrote_no_longer_than_its_disclosure_promises() {
        let mut kept = with(&[5]);
        kept.keep(id(6), (Kind::Message, b"rahasia"), &[A], (at(0), Some(at(3_600))));
        assert_eq!(kept.expires_at(), Some(at(3_600)));
        assert!(kept.expire(at(3_599)).is_empty());
        let gone: Vec<_> = kept.expire(at(3_600)).iter().map(|gone| gone.id.number()).collect();
        assert_eq!((gone, kept.len()), ([6].into(), 1));
    }

    #[test]
    fn room_is_bounded_and_the_oldest_goes() {
        let mut kept = KeptMessages::default();
        let mut dropped = Vec::new();
        for number in 0..70 {
            dropped.extend(
                kept.keep(id(number), (Kind::Message, b"x"), &[A], (at(0), None)).iter().map(|gone| gone.id.number()),
            );
        }
        assert_eq!((dropped, kept.len()), ((0..6).collect::<Vec<_>>(), KEPT_MESSAGES));
        let long = [0_u8; MAX_BODY];
        assert_eq!(kept.keep(id(70), (Kind::Message, &long), &[A], (at(0), None)).len(), 1);
        for number in 71..=74 {
            kept.keep(id(number), (Kind::Message, &long), &[A], (at(0), None));
        }
        assert_eq!(kept.len(), 4, "four of the greatest length");
    }
}
