//! [`Rights`]: what the log says after its newest entry, with its canonical bytes
//! ([section 13.2](crate::manual::spec::groups#132-rights)).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::change::{AdmittedEndpoint, Change};
use super::encoding::write_count;
use super::entry::Step;
use super::error::EntryError;
use super::limits::{BARRED, ENDPOINTS, NAMED_STAYS, SETTING_BYTES, SETTINGS};
use super::{ActId, EntryHash, GroupId, Role, Setting, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::group as labels;
use bisik_core::codec::Writer;
use bisik_core::primitives::kdf::digest;

/// What the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) owner: Stay,
    pub(super) ended: bool,
    /// Every stay that was ever named, or was the owner's.
    pub(super) roles: BTreeMap<Stay, Role>,
    pub(super) settings: BTreeMap<Setting, Vec<u8>>,
    pub(super) endpoints: BTreeMap<IdentityKey, AdmittedEndpoint>,
    pub(super) barred: BTreeSet<(AccountKey, IdentityKey)>,
    /// The epoch of the newest settling and the hash of its floor.
    pub(super) settled: Option<(u64, [u8; 32])>,
}

impl Rights {
    /// The rights after the first entry of a log. P-13.2.
    pub(super) fn found(entry: Step<'_>) -> Result<Self, EntryError> {
        let Some((Change::Found { random: _, stay }, rest)) = entry.changes.split_first() else {
            return Err(EntryError::NotPermitted);
        };
        let owner = Stay { account: *entry.author, id: *stay };
        let mut rights = Self {
            owner,
            ended: false,
            roles: [(owner, Role::Owner)].into(),
            settings: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            barred: BTreeSet::new(),
            settled: None,
        };
        rights.apply(entry, rest, GroupId::from_bytes([0; 32]))?;
        Ok(rights)
    }

    /// The rights after `entry`, which follows in the log of `group`. P-13.2.
    pub(super) fn after(&self, entry: Step<'_>, group: GroupId) -> Result<Self, EntryError> {
        let mut rights = self.clone();
        rights.follow(entry, group)?;
        Ok(rights)
    }

    /// Becomes the rights after `entry`, for whoever reads a whole log. Drop them if it fails.
    pub(super) fn follow(&mut self, entry: Step<'_>, group: GroupId) -> Result<(), EntryError> {
        if self.ended {
            return Err(EntryError::Ended);
        }
        self.apply(entry, entry.changes, group)
    }

    fn apply(&mut self, entry: Step<'_>, changes: &[Change], group: GroupId) -> Result<(), EntryError> {
        check_order(entry.epoch == FIRST, changes)?;
        for change in changes {
            self.change(entry, change, group)?;
        }
        self.check_bounds()
    }

    /// Makes one change, if it is permitted. P-13.2.
    fn change(&mut self, entry: Step<'_>, change: &Change, group: GroupId) -> Result<(), EntryError> {
        match change {
            Change::Found { .. } => return Err(EntryError::NotPermitted),
            Change::Role { stay, role } => {
                if *stay == self.owner {
                    return Err(EntryError::NotPermitted);
                }
                self.roles.insert(*stay, *role);
            }
            Change::Setting { setting, value } if value.is_empty() => drop(self.settings.remove(setting)),
            Change::Setting { setting, value } => drop(self.settings.insert(*setting, value.clone())),
            Change::Admit(admitted) => drop(self.endpoints.insert(admitted.endpoint, *admitted)),
            Change::Withdraw(endpoint) => drop(self.endpoints.remove(endpoint)),
            Change::Bar { account, device } => {
                if device == account.identity() {
                    return Err(EntryError::NotPermitted);
                }
                self.barred.insert((*account, *device));
            }
            Change::HandOver { to, consent } => {
                let text = consent_text(group, entry.epoch, entry.previous);
                let agrees = to.account.identity().verify_labelled(labels::OWNER, &text, consent);
                if *to == self.owner || !agrees {
                    return Err(EntryError::NotPermitted);
                }
                self.roles.insert(self.owner, Role::Admin);
                self.roles.insert(*to, Role::Owner);
                self.owner = *to;
            }
            Change::Settle(floor) => self.settled = Some((entry.epoch, *floor)),
            Change::End => self.ended = true,
            Change::Keep(_) | Change::Lift(_) | Change::Continues { .. } => {}
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), EntryError> {
        let Self { owner: _, ended: _, roles, settings, endpoints, barred, settled: _ } = self;
        let bytes = settings.values().fold(0_usize, |sum, value| sum.saturating_add(value.len()));
        let fits = roles.len() <= NAMED_STAYS
            && settings.len() <= SETTINGS
            && bytes <= SETTING_BYTES
            && endpoints.len() <= ENDPOINTS
            && barred.len() <= BARRED;
        if fits { Ok(()) } else { Err(EntryError::Full) }
    }

    /// The hash that an entry has of the rights after it.
    pub(super) fn hash(&self) -> [u8; 32] {
        digest(&[labels::RIGHTS, &self.encode()])
    }

    fn encode(&self) -> Vec<u8> {
        let Self { owner, ended, roles, settings, endpoints, barred, settled } = self;
        let mut writer = Writer::with_capacity(roles.len().saturating_mul(Stay::LENGTH + 1).saturating_add(1_024));
        owner.write(writer.u8(VERSION));
        writer.u8(u8::from(*ended));
        write_count(&mut writer, roles.len());
        for (stay, role) in roles {
            stay.write(&mut writer);
            writer.u8(role.byte());
        }
        write_count(&mut writer, settings.len());
        for (Setting(number), value) in settings {
            write_count(writer.u8(*number), value.len());
            writer.bytes(value);
        }
        write_count(&mut writer, endpoints.len());
        endpoints.values().for_each(|admitted| admitted.write(&mut writer));
        write_count(&mut writer, barred.len());
        for (account, device) in barred {
            writer.bytes(&account.to_bytes()).bytes(&device.to_bytes());
        }
        let (epoch, floor) = settled.unwrap_or((0, [0; 32]));
        writer.u64(epoch).bytes(&floor);
        writer.finish()
    }
}

/// What a new owner signs: the group, the entry's epoch, and the hash of the entry before.
pub(super) fn consent_text(group: GroupId, epoch: u64, previous: &EntryHash) -> Vec<u8> {
    let mut writer = Writer::with_capacity(72);
    writer.bytes(group.as_bytes()).u64(epoch).bytes(previous.as_bytes());
    writer.finish()
}

/// Checks where changes stand that may stand in one place only. P-13.2.
fn check_order(is_first: bool, changes: &[Change]) -> Result<(), EntryError> {
    let continues = changes.iter().filter(|change| matches!(change, Change::Continues { .. })).count();
    let body = match changes {
        [rest @ .., Change::Settle(_), Change::HandOver { .. }] => rest,
        [rest @ .., Change::Settle(_) | Change::HandOver { .. }] => rest,
        _ => changes,
    };
    let early = body.iter().any(|change| matches!(change, Change::Settle(_) | Change::HandOver { .. }));
    let mut said: Vec<ActId> = Vec::new();
    for change in changes {
        if let Change::Keep(ids) | Change::Lift(ids) = change {
            said.extend(ids);
        }
    }
    said.sort_unstable();
    let twice = !said.is_sorted_by(|a, b| a < b);
    if early || twice || continues > usize::from(is_first) { Err(EntryError::NotPermitted) } else { Ok(()) }
}

/// The version, the first byte of rights.
const VERSION: u8 = 0x01;

/// The epoch of a log's first entry.
pub(super) const FIRST: u64 = 1;
