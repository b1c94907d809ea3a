//! The customers: thousands of accounts, each with one conversation with the business, all in one process.
//!
//! Nothing is stored here, because this process is never killed. `examples/conversation` shows how a client stores its
//! state.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bisik::content::{Content, ContentId, ContentMeta, Kind, PersonId, Reference, SentAt, Text};
use bisik::conversation::{Arrival, ConversationId, DeviceAddress, IdentityPolicy, ReceiveError, Received, Recipients};
use bisik::device::{AccountKey, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::{Account, Ciphertext, Conversation, Plaintext, PreKeyBundle, StorageKey, Timestamp, Trust, VerifiedBundle};

use crate::engine::{Mail, Name, Post};
use crate::{Outcome, now};

/// Returns a question of a customer.
#[must_use]
pub fn question(customer: usize, number: usize) -> String {
    format!("question {number} of customer {customer}")
}

/// Returns all questions of all customers, each with the number of its customer.
pub fn questions(customers: usize, questions: usize) -> impl Iterator<Item = (usize, String)> {
    (0..customers).flat_map(move |customer| (1..=questions).map(move |number| (customer, question(customer, number))))
}

struct Customer {
    account: Account,
    conversation: Conversation,
    asked: usize,
    /// The ids of the questions. Each answer refers to one.
    questions: Vec<ContentId>,
    /// How often each answer was shown.
    shown: Vec<usize>,
}

impl Customer {
    /// Returns the number of the question that this content answers. It must refer to the question, repeat its text,
    /// and be marked as automated, because only a program answers here.
    fn answered_by(&self, index: usize, answer: &Content) -> Option<usize> {
        let Kind::Text(text) = answer.kind() else { return None };
        let author = PersonId::from(self.account.key().identity());
        let to = |id: &ContentId| answer.meta().reply_to == Some(Reference { author: author.clone(), id: *id });
        let number = 1 + self.questions.iter().position(to)?;
        let words = *text.body == *format!("answer to {}", question(index, number));
        (words && answer.meta().automated).then_some(number)
    }
}

/// All customers.
pub struct Customers {
    post: Box<dyn Post>,
    everyone: Vec<Customer>,
    by_name: HashMap<Name, usize>,
    business: AccountKey,
    last_resort: VerifiedBundle,
    bundles: VecDeque<Vec<u8>>,
    key: StorageKey,
    questions: usize,
    /// Envelopes that were refused as replayed.
    pub again: usize,
    /// Envelopes that could not be read.
    pub unreadable: usize,
    /// Contents that answer none of the customer's questions.
    pub strange: usize,
}

/// The result, counted on the customers' side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Answers that were shown once.
    pub once: usize,
    /// Answers that were shown again.
    pub twice: usize,
    /// Envelopes that were refused as replayed.
    pub again: usize,
    /// Envelopes that could not be read, or whose content was no expected answer.
    pub unreadable: usize,
}

