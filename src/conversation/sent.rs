//! Sent messages, kept for devices that could not decrypt them (docs/spec/conversations.md, section 12.5).
//!
//! They are part of the sealed record, and so encrypted at rest.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::frame::Kind;
use super::{DeviceAddress, MessageId, Side};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// A message that some device has not acknowledged.
pub(super) struct Sent {
    pub(super) id: MessageId,
    pub(super) body: Zeroizing<Vec<u8>>,
    at: Timestamp,
    /// Devices that it went to and that have not acknowledged it. Only these may ask for it again.
    waiting: BTreeSet<DeviceAddress>,
    /// How often each of them has asked, together.
    pub(super) requests: u32,
}

/// The bounded cache of them, oldest first.
#[derive(Default)]
pub(super) struct SentMessages(VecDeque<Sent>);

impl SentMessages {
    /// Remembers a message that goes to `devices`; the oldest make room.
    pub(super) fn remember(&mut self, id: MessageId, body: &[u8], devices: BTreeSet<DeviceAddress>, now: Timestamp) {
        self.0.retain(|sent| sent.at.plus_seconds(MAX_AGE) > now);
        if body.len() > MAX_BYTES || devices.len() > MAX_WAITING || devices.is_empty() {
            return;
        }
        self.0.push_back(Sent { id, body: Zeroizing::new(body.to_vec()), at: now, waiting: devices, requests: 0 });
        while self.is_over() {
            self.0.pop_front();
        }
    }

    fn is_over(&self) -> bool {
        let bytes: usize = self.0.iter().map(|sent| sent.body.len()).sum();
        let waiting: usize = self.0.iter().map(|sent| sent.waiting.len()).sum();
        self.0.len() > MAX_MESSAGES || bytes > MAX_BYTES || waiting > MAX_WAITING
    }

    /// Notes that a device has the message. Whether it was waiting for it.
    pub(super) fn acknowledge(&mut self, id: MessageId, device: DeviceAddress) -> bool {
        let Some(sent) = self.0.iter_mut().find(|sent| sent.id == id) else { return false };
        let was_waiting = sent.waiting.remove(&device);
        self.0.retain(|sent| !sent.waiting.is_empty());
        was_waiting
    }

    /// P-12.14: a message that this device may have again. Counts the request.
    pub(super) fn request(&mut self, id: MessageId, device: DeviceAddress) -> bool {
        let Some(sent) = self.0.iter_mut().find(|sent| sent.id == id) else { return false };
        if !sent.waiting.contains(&device) || sent.requests >= MAX_REQUESTS {
            return false;
        }
        sent.requests = sent.requests.saturating_add(1);
        true
    }

    pub(super) fn find(&self, id: MessageId) -> Option<&Sent> {
        self.0.iter().find(|sent| sent.id == id)
    }

