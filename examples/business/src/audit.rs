//! Whether the promises were kept: looks at what the application has and at every byte that was sent.
//!
//! Does not know how any of it came to be.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::engine::{Name, Row, Sent};

/// What was counted. [`Promises::kept`] says what it means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// Questions that were asked.
    pub asked: usize,
    /// Questions that the application has once.
    pub once: usize,
    /// Rows more than one of the same question.
    pub twice: usize,
    /// Rows of nothing that was asked, or that are with the conversation of another customer.
    pub strange: usize,
    /// Different messages to customers.
    pub sent: usize,
    /// Envelopes that were handed to the relay again.
    pub repeated: usize,
    /// Different salts in them. The nonces of a message are its salt, so that two messages under one key and nonce would
    /// have the same.
    pub salts: usize,
    /// Revisions of conversations that messages were sent with.
    pub revisions: usize,
    /// Those that more than one computation led to: the compare-and-swap has let one through.
    pub forked: usize,
}

impl Promises {
    /// Counts. The rows are compared with the texts of `asked`, each with the number of its customer: all that one of them
    /// asked is of one conversation, in which nobody else asks.
    #[must_use]
    pub fn count(asked: impl Iterator<Item = (usize, String)>, rows: &[Row], sent: &[Sent]) -> Self {
        let asked: HashMap<String, usize> = asked.map(|(customer, text)| (text, customer)).collect();
        let mut promises = Self { asked: asked.len(), ..Self::default() };
        let mut times: HashMap<&str, usize> = HashMap::new();
        let (mut conversations, mut customers) = (HashMap::<usize, Name>::new(), HashMap::<Name, usize>::new());
        for row in rows {
            let Some(customer) = asked.get(&row.text) else {
                promises.strange += 1;
                continue;
            };
            let theirs = *conversations.entry(*customer).or_insert(row.conversation) == row.conversation;
            let nobody_else = customers.entry(row.conversation).or_insert(*customer) == customer;
            promises.strange += usize::from(!(theirs && nobody_else));
            *times.entry(&row.text).or_default() += 1;
        }
        promises.once = times.values().filter(|times| **times == 1).count();
        promises.twice = times.values().map(|times| times - 1).sum();
        // An engine may hand the same bytes to the relay again.
        let different: HashSet<&[u8]> = sent.iter().map(|sent| sent.mail.bytes.as_slice()).collect();
        promises.sent = different.len();
        promises.repeated = sent.len() - different.len();
        promises.salts = different.iter().map(|bytes| salt(bytes)).collect::<HashSet<_>>().len();
        let mut attempts: BTreeMap<_, HashSet<_>> = BTreeMap::new();
        for Sent { mail, revision, attempt } in sent {
            attempts.entry((mail.conversation, revision)).or_default().insert(attempt);
        }
        promises.revisions = attempts.len();
        promises.forked = attempts.values().filter(|attempts| attempts.len() > 1).count();
        promises
    }

    /// Every question is with the application once, no salt was used twice, and each revision is of one computation.
    #[must_use]
    pub fn kept(&self) -> bool {
        let Self { asked, once, twice, strange, sent, repeated: _, salts, revisions: _, forked } = *self;
        once == asked && twice == 0 && strange == 0 && salts == sent && forked == 0
    }
}

/// The salt of a message (docs/spec/session.md, section 4.1): 16 bytes after the kind, and after the first flight if
/// there is one.
fn salt(bytes: &[u8]) -> &[u8] {
    let start = if bytes.first() == Some(&0x21) { 1 + FIRST_FLIGHT } else { 1 };
    bytes.get(start..start + 16).unwrap_or(bytes)
}

/// Bytes of a first flight.
const FIRST_FLIGHT: usize = 1_208;
