//! [`State`]: who is in the group, and who gets keys ([section 13.5](crate::manual::spec::groups#135-members)).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::act::HeldBack;
use super::acts::Known;
use super::change::AdmittedEndpoint;
use super::count::{Tally, Verdict, View};
use super::floor::Floor;
use super::link::Link;
use super::rights::Rights;
use super::{ActHash, ActId, LinkPolicy, Role, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::group as labels;
use bisik_core::primitives::kdf::digest;

/// An act that cuts a stay off from keys, although it does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspension {
    /// The removal or the leave: the owner lifts it by this id.
    pub act: ActId,
    /// Who made it.
    pub by: Stay,
}

/// One stay that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Its role in the newest rights.
    pub role: Role,
    /// Whether the account has accepted. Until then it is invited, and no member.
    pub accepted: bool,
    /// Whether it is a member, which takes being added and having accepted.
    pub live: bool,
    /// What cuts it off from keys, if anything does.
    pub suspended: Option<Suspension>,
    /// Whether it hangs on a removal of another stay of the account, or on a link that somebody has closed, which do not
    /// count: such a stay gets no keys either.
    pub doubted: bool,
}

/// What follows from a group's log and acts, and from nothing else: who is in it, which links are open, who gets keys.
///
/// Two devices that hold the same log and the same acts have the same state, whatever arrived first. Ask a
/// [`Membership`](super::Membership) for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) owner: Stay,
    pub(super) stays: BTreeMap<Stay, MemberView>,
    /// The stays that ask to be added.
    requests: BTreeSet<Stay>,
    pub(super) links: BTreeMap<ActId, Link>,
    pub(super) endpoints: BTreeMap<IdentityKey, AdmittedEndpoint>,
    pub(super) retired: BTreeSet<IdentityKey>,
    /// Accounts of which a removal counts.
    pub(super) removed: BTreeSet<AccountKey>,
    pub(super) rekeys: BTreeSet<ActHash>,
    pub(super) barred: BTreeSet<(AccountKey, IdentityKey)>,
    pub(super) ended: bool,
    pub(super) digest: [u8; 32],
}

impl State {
    /// Returns the accounts with a live stay, ascending.
    pub fn members(&self) -> impl Iterator<Item = &AccountKey> {
        distinct(self.stays.iter().filter(|(_, view)| view.live).map(|(stay, _)| &stay.account))
    }

