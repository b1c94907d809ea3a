//! A floor comes into force: acts below it are forgotten, and what they hold back is carried over it
//! ([section 13.6](crate::manual::spec::groups#136-bounds-and-floors)).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::act::{Body, HeldBack};
use super::acts::Known;
use super::author::{Author, Written};
use super::event::GroupEvent;
use super::floor::Floor;
use super::limits::CARRIED_FOR_ONE;
use super::state::Carried;
use super::{Membership, Settled, Stay, WriteError};
use bisik_core::blocks::Place;
use bisik_core::time::Timestamp;

/// Something that this device has said and that the floor lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) stay: Stay,
    pub(super) body: Body,
}

impl Membership {
    /// Takes the floor that the entry of this epoch names. P-13.15.
    pub(super) fn settle(&mut self, epoch: u64, floor: Floor, bytes: &[u8], events: &mut Vec<GroupEvent>) {
        let forgotten = self.acts.split(|known| known.act.epoch >= epoch);
        self.carry(&forgotten, &floor);
        let before = self.again.len();
        for again in forgotten.iter().filter_map(|known| self.said_again(known, &floor)).collect::<Vec<_>>() {
            if !self.again.contains(&again) {
                self.again.push(again);
            }
        }
        if self.again.len() > before {
            events.push(GroupEvent::MustMakeAgain);
        }
        if let Some(mut before) = self.floor.take() {
            self.ended.end(&mut before.place);
        }
        self.acts.try_links(self.log.group, &floor.links);
        self.floor = Some(Settled { epoch, floor, bytes: bytes.to_vec(), place: Place::default() });
        events.push(GroupEvent::Settled { epoch });
        self.count_again(events);
        self.change();
    }

    /// Says again what this device had said and the floor lacks: that the user has left, whom he removed, which endpoint he
    /// retired, which link he closed, that he accepted. What he has no right to any more is left out.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] if there is no room for anything; otherwise [`WriteError`], except where there is no right to
    /// one of the acts. Nothing has changed then.
    pub fn make_again(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        self.check_writer(author)?;
        let (mut written, mut left) = (Written::default(), self.again.clone());
        while let Some(Again { stay, body }) = left.last().cloned() {
            match self.write_act(author, stay, body, now) {
                Ok((_, again)) => written.join(again),
                Err(WriteError::NotPermitted) => {}
                // The others come with the next call.
                Err(_) if !written.statements.is_empty() => break,
                Err(error) => return Err(error),
            }
            left.pop();
        }
        if left.len() < self.again.len() {
            self.again = left;
            self.change();
        }
        Ok(written)
    }

    /// P-13.13 goes on below a floor: what an act that is forgotten holds back is remembered under its id.
    fn carry(&mut self, forgotten: &[Known], floor: &Floor) {
        for known in forgotten.iter().filter(|known| !known.standing.lifted) {
            let held = known.act.holds_back();
            if let Some(held) = held {
                self.carried.insert(known.act.id(), Carried { by: known.act.author, held });
            }
        }
        // What is lifted by now would hold back again once the entries that say so are below the floor.
        let (history, below, endpoints) = (&self.log.history, self.settled(), &self.log.rights.endpoints);
        self.carried.retain(|id, carried| {
            let holds = match &carried.held {
                HeldBack::Stay(stay) => floor.stays.contains_key(stay) && !history.owned_after(stay, below),
                HeldBack::Link(link) => floor.links.contains_key(link),
                HeldBack::Endpoint(endpoint, _) => {
                    !floor.retired.contains(endpoint) && endpoints.contains_key(endpoint)
                }
            };
            holds && !history.is_lifted(id)
        });
        // Of many acts against one stay, link or endpoint, the two with the least ids are enough.
        let mut counted: BTreeMap<HeldBack, usize> = BTreeMap::new();
        self.carried.retain(|_, carried| {
            let count = counted.entry(carried.held.of_any_epoch()).or_default();
            *count = count.saturating_add(1);
            *count <= CARRIED_FOR_ONE
        });
    }

    /// P-13.15. What this device has to say again, if the floor does not have it.
    fn said_again(&self, known: &Known, floor: &Floor) -> Option<Again> {
        let Known { act, standing, has_link: _ } = known;
        let lacks = match &act.body {
            Body::Leave { kept: _ } => floor.stays.contains_key(&act.author),
            Body::Remove { target, kept: _ } => floor.stays.contains_key(target),
            Body::Retire { endpoint, account: _ } => !floor.retired.contains(endpoint),
            Body::CloseLink { link, kept: _ } => floor.links.contains_key(link),
            Body::Accept => floor.stays.get(&act.author) == Some(&false),
            Body::Add(_) | Body::OpenLink(_) | Body::Join { .. } | Body::Rekey => false,
        };
        let body = match &act.body {
            Body::Leave { kept: _ } => Body::Leave { kept: Vec::new() },
            Body::Remove { target, kept: _ } => Body::Remove { target: *target, kept: Vec::new() },
            Body::CloseLink { link, kept: _ } => Body::CloseLink { link: *link, kept: Vec::new() },
            Body::Retire { .. } | Body::Accept | Body::Add(_) | Body::OpenLink(_) | Body::Join { .. } | Body::Rekey => {
                act.body.clone()
            }
        };
        let mine = act.device == self.local.1 && act.author.account == self.local.0;
        (mine && lacks && !standing.lifted).then_some(Again { stay: act.author, body })
    }
}
