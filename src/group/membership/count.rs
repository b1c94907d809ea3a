//! THE COUNT: which acts count ([section 13.4](crate::manual::spec::groups#134-which-acts-count)). Nothing else in this
//! folder decides it.
//!
//! [`Standing`](super::standing::Standing) is what the log alone says of an act. [`Tally`] adds what other acts say. It is computed in five stages,
//! each of which asks only for what the stages before it have found, so that nothing recurses:
//!
//! 1. removals that are confirmed or the present owner's, and leaves of stays that the log or the floor adds;
//! 2. the other removals, which are an admin's: nobody but an owner ends an admin's stay, so stage 1 has all of that;
//! 3. what is added, opened, closed, retired, and rekeyed, by owners and admins, for the same reason;
//! 4. joins, by the links of stage 3;
//! 5. accepts and the other leaves, of stays that stages 3 and 4 add. None of these stays leads, so that its leave ends
//!    no act of stages 1 to 4.
//!
//! A whole count looks at each act once: some microseconds for each.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::act::{Act, Body};
use super::acts::{Acts, Known};
use super::floor::Floor;
use super::history::History;
use super::link::{Link, LinkPolicy};
use super::{ActHash, ActId, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;

/// Whether an act counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Counts,
    Void(VoidReason),
}

/// Why an act does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VoidReason {
    /// An entry of the owner's log lifts it.
    Lifted,
    /// An entry took the right away that it rests on, and does not keep it.
    NoLongerPermitted,
    /// Its author has left or was removed, and nobody kept it.
    AuthorGone,
    /// It would end the owner's membership: the group is handed over first.
    OwnersStay,
    /// No act that counts adds the account under this stay, or opens the link.
    NotAdded,
    /// Its link was closed, and the act that closed it does not keep it.
    LinkClosed,
    /// Another membership of the account was removed: a link does not bring it back.
    AccountRemoved,
    /// Another act does the same.
    Repeats,
}

/// The inputs of a count: the log's history, the floor in force, and the acts.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) history: &'a History,
    pub(super) owner: &'a Stay,
    /// The floor in force, and the epoch of the entry that names it; without one, an empty floor and 0.
    pub(super) floor: &'a Floor,
    pub(super) settled: u64,
    pub(super) acts: &'a Acts,
}

impl View<'_> {
    /// Whether the log or the floor adds a stay. P-13.12, (a).
    pub(super) fn adds(&self, stay: &Stay) -> bool {
        stay == self.owner || self.floor.stays.contains_key(stay) || self.history.names_after(stay, self.settled)
    }

    /// Whether a stay had ended when the group was settled: the rights held it then, and the floor lacks it. P-13.15.
    pub(super) fn ended_below(&self, stay: &Stay) -> bool {
        stay != self.owner
            && self.history.holds(stay, self.settled)
            && !self.floor.stays.contains_key(stay)
            && !self.history.owned_after(stay, self.settled)
    }
}

/// Which acts count, and what follows.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) verdicts: BTreeMap<ActHash, Verdict>,
    pub(super) removals: BTreeMap<Stay, BTreeSet<ActHash>>,
    pub(super) leaves: BTreeMap<Stay, BTreeSet<ActHash>>,
    /// The stays of which a removal counts, by account.
    removed: BTreeMap<AccountKey, BTreeSet<Stay>>,
    /// The stays that an `add` adds.
    pub(super) added: BTreeMap<Stay, ActHash>,
    pub(super) opened: BTreeMap<ActId, Link>,
    pub(super) closings: BTreeMap<ActId, BTreeSet<ActHash>>,
    pub(super) joins: BTreeMap<Stay, BTreeMap<ActId, BTreeSet<ActHash>>>,
    /// Of the joins that no entry keeps, the one that counts of each stay that is added otherwise.
    joins_of_added: BTreeMap<Stay, ActHash>,
    /// And of each account by each link.
    joins_by_link: BTreeMap<(AccountKey, ActId), ActHash>,
    /// The stays that a join adds: one that is confirmed, or by a link of which who joins is a member at once.
    pub(super) joined: BTreeSet<Stay>,
    pub(super) accepts: BTreeMap<Stay, ActHash>,
    pub(super) retired: BTreeMap<IdentityKey, ActHash>,
    pub(super) rekeys: BTreeSet<ActHash>,
}

