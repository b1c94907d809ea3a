//! The devices of both accounts, and what becomes of a conversation when they change (docs/spec/conversations.md,
//! section 12.1).

use alloc::collections::BTreeMap;

use super::event::Event;
use super::{Conversation, ConversationId, DeviceAddress, Side, under};
use crate::account::Account;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError};
use crate::hosting::{Disclosure, LabelEvent, LabelState};
use crate::keys::IdentityKey;
use bisik_core::blocks::Place;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// How a conversation reacts when the peer's account key changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityPolicy {
    /// Nothing is sent to the peer until the user has acknowledged the new key.
    #[default]
    Block,
    /// The change is an event, and sending goes on. Messages sent before are never sent again to the new key.
    Notify,
}

/// What decides which devices there are, and under which terms: the same of two moments, the same devices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// Hashes of the device lists of both accounts.
    lists: [[u8; 32]; 2],
    /// This device, and the disclosure that it is under.
    identity: IdentityKey,
    disclosure: Option<DisclosureHash>,
}

impl View {
    fn of(account: &Account, peer: &DeviceDirectory) -> Self {
        let lists = [*account.devices().hash(), *peer.hash()];
        Self { lists, identity: *account.identity().public(), disclosure: account.disclosure() }
    }
}

/// The name that a conversation had before the peer's account key changed, and the revision of its record there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Former {
    pub(super) id: ConversationId,
    stored: u64,
}

impl Conversation {
    /// Accepts newer device lists of the peer's account, oldest first, with the disclosures that belong to the newest.
    ///
    /// Sessions with removed devices are deleted, and so is everything kept for them. The inbox has an event for each
    /// change of a device; the event of the label is returned too.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]. On error the state is unchanged.
    pub fn accept_devices(
        &mut self,
        account: &Account,
        lists: &[DeviceList],
        disclosures: &[Disclosure],
        now: Timestamp,
    ) -> Result<Option<LabelEvent>, DeviceListError> {
        let change = self.peer.catch_up(lists, now)?;
        self.touch();
        self.place = Place::default();
        let event = self.observe(account, disclosures, now);
        for event in change.events() {
            self.tell(Event::Devices(event));
        }
        Ok(event)
    }

    /// Replaces the peer's account key. All sessions with it end, and nothing that was sent before is sent again. With
    /// [`IdentityPolicy::Block`] nothing is sent to it until [`Conversation::acknowledge`]. Requirement P-12.6.
    #[must_use = "show it: it may be somebody else"]
    pub fn replace_peer(
        &mut self,
        account: &Account,
        peer: DeviceDirectory,
        disclosures: &[Disclosure],
        now: Timestamp,
    ) -> Option<LabelEvent> {
        if peer.account() == self.peer.account() {
            return None;
        }
        // Another peer, another name: the record under the old one goes when this is stored.
        let (before, stored) = (self.id, self.stored.take());
        self.id = ConversationId::between(account.key(), peer.account());
        match self.former.filter(|former| former.id == self.id) {
            // The key is the one before again, and its record is still there.
            Some(former) => (self.stored, self.former) = (Some(former.stored), None),
            None => self.former = stored.map(|stored| Former { id: before, stored }).or(self.former),
        }
        self.peer = peer;
        self.links.retain(|device, _| device.side == Side::Own);
        // P-12.56: own devices hear of the new key in the opening of a new session.
        for link in self.links.values_mut() {
            link.retire_all();
        }
        self.kept.forget(|device| device.side == Side::Peer);
        self.unacknowledged = matches!(self.policy, IdentityPolicy::Block);
        self.label = LabelState::new(*self.peer.account());
        self.touch();
        self.displace();
        self.tell(Event::IdentityChanged);
        self.observe(account, disclosures, now)
    }

    /// Records that the user has seen the peer's new account key. Returns `false`, and changes nothing, if the key is
    /// another.
    #[must_use = "it says whether the key is the one that was acknowledged"]
    pub fn acknowledge(&mut self, key: &AccountKey) -> bool {
        if self.peer.account() != key {
            return false;
        }
        if self.unacknowledged {
            self.unacknowledged = false;
            self.touch();
        }
        true
    }

    /// Whether this is a conversation with the own account: notes to oneself.
    #[must_use]
    pub fn is_with_oneself(&self, account: &Account) -> bool {
        self.peer.account() == account.key()
    }

    /// The list entry of a device, from its account's directory.
    pub(super) fn entry<'a>(&'a self, account: &'a Account, device: DeviceAddress) -> Option<&'a DeviceEntry> {
        match device.side {
            Side::Peer if self.is_with_oneself(account) => None,
            Side::Peer => self.peer.at(device.index),
            Side::Own => account.devices().at(device.index),
        }
    }

    /// Every other device of both accounts.
    pub(super) fn devices<'a>(
        &'a self,
        account: &'a Account,
    ) -> impl Iterator<Item = (DeviceAddress, &'a DeviceEntry)> {
        // In a conversation with oneself there are only own devices.
        let others = (!self.is_with_oneself(account)).then(|| self.peer.devices().iter());
        let peer = others.into_iter().flatten().map(|entry| (DeviceAddress::peer(entry.index()), entry));
        let own = account.devices().devices().iter();
        let own = own.filter(|entry| entry.identity() != account.identity().public());
        peer.chain(own.map(|entry| (DeviceAddress::own(entry.index()), entry)))
    }

    /// P-12.5: drops what belongs to devices that are gone, and retires sessions under terms that no longer hold. Whether
    /// there was anything.
    pub(super) fn reconcile(&mut self, account: &Account) -> bool {
        let view = View::of(account, &self.peer);
        if self.reconciled.replace(view) == Some(view) {
            return false;
        }
        let own = account.disclosure();
        let current: BTreeMap<DeviceAddress, (IdentityKey, Option<DisclosureHash>)> = self
            .devices(account)
            .map(|(device, entry)| (device, (*entry.identity(), under(own, entry.terms().disclosure()))))
            .collect();
        let before = self.links.len();
        self.links.retain(|device, link| current.get(device).is_some_and(|(key, _)| *key == link.key));
        let mut changed = self.links.len() != before;
        for (device, link) in &mut self.links {
            let disclosure = current.get(device).map(|(_, disclosure)| *disclosure);
            if let Some(disclosure) = disclosure.filter(|disclosure| link.has_others(*disclosure)) {
                link.retire_others(disclosure);
                changed = true;
            }
        }
        changed | self.kept.forget(|device| !current.contains_key(device))
    }

    /// Before a session or a message is added for a device of these lists: if they are not those that everything was
    /// reconciled with, the next [`reconcile`](Self::reconcile) has to look at it.
    pub(super) fn view(&mut self, account: &Account) {
        let view = View::of(account, &self.peer);
        self.reconciled = self.reconciled.filter(|reconciled| *reconciled == view);
    }

    /// Every block gets another name, as the conversation did.
    pub(super) fn displace(&mut self) {
        self.place = Place::default();
        for link in self.links.values_mut() {
            link.displace();
        }
        self.kept.displace();
        self.inbox.displace();
    }

    /// Drops what belongs to another device that had the same index.
    pub(super) fn reconcile_link(&mut self, device: DeviceAddress, key: IdentityKey) {
        if self.links.get(&device).is_some_and(|link| link.key != key) {
            self.links.remove(&device);
        }
    }
}
