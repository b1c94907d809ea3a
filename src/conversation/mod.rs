//! [`Conversation`]: the messages between two accounts, over all devices of both (docs/spec/conversations.md, section
//! 12).
//!
//! An operation performs no I/O. It takes received messages, and returns what to send, show and store.
//!
//! ```text
//!               plan ──▶ bundles ──▶ send ──▶ Outgoing ─┐
//!   relay ──▶ Arrival ───────────▶ receive ─▶ Incoming ─┤           changes ──▶ database ──▶ stored
//!               due  ──▶ bundles ──▶ flush ──▶ Outgoing ─┘  each held ◀────────── release ◀────┘
//! ```
//!
//! The file of the step is `link.rs`: which of several sessions with a device is sent in.

mod address; //    12.1  names
mod error; //            why not
mod event; //            what an operation gives
mod flush; //      12.5  what is owed: acknowledgements, requests, messages again
mod frame; //      12.2  what travels inside a session
mod hosting; //    12.7  who else reads
mod link; //       12.3  the sessions with one device
mod pending; //    12.5  what is owed
mod persist; //    12.6  one record
mod receive; //    12.4  a message that arrived
mod send; //       12.4  a message to all devices
mod sent; //       12.5  messages that may be asked for again

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

pub use address::{ConversationId, DeviceAddress, MessageId, Side};
pub use error::{ReceiveError, SendError};
pub use event::{Arrival, Envelope, Event, Incoming, Outgoing, Received, StoredConversation};
pub use persist::{Changes, Record, RecordName};
pub use send::{Needed, Supply};

use crate::account::Account;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry, DeviceList, DeviceListError, DirectoryEvent};
use crate::hosting::{Disclosure, LabelEvent, LabelState};
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::held::{Lineage, Origin};
use bisik_core::time::Timestamp;
use link::Link;
use pending::Pending;
use sent::SentMessages;

/// How a conversation reacts when the peer's account key changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityPolicy {
    /// Nothing is sent to the peer until the user has acknowledged the new key.
    #[default]
    Block,
    /// The change is an event, and sending goes on. Messages sent before are never sent again to the new key.
    Notify,
}

/// A conversation with one peer account: the sessions with all its devices and with the other own devices, the sent
/// messages that may be asked for again, and everything pending. It is stored as one record.
///
/// Every operation needs the [`Account`] of this device. Two rules keep a conversation safe across crashes, and its
/// types enforce them: the results of an operation are held until the [`Changes`] that it made are stored.
pub struct Conversation {
    id: ConversationId,
    peer: DeviceDirectory,
    links: BTreeMap<DeviceAddress, Link>,
    sent: SentMessages,
    pending: Pending,
    label: LabelState,
    policy: IdentityPolicy,
    /// The peer's account key has changed and nobody has acknowledged it.
    unacknowledged: bool,
    /// The revision, and what ties the value to its records and to what it holds.
    lineage: Lineage,
    /// The revision that the database has, where it has one.
    stored: Option<u64>,
    /// The name of the record that this one takes the place of, where the peer's account key has changed.
    former: Option<ConversationId>,
}

impl Conversation {
    /// Starts a conversation with the account whose device list was verified against its account key
    /// ([`DeviceDirectory::trust`]), and returns it with the event for its first label. `disclosures` are those that
    /// the server has for hosted devices of the list.
    #[must_use]
    pub fn new(
        account: &Account,
        peer: DeviceDirectory,
        disclosures: &[Disclosure],
        policy: IdentityPolicy,
        now: Timestamp,
    ) -> (Self, Option<LabelEvent>) {
        let peer_account = *peer.account();
        let mut conversation = Self {
            id: ConversationId::between(account.key(), peer.account()),
            peer,
            links: BTreeMap::new(),
            sent: SentMessages::default(),
            pending: Pending::default(),
            label: LabelState::new(peer_account),
            policy,
            unacknowledged: false,
            lineage: Lineage::new(1),
            stored: None,
            former: None,
        };
        let event = conversation.observe(account, disclosures, now);
        (conversation, event)
    }

    /// Returns the conversation's id, equal on both sides.
    #[must_use]
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    /// Returns what is known of the peer's devices.
    #[must_use]
    pub const fn peer(&self) -> &DeviceDirectory {
        &self.peer
    }

    /// Returns the revision, which grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// Returns the number of sent messages that some device has not acknowledged.
    #[must_use]
    pub fn unacknowledged_messages(&self) -> usize {
        self.sent.len()
    }

