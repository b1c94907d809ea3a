//! Everything pending: acknowledgements, requests for lost messages, and messages to send again
//! (docs/spec/conversations.md, section 12.5).
//!
//! It is part of the sealed record, so a crash loses none of it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::frame::{Kind, MAX_IDS};
use super::sent::{read_device, write_device};
use super::{DeviceAddress, MessageId};
use crate::hosting::{Decision, Disclosure};
use bisik_core::codec::{Malformed, Reader, SecretWriter};

/// A message that could not be decrypted, and how often it was asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) device: DeviceAddress,
    pub(super) attempts: u32,
    /// To be asked for with the next flush.
    pub(super) due: bool,
}

/// Everything owed in one conversation.
#[derive(Default)]
pub(super) struct Pending {
    acknowledgements: BTreeSet<(DeviceAddress, MessageId)>,
    resends: BTreeSet<(DeviceAddress, MessageId)>,
    /// Decisions and receipts on their way, at most one of a kind for each device: a later one replaces an earlier one.
    notes: BTreeMap<(DeviceAddress, u8), Zeroizing<Vec<u8>>>,
    wanted: BTreeMap<MessageId, Wanted>,
    /// Ids that arrived lately, of messages and of everything else, oldest first: a message that was sent again is
    /// shown once.
    seen: VecDeque<MessageId>,
}

impl Pending {
    /// Notes that a message arrived, and whether for the first time.
    pub(super) fn arrived(&mut self, id: MessageId, device: DeviceAddress) -> bool {
        self.wanted.remove(&id);
        if self.acknowledgements.len() < MAX_OWED {
            self.acknowledgements.insert((device, id));
        }
        self.see(id)
    }

    /// Remembers what came under this name, and whether it is the first.
    pub(super) fn see(&mut self, id: MessageId) -> bool {
        if self.seen.contains(&id) {
            return false;
        }
        self.seen.push_back(id);
        while self.seen.len() > MAX_SEEN {
            self.seen.pop_front();
        }
        true
    }

    pub(super) fn has_seen(&self, id: MessageId) -> bool {
        self.seen.contains(&id)
    }

    /// P-12.10: asks for a message that did not decrypt. `false` where it was asked for too often already, or too many
    /// are.
    pub(super) fn want(&mut self, id: MessageId, device: DeviceAddress) -> bool {
        if self.wanted.len() >= MAX_WANTED && !self.wanted.contains_key(&id) {
            // What was asked for and never came makes room: a relay that invents names must not fill this for good.
            let idle = self.wanted.iter().find(|(_, wanted)| !wanted.due).map(|(id, _)| *id);
            idle.map(|id| self.wanted.remove(&id));
        }
        let room = self.wanted.len() < MAX_WANTED;
        let wanted = match self.wanted.get_mut(&id) {
            Some(wanted) => wanted,
            None if room => self.wanted.entry(id).or_insert(Wanted { device, attempts: 0, due: false }),
            None => return false,
        };
        if wanted.attempts >= MAX_ATTEMPTS {
            self.wanted.remove(&id);
            return false;
        }
        wanted.attempts = wanted.attempts.saturating_add(1);
        wanted.due = true;
        true
    }

    pub(super) fn resend(&mut self, id: MessageId, device: DeviceAddress) {
        if self.resends.len() < MAX_OWED {
            self.resends.insert((device, id));
        }
    }

    /// Devices that something is owed to.
    pub(super) fn devices(&self) -> BTreeSet<DeviceAddress> {
        let wanted = self.wanted.values().filter(|wanted| wanted.due).map(|wanted| wanted.device);
        let owed = self.acknowledgements.iter().chain(&self.resends).map(|(device, _)| *device);
        owed.chain(wanted).chain(self.notes.keys().map(|(device, _)| *device)).collect()
    }

    /// Whether a request to this device is due: then its sessions may be lost.
    pub(super) fn wants_from(&self, device: DeviceAddress) -> bool {
        self.wanted.values().any(|wanted| wanted.due && wanted.device == device)
    }

    pub(super) fn note(&mut self, device: DeviceAddress, kind: Kind, bytes: Vec<u8>) {
        if self.notes.len() < MAX_NOTES && bytes.len() <= MAX_NOTE {
            self.notes.insert((device, kind.byte()), Zeroizing::new(bytes));
        }
    }

    /// Whether a decision or receipt is pending for this device.
    pub(super) fn has_note(&self, device: DeviceAddress) -> bool {
        self.notes.keys().any(|(to, _)| *to == device)
    }

    pub(super) fn take_note(&mut self, device: DeviceAddress, kind: Kind) -> Option<Zeroizing<Vec<u8>>> {
        self.notes.remove(&(device, kind.byte()))
    }

    pub(super) fn take_acknowledgements(&mut self, device: DeviceAddress) -> Vec<MessageId> {
        take(&mut self.acknowledgements, device)
    }

    pub(super) fn take_resends(&mut self, device: DeviceAddress) -> Vec<MessageId> {
        take(&mut self.resends, device)
    }

    pub(super) fn take_requests(&mut self, device: DeviceAddress) -> Vec<MessageId> {
        let due = self.wanted.iter_mut().filter(|(_, wanted)| wanted.due && wanted.device == device).take(MAX_IDS);
        due.map(|(id, wanted)| {
            wanted.due = false;
            *id
        })
        .collect()
    }

