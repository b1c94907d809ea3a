//! The distributed engine: NATS JetStream. Messages are in a replicated work queue, and records in a replicated
//! key-value bucket whose revisions serve for compare-and-swap. A majority of the servers acknowledges each write.
//!
//! There is no transaction over two keys. So the value of a conversation holds the results of its messages until the
//! customer has confirmed the answer, and any worker that finds them there can deliver them again.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv::CreateErrorKind;
use async_nats::jetstream::message::AckKind;
use async_nats::jetstream::{self, Context, Message};
use futures_util::future::{join_all, try_join_all};
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::engine::{Batch, Books, Claim, Engine, Lane, Mail, Name, Post, Row, Sealed, Sent, Step, Verdict};
use crate::points::{Point, Points};
use crate::{Outcome, hex};

mod layout;
mod requests;
mod value;

use layout::{Layout, read_all};
use requests::{fetch, fetch_for, give, newest, patiently, publish, queue, swap};
use value::{Effect, Value};

/// A connection to the servers.
pub struct Nats {
    runtime: Runtime,
    context: Context,
    layout: Layout,
    /// Claimed messages by token.
    claimed: HashMap<u64, Message>,
    tokens: u64,
    /// Messages that may have killed their workers: fetched, and to be claimed one at a time.
    suspects: HashMap<&'static str, Vec<Message>>,
    /// For each conversation, the revision of the entry that the worker's record came from (0 if there was none), and
    /// the results stored with it.
    seen: HashMap<Name, (u64, Vec<Effect>)>,
    /// The revision of the account that the worker holds, and when it was last compared.
    account: (u64, Instant),
    /// When first messages were last requested.
    tried: Instant,
    compare: bool,
}

