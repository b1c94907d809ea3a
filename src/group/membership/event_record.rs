//! [`GroupEvent`] as bytes, in a record ([section 15.6](crate::manual::formats#156-groups-at-work)).

use super::count::VoidReason;
use super::encoding::{read_array, read_key};
use super::{ActId, GroupEvent, LinkPolicy, Role, Setting, Stay, Suspension};
use bisik_core::codec::{Malformed, Reader, Writer};

impl GroupEvent {
    pub(in crate::group) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Added { stay, by } => optional(*by, with(1, stay, writer)),
            Self::Joined { stay } => drop(with(2, stay, writer)),
            Self::Left { stay } => drop(with(3, stay, writer)),
            Self::Removed { stay, by } => optional(*by, with(4, stay, writer)),
            Self::Undone { stay } => drop(with(5, stay, writer)),
            Self::Suspended { stay, by } => {
                with(6, stay, writer).u8(u8::from(by.is_some()));
                if let Some(Suspension { act, by }) = by {
                    by.write(writer.bytes(act.as_bytes()));
                }
            }
            Self::Restored { stay } => drop(with(7, stay, writer)),
            Self::RoleChanged { stay, from, to } => drop(with(8, stay, writer).u8(from.byte()).u8(to.byte())),
            Self::OwnerChanged { from, to } => to.write(with(9, from, writer)),
            Self::SettingChanged(Setting(setting)) => drop(writer.u8(10).u8(*setting)),
            Self::EndpointAdmitted(endpoint) => drop(writer.u8(11).bytes(&endpoint.to_bytes())),
            Self::EndpointEnded(endpoint) => drop(writer.u8(12).bytes(&endpoint.to_bytes())),
            Self::LinkOpened { link, policy } => drop(writer.u8(13).bytes(link.as_bytes()).u8(policy.byte())),
            Self::LinkClosed(link) => drop(writer.u8(14).bytes(link.as_bytes())),
            Self::Void { act, by, why } => by.write(writer.u8(15).bytes(act.as_bytes()).u8(void_byte(*why))),
            Self::RekeyAsked { by } => drop(with(16, by, writer)),
            Self::Settled { epoch } => drop(writer.u8(17).u64(*epoch)),
            Self::MustMakeAgain => drop(writer.u8(18)),
            Self::Equivocation => drop(writer.u8(19)),
            Self::Ended => drop(writer.u8(20)),
        }
    }

    pub(in crate::group) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = reader.u8()?;
        let id = |reader: &mut Reader<'_>| read_array(reader).map(ActId::from_bytes);
        Ok(match kind {
            1 => Self::Added { stay: Stay::read(reader)?, by: read_optional(reader)? },
            2 => Self::Joined { stay: Stay::read(reader)? },
            3 => Self::Left { stay: Stay::read(reader)? },
            4 => Self::Removed { stay: Stay::read(reader)?, by: read_optional(reader)? },
            5 => Self::Undone { stay: Stay::read(reader)? },
            6 => {
                let stay = Stay::read(reader)?;
                let by =
                    if reader.flag()? { Some(Suspension { act: id(reader)?, by: Stay::read(reader)? }) } else { None };
                Self::Suspended { stay, by }
            }
            7 => Self::Restored { stay: Stay::read(reader)? },
            8 => Self::RoleChanged { stay: Stay::read(reader)?, from: read_role(reader)?, to: read_role(reader)? },
            9 => Self::OwnerChanged { from: Stay::read(reader)?, to: Stay::read(reader)? },
            10 => Self::SettingChanged(Setting(reader.u8()?)),
            11 => Self::EndpointAdmitted(read_key(reader)?),
            12 => Self::EndpointEnded(read_key(reader)?),
            13 => Self::LinkOpened { link: id(reader)?, policy: LinkPolicy::from_byte(reader.u8()?)? },
            14 => Self::LinkClosed(id(reader)?),
            15 => {
                let (act, byte) = (id(reader)?, reader.u8()?);
                let why = VOID.into_iter().find(|why| void_byte(*why) == byte).ok_or(Malformed)?;
                Self::Void { act, by: Stay::read(reader)?, why }
            }
            16 => Self::RekeyAsked { by: Stay::read(reader)? },
            17 => Self::Settled { epoch: reader.u64()? },
            18 => Self::MustMakeAgain,
            19 => Self::Equivocation,
            20 => Self::Ended,
            _ => return Err(Malformed),
        })
    }
}

fn with<'a>(kind: u8, stay: &Stay, writer: &'a mut Writer) -> &'a mut Writer {
    stay.write(writer.u8(kind));
    writer
}

fn optional(stay: Option<Stay>, writer: &mut Writer) {
    writer.u8(u8::from(stay.is_some()));
    if let Some(stay) = stay {
        stay.write(writer);
    }
}

fn read_optional(reader: &mut Reader<'_>) -> Result<Option<Stay>, Malformed> {
    if reader.flag()? { Stay::read(reader).map(Some) } else { Ok(None) }
}

/// Any role, the owner's too.
fn read_role(reader: &mut Reader<'_>) -> Result<Role, Malformed> {
    let byte = reader.u8()?;
    let roles = [Role::Owner, Role::Admin, Role::Member, Role::Reader];
    roles.into_iter().find(|role| role.byte() == byte).ok_or(Malformed)
}

const fn void_byte(why: VoidReason) -> u8 {
    match why {
        VoidReason::Lifted => 1,
        VoidReason::NoLongerPermitted => 2,
        VoidReason::AuthorGone => 3,
        VoidReason::OwnersStay => 4,
        VoidReason::NotAdded => 5,
        VoidReason::LinkClosed => 6,
        VoidReason::AccountRemoved => 7,
        VoidReason::Repeats => 8,
    }
}

const VOID: [VoidReason; 8] = [
    VoidReason::Lifted,
    VoidReason::NoLongerPermitted,
    VoidReason::AuthorGone,
    VoidReason::OwnersStay,
    VoidReason::NotAdded,
    VoidReason::LinkClosed,
    VoidReason::AccountRemoved,
    VoidReason::Repeats,
];
