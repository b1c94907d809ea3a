//! Writing in the group: one ciphertext for everybody who reads (docs/spec/rooms.md, section 15.4).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::error::GroupSendError;
use super::id::GroupMessageId;
use super::items::pieces;
use super::limits::{OUTBOX, OUTBOX_BYTES};
use super::targets::{device_of, others};
use super::wire::{Body, Note};
use super::{Group, MemberDevice};
use crate::account::Account;
use crate::conversation::MAX_BODY;
use crate::group::chain::{Place, SendingChain};
use crate::group::membership::{Role, Setting};
use crate::group::write::{Targets, Writing};
use crate::hosting::LabelState;
use bisik_core::time::Timestamp;

impl Group {
    /// Encrypts a message for every device that [reads](Self::readers), and returns its name. It goes out with the next
    /// [`flush`](Self::flush), and what members have to know before goes first. A new chain of keys begins where one must
    /// (P-14.7, P-14.8): then, and to newcomers, each device is given its key in a letter. `labels` are those of the
    /// conversations with accounts that have hosted devices.
    ///
    /// # Errors
    ///
    /// [`GroupSendError`]. Nothing has changed then, but that what members have to know may wait encrypted.
    pub fn send(
        &mut self,
        account: &Account,
        body: &[u8],
        labels: &[&LabelState],
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupMessageId, GroupSendError> {
        self.check_device(account, now)?;
        if body.len() > MAX_BODY {
            return Err(GroupSendError::TooLong);
        }
        if !self.may_write(self.role().ok_or(GroupSendError::NotAMember)?) {
            return Err(GroupSendError::MayNotWrite);
        }
        let state = self.membership.state();
        if state.is_ended() || self.membership.receivers().next().is_none() {
            return Err(GroupSendError::ReadOnly);
        }
        let (count, bytes) = self.desk.outbox.waiting();
        if count >= OUTBOX || bytes.saturating_add(body.len()) > OUTBOX_BYTES {
            return Err(GroupSendError::OutboxFull);
        }
        let targets = self.checked_targets(account, labels, now)?;
        self.tell_members(account, &targets, now, &mut rng)?;
        // P-15.18. Only here: who lacks the entry that changes the setting is told of it in the chain that it has.
        let history = self.is_history_permitted();
        self.chain.iter_mut().filter(|chain| chain.permits_history() != history).for_each(SendingChain::rekey);
        let id = self.encrypt(account, &Body::content(body), &targets, now, &mut rng)?;
        let until = account.deadline(|_| true, now);
        self.desk.kept.keep(id, self.view(account).0, body, (now, until));
        Ok(id)
    }

    /// Whether somebody with this role may write.
    pub(super) fn may_write(&self, role: Role) -> bool {
        let admins_only = self.membership.setting(Setting::WHO_WRITES) == Some(&[2]);
        role != Role::Reader && (role.leads() || !admins_only)
    }

    /// P-15.18: whether members may pass on what is written now.
    fn is_history_permitted(&self) -> bool {
        matches!(self.membership.setting(Setting::HISTORY), Some([2 | 3]))
    }

    /// P-12.1, P-12.2: whether this device may do anything at all.
    pub(super) fn check_device(&self, account: &Account, now: Timestamp) -> Result<(), GroupSendError> {
        if account.acts_as(&self.desk.local.identity, now) { Ok(()) } else { Err(GroupSendError::NotListed) }
    }

    pub(super) fn checked_targets(
        &self,
        account: &Account,
        labels: &[&LabelState],
        now: Timestamp,
    ) -> Result<Targets, GroupSendError> {
        let targets = self.targets(account, labels, now);
        if targets.len() > SendingChain::MOST_DEVICES { Err(GroupSendError::TooManyDevices) } else { Ok(targets) }
    }

    /// Gives the members what this device has said. In letters where it changes what its account is in the group: nobody who
    /// does not know of it yet would read its messages.
    pub(super) fn tell_members(
        &mut self,
        account: &Account,
        targets: &Targets,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), GroupSendError> {
        // First of all: who does not know of the group can do nothing with a chain.
        self.give_notice(account, now);
        if self.desk.statements.is_empty() {
            return Ok(());
        }
        let by_letter = self.desk.by_letter || self.role().is_none() || self.membership.receivers().next().is_none();
        for piece in pieces(self.desk.statements.clone()) {
            if by_letter {
                let note = Note::Statements { group: self.id(), items: piece };
                for device in self.concerned(account, now) {
                    self.desk.letter(device, note.encode());
                }
            } else {
                self.encrypt(account, &Body::statements(&piece), targets, now, rng)?;
            }
        }
        (self.desk.statements, self.desk.by_letter) = (Vec::new(), false);
        self.touch();
        Ok(())
    }

    /// The devices of accounts in the group, or invited, that may know of it, but the local one. An account that is invited may
    /// become a member while it is not known yet.
    fn concerned(&self, account: &Account, now: Timestamp) -> Vec<MemberDevice> {
        let mut concerned = Vec::new();
        for peer in self.peers() {
            let directory = self.lists.get(&peer).filter(|directory| !directory.is_expired(now));
            let devices = directory.into_iter().flat_map(|directory| directory.devices());
            let told = devices.filter(|entry| self.may_know(&peer, entry, now));
            concerned.extend(told.map(|entry| device_of(&peer, entry)));
        }
        let own = others(account.devices(), account).filter(|entry| self.may_know(account.key(), entry, now));
        concerned.extend(own.map(|entry| device_of(account.key(), entry)));
        concerned
    }

    /// Encrypts one body for `targets`.
    pub(super) fn encrypt(
        &mut self,
        account: &Account,
        body: &[u8],
        targets: &Targets,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<GroupMessageId, GroupSendError> {
        let (view, lists) = self.view(account);
        let writing = Writing {
            place: Place::Group { id: self.id(), origin: *self.membership.newest_entry().as_bytes() },
            sender: self.desk.local,
            history: self.is_history_permitted(),
            view,
            lists,
            targets,
            now,
        };
        let stay = self.membership.state().stay_of(&self.desk.local.account).map(|stay| stay.id);
        self.touch();
        // P-14.8.
        if self.desk.stay != stay {
            if self.desk.stay.is_some() {
                self.chain.iter_mut().for_each(SendingChain::rekey);
            }
            self.desk.stay = stay;
        }
        let Self { lists, chain, desk, .. } = self;
        let is_current = |device: &MemberDevice| {
            let known = lists.get(&device.account);
            device.account == *account.key() || known.is_some_and(|known| !known.is_expired(now))
        };
        let written = writing.write(chain, &mut desk.outbox, is_current, body, rng)?;
        desk.kept.read_by(written.targets.keys());
        Ok(written.id)
    }
}
