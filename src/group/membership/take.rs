//! Entries and acts that were verified are taken, and everything is counted again. Taking cannot fail.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::act::Act;
use super::acts::Known;
use super::change::Change;
use super::count::{Tally, Verdict, View, VoidReason};
use super::entry::Entry;
use super::error::OfferError;
use super::event::{GroupEvent, difference};
use super::limits::{OPEN_LINKS, STAYS};
use super::link::Link;
use super::offer::Taken;
use super::repeat::Sayings;
use super::rights::Rights;
use super::state::State;
use super::{ActHash, ActId, Evidence, Membership, Stay};
use bisik_core::blocks::Place;

impl Membership {
    /// P-13.4. Both entries are kept; nothing else is taken any more.
    pub(super) fn note_rival(&mut self, rival: &Entry) {
        let known = self.log.at(rival.epoch).map(|entry| entry.as_bytes().to_vec());
        let rival = rival.as_bytes().to_vec();
        self.evidence = known.map(|known| Evidence { known, rival, place: Place::default() });
        self.aside.clear();
        self.change();
    }

    /// Adds an entry that was checked, and counts again.
    pub(super) fn extend(&mut self, entry: Entry, rights: Rights, events: &mut Vec<GroupEvent>) {
        let changed: Vec<_> = entry.changes.iter().filter_map(Change::setting).collect();
        events.extend(changed.into_iter().map(GroupEvent::SettingChanged));
        self.log.push(entry, rights);
        self.acts.judge_again(&self.log.history);
        self.count_again(events);
        self.change();
    }

    /// An act with what is known of it.
    pub(super) fn known(&self, act: Act) -> Known {
        let mut known = Known::new(act, &self.log.history);
        let link = known.act.joins_by().and_then(|id| self.link(id));
        if let Some(link) = link {
            known.try_link(self.log.group, &link);
        }
        known
    }

    pub(super) fn link(&self, id: &ActId) -> Option<Link> {
        let below = self.floor.as_ref().and_then(|settled| settled.floor.links.get(id));
        self.acts.link(id).or(below).copied()
    }

    /// P-13.7. Whether an act would count among those that are held.
    pub(super) fn counts_if_held(&self, known: &Known) -> Result<(), VoidReason> {
        match self.tally.verdict(&self.view(), known) {
            Verdict::Counts => Ok(()),
            Verdict::Void(reason) => Err(reason),
        }
    }

    /// P-13.7. Whether an act would count, or only repeats what others have said.
    pub(super) fn is_worth_holding(&self, known: &Known) -> Result<(), VoidReason> {
        match self.counts_if_held(known) {
            Err(VoidReason::Repeats) if !self.sayings.cover(&self.view(), &self.tally, &known.act) => Ok(()),
            outcome => outcome,
        }
    }

    /// Adds acts that were verified, counts once, and takes out again those that do not count. P-13.7.
    pub(super) fn enter(&mut self, acts: Vec<Known>, events: &mut Vec<GroupEvent>) -> Vec<Result<Taken, OfferError>> {
        let kept: BTreeSet<ActId> = acts.iter().flat_map(|known| known.act.kept()).copied().collect();
        let mut forgotten = None;
        let mut entered = Vec::with_capacity(acts.len());
        for known in acts {
            let refused = self.refusal(&known, &kept, &mut forgotten).err();
            entered.push((known.act.hash, refused));
            if refused.is_none() {
                self.insert(known);
            }
        }
        let mut tally = None;
        if entered.iter().any(|(_, refused)| refused.is_none()) {
            let first = Tally::of(&self.view());
            let beyond = self.beyond(&entered, &first);
            for (hash, refused) in entered.iter_mut().filter(|(hash, _)| beyond.contains(hash)) {
                self.acts.remove(hash);
                *refused = Some(OfferError::Full);
            }
            tally = Some(if beyond.is_empty() { first } else { Tally::of(&self.view()) });
        }
        let sayings = tally.as_ref().map(|tally| Sayings::of(&self.view(), tally));
        let repeats: BTreeSet<_> = sayings.into_iter().flat_map(|(_, more)| more).collect();
        let mut void = BTreeMap::new();
        for hash in entered.iter().filter(|(_, refused)| refused.is_none()).map(|(hash, _)| hash) {
            let verdict = tally.as_ref().and_then(|tally| tally.verdicts.get(hash));
            if let Some(Verdict::Void(reason)) = verdict
                && (*reason != VoidReason::Repeats || repeats.contains(hash))
                && let Some(known) = self.acts.remove(hash)
            {
                void.insert(*hash, (known, *reason));
            }
        }
        let outcome = |(hash, refused): (ActHash, Option<OfferError>)| match (refused, void.get(&hash)) {
            (Some(error), _) => Err(error),
            (None, Some((known, reason))) => self.refuse(known, *reason),
            (None, None) => Ok(Taken::Taken),
        };
        let outcomes: Vec<_> = entered.into_iter().map(outcome).collect();
        match tally.filter(|_| outcomes.contains(&Ok(Taken::Taken))) {
            Some(tally) => {
                self.adopt(tally, events);
                self.change();
            }
            // What gave up its place for nothing takes it again.
            None => forgotten.into_iter().flatten().for_each(|known| self.acts.insert(known)),
        }
        outcomes
    }

