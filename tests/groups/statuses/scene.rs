//! What devices do with audiences and feeds.

use bisik::group::status::{Audience, Author, Contacts, Feed, StatusError, StatusReceived};
use bisik::group::{GroupArrival, GroupMessageId, GroupReceiveError, GroupSent};
use bisik::{Account, Conversation, Timestamp};
use rand::rngs::StdRng;

use crate::rooms::world::{At, DAY, Device, Mail, World, key};

impl World {
    /// Begins to show something to people.
    pub fn audience(&mut self, at: At, people: &[usize]) {
        people.iter().for_each(|who| self.talk(at, &self.keys[*who].clone()));
        let mut audience = Audience::create(&self.devices[&at].account, &mut self.rng).unwrap();
        people.iter().for_each(|who| audience.include(self.keys[*who]).unwrap());
        self.at(at).audience = Some(audience);
    }

    /// Does something with the audience of a device, and what its conversations know.
    pub fn show_to<T>(
        &mut self,
        at: At,
        act: impl FnOnce(&mut Audience, &Account, Contacts<'_>, Timestamp, &mut StdRng) -> T,
    ) -> T {
        let Device { account, talks, audience, .. } = self.devices.get_mut(&at).unwrap();
        let devices: Vec<_> = talks.values().map(Conversation::peer).collect();
        let labels: Vec<_> = talks.values().map(Conversation::label).collect();
        let contacts = Contacts { devices: &devices, labels: &labels };
        act(audience.as_mut().unwrap(), account, contacts, self.now, &mut self.rng)
    }

    /// Does something with the audience of a device alone.
    pub fn with_audience<T>(&mut self, at: At, act: impl FnOnce(&mut Audience) -> T) -> T {
        act(self.at(at).audience.as_mut().unwrap())
    }

    /// Posts a text for a day.
    pub fn post(&mut self, at: At, text: &str) -> Result<GroupMessageId, StatusError> {
        let day = u32::try_from(DAY).unwrap();
        self.show_to(at, |audience, account, contacts, now, rng| {
            audience.post(account, text.as_bytes(), day, contacts, now, rng)
        })
    }

    /// Makes what is due for the audience, stores it and hands it over; and asks for what its feeds lack.
    pub fn flush_statuses(&mut self, at: At) {
        let now = self.now;
        let Device { account, talks, feeds, .. } = self.devices.get_mut(&at).unwrap();
        let mut sent = GroupSent::default();
        for (author, feed) in feeds {
            let devices = if author == account.key() {
                Some(account.devices())
            } else {
                talks.get(author).map(Conversation::peer)
            };
            sent.letters
                .extend(devices.into_iter().flat_map(|devices| feed.asks(Author { devices, label: None }, now)));
        }
        if self.devices[&at].audience.is_some() {
            let flushed = self.show_to(at, |audience, account, contacts, now, rng| {
                let outgoing = audience.flush(account, contacts, now).ok()?;
                let record = audience.seal(&key(), rng).unwrap();
                let (sent, handover) = outgoing.release(&record.stored()).unwrap();
                audience.handed(handover);
                Some(sent)
            });
            if let Some(GroupSent { letters, messages, to }) = flushed {
                sent.letters.extend(letters);
                for message in messages {
                    self.bytes.1 += message.len();
                    let readers: Vec<_> = to.iter().filter_map(|device| self.locate(&device.identity)).collect();
                    readers.into_iter().for_each(|to| self.mail.push_back((to, at, Mail::Status(message.clone()))));
                }
            }
        }
        self.hand_over(at, sent);
    }

    /// Receives statuses, keeps those that need a chain, and shows what came.
    pub fn receive_statuses(&mut self, at: At, arrivals: Vec<GroupArrival>) {
        for arrival in arrivals {
            let result = self.read_status(at, &arrival);
            match result {
                Err(GroupReceiveError::NeedsChain) => self.at(at).held_statuses.push(arrival),
                result => self.at(at).told.extend(result.err().map(|error| format!("status: {error:?}"))),
            }
        }
    }

    /// Receives one, and shows what it gave.
    pub fn read_status(&mut self, at: At, arrival: &GroupArrival) -> Result<(), GroupReceiveError> {
        // Who shows something is a contact.
        self.talk(at, &arrival.from.0);
        let (now, keys) = (self.now, self.keys.clone());
        let Device { account, talks, feeds, statuses, told, .. } = self.devices.get_mut(&at).unwrap();
        let author = arrival.from.0;
        let talk = &talks[&author];
        let own = author == *account.key();
        let (devices, label) = (if own { account.devices() } else { talk.peer() }, Some(talk.label()));
        let feed = feeds.entry(author).or_insert_with(|| Feed::new(account, author));
        let result = feed.receive(account, Author { devices, label }, core::slice::from_ref(arrival), now).remove(0);
        let stored = feed.seal(&key(), &mut self.rng).unwrap().stored();
        assert!(feed.stored(&stored));
        let mut last = None;
        for (number, received) in feed.inbox() {
            last = Some(number);
            match received {
                StatusReceived::Post { from, body, until, .. } => {
                    let who = keys.iter().position(|key| *key == from.account).unwrap();
                    statuses.push((who, String::from_utf8(body.to_vec()).unwrap(), *until));
                }
                other => told.push(format!("{other:?}")),
            }
        }
        last.into_iter().for_each(|last| feed.settle(last));
        result
    }

    /// The statuses that a device has shown.
    pub fn seen(&self, at: At) -> Vec<&str> {
        self.devices[&at].statuses.iter().map(|(_, text, _)| text.as_str()).collect()
    }

    /// How many letters a device has for somebody whose chain it lacks. They are lost.
    pub fn asks(&mut self, at: At, author: usize) -> usize {
        let (key, now) = (self.keys[author], self.now);
        let Device { talks, feeds, .. } = self.devices.get_mut(&at).unwrap();
        let of = Author { devices: talks[&key].peer(), label: None };
        feeds.get_mut(&key).unwrap().asks(of, now).len()
    }

    /// What the relay has for one device, taken from it.
    pub fn intercept(&mut self, to: At) -> Vec<Vec<u8>> {
        let mut taken = Vec::new();
        self.mail.retain(|(device, _, mail)| match mail {
            Mail::Status(message) if *device == to => {
                taken.push(message.clone());
                false
            }
            _ => true,
        });
        taken
    }

    /// Delivers a status of somebody to a device, whoever it was for.
    pub fn give(&mut self, to: At, from: At, message: &[u8]) -> Result<(), GroupReceiveError> {
        let arrival = GroupArrival { from: (self.keys[from.0], from.1), message: message.to_vec() };
        self.read_status(to, &arrival)
    }
}
