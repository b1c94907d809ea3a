//! Letters (docs/spec/rooms.md, sections 15.2 and 15.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Group;
use super::error::GroupReceiveError;
use super::items::Item;
use super::limits::ASK_AT_ONCE;
use super::received::GroupReceived;
use super::wire::{Again, Known, Note};
use crate::account::Account;
use crate::conversation::{MemberDevice, ReceivedLetter};
use crate::device::{AccountKey, DeviceEntry};
use crate::group::GroupId;
use crate::group::chain::{Distribution, Place, ReceivingChains, Scope, TakeError, Taken};
use crate::group::membership::{self, Statement, Stay};
use bisik_core::time::Timestamp;

/// What became of a chain's key.
pub(super) enum Chain {
    Taken,
    /// It waits for an entry, a list, or a statement that makes its sender a member.
    Waits,
}

impl Group {
    /// Takes a letter of another device of the group. Nothing but this device's own state decides what comes of it. Seal and
    /// store, then [settle](crate::Conversation::settle) it in the conversation, and [flush](Self::flush).
    ///
    /// # Errors
    ///
    /// [`GroupReceiveError`]. Nothing has changed then.
    pub fn receive_letter(
        &mut self,
        account: &Account,
        letter: &ReceivedLetter,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        let from = *letter.from();
        let note = Note::decode(letter.body())?;
        // Under which the account's other devices sign what they do.
        self.signers.add_directory(account.devices());
        if !self.desk.has_room(0) {
            return Err(GroupReceiveError::InboxFull);
        }
        match note {
            Note::Chain(distribution) => match self.take_chain(account, from, distribution, now)? {
                Chain::Taken => self.touch(),
                Chain::Waits => self.desk.wait(from, letter.body()),
            },
            Note::Statements { group, items } => {
                self.check_group(group)?;
                self.touch();
                if from.account == self.desk.local.account {
                    self.desk.told.insert(from.identity);
                }
                let more = letter.body().len() >= ASK_AT_ONCE;
                if self.take_items(items) && more {
                    self.asks.at_once(from);
                }
            }
            Note::Ask { group, known } => {
                self.check_group(group)?;
                if !self.is_concerned(account, &from, now) {
                    return Err(GroupReceiveError::UnknownDevice);
                }
                self.asks.answer(from, *known);
            }
            Note::NeedChain { group, chain } => {
                self.check_group(group)?;
                if !self.is_concerned(account, &from, now) {
                    return Err(GroupReceiveError::UnknownDevice);
                }
                // Another chain is not what the message was written in.
                if self.chain.as_ref().is_some_and(|own| own.chain() == chain) {
                    self.asks.give_again(from, now);
                }
            }
            Note::Lacking { group, messages } => {
                self.check_group(group)?;
                if !self.is_concerned(account, &from, now) {
                    return Err(GroupReceiveError::UnknownDevice);
                }
                self.asks.lacks(from, messages);
            }
            Note::Again(again) => self.take_again(account, from, *again, now)?,
            Note::History { group, pointer } => {
                self.check_group(group)?;
                self.take_history(account, from, pointer, now)?;
            }
            Note::Knock { group, link, stay, proof } => {
                self.check_group(group)?;
                let stay = Stay { account: from.account, id: stay };
                if !self.membership.has_link(&link, &stay, &proof) {
                    return Err(GroupReceiveError::NotPermitted);
                }
                // P-15.15: everything, as to somebody who was invited.
                self.asks.answer(from, Known::NOTHING);
            }
        }
        self.retry_aside(account, now);
        Ok(())
    }

    /// P-15.16: a message that was missing. The session authenticates its author, and the key that is kept says that it
    /// exists and was not read.
    fn take_again(
        &mut self,
        account: &Account,
        from: MemberDevice,
        again: Again,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        let Again { group, id, view, body } = again;
        self.check_group(group)?;
        // P-12.58.
        if !account.knows_its_terms() {
            return Err(GroupReceiveError::DisclosureNeeded);
        }
        if !self.desk.has_room(body.len()) {
            return Err(GroupReceiveError::InboxFull);
        }
        let (_is_member, writes) = self.standing(account, &from, now);
        if !writes {
            return Err(GroupReceiveError::NotPermitted);
        }
        let chains = self.senders.get_mut(&from).ok_or(GroupReceiveError::UnknownDevice)?;
        let may_pass_on = chains.permits_history(id.chain);
        if !chains.arrived(id.chain, id.index) {
            return Err(GroupReceiveError::Duplicate);
        }
        self.touch();
        let same_view = view == self.view(account).0;
        let delete_by = account.deadline(|_| true, now);
        self.desk.give(GroupReceived::Message { from, id, body, same_view, may_pass_on, delete_by });
        Ok(())
    }

    /// P-15.6: whether what a device says is a member's, and whether it may write contents. A device that was unlinked, barred
    /// or retired since it gave its chain is none.
    pub(super) fn standing(&self, account: &Account, device: &MemberDevice, now: Timestamp) -> (bool, bool) {
        let entry = self.entry(account, device);
        let is_listed = entry.is_some_and(|entry| self.may_know(&device.account, entry, now));
        let role = self.membership.state().role_of(&device.account).filter(|_| is_listed);
        (role.is_some(), role.is_some_and(|role| self.may_write(role)))
    }