    /// Accepts newer device lists of the peer's account, oldest first, with the disclosures that belong to the newest.
    ///
    /// Sessions with removed devices are deleted, and so is everything kept for them.
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
    ) -> Result<Vec<Event>, DeviceListError> {
        let change = self.peer.catch_up(lists, now)?;
        self.touch();
        let mut events = Vec::new();
        events.extend(self.observe(account, disclosures, now).map(Box::new).map(Event::Label));
        if !change.added.is_empty() {
            events.push(Event::DevicesAdded { indexes: indexes(&change.added) });
        }
        if !change.removed.is_empty() {
            events.push(Event::DevicesRemoved { indexes: indexes(&change.removed) });
        }
        if change.forked.is_some() {
            events.push(Event::ListsForked);
        }
        let other =
            |event: &DirectoryEvent| matches!(event, DirectoryEvent::Changed(_) | DirectoryEvent::ListsSkipped { .. });
        events.extend(change.events().into_iter().filter(other).map(Event::Devices));
        Ok(events)
    }

    /// Replaces the peer's account key. All sessions with it end, and nothing that was sent before is sent again. With
    /// [`IdentityPolicy::Block`] nothing is sent to it until [`Conversation::acknowledge`]. Requirement P-12.12.
    #[must_use = "show it: it may be somebody else"]
    pub fn replace_peer(
        &mut self,
        account: &Account,
        peer: DeviceDirectory,
        disclosures: &[Disclosure],
        now: Timestamp,
    ) -> Vec<Event> {
        if peer.account() == self.peer.account() {
            return Vec::new();
        }
        // Another peer, another name: the record under the old one goes when this is stored.
        if self.stored.take().is_some() {
            self.former = Some(self.id);
        }
        self.id = ConversationId::between(account.key(), peer.account());
        self.peer = peer;
        self.links.retain(|device, _| device.side == Side::Own);
        self.sent.forget(|device| device.side == Side::Peer);
        self.pending.forget(|device| device.side == Side::Peer);
        self.unacknowledged = matches!(self.policy, IdentityPolicy::Block);
        self.label = LabelState::new(*self.peer.account());
        self.touch();
        let mut events = Vec::from([Event::IdentityChanged]);
        events.extend(self.observe(account, disclosures, now).map(Box::new).map(Event::Label));
        events
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

    /// The list entry of a device, from its account's directory.
    fn entry<'a>(&'a self, account: &'a Account, device: DeviceAddress) -> Option<&'a DeviceEntry> {
        match device.side {
            Side::Peer => self.peer.at(device.index),
            Side::Own => account.devices().at(device.index),
        }
    }

    /// Every other device of both accounts.
    fn devices<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = (DeviceAddress, &'a DeviceEntry)> {
        let peer = self.peer.devices().iter().map(|entry| (DeviceAddress::peer(entry.index()), entry));
        let own = account.devices().devices().iter();
        let own = own.filter(|entry| entry.identity() != account.identity().public());
        peer.chain(own.map(|entry| (DeviceAddress::own(entry.index()), entry)))
    }

    /// Drops what belongs to devices that are gone, and retires sessions under terms that no longer hold.
    fn reconcile(&mut self, account: &Account) {
        let own = account.disclosure();
        let current: BTreeMap<DeviceAddress, (IdentityKey, Option<DisclosureHash>)> = self
            .devices(account)
            .map(|(device, entry)| (device, (*entry.identity(), under(own, entry.terms().disclosure()))))
            .collect();
        self.links.retain(|device, link| current.get(device).is_some_and(|(key, _)| *key == link.key));
        for (device, link) in &mut self.links {
            if let Some((_, disclosure)) = current.get(device) {
                link.retire_others(*disclosure);
            }
        }
        self.sent.forget(|device| !current.contains_key(device));
        self.pending.forget(|device| !current.contains_key(device));
    }

    /// This value at its present revision: the origin of what it holds and of its record.
    fn origin(&self) -> Origin {
        self.lineage.origin()
    }

    const fn touch(&mut self) {
        self.lineage.change();
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            peer,
            links,
            sent: _,
            pending: _,
            label,
            policy: _,
            unacknowledged: _,
            lineage,
            stored: _,
            former: _,
        } = self;
        let mut shown = f.debug_struct("Conversation");
        shown.field("id", id).field("peer", peer.account()).field("links", &links.len());
        shown.field("label", &label.last_label()).field("revision", &lineage.revision());
        shown.finish_non_exhaustive()
    }
}

fn indexes(entries: &[DeviceEntry]) -> Vec<u32> {
    entries.iter().map(DeviceEntry::index).collect()
}

/// P-12.6: the disclosure under which a session between two devices is set up: that of the hosted one, or, if both are
/// hosted, a hash of both disclosures in an order that is the same on both sides.
fn under(one: Option<DisclosureHash>, other: Option<DisclosureHash>) -> Option<DisclosureHash> {
    let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
    let (first, second) = (one.min(other), one.max(other));
    Some(disclosure::hash(labels::CONVERSATION_DISCLOSURES, &[first.as_bytes(), second.as_bytes()]))
}

/// Longest message in bytes: one mebibyte, less the frame. Larger files are sent as attachments.
pub const MAX_BODY: usize = (1 << 20) - frame::OVERHEAD;