    /// Why an act is refused before anything is counted: what is void whatever else arrives with it takes no room. P-13.16.
    fn refusal(
        &mut self,
        known: &Known,
        kept: &BTreeSet<ActId>,
        forgotten: &mut Option<Vec<Known>>,
    ) -> Result<(), OfferError> {
        if known.standing.void || (known.act.needs_a_right() && !kept.contains(&known.act.id())) {
            let counts = self.counts_if_held(known);
            if let Err(reason @ (VoidReason::Lifted | VoidReason::NoLongerPermitted | VoidReason::AuthorGone)) = counts
            {
                return Err(OfferError::DoesNotCount(reason));
            }
        }
        if !self.acts.has_room(known) && forgotten.is_none() {
            let gone: BTreeSet<_> = self.idle().map(|known| known.act.hash).collect();
            *forgotten = Some(self.acts.split(|other| !gone.contains(&other.act.hash)));
        }
        if self.acts.has_room(known) { Ok(()) } else { Err(OfferError::Full) }
    }

    /// The acts that are void and hold nothing back: they give their room to what counts. P-13.16.
    fn idle(&self) -> impl Iterator<Item = &Known> {
        let void = |known: &&Known| matches!(self.tally.verdicts.get(&known.act.hash), Some(Verdict::Void(_)));
        self.acts.iter().filter(void).filter(|known| !known.holds_back())
    }

    /// Whether several acts would all have room.
    pub(super) fn have_room(&self, acts: &[Known]) -> bool {
        let idle: BTreeSet<_> = self.idle().map(|known| known.act.hash).collect();
        self.acts.have_room(acts, |known| idle.contains(&known.act.hash))
    }

    /// Those of the acts that have just entered, and count, which add a stay or open a link beyond the bounds: whoever
    /// comes first has the room. P-13.16.
    fn beyond(&self, entered: &[(ActHash, Option<OfferError>)], tally: &Tally) -> BTreeSet<ActHash> {
        let view = self.view();
        let (mut stays, mut links) = (BTreeSet::new(), self.state.links.len());
        let mut beyond = BTreeSet::new();
        for (hash, _) in entered.iter().filter(|(hash, _)| tally.verdicts.get(hash) == Some(&Verdict::Counts)) {
            let Some(Known { act, .. }) = self.acts.get(hash) else { continue };
            // Who asks to be added is not.
            let added = |stay: &Stay| tally.is_added(&view, stay) && !tally.is_ended(&view, stay);
            let new = |stay: &&Stay| !self.state.has_room_of(stay) && added(stay);
            if let Some(stay) = act.adds().filter(new).filter(|stay| !stays.contains(*stay)) {
                if self.state.rooms().saturating_add(stays.len()) < STAYS {
                    stays.insert(*stay);
                } else {
                    beyond.insert(*hash);
                }
            }
            if act.opens().is_some() && !tally.closings.contains_key(&act.id()) {
                if links < OPEN_LINKS {
                    links = links.saturating_add(1);
                } else {
                    beyond.insert(*hash);
                }
            }
        }
        beyond
    }

    fn insert(&mut self, mut known: Known) {
        // P-13.7. The act that opens its link may have come with it, and was not held when the join was verified.
        if let Some(link) = known.act.joins_by().filter(|_| !known.has_link).and_then(|id| self.link(id)) {
            known.try_link(self.log.group, &link);
        }
        let opened = known.act.opens().map(|link| (known.act.id(), *link));
        self.acts.insert(known);
        if let Some((id, link)) = opened {
            self.acts.try_links(self.log.group, &[(id, link)].into());
        }
    }

    /// Takes the acts of a record, and counts them.
    pub(super) fn restore(&mut self, acts: Vec<Act>) {
        for act in acts {
            let known = Known::new(act, &self.log.history);
            self.acts.insert(known);
        }
        let below = self.floor.iter().flat_map(|settled| settled.floor.links.iter()).map(|(id, link)| (*id, *link));
        let above = self.acts.iter().filter_map(|known| known.act.opens().map(|link| (known.act.id(), *link)));
        let links: BTreeMap<_, _> = below.chain(above).collect();
        self.acts.try_links(self.log.group, &links);
        self.count_again(&mut Vec::new());
    }

    /// Counts again after the log or the floor has changed.
    pub(super) fn count_again(&mut self, events: &mut Vec<GroupEvent>) {
        let tally = Tally::of(&self.view());
        self.adopt(tally, events);
    }

    /// Takes the result of a count. What one author repeats is forgotten.
    fn adopt(&mut self, mut tally: Tally, events: &mut Vec<GroupEvent>) {
        let (sayings, more) = Sayings::of(&self.view(), &tally);
        for hash in more {
            self.acts.remove(&hash);
        }
        self.sayings = sayings;
        // Nothing is said of what was refused or forgotten.
        tally.verdicts.retain(|hash, _| self.acts.holds(hash));
        let state = State::of(&self.view(), &tally, &self.log.rights, &self.carried);
        events.extend(difference((&self.state, &self.tally), (&state, &tally), &self.acts));
        (self.state, self.tally) = (state, tally);
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            history: &self.log.history,
            owner: &self.log.rights.owner,
            floor: self.floor.as_ref().map_or(&self.no_floor, |settled| &settled.floor),
            settled: self.settled(),
            acts: &self.acts,
        }
    }
}
