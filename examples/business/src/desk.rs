//! What a worker does with the messages of one conversation. Everything that touches sessions is in this file.
//!
//! Works in memory: records go in, and what to store comes out, three times in a turn. Each time, the next part begins
//! once the engine has stored the part before it.

use std::collections::HashMap;

use bisik::content::{Content, ContentMeta, Kind, PersonId, Reference, SentAt, Text};
use bisik::conversation::{
    Arrival, Change, Changes, ConversationId, DeviceAddress, IdentityPolicy, Outgoing, ReceiveError, Received,
    Recipients, RecordName,
};
use bisik::device::{DeviceDirectory, DeviceList};
use bisik::{Account, BlockId, Ciphertext, Conversation, Plaintext, StorageKey, Timestamp, Trust};

use crate::Outcome;
use crate::engine::{Batch, BlockName, Claim, Mail, Name, Row, Sealed, Sent, Step};

/// One conversation with its messages, between two stores.
#[derive(Debug)]
pub struct Work {
    /// The conversation with its new state.
    pub conversation: Conversation,
    /// The messages that it has, some perhaps received by a worker that died before it could settle them.
    pub claims: Vec<Claim>,
    /// The refused messages.
    pub refused: Vec<Refused>,
    /// Identifies this computation.
    attempt: [u8; 8],
    /// Whether the inbox has more than one part takes.
    more: bool,
    rows: Vec<Row>,
    outgoing: Option<Outgoing>,
    mail: Vec<Sent>,
    sealed: Option<Changes>,
}

/// A message that was refused.
#[derive(Debug)]
pub struct Refused {
    /// The message.
    pub claim: Claim,
    /// The reason, for the person who examines messages that were given up.
    pub why: &'static str,
    /// Whether trying again can help.
    pub again: bool,
}

/// Returns the blocks that a conversation's record names.
///
/// # Errors
///
/// If the record does not open.
pub fn blocks(key: &StorageKey, name: Name, record: &[u8]) -> Outcome<Vec<BlockName>> {
    let named = Conversation::named_blocks(key, ConversationId::from_bytes(name), record)?;
    Ok(named.iter().map(|id| *id.as_bytes()).collect())
}

/// Opens the conversation from its record and blocks, or creates it for a customer that writes for the first time.
///
/// # Errors
///
/// If the record does not open, or if the list is not that of the customer whose conversation has this name.
pub fn open(
    account: &Account,
    key: &StorageKey,
    name: Name,
    record: Option<&[u8]>,
    blocks: &HashMap<BlockName, Vec<u8>>,
    list: Option<&[u8]>,
    now: Timestamp,
) -> Outcome<Conversation> {
    if let Some(record) = record {
        let block = |id: BlockId| blocks.get(id.as_bytes()).cloned();
        return Ok(Conversation::unseal(account, key, ConversationId::from_bytes(name), record, block)?);
    }
    let list = DeviceList::from_bytes(list.ok_or("this customer's list is unknown")?)?;
    // The name commits to the account key, and that key signs the list: a relay cannot substitute another list.
    if ConversationId::between(account.key(), list.account()).as_bytes() != &name {
        return Err("the list is another customer's".into());
    }
    let directory = DeviceDirectory::trust(&list, Trust::Pinned(list.account().identity()), now)?;
    let (mut conversation, _) = Conversation::new(account, directory, &[], IdentityPolicy::Notify, now);
    // A business hears everybody.
    conversation.accept();
    Ok(conversation)
}

impl Work {
    /// First part: receives the messages.
    #[must_use]
    pub fn receive(account: &mut Account, conversation: Conversation, claims: Vec<Claim>, now: Timestamp) -> Self {
        let mut work = Self {
            conversation,
            claims: Vec::new(),
            refused: Vec::new(),
            attempt: rand::random(),
            more: true,
            rows: Vec::new(),
            outgoing: None,
            mail: Vec::new(),
            sealed: None,
        };
        let (mut arrivals, mut arrived) = (Vec::new(), Vec::new());
        for claim in claims {
            if claim.received {
                // Another worker has received it: it is in the record, and perhaps in the inbox.
                work.claims.push(claim);
                continue;
            }
            match Ciphertext::from_bytes(&claim.mail.bytes) {
                Ok(ciphertext) => {
                    arrivals.push(Arrival { from: DeviceAddress::peer(0), ciphertext });
                    arrived.push(claim);
                }
                Err(_) => work.refused.push(Refused { claim, why: "not a message", again: false }),
            }
        }
        for (claim, result) in arrived.into_iter().zip(work.conversation.receive(account, &arrivals, now)) {
            let (why, again) = match result {
                Ok(()) | Err(ReceiveError::Duplicate) => {
                    work.claims.push(claim);
                    continue;
                }
                // The conversation remembers it, and asks the customer's device, which sends again what is missing.
                Err(ReceiveError::Unreadable) => ("no session reads it", true),
                Err(ReceiveError::ProtocolViolation) => ("not allowed from a customer", false),
                Err(_) => ("lists or pre-keys are outdated, or too much waits", true),
            };
            work.refused.push(Refused { claim, why, again });
        }
        work
    }