impl Tally {
    /// THE COUNT.
    pub(super) fn of(view: &View<'_>) -> Self {
        let mut tally = Self { opened: view.floor.links.clone(), ..Self::default() };
        let mut stages = [const { Vec::new() }; STAGES];
        for known in view.acts.iter() {
            stages.get_mut(stage_of(view, known)).into_iter().for_each(|stage| stage.push(known));
        }
        for known in stages.into_iter().flatten() {
            let verdict = tally.verdict(view, known);
            tally.enter(view, known, verdict);
        }
        tally
    }

    /// Whether an act counts, by what the stages before its own have found. For an act that has just arrived, by all of
    /// them: then it counts among the acts that are held.
    pub(super) fn verdict(&self, view: &View<'_>, known: &Known) -> Verdict {
        let Known { act, standing, .. } = known;
        // P-13.8. The log decides.
        if standing.void {
            return Verdict::Void(if standing.lifted { VoidReason::Lifted } else { VoidReason::NoLongerPermitted });
        }
        // P-13.9. An ended stay takes its acts with it.
        if act.ends_with_its_author() && !standing.confirmed && self.has_outlived_its_author(view, act) {
            return Verdict::Void(VoidReason::AuthorGone);
        }
        let outcome = match &act.body {
            Body::Add(_) | Body::OpenLink(_) | Body::CloseLink { .. } | Body::Rekey => Ok(()),
            Body::Remove { target, .. } => self.ends(view, target),
            Body::Leave { .. } => self.may_leave(view, known),
            Body::Join { link, .. } => self.may_join(view, known, link),
            Body::Accept => self.may_accept(view, known),
            Body::Retire { endpoint, .. } => once(self.retired.get(endpoint), known),
        };
        outcome.map_or_else(Verdict::Void, |()| Verdict::Counts)
    }

    /// P-13.9. By removals that count, of which none keeps the act; otherwise by leaves: by two, or by one that does not
    /// keep it.
    fn has_outlived_its_author(&self, view: &View<'_>, act: &Act) -> bool {
        let keeps = |ending: &ActHash| view.acts.keeps(ending, &act.id());
        let removals = self.removals.get(&act.author);
        if removals.is_some() || view.ended_below(&act.author) {
            return !removals.into_iter().flatten().any(keeps);
        }
        let mut leaves = self.leaves.get(&act.author).into_iter().flatten();
        match (leaves.next(), leaves.next()) {
            (None, _) => false,
            (Some(only), None) => !keeps(only),
            (Some(_), Some(_)) => true,
        }
    }

    /// P-13.10. Nothing ends the owner's stay.
    #[allow(clippy::unused_self, reason = "one of the rules of a count")]
    fn ends(&self, view: &View<'_>, stay: &Stay) -> Result<(), VoidReason> {
        if stay == view.owner { Err(VoidReason::OwnersStay) } else { Ok(()) }
    }

    /// P-13.10. A leave counts if its stay is added; of several, the two with the least ids, and those that are confirmed.
    fn may_leave(&self, view: &View<'_>, known: &Known) -> Result<(), VoidReason> {
        let act = &known.act;
        self.ends(view, &act.author)?;
        if !self.is_added(view, &act.author) {
            return Err(VoidReason::NotAdded);
        }
        let lower = self.leaves.get(&act.author).into_iter().flatten().filter(|other| **other < act.hash).count();
        if lower < LEAVES || known.standing.confirmed { Ok(()) } else { Err(VoidReason::Repeats) }
    }

    /// P-13.11. A join counts if it is confirmed; or if its stay is added otherwise, once for each stay, whatever link it
    /// names; or by its link, once for each account.
    fn may_join(&self, view: &View<'_>, known: &Known, link: &ActId) -> Result<(), VoidReason> {
        let Known { act, standing, .. } = known;
        if standing.confirmed {
            return Ok(());
        }
        if self.adds(view, &act.author) {
            return once(self.joins_of_added.get(&act.author), known);
        }
        if !self.opened.contains_key(link) || !known.has_link {
            return Err(VoidReason::NotAdded);
        }
        let closings = self.closings.get(link);
        if closings.is_some_and(|closings| !closings.iter().any(|closing| view.acts.keeps(closing, &act.id()))) {
            return Err(VoidReason::LinkClosed);
        }
        if self.was_removed(view, &act.author) {
            return Err(VoidReason::AccountRemoved);
        }
        once(self.joins_by_link.get(&(act.author.account, *link)), known)
    }

    /// P-13.11. An accept counts if its stay is added.
    fn may_accept(&self, view: &View<'_>, known: &Known) -> Result<(), VoidReason> {
        if !self.is_added(view, &known.act.author) {
            return Err(VoidReason::NotAdded);
        }
        once(self.accepts.get(&known.act.author), known)
    }

