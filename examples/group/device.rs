//! One device: an account, a group, and a conversation with each member.

use std::collections::BTreeMap;

use bisik::conversation::{Arrival, Conversation, DeviceAddress, IdentityPolicy, Received};
use bisik::device::{AccountKey, DeviceDirectory, DeviceTerms};
use bisik::group::membership::{Setting, WriteError};
use bisik::group::{Group, GroupArrival, GroupReceiveError, GroupReceived};
use bisik::{Account, StorageKey, Timestamp, Trust};
use rand::rngs::ThreadRng;

use super::Result;
use super::relay::{Mail, Relay};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(crate) struct Device {
    pub(crate) name: &'static str,
    pub(crate) account: Account,
    group: Option<Group>,
    talks: BTreeMap<AccountKey, Conversation>,
    key: StorageKey, // from the operating system's key store
    /// Messages whose keys have not arrived. A program keeps them in its database.
    held: Vec<GroupArrival>,
    /// What was read: whose name, and what.
    pub(crate) read: Vec<String>,
}

impl Device {
    pub(crate) fn new(name: &'static str, relay: &mut Relay) -> Result<Self> {
        let rng = &mut rand::rng();
        let account = Account::create(DeviceTerms::person(), NOW, rng);
        let list = account.primary().ok_or("a telephone")?.list().clone();
        relay.register(list, account.pre_keys().bundle());
        let (talks, key) = (BTreeMap::new(), StorageKey::generate(rng));
        Ok(Self { name, account, group: None, talks, key, held: Vec::new(), read: Vec::new() })
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
        let group = self.group.as_mut().ok_or("not in a group")?;
        group.send(&self.account, text.as_bytes(), &[], NOW, &mut rand::rng())?;
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
        self.read()
    }

    /// Reads what waits, and shows what is stored.
    fn read(&mut self) -> Result<()> {
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
            if let GroupReceived::Message { body, .. } = received {
                self.read.push(String::from_utf8(body.to_vec())?);
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
