//! [`KeptContents`]: what this device has written, for those whom it did not reach (docs/spec/rooms.md, section 15.4).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::id::GroupMessageId;
use super::limits::{KEPT, KEPT_BYTES, KEPT_FOR};
use super::wire::Again;
use crate::group::GroupId;
use crate::group::chain::View;
use crate::group::fields::{ascending, read_body, read_key};
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::{self, Timestamp};

/// Own contents, oldest first, and who was to read them.
#[derive(Default)]
pub(super) struct KeptContents {
    kept: VecDeque<Kept>,
    /// The number of the newest of them.
    serial: u64,
    /// Since which number each device was to read every one.
    since: BTreeMap<IdentityKey, u64>,
}

/// An own content that was written.
struct Kept {
    serial: u64,
    id: GroupMessageId,
    view: View,
    at: Timestamp,
    /// On a hosted device: when its disclosure promises that it is gone.
    until: Option<Timestamp>,
    body: Zeroizing<Vec<u8>>,
}

impl KeptContents {
    /// Takes note of who reads what is written next: whoever does not has missed something, and begins anew.
    pub(super) fn read_by<'a>(&mut self, readers: impl Iterator<Item = &'a IdentityKey>) {
        let next = self.serial.saturating_add(1);
        let known = core::mem::take(&mut self.since);
        self.since = readers.map(|reader| (*reader, known.get(reader).map_or(next, |since| *since))).collect();
    }

    /// Keeps a content that was written. P-15.16.
    pub(super) fn keep(
        &mut self,
        id: GroupMessageId,
        view: View,
        body: &[u8],
        (at, until): (Timestamp, Option<Timestamp>),
    ) {
        self.serial = self.serial.saturating_add(1);
        let body = Zeroizing::new(body.to_vec());
        self.kept.push_back(Kept { serial: self.serial, id, view, at, until, body });
        while self.kept.len() > KEPT || self.kept.iter().map(|kept| kept.body.len()).sum::<usize>() > KEPT_BYTES {
            self.kept.pop_front();
        }
    }

    /// A content that was kept, if the device was to read it when it was written, and everything since. P-15.16.
    pub(super) fn again(&self, group: GroupId, device: &IdentityKey, id: &GroupMessageId) -> Option<Again> {
        let since = self.since.get(device)?;
        let kept = self.kept.iter().find(|kept| kept.id == *id && *since <= kept.serial)?;
        Some(Again { group, id: *id, view: kept.view, body: kept.body.clone() })
    }

    /// Drops what is old, or promised to be gone by now. Whether there was anything.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let before = self.kept.len();
        let is_old =
            |kept: &Kept| kept.at.plus_seconds(KEPT_FOR) <= now || kept.until.is_some_and(|until| until <= now);
        self.kept.retain(|kept| !is_old(kept));
        self.kept.len() != before
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { kept, serial, since } = self;
        writer.u64(*serial).count(kept.len());
        for Kept { serial, id, view, at, until, body } in kept {
            id.write(writer.u64(*serial));
            writer.bytes(view.as_bytes()).u64(at.as_unix_seconds()).u64(time::to_seconds(*until));
            writer.count(body.len()).bytes(body);
        }
        writer.count(since.len());
        for (device, since) in since {
            writer.bytes(&device.to_bytes()).u64(*since);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut contents = Self { serial: reader.u64()?, ..Self::default() };
        for _ in 0..reader.count(KEPT)? {
            let (serial, id, view) = (reader.u64()?, GroupMessageId::read(reader)?, View::from_bytes(*reader.array()?));
            let (at, until) = (Timestamp::from_unix_seconds(reader.u64()?), time::read_optional(reader)?);
            let body = Zeroizing::new(read_body(reader)?.to_vec());
            if serial > contents.serial {
                return Err(Malformed);
            }
            ascending(contents.kept.back().map(|last| &last.serial), &serial)?;
            contents.kept.push_back(Kept { serial, id, view, at, until, body });
        }
        for _ in 0..reader.count_of(IdentityKey::LENGTH)? {
            let (device, since) = (read_key(reader)?, reader.u64()?);
            ascending(contents.since.last_key_value().map(|(last, _)| last), &device)?;
            contents.since.insert(device, since);
        }
        Ok(contents)
    }
}
