//! What a worker does with the messages of one conversation. Everything that touches sessions is in this file.
//!
//! Works in memory: records go in, and the results to store come out. Nothing is sent or shown from here.

use bisik::content::{Content, ContentMeta, Kind, PersonId, Reference, SentAt, Text};
use bisik::conversation::{
    Arrival, ConversationId, DeviceAddress, Event, IdentityPolicy, MessageId, Needed, ReceiveError, Received,
    RecordName, Supply,
};
use bisik::device::{DeviceDirectory, DeviceList};
use bisik::{Account, Ciphertext, Conversation, SealError, StorageKey, Timestamp, Trust};

use crate::Outcome;
use crate::engine::{Batch, Claim, Mail, Name, Row, Sealed, Sent, Step};

/// The results of a conversation's messages, before they are stored.
#[derive(Debug)]
pub struct Work {
    /// The conversation with its new state.
    pub conversation: Conversation,
    /// The accepted messages, in order of arrival.
    pub taken: Vec<u64>,
    /// Messages that were accepted earlier, perhaps by a worker that died before it could settle them.
    pub known: Vec<Claim>,
    /// The refused messages.
    pub refused: Vec<Refused>,
    /// Identifies this computation.
    attempt: [u8; 8],
    rows: Vec<Row>,
    outgoing: Vec<Mail>,
    owed: Vec<Mail>,
    confirmed: Vec<[u8; 16]>,
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

/// Opens the conversation from its record, or creates it for a customer that writes for the first time.
///
/// # Errors
///
/// If the record does not open, or if the list is not that of the customer whose conversation has this name.
pub fn open(
    account: &Account,
    key: &StorageKey,
    name: Name,
    record: Option<&[u8]>,
    list: Option<&[u8]>,
    now: Timestamp,
) -> Outcome<Conversation> {
    if let Some(record) = record {
        return Ok(Conversation::unseal(account, key, ConversationId::from_bytes(name), record)?);
    }
    let list = DeviceList::from_bytes(list.ok_or("this customer's list is unknown")?)?;
    // The name commits to the account key, and that key signs the list: a relay cannot substitute another list.
    if ConversationId::between(account.key(), list.account()).as_bytes() != &name {
        return Err("the list is another customer's".into());
    }
    let directory = DeviceDirectory::trust(&list, Trust::Pinned(list.account().identity()), now)?;
    Ok(Conversation::new(account, directory, &[], IdentityPolicy::Notify, now).0)
}

/// Receives the messages, answers each question, and acknowledges. Everything stays in memory.
///
/// A question that cannot be answered now still becomes a row, and acknowledgements that cannot be sent now remain due.
#[must_use]
pub fn attend(account: &mut Account, mut conversation: Conversation, claims: Vec<Claim>, now: Timestamp) -> Work {
    let rng = &mut rand::rng();
    let name = *conversation.id().as_bytes();
    let (mut taken, mut known, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut outgoing, mut confirmed) = (Vec::new(), Vec::new(), Vec::new());
    let attempt: [u8; 8] = rand::random();
    for claim in claims {
        let id = MessageId::from_bytes(claim.mail.id);
        let from = DeviceAddress::peer(0);
        let Ok(ciphertext) = Ciphertext::from_bytes(&claim.mail.bytes) else {
            refused.push(Refused { claim, why: "not a message", again: false });
            continue;
        };
        match conversation.receive(account, &Arrival { id, from, ciphertext }, now) {
            Ok(incoming) => {
                taken.push(claim.token);
                let (received, events) = incoming.for_inbox();
                confirmed.extend(events.iter().filter_map(delivered));
                let Received::Message { body, .. } = received else { continue };
                let (text, answer) = answer(body, conversation.peer(), now);
                rows.push(Row { conversation: name, id: claim.mail.id, text, attempt });
                let Some(answer) = answer else { continue };
                // The device that asks has a session. A bundle for another device is not worth waiting for.
                let missing = devices(&conversation.plan(account));
                let supply = Supply { bundles: &[], unavailable: &missing };
                if let Ok(sent) = conversation.send(account, answer.as_body(), &supply, now, rng) {
                    outgoing.extend(mail(name, sent.for_outbox()));
                }
            }
            Err(ReceiveError::Replayed) => known.push(claim),
            // The message is requested again together with the acknowledgements. After three requests in vain it is
            // given up and kept for a person to look at. Without a session to request it in, nobody would ever be
            // asked.
            Err(ReceiveError::SessionLost) if devices(&conversation.plan(account)).contains(&from) => {
                refused.push(Refused { claim, why: "lost, and there is no session to ask for it in", again: true })
            }
            Err(ReceiveError::SessionLost) if conversation.ask_again(id, from) => taken.push(claim.token),
            Err(ReceiveError::SessionLost) => {
                refused.push(Refused { claim, why: "lost, and requested in vain", again: true })
            }
            Err(ReceiveError::Rejected) => refused.push(Refused { claim, why: "does not verify", again: true }),
            Err(ReceiveError::ProtocolViolation) => {
                refused.push(Refused { claim, why: "not allowed from a customer", again: false })
            }
            Err(_) => refused.push(Refused { claim, why: "lists or pre-keys are outdated", again: true }),
        }
    }
    let mut acknowledgements = Vec::new();
    if conversation.owes(now) {
        let missing = devices(&conversation.due(account, now));
        let supply = Supply { bundles: &[], unavailable: &missing };
        if let Ok(owed) = conversation.flush(account, &supply, now, rng) {
            acknowledgements.extend(mail(name, owed.for_outbox()));
        }
    }
    Work { conversation, taken, known, refused, attempt, rows, outgoing, owed: acknowledgements, confirmed }
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

fn devices(needed: &[Needed]) -> Vec<DeviceAddress> {
    needed.iter().map(|needed| needed.device).collect()
}

fn mail(name: Name, envelopes: &[bisik::conversation::Envelope]) -> impl Iterator<Item = Mail> + '_ {
    envelopes.iter().map(move |envelope| Mail {
        conversation: name,
        id: *envelope.id.as_bytes(),
        bytes: envelope.ciphertext.as_bytes().to_vec(),
    })
}

fn delivered(event: &Event) -> Option<[u8; 16]> {
    if let Event::Delivered { id, .. } = event { Some(*id.as_bytes()) } else { None }
}

/// Seals every changed record: each conversation, and the account at most once.
///
/// # Errors
///
/// [`SealError`] if `key` is not the one that opened the records.
pub fn seal(
    account: &mut Account,
    works: &mut [Work],
    bundles: Vec<Vec<u8>>,
    key: &StorageKey,
) -> Result<Batch, SealError> {
    let rng = &mut rand::rng();
    let mut batch = Batch { bundles, ..Batch::default() };
    for work in works {
        if work.taken.is_empty() {
            continue;
        }
        let attempt = work.attempt;
        for record in work.conversation.seal(account, key, rng)?.records() {
            let sealed = Sealed { expected: record.expected, revision: record.revision, bytes: record.bytes.clone() };
            if record.name == RecordName::Account {
                batch.account = Some(sealed);
                continue;
            }
            let sent = |mail| Sent { mail, revision: record.revision, attempt };
            batch.steps.push(Step {
                conversation: *work.conversation.id().as_bytes(),
                record: sealed,
                claims: work.taken.clone(),
                rows: std::mem::take(&mut work.rows),
                outgoing: std::mem::take(&mut work.outgoing).into_iter().map(sent).collect(),
                owed: std::mem::take(&mut work.owed).into_iter().map(sent).collect(),
                confirmed: std::mem::take(&mut work.confirmed),
            });
        }
    }
    Ok(batch)
}

/// Deletes the pre-key of a first message whose session is already stored, after a worker died between the two writes.
///
/// The session that this sets up again is dropped. Returns `false` if the account has already deleted the pre-key.
#[must_use]
pub fn forget_pre_key(account: &mut Account, conversation: &Conversation, mail: &Mail, now: Timestamp) -> bool {
    let Ok(ciphertext) = Ciphertext::from_bytes(&mail.bytes) else { return false };
    if !ciphertext.is_pre_key_message() {
        return false;
    }
    let arrival = Arrival { id: MessageId::from_bytes(mail.id), from: DeviceAddress::peer(0), ciphertext };
    let (mut scratch, _) = Conversation::new(account, conversation.peer().clone(), &[], IdentityPolicy::Notify, now);
    scratch.receive(account, &arrival, now).is_ok()
}