impl Nats {
    /// Connects to servers (`nats://host:port`, several separated by commas) and creates the streams and buckets whose
    /// names begin with `prefix`, if they do not exist. After `lease`, a claimed message is delivered to another
    /// worker.
    ///
    /// # Errors
    ///
    /// If no server can be reached within half a minute.
    pub fn open(url: &str, prefix: &str, lease: Duration) -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (context, layout) = runtime.block_on(async {
            patiently(async || {
                let servers: Vec<async_nats::ServerAddr> = url.split(',').map(str::parse).collect::<Result<_, _>>()?;
                let client = async_nats::ConnectOptions::new().connect(servers).await?;
                let context = jetstream::new(client);
                let layout = Layout::open(&context, prefix, lease).await?;
                Ok((context, layout))
            })
            .await
        })?;
        let (claimed, suspects, seen) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (account, tried) = ((0, Instant::now()), Instant::now());
        Ok(Self { runtime, context, layout, claimed, tokens: 0, suspects, seen, account, tried, compare: true })
    }

    /// For a test of the audit: stores conversations without comparing revisions.
    #[must_use]
    pub fn without_compare_and_swap(self) -> Self {
        Self { compare: false, ..self }
    }

    /// Removes all streams and buckets whose names begin with the prefix.
    ///
    /// # Errors
    ///
    /// If the servers cannot be reached.
    pub fn clear(url: &str, prefix: &str) -> Outcome<()> {
        let nats = Self::open(url, prefix, Duration::from_secs(1))?;
        nats.runtime.block_on(nats.layout.remove(&nats.context))
    }

    async fn effects(context: &Context, layout: &Layout, effect: &Effect, points: &mut Points) -> Outcome<()> {
        let rows = effect.rows.iter().map(|row| async move {
            let key = format!("{}.{}.{}", hex(&row.conversation), hex(&row.id), hex(&row.attempt));
            match layout.inbox.create(key, postcard::to_stdvec(row)?.into()).await {
                Ok(_) => Ok(()),
                // Another worker created it: the key names the message and the computation that was stored.
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(()),
                Err(error) => Outcome::Err(error.into()),
            }
        });
        try_join_all(rows).await?;
        points.pass(Point::RowsWritten)?;
        let (mut sending, mut stopped) = (Vec::new(), Ok(()));
        for sent in effect.sent.iter().chain(&effect.owed) {
            stopped = points.pass(Point::Sending);
            if stopped.is_err() {
                break;
            }
            // The servers forget a repeated name after two minutes. A customer never shows a message twice.
            sending.push(async move {
                publish(context, layout.subject("out"), &name_of(&sent.mail), postcard::to_stdvec(sent)?).await
            });
        }
        try_join_all(sending).await?;
        stopped?;
        points.pass(Point::Sent)
    }

    /// Writes one conversation over the revision from which it was loaded.
    async fn put(&self, step: &Step) -> Outcome<Option<(u64, Vec<Effect>)>> {
        let (revision, kept) = self.seen.get(&step.conversation).cloned().unwrap_or_default();
        let (value, crowded) = Value::after(kept, step);
        for effect in crowded {
            // Delivered once more, in case that was not finished, and then dropped.
            Self::effects(&self.context, &self.layout, &effect, &mut Points::default()).await?;
        }
        let (key, bytes) = (hex(&step.conversation), postcard::to_stdvec(&value)?);
        let stored = if self.compare {
            swap(&self.layout.records, &key, bytes, revision).await?
        } else {
            Some(self.layout.records.put(key, bytes.into()).await?)
        };
        Ok(stored.map(|revision| (revision, value.effects)))
    }

    /// Returns the value of a conversation and the revision of this very entry; results are stored over no other.
    ///
    /// Any server may answer, and it may lag behind. With `fresh`, or if the conversation was loaded before in this
    /// turn, the leader answers.
    async fn load(&self, name: &Name, fresh: bool) -> Outcome<(u64, Option<Value>)> {
        let key = hex(name);
        let entry = if fresh || self.seen.contains_key(name) {
            newest(&self.layout.records, &key).await?
        } else {
            self.layout.records.entry(key).await?.map(|entry| (entry.revision, entry.value.to_vec()))
        };
        let Some((revision, bytes)) = entry else { return Ok((0, None)) };
        Ok((revision, Some(postcard::from_bytes(&bytes)?)))
    }

    /// Returns the fetched messages that are claimed now. A message that was delivered too often is claimed alone, so
    /// that one that kills its workers affects no other.
    fn without_suspects(&mut self, lane: &'static str, fetched: Vec<Message>) -> Vec<Message> {
        let often = |message: &Message| message.info().is_ok_and(|info| info.delivered.unsigned_abs() > SUSPECT);
        let (mut suspects, innocent): (Vec<_>, Vec<_>) = fetched.into_iter().partition(often);
        // In random order: messages before the one that kills are processed, and next time others come before it.
        suspects.shuffle(&mut rand::rng());
        let waiting = self.suspects.entry(lane).or_default();
        waiting.extend(suspects);
        if innocent.is_empty() { waiting.pop().into_iter().collect() } else { innocent }
    }

    async fn bury_mail(&self, mail: &Mail, why: &str) -> Outcome<()> {
        publish(&self.context, self.layout.subject("buried"), &name_of(mail), postcard::to_stdvec(&(mail, why))?).await
    }

    /// Returns the next messages of a lane, unless one is waiting to be claimed alone.
    async fn next(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Message>> {
        let name = if lane == Lane::First { "first" } else { "rest" };
        if let Some(alone) = self.suspects.get_mut(name).and_then(Vec::pop) {
            return Ok(vec![alone]);
        }
        let fetched = match lane {
            Lane::First => self.fetch_first(most).await?,
            Lane::Rest => fetch(&self.layout.rest, most).await?,
        };
        Ok(self.without_suspects(name, fetched))
    }

    /// Fetches one batch of first messages, unless another worker holds one. That worker may be dead, so the request is
    /// made anyway from time to time. It never waits for long; otherwise several workers would each wait for what the
    /// others hold.
    async fn fetch_first(&mut self, most: usize) -> Outcome<Vec<Message>> {
        let busy = self.layout.first.get_info().await?.num_ack_pending * 2 >= most;
        if busy && self.tried.elapsed() < GLANCE {
            return Ok(Vec::new());
        }
        self.tried = Instant::now();
        fetch_for(&self.layout.first, most, MOMENT).await
    }

    async fn settle(&mut self, tokens: &[u64]) -> Outcome<()> {
        for token in tokens {
            if let Some(message) = self.claimed.remove(token) {
                message.ack().await?;
            }
        }
        Ok(())
    }

    async fn commit_all(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        let stored = join_all(batch.steps.iter().map(|step| self.put(step))).await;
        points.pass(Point::ConversationWritten)?;
        let mut verdicts = Vec::new();
        for (step, stored) in batch.steps.iter().zip(stored) {
            verdicts.push(match stored {
                Ok(Some(seen)) => {
                    self.seen.insert(step.conversation, seen);
                    Verdict::Stored
                }
                Ok(None) => Verdict::Conflict,
                // A conversation that cannot be written does not block the others.
                Err(_) => Verdict::Unknown,
            });
        }
        if let Some(account) = &batch.account {
            // The computed account has deleted the pre-keys of all steps, stored or not.
            let whole = verdicts.iter().all(|verdict| *verdict == Verdict::Stored);
            if !(whole && self.put_account(account).await?) {
                let behind = |verdict| if verdict == Verdict::Stored { Verdict::KeysLeft } else { verdict };
                return Ok(verdicts.into_iter().map(behind).collect());
            }
            for some in batch.bundles.chunks(AT_ONCE) {
                try_join_all(some.iter().map(|bundle| give(&self.context, &self.layout, bundle))).await?;
            }
        }
        points.pass(Point::AccountWritten)?;
        let (mut effect, mut settled) = (Effect::default(), Vec::new());
        for (step, _) in batch.steps.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Stored) {
            effect.add(&Effect::of(step));
            settled.extend_from_slice(&step.claims);
        }
        Self::effects(&self.context, &self.layout, &effect, points).await?;
        self.settle(&settled).await?;
        Ok(verdicts)
    }

    async fn put_account(&mut self, account: &Sealed) -> Outcome<bool> {
        let expected = account.expected.map_or(0, |_| self.account.0);
        let stored = swap(&self.layout.records, ACCOUNT, account.bytes.clone(), expected).await?;
        if let Some(revision) = stored {
            self.account = (revision, Instant::now());
        }
        Ok(stored.is_some())
    }
}

