//! [`DirectoryChange`]: what newer lists changed in a directory. [`DirectoryEvent`]: the same as events, for people.

use alloc::vec::Vec;

use super::{DeviceDirectory, DeviceEntry};
use bisik_core::codec::{Malformed, Reader, Writer};

/// The changes that accepted lists made. Empty if they only renewed the dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "sessions follow devices: open some, close some"]
#[non_exhaustive]
pub struct DirectoryChange {
    /// Devices that joined. Set up sessions with them.
    pub added: Vec<DeviceEntry>,
    /// Devices that left. Close the sessions with them. Their indices are never reused.
    pub removed: Vec<DeviceEntry>,
    /// Devices whose custody, automation or disclosure changed.
    pub changed: Vec<ChangedDevice>,
    /// The first and the last number of the lists that were not seen, if there are such lists.
    pub skipped: Option<(u64, u64)>,
    /// The number of a list of another history that the account signed too, and that was passed over.
    pub forked: Option<u64>,
}

/// A device whose terms changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedDevice {
    /// The device as it was listed before.
    pub before: DeviceEntry,
    /// The device as it is listed now.
    pub after: DeviceEntry,
}

impl DirectoryChange {
    /// Returns whether there is nothing to tell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { added, removed, changed, skipped, forked } = self;
        added.is_empty() && removed.is_empty() && changed.is_empty() && skipped.is_none() && forked.is_none()
    }

    /// Returns the same as events, a fork first. Show them: who can read messages has changed, or may have.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::device::{Custody, DeviceCertificate, DeviceTerms, DirectoryEvent, Primary};
    /// use bisik::{Identity, Timestamp};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let (phone, laptop) = (Identity::generate(rng), Identity::generate(rng));
    /// let own = DeviceTerms::own_held(Custody::Person)?;
    /// let mut primary = Primary::new(&phone, own, now);
    /// let mut directory = primary.directory();
    /// primary.add(&phone, DeviceCertificate::sign(&laptop, directory.account(), 1, own), now)?;
    /// let change = directory.accept(primary.list(), now)?;
    /// assert!(matches!(change.events()[..], [DirectoryEvent::Joined(entry)] if entry.index() == 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn events(&self) -> Vec<DirectoryEvent> {
        let Self { added, removed, changed, skipped, forked } = self;
        let forked = forked.iter().map(|sequence| DirectoryEvent::ListsForked { sequence: *sequence });
        let skipped = skipped.iter().map(|(from, to)| DirectoryEvent::ListsSkipped { from: *from, to: *to });
        let removed = removed.iter().copied().map(DirectoryEvent::Left);
        let added = added.iter().copied().map(DirectoryEvent::Joined);
        let changed = changed.iter().copied().map(DirectoryEvent::Changed);
        forked.chain(skipped).chain(removed).chain(added).chain(changed).collect()
    }

    pub(crate) fn between(old: &DeviceDirectory, new: &DeviceDirectory) -> Self {
        let missing_in = |directory: &DeviceDirectory, entry: &DeviceEntry| directory.at(entry.index()).is_none();
        let differs = |after: &DeviceEntry| {
            let before = *old.at(after.index()).filter(|before| before.terms() != after.terms())?;
            Some(ChangedDevice { before, after: *after })
        };
        Self {
            added: new.devices().iter().filter(|entry| missing_in(old, entry)).copied().collect(),
            removed: old.devices().iter().filter(|entry| missing_in(new, entry)).copied().collect(),
            changed: new.devices().iter().filter_map(differs).collect(),
            skipped: None,
            forked: None,
        }
    }
}

/// What happened to the devices of an account: of a peer's, or of one's own. A person should see each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryEvent {
    /// A device joined. Its [custody](DeviceEntry::custody) says who holds its keys: a vendor, for instance.
    Joined(DeviceEntry),
    /// A device left.
    Left(DeviceEntry),
    /// The custody, automation or disclosure of a device changed.
    Changed(ChangedDevice),
    /// Lists with the numbers `from` to `to` were never seen here: the server lost them, or hides them.
    ListsSkipped {
        /// The number of the first list that was not seen.
        from: u64,
        /// The number of the last one.
        to: u64,
    },
    /// The account signed two different lists with this number: its key is in two hands, or it was restored twice.
    ListsForked {
        /// The number.
        sequence: u64,
    },
}

impl DirectoryEvent {
    /// Encodes the event as a part of a record (docs/formats.md, section 12.6).
    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Joined(entry) => entry.write(writer.u8(1)),
            Self::Left(entry) => entry.write(writer.u8(2)),
            Self::Changed(ChangedDevice { before, after }) => {
                before.write(writer.u8(3));
                after.write(writer);
            }
            Self::ListsSkipped { from, to } => {
                writer.u8(4).u64(*from).u64(*to);
            }
            Self::ListsForked { sequence } => {
                writer.u8(5).u64(*sequence);
            }
        }
    }

    /// Decodes what [`write`](Self::write) wrote, from an authenticated record.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            1 => Self::Joined(DeviceEntry::read(reader)?),
            2 => Self::Left(DeviceEntry::read(reader)?),
            3 => {
                let (before, after) = (DeviceEntry::read(reader)?, DeviceEntry::read(reader)?);
                Self::Changed(ChangedDevice { before, after })
            }
            4 => Self::ListsSkipped { from: reader.u64()?, to: reader.u64()? },
            5 => Self::ListsForked { sequence: reader.u64()? },
            0 | 6.. => return Err(Malformed),
        })
    }
}
