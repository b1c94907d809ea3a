//! Entries and acts that were verified are taken, and everything is counted again. Taking cannot fail.

use alloc::collections::BTreeMap;
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
use super::rights::Rights;
use super::state::State;
use super::{ActId, Evidence, Membership};
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

    /// Adds acts that were verified, counts once, and takes out again those that do not count. P-13.7.
    pub(super) fn enter(&mut self, acts: Vec<Known>, events: &mut Vec<GroupEvent>) -> Vec<Result<Taken, OfferError>> {
        let mut entered = Vec::with_capacity(acts.len());
        for known in acts {
            let room = self.has_room(&known);
            entered.push((known.clone(), room));
            if room.is_ok() {
                self.insert(known);
            }
        }
        let tally = Tally::of(&self.view());
        let mut outcomes = Vec::with_capacity(entered.len());
        let mut changed = false;
        for (known, room) in entered {
            let hash = known.act.hash;
            outcomes.push(match (room, tally.verdicts.get(&hash)) {
                (Err(error), _) => Err(error),
                (Ok(()), Some(Verdict::Void(reason))) => {
                    self.acts.remove(&hash);
                    self.refuse(&known, *reason)
                }
                (Ok(()), Some(Verdict::Counts) | None) => {
                    changed = true;
                    Ok(Taken::Taken)
                }
            });
        }
        if changed {
            self.adopt(tally, events);
            self.change();
        }
        outcomes
    }

    fn insert(&mut self, known: Known) {
        let opened = known.act.opens().map(|link| (known.act.id(), *link));
        self.acts.insert(known);
        if let Some((id, link)) = opened {
            self.acts.try_links(self.log.group, &[(id, link)].into());
        }
    }

    /// P-13.16. What is void and has no effect gives its room to what counts.
    fn has_room(&mut self, known: &Known) -> Result<(), OfferError> {
        if !self.acts.has_room(known) {
            let tally = &self.tally;
            let void = |other: &Known| matches!(tally.verdicts.get(&other.act.hash), Some(Verdict::Void(_)));
            self.acts.split(|other| !void(other) || other.holds_back());
        }
        let stays = known.act.adds().is_some_and(|stay| !self.state.stays.contains_key(stay));
        let full = (stays && self.state.stays.len() >= STAYS)
            || (known.act.opens().is_some() && self.state.links.len() >= OPEN_LINKS)
            || !self.acts.has_room(known);
        if full { Err(OfferError::Full) } else { Ok(()) }
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

    /// Takes the result of a count. Acts that do what another does are forgotten: of those only the one with the least id
    /// counts.
    fn adopt(&mut self, mut tally: Tally, events: &mut Vec<GroupEvent>) {
        let verdicts = &mut tally.verdicts;
        verdicts.retain(|hash, verdict| {
            if *verdict == Verdict::Void(VoidReason::Repeats) {
                self.acts.remove(hash);
            }
            self.acts.holds(hash)
        });
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