impl Engine for Nats {
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        let runtime = self.runtime.handle().clone();
        let messages = runtime.block_on(self.next(lane, most))?;
        if lane == Lane::First {
            // A new turn: earlier claims have been settled, or will be delivered again.
            self.claimed.clear();
            self.seen.clear();
        }
        let mut claims = Vec::new();
        for message in messages {
            let Ok(mail) = postcard::from_bytes(&message.payload) else {
                let mail = Mail { conversation: [0; 16], id: [0; 16], bytes: message.payload.to_vec() };
                runtime.block_on(self.bury_mail(&mail, "not of this queue"))?;
                runtime.block_on(message.ack())?;
                continue;
            };
            let attempts = message.info()?.delivered.unsigned_abs();
            self.tokens += 1;
            claims.push(Claim { token: self.tokens, attempts, mail });
            self.claimed.insert(self.tokens, message);
        }
        Ok(claims)
    }

    fn account(&mut self, known: u64, fresh: bool) -> Outcome<Option<Vec<u8>>> {
        let (held, compared) = self.account;
        if known != 0 && !fresh && compared.elapsed() < GLANCE {
            return Ok(None);
        }
        // Reads from the bucket's leader. All workers change this record, so an old copy from a server that lags behind
        // is useless.
        let subject = format!("{}{ACCOUNT}", self.layout.records.prefix);
        let message = self.layout.records.stream.get_last_raw_message_by_subject(&subject);
        let message = self.runtime.block_on(message)?;
        self.account = (message.sequence, Instant::now());
        Ok((known == 0 || message.sequence != held).then(|| message.payload.to_vec()))
    }

    fn conversations(&mut self, names: &[Name], fresh: bool) -> Outcome<Vec<Option<Vec<u8>>>> {
        let loaded = self.runtime.block_on(try_join_all(names.iter().map(|name| self.load(name, fresh))))?;
        let mut records = Vec::new();
        for (name, (revision, value)) in names.iter().zip(loaded) {
            let (record, effects) = value.map_or((None, Vec::new()), |value| (Some(value.record), value.effects));
            self.seen.insert(*name, (revision, effects));
            records.push(record);
        }
        Ok(records)
    }

    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        let value = self.runtime.block_on(self.layout.lists.get(hex(&name)))?;
        Ok(value.map(|bytes| bytes.to_vec()))
    }

    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(self.commit_all(batch, points))
    }

    fn commit_account(&mut self, account: &Sealed) -> Outcome<bool> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(self.put_account(account))
    }

    fn finish(&mut self, claims: &[Claim]) -> Outcome<()> {
        let names: HashSet<Name> = claims.iter().map(|claim| claim.mail.conversation).collect();
        let mut all = Effect::default();
        for kept in names.iter().filter_map(|name| self.seen.get(name)).flat_map(|(_, kept)| kept) {
            all.add(kept);
        }
        let tokens: Vec<u64> = claims.iter().map(|claim| claim.token).collect();
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            Self::effects(&self.context, &self.layout, &all, &mut Points::default()).await?;
            self.settle(&tokens).await
        })
    }

    fn put_back(&mut self, claim: &Claim) -> Outcome<()> {
        let Some(message) = self.claimed.remove(&claim.token) else { return Ok(()) };
        self.runtime.block_on(message.ack_with(AckKind::Nak(Some(AGAIN))))
    }

    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            self.bury_mail(&claim.mail, why).await?;
            self.settle(&[claim.token]).await
        })
    }

    fn waiting(&mut self) -> Outcome<usize> {
        let info = self.runtime.block_on(self.layout.inbound.get_info())?;
        Ok(usize::try_from(info.state.messages)?)
    }
}