    /// Whether a removal of another stay of the account counts.
    fn was_removed(&self, view: &View<'_>, stay: &Stay) -> bool {
        let since = self.removed.get(&stay.account).into_iter().flatten().any(|other| other != stay);
        since || view.floor.removed.contains(&stay.account)
    }

    /// Whether the log, the floor or an `add` that counts adds the stay.
    pub(super) fn adds(&self, view: &View<'_>, stay: &Stay) -> bool {
        view.adds(stay) || self.added.contains_key(stay)
    }

    /// Whether something that counts adds the stay. P-13.12, (a).
    pub(super) fn is_added(&self, view: &View<'_>, stay: &Stay) -> bool {
        self.adds(view, stay) || self.joined.contains(stay)
    }

    /// Whether it is accepted: by the account, by having founded the group, or by having taken it over. P-13.12, (b).
    pub(super) fn is_accepted(&self, view: &View<'_>, stay: &Stay) -> bool {
        self.accepts.contains_key(stay)
            || self.joins.contains_key(stay)
            || view.floor.stays.get(stay).is_some_and(|accepted| *accepted)
            || view.history.owned_after(stay, view.settled)
    }

    /// Whether it has ended. P-13.12, (c).
    pub(super) fn is_ended(&self, view: &View<'_>, stay: &Stay) -> bool {
        self.removals.contains_key(stay) || self.leaves.contains_key(stay) || view.ended_below(stay)
    }

    /// P-13.12. Whether a stay is live.
    pub(super) fn is_live(&self, view: &View<'_>, stay: &Stay) -> bool {
        stay == view.owner || (self.is_added(view, stay) && self.is_accepted(view, stay) && !self.is_ended(view, stay))
    }

    fn enter(&mut self, view: &View<'_>, known: &Known, verdict: Verdict) {
        let act = &known.act;
        self.verdicts.insert(act.hash, verdict);
        if verdict != Verdict::Counts {
            return;
        }
        match &act.body {
            Body::Add(stay) => {
                self.added.entry(*stay).or_insert(act.hash);
            }
            Body::Accept => {
                self.accepts.entry(act.author).or_insert(act.hash);
            }
            Body::Leave { .. } => {
                self.leaves.entry(act.author).or_default().insert(act.hash);
            }
            Body::Remove { target, .. } => {
                self.removals.entry(*target).or_default().insert(act.hash);
                self.removed.entry(target.account).or_default().insert(*target);
            }
            Body::Retire { endpoint, .. } => {
                self.retired.entry(*endpoint).or_insert(act.hash);
            }
            Body::OpenLink(link) => {
                self.opened.insert(act.id(), *link);
            }
            Body::CloseLink { link, .. } => {
                self.closings.entry(*link).or_default().insert(act.hash);
            }
            Body::Join { link, .. } => {
                self.joins.entry(act.author).or_default().entry(*link).or_default().insert(act.hash);
                if known.standing.confirmed {
                    // It counts beside others.
                } else if self.adds(view, &act.author) {
                    self.joins_of_added.entry(act.author).or_insert(act.hash);
                } else {
                    self.joins_by_link.entry((act.author.account, *link)).or_insert(act.hash);
                }
                let at_once = self.opened.get(link).is_some_and(|link| link.policy == LinkPolicy::Member);
                if known.standing.confirmed || (known.has_link && at_once) {
                    self.joined.insert(act.author);
                }
            }
            Body::Rekey => {
                self.rekeys.insert(act.hash);
            }
        }
    }
}

/// The stage in which an act is counted, from 0.
fn stage_of(view: &View<'_>, known: &Known) -> usize {
    let Known { act, standing, .. } = known;
    match &act.body {
        Body::Remove { .. } if standing.confirmed || act.author == *view.owner => 0,
        Body::Leave { .. } if view.adds(&act.author) => 0,
        Body::Remove { .. } => 1,
        Body::Add(_) | Body::OpenLink(_) | Body::CloseLink { .. } | Body::Retire { .. } | Body::Rekey => 2,
        Body::Join { .. } => 3,
        Body::Accept | Body::Leave { .. } => 4,
    }
}

/// P-13.11. Of several acts that do the same, the one with the least id counts, and every one that is confirmed.
fn once(least: Option<&ActHash>, known: &Known) -> Result<(), VoidReason> {
    let repeats = least.is_some_and(|least| *least < known.act.hash) && !known.standing.confirmed;
    if repeats { Err(VoidReason::Repeats) } else { Ok(()) }
}

const STAGES: usize = 5;

/// Leaves of one stay that count: two show that its account contradicts itself, and then neither keeps anything.
pub(super) const LEAVES: usize = 2;