impl Customers {
    /// Creates `count` accounts and publishes their lists. They know the business by its key.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or the business has another key.
    pub fn new(mut post: Box<dyn Post>, business: AccountKey, count: usize, questions: usize) -> Outcome<Self> {
        let rng = &mut rand::rng();
        let now = now()?;
        let (list, last_resort) = post.business()?;
        let trust = Trust::Pinned(business.identity());
        let directory = DeviceDirectory::trust(&DeviceList::from_bytes(&list)?, trust, now)?;
        let last_resort = PreKeyBundle::from_bytes(&last_resort)?.verify(trust, now)?;
        let (mut everyone, mut lists) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let mut account = Account::create(DeviceTerms::person(), now, rng);
            // What the server needs, without one-time bundles: the business answers in the customer's session.
            let list = account.replenish(0, now, rng)?.list.ok_or("not the primary device")?.to_bytes();
            lists.push((*ConversationId::between(account.key(), &business).as_bytes(), list));
            let (conversation, _) = Conversation::new(&account, directory.clone(), &[], IdentityPolicy::Block, now);
            let shown = vec![0; questions + 1];
            everyone.push(Customer { account, conversation, asked: 0, questions: Vec::new(), shown });
        }
        post.publish_lists(&lists)?;
        let by_name = lists.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
        let key = StorageKey::generate(rng);
        let (bundles, again, unreadable, strange) = (VecDeque::new(), 0, 0, 0);
        Ok(Self { post, everyone, by_name, business, last_resort, bundles, key, questions, again, unreadable, strange })
    }

    /// Waits for the answers of the previous round, then lets every customer ask its next question.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or answers do not arrive.
    pub fn ask_all(&mut self) -> Outcome<()> {
        let mut waiting = Instant::now();
        while self.everyone.iter().any(|customer| customer.shown[1..=customer.asked].contains(&0)) {
            if self.take(false)? {
                waiting = Instant::now();
            } else if waiting.elapsed() > PATIENCE {
                return Err("no answers arrive".into());
            }
        }
        self.ask_more()
    }

    /// Lets every customer ask its next question, without waiting for anything.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub fn ask_more(&mut self) -> Outcome<()> {
        for start in (0..self.everyone.len()).step_by(CHUNK) {
            let mut mail = Vec::new();
            for index in start..self.everyone.len().min(start + CHUNK) {
                mail.extend(self.ask(index)?);
            }
            self.post.send(&mail)?;
        }
        Ok(())
    }

    /// Lets every customer ask all its questions, each after the answer to the previous one. A hostile relay adds
    /// damaged, invented and duplicated messages. Returns the number of messages that can never be accepted. Every few
    /// seconds, `progress` gets the number of answered questions.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or answers do not arrive.
    pub fn run(&mut self, mut progress: impl FnMut(usize) -> Outcome<()>) -> Outcome<usize> {
        let (mut next, mut waiting, mut mischief, mut told) = (0, Instant::now(), 0, Instant::now());
        loop {
            if told.elapsed() > TELL {
                let shown = self.everyone.iter().flat_map(|customer| &customer.shown[1..]);
                progress(shown.filter(|times| **times > 0).count())?;
                told = Instant::now();
            }
            let mut mail = Vec::new();
            while next < self.everyone.len() && mail.len() < CHUNK && self.has_bundle(&waiting)? {
                mail.extend(self.ask(next)?);
                if next % MISCHIEF == 0 {
                    let (bad, hopeless) = mischief_with(&mail);
                    mischief += hopeless;
                    mail.extend(bad);
                }
                next += 1;
            }
            if !mail.is_empty() {
                self.post.send(&mail)?;
            }
            if self.take(true)? || !mail.is_empty() {
                waiting = Instant::now();
            } else if waiting.elapsed() > PATIENCE {
                return Err("no answers arrive".into());
            }
            if next == self.everyone.len() && self.everyone.iter().all(|customer| !customer.shown[1..].contains(&0)) {
                return Ok(mischief);
            }
        }
    }

    /// Processes what still arrives, until nothing has arrived for `quiet`.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached.
    pub fn finish(&mut self, quiet: Duration) -> Outcome<Tally> {
        let mut last = Instant::now();
        while self.take(false)? || last.elapsed() < quiet {
            last = if self.take(false)? { Instant::now() } else { last };
        }
        let shown = || self.everyone.iter().flat_map(|customer| &customer.shown[1..]);
        Ok(Tally {
            once: shown().filter(|times| **times == 1).count(),
            twice: shown().map(|times| times.saturating_sub(1)).sum(),
            again: self.again,
            unreadable: self.unreadable + self.strange,
        })
    }

    /// Returns whether the next customer can start with a one-time bundle. After a while without one, the last-resort
    /// bundle is used.
    fn has_bundle(&mut self, waiting: &Instant) -> Outcome<bool> {
        if self.bundles.is_empty() {
            self.bundles.extend(self.post.take_bundles(CHUNK)?);
        }
        Ok(!self.bundles.is_empty() || waiting.elapsed() > BUNDLES)
    }

    fn ask(&mut self, index: usize) -> Outcome<Vec<Mail>> {
        let now = now()?;
        let customer = &mut self.everyone[index];
        customer.asked += 1;
        let rng = &mut rand::rng();
        let meta = ContentMeta::new(SentAt::from_unix_milliseconds(now.as_unix_seconds() * 1_000)?, rng);
        customer.questions.push(meta.id);
        let content = Content::new(meta, Kind::Text(Text::new(question(index, customer.asked))))?;
        customer.conversation.send(&customer.account, content.as_body(), Recipients::All, now, rng)?;
        self.flush(index, now)
    }

    /// Returns what is due for a customer.
    fn flush(&mut self, index: usize, now: Timestamp) -> Outcome<Vec<Mail>> {
        let Customer { account, conversation, .. } = &mut self.everyone[index];
        let due = conversation.due(account, now);
        if due.bundles.is_empty() && due.at.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        let mut bundles = Vec::new();
        for needed in due.bundles {
            if self.bundles.is_empty() {
                self.bundles.extend(self.post.take_bundles(CHUNK)?);
            }
            let bundle = match self.bundles.pop_front() {
                Some(bytes) => PreKeyBundle::from_bytes(&bytes)?.verify(Trust::Pinned(&needed.key), now)?,
                None => self.last_resort.clone(),
            };
            bundles.push((needed.device, bundle));
        }
        let rng = &mut rand::rng();
        let outgoing = conversation.flush(account, &bundles, now, rng)?;
        // A customer with a database stores these before it sends.
        let stored = conversation.seal(account, &self.key, rng)?.stored();
        let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "not stored")?;
        conversation.handed(handover);
        let conversation = *conversation.id().as_bytes();
        let mail = envelopes.into_iter().map(|envelope| Mail {
            conversation,
            id: rand::random(),
            bytes: envelope.ciphertext.into_bytes(),
        });
        Ok(mail.collect())
    }

    /// Processes arrived messages, and sends what is due. Returns whether there were any. With `go_on`, customers that
    /// received an answer ask their next question.
    fn take(&mut self, go_on: bool) -> Outcome<bool> {
        let arrived = self.post.fetch(CHUNK)?;
        if arrived.is_empty() {
            std::thread::sleep(IDLE);
            return Ok(false);
        }
        let now = now()?;
        let mut outgoing = Vec::new();
        for mail in arrived {
            let Some(index) = self.by_name.get(&mail.conversation).copied() else {
                self.strange += 1;
                continue;
            };
            let answered = self.read(index, &mail, now)?;
            if answered && go_on && self.everyone[index].asked < self.questions {
                outgoing.extend(self.ask(index)?);
            } else {
                outgoing.extend(self.flush(index, now)?);
            }
        }
        self.post.send(&outgoing)?;
        Ok(true)
    }

    /// Returns whether the message was an answer that was not shown before.
    fn read(&mut self, index: usize, mail: &Mail, now: Timestamp) -> Outcome<bool> {
        let customer = &mut self.everyone[index];
        let Ok(ciphertext) = Ciphertext::from_bytes(&mail.bytes) else {
            self.unreadable += 1;
            return Ok(false);
        };
        let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext };
        for result in customer.conversation.receive(&mut customer.account, &[arrival], now) {
            match result {
                Ok(()) => {}
                Err(ReceiveError::Duplicate) => self.again += 1,
                Err(_) => self.unreadable += 1,
            }
        }
        let stored = customer.conversation.seal(&mut customer.account, &self.key, &mut rand::rng())?.stored();
        let _mine = customer.conversation.stored(&stored);
        let (mut last, mut numbers) = (None, Vec::new());
        for (place, received) in customer.conversation.inbox() {
            last = Some(place);
            let Received::Message { body, .. } = received else { continue };
            // The business answers in a session that the customer has set up with it.
            let Plaintext::Confirmed(body) = body else { return Err("an answer from nobody".into()) };
            numbers.push(customer.answered_by(index, &Content::from_body(body)?));
        }
        last.into_iter().for_each(|last| customer.conversation.settle(last));
        for number in &numbers {
            match number {
                Some(number) => customer.shown[*number] += 1,
                None => self.strange += 1,
            }
        }
        Ok(numbers.iter().any(Option::is_some))
    }

    /// Returns the business's account key, as the customers know it.
    #[must_use]
    pub const fn business(&self) -> &AccountKey {
        &self.business
    }
}

/// Returns what a hostile relay makes of the last message: a duplicate, and three messages that can never be accepted.
fn mischief_with(mail: &[Mail]) -> (Vec<Mail>, usize) {
    let Some(last) = mail.last() else { return (Vec::new(), 0) };
    let invented = |bytes| Mail { conversation: last.conversation, id: rand::random(), bytes };
    let mut damaged = last.bytes.clone();
    if let Some(byte) = damaged.last_mut() {
        *byte ^= 1;
    }
    let noise: [u8; 256] = rand::random();
    let noise = [&[0x22], noise.as_slice()].concat();
    (vec![last.clone(), invented(damaged), invented(noise), invented(Vec::from(*b"?"))], 3)
}

/// Messages processed or sent at once.
const CHUNK: usize = 128;
/// One customer in this many has a hostile relay.
const MISCHIEF: usize = 50;
const IDLE: Duration = Duration::from_millis(2);
/// How often to tell how far it is.
const TELL: Duration = Duration::from_secs(5);
/// How long a customer waits for a one-time bundle.
const BUNDLES: Duration = Duration::from_secs(3);
/// The longest time without any message before the run fails.
const PATIENCE: Duration = Duration::from_secs(90);
