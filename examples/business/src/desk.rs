//! What a worker does with the messages of one conversation: everything that touches sessions is here.
//!
//! Does not know the engine: records in, what is to be stored out. Nothing is sent or shown from here.

use bisik::content::{Content, Envelope, Kind, PersonId, Reference, SentAt, Text};
use bisik::conversation::{
    Arrival, ConversationId, DeviceAddress, Event, IdentityPolicy, MessageId, Needed, ReceiveError, Received,
    RecordName, Supply,
};
use bisik::device::{DeviceDirectory, DeviceList};
use bisik::{Account, Ciphertext, Conversation, StorageKey, Timestamp, Trust};

use crate::Outcome;
use crate::engine::{Batch, Claim, Mail, Name, Row, Sealed, Sent, Step};

/// What has come of the messages of one conversation, before it is stored.
#[derive(Debug)]
pub struct Work {
    /// The conversation as it is now.
    pub conversation: Conversation,
    /// The messages that were taken, in the order in which they came.
    pub taken: Vec<u64>,
    /// Those that were taken before, perhaps by a worker that died before it could say so.
    pub known: Vec<Claim>,
    /// Those that are refused.
    pub refused: Vec<Refused>,
    /// Of this computation.
    attempt: [u8; 8],
    rows: Vec<Row>,
    outgoing: Vec<Mail>,
    owed: Vec<Mail>,
    confirmed: Vec<[u8; 16]>,
}

/// A message that was not taken.
#[derive(Debug)]
pub struct Refused {
    /// The message.
    pub claim: Claim,
    /// Why, for the person who looks at what is buried.
    pub why: &'static str,
    /// Whether another try is of use.
    pub again: bool,
}

/// The conversation from its record, or a new one with a customer who writes for the first time.
///
/// # Errors
///
/// Where the record does not open, or the list is not of a customer whose conversation has this name.
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
    let list = DeviceList::from_bytes(list.ok_or("nobody knows this customer")?)?;
    // The name commits to the account key, and the list is signed with it: a relay can give no other list.
    if ConversationId::between(account.key(), list.account()).as_bytes() != &name {
        return Err("the list is of another customer".into());
    }
    let directory = DeviceDirectory::trust(&list, Trust::Pinned(list.account().identity()), now)?;
    Ok(Conversation::new(account, directory, &[], IdentityPolicy::Notify, now).0)
}

/// Takes the messages, answers each question, acknowledges. Everything stays in memory. What cannot be answered now is a row
/// all the same, and owed acknowledgements stay owed.
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
                // The device that asks has a session; a bundle of another one is not worth waiting for.
                let missing = devices(&conversation.plan(account));
                let supply = Supply { bundles: &[], unavailable: &missing };
                if let Ok(sent) = conversation.send(account, answer.as_body(), &supply, now, rng) {
                    outgoing.extend(mail(name, sent.for_outbox()));
                }
            }
            Err(ReceiveError::Replayed) => known.push(claim),
            // Asked for again, with what is owed; where that was in vain three times, a person has to look.
            // Without a session to ask in, nobody would ever be asked.
            Err(ReceiveError::Lost) if devices(&conversation.plan(account)).contains(&from) => {
                refused.push(Refused { claim, why: "lost, and there is no session to ask for it in", again: true })
            }
            Err(ReceiveError::Lost) if conversation.ask_again(id, from) => taken.push(claim.token),
            Err(ReceiveError::Lost) => refused.push(Refused { claim, why: "lost, and asked for in vain", again: true }),
            Err(ReceiveError::Rejected) => refused.push(Refused { claim, why: "does not verify", again: true }),
            Err(ReceiveError::Misbehaved) => {
                refused.push(Refused { claim, why: "not what a customer may write", again: false })
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

/// What is asked, and the answer: it says what it answers, and that a machine wrote it [P-7.17].
fn answer(body: &[u8], customer: &DeviceDirectory, now: Timestamp) -> (String, Option<Content>) {
    let Ok(asked) = Content::from_body(body) else { return ("nothing that can be read".into(), None) };
    let Kind::Text(question) = asked.kind() else { return ("something else than a text".into(), None) };
    let text = question.body.to_string();
    let author = PersonId::from(customer.account().identity());
    let sent = SentAt::from_unix_milliseconds(now.as_unix_seconds().saturating_mul(1_000));
    let answer = sent.and_then(|sent| {
        let mut envelope = Envelope::new(sent, &mut rand::rng());
        envelope.automated = true;
        envelope.reply_to = Some(Reference { author, id: asked.envelope().id });
        Content::new(envelope, Kind::Text(Text::new(format!("answer to {text}"))))
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

/// Seals everything that has changed: each conversation, and the account once.
#[must_use]
pub fn seal(account: &mut Account, works: &mut [Work], bundles: Vec<Vec<u8>>, key: &StorageKey) -> Batch {
    let rng = &mut rand::rng();
    let mut batch = Batch { bundles, ..Batch::default() };
    for work in works {
        if work.taken.is_empty() {
            continue;
        }
        let attempt = work.attempt;
        for record in work.conversation.seal(account, key, rng).records() {
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
    batch
}

/// Forgets the pre-key of a first message whose session is stored already, where a worker died between the two. The session
/// that this sets up again is dropped. `false` where the account has forgotten it.
#[must_use]
pub fn forget_pre_key(account: &mut Account, conversation: &Conversation, mail: &Mail, now: Timestamp) -> bool {
    let Ok(ciphertext) = Ciphertext::from_bytes(&mail.bytes) else { return false };
    if !ciphertext.is_first() {
        return false;
    }
    let arrival = Arrival { id: MessageId::from_bytes(mail.id), from: DeviceAddress::peer(0), ciphertext };
    let (mut scratch, _) = Conversation::new(account, conversation.peer().clone(), &[], IdentityPolicy::Notify, now);
    scratch.receive(account, &arrival, now).is_ok()
}
