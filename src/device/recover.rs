//! A primary that was restored from a backup, or moved: what it notices, and how it continues (docs/spec/accounts.md,
//! section 10.9).

use alloc::vec::Vec;

use super::list::{Content, LIFETIME};
use super::primary::issued;
use super::{
    AccountKey, DeviceCertificate, DeviceEntry, DeviceList, DeviceListError, DirectoryChange, ListId, Primary,
    RecoverError,
};
use crate::keys::Identity;
use bisik_core::time::Timestamp;

impl DeviceList {
    /// Whether a directory that knows this list accepts a later one with `entry`: the index is new, or is its own.
    pub(super) fn leaves(&self, entry: &DeviceEntry) -> bool {
        let is_its_own = |known: &DeviceEntry| known.index() == entry.index() && known.identity() == entry.identity();
        entry.index() >= self.content.next_index || self.entries().any(is_its_own)
    }
}

impl Primary {
    /// Makes the primary of an account from its identity and its lists: on a new telephone that has nothing else.
    /// Returns it with the list that it signed, as [`recover`](Self::recover) does.
    ///
    /// # Errors
    ///
    /// [`RecoverError`]
    pub fn restore(identity: &Identity, lists: &[DeviceList], now: Timestamp) -> Result<Self, RecoverError> {
        let account = AccountKey::of(identity);
        let genuine = |list: &&DeviceList| *list.account() == account && list.verify_signature().is_ok();
        let newest = lists.iter().filter(genuine).max_by_key(|list| list.sequence()).ok_or(RecoverError::NoList)?;
        let mut primary = Self::of(newest.clone());
        let _nothing_to_compare_with = primary.recover(identity, lists, now)?;
        Ok(primary)
    }

    /// Looks at lists of the account that a server has, and returns those that this device did not sign: an alarm each.
    /// Either it was restored from a backup, or its key is in other hands. If one is as new as the list that this device
    /// signed last, or newer, it issues nothing until it has [recovered](Self::recover). Requirement P-10.25.
    ///
    /// What is not signed with the account's key changes nothing, so that a server alone cannot raise an alarm. A list is
    /// returned once. An older one is returned if this device remembers that it signed another with the same number, of
    /// the last eight.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::OtherAccount`] or `BadSignature` for the first list that is not the account's. Nothing has
    /// changed then.
    pub fn see(&mut self, lists: &[DeviceList]) -> Result<Vec<ListId>, DeviceListError> {
        let mut next = self.clone();
        let mut alarms = Vec::new();
        for list in lists {
            if list.account() != self.account() {
                return Err(DeviceListError::OtherAccount);
            }
            let id = list.id();
            if next.signed.holds(&id) || next.foreign.holds(&id) {
                continue;
            }
            list.verify_signature()?;
            let newer = list.sequence() >= self.list.sequence();
            if newer || next.signed.contradicts(&id) {
                next.foreign.remember(id);
                next.behind |= newer;
                alarms.push(id);
            }
        }
        *self = next;
        Ok(alarms)
    }

    /// Continues from the newest of `lists`, or from the own list if that is newer: adopts its number, hash, next index
    /// and devices, and signs the list after it. Call it on a primary device that was restored from a backup, with all
    /// lists that the server has from the known number on, before it issues anything: a list that is issued from an older
    /// state forks the account. Returns what has changed since the own list. Requirements P-10.26 and P-10.27.
    ///
    /// Lists that are not signed with the account's key do not count. Where the lists show two histories, the new list
    /// leaves out a number, and every device that directories of one of them would refuse: every directory that has
    /// accepted any of the lists accepts the new one. A device whose own signature does not verify is left out, too.
    ///
    /// # Errors
    ///
    /// [`RecoverError`]. On error the state is unchanged.
    pub fn recover(
        &mut self,
        identity: &Identity,
        lists: &[DeviceList],
        now: Timestamp,
    ) -> Result<DirectoryChange, RecoverError> {
        let account = *self.account();
        if AccountKey::of(identity) != account {
            return Err(RecoverError::WrongIdentity);
        }
        let genuine = |list: &&DeviceList| {
            *list.account() == account && (self.signed.holds(&list.id()) || list.verify_signature().is_ok())
        };
        let mut shown: Vec<&DeviceList> = lists.iter().filter(genuine).collect();
        shown.sort_by_key(|list| list.sequence());
        let newest = *shown.last().ok_or(RecoverError::NoList)?;
        let newest = if self.list.sequence() > newest.sequence() { &self.list } else { newest };
        let others = || shown.iter().copied().chain([&self.list]).filter(|list| *list != newest);
        let forked = others().any(|list| list.sequence() == newest.sequence());
        // After a fork the next number is what the other history has, or will have: it stays free.
        let sequence = newest.sequence().checked_add(if forked { 2 } else { 1 });
        let sequence = sequence.filter(|next| *next < DeviceList::SEQUENCES).ok_or(RecoverError::Exhausted)?;
        let next_index = others().chain([newest]).map(|list| list.content.next_index).max();
        let own = |entry: &DeviceEntry| self.list.content.certificates.iter().find(|known| known.entry() == entry);
        let stays = |certificate: &DeviceCertificate| {
            let entry = certificate.entry();
            if !entry.is_primary() && !others().all(|list| list.leaves(entry)) {
                return None;
            }
            // The signature in the own list was verified; the one in the newest may be none.
            let verified = || certificate.verify(&account).is_ok() || entry.is_primary();
            own(entry).or_else(|| verified().then_some(certificate)).copied()
        };
        let mut certificates: Vec<_> = newest.content.certificates.iter().filter_map(stays).collect();
        if let Some(first) = certificates.first_mut() {
            *first = DeviceCertificate::sign(identity, &account, DeviceEntry::PRIMARY, *first.entry().terms());
        }
        let content = Content {
            account,
            sequence,
            previous: newest.hash(),
            issued: issued(now),
            expires: issued(now).plus_seconds(LIFETIME),
            certificates,
            next_index: next_index.ok_or(RecoverError::NoList)?,
        };
        let list = DeviceList::sign(content, identity);
        let mut foreign = self.foreign.clone();
        shown.iter().map(|list| list.id()).filter(|id| !self.signed.holds(id)).for_each(|id| foreign.remember(id));
        let before = self.directory();
        *self = Self { list, foreign, behind: false, ..self.clone() };
        self.note();
        Ok(DirectoryChange::between(&before, &self.directory()))
    }
}
