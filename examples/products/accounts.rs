//! Accounts with their devices, the state of each, and a clock. Everything between two devices goes through
//! the relay.
//!
//! All cryptography is behind the calls on [`Account`] and [`Conversation`].

use std::collections::{BTreeMap, HashMap};

use bisik::content::{Content, ContentMeta, Kind, Reference, SentAt};
use bisik::conversation::{
    Arrival, Change, DeviceAddress, Due, Event, IdentityPolicy, MessageId, Needed, ReceiveError, Received, Recipients,
    Record, RecordName, SendError, Side, StoredConversation,
};
use bisik::device::{AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::hosting::{Decision, DecisionReceipt, Disclosure, DisclosureDraft, HostingTerms, LabelEvent};
use bisik::{
    Account, BlockId, Ciphertext, Conversation, Identity, Plaintext, PreKeyBundle, StorageKey, Timestamp, Trust,
    VerifiedBundle,
};

use super::relay::{Letter, Relay, Said};
use super::{Error, person};

/// An account, and the index of one of its devices.
pub(crate) type At = (&'static str, u32);

/// One device: its state, and what it has shown.
pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) conversations: BTreeMap<&'static str, Conversation>,
    /// A business hears everybody; a person is asked first.
    hears_everybody: bool,
    key: StorageKey,
    database: HashMap<RecordName, (u64, Vec<u8>)>,
    blocks: HashMap<BlockId, Vec<u8>>,
    pub(crate) heard: Vec<Heard>,
    /// Accounts that have written, and that the user has not answered.
    pub(crate) requests: Vec<&'static str>,
    /// Copies of what the account's other devices wrote.
    pub(crate) copies: Vec<Heard>,
    pub(crate) events: Vec<LabelEvent>,
    pub(crate) decisions: Vec<(DeviceAddress, Decision)>,
    pub(crate) receipts: Vec<DecisionReceipt>,
}

/// The name of a message in a device's database.
pub(crate) type Name = (&'static str, DeviceAddress, MessageId);

/// A content that arrived.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) name: Name,
    pub(crate) content: Content,
    pub(crate) delete_by: Option<Timestamp>,
}

pub(crate) struct Accounts {
    pub(crate) now: Timestamp,
    pub(crate) relay: Relay,
    pub(crate) said: Said,
    pub(crate) devices: BTreeMap<At, Device>,
}

