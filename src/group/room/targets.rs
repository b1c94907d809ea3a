//! Who reads what is written now (docs/spec/rooms.md, section 15.2).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Group;
use crate::account::Account;
use crate::conversation::MemberDevice;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry};
use crate::group::chain::{ListsDigest, View};
use crate::group::write::Targets;
use crate::hosting::LabelState;
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// A device that reads what is written now, or does not, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The account.
    pub account: AccountKey,
    /// The device; `None` where the devices of the account are not known.
    pub device: Option<MemberDevice>,
    /// Why it is left out; `None` if it reads.
    pub left_out: Option<LeftOut>,
}

/// Why a device does not read what is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LeftOut {
    /// The device list of the account is not known: [fetch it](Group::needs).
    NoList,
    /// The device list of the account has expired: [fetch a newer one](Group::needs).
    ListExpired,
    /// The owner of the group has barred the device.
    Barred,
    /// A hosted device that the group has not admitted under the terms that it has now.
    NotAdmitted,
    /// A hosted device to whose terms the local user has not agreed.
    NoConsent,
}

impl Group {
    /// Returns which devices read what is written now, and which do not. `labels` are those of the conversations with
    /// accounts that have hosted devices ([`Conversation::label`](crate::Conversation::label)): a hosted device reads only
    /// what is written by somebody who has agreed to its terms. Requirements P-15.4 and P-15.5.
    #[must_use]
    pub fn readers(&self, account: &Account, labels: &[&LabelState], now: Timestamp) -> Vec<Reader> {
        let given: BTreeSet<&IdentityKey> = self.chain.iter().flat_map(|chain| chain.given()).collect();
        let own = *account.key();
        let mut readers = Vec::new();
        for member in self.membership.receivers().filter(|member| **member != own) {
            let Some(directory) = self.lists.get(member) else {
                let left_out = Some(LeftOut::NoList);
                readers.push(Reader { account: *member, device: None, left_out });
                continue;
            };
            let expired = directory.is_expired(now);
            for entry in directory.devices() {
                // A chain that a device has goes on to its own end, seven days at most.
                let expired = expired && !given.contains(entry.identity());
                let left_out = self.why_left_out(member, entry, labels, now);
                let left_out = left_out.or_else(|| expired.then_some(LeftOut::ListExpired));
                readers.push(reader(member, entry, left_out));
            }
        }
        // What the account writes its own devices read, also after it has left.
        for entry in others(account.devices(), account) {
            let left_out = match entry.custody().is_own_held() {
                true => None,
                false => self.why_left_out(&own, entry, labels, now).filter(|why| *why != LeftOut::NoConsent),
            };
            readers.push(reader(&own, entry, left_out));
        }
        readers
    }

    fn why_left_out(
        &self,
        account: &AccountKey,
        entry: &DeviceEntry,
        labels: &[&LabelState],
        now: Timestamp,
    ) -> Option<LeftOut> {
        if self.membership.state().is_barred(account, entry.identity()) {
            return Some(LeftOut::Barred);
        }
        if entry.custody().is_own_held() {
            return None;
        }
        // P-15.5: three words are needed: the device list's, the log's, and the local user's.
        if !self.is_admitted(account, entry, now) {
            return Some(LeftOut::NotAdmitted);
        }
        let agrees = labels.iter().any(|label| label.account() == account && label.lets_read(entry, now));
        (!agrees).then_some(LeftOut::NoConsent)
    }

    /// Whether a hosted device is admitted under the terms under which its account lists it.
    pub(super) fn is_admitted(&self, account: &AccountKey, entry: &DeviceEntry, now: Timestamp) -> bool {
        self.membership.endpoints(now).any(|admitted| {
            admitted.endpoint == *entry.identity()
                && admitted.account == *account
                && Some(admitted.disclosure) == entry.terms().disclosure()
        })
    }

    /// Whether a device may be told who is in the group: its account holds it itself, or the group has admitted it.
    pub(super) fn may_know(&self, account: &AccountKey, entry: &DeviceEntry, now: Timestamp) -> bool {
        (entry.custody().is_own_held() || self.is_admitted(account, entry, now))
            && !self.membership.state().is_barred(account, entry.identity())
    }

    pub(super) fn targets(&self, account: &Account, labels: &[&LabelState], now: Timestamp) -> Targets {
        let readers = self.readers(account, labels, now).into_iter();
        let read = readers.filter(|reader| reader.left_out.is_none()).filter_map(|reader| reader.device);
        read.map(|device| (device.identity, device)).collect()
    }

    /// What this device goes by: its view of the group, and of the members' lists.
    pub(super) fn view(&self, account: &Account) -> (View, ListsDigest) {
        let (membership, state) = (&self.membership, self.membership.state());
        let lists = self.lists.digest(state.members(), account.devices());
        let entry = membership.newest_entry();
        (View::new(membership.epoch(), entry.as_bytes(), state.acts_digest(), &lists), lists)
    }
}

fn reader(account: &AccountKey, entry: &DeviceEntry, left_out: Option<LeftOut>) -> Reader {
    Reader { account: *account, device: Some(device_of(account, entry)), left_out }
}

pub(in crate::group) fn device_of(account: &AccountKey, entry: &DeviceEntry) -> MemberDevice {
    MemberDevice { account: *account, device: entry.index(), identity: *entry.identity() }
}

/// The devices of an account but the local one.
pub(super) fn others<'a>(
    directory: &'a DeviceDirectory,
    account: &'a Account,
) -> impl Iterator<Item = &'a DeviceEntry> {
    directory.devices().iter().filter(|entry| entry.identity() != account.identity().public())
}
