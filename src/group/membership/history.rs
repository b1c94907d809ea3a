//! [`History`]: what the log said at each epoch, as one timeline for each thing that changes.
//!
//! An act is judged by the rights at the entry that it names and at every later one. Where these change, and nowhere
//! else, is what a timeline holds: so judging an act costs what its own author's and target's roles have changed, not the
//! length of the log.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::act::Act;
use super::change::Change;
use super::entry::Step;
use super::{ActId, Role, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;

/// The timelines of a log. Each is ascending by epoch.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    roles: BTreeMap<Stay, Vec<(u64, Role)>>,
    /// The epochs whose entries name a stay by `role` or `hand over`.
    named: BTreeMap<Stay, Vec<u64>>,
    barred: BTreeMap<(AccountKey, IdentityKey), u64>,
    /// What entries say of single acts.
    said: BTreeMap<ActId, Vec<(u64, Said)>>,
    owners: Vec<(u64, Stay)>,
    /// Under which account an endpoint is admitted, if it is.
    endpoints: BTreeMap<IdentityKey, Vec<(u64, Option<AccountKey>)>>,
}

/// What an entry says of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Keep,
    Lift,
}

impl History {
    /// Notes an entry that was added to the log.
    pub(super) fn note(&mut self, entry: Step<'_>) {
        let epoch = entry.epoch;
        for change in entry.changes {
            match change {
                Change::Found { random: _, stay } => {
                    let founder = Stay { account: *entry.author, id: *stay };
                    self.owners.push((epoch, founder));
                    self.roles.entry(founder).or_default().push((epoch, Role::Owner));
                }
                Change::Role { stay, role } => self.name(epoch, stay, *role),
                Change::HandOver { to, consent: _ } => {
                    if let Some((_, owner)) = self.owners.last().copied() {
                        self.roles.entry(owner).or_default().push((epoch, Role::Admin));
                    }
                    self.owners.push((epoch, *to));
                    self.name(epoch, to, Role::Owner);
                }
                Change::Bar { account, device } => {
                    self.barred.entry((*account, *device)).or_insert(epoch);
                }
                Change::Keep(ids) => self.say(epoch, ids, Said::Keep),
                Change::Lift(ids) => self.say(epoch, ids, Said::Lift),
                Change::Admit(admitted) => {
                    self.endpoints.entry(admitted.endpoint).or_default().push((epoch, Some(admitted.account)));
                }
                Change::Withdraw(endpoint) => self.endpoints.entry(*endpoint).or_default().push((epoch, None)),
                Change::Setting { .. } | Change::Settle(_) | Change::Continues { .. } | Change::End => {}
            }
        }
    }

    fn name(&mut self, epoch: u64, stay: &Stay, role: Role) {
        self.roles.entry(*stay).or_default().push((epoch, role));
        self.named.entry(*stay).or_default().push(epoch);
    }

    fn say(&mut self, epoch: u64, ids: &[ActId], said: Said) {
        for id in ids {
            self.said.entry(*id).or_default().push((epoch, said));
        }
    }

    /// The role of a stay after the entry of this epoch.
    pub(super) fn role(&self, stay: &Stay, epoch: u64) -> Role {
        let role = self.roles.get(stay).and_then(|timeline| at(timeline, epoch));
        role.unwrap_or(Role::Member)
    }

    /// Whose log it is after the entry of this epoch; `None` before the first.
    pub(super) fn owner(&self, epoch: u64) -> Option<Stay> {
        at(&self.owners, epoch)
    }

    /// Whether a device may do nothing any more after the entry of this epoch.
    pub(super) fn is_barred(&self, account: &AccountKey, device: &IdentityKey, epoch: u64) -> bool {
        self.barred.get(&(*account, *device)).is_some_and(|since| *since <= epoch)
    }

    /// Under which account the endpoint is admitted after the entry of this epoch.
    pub(super) fn admitted(&self, endpoint: &IdentityKey, epoch: u64) -> Option<AccountKey> {
        at(self.endpoints.get(endpoint)?, epoch)?
    }