    fn check_group(&self, group: GroupId) -> Result<(), GroupReceiveError> {
        if group == self.id() { Ok(()) } else { Err(GroupReceiveError::OtherGroup) }
    }

    /// P-15.8: whether a device is one of an account that is in the group or invited, and may know it.
    fn is_concerned(&self, account: &Account, device: &MemberDevice, now: Timestamp) -> bool {
        let mut stays = self.membership.state().stays();
        let own = device.account == *account.key();
        (own || stays.any(|(stay, _)| stay.account == device.account))
            && self.entry(account, device).is_some_and(|entry| self.may_know(&device.account, entry, now))
    }

    /// The entry of a device, in the newest list of its account.
    pub(super) fn entry<'a>(&'a self, account: &'a Account, device: &MemberDevice) -> Option<&'a DeviceEntry> {
        if device.account != *account.key() {
            return self.lists.entry(device);
        }
        account.devices().at(device.device).filter(|entry| *entry.identity() == device.identity)
    }

    /// P-14.14, P-15.3: takes a chain's key, if its sender is a member and may have such a chain.
    pub(super) fn take_chain(
        &mut self,
        account: &Account,
        from: MemberDevice,
        distribution: Box<Distribution>,
        now: Timestamp,
    ) -> Result<Chain, GroupReceiveError> {
        let Place::Group { id, origin } = *distribution.place() else { return Err(GroupReceiveError::OtherGroup) };
        self.check_group(id)?;
        if from.identity == self.desk.local.identity || self.membership.state().is_barred(&from.account, &from.identity)
        {
            return Err(GroupReceiveError::UnknownDevice);
        }
        let own = from.account == self.desk.local.account;
        let Some(stay) = self.membership.state().stay_of(&from.account).copied() else { return Ok(Chain::Waits) };
        let Some(entry) = self.entry(account, &from) else {
            // One's own list is the newest; of another, only an index that was never given can be a newer one's.
            let known = self.lists.get(&from.account);
            if own || known.is_some_and(|known| known.at(from.device).is_some()) {
                return Err(GroupReceiveError::UnknownDevice);
            }
            let newer = known.map_or(0, |known| known.sequence()).saturating_add(1);
            self.note_newer_list(from.account, newer);
            return Ok(Chain::Waits);
        };
        if !self.may_know(&from.account, entry, now) {
            return Ok(Chain::Waits);
        }
        let Some(epoch) = self.membership.epoch_of(&origin) else {
            self.asks.differ(from);
            return Ok(Chain::Waits);
        };
        if epoch < self.membership.since(&stay) {
            return Err(GroupReceiveError::Chain(TakeError::Closed));
        }
        let scope = Scope::Group(id);
        let new = || ReceivingChains::new(scope, from);
        let mut fresh = None;
        let chains = match self.senders.get_mut(&from) {
            Some(chains) => chains,
            None => fresh.insert(new()),
        };
        let taken = chains.take(&distribution, &from.identity).map_err(GroupReceiveError::Chain)?;
        let Taken { opens_more: _, given_up } = taken;
        if let Some(fresh) = fresh {
            self.senders.insert(from, fresh);
        }
        if given_up > 0 {
            self.touch();
            self.desk.give(GroupReceived::Lost { device: from, messages: given_up });
        }
        self.asks.has_chain(&from);
        Ok(Chain::Taken)
    }

    /// Takes note that somebody has, or must have, a newer list of an account.
    fn note_newer_list(&mut self, account: AccountKey, sequence: u64) {
        let outdated = self.outdated.entry(account).or_default();
        *outdated = sequence.max(*outdated);
    }

    /// Takes statements, each of which stands by its own signature. Whether something was new.
    pub(super) fn take_items(&mut self, items: Vec<Item>) -> bool {
        let (mut acts, mut events, mut new) = (Vec::new(), Vec::new(), false);
        for item in items {
            match item {
                Item::Statement(Statement::Act(act)) => acts.push(act),
                Item::Statement(statement) => {
                    if let Ok(offered) = self.membership.offer(&statement, &self.signers) {
                        new |= offered.taken == membership::Taken::Taken;
                        events.extend(offered.events);
                    }
                }
                Item::List(account, list) => {
                    let known = self.lists.get(&account).map_or(0, |known| known.sequence());
                    let concerns = self.membership.state().stays().any(|(stay, _)| stay.account == account);
                    if concerns && list.sequence() > known {
                        self.note_newer_list(account, list.sequence());
                    }
                }
            }
        }
        let acts: Vec<_> = acts.iter().map(Vec::as_slice).collect();
        let offered = self.membership.offer_acts(&acts, &self.signers);
        new |= offered.taken.contains(&Ok(membership::Taken::Taken));
        events.extend(offered.events);
        if !events.is_empty() {
            self.touch();
        }
        self.note(events);
        new
    }

    /// Tries again the chains that wait.
    pub(super) fn retry_aside(&mut self, account: &Account, now: Timestamp) {
        for (from, body) in core::mem::take(&mut self.desk.aside) {
            let Ok(Note::Chain(distribution)) = Note::decode(&body) else { continue };
            match self.take_chain(account, from, distribution, now) {
                Ok(Chain::Waits) => self.desk.aside.push_back((from, body)),
                // Taken, or refused for good.
                Ok(Chain::Taken) | Err(_) => self.touch(),
            }
        }
    }
}