    /// The accounts that are members and that nothing suspends, ascending.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &AccountKey> {
        distinct(self.stays.iter().filter(|(_, view)| view.receives()).map(|(stay, _)| &stay.account))
    }

    /// Returns the stays that have not ended, with what is known of each: members, and accounts that are invited.
    pub fn stays(&self) -> impl Iterator<Item = (&Stay, &MemberView)> {
        self.stays.iter()
    }

    /// Returns the stays that ask to be added, by a link that asks: see
    /// [`admit_request`](super::Membership::admit_request).
    pub fn requests(&self) -> impl Iterator<Item = &Stay> {
        self.requests.iter()
    }

    /// Returns the stay of an account that is a member: if it has several, the one with the highest role.
    #[must_use]
    pub fn stay_of(&self, account: &AccountKey) -> Option<&Stay> {
        let own = self.stays.iter().filter(|(stay, view)| stay.account == *account && view.live);
        own.min_by_key(|(stay, view)| (view.suspended.is_some(), view.role, **stay)).map(|(stay, _)| stay)
    }

    /// Returns the role of an account that is a member; of several stays, the highest.
    #[must_use]
    pub fn role_of(&self, account: &AccountKey) -> Option<Role> {
        let own = self.stays.iter().filter(|(stay, view)| stay.account == *account && view.live);
        own.map(|(_, view)| view.role).min()
    }

    /// Returns whether an account is a member.
    #[must_use]
    pub fn is_member(&self, account: &AccountKey) -> bool {
        self.role_of(account).is_some()
    }

    /// Returns the owner's stay.
    #[must_use]
    pub const fn owner(&self) -> &Stay {
        &self.owner
    }

    /// Returns whether the owner has barred a device: it may not make acts, and gets no keys.
    #[must_use]
    pub fn is_barred(&self, account: &AccountKey, device: &IdentityKey) -> bool {
        self.barred.contains(&(*account, *device))
    }

    /// Returns the links that are open, and what those who join by them become.
    pub fn links(&self) -> impl Iterator<Item = (ActId, LinkPolicy)> {
        self.links.iter().map(|(id, link)| (*id, link.policy))
    }

    /// Returns the requests for new keys that count. Whoever finds one that it did not know begins new chains.
    pub fn rekeys(&self) -> impl Iterator<Item = &ActHash> {
        self.rekeys.iter()
    }

    /// Returns the digest of the acts that count: equal on two devices if and only if they count the same acts.
    #[must_use]
    pub const fn acts_digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Returns whether the owner has ended the group.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Computes the state from a count. `carried` are the suspensions from below the floor.
    pub(super) fn of(view: &View<'_>, tally: &Tally, rights: &Rights, carried: &BTreeMap<ActId, Carried>) -> Self {
        let doubts = Doubts::of(view, carried);
        let mut stays = BTreeMap::new();
        for stay in candidates(view, tally) {
            if !tally.is_added(view, stay) || (tally.is_ended(view, stay) && stay != view.owner) {
                continue;
            }
            let shown = MemberView {
                role: rights.roles.get(stay).copied().unwrap_or(Role::Member),
                accepted: stay == view.owner || tally.is_accepted(view, stay),
                live: tally.is_live(view, stay),
                // The owner's stay always gets keys.
                suspended: doubts.stays.get(stay).filter(|_| stay != view.owner).copied(),
                doubted: doubts.concern(view, tally, stay),
            };
            stays.insert(*stay, shown);
        }
        let waits = |stay: &&Stay| !tally.is_added(view, stay) && !tally.is_ended(view, stay);
        let closed = |id: &ActId| tally.closings.contains_key(id);
        let mut state = Self {
            owner: *view.owner,
            stays,
            requests: tally.joins.keys().filter(waits).copied().collect(),
            links: tally.opened.iter().filter(|(id, _)| !closed(id)).map(|(id, link)| (*id, *link)).collect(),
            endpoints: BTreeMap::new(),
            retired: tally.retired.keys().chain(&view.floor.retired).copied().collect(),
            removed: tally.removals.keys().map(|stay| stay.account).chain(view.floor.removed.iter().copied()).collect(),
            rekeys: tally.rekeys.clone(),
            barred: rights.barred.clone(),
            ended: rights.ended,
            digest: acts_digest(tally),
        };
        let receivers: BTreeSet<_> = state.receivers().copied().collect();
        let open = |admitted: &&AdmittedEndpoint| {
            let gone = state.retired.contains(&admitted.endpoint) || doubts.endpoints.contains(&admitted.endpoint);
            !gone && receivers.contains(&admitted.account)
        };
        let endpoints = rights.endpoints.values().filter(open).map(|admitted| (admitted.endpoint, *admitted));
        state.endpoints = endpoints.collect();
        state
    }

    /// What a settling makes of this state. P-13.15.
    pub(super) fn floor(&self) -> Floor {
        Floor {
            stays: self.stays.iter().map(|(stay, view)| (*stay, view.accepted)).collect(),
            links: self.links.clone(),
            retired: self.retired.clone(),
            removed: self.removed.clone(),
        }
    }

    /// How many stays take room: those that have not ended.
    pub(super) fn rooms(&self) -> usize {
        self.stays.len()
    }

    /// Whether a stay is one of these.
    pub(super) fn has_room_of(&self, stay: &Stay) -> bool {
        self.stays.contains_key(stay)
    }

    /// The accounts that are members or invited: what an admin's device counts before it adds another.
    pub(super) fn accounts(&self) -> Vec<&AccountKey> {
        distinct(self.stays.keys().map(|stay| &stay.account)).collect()
    }
}

impl MemberView {
    /// Whether nothing holds keys back from this stay. P-13.13.
    pub(super) const fn receives(&self) -> bool {
        self.live && self.suspended.is_none() && !self.doubted
    }
}

/// What an act from below the floor holds back, until an entry lifts it. P-13.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) by: Stay,
    pub(super) held: HeldBack,
}

