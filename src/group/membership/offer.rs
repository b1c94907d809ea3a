//! What arrives: entries, acts and floors are verified, then taken, kept aside or refused.
//!
//! Everything that can refuse works on `&self`; taking cannot fail.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use super::act::UnverifiedAct;
use super::acts::Known;
use super::aside::Lack;
use super::count::VoidReason;
use super::entry::UnverifiedEntry;
use super::error::OfferError;
use super::event::GroupEvent;
use super::floor::Floor;
use super::log::Checked;
use super::permit::permits;
use super::signers::{Signer, Signers};
use super::{ActHash, Evidence, Membership, Stay};
use crate::device::AccountKey;

/// What became of an entry, an act or a floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was new and was taken: store the group.
    Taken,
    /// It was there.
    Known,
    /// It waits for something: see [`Membership::wanted`].
    Aside,
}

/// What became of what was offered, and what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the events are for the user"]
pub struct Offered {
    /// What became of it.
    pub taken: Taken,
    /// What changed, also by what had waited for it.
    pub events: Vec<GroupEvent>,
}

/// What became of several acts, and what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the events are for the user"]
pub struct OfferedActs {
    /// What became of each, in their order.
    pub taken: Vec<Result<Taken, OfferError>>,
    /// What changed.
    pub events: Vec<GroupEvent>,
}

/// An act that was verified.
enum Verified {
    Held,
    Ready(Box<Known>),
    Lacks(ActHash, Lack),
}

impl Membership {
    /// Takes an entry of the owner's log. What it does to acts that are held follows at once; entries and acts that waited
    /// for it are taken too.
    ///
    /// An entry that is valid and contradicts one that is there makes the group read-only for good:
    /// [`GroupEvent::Equivocation`], with the [evidence](Self::evidence).
    ///
    /// # Errors
    ///
    /// [`OfferError`]. Nothing has changed then.
    pub fn offer_entry(&mut self, bytes: &[u8], signers: &Signers) -> Result<Offered, OfferError> {
        let mut events = Vec::new();
        let taken = self.take_entry(bytes, &mut events)?;
        if taken == Taken::Taken {
            self.take_what_waited(signers, &mut events);
        }
        Ok(Offered { taken, events })
    }

    /// Takes an act of a member's device. `signers` has the device lists of members.
    ///
    /// # Errors
    ///
    /// [`OfferError`]. Nothing has changed then.
    pub fn offer_act(&mut self, bytes: &[u8], signers: &Signers) -> Result<Offered, OfferError> {
        let mut events = Vec::new();
        let taken = match self.verify_act(bytes, signers)? {
            Verified::Held => Taken::Known,
            Verified::Lacks(hash, lack) => {
                self.aside.keep_act(hash, lack, bytes);
                Taken::Aside
            }
            // An act that would not count costs no new count.
            Verified::Ready(known) => match self.is_worth_holding(&known) {
                Err(reason) => self.refuse(&known, reason)?,
                Ok(()) => {
                    let mut outcome = self.enter([*known].into(), &mut events);
                    outcome.pop().ok_or(OfferError::Full)??
                }
            },
        };
        if taken == Taken::Taken {
            self.take_what_waited(signers, &mut events);
        }
        Ok(Offered { taken, events })
    }

    /// Takes several acts at once, as after having been away: they are counted once, so that it costs much less than to
    /// offer each.
    pub fn offer_acts(&mut self, acts: &[&[u8]], signers: &Signers) -> OfferedActs {
        let mut events = Vec::new();
        let taken = self.take_acts(acts, signers, &mut events);
        if taken.contains(&Ok(Taken::Taken)) {
            self.take_what_waited(signers, &mut events);
        }
        OfferedActs { taken, events }
    }

