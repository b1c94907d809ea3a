//! One device: an account, a group, and a conversation with each member.

use std::collections::BTreeMap;

use bisik::conversation::{Arrival, Conversation, DeviceAddress, IdentityPolicy, Received};
use bisik::device::{AccountKey, DeviceDirectory, DeviceTerms};
use bisik::group::membership::{Setting, WriteError};
use bisik::group::status::Author;
use bisik::group::{Group, GroupArrival, GroupReceiveError, GroupReceived};
use bisik::media::{self, MediaType, Pointer};
use bisik::{Account, StorageKey, Timestamp, Trust};
use rand::rngs::ThreadRng;

use super::Result;
use super::relay::{Mail, Relay};
use super::story::Stories;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(crate) struct Device {
    pub(crate) name: &'static str,
    pub(crate) account: Account,
    group: Option<Group>,
    pub(crate) talks: BTreeMap<AccountKey, Conversation>,
    pub(crate) stories: Stories,
    pub(crate) key: StorageKey, // from the operating system's key store
    /// Messages whose keys have not arrived. A program keeps them in its database.
    held: Vec<GroupArrival>,
    /// What was read: whose name, and what.
    pub(crate) read: Vec<String>,
    /// Photos that were downloaded and decrypted.
    pub(crate) photos: Vec<Vec<u8>>,
}

impl Device {
    pub(crate) fn new(name: &'static str, relay: &mut Relay) -> Result<Self> {
        let rng = &mut rand::rng();
        let account = Account::create(DeviceTerms::person(), NOW, rng);
        let list = account.primary().ok_or("a telephone")?.list().clone();
        relay.register(list, account.pre_keys().bundle());
        let (talks, key) = (BTreeMap::new(), StorageKey::generate(rng));
        let (group, stories, held) = (None, Stories::default(), Vec::new());
        Ok(Self { name, account, group, talks, stories, key, held, read: Vec::new(), photos: Vec::new() })
    }

    pub(crate) fn found(&mut self, title: &str) -> Result<()> {
        let settings = [(Setting::NAME, title.as_bytes())];
        self.group = Some(Group::found(&self.account, &settings, NOW, &mut rand::rng())?);
        Ok(())
    }

    pub(crate) fn group(&self) -> Result<&Group> {
        Ok(self.group.as_ref().ok_or("not in a group")?)
    }

