//! Accounts with their devices, the state of each, and a clock. Everything between two devices goes through
//! the relay.
//!
//! All cryptography is behind the calls on [`Account`] and [`Conversation`].

use std::collections::{BTreeMap, HashMap};

use bisik::content::{Content, ContentMeta, Kind, Reference, SentAt};
use bisik::conversation::{
    Arrival, DeviceAddress, Event, IdentityPolicy, MessageId, Needed, Outgoing, Received, Record, RecordName,
    SendError, Side, StoredConversation, Supply,
};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::hosting::{Decision, DecisionReceipt, Disclosure, DisclosureDraft, HostingTerms, LabelEvent};
use bisik::{Account, Ciphertext, Conversation, Identity, PreKeyBundle, StorageKey, Timestamp, Trust, VerifiedBundle};

use super::relay::{Letter, Relay, Said};
use super::{Error, person};

/// An account, and the index of one of its devices.
pub(crate) type At = (&'static str, u32);

/// One device: its state, and what it has shown.
pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) conversations: BTreeMap<&'static str, Conversation>,
    key: StorageKey,
    database: HashMap<RecordName, (u64, Vec<u8>)>,
    pub(crate) heard: Vec<Heard>,
    /// Copies of what the account's other devices wrote.
    pub(crate) copies: Vec<Heard>,
    pub(crate) events: Vec<LabelEvent>,
    pub(crate) decisions: Vec<(DeviceAddress, Decision)>,
    pub(crate) receipts: Vec<DecisionReceipt>,
}

/// A content that arrived.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) id: MessageId,
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
        self.move_in((who, 0), account)
    }

    /// Adds a device that the account's owner holds. (`device::link` shows how one is linked with a QR code.)
    pub(crate) fn join(&mut self, who: &'static str, custody: Custody) -> Result<At, Error> {
        self.enlist(who, Identity::generate(&mut rand::rng()), DeviceTerms::own_held(custody)?)
    }

    fn enlist(&mut self, who: &'static str, identity: Identity, terms: DeviceTerms) -> Result<At, Error> {
        let now = self.now;
        let primary = &mut self.at_mut((who, 0))?.account;
        let index = primary.primary().ok_or("a primary device adds others")?.next_index();
        let certificate = DeviceCertificate::sign(&identity, primary.key(), index, terms);
        let list = primary.change_devices(&[DeviceChange::Add(certificate)], now)?;
        let account = Account::join(identity, primary.key(), &list, now, &mut rand::rng())?;
        self.relay.publish_list(who, list.to_bytes());
        self.move_in((who, index), account)
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

    fn move_in(&mut self, at: At, mut account: Account) -> Result<At, Error> {
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
            key: StorageKey::generate(&mut rand::rng()),
            database: HashMap::new(),
            heard: Vec::new(),
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
        let (now, lists, disclosures) = (self.now, self.lists(peer, 0)?, self.disclosures()?);
        let directory = DeviceDirectory::trust(lists.last().ok_or("no such account")?, Trust::OnFirstUse, now)?;
        let device = self.at_mut(at)?;
        let (conversation, event) =
            Conversation::new(&device.account, directory, &disclosures, IdentityPolicy::Block, now);
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
                let happened = talk.accept_devices(account, &newer, &disclosures, now)?;
                events.extend(labels(happened));
            }
        }
        Ok(())
    }

    pub(crate) fn everyone(&self) -> Vec<At> {
        self.devices.keys().copied().collect()
    }

    /// Encrypts a content for all devices of `peer` and the other own devices, stores the state, and hands the messages
    /// to the relay.
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
        let Device { account, conversations, .. } = self.at(at)?;
        let needed = conversations.get(peer).ok_or("no conversation")?.plan(account);
        let bundles = self.bundles(&needed)?;
        let supply = Supply { bundles: &bundles, unavailable: &[] };
        let Device { account, conversations, .. } = self.at_mut(at)?;
        let talk = conversations.get_mut(peer).ok_or("no conversation")?;
        let outgoing = match talk.send(account, content.as_body(), &supply, now, rng) {
            Ok(outgoing) => outgoing,
            Err(error) => return Ok(Err(error)),
        };
        self.store_and_post(at, peer, outgoing)?;
        Ok(Ok(content))
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

    fn store_and_post(&mut self, at: At, peer: &'static str, outgoing: Outgoing) -> Result<(), Error> {
        let stored = self.at_mut(at)?.store(peer)?;
        let envelopes = outgoing.release(&stored).map_err(|_| "it was stored after it was written")?;
        for envelope in envelopes {
            let who = if envelope.to.side == Side::Own { at.0 } else { peer };
            let (to, id) = ((who, envelope.to.index), *envelope.id.as_bytes());
            self.relay.post(Letter { to, from: at, id, bytes: envelope.ciphertext.as_bytes().to_vec() });
        }
        Ok(())
    }

    /// Delivers all messages, and those that become due, until none is left.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        loop {
            while let Some(letter) = self.relay.next() {
                self.deliver(&letter)?;
            }
            for at in self.everyone() {
                self.flush(at)?;
            }
            if self.relay.is_idle() {
                return Ok(());
            }
        }
    }

    fn deliver(&mut self, letter: &Letter) -> Result<(), Error> {
        let Letter { to, from, id, bytes } = letter;
        let now = self.now;
        // A message from an own device belongs to the conversation with the one account that both devices know.
        let Some(device) = self.devices.get_mut(to) else { return Ok(()) };
        let own = to.0 == from.0;
        let address = if own { DeviceAddress::own(from.1) } else { DeviceAddress::peer(from.1) };
        let arrival =
            Arrival { id: MessageId::from_bytes(*id), from: address, ciphertext: Ciphertext::from_bytes(bytes)? };
        let Device { account, conversations, .. } = device;
        let candidates: Vec<_> = conversations.keys().copied().filter(|peer| own || *peer == from.0).collect();
        for peer in candidates {
            let Some(talk) = conversations.get_mut(peer) else { continue };
            if let Ok(incoming) = talk.receive(account, &arrival, now) {
                let stored = device.store(peer)?;
                let (received, events) = incoming.release(&stored).map_err(|_| "it was stored after it was read")?;
                return device.show(received, events);
            }
        }
        Err(format!("{to:?} cannot read what {from:?} sent").into())
    }

    fn flush(&mut self, at: At) -> Result<(), Error> {
        let now = self.now;
        let peers: Vec<_> = self.at(at)?.conversations.keys().copied().collect();
        for peer in peers {
            let Device { account, conversations, .. } = self.at(at)?;
            let talk = conversations.get(peer).ok_or("it was there")?;
            if !talk.owes(now) {
                continue;
            }
            let due = talk.due(account, now);
            let bundles = self.bundles(&due)?;
            let supply = Supply { bundles: &bundles, unavailable: &[] };
            let Device { account, conversations, .. } = self.at_mut(at)?;
            let talk = conversations.get_mut(peer).ok_or("it was there")?;
            let outgoing = talk.flush(account, &supply, now, &mut rand::rng())?;
            self.store_and_post(at, peer, outgoing)?;
        }
        Ok(())
    }
}