    /// Whether an entry after this epoch withdraws the endpoint.
    pub(super) fn withdrawn_after(&self, endpoint: &IdentityKey, epoch: u64) -> bool {
        let timeline = self.endpoints.get(endpoint).into_iter().flatten();
        timeline.filter(|(since, _)| *since > epoch).any(|(_, admitted)| admitted.is_none())
    }

    /// Whether the rights after the entry of this epoch hold the stay: it was named, or was the owner's.
    pub(super) fn holds(&self, stay: &Stay, epoch: u64) -> bool {
        self.roles.get(stay).is_some_and(|timeline| at(timeline, epoch).is_some())
    }

    /// Whether the entry of this epoch hands the group over to the stay.
    pub(super) fn hands_over(&self, stay: &Stay, epoch: u64) -> bool {
        let place = self.owners.binary_search_by_key(&epoch, |(epoch, _)| *epoch);
        place.ok().and_then(|place| self.owners.get(place)).is_some_and(|(_, owner)| owner == stay)
    }

    /// What the entry of this epoch says of an act.
    pub(super) fn said(&self, id: &ActId, epoch: u64) -> Option<Said> {
        let timeline = self.said.get(id)?;
        let place = timeline.binary_search_by_key(&epoch, |(epoch, _)| *epoch).ok()?;
        timeline.get(place).map(|(_, said)| *said)
    }

    /// Whether the newest entry that says anything of the act lifts it.
    pub(super) fn is_lifted(&self, id: &ActId) -> bool {
        self.said.get(id).and_then(|timeline| timeline.last()).is_some_and(|(_, said)| *said == Said::Lift)
    }

    /// Whether the newest entry that says anything of the act keeps it.
    pub(super) fn keeps(&self, id: &ActId) -> bool {
        self.said.get(id).and_then(|timeline| timeline.last()).is_some_and(|(_, said)| *said == Said::Keep)
    }

    /// The acts that entries after this epoch keep.
    pub(super) fn kept_after(&self, epoch: u64) -> impl Iterator<Item = &ActId> {
        let kept = move |(since, said): &(u64, Said)| *since > epoch && *said == Said::Keep;
        self.said.iter().filter(move |(_, timeline)| timeline.last().is_some_and(kept)).map(|(id, _)| id)
    }

    /// Whether an entry after this epoch names the stay by `role` or `hand over`, or founds the group with it.
    pub(super) fn names_after(&self, stay: &Stay, epoch: u64) -> bool {
        let named = self.named.get(stay).and_then(|epochs| epochs.last()).is_some_and(|last| *last > epoch);
        named || self.owned_after(stay, epoch)
    }

    /// Whether an entry after this epoch makes the stay the owner's.
    pub(super) fn owned_after(&self, stay: &Stay, epoch: u64) -> bool {
        self.owners.iter().any(|(since, owner)| *since > epoch && owner == stay)
    }

    /// Every stay that was ever named or the owner's.
    pub(super) fn stays(&self) -> impl Iterator<Item = &Stay> {
        self.roles.keys()
    }

    /// The epochs after the one that the act names at which something changes that decides whether it counts, ascending.
    pub(super) fn turns(&self, act: &Act) -> BTreeSet<u64> {
        let roles = |stay| self.roles.get(stay).into_iter().flatten().map(|(epoch, _)| *epoch);
        let target = act.ends();
        let said = self.said.get(&act.id()).into_iter().flatten().map(|(epoch, _)| *epoch);
        let barred = self.barred.get(&(act.author.account, act.device)).copied();
        let all = roles(&act.author).chain(target.into_iter().flat_map(roles)).chain(said).chain(barred);
        all.filter(|epoch| *epoch > act.epoch).collect()
    }
}

/// The value of a timeline at an epoch: the last that was set then or before.
fn at<T: Copy>(timeline: &[(u64, T)], epoch: u64) -> Option<T> {
    let after = timeline.partition_point(|(since, _)| *since <= epoch);
    let place = after.checked_sub(1)?;
    timeline.get(place).map(|(_, value)| *value)
}
