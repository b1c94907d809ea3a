//! The boundary: what a worker and a customer need of a database and a queue. Two adapters implement it.
//!
//! Does not know cryptography: records and messages are bytes, and a revision is a number.

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::points::Points;

/// The name of a conversation, which both sides compute from the two account keys.
pub type Name = [u8; 16];

/// A message under way: what a relay sees of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The conversation.
    pub conversation: Name,
    /// The message.
    pub id: [u8; 16],
    /// The ciphertext, as it claims.
    pub bytes: Vec<u8>,
}

/// Which messages are claimed: those that can open a session change the account's one record, so that there is no use in
/// two workers taking them up at once; all others change nothing but their conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Messages with a first flight. One batch of them is under way at a time.
    First,
    /// All others.
    Rest,
}

impl Lane {
    /// The lane of a message, by the byte that says its kind.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        if mail.bytes.first() == Some(&0x21) { Self::First } else { Self::Rest }
    }
}

/// A message that this worker has until its lease ends. Nobody else is given it before; if somebody is, after, then the
/// revisions decide.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What the engine knows it by.
    pub token: u64,
    /// How often it was given out, this time included.
    pub attempts: u64,
    /// The message.
    pub mail: Mail,
}

/// A record, to be stored only over the revision that it was made from.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The revision that the engine must have; `None` where it must have no record.
    pub expected: Option<u64>,
    /// The revision of these bytes.
    pub revision: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What the application gets: a question, in the clear. A real one protects it as it protects the rest of its database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// The conversation.
    pub conversation: Name,
    /// The message.
    pub id: [u8; 16],
    /// What it says.
    pub text: String,
    /// As that of [`Sent`]: two computations from one message would show.
    pub attempt: [u8; 8],
}

/// A message to a customer, with what an audit wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    pub mail: Mail,
    /// The revision of the conversation that it was stored with.
    pub revision: u64,
    /// Drawn anew each time a worker computes: two computations that led to the same revision would show.
    pub attempt: [u8; 8],
}

/// What is stored of one conversation, all or nothing.
#[derive(Clone, Debug)]
pub struct Step {
    /// The conversation.
    pub conversation: Name,
    /// Its record.
    pub record: Sealed,
    /// The claims that are settled by it.
    pub claims: Vec<u64>,
    /// For the application.
    pub rows: Vec<Row>,
    /// For the customer, who confirms each.
    pub outgoing: Vec<Sent>,
    /// Acknowledgements and requests, which nobody confirms.
    pub owed: Vec<Sent>,
    /// Messages of which the customer has confirmed that they are there.
    pub confirmed: Vec<[u8; 16]>,
}

/// What a worker has computed from one claim of several messages.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The account's record, where pre-keys were used or made. Then all steps are stored, or none.
    pub account: Option<Sealed>,
    /// Bundles that are published once the account is stored.
    pub bundles: Vec<Vec<u8>>,
    /// The conversations.
    pub steps: Vec<Step>,
}

/// What became of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored, and what it led to is under way.
    Stored,
    /// Somebody was faster: load again, compute again.
    Conflict,
    /// The conversation is stored and the account is not: its pre-keys have to be forgotten, and then the step finished.
    /// Only an engine without transactions over two records says so.
    KeysLeft,
    /// Nobody can tell whether it is stored: its claims come again.
    Unknown,
}

/// What a worker needs.
pub trait Engine {
    /// Up to about `most` messages, those of one conversation together and in order.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>>;

    /// The account's record, unless the engine has the one that the worker holds: that of the revision `known`, 0 for none.
    /// With `fresh`, the engine looks; otherwise, it may go by what it saw a moment ago.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached, or has no account.
    fn account(&mut self, known: u64, fresh: bool) -> Outcome<Option<Vec<u8>>>;

    /// The records of conversations, each where there is one. With `fresh`, the newest; otherwise, an engine may give one
    /// that was the newest a moment ago, for what is made from it is not stored then.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn conversations(&mut self, names: &[Name], fresh: bool) -> Outcome<Vec<Option<Vec<u8>>>>;

    /// The device list of the customer at the other end.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>>;

    /// Stores by compare-and-swap; a verdict for each step.
    ///
    /// # Errors
    ///
    /// Where nobody can tell what was stored: the claims come again.
    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>>;

    /// Stores the account alone. `false` where somebody was faster.
    ///
    /// # Errors
    ///
    /// Where nobody can tell.
    fn commit_account(&mut self, account: &Sealed) -> Outcome<bool>;

    /// Settles claims whose conversations are stored already, and sees to it that what they led to has happened.
    ///
    /// # Errors
    ///
    /// Where nobody can tell: the claims come again.
    fn finish(&mut self, claims: &[Claim]) -> Outcome<()>;

    /// Lets a message be claimed again after a while, perhaps in another state of its conversation.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached: it comes again when its lease ends.
    fn put_back(&mut self, claim: &Claim) -> Outcome<()>;

    /// Takes a message out of the queue that will never be accepted, and keeps it for a person to look at.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()>;

    /// Messages in the queue, claimed or not.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn waiting(&mut self) -> Outcome<usize>;
}

/// What a customer needs: the relay's side of the same engine.
pub trait Post {
    /// Publishes the customer's device list.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn publish_lists(&mut self, lists: &[(Name, Vec<u8>)]) -> Outcome<()>;

    /// The business's device list and its last-resort bundle.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn business(&mut self) -> Outcome<(Vec<u8>, Vec<u8>)>;

    /// Up to `most` one-time bundles of the business: nobody else is given these.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn take_bundles(&mut self, most: usize) -> Outcome<Vec<Vec<u8>>>;

    /// Queues messages for the business.
    ///
    /// # Errors
    ///
    /// Where nobody can tell whether they are queued.
    fn send(&mut self, mail: &[Mail]) -> Outcome<()>;

    /// The next messages for customers, each once for a process that asks.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn fetch(&mut self, most: usize) -> Outcome<Vec<Mail>>;
}

/// What the director needs: to begin, and to look at the end.
pub trait Books {
    /// Stores a new business: its account, what it publishes, its bundles.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached, or has a business.
    fn found(&mut self, account: &Sealed, list: &[u8], last_resort: &[u8], bundles: &[Vec<u8>]) -> Outcome<()>;

    /// Every row that the application has.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn rows(&mut self) -> Outcome<Vec<Row>>;

    /// Every message to a customer that was ever handed to the relay.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn sent(&mut self) -> Outcome<Vec<Sent>>;

    /// The messages that were given up, with the reasons.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be reached.
    fn buried(&mut self) -> Outcome<Vec<(Mail, String)>>;
}