/// Every stay that may be added.
fn candidates<'a>(view: &'a View<'_>, tally: &'a Tally) -> BTreeSet<&'a Stay> {
    let acts = tally.added.keys().chain(&tally.joined);
    view.history.stays().chain(view.floor.stays.keys()).chain(acts).chain([view.owner]).collect()
}

/// What acts hold back, void or not, unless an entry lifts them. P-13.13.
#[derive(Default)]
struct Doubts {
    stays: BTreeMap<Stay, Suspension>,
    /// The removed stays of each account.
    removed: BTreeMap<AccountKey, BTreeSet<Stay>>,
    /// The closings of each link, with what they keep.
    closings: BTreeMap<ActId, Vec<Option<ActHash>>>,
    endpoints: BTreeSet<IdentityKey>,
}

impl Doubts {
    fn of(view: &View<'_>, carried: &BTreeMap<ActId, Carried>) -> Self {
        let mut doubts = Self::default();
        for Known { act, .. } in view.acts.iter().filter(|known| !known.standing.lifted) {
            if let Some(stay) = act.removes() {
                doubts.removed.entry(stay.account).or_default().insert(*stay);
            }
            if let Some(held) = act.holds_back() {
                doubts.note(view, held, Suspension { act: act.id(), by: act.author }, Some(act.hash));
            }
        }
        for (id, Carried { by, held }) in carried.iter().filter(|(id, _)| !view.history.is_lifted(id)) {
            doubts.note(view, *held, Suspension { act: *id, by: *by }, None);
        }
        doubts
    }

    fn note(&mut self, view: &View<'_>, held: HeldBack, by: Suspension, hash: Option<ActHash>) {
        match held {
            // What is carried and ends a stay that was handed the group since, is lifted by that.
            HeldBack::Stay(stay) if hash.is_none() && view.history.owned_after(&stay, view.settled) => {}
            HeldBack::Stay(stay) => {
                self.stays.entry(stay).or_insert(by);
            }
            HeldBack::Link(link) => self.closings.entry(link).or_default().push(hash),
            HeldBack::Endpoint(endpoint, epoch) if view.history.withdrawn_after(&endpoint, epoch) => {}
            HeldBack::Endpoint(endpoint, _) => {
                self.endpoints.insert(endpoint);
            }
        }
    }

    /// P-13.13. Whether a stay is live by a join alone, and the device holds a removal of another stay of its account, or
    /// for each of its links closings of which none keeps the join.
    fn concern(&self, view: &View<'_>, tally: &Tally, stay: &Stay) -> bool {
        if tally.adds(view, stay) {
            return false;
        }
        let Some(joins) = tally.joins.get(stay) else { return false };
        if joins.values().flatten().any(|join| view.acts.get(join).is_some_and(|known| known.standing.confirmed)) {
            return false;
        }
        let removed = self.removed.get(&stay.account).into_iter().flatten().any(|other| other != stay);
        let at_once = |link: &ActId| tally.opened.get(link).is_some_and(|link| link.policy == LinkPolicy::Member);
        let keeps = |closing: &Option<ActHash>, join: &ActHash| {
            closing.is_some_and(|closing| view.acts.keeps(&closing, &join.id()))
        };
        let closed = |link: &ActId, join: &ActHash| {
            let closings = self.closings.get(link);
            closings.is_some_and(|closings| !closings.iter().any(|closing| keeps(closing, join)))
        };
        let mut by_link = joins.iter().filter(|(link, _)| at_once(link));
        removed || by_link.all(|(link, joins)| joins.iter().all(|join| closed(link, join)))
    }
}

/// P-13.14.
fn acts_digest(tally: &Tally) -> [u8; 32] {
    let counting = tally.verdicts.iter().filter(|(_, verdict)| **verdict == Verdict::Counts);
    let mut parts = Vec::with_capacity(tally.verdicts.len().saturating_add(1));
    parts.push(labels::ACTS);
    parts.extend(counting.map(|(hash, _)| hash.as_ref()));
    digest(&parts)
}

/// Items in which equal ones follow each other, each once.
fn distinct<'a>(items: impl Iterator<Item = &'a AccountKey>) -> impl Iterator<Item = &'a AccountKey> {
    let mut last = None;
    items.filter(move |item| last.replace(*item) != Some(*item))
}