    /// A device that was removed waits for nothing; a changed account gets nothing of before.
    pub(super) fn forget(&mut self, gone: impl Fn(&DeviceAddress) -> bool) {
        for sent in &mut self.0 {
            sent.waiting.retain(|device| !gone(device));
        }
        self.0.retain(|sent| !sent.waiting.is_empty());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        writer.count(self.0.len());
        for Sent { id, body, at, waiting, requests } in &self.0 {
            writer.bytes(id.as_bytes()).u64(at.as_unix_seconds()).u32(*requests).count(body.len()).bytes(body);
            write_devices(waiting, writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut messages = Self::default();
        for _ in 0..reader.count(MAX_MESSAGES)? {
            let id = MessageId::from_bytes(*reader.array()?);
            let at = Timestamp::from_unix_seconds(reader.u64()?);
            let requests = reader.u32()?;
            let length = reader.count(MAX_BYTES)?;
            let body = Zeroizing::new(reader.slice(length)?.to_vec());
            let waiting = read_devices(reader)?;
            messages.0.push_back(Sent { id, body, at, waiting, requests });
        }
        if messages.is_over() { Err(Malformed) } else { Ok(messages) }
    }
}

/// What kind of frame a message is to a device at this end.
pub(super) const fn kind_for(side: Side) -> Kind {
    match side {
        Side::Peer => Kind::Message,
        Side::Own => Kind::Copy,
    }
}

pub(super) fn write_device(device: DeviceAddress, writer: &mut SecretWriter) {
    let DeviceAddress { side, index } = device;
    writer.flag(matches!(side, Side::Own)).u32(index);
}

pub(super) fn read_device(reader: &mut Reader<'_>) -> Result<DeviceAddress, Malformed> {
    let side = if reader.flag()? { Side::Own } else { Side::Peer };
    Ok(DeviceAddress { side, index: reader.u32()? })
}

fn write_devices(devices: &BTreeSet<DeviceAddress>, writer: &mut SecretWriter) {
    writer.count(devices.len());
    for device in devices {
        write_device(*device, writer);
    }
}

fn read_devices(reader: &mut Reader<'_>) -> Result<BTreeSet<DeviceAddress>, Malformed> {
    let mut devices = BTreeSet::new();
    for _ in 0..reader.count(MAX_WAITING)? {
        let device = read_device(reader)?;
        if devices.last().is_some_and(|last| *last >= device) {
            return Err(Malformed);
        }
        devices.insert(device);
    }
    Ok(devices)
}

/// Messages that are kept at most.
const MAX_MESSAGES: usize = 64;
/// Bytes of their bodies together.
const MAX_BYTES: usize = 256 << 10;
/// Devices that wait, over all messages.
const MAX_WAITING: usize = 4_096;
/// Seconds after which nobody can ask any more: 14 days.
const MAX_AGE: u64 = 14 * 24 * 60 * 60;
/// How often one message is sent again, over all devices: what still does not arrive then is a loop.
const MAX_REQUESTS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const ONE: DeviceAddress = DeviceAddress::peer(1);
    const TWO: DeviceAddress = DeviceAddress::own(2);

    fn id(number: u8) -> MessageId {
        MessageId::from_bytes([number; 16])
    }

    fn sent(devices: &[DeviceAddress]) -> SentMessages {
        let mut messages = SentMessages::default();
        messages.remember(id(0), b"halo", devices.iter().copied().collect(), NOW);
        messages
    }

    /// P-12.14
    #[test]
    fn only_a_device_that_waits_for_a_message_has_it_again_and_not_for_ever() {
        let mut messages = sent(&[ONE, TWO]);
        assert!(!messages.request(id(1), ONE), "another message");
        assert!(!messages.request(id(0), DeviceAddress::peer(2)), "a device that it was not sent to");
        assert!(messages.acknowledge(id(0), TWO) && !messages.request(id(0), TWO), "a device that has it");
        for _ in 0..MAX_REQUESTS {
            assert!(messages.request(id(0), ONE));
        }
        assert!(!messages.request(id(0), ONE), "a loop ends");
        messages.forget(|device| *device == ONE);
        assert!(messages.find(id(0)).is_none(), "nobody is left who may ask");
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let mut messages = SentMessages::default();
        for number in 0..=255 {
            messages.remember(id(number), &vec![number; 8 << 10], [ONE].into(), NOW);
        }
        assert_eq!(messages.len(), MAX_BYTES / (8 << 10));
        assert!(messages.find(id(255)).is_some() && messages.find(id(0)).is_none());
        let many: BTreeSet<_> = (0..1_000).map(DeviceAddress::peer).collect();
        for number in 0..=255 {
            messages.remember(id(number), b"", many.clone(), NOW);
        }
        assert_eq!(messages.len(), MAX_WAITING / 1_000);
        messages.remember(id(0), b"", [ONE].into(), NOW.plus_seconds(MAX_AGE));
        assert_eq!(messages.len(), 1, "what is too old to be asked for is gone");
    }

    #[test]
    fn what_is_kept_survives_a_record_and_nothing_else_reads_as_one() {
        let mut writer = SecretWriter::with_capacity(0);
        sent(&[ONE, TWO]).write(&mut writer);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        let mut read = SentMessages::read(&mut reader).unwrap();
        assert!(reader.finish().is_ok() && read.request(id(0), TWO));
        for length in 0..bytes.len() {
            assert!(SentMessages::read(&mut Reader::new(&bytes[..length])).is_err());
        }
    }
}
