//! Everything that is due (docs/spec/rooms.md, section 15.4).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::desk::Notice;
use super::error::GroupSendError;
use super::items::{Item, pieces};
use super::limits::{ANSWER_LETTERS, SETTLE_AT};
use super::persist::StoredGroup;
use super::targets::{device_of, others};
use super::wire::{Known, Note};
use super::{Group, MemberDevice};
use crate::account::Account;
use crate::group::chain::SendPlan;
use crate::group::outbox::{GroupHandover, GroupSent, Outgoing};
use crate::group::write::Targets;
use crate::hosting::LabelState;
use bisik_core::internal::InternalError;
use bisik_core::time::Timestamp;

/// What is to be sent, once the group is stored: **store before you send**.
#[must_use = "what was made is not sent"]
pub struct GroupOutgoing(Outgoing);

impl GroupOutgoing {
    /// Returns whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Releases what is to be sent, if `stored` proves that the group was stored after it was made. Give the messages to the
    /// relay, store the conversations that took the letters, and tell the group ([`handed`](Group::handed)).
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &StoredGroup) -> Result<(GroupSent, GroupHandover), Self> {
        self.0.release(&stored.desk).map_err(Self)
    }
}

impl fmt::Debug for GroupOutgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("GroupOutgoing", f)
    }
}

impl Group {
    /// Makes everything that is due: what members have to know, the keys of chains, questions and answers, and gives out the
    /// messages that wait. Call it after every operation, and after everything that was received.
    ///
    /// [Seal](Self::seal) and store, then [release](GroupOutgoing::release) it. What was given out before and not
    /// [handed over](Self::handed) is not given out again before the group is loaded anew.
    ///
    /// # Errors
    ///
    /// [`GroupSendError`]. What is due then waits.
    pub fn flush(
        &mut self,
        account: &Account,
        labels: &[&LabelState],
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupOutgoing, GroupSendError> {
        self.check_device(account, now)?;
        self.touch();
        self.desk.expire(now);
        self.keep_house(account, now)?;
        let targets = self.checked_targets(account, labels, now)?;
        self.tell_members(account, &targets, now, &mut rng)?;
        self.give_chains_again(account, &targets, now)?;
        self.ask_and_answer(account, &targets, now);
        Ok(GroupOutgoing(self.desk.outbox.give_out(targets.into_values().collect(), self.desk.lineage.origin())))
    }

    /// Takes note that what one [`flush`](Self::flush) made has arrived at the relay and in the records of conversations.
    pub fn handed(&mut self, handover: GroupHandover) {
        self.desk.outbox.handed(&handover);
        self.touch();
    }

    /// P-15.13: what devices do by themselves.
    fn keep_house(&mut self, account: &Account, now: Timestamp) -> Result<(), GroupSendError> {
        // What has no right, or no room, waits for the owner.
        let _said_again = self.write(account, |membership, author| membership.make_again(author, now));
        let owns = self.membership.state().owner().account == *account.key() && account.primary().is_some();
        if owns && self.membership.departed_admins().next().is_some() {
            self.write(account, |membership, author| membership.lower_departed(author, now))
                .map_err(|_| InternalError)?;
        }
        if owns && self.membership.acts().count() >= SETTLE_AT {
            self.write(account, |membership, author| membership.settle_group(author, now))
                .map_err(|_| InternalError)?;
        }
        let here: BTreeSet<_> = self.accounts().into_iter().collect();
        self.lists.retain(|account| here.contains(account));
        self.outdated.retain(|account, _| here.contains(account));
        // What is late is still read, while keys are kept for it.
        let own = *account.key();
        self.senders.retain(|device, chains| {
            device.account == own || here.contains(&device.account) || chains.chains().next().is_some()
        });
        Ok(())
    }

    /// Tells those who get no messages: who was invited, who is out, and own devices that do not know of the group.
    pub(super) fn give_notice(&mut self, account: &Account, now: Timestamp) {
        let mut notices = core::mem::take(&mut self.desk.notices);
        notices.retain(|to, notice| {
            let Some(directory) = self.lists.get(to).filter(|directory| !directory.is_expired(now)) else {
                return true;
            };
            let items = match notice {
                Notice::All => self.answer(account, &Known::NOTHING),
                Notice::These(items) => core::mem::take(items),
            };
            let told = directory.devices().iter().filter(|entry| self.may_know(to, entry, now));
            let devices: Vec<_> = told.map(|entry| device_of(to, entry)).collect();
            devices.into_iter().for_each(|device| self.write_to(device, items.clone()));
            false
        });
        self.desk.notices = notices;
        let own = account.devices();
        let told = others(own, account).filter(|entry| self.may_know(account.key(), entry, now));
        let new: Vec<_> = told.filter(|entry| !self.desk.told.contains(entry.identity())).collect();
        // An invited account's devices hear of it from whoever invites.
        if !new.is_empty() && self.role().is_some() {
            let items = self.answer(account, &Known::NOTHING);
            for entry in new {
                self.write_to(device_of(account.key(), entry), items.clone());
                self.desk.told.insert(*entry.identity());
            }
        }
        self.desk.told.retain(|device| own.find(device).is_some());
    }

    /// Gives statements to one device, in as many letters as one answer has.
    pub(super) fn write_to(&mut self, device: MemberDevice, items: Vec<Item>) {
        for items in pieces(items).into_iter().take(ANSWER_LETTERS) {
            self.desk.letter(device, Note::Statements { group: self.id(), items }.encode());
        }
    }

    /// Gives the own chain to devices that have lost it, from the next message on. P-14.11.
    fn give_chains_again(
        &mut self,
        account: &Account,
        targets: &Targets,
        now: Timestamp,
    ) -> Result<(), GroupSendError> {
        let (view, lists) = self.view(account);
        let keys: BTreeSet<_> = targets.keys().copied().collect();
        let Some(chain) = &mut self.chain else { return Ok(()) };
        let SendPlan::Ready(mut ready) = chain.plan(&keys, now) else { return Ok(()) };
        for device in core::mem::take(&mut self.asks.again) {
            let Some(to) = targets.get(&device) else { continue };
            // A chain with all its messages ends with the next one.
            let Ok(distribution) = ready.distribution_for(&device, view, &lists) else { continue };
            self.desk.letter(*to, Note::Chain(distribution.into()).encode());
        }
        Ok(())
    }
}