impl Accounts {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, relay: Relay::default(), said: Said::default(), devices: BTreeMap::new() }
    }

    pub(crate) fn at(&self, at: At) -> Result<&Device, Error> {
        self.devices.get(&at).ok_or_else(|| format!("there is no device {at:?}").into())
    }

    pub(crate) fn at_mut(&mut self, at: At) -> Result<&mut Device, Error> {
        self.devices.get_mut(&at).ok_or_else(|| format!("there is no device {at:?}").into())
    }

    // ---- accounts ----

    /// Creates an account with its first device.
    pub(crate) fn found(&mut self, who: &'static str, custody: Custody) -> Result<At, Error> {
        let account = Account::create(DeviceTerms::own_held(custody)?, self.now, &mut rand::rng());
        self.move_in((who, 0), account, custody)
    }

    /// Adds a device that the account's owner holds. (`device::link` shows how one is linked with a QR code.)
    pub(crate) fn join(&mut self, who: &'static str, custody: Custody) -> Result<At, Error> {
        self.enlist(who, Identity::generate(&mut rand::rng()), DeviceTerms::own_held(custody)?)
    }

    fn enlist(&mut self, who: &'static str, identity: Identity, terms: DeviceTerms) -> Result<At, Error> {
        let (now, custody) = (self.now, terms.custody());
        let primary = &mut self.at_mut((who, 0))?.account;
        let index = primary.primary().ok_or("a primary device adds others")?.next_index();
        let certificate = DeviceCertificate::sign(&identity, primary.key(), index, terms);
        let list = primary.change_devices(&[DeviceChange::Add(certificate)], now)?;
        let account = Account::join(identity, primary.key(), &list, now, &mut rand::rng())?;
        self.relay.publish_list(who, list.to_bytes());
        self.move_in((who, index), account, custody)
    }

    /// Adds a hosted device: the operator countersigns the disclosure, the device proves that it has its key, and the
    /// account signs.
    pub(crate) fn host(&mut self, who: &'static str, vendor: &Identity, terms: HostingTerms) -> Result<At, Error> {
        let (identity, custody) = (Identity::generate(&mut rand::rng()), terms.custody);
        let owner = &self.at((who, 0))?.account;
        let expires = self.now.plus_seconds(90 * 86_400);
        let draft = DisclosureDraft::new(*owner.key(), *identity.public(), terms, self.now, expires)?;
        let disclosure = draft.countersign(vendor)?.prove(&identity)?.sign(owner.identity())?;
        let at = self.enlist(who, identity, DeviceTerms::disclosed(custody, disclosure.hash())?)?;
        self.relay.publish_disclosure(disclosure.to_bytes());
        self.give_disclosure(at, disclosure)?;
        Ok(at)
    }

    /// Changes the terms of a hosted device.
    pub(crate) fn amend(&mut self, at: At, vendor: &Identity, terms: HostingTerms) -> Result<(), Error> {
        let (now, custody) = (self.now, terms.custody);
        let previous = self.disclosures()?.pop().ok_or("there is one to follow")?;
        let draft = DisclosureDraft::following(&previous, terms, now, now.plus_seconds(90 * 86_400))?;
        let hosted = self.at(at)?.account.identity();
        let disclosure = draft.countersign(vendor)?.prove(hosted)?.sign(self.at((at.0, 0))?.account.identity())?;
        let listed = DeviceTerms::disclosed(custody, disclosure.hash())?;
        let certificate = DeviceCertificate::sign(hosted, previous.account(), at.1, listed);
        let list = self.at_mut((at.0, 0))?.account.change_devices(&[DeviceChange::Update(certificate)], now)?;
        self.relay.publish_list(at.0, list.to_bytes());
        self.relay.publish_disclosure(disclosure.to_bytes());
        self.at_mut(at)?.account.accept_devices(&[list], now)?;
        self.give_disclosure(at, disclosure)
    }

    fn give_disclosure(&mut self, at: At, disclosure: Disclosure) -> Result<(), Error> {
        let taken = self.at_mut(at)?.account.set_disclosure(disclosure);
        if taken { Ok(()) } else { Err("the device is listed under another disclosure".into()) }
    }

    /// Removes a device from its account. Its holder keeps what the device had.
    pub(crate) fn remove(&mut self, at: At) -> Result<Device, Error> {
        let now = self.now;
        let list = self.at_mut((at.0, 0))?.account.change_devices(&[DeviceChange::Remove(at.1)], now)?;
        self.relay.publish_list(at.0, list.to_bytes());
        self.devices.remove(&at).ok_or_else(|| "it was there".into())
    }

    fn move_in(&mut self, at: At, mut account: Account, custody: Custody) -> Result<At, Error> {
        let upkeep = account.maintain(None, self.now, &mut rand::rng())?;
        let key = account.identity().public().to_bytes();
        if let Some(list) = &upkeep.list {
            self.relay.publish_list(at.0, list.to_bytes());
        }
        // A few suffice here; a server stores them all.
        for bundle in upkeep.one_time.iter().take(8).chain(&upkeep.last_resort) {
            self.relay.publish_bundle(key, bundle.to_bytes());
        }
        account.confirmed(&upkeep);
        let device = Device {
            account,
            conversations: BTreeMap::new(),
            hears_everybody: custody != Custody::Person,
            key: StorageKey::generate(&mut rand::rng()),
            database: HashMap::new(),
            blocks: HashMap::new(),
            heard: Vec::new(),
            requests: Vec::new(),
            copies: Vec::new(),
            events: Vec::new(),
            decisions: Vec::new(),
            receipts: Vec::new(),
        };
        self.devices.insert(at, device);
        Ok(at)
    }

    /// Lets 31 days pass. Every device does its maintenance each week, and fetches what is new.
    pub(crate) fn wait_a_month(&mut self) -> Result<(), Error> {
        for days in [7, 7, 7, 7, 3] {
            self.now = self.now.plus_seconds(days * 86_400);
            for at in self.everyone() {
                let now = self.now;
                let account = &mut self.at_mut(at)?.account;
                let upkeep = account.maintain(None, now, &mut rand::rng())?;
                account.confirmed(&upkeep);
                let key = account.identity().public().to_bytes();
                // A new last-resort bundle replaces the old one, which this relay keeps behind the others.
                if upkeep.last_resort.is_some() {
                    self.relay.withdraw_bundles(&key);
                }
                for bundle in upkeep.one_time.iter().take(8).chain(&upkeep.last_resort) {
                    self.relay.publish_bundle(key, bundle.to_bytes());
                }
                // The relay has every list that came of a change of devices.
                let known = u64::try_from(self.relay.lists(at.0, 0).len())?;
                if let Some(list) = upkeep.list.filter(|list| list.sequence() > known) {
                    self.relay.publish_list(at.0, list.to_bytes());
                }
            }
            self.refresh()?;
        }
        Ok(())
    }

    // ---- conversations ----

    /// Returns the disclosures at the relay. Each caller verifies them.
    pub(crate) fn disclosures(&self) -> Result<Vec<Disclosure>, Error> {
        self.relay.disclosures().iter().map(|bytes| Ok(Disclosure::from_bytes(bytes)?)).collect()
    }

    fn lists(&self, of: &str, known: u64) -> Result<Vec<DeviceList>, Error> {
        let lists = self.relay.lists(of, usize::try_from(known)?);
        lists.iter().map(|bytes| Ok(DeviceList::from_bytes(bytes)?)).collect()
    }

    /// Opens a conversation between a device and an account, with the list and the disclosures from the relay.
    pub(crate) fn meet(&mut self, at: At, peer: &'static str) -> Result<(), Error> {
        self.meet_as(at, peer, Trust::OnFirstUse)
    }

    fn meet_as(&mut self, at: At, peer: &'static str, trust: Trust<'_>) -> Result<(), Error> {
        let (now, lists, disclosures) = (self.now, self.lists(peer, 0)?, self.disclosures()?);
        let directory = DeviceDirectory::trust(lists.last().ok_or("no such account")?, trust, now)?;
        let device = self.at_mut(at)?;
        let (mut conversation, event) =
            Conversation::new(&device.account, directory, &disclosures, IdentityPolicy::Block, now);
        if device.hears_everybody {
            conversation.accept();
        }
        device.events.extend(event);
        device.conversations.insert(peer, conversation);
        Ok(())
    }

    /// Lets every device fetch new lists and disclosures.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let (now, disclosures) = (self.now, self.disclosures()?);
        for at in self.everyone() {
            let own = self.lists(at.0, self.at(at)?.account.devices().sequence())?;
            self.at_mut(at)?.account.accept_devices(&own, now)?;
            let peers: Vec<_> = self.at(at)?.conversations.keys().copied().collect();
            for peer in peers {
                let known = self.at(at)?.conversations.get(peer).map_or(0, |talk| talk.peer().sequence());
                let newer = self.lists(peer, known)?;
                let Device { account, conversations, events, .. } = self.at_mut(at)?;
                let talk = conversations.get_mut(peer).ok_or("it was there")?;
                events.extend(talk.accept_devices(account, &newer, &disclosures, now)?);
            }
        }
        Ok(())
    }

    pub(crate) fn everyone(&self) -> Vec<At> {
        self.devices.keys().copied().collect()
    }

    /// Keeps a content for all devices of `peer` and the other own devices. It leaves with the device's next turn.
    pub(crate) fn say(&mut self, at: At, peer: &'static str, kind: Kind) -> Result<Result<Content, SendError>, Error> {
        self.say_as(at, peer, kind, false)
    }

    /// Does the same for a program that replies to the last content it received.
    pub(crate) fn say_by_itself(&mut self, at: At, peer: &'static str, kind: Kind) -> Result<Content, Error> {
        Ok(self.say_as(at, peer, kind, true)??)
    }

    fn say_as(
        &mut self,
        at: At,
        peer: &'static str,
        kind: Kind,
        automated: bool,
    ) -> Result<Result<Content, SendError>, Error> {
        let (now, rng) = (self.now, &mut rand::rng());
        let mut meta = ContentMeta::new(SentAt::from_unix_milliseconds(now.as_unix_seconds() * 1_000)?, rng);
        if automated {
            meta.automated = true;
            let id = self.at(at)?.last()?.meta().id;
            meta.reply_to = Some(Reference { author: person(peer)?, id });
        }
        let content = Content::new(meta, kind)?;
        // Recorded whether it is sent or not: refused contents must not be in the relay's record either.
        self.said.add(content.as_body());
        let device = self.at_mut(at)?;
        let talk = device.conversations.get_mut(peer).ok_or("no conversation")?;
        if let Err(error) = talk.send(&device.account, content.as_body(), Recipients::All, now, rng) {
            return Ok(Err(error));
        }
        device.requests.retain(|waiting| *waiting != peer);
        // From here on a crash loses nothing: it is sent until every device has acknowledged it.
        let _stored = device.store(peer)?;
        Ok(Ok(content))
    }

    // ---- the loop of a device ----

    /// Gives every device its turn, until nothing is in flight and nothing is due.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        loop {
            for at in self.everyone() {
                for (peer, arrivals) in self.sort(at)? {
                    self.receive(at, peer, &arrivals)?;
                }
                let peers: Vec<_> = self.at(at)?.conversations.keys().copied().collect();
                peers.into_iter().try_for_each(|peer| self.flush(at, peer))?;
            }
            if self.relay.is_idle() {
                return Ok(());
            }
        }
    }

    /// Receives what has arrived, stores it, shows it, and settles what was shown.
    fn receive(&mut self, at: At, peer: &'static str, arrivals: &[Arrival]) -> Result<(), Error> {
        let now = self.now;
        let device = self.at_mut(at)?;
        let talk = device.conversations.get_mut(peer).ok_or("no conversation")?;
        for result in talk.receive(&mut device.account, arrivals, now) {
            // What was received before is only acknowledged again. This relay does nothing else that is wrong.
            result.or_else(|error| if error == ReceiveError::Duplicate { Ok(()) } else { Err(error) })?;
        }
        let _stored = device.store(peer)?;
        device.show(peer)
    }

    /// Makes what is due, stores, and hands it to the relay.
    fn flush(&mut self, at: At, peer: &'static str) -> Result<(), Error> {
        let (now, device) = (self.now, self.at(at)?);
        let Due { at: moment, bundles } =
            device.conversations.get(peer).ok_or("it was there")?.due(&device.account, now);
        if bundles.is_empty() && moment.is_none_or(|moment| moment > now) {
            return Ok(());
        }
        let bundles = self.bundles(&bundles)?;
        let device = self.at_mut(at)?;
        let talk = device.conversations.get_mut(peer).ok_or("it was there")?;
        let outgoing = talk.flush(&device.account, &bundles, now, &mut rand::rng())?;
        let stored = device.store(peer)?;
        let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "it was stored after it was written")?;
        for envelope in envelopes {
            let who = if envelope.to.side == Side::Own { at.0 } else { peer };
            let (to, bytes) = ((who, envelope.to.index), envelope.ciphertext.into_bytes());
            self.relay.post(Letter { to, from: at, bytes });
        }
        self.at_mut(at)?.conversations.get_mut(peer).ok_or("it was there")?.handed(handover);
        Ok(())
    }

    fn bundles(&mut self, needed: &[Needed]) -> Result<Vec<(DeviceAddress, VerifiedBundle)>, Error> {
        let mut bundles = Vec::new();
        for Needed { device, key } in needed {
            let bytes = self.relay.bundle(&key.to_bytes()).ok_or("no bundle")?;
            let bundle = PreKeyBundle::from_bytes(&bytes)?.verify(Trust::Pinned(key), self.now)?;
            bundles.push((*device, bundle));
        }
        Ok(bundles)
    }

    /// Takes a device's letters from the relay, by conversation. Opens a conversation that this device did not know.
    fn sort(&mut self, at: At) -> Result<BTreeMap<&'static str, Vec<Arrival>>, Error> {
        let mut sorted = BTreeMap::<_, Vec<_>>::new();
        for Letter { from, bytes, .. } in self.relay.take(at) {
            let (own, ciphertext) = (from.0 == at.0, Ciphertext::from_bytes(&bytes)?);
            let address = if own { DeviceAddress::own(from.1) } else { DeviceAddress::peer(from.1) };
            let arrival = Arrival { from: address, ciphertext };
            let peer = if own { self.conversation_of(at, &arrival)? } else { from.0 };
            if !self.at(at)?.conversations.contains_key(peer) {
                self.meet(at, peer)?;
            }
            sorted.entry(peer).or_default().push(arrival);
        }
        Ok(sorted)
    }

    /// Finds the conversation in which another own device wrote. The relay does not know it.
    fn conversation_of(&mut self, at: At, arrival: &Arrival) -> Result<&'static str, Error> {
        let now = self.now;
        let Device { account, conversations, .. } = self.at_mut(at)?;
        for (peer, talk) in conversations {
            if talk.reads(account, arrival) {
                return Ok(peer);
            }
        }
        let found = Conversation::find(account, arrival, now)?;
        let peer = self.owner_of(&found.peer)?;
        if !self.at(at)?.conversations.contains_key(peer) {
            self.meet_as(at, peer, Trust::Pinned(found.peer.identity()))?;
        }
        Ok(peer)
    }

    /// The network's name of an account.
    fn owner_of(&self, key: &AccountKey) -> Result<&'static str, Error> {
        for (who, index) in self.everyone() {
            if index == 0 && self.at((who, 0))?.account.key() == key {
                return Ok(who);
            }
        }
        Err("no such account".into())
    }
}

