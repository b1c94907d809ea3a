//! One device of the world: its account and conversation, their records, and the rows of the program that uses them.
//!
//! Does not know the network.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bisik::conversation::{
    Bound, Change, Conversation, DeviceAddress, Event, MessageId, Received, Record, RecordName, Side,
    StoredConversation,
};
use bisik::{Account, BlockId, Plaintext, StorageKey};
use rand::rngs::StdRng;

/// An account, `0` or `1`, and the index of one of its devices.
pub type At = (usize, u32);

/// A message, by the number that the world gives it. Its text is that number.
pub type Uid = u64;

/// What the program's store holds: records by name, each with its revision, and blocks.
#[derive(Clone, Default)]
pub struct Database {
    pub records: HashMap<RecordName, (u64, Vec<u8>)>,
    pub blocks: HashMap<BlockId, Vec<u8>>,
}

/// What the program keeps beside the two records, in the same backup.
#[derive(Clone, Default)]
pub struct Rows {
    /// The number of the newest thing that was taken out of the inbox.
    pub taken: u64,
    /// The messages that are shown, and whether they were confirmed then.
    pub shown: BTreeMap<Uid, bool>,
    /// What this device wrote, and for whom.
    pub written: BTreeMap<Uid, BTreeSet<At>>,
    pub delivered: BTreeSet<(MessageId, At)>,
    /// What was shown under which name.
    pub named: BTreeMap<(MessageId, At), Uid>,
    pub given_up: BTreeSet<(MessageId, At)>,
    /// Reported lost, with the author.
    pub lost: BTreeSet<(MessageId, At)>,
    pub withdrawn: BTreeSet<Uid>,
    pub ephemeral: BTreeSet<Uid>,
}

/// What came out of an inbox at once.
#[derive(Default)]
pub struct Taken {
    pub shown: Vec<(Uid, At, bool)>,
    pub replaced: Vec<(At, Bound, bool)>,
    pub told_of_another: Vec<At>,
    pub not_the_peers: Vec<At>,
    /// Messages that were shown as unconfirmed, and of which it was said afterwards that they are the device's.
    pub vouched_for: Vec<Uid>,
    pub outdated: bool,
    /// Messages without a time by which they are deleted.
    pub without_deadline: bool,
    pub twice: Vec<Uid>,
}

/// A state that a device can be restored to.
pub struct Backup {
    pub at: u64,
    pub database: Database,
    pub rows: Rows,
}

pub struct Device {
    pub account: Account,
    pub talk: Conversation,
    pub key: StorageKey,
    pub database: Database,
    pub rows: Rows,
    pub backups: Vec<Backup>,
    /// Seconds that its clock is ahead of the time.
    pub clock: i64,
    /// When the program looks again, by the true time.
    pub again: Option<u64>,
    /// When the daily upkeep was done.
    pub kept_up: u64,
    pub was_restored: bool,
}

impl Device {
    /// Stores everything that has changed: records by compare-and-swap.
    pub fn store(&mut self, rng: &mut StdRng) -> StoredConversation {
        let changes = self.talk.seal(&mut self.account, &self.key, rng).unwrap();
        let Database { records, blocks } = &mut self.database;
        for change in changes.writes() {
            match change {
                Change::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
                Change::Record(Record { name, expected, revision, bytes }) => {
                    assert_eq!(records.get(name).map(|(revision, _)| *revision), *expected, "{name:?}");
                    records.insert(*name, (*revision, bytes.clone()));
                }
                Change::Delete(id) => drop(blocks.remove(&id)),
                Change::Remove(name) => drop(records.remove(&name).unwrap()),
            }
        }
        let stored = changes.stored();
        assert!(self.talk.stored(&stored));
        stored
    }

    /// Drops what is in memory and loads the records.
    pub fn reload(&mut self) {
        (self.account, self.talk) = self.load();
    }

