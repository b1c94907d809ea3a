//! Passing earlier messages on to newcomers (docs/spec/rooms.md, section 15.7).

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::Group;
use super::error::{GroupReceiveError, GroupSendError, HistoryError};
use super::history::{History, HistoryPointer, PassedOn, Remembered, is_within};
use super::received::GroupReceived;
use super::targets::device_of;
use super::wire::Note;
use crate::account::Account;
#[cfg(feature = "content")]
use crate::content::{Content, ContentId, Kind};
use crate::conversation::{MAX_BODY, MemberDevice};
use crate::device::AccountKey;
use crate::group::membership::{Role, Setting};
use crate::media::Pointer;
use bisik_core::time::Timestamp;

impl Group {
    /// Selects what this device may pass on to a newcomer of messages that the program still shows: the newest 100 of the last
    /// 14 days, 4 MiB together, whose authors permit it. `None` if there are none.
    ///
    /// What has disappeared, by the [setting](Setting::DISAPPEARING) of the group, stays out. So does, of contents of
    /// [`content`](crate::content), what is shown once, what has disappeared by its own timer, and what an author or an admin
    /// has deleted, where `messages` has the deletion too. **Leave out what the user or a member has deleted**: the group does
    /// not know of it otherwise.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::device::DeviceTerms;
    /// use bisik::group::membership::Setting;
    /// use bisik::group::{MemberDevice, Remembered};
    /// use bisik::{Account, Group, Timestamp};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let alice = Account::create(DeviceTerms::person(), now, rng);
    /// // The owner's log permits it, so that all members see who may.
    /// let mut group = Group::found(&alice, &[(Setting::HISTORY, &[2])], now, rng)?;
    /// let id = group.send(&alice, b"siapa ikut?", &[], now, rng)?;
    /// let from = MemberDevice { account: *alice.key(), device: 0, identity: *alice.identity().public() };
    /// let shown = [Remembered { from, id, at: now, may_pass_on: true, body: b"siapa ikut?" }];
    /// let history = group.history(&alice, shown, now)?.ok_or("nothing may be passed on")?;
    /// assert_eq!(history.messages()[0].claimed_author, *alice.key());
    /// let (blob, pointer) = history.seal(rng)?;
    /// // ... upload `blob` under `pointer.root()`, and `group.pass_on(&alice, &newcomer, &pointer, now)?`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`GroupSendError::NotListed`], [`NotAMember`](GroupSendError::NotAMember), or
    /// [`MayNotPassOn`](GroupSendError::MayNotPassOn).
    pub fn history<'a>(
        &self,
        account: &Account,
        messages: impl IntoIterator<Item = Remembered<'a>>,
        now: Timestamp,
    ) -> Result<Option<History>, GroupSendError> {
        self.check_may_pass_on(account, now)?;
        let own = *account.key();
        let disappears = self.membership.setting(Setting::DISAPPEARING).and_then(|value| value.try_into().ok());
        let disappears = disappears.map(u32::from_be_bytes).filter(|seconds| *seconds > 0);
        let has_disappeared =
            |at: Timestamp| disappears.is_some_and(|seconds| at.plus_seconds(u64::from(seconds)) <= now);
        let messages: Vec<_> = messages.into_iter().filter(|message| message.body.len() <= MAX_BODY).collect();
        let deleted = self.deleted(&messages);
        // P-15.18.
        let passed = messages.iter().filter(|message| {
            (message.may_pass_on || message.from.account == own)
                && is_within(message.at, now)
                && !has_disappeared(message.at)
                && stays(message, &deleted, now)
        });
        let passed = passed.map(|message| PassedOn {
            claimed_author: message.from.account,
            claimed_device: message.from.device,
            id: message.id,
            claimed_at: message.at,
            body: Zeroizing::new(message.body.to_vec()),
            received_here: true,
        });
        Ok(History::of(self.id(), own, now, passed.collect()))
    }

    /// Passes a [`History`] on to a member, in a letter to each own-held device of its account. No hosted device is given
    /// any, whatever was agreed. The letters go out with the next [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`GroupSendError::NotListed`], [`NotAMember`](GroupSendError::NotAMember) (this account, or `to`),
    /// [`MayNotPassOn`](GroupSendError::MayNotPassOn) (also for a pointer of something else),
    /// [`NoDevice`](GroupSendError::NoDevice), or [`OutboxFull`](GroupSendError::OutboxFull). Nothing has changed then.
    pub fn pass_on(
        &mut self,
        account: &Account,
        to: &AccountKey,
        pointer: &Pointer,
        now: Timestamp,
    ) -> Result<(), GroupSendError> {
        self.check_may_pass_on(account, now)?;
        let pointer = HistoryPointer::new(pointer.clone()).map_err(|_| GroupSendError::MayNotPassOn)?;
        if !self.membership.receivers().any(|member| member == to) || to == account.key() {
            return Err(GroupSendError::NotAMember);
        }
        if self.desk.is_crowded() {
            return Err(GroupSendError::OutboxFull);
        }
        let directory = self.lists.get(to).filter(|directory| !directory.is_expired(now));
        let devices = directory.into_iter().flat_map(|directory| directory.devices());
        let state = self.membership.state();
        let own_held = devices.filter(|entry| entry.custody().is_own_held() && !state.is_barred(to, entry.identity()));
        let devices: Vec<_> = own_held.map(|entry| device_of(to, entry)).collect();
        if devices.is_empty() {
            return Err(GroupSendError::NoDevice);
        }
        self.touch();
        for device in devices {
            self.desk.letter(device, Note::History { group: self.id(), pointer: pointer.clone() }.encode());
        }
        Ok(())
    }

    /// Opens what [`GroupReceived::History`] announced: `blob` is what its pointer names, from a store that nobody believes.
    /// Changes nothing.
    ///
    /// # Errors
    ///
    /// [`HistoryError`].
    pub fn open_history(
        &self,
        by: &MemberDevice,
        pointer: &HistoryPointer,
        blob: &[u8],
    ) -> Result<History, HistoryError> {
        let plaintext = Zeroizing::new(pointer.pointer().decrypt(blob).map_err(HistoryError::Blob)?);
        let mut history = History::decode(&plaintext)?;
        // P-15.20.
        if history.group != self.id() || history.by != by.account {
            return Err(HistoryError::OtherGroup);
        }
        for message in &mut history.messages {
            message.received_here = self.knows_message(message)?;
        }
        Ok(history)
    }

    /// Whether this device remembers to have received or written a message of this name.
    pub(super) fn knows_message(&self, message: &PassedOn) -> Result<bool, HistoryError> {
        let PassedOn { claimed_author, claimed_device, id, .. } = message;
        let is_claimed = |device: &MemberDevice| device.account == *claimed_author && device.device == *claimed_device;
        if let Some(chain) = self.chain.as_ref().filter(|chain| chain.chain() == id.chain) {
            let is_own = is_claimed(&self.desk.local) && id.index < chain.index();
            return if is_own { Ok(true) } else { Err(HistoryError::Contradicts) };
        }
        // P-15.22: more than one may have given a chain of this name.
        let mut known = self.senders.iter().filter(|(_, chains)| chains.knows(id.chain)).peekable();
        let is_unknown = known.peek().is_none();
        match known.find(|(device, _)| is_claimed(device)) {
            Some((_, chains)) => Ok(chains.received(id.chain, id.index)),
            None if is_unknown => Ok(false),
            None => Err(HistoryError::Contradicts),
        }
    }

    /// P-15.17: takes a pointer of a history, from a member that may pass one on by what is known here.
    pub(super) fn take_history(
        &mut self,
        account: &Account,
        from: MemberDevice,
        pointer: HistoryPointer,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        if !is_own_held(account) {
            return Err(GroupReceiveError::NotPermitted);
        }
        let entry = self.entry(account, &from).ok_or(GroupReceiveError::UnknownDevice)?;
        let may_know = entry.custody().is_own_held() && self.may_know(&from.account, entry, now);
        let role = self.membership.state().role_of(&from.account);
        if !may_know || self.role().is_none() || !role.is_some_and(|role| self.may_pass_on(role)) {
            return Err(GroupReceiveError::NotPermitted);
        }
        if !self.desk.has_room(HistoryPointer::len()) {
            return Err(GroupReceiveError::InboxFull);
        }
        if self.desk.has_history(&from, &pointer) {
            return Err(GroupReceiveError::Duplicate);
        }
        self.touch();
        self.desk.give(GroupReceived::History { by: from, pointer });
        Ok(())
    }

    /// P-15.17: whether somebody with this role may pass messages on.
    fn may_pass_on(&self, role: Role) -> bool {
        match self.membership.setting(Setting::HISTORY) {
            Some([2]) => role.leads(),
            Some([3]) => role != Role::Reader,
            _ => false,
        }
    }

    fn check_may_pass_on(&self, account: &Account, now: Timestamp) -> Result<(), GroupSendError> {
        self.check_device(account, now)?;
        let role = self.role().ok_or(GroupSendError::NotAMember)?;
        if self.may_pass_on(role) && is_own_held(account) { Ok(()) } else { Err(GroupSendError::MayNotPassOn) }
    }

    /// The contents that one of these messages deletes, by author.
    #[cfg(feature = "content")]
    fn deleted(&self, messages: &[Remembered<'_>]) -> Vec<(Vec<u8>, ContentId)> {
        let leads = |who: &AccountKey| self.membership.state().role_of(who).is_some_and(Role::leads);
        let deletions = messages.iter().filter_map(|message| {
            let who = &message.from.account;
            let content = Content::from_body(message.body).ok()?;
            if let Kind::Delete(delete) = content.kind() {
                return Some((who.to_bytes().to_vec(), delete.target));
            }
            let Kind::Remove(remove) = content.kind() else { return None };
            let target = remove.target_of(leads(who))?;
            Some((target.author.as_bytes().to_vec(), target.id))
        });
        deletions.collect()
    }

    #[cfg(not(feature = "content"))]
    const fn deleted(&self, _: &[Remembered<'_>]) -> () {}
}

/// Whether the local device is one that its account holds itself.
fn is_own_held(account: &Account) -> bool {
    account.devices().find(account.identity().public()).is_some_and(|entry| entry.custody().is_own_held())
}

/// Whether a content is one that stays. Bytes that are no content are the program's own.
#[cfg(feature = "content")]
fn stays(message: &Remembered<'_>, deleted: &[(Vec<u8>, ContentId)], now: Timestamp) -> bool {
    let Ok(content) = Content::from_body(message.body) else { return true };
    let (author, id) = (message.from.account.to_bytes(), content.id());
    let is_deleted = deleted.iter().any(|(whose, which)| *whose == author && *which == id);
    let has_disappeared = content.disappears(message.at).is_some_and(|at| at <= now);
    !content.view_once()
        && !is_deleted
        && !has_disappeared
        && !matches!(content.kind(), Kind::Delete(_) | Kind::Remove(_))
}

#[cfg(not(feature = "content"))]
const fn stays(_: &Remembered<'_>, _: &(), _: Timestamp) -> bool {
    true
}