impl Device {
    /// Stores all changes in one transaction, against the revisions from which they were computed.
    fn store(&mut self, peer: &str) -> Result<StoredConversation, Error> {
        let Self { account, conversations, key, database, blocks, .. } = self;
        let talk = conversations.get_mut(peer).ok_or("no conversation")?;
        let changes = talk.seal(account, key, &mut rand::rng())?;
        for change in changes.writes() {
            match change {
                Change::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
                Change::Record(Record { name, expected, revision, bytes }) => {
                    if database.get(name).map(|(revision, _)| *revision) != *expected {
                        return Err("this record was written in the meantime".into());
                    }
                    database.insert(*name, (*revision, bytes.clone()));
                }
                Change::Delete(id) => drop(blocks.remove(&id)),
                Change::Remove(name) => drop(database.remove(&name)),
            }
        }
        let stored = changes.stored();
        if talk.stored(&stored) { Ok(stored) } else { Err("it was just stored".into()) }
    }

    /// Shows what is stored, each message once under its name, and settles it.
    fn show(&mut self, peer: &'static str) -> Result<(), Error> {
        let Self { conversations, heard, copies, requests, decisions, receipts, .. } = self;
        let talk = conversations.get_mut(peer).ok_or("no conversation")?;
        let (mut last, mut written) = (None, false);
        for (number, received) in talk.inbox() {
            last = Some(number);
            match received {
                Received::Message { id, from, body, delete_by } => {
                    let name = (peer, *from, *id);
                    let body = match body {
                        Plaintext::Confirmed(body) => body,
                        // The first words of a stranger. They are in a request, which says so.
                        Plaintext::Unconfirmed(body) => body.peek_unconfirmed(),
                    };
                    if heard.iter().all(|before| before.name != name) {
                        heard.push(Heard { name, content: Content::from_body(body)?, delete_by: *delete_by });
                    }
                }
                // The user has written to this account, on another device.
                Received::Sent { id, from, body, delete_by } => {
                    written = true;
                    let name = (peer, *from, *id);
                    let content = Content::from_body(body.payload())?;
                    copies.push(Heard { name, content, delete_by: *delete_by });
                }
                Received::Decision { from, decision } => decisions.push((*from, (**decision).clone())),
                Received::DecisionReceipt { receipt, .. } => receipts.push((**receipt).clone()),
                Received::Event(Event::Request) => requests.push(peer),
                _ => {}
            }
        }
        if written {
            requests.retain(|waiting| *waiting != peer);
        }
        if let Some(last) = last {
            talk.settle(last);
        }
        Ok(())
    }

    pub(crate) fn last(&self) -> Result<&Content, Error> {
        self.heard.last().map(|heard| &heard.content).ok_or_else(|| "no content has arrived".into())
    }
}