    /// Takes the floor that the newest settling names: the acts before it are forgotten. P-13.15.
    ///
    /// # Errors
    ///
    /// [`OfferError::UnknownFloor`] if no settling that is known names it; [`OfferError::Malformed`];
    /// [`OfferError::Equivocated`]. Nothing has changed then.
    pub fn offer_floor(&mut self, bytes: &[u8], signers: &Signers) -> Result<Offered, OfferError> {
        self.check_evidence()?;
        let hash = Floor::hash(bytes);
        let Some((epoch, settled)) = self.log.rights.settled else { return Err(OfferError::UnknownFloor) };
        if settled != hash {
            return Err(OfferError::UnknownFloor);
        }
        if epoch == self.settled() {
            return Ok(Offered { taken: Taken::Known, events: Vec::new() });
        }
        let floor = Floor::decode(bytes)?;
        floor.check_keys()?;
        let owner = self.log.history.owner(epoch);
        if owner.is_none_or(|owner| floor.stays.get(&owner) != Some(&true)) {
            return Err(OfferError::Malformed);
        }
        let mut events = Vec::new();
        self.settle(epoch, floor, bytes, &mut events);
        self.take_what_waited(signers, &mut events);
        Ok(Offered { taken: Taken::Taken, events })
    }

    /// Tries again what waits, after [device lists](Signers) have arrived. Returns what changed.
    pub fn retry(&mut self, signers: &Signers) -> Vec<GroupEvent> {
        let mut events = Vec::new();
        self.take_what_waited(signers, &mut events);
        events
    }

    pub(super) fn check_evidence(&self) -> Result<(), OfferError> {
        if self.evidence.is_some() { Err(OfferError::Equivocated) } else { Ok(()) }
    }

    fn take_entry(&mut self, bytes: &[u8], events: &mut Vec<GroupEvent>) -> Result<Taken, OfferError> {
        if let Some(Evidence { rival, .. }) = &self.evidence {
            return if rival == bytes { Ok(Taken::Known) } else { Err(OfferError::Equivocated) };
        }
        match self.log.check(bytes)? {
            Checked::Known => Ok(Taken::Known),
            Checked::Orphan => {
                let before = UnverifiedEntry::read(bytes)?.previous;
                self.aside.keep_entry(before, bytes);
                Ok(Taken::Aside)
            }
            Checked::Rival(rival) => {
                self.note_rival(&rival);
                events.push(GroupEvent::Equivocation);
                Ok(Taken::Taken)
            }
            Checked::Next(entry, rights) => {
                self.extend(*entry, *rights, events);
                Ok(Taken::Taken)
            }
        }
    }

    /// Verifies an act, as far as the log says. P-13.5 and P-13.6.
    fn verify_act(&self, bytes: &[u8], signers: &Signers) -> Result<Verified, OfferError> {
        self.check_evidence()?;
        let unverified = UnverifiedAct::read(bytes)?;
        if unverified.group != self.log.group {
            return Err(OfferError::OtherGroup);
        }
        let hash = unverified.hash();
        if self.acts.holds(&hash) {
            return Ok(Verified::Held);
        }
        // P-13.15.
        if unverified.epoch < self.settled() {
            return Err(OfferError::Settled);
        }
        let account: AccountKey = unverified.author.account;
        let device = match signers.device(&account, unverified.list, unverified.device) {
            Signer::Device(device) => device,
            Signer::NotListed => return Err(OfferError::UnknownDevice),
            Signer::UnknownList => return Ok(Verified::Lacks(hash, Lack::List(account, unverified.list))),
        };
        if !unverified.is_signed_by(&device) {
            return Err(OfferError::BadSignature);
        }
        if self.log.at(unverified.epoch).is_none_or(|entry| entry.hash != unverified.entry) {
            return Ok(Verified::Lacks(hash, Lack::Entry(unverified.epoch, unverified.entry)));
        }
        if let Some((epoch, floor)) = self.log.rights.settled.filter(|_| self.missing_floor().is_some())
            && unverified.epoch >= epoch
        {
            return Ok(Verified::Lacks(hash, Lack::Floor(floor)));
        }
        let act = unverified.parse(device)?;
        act.check_keys()?;
        if !permits(&self.log.history, &act) {
            return Err(OfferError::NotPermitted);
        }
        Ok(Verified::Ready(self.known(act).into()))
    }