    /// Nothing is owed to a device that is gone.
    pub(super) fn forget(&mut self, gone: impl Fn(&DeviceAddress) -> bool) {
        self.acknowledgements.retain(|(device, _)| !gone(device));
        self.resends.retain(|(device, _)| !gone(device));
        self.notes.retain(|(device, _), _| !gone(device));
        self.wanted.retain(|_, wanted| !gone(&wanted.device));
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { acknowledgements, resends, notes, wanted, seen } = self;
        for owed in [acknowledgements, resends] {
            writer.count(owed.len());
            for (device, id) in owed {
                write_device(*device, writer);
                writer.bytes(id.as_bytes());
            }
        }
        writer.count(notes.len());
        for ((device, kind), bytes) in notes {
            write_device(*device, writer);
            writer.u8(*kind).count(bytes.len()).bytes(bytes);
        }
        writer.count(wanted.len());
        for (id, Wanted { device, attempts, due }) in wanted {
            writer.bytes(id.as_bytes());
            write_device(*device, writer);
            writer.u32(*attempts).flag(*due);
        }
        writer.count(seen.len());
        for id in seen {
            writer.bytes(id.as_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (acknowledgements, resends) = (read_owed(reader)?, read_owed(reader)?);
        let mut notes = BTreeMap::new();
        for _ in 0..reader.count(MAX_NOTES)? {
            let key = (read_device(reader)?, reader.u8()?);
            Kind::from_byte(key.1)?;
            let length = reader.count(MAX_NOTE)?;
            if notes.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Malformed);
            }
            notes.insert(key, Zeroizing::new(reader.slice(length)?.to_vec()));
        }
        let mut wanted = BTreeMap::new();
        for _ in 0..reader.count(MAX_WANTED)? {
            let id = MessageId::from_bytes(*reader.array()?);
            let entry = Wanted { device: read_device(reader)?, attempts: reader.u32()?, due: reader.flag()? };
            if wanted.last_key_value().is_some_and(|(last, _)| *last >= id) {
                return Err(Malformed);
            }
            wanted.insert(id, entry);
        }
        let mut seen = VecDeque::new();
        for _ in 0..reader.count(MAX_SEEN)? {
            seen.push_back(MessageId::from_bytes(*reader.array()?));
        }
        Ok(Self { acknowledgements, resends, notes, wanted, seen })
    }
}

fn read_owed(reader: &mut Reader<'_>) -> Result<BTreeSet<(DeviceAddress, MessageId)>, Malformed> {
    let mut owed = BTreeSet::new();
    for _ in 0..reader.count(MAX_OWED)? {
        let entry = (read_device(reader)?, MessageId::from_bytes(*reader.array()?));
        if owed.last().is_some_and(|last| *last >= entry) {
            return Err(Malformed);
        }
        owed.insert(entry);
    }
    Ok(owed)
}

/// Takes out at most as many ids as one frame holds.
fn take(owed: &mut BTreeSet<(DeviceAddress, MessageId)>, device: DeviceAddress) -> Vec<MessageId> {
    let ids: Vec<_> = owed.iter().filter(|(to, _)| *to == device).map(|(_, id)| *id).take(MAX_IDS).collect();
    for id in &ids {
        owed.remove(&(device, *id));
    }
    ids
}

/// Acknowledgements, or messages to be sent again, that are remembered at most.
const MAX_OWED: usize = 1_024;
/// Decisions and receipts on their way.
const MAX_NOTES: usize = 2_048;
/// Bytes of the longest of them: a decision with its disclosure.
const MAX_NOTE: usize = Decision::LENGTH + Disclosure::LONGEST;
/// Lost messages that are asked for at once.
const MAX_WANTED: usize = 64;
/// How often one message is asked for.
const MAX_ATTEMPTS: u32 = 3;
/// Ids of what was received that are remembered: longer than a message takes to be sent again.
const MAX_SEEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceAddress = DeviceAddress::peer(1);

    fn id(number: u8) -> MessageId {
        MessageId::from_bytes([number; 16])
    }

    /// P-12.10
    #[test]
    fn names_that_a_relay_invents_do_not_keep_a_lost_message_from_being_asked_for() {
        let mut pending = Pending::default();
        for number in 0..64 {
            assert!(pending.want(id(number), DEVICE));
        }
        assert!(!pending.want(id(200), DEVICE), "so many at once");
        assert_eq!(pending.take_requests(DEVICE).len(), 64);
        assert!(pending.want(id(200), DEVICE), "those that were asked for make room");
        assert_eq!(pending.take_requests(DEVICE), [id(200)]);
        for number in 0..=255 {
            let _asked = pending.want(id(number), DEVICE);
        }
        assert!(pending.wanted.len() <= MAX_WANTED);
    }

    /// P-12.10
    #[test]
    fn a_message_is_asked_for_three_times() {
        let mut pending = Pending::default();
        for _ in 0..3 {
            assert!(pending.want(id(1), DEVICE));
        }
        assert!(!pending.want(id(1), DEVICE));
    }
}
