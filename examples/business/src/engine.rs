//! The boundary: what workers and customers need of a database and a queue. Two adapters implement it.
//!
//! It contains no cryptography: records and messages are bytes, and a revision is a number.

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::points::Points;

/// The name of a conversation. Both sides compute it from the two account keys.
pub type Name = [u8; 16];

/// The id of a block: a part of a conversation that is stored beside its record, written once, and named by it.
pub type BlockName = [u8; 16];

/// A message in transit, as a relay sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The name of its conversation.
    pub conversation: Name,
    /// The transport's id of this envelope.
    pub id: [u8; 16],
    /// Bytes that claim to be its ciphertext.
    pub bytes: Vec<u8>,
}

/// A class of messages to claim. Messages that can open a session change the account's single record, so two workers
/// that process them at the same time only conflict. All other messages change only their conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Messages with a pre-key header. Only one batch of them is processed at a time.
    First,
    /// All other messages.
    Rest,
}

impl Lane {
    /// Returns the lane of a message, from the byte that states its kind.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        if mail.bytes.first() == Some(&0x21) { Self::First } else { Self::Rest }
    }
}

/// A message that is leased to this worker. Until the lease ends, no other worker gets it. If another worker gets it
/// afterwards, the revisions decide whose result is stored.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The engine's identifier of the claim.
    pub token: u64,
    /// How often the message was delivered, including this time.
    pub attempts: u64,
    /// Whether its conversation's record has it: a worker received it and could not settle it.
    pub received: bool,
    /// The message.
    pub mail: Mail,
}

/// A record, to be stored only over the revision from which it was computed.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The revision that the engine must hold, or `None` if it must hold no record.
    pub expected: Option<u64>,
    /// The revision of these bytes.
    pub revision: u64,
    /// The sealed record.
    pub bytes: Vec<u8>,
}

/// The row that the application gets: a question, unencrypted. A real application protects it like the rest of its
/// database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// The conversation.
    pub conversation: Name,
    /// The id of the message: with the conversation, the name of the row.
    pub id: [u8; 16],
    /// The text of the question.
    pub text: String,
    /// Like that of [`Sent`]: reveals two computations from one message.
    pub attempt: [u8; 8],
}

/// A message to a customer, with data for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    pub mail: Mail,
    /// The revision of the conversation with which it was stored.
    pub revision: u64,
    /// Random for each computation: reveals two computations that led to the same revision.
    pub attempt: [u8; 8],
}

/// What one part of a turn stores for a conversation, in one transaction. Blocks may go ahead, since nothing reads them
/// before a record names them; deletions and claims may follow, since they may be repeated.
#[derive(Clone, Debug)]
pub struct Step {
    /// The conversation.
    pub conversation: Name,
    /// Rows for the application, each under its name.
    pub rows: Vec<Row>,
    /// Messages for the customer.
    pub mail: Vec<Sent>,
    /// New blocks, which the record names.
    pub blocks: Vec<(BlockName, Vec<u8>)>,
    /// The conversation's record, if it has changed.
    pub record: Option<Sealed>,
    /// Blocks that it names no more.
    pub ended: Vec<BlockName>,
    /// The claims whose messages the record has now. They are marked, so that however late such a message is claimed
    /// again, it is known: the library remembers only the last ones of each device.
    pub received: Vec<u64>,
    /// The claims that it settles.
    pub claims: Vec<u64>,
}

/// What one part of a turn stores.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The account's record, if pre-keys were used or created. Then either all steps are stored or none.
    pub account: Option<Sealed>,
    /// Bundles to publish together with the account.
    pub bundles: Vec<Vec<u8>>,
    /// The changes to each conversation.
    pub steps: Vec<Step>,
}

impl Batch {
    /// Returns whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { account, bundles, steps } = self;
        let idle = |Step { rows, mail, record, received, claims, .. }: &Step| {
            rows.is_empty() && mail.is_empty() && record.is_none() && received.is_empty() && claims.is_empty()
        };
        account.is_none() && bundles.is_empty() && steps.iter().all(idle)
    }
}

/// The outcome of storing one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored.
    Stored,
    /// Another worker was faster: load and compute again.
    Conflict,
}

/// The operations that a worker needs.
pub trait Engine {
    /// Claims up to about `most` messages. Those of one conversation are together and in order.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>>;

    /// Returns the account's record, or `None` if it has the revision `known` that the worker holds (0 for none).
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or has no account.
    fn account(&mut self, known: u64) -> Outcome<Option<Vec<u8>>>;

    /// Returns the record of each conversation that has one, as it is now.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn conversations(&mut self, names: &[Name]) -> Outcome<Vec<Option<Vec<u8>>>>;

    /// Returns blocks. One that is not there any more was ended by a newer record.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn blocks(&mut self, names: &[BlockName]) -> Outcome<Vec<Option<Vec<u8>>>>;

    /// Returns the device list of the customer in this conversation.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>>;

    /// Stores by compare-and-swap. Returns the outcome of each step.
    ///
    /// # Errors
    ///
    /// If it is unknown what was stored: the messages are delivered again.
    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>>;

    /// Removes messages from the queue.
    ///
    /// # Errors
    ///
    /// If it is unknown whether that happened: the messages are delivered again.
    fn finish(&mut self, claims: &[Claim]) -> Outcome<()>;

    /// Lets a message be claimed again after a while, when its conversation may have another state.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached: the message is delivered again when its lease ends.
    fn put_back(&mut self, claim: &Claim) -> Outcome<()>;

    /// Gives up a message that will never be accepted: removes it from the queue, and keeps it for a person to look at.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()>;

    /// Returns the number of messages in the queue, claimed or not.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn waiting(&mut self) -> Outcome<usize>;
}

/// The operations that a customer needs: the relay's side of the same engine.
pub trait Post {
    /// Publishes customers' device lists.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn publish_lists(&mut self, lists: &[(Name, Vec<u8>)]) -> Outcome<()>;

    /// Returns the business's device list and its last-resort bundle.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn business(&mut self) -> Outcome<(Vec<u8>, Vec<u8>)>;

    /// Takes up to `most` one-time bundles of the business. No other customer gets them.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn take_bundles(&mut self, most: usize) -> Outcome<Vec<Vec<u8>>>;

    /// Queues messages for the business.
    ///
    /// # Errors
    ///
    /// If it is unknown whether they were queued.
    fn send(&mut self, mail: &[Mail]) -> Outcome<()>;

    /// Returns the next messages for customers. Each is returned once to the calling process.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn fetch(&mut self, most: usize) -> Outcome<Vec<Mail>>;
}

/// The operations that the director needs, at the beginning and for the audit.
pub trait Books {
    /// Stores a new business: its account, its published list and bundles.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or already has a business.
    fn found(&mut self, account: &Sealed, list: &[u8], last_resort: &[u8], bundles: &[Vec<u8>]) -> Outcome<()>;

    /// Returns all rows of the application.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn rows(&mut self) -> Outcome<Vec<Row>>;

    /// Returns every message to a customer that was ever handed to the relay.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn sent(&mut self) -> Outcome<Vec<Sent>>;

    /// Returns the messages that were given up, with the reasons.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    fn buried(&mut self) -> Outcome<Vec<(Mail, String)>>;
}