    /// P-13.7. What does not count, and may once something has arrived, is kept aside.
    pub(super) fn refuse(&mut self, known: &Known, reason: VoidReason) -> Result<Taken, OfferError> {
        let lack = match (reason, known.act.joins_by()) {
            (VoidReason::NotAdded, None) => Lack::Stay(known.act.author),
            (VoidReason::NotAdded, Some(link)) if self.link(link).is_none() => Lack::Link(*link, known.act.author),
            _ => return Err(OfferError::DoesNotCount(reason)),
        };
        self.aside.keep_act(known.act.hash, lack, known.act.as_bytes());
        Ok(Taken::Aside)
    }

    fn take_acts(
        &mut self,
        acts: &[&[u8]],
        signers: &Signers,
        events: &mut Vec<GroupEvent>,
    ) -> Vec<Result<Taken, OfferError>> {
        let mut taken: Vec<Result<Taken, OfferError>> = Vec::with_capacity(acts.len());
        let (mut ready, mut places) = (Vec::new(), Vec::new());
        let (mut firsts, mut repeats) = (BTreeMap::new(), Vec::new());
        for bytes in acts {
            // What is repeated is verified once.
            match firsts.entry(*bytes) {
                Entry::Occupied(first) => repeats.push((taken.len(), *first.get())),
                Entry::Vacant(slot) => drop(slot.insert(taken.len())),
            }
            if repeats.last().is_some_and(|(place, _)| *place == taken.len()) {
                taken.push(Ok(Taken::Known));
                continue;
            }
            taken.push(match self.verify_act(bytes, signers) {
                Err(error) => Err(error),
                Ok(Verified::Held) => Ok(Taken::Known),
                Ok(Verified::Lacks(hash, lack)) => {
                    self.aside.keep_act(hash, lack, bytes);
                    Ok(Taken::Aside)
                }
                Ok(Verified::Ready(known)) => {
                    places.push(taken.len());
                    ready.push(*known);
                    Ok(Taken::Taken)
                }
            });
        }
        if !ready.is_empty() {
            for (place, outcome) in places.into_iter().zip(self.enter(ready, events)) {
                taken.get_mut(place).into_iter().for_each(|slot| *slot = outcome);
            }
        }
        for (place, first) in repeats {
            let outcome = taken.get(first).copied().filter(|outcome| *outcome != Ok(Taken::Taken));
            taken.get_mut(place).into_iter().zip(outcome).for_each(|(slot, outcome)| *slot = outcome);
        }
        taken
    }

    /// Takes the acts that wait and lack nothing any more. The others are not verified again.
    fn no_longer_lacking(&mut self, signers: &Signers) -> Vec<Vec<u8>> {
        let mut aside = core::mem::take(&mut self.aside);
        let found = aside.take_acts(|hash, lack| self.has(signers, hash, lack));
        self.aside = aside;
        found
    }

    /// Whether what an act lacked is here.
    fn has(&self, signers: &Signers, act: &ActHash, lack: &Lack) -> bool {
        let adds = |stay: &Stay| self.tally.is_added(&self.view(), stay);
        match lack {
            Lack::Entry(epoch, hash) => self.log.at(*epoch).is_some_and(|entry| entry.hash == *hash),
            Lack::List(account, list) => signers.knows(account, *list),
            Lack::Floor(floor) => self.missing_floor() != Some(*floor),
            // An entry may keep it without.
            Lack::Link(link, stay) => self.link(link).is_some() || adds(stay) || self.log.history.keeps(&act.id()),
            Lack::Stay(stay) => adds(stay),
        }
    }

    fn take_what_waited(&mut self, signers: &Signers, events: &mut Vec<GroupEvent>) {
        loop {
            // The entries first: an act is judged by all that are known.
            loop {
                let waiting = self.aside.entries_after(&self.log.newest());
                let taken = waiting.iter().map(|bytes| self.take_entry(bytes, events) == Ok(Taken::Taken));
                if taken.filter(|taken| *taken).count() == 0 || self.evidence.is_some() {
                    break;
                }
            }
            let waiting = self.no_longer_lacking(signers);
            let acts: Vec<_> = waiting.iter().map(Vec::as_slice).collect();
            let taken = self.take_acts(&acts, signers, events);
            if !taken.contains(&Ok(Taken::Taken)) || self.evidence.is_some() {
                return;
            }
        }
    }
}
