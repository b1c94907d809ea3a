//! Stories: an audience that only its author knows, and feeds of those who read.

use bisik::Account;
use bisik::conversation::{Conversation, ReceivedLetter};
use bisik::device::AccountKey;
use bisik::group::status::{Audience, Author, Contacts, Feed, StatusReceived};
use bisik::group::{GroupArrival, GroupReceiveError, GroupSent};

use super::Result;
use super::device::{Device, NOW};

const DAY: u32 = 24 * 60 * 60;

/// What a device shows, and what it is shown.
#[derive(Default)]
pub(crate) struct Stories {
    audience: Option<Audience>,
    feeds: Vec<Feed>,
    /// Messages whose keys have not arrived.
    held: Vec<GroupArrival>,
    pub(crate) seen: Vec<String>,
}

impl Device {
    /// Whom this device shows stories from now on.
    pub(crate) fn show_to(&mut self, people: &[AccountKey]) -> Result<()> {
        let audience = match &mut self.stories.audience {
            Some(audience) => audience,
            nobody => nobody.insert(Audience::create(&self.account, &mut rand::rng())?),
        };
        let before: Vec<_> = audience.members().copied().collect();
        for gone in before.iter().filter(|member| !people.contains(member)) {
            audience.exclude(gone)?;
        }
        for member in people {
            audience.include(*member)?;
        }
        Ok(())
    }

    pub(crate) fn post(&mut self, text: &str) -> Result<()> {
        let devices: Vec<_> = self.talks.values().map(Conversation::peer).collect();
        let contacts = Contacts { devices: &devices, labels: &[] };
        let audience = self.stories.audience.as_mut().ok_or("no audience")?;
        audience.post(&self.account, text.as_bytes(), DAY, contacts, NOW, &mut rand::rng())?;
        Ok(())
    }

    /// What is to be sent of stories, once it is stored.
    pub(crate) fn stories_due(&mut self) -> Result<GroupSent> {
        let devices: Vec<_> = self.talks.values().map(Conversation::peer).collect();
        let contacts = Contacts { devices: &devices, labels: &[] };
        let mut sent = GroupSent::default();
        if let Some(audience) = &mut self.stories.audience {
            let outgoing = audience.flush(&self.account, contacts, NOW)?;
            let stored = audience.seal(&self.key, &mut rand::rng())?.stored();
            let (due, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
            audience.handed(handover);
            sent = due;
        }
        for feed in &mut self.stories.feeds {
            let talk = self.talks.get(feed.author()).ok_or("a contact")?;
            sent.letters.extend(feed.asks(Author { devices: talk.peer(), label: Some(talk.label()) }, NOW));
        }
        Ok(sent)
    }

    pub(crate) fn receive_story(&mut self, message: GroupArrival) -> Result<()> {
        self.stories.held.push(message);
        self.read_stories()
    }

    /// Reads what waits, and shows what is stored.
    pub(crate) fn read_stories(&mut self) -> Result<()> {
        for message in std::mem::take(&mut self.stories.held) {
            let author = message.from.0;
            let talk = self.talks.get(&author).ok_or("a contact")?;
            let of = Author { devices: talk.peer(), label: Some(talk.label()) };
            let feed = self.stories.feed(&self.account, author)?;
            match feed.receive(&self.account, of, std::slice::from_ref(&message), NOW).remove(0) {
                Err(GroupReceiveError::NeedsChain) => self.stories.held.push(message),
                result => result?,
            }
        }
        for feed in &mut self.stories.feeds {
            let stored = feed.seal(&self.key, &mut rand::rng())?.stored();
            feed.stored(&stored);
            let mut last = 0;
            for (number, received) in feed.inbox() {
                last = number;
                if let StatusReceived::Post { body, .. } = received {
                    self.stories.seen.push(String::from_utf8(body.to_vec())?);
                }
            }
            feed.settle(last);
        }
        Ok(())
    }
}

impl Stories {
    /// A letter of an author: the key of what it shows. Or one of somebody who lacks a key.
    pub(crate) fn hear(&mut self, account: &Account, author: Author<'_>, letter: &ReceivedLetter) -> Result<()> {
        use bisik::group::status::StatusLetter;
        match (letter.status(), &mut self.audience) {
            (Some(StatusLetter::Feed), _) => {
                self.feed(account, *author.devices.account())?.receive_letter(account, author, letter, NOW)?;
            }
            (Some(_), Some(audience)) => drop(audience.receive_letter(letter, NOW)),
            _ => {}
        }
        Ok(())
    }

    fn feed(&mut self, account: &Account, author: AccountKey) -> Result<&mut Feed> {
        if !self.feeds.iter().any(|feed| *feed.author() == author) {
            self.feeds.push(Feed::new(account, author));
        }
        Ok(self.feeds.iter_mut().find(|feed| *feed.author() == author).ok_or("a feed")?)
    }
}