    /// Does something in the group.
    pub(crate) fn in_group(
        &mut self,
        act: impl FnOnce(&mut Group, &Account, Timestamp, &mut ThreadRng) -> std::result::Result<(), WriteError>,
    ) -> Result<()> {
        let group = self.group.as_mut().ok_or("not in a group")?;
        Ok(act(group, &self.account, NOW, &mut rand::rng())?)
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<()> {
        let text = format!("{}: {text}", self.name);
        self.send(&[&[TEXT], text.as_bytes()].concat())
    }

    /// Encrypts a photo once for everybody: the relay keeps the blob, and the group's message has its key.
    pub(crate) fn send_photo(&mut self, photo: &[u8], relay: &mut Relay) -> Result<()> {
        let (blob, pointer) = media::encrypt(MediaType::new("image/jpeg")?, photo, &mut rand::rng())?;
        relay.upload(pointer.root(), blob);
        self.send(&[&[PHOTO], pointer.to_bytes().as_slice()].concat())
    }

    /// A program sends a `Content`, which has all of this; one byte is enough here.
    fn send(&mut self, body: &[u8]) -> Result<()> {
        let group = self.group.as_mut().ok_or("not in a group")?;
        group.send(&self.account, body, &[], NOW, &mut rand::rng())?;
        Ok(())
    }

    /// Everything that is due: the group first, whose letters its conversations then carry.
    pub(crate) fn work(&mut self, relay: &mut Relay) -> Result<()> {
        let rng = &mut rand::rng();
        if let Some(mut group) = self.group.take() {
            // A conversation with each member, who need be no contact.
            for peer in group.peers() {
                self.talk(&peer, relay)?.set_shares_group(true);
            }
            for need in group.needs(NOW) {
                group.learn(&self.account, &relay.list(&need.account)?, NOW)?;
            }
            let outgoing = group.flush(&self.account, &[], NOW, rng)?;
            let stored = group.seal(&self.key, rng)?.stored(); // once the database has everything that it names
            group.stored(&stored);
            let (sent, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
            for letter in &sent.letters {
                let account = letter.to().account;
                self.talk(&account, relay)?;
                let talk = self.talks.get_mut(&account).ok_or("a conversation")?;
                talk.send_letter(&self.account, letter, NOW, rng)?;
            }
            let to: Vec<_> = sent.to.iter().map(|device| device.account).collect();
            for message in &sent.messages {
                relay.message(*self.account.key(), &to, message);
            }
            group.handed(handover);
            self.group = Some(group);
        }
        let sent = self.stories_due()?;
        for letter in &sent.letters {
            let talk = self.talks.get_mut(&letter.to().account).ok_or("a contact")?;
            talk.send_letter(&self.account, letter, NOW, rng)?;
        }
        for message in &sent.messages {
            relay.story(*self.account.key(), sent.to.iter().map(|device| device.account), message);
        }
        for (peer, talk) in &mut self.talks {
            let due = talk.due(&self.account, NOW);
            let bundles = due.bundles.iter().map(|_| relay.bundle(peer)).collect::<Result<Vec<_>>>()?;
            let outgoing = talk.flush(&self.account, &bundles, NOW, rng)?;
            let stored = talk.seal(&mut self.account, &self.key, rng)?.stored();
            talk.stored(&stored);
            let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
            talk.handed(handover);
            for envelope in envelopes {
                relay.letter(*self.account.key(), *peer, envelope);
            }
        }
        Ok(())
    }

    pub(crate) fn receive(&mut self, relay: &Relay, mail: Mail) -> Result<()> {
        match mail {
            Mail::Message(message) => self.held.push(message),
            Mail::Story(message) => return self.receive_story(message),
            Mail::Envelope(from, envelope) => {
                self.talk(&from, relay)?;
                let talk = self.talks.get_mut(&from).ok_or("a conversation")?;
                let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext: envelope.ciphertext };
                for result in talk.receive(&mut self.account, &[arrival], NOW) {
                    result?;
                }
                let stored = talk.seal(&mut self.account, &self.key, &mut rand::rng())?.stored();
                talk.stored(&stored);
                let mut last = 0;
                for (number, received) in talk.inbox() {
                    last = number;
                    match (received, &mut self.group) {
                        (Received::Letter { letter, .. }, _) if letter.status().is_some() => {
                            let author = Author { devices: talk.peer(), label: Some(talk.label()) };
                            self.stories.hear(&self.account, author, letter)?;
                        }
                        (Received::Letter { letter, .. }, Some(group)) => {
                            group.receive_letter(&self.account, letter, NOW)?;
                        }
                        (Received::Letter { letter, .. }, group) => {
                            *group = Some(Group::follow(&self.account, letter, NOW)?);
                        }
                        _ => {} // a message request: whoever invites is no contact yet
                    }
                }
                talk.settle(last); // once the group is stored
                talk.accept(); // where the user says yes to the request
            }
        }
        self.read_stories()?;
        self.read(relay)
    }

    /// Reads what waits, and shows what is stored.
    fn read(&mut self, relay: &Relay) -> Result<()> {
        let Some(group) = &mut self.group else { return Ok(()) };
        let held = std::mem::take(&mut self.held);
        for (message, result) in held.iter().zip(group.receive(&self.account, &held, NOW)) {
            match result {
                Err(GroupReceiveError::NeedsChain) => self.held.push(message.clone()),
                result => result?,
            }
        }
        let stored = group.seal(&self.key, &mut rand::rng())?.stored();
        group.stored(&stored);
        let mut last = 0;
        for (number, received) in group.inbox() {
            last = number;
            let GroupReceived::Message { body, .. } = received else { continue };
            match body.split_first() {
                Some((&TEXT, text)) => self.read.push(String::from_utf8(text.to_vec())?),
                Some((&PHOTO, pointer)) => {
                    let pointer = Pointer::from_bytes(pointer)?;
                    self.photos.push(pointer.decrypt(relay.download(pointer.root())?)?);
                }
                _ => return Err("something that a later version writes".into()),
            }
        }
        group.settle(last);
        Ok(())
    }

    /// The conversation with an account, whose key the group's statements name.
    fn talk(&mut self, with: &AccountKey, relay: &Relay) -> Result<&mut Conversation> {
        if !self.talks.contains_key(with) {
            let peer = DeviceDirectory::trust(&relay.list(with)?, Trust::Pinned(with.identity()), NOW)?;
            let (talk, _label) = Conversation::new(&self.account, peer, &[], IdentityPolicy::Block, NOW);
            self.talks.insert(*with, talk);
        }
        Ok(self.talks.get_mut(with).ok_or("a conversation")?)
    }
}

/// First bytes of what is written in the group.
const TEXT: u8 = b'T';
const PHOTO: u8 = b'P';
