//! Audits the promises at the end of a run, from the application's rows and every byte that was sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::engine::{Name, Row, Sent};

/// The counts of an audit. [`Promises::kept`] evaluates them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// Questions that were asked.
    pub asked: usize,
    /// Questions that the application has exactly once.
    pub once: usize,
    /// Rows beyond the first for the same question.
    pub twice: usize,
    /// Rows whose text nobody asked, or that are in another customer's conversation.
    pub strange: usize,
    /// Distinct messages to customers.
    pub sent: usize,
    /// Envelopes that were handed to the relay more than once.
    pub repeated: usize,
    /// Distinct salts in the messages. A message's nonces are its salt, so two messages under one key and nonce would have
    /// the same salt.
    pub salts: usize,
    /// Revisions of conversations with which messages were sent.
    pub revisions: usize,
    /// Revisions that more than one computation produced: a failure of the compare-and-swap.
    pub forked: usize,
}

impl Promises {
    /// Counts. `asked` holds each question with the number of its customer. All questions of a customer belong to one
    /// conversation, and nobody else asks in it.
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

    /// Returns whether the application has every question exactly once, no salt was used twice, and one computation
    /// produced each revision.
    #[must_use]
    pub fn kept(&self) -> bool {
        let Self { asked, once, twice, strange, sent, repeated: _, salts, revisions: _, forked } = *self;
        once == asked && twice == 0 && strange == 0 && salts == sent && forked == 0
    }
}

/// Returns the salt of a message (docs/spec/session.md, section 4.1): the 16 bytes after the kind and, if present, the
/// pre-key header.
fn salt(bytes: &[u8]) -> &[u8] {
    let start = if bytes.first() == Some(&0x21) { 1 + PRE_KEY_HEADER } else { 1 };
    bytes.get(start..start + 16).unwrap_or(bytes)
}

/// Bytes in a pre-key header.
const PRE_KEY_HEADER: usize = 1_208;