impl Post for Nats {
    fn publish_lists(&mut self, lists: &[(Name, Vec<u8>)]) -> Outcome<()> {
        for some in lists.chunks(AT_ONCE) {
            let puts = || some.iter().map(|(name, list)| self.layout.lists.put(hex(name), list.clone().into()));
            self.runtime.block_on(patiently(async || Ok(try_join_all(puts()).await?)))?;
        }
        Ok(())
    }

    fn business(&mut self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let value = |name| self.runtime.block_on(self.layout.lists.get(name));
        let (list, last_resort) = (value(LIST)?.ok_or("no business")?, value(LAST_RESORT)?.ok_or("no business")?);
        Ok((list.to_vec(), last_resort.to_vec()))
    }

    fn take_bundles(&mut self, most: usize) -> Outcome<Vec<Vec<u8>>> {
        let messages = self.runtime.block_on(patiently(async || fetch(&self.layout.bundles, most).await))?;
        // A bundle belongs to one customer once the servers have confirmed the acknowledgement. Losing one here does
        // not matter.
        let confirmed = self.runtime.block_on(join_all(messages.iter().map(|message| message.double_ack())));
        let taken = messages.iter().zip(confirmed).filter(|(_, confirmed)| confirmed.is_ok());
        Ok(taken.map(|(message, _)| message.payload.to_vec()).collect())
    }

    fn send(&mut self, mail: &[Mail]) -> Outcome<()> {
        for some in mail.chunks(AT_ONCE) {
            // Each transmission has a name of its own, which only its retries reuse. So a duplicate that the relay makes
            // is really delivered twice.
            let named: Vec<_> = some.iter().map(|mail| (hex(&rand::random::<[u8; 16]>()), mail)).collect();
            self.runtime.block_on(patiently(async || {
                try_join_all(named.iter().map(|(id, mail)| queue(&self.context, &self.layout, id, mail))).await
            }))?;
        }
        Ok(())
    }

    fn fetch(&mut self, most: usize) -> Outcome<Vec<Mail>> {
        let messages = self.runtime.block_on(patiently(async || fetch(&self.layout.outbound, most).await))?;
        // A message that is not acknowledged is delivered again and refused as replayed, so there is no reason to
        // withhold it now.
        let _acknowledged = self.runtime.block_on(join_all(messages.iter().map(|message| message.ack())));
        messages.iter().map(|message| Ok(postcard::from_bytes::<Sent>(&message.payload)?.mail)).collect()
    }
}

impl Books for Nats {
    fn found(&mut self, account: &Sealed, list: &[u8], last_resort: &[u8], bundles: &[Vec<u8>]) -> Outcome<()> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            if !self.put_account(account).await? {
                return Err("there is already a business here".into());
            }
            self.layout.lists.put(LIST, list.to_vec().into()).await?;
            self.layout.lists.put(LAST_RESORT, last_resort.to_vec().into()).await?;
            for some in bundles.chunks(AT_ONCE) {
                try_join_all(some.iter().map(|bundle| give(&self.context, &self.layout, bundle))).await?;
            }
            Ok(())
        })
    }

    fn rows(&mut self) -> Outcome<Vec<Row>> {
        let messages = self.runtime.block_on(patiently(async || read_all(&self.layout.inbox.stream).await))?;
        messages.iter().map(|bytes| Ok(postcard::from_bytes(bytes)?)).collect()
    }

    fn sent(&mut self) -> Outcome<Vec<Sent>> {
        let messages = self.runtime.block_on(patiently(async || read_all(&self.layout.sent).await))?;
        messages.iter().map(|bytes| Ok(postcard::from_bytes(bytes)?)).collect()
    }

    fn buried(&mut self) -> Outcome<Vec<(Mail, String)>> {
        let messages = self.runtime.block_on(patiently(async || read_all(&self.layout.buried).await))?;
        messages.iter().map(|bytes| Ok(postcard::from_bytes(bytes)?)).collect()
    }
}

/// Returns the name by which the servers detect duplicates. The message id is not enough: a message that is sent again
/// has the same id and another ciphertext.
fn name_of(mail: &Mail) -> String {
    hex(&Sha256::digest([mail.conversation.as_slice(), &mail.bytes].concat()))
}

/// The account's key in the bucket of records; all other keys have 32 hexadecimal digits.
const ACCOUNT: &str = "account";
const LIST: &str = "business";
const LAST_RESORT: &str = "last-resort";
/// A message that was delivered more often than this is claimed alone.
const SUSPECT: u64 = 3;
/// Concurrent requests.
const AT_ONCE: usize = 128;
/// After this time, a worker checks whether the account has changed (until then an older one is good enough, except for
/// first messages), or whether another worker has left first messages.
const GLANCE: Duration = Duration::from_millis(300);
/// How long to wait for first messages.
const MOMENT: Duration = Duration::from_millis(20);
/// Delay before a message that did not verify is tried again.
const AGAIN: Duration = Duration::from_millis(500);
