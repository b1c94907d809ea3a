//! [`Device`]: one device, with a database of records and blocks.

use std::collections::{BTreeMap, HashMap};

use bisik::conversation::{
    Change, Changes, Conversation, ConversationId, DeviceAddress, Event, Received, Record, RecordName,
    StoredConversation,
};
use bisik::hosting::{Decision, DecisionReceipt, LabelEvent};
use bisik::{Account, BlockId, Plaintext, StorageKey, Timestamp, UnsealError};
use rand::rngs::StdRng;

/// One device: its account part, its conversation, its database, and what it has shown.
pub struct Device {
    pub account: Account,
    pub conversation: Option<Conversation>,
    pub key: StorageKey,
    pub shown: Vec<(String, Vec<u8>)>,
    pub events: Vec<Event>,
    pub labels: Vec<LabelEvent>,
    pub deadlines: Vec<Timestamp>,
    pub decisions: Vec<(DeviceAddress, Decision)>,
    pub receipts: Vec<DecisionReceipt>,
    pub database: Database,
    /// The blocks in the database.
    pub blocks: BTreeMap<BlockId, Vec<u8>>,
    /// All that ever were: a backup has those of its time.
    pub attic: BTreeMap<BlockId, Vec<u8>>,
}

/// Records by name, each with its revision.
pub type Database = HashMap<RecordName, (u64, Vec<u8>)>;

impl Device {
    /// Shows and settles everything that is stored.
    pub fn settle(&mut self) {
        let conversation = self.conversation.as_mut().unwrap();
        let mut last = None;
        for (number, received) in conversation.inbox() {
            last = Some(number);
            match received {
                Received::Message { body, delete_by, .. } => {
                    let (kind, body) = match body {
                        Plaintext::Confirmed(body) => ("message", body.to_vec()),
                        Plaintext::Unconfirmed(body) => ("message", body.peek_unconfirmed().to_vec()),
                    };
                    self.shown.push((kind.into(), body));
                    self.deadlines.extend(*delete_by);
                }
                Received::Sent { body, delete_by, .. } => {
                    self.shown.push(("sent".into(), body.payload().to_vec()));
                    self.deadlines.extend(*delete_by);
                }
                Received::Own { body, delete_by, .. } => {
                    self.shown.push(("own".into(), body.payload().to_vec()));
                    self.deadlines.extend(*delete_by);
                }
                Received::Ephemeral { body, .. } => self.shown.push(("ephemeral".into(), body.to_vec())),
                Received::Decision { from, decision } => self.decisions.push((*from, (**decision).clone())),
                Received::DecisionReceipt { receipt, .. } => self.receipts.push((**receipt).clone()),
                Received::Event(event) => self.events.push(event.clone()),
                _ => {}
            }
        }
        if let Some(last) = last {
            conversation.settle(last);
        }
    }

    /// Stores the changed records by compare-and-swap, in one transaction.
    pub fn store(&mut self, rng: &mut StdRng) -> StoredConversation {
        let conversation = self.conversation.as_mut().unwrap();
        let changes = conversation.seal(&mut self.account, &self.key, rng).unwrap();
        self.write(changes)
    }

    /// Writes what was sealed.
    pub fn write(&mut self, changes: Changes) -> StoredConversation {
        for change in changes.writes() {
            match change {
                Change::Put(block) => {
                    let former = self.blocks.insert(block.id(), block.as_bytes().to_vec());
                    assert!(former.is_none_or(|former| former == block.as_bytes()), "a block is written once");
                    self.attic.insert(block.id(), block.as_bytes().to_vec());
                }
                Change::Record(Record { name, expected, revision, bytes }) => {
                    let known = self.database.get(name).map(|(revision, _)| *revision);
                    assert_eq!(known, *expected, "{name:?}");
                    assert!(Some(*revision) > *expected);
                    self.database.insert(*name, (*revision, bytes.clone()));
                }
                Change::Delete(id) => drop(self.blocks.remove(&id)),
                Change::Remove(name) => drop(self.database.remove(&name).unwrap()),
            }
        }
        let stored = changes.stored();
        assert!(self.conversation.as_mut().unwrap().stored(&stored));
        stored
    }

    /// Opens the stored conversation.
    pub fn open(&self, id: ConversationId) -> Result<Conversation, UnsealError> {
        let record = &self.database[&RecordName::Conversation(id)].1;
        Conversation::unseal(&self.account, &self.key, id, record, |block| self.blocks.get(&block).cloned())
    }

    /// Drops the state in memory and loads it from the database.
    pub fn reload(&mut self) {
        let id = self.conversation.as_ref().unwrap().id();
        self.account = Account::unseal(&self.key, &self.database[&RecordName::Account].1).unwrap();
        self.conversation = Some(self.open(id).unwrap());
    }
}