    /// Second part: the stored messages become rows of the application, each question is answered, and everything that
    /// is due becomes envelopes.
    ///
    /// What another worker has left is in the inbox too, and due too. A question that cannot be answered now, because a
    /// list has expired, still becomes a row; what cannot be sent now remains due. A transaction is not boundless, so
    /// this takes a number of messages at a time, until [`Work::has_more`] is false.
    pub fn answer(&mut self, account: &Account, now: Timestamp) {
        let rng = &mut rand::rng();
        let (mut last, mut answers) = (None, Vec::new());
        self.more = self.conversation.inbox().nth(AT_ONCE).is_some();
        for (number, received) in self.conversation.inbox().take(AT_ONCE) {
            last = Some(number);
            let Received::Message { id, body, .. } = received else { continue };
            let body = match body {
                Plaintext::Confirmed(body) => body,
                // A stranger's first words. Only who holds the identity that they name can read the answer.
                Plaintext::Unconfirmed(body) => body.peek_unconfirmed(),
            };
            let (text, answer) = answer(body, self.conversation.peer(), now);
            let (conversation, attempt) = (*self.conversation.id().as_bytes(), self.attempt);
            self.rows.push(Row { conversation, id: id.to_bytes(), text, attempt });
            answers.extend(answer);
        }
        for answer in answers {
            let _refused = self.conversation.send(account, answer.as_body(), Recipients::All, now, rng).is_err();
        }
        if let Some(last) = last {
            self.conversation.settle(last);
        }
        // Customers here publish no bundles. The device that asks has a session.
        if self.conversation.due(account, now).at.is_some_and(|at| at <= now) {
            self.outgoing = self.conversation.flush(account, &[], now, rng).ok();
        }
    }

    /// Returns whether messages of the inbox are left to be answered.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.more
    }

    /// Seals what a part has changed. With the `last` one, the messages leave the queue.
    ///
    /// # Errors
    ///
    /// If `key` is not the one that opened the records.
    pub fn seal(&mut self, account: &mut Account, key: &StorageKey, last: bool, batch: &mut Batch) -> Outcome<()> {
        let changes = self.conversation.seal(account, key, &mut rand::rng())?;
        let mut step = Step {
            conversation: *self.conversation.id().as_bytes(),
            blocks: Vec::new(),
            record: None,
            ended: Vec::new(),
            rows: std::mem::take(&mut self.rows),
            mail: std::mem::take(&mut self.mail),
            received: self.claims.iter().filter(|claim| !claim.received).map(|claim| claim.token).collect(),
            claims: if last { self.claims.iter().map(|claim| claim.token).collect() } else { Vec::new() },
        };
        for change in changes.writes() {
            match change {
                Change::Put(block) => step.blocks.push((*block.id().as_bytes(), block.as_bytes().to_vec())),
                Change::Record(record) => {
                    let (expected, revision, bytes) = (record.expected, record.revision, record.bytes.clone());
                    let sealed = Some(Sealed { expected, revision, bytes });
                    match record.name {
                        RecordName::Account => batch.account = sealed,
                        RecordName::Conversation(_) => step.record = sealed,
                    }
                }
                Change::Delete(id) => step.ended.push(*id.as_bytes()),
                // Only where a peer's account key is replaced, which nobody does here.
                Change::Remove(_) => {}
            }
        }
        batch.steps.push(step);
        self.sealed = Some(changes);
        Ok(())
    }

    /// The engine has stored what was sealed: the inbox shows it, and the envelopes are for the relay.
    pub fn is_stored(&mut self) {
        let Some(changes) = self.sealed.take() else { return };
        self.claims.iter_mut().for_each(|claim| claim.received = true);
        let (revision, attempt, conversation) =
            (self.conversation.revision(), self.attempt, *self.conversation.id().as_bytes());
        let stored = changes.stored();
        let _mine = self.conversation.stored(&stored);
        let Some(Ok((envelopes, handover))) = self.outgoing.take().map(|outgoing| outgoing.release(&stored)) else {
            return;
        };
        // Stored in one transaction with the envelopes.
        self.conversation.handed(handover);
        self.mail.extend(envelopes.into_iter().map(|envelope| {
            let mail = Mail { conversation, id: rand::random(), bytes: envelope.ciphertext.into_bytes() };
            Sent { mail, revision, attempt }
        }));
    }

    /// Returns all its messages, for another try.
    #[must_use]
    pub fn into_claims(self) -> Vec<Claim> {
        self.claims.into_iter().chain(self.refused.into_iter().map(|refused| refused.claim)).collect()
    }
}

/// Returns the text of the question, and the answer. The answer refers to the question and is marked as automated
/// (P-7.17).
fn answer(body: &[u8], customer: &DeviceDirectory, now: Timestamp) -> (String, Option<Content>) {
    let Ok(asked) = Content::from_body(body) else { return ("nothing that can be read".into(), None) };
    let Kind::Text(question) = asked.kind() else { return ("something else than a text".into(), None) };
    let text = question.body.to_string();
    let author = PersonId::from(customer.account().identity());
    let sent = SentAt::from_unix_milliseconds(now.as_unix_seconds().saturating_mul(1_000));
    let answer = sent.and_then(|sent| {
        let mut meta = ContentMeta::new(sent, &mut rand::rng());
        meta.automated = true;
        meta.reply_to = Some(Reference { author, id: asked.meta().id });
        Content::new(meta, Kind::Text(Text::new(format!("answer to {text}"))))
    });
    (text, answer.ok())
}

/// Messages of an inbox that one part answers.
const AT_ONCE: usize = 64;
