//! [`Event`] as an entry of the inbox (docs/formats.md, section 12.6).

use super::kept::{read_device, write_device};
use super::link::Bound;
use super::{Cause, DeviceAddress, Event, MessageId, Side};
use crate::device::DirectoryEvent;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};

impl Event {
    /// Writes the event as an entry of the inbox.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let named = |kind, id: MessageId, device, writer: &mut SecretWriter| {
            write_first(kind, device, writer);
            writer.bytes(&id.to_bytes());
        };
        match self {
            Self::Delivered { id, device } => named(16, *id, *device, writer),
            Self::GivenUp { id, device, cause } => {
                named(17, *id, *device, writer);
                writer.flag(*cause == Cause::Restored);
            }
            Self::Lost { id, device } => named(18, *id, *device, writer),
            Self::Request => drop(writer.u8(19)),
            Self::SessionReplaced { device, bound, last_resort, early } => {
                write_first(20, *device, writer);
                writer.u8(bound_byte(*bound)).flag(*last_resort).flag(*early);
            }
            Self::ReplacedByAnother { device } => write_first(21, *device, writer),
            Self::Restored { device } => write_first(22, *device, writer),
            Self::Forked { device } => write_first(23, *device, writer),
            Self::NotThePeers { id, device } => named(24, *id, *device, writer),
            Self::NotUnderstood { id, device } => named(25, *id, *device, writer),
            Self::ListOutdated { side, sequence } => {
                writer.u8(26).flag(*side == Side::Own).u64(*sequence);
            }
            Self::ListsForked => drop(writer.u8(27)),
            Self::Devices(event) => {
                let mut public = Writer::with_capacity(256);
                event.write(&mut public);
                writer.u8(28).bytes(&public.finish());
            }
            Self::LabelChanged => drop(writer.u8(29)),
            Self::DecisionNotAdopted { device } => write_first(30, *device, writer),
            Self::IdentityChanged => drop(writer.u8(31)),
            Self::Confirmed { id, device } => named(32, *id, *device, writer),
        }
    }

    /// Reads what [`write`](Self::write) wrote after its first byte.
    pub(super) fn read(kind: u8, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let named = |reader: &mut Reader<'_>| -> Result<(DeviceAddress, MessageId), Malformed> {
            Ok((read_device(reader)?, MessageId::read(reader)?))
        };
        Ok(match kind {
            16 => {
                let (device, id) = named(reader)?;
                Self::Delivered { id, device }
            }
            17 => {
                let (device, id) = named(reader)?;
                Self::GivenUp { id, device, cause: if reader.flag()? { Cause::Restored } else { Cause::TooOld } }
            }
            18 => {
                let (device, id) = named(reader)?;
                Self::Lost { id, device }
            }
            19 => Self::Request,
            20 => {
                let device = read_device(reader)?;
                let byte = reader.u8()?;
                let bound = BOUND.into_iter().find(|bound| bound_byte(*bound) == byte).ok_or(Malformed);
                Self::SessionReplaced { device, bound: bound?, last_resort: reader.flag()?, early: reader.flag()? }
            }
            21 => Self::ReplacedByAnother { device: read_device(reader)? },
            22 => Self::Restored { device: read_device(reader)? },
            23 => Self::Forked { device: read_device(reader)? },
            24 => {
                let (device, id) = named(reader)?;
                Self::NotThePeers { id, device }
            }
            25 => {
                let (device, id) = named(reader)?;
                Self::NotUnderstood { id, device }
            }
            26 => {
                let side = if reader.flag()? { Side::Own } else { Side::Peer };
                Self::ListOutdated { side, sequence: reader.u64()? }
            }
            27 => Self::ListsForked,
            28 => Self::Devices(DirectoryEvent::read(reader)?),
            29 => Self::LabelChanged,
            30 => Self::DecisionNotAdopted { device: read_device(reader)? },
            31 => Self::IdentityChanged,
            32 => {
                let (device, id) = named(reader)?;
                Self::Confirmed { id, device }
            }
            _ => return Err(Malformed),
        })
    }
}

/// The first byte, and the device.
fn write_first(kind: u8, device: DeviceAddress, writer: &mut SecretWriter) {
    writer.u8(kind);
    write_device(device, writer);
}

const fn bound_byte(bound: Bound) -> u8 {
    match bound {
        Bound::None => 0,
        Bound::Live => 1,
        Bound::Past => 2,
    }
}

const BOUND: [Bound; 3] = [Bound::None, Bound::Live, Bound::Past];