    pub fn load(&self) -> (Account, Conversation) {
        let (id, Database { records, blocks }) = (self.talk.id(), &self.database);
        let account = Account::unseal(&self.key, &records[&RecordName::Account].1).unwrap();
        let head = &records[&RecordName::Conversation(id)].1;
        let talk = Conversation::unseal(&account, &self.key, id, head, |block| blocks.get(&block).cloned());
        (account, talk.unwrap())
    }

    pub fn back_up(&mut self, at: u64, rng: &mut StdRng) {
        let _stored = self.store(rng);
        self.backups.push(Backup { at, database: self.database.clone(), rows: self.rows.clone() });
    }

    /// Goes back to a backup; those after it are gone.
    pub fn restore(&mut self, which: usize) {
        self.backups.truncate(which + 1);
        let Backup { database, rows, .. } = &self.backups[which];
        (self.rows, self.database) = (rows.clone(), database.clone());
        self.was_restored = true;
        self.reload();
    }

    /// Shows what the inbox has and settles it.
    pub fn take(&mut self, at: At) -> Taken {
        let (mut taken, rows) = (Taken::default(), &mut self.rows);
        let address =
            |DeviceAddress { side, index }: DeviceAddress| (if side == Side::Own { at.0 } else { 1 - at.0 }, index);
        let mut last = rows.taken;
        for (number, received) in self.talk.inbox() {
            // It is given again until it is settled; the program has it already.
            if number <= rows.taken {
                continue;
            }
            last = number;
            match received {
                Received::Message { id, from, body, delete_by } => {
                    taken.without_deadline |= delete_by.is_none();
                    let (uid, confirmed) = match body {
                        Plaintext::Confirmed(body) => (uid_of(body), true),
                        Plaintext::Unconfirmed(body) => (uid_of(body.peek_unconfirmed()), false),
                    };
                    taken.shown.push((uid, address(*from), confirmed));
                    rows.named.insert((*id, address(*from)), uid);
                }
                Received::Sent { from, body, delete_by, .. } => {
                    taken.without_deadline |= delete_by.is_none();
                    taken.shown.push((uid_of(body.payload()), address(*from), true));
                }
                Received::Ephemeral { body, .. } => {
                    let again = !rows.ephemeral.insert(uid_of(body));
                    taken.twice.extend(again.then(|| uid_of(body)));
                }
                Received::Event(event) => match event {
                    Event::Delivered { id, device } => drop(rows.delivered.insert((*id, address(*device)))),
                    Event::GivenUp { id, device, .. } => drop(rows.given_up.insert((*id, address(*device)))),
                    Event::Lost { id, device } => drop(rows.lost.insert((*id, address(*device)))),
                    Event::SessionReplaced { device, bound, early, .. } => {
                        taken.replaced.push((address(*device), *bound, *early));
                    }
                    Event::ReplacedByAnother { device } => taken.told_of_another.push(address(*device)),
                    Event::NotThePeers { device, .. } => taken.not_the_peers.push(address(*device)),
                    Event::Confirmed { id, device } => {
                        taken.vouched_for.extend(rows.named.get(&(*id, address(*device))));
                    }
                    Event::ListOutdated { .. } => taken.outdated = true,
                    _ => {}
                },
                _ => {}
            }
        }
        for (uid, _, confirmed) in &taken.shown {
            if rows.shown.insert(*uid, *confirmed).is_some() {
                taken.twice.push(*uid);
            }
        }
        if last > rows.taken {
            rows.taken = last;
            self.talk.settle(last);
        }
        taken
    }

    pub fn has_session_with(&self, device: DeviceAddress) -> bool {
        self.talk.session_with(&self.account, device).is_some()
    }
}

/// The text of a message: its number, and so much after it that no frame without a message is as long.
pub fn text(uid: Uid) -> Vec<u8> {
    let mut text = vec![0; TEXT];
    text[..8].copy_from_slice(&uid.to_be_bytes());
    text
}

pub fn uid_of(text: &[u8]) -> Uid {
    u64::from_be_bytes(*text.first_chunk().unwrap())
}

/// Bytes of a text. A ciphertext that is as long has a message, a shorter one has none.
pub const TEXT: usize = 5_400;