impl Device {
    /// Stores all changes in one transaction, against the revisions from which they were computed.
    fn store(&mut self, peer: &str) -> Result<StoredConversation, Error> {
        let Self { account, conversations, key, database, .. } = self;
        let changes = conversations.get_mut(peer).ok_or("no conversation")?.seal(account, key, &mut rand::rng())?;
        for Record { name, expected, revision, bytes } in changes.records() {
            if database.get(name).map(|(revision, _)| *revision) != *expected {
                return Err("this record was written in the meantime".into());
            }
            database.insert(*name, (*revision, bytes.clone()));
        }
        Ok(changes.stored())
    }

    fn show(&mut self, received: Received, events: Vec<Event>) -> Result<(), Error> {
        self.events.extend(labels(events));
        match received {
            Received::Message { id, body, delete_by, .. } => {
                self.heard.push(Heard { id, content: Content::from_body(&body)?, delete_by });
            }
            Received::Sent { id, body, delete_by } => {
                self.copies.push(Heard { id, content: Content::from_body(body.payload())?, delete_by });
            }
            Received::Decision { from, decision } => self.decisions.push((from, *decision)),
            Received::DecisionReceipt { receipt, .. } => self.receipts.push(*receipt),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn last(&self) -> Result<&Content, Error> {
        self.heard.last().map(|heard| &heard.content).ok_or_else(|| "no content has arrived".into())
    }
}

fn labels(events: Vec<Event>) -> impl Iterator<Item = LabelEvent> {
    events.into_iter().filter_map(|event| if let Event::Label(label) = event { Some(*label) } else { None })
}
