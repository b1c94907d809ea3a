//! [`Change`]: what an entry of the owner's log does.

use alloc::vec::Vec;

use super::encoding::{check_key, read_account, read_array, read_count, read_ids, read_key, write_count, write_ids};
use super::limits::{CHANGES, KEPT, SETTING_VALUE};
use super::{ActId, EntryHash, GroupId, Role, Setting, Stay, StayId};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

/// A hosted device that the owner has admitted: it may be given keys of the group, under this disclosure, until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmittedEndpoint {
    /// The device's identity.
    pub endpoint: IdentityKey,
    /// Its account.
    pub account: AccountKey,
    /// The disclosure under which it is admitted, and under no other.
    pub disclosure: DisclosureHash,
    /// The end of the admission.
    pub until: Timestamp,
}

/// One change of an entry ([section 13.1](crate::manual::spec::groups#131-entries)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Found { random: [u8; 32], stay: StayId },
    Role { stay: Stay, role: Role },
    Setting { setting: Setting, value: Vec<u8> },
    Admit(AdmittedEndpoint),
    Withdraw(IdentityKey),
    Bar { account: AccountKey, device: IdentityKey },
    Keep(Vec<ActId>),
    Lift(Vec<ActId>),
    HandOver { to: Stay, consent: [u8; SIGNATURE] },
    Settle([u8; 32]),
    Continues { group: GroupId, entry: EntryHash },
    End,
}

/// Why signed bytes were not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// They are not the one encoding of anything.
    Malformed,
    /// A later version wrote them.
    Newer,
}

impl From<Malformed> for Unread {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl AdmittedEndpoint {
    /// Writes `endpoint ‖ account ‖ disclosure ‖ u64(until)`.
    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { endpoint, account, disclosure, until } = self;
        writer.bytes(&endpoint.to_bytes()).bytes(&account.to_bytes()).bytes(disclosure.as_bytes());
        writer.u64(until.as_unix_seconds());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            endpoint: read_key(reader)?,
            account: read_account(reader)?,
            disclosure: disclosure::read(reader)?,
            until: Timestamp::from_unix_seconds(reader.u64()?),
        })
    }
}

impl Change {
    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Found { random, stay } => {
                writer.u8(FOUND).bytes(random).bytes(stay.as_bytes());
            }
            Self::Role { stay, role } => {
                stay.write(writer.u8(ROLE));
                writer.u8(role.byte());
            }
            Self::Setting { setting: Setting(number), value } => {
                write_count(writer.u8(SETTING).u8(*number), value.len());
                writer.bytes(value);
            }
            Self::Admit(admitted) => admitted.write(writer.u8(ADMIT)),
            Self::Withdraw(endpoint) => {
                writer.u8(WITHDRAW).bytes(&endpoint.to_bytes());
            }
            Self::Bar { account, device } => {
                writer.u8(BAR).bytes(&account.to_bytes()).bytes(&device.to_bytes());
            }
            Self::Keep(ids) => write_ids(writer.u8(KEEP), ids),
            Self::Lift(ids) => write_ids(writer.u8(LIFT), ids),
            Self::HandOver { to, consent } => {
                to.write(writer.u8(HAND_OVER));
                writer.bytes(consent);
            }
            Self::Settle(floor) => {
                writer.u8(SETTLE).bytes(floor);
            }
            Self::Continues { group, entry } => {
                writer.u8(CONTINUES).bytes(group.as_bytes()).bytes(entry.as_bytes());
            }
            Self::End => {
                writer.u8(END);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unread> {
        Ok(match reader.u8()? {
            FOUND => Self::Found { random: read_array(reader)?, stay: StayId::from_bytes(read_array(reader)?) },
            ROLE => Self::Role { stay: Stay::read(reader)?, role: Role::read(reader)? },
            SETTING => {
                let setting = Setting(reader.u8()?);
                let length = read_count(reader, SETTING_VALUE)?;
                Self::Setting { setting, value: setting.value(reader.slice(length)?)? }
            }
            ADMIT => Self::Admit(AdmittedEndpoint::read(reader)?),
            WITHDRAW => Self::Withdraw(read_key(reader)?),
            BAR => Self::Bar { account: read_account(reader)?, device: read_key(reader)? },
            KEEP => Self::Keep(read_ids(reader, KEPT)?),
            LIFT => Self::Lift(read_ids(reader, KEPT)?),
            HAND_OVER => Self::HandOver { to: Stay::read(reader)?, consent: read_array(reader)? },
            SETTLE => Self::Settle(read_array(reader)?),
            CONTINUES => Self::Continues {
                group: GroupId::from_bytes(read_array(reader)?),
                entry: EntryHash::from_bytes(read_array(reader)?),
            },
            END => Self::End,
            // P-13.2: of a later version.
            _ => return Err(Unread::Newer),
        })
    }

    /// Reads all changes of an entry, which fill `bytes`.
    pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, Unread> {
        let (mut changes, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            if changes.len() >= CHANGES {
                return Err(Unread::Malformed);
            }
            let mut reader = Reader::new(rest);
            changes.push(Self::read(&mut reader)?);
            rest = reader.rest();
        }
        Ok(changes)
    }

    /// The setting that the change sets.
    pub(super) const fn setting(&self) -> Option<Setting> {
        if let Self::Setting { setting, value: _ } = self { Some(*setting) } else { None }
    }

    /// Checks the points of every key that the change names.
    pub(super) fn check_keys(&self) -> Result<(), Malformed> {
        match self {
            Self::Role { stay, .. } | Self::HandOver { to: stay, .. } => check_key(stay.account.identity()),
            Self::Admit(AdmittedEndpoint { endpoint, account, .. }) | Self::Bar { account, device: endpoint } => {
                check_key(endpoint).and_then(|()| check_key(account.identity()))
            }
            Self::Withdraw(endpoint) => check_key(endpoint),
            Self::Found { .. }
            | Self::Setting { .. }
            | Self::Keep(_)
            | Self::Lift(_)
            | Self::Settle(_)
            | Self::Continues { .. }
            | Self::End => Ok(()),
        }
    }
}

const FOUND: u8 = 1;
const ROLE: u8 = 2;
const SETTING: u8 = 3;
const ADMIT: u8 = 4;
const WITHDRAW: u8 = 5;
const BAR: u8 = 6;
const KEEP: u8 = 7;
const LIFT: u8 = 8;
const HAND_OVER: u8 = 9;
const SETTLE: u8 = 10;
const CONTINUES: u8 = 11;
const END: u8 = 12;
