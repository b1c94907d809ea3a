//! A worker: claims messages, loads, computes and stores by compare-and-swap, part by part, and repeats if another worker
//! was faster.
//!
//! It holds no lock and no transaction while it computes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bisik::{Account, PreKeyBundle, StorageKey, Timestamp};

use crate::desk::{self, Refused, Work};
use crate::engine::{Batch, BlockName, Claim, Engine, Lane, Name, Verdict};
use crate::points::{Point, Points};
use crate::{Outcome, now};

/// One worker process.
pub struct Worker {
    engine: Box<dyn Engine>,
    key: StorageKey,
    account: Option<Account>,
    /// Computations whose result was not stored because another worker was faster.
    pub conflicts: u64,
    /// Where tests stop it.
    pub points: Points,
}

impl Worker {
    /// Returns a worker for the account whose records `key` opens.
    #[must_use]
    pub const fn new(engine: Box<dyn Engine>, key: StorageKey) -> Self {
        Self { engine, key, account: None, conflicts: 0, points: Points::NOWHERE }
    }

    /// Returns the engine, for inspection.
    pub fn engine(&mut self) -> &mut dyn Engine {
        self.engine.as_mut()
    }

    /// Works until an error.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached for a minute.
    pub fn run(&mut self) -> Outcome<()> {
        let (mut trouble, mut idle): (Option<Instant>, _) = (None, IDLE);
        loop {
            match self.turn() {
                Ok(0) => {
                    (trouble, idle) = (None, (2 * idle).min(LONGEST));
                    std::thread::sleep(idle);
                }
                Ok(_) => (trouble, idle) = (None, IDLE),
                Err(error) => {
                    // An unavailable database comes back, and claimed messages are delivered again when their lease
                    // ends.
                    if trouble.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                        return Err(error);
                    }
                    self.account = None;
                    std::thread::sleep(TROUBLE);
                }
            }
        }
    }

    /// Processes one batch of each lane. Returns the number of messages.
    ///
    /// # Errors
    ///
    /// If the engine cannot be reached, or a test stops the worker: the messages are delivered again.
    pub fn turn(&mut self) -> Outcome<usize> {
        let mut count = 0;
        for lane in [Lane::First, Lane::Rest] {
            let claims = self.engine.claim(lane, BATCH)?;
            if claims.is_empty() {
                continue;
            }
            self.points.pass(Point::Claimed)?;
            count += claims.len();
            self.serve(claims)?;
            self.points.pass(Point::Settled)?;
        }
        Ok(count)
    }

    /// Processes claims until each is settled, given up, or left for later.
    ///
    /// # Errors
    ///
    /// As [`Worker::turn`].
    pub fn serve(&mut self, claims: Vec<Claim>) -> Outcome<()> {
        let mut left = self.bury_hopeless(claims)?;
        for _ in 0..ROUNDS {
            left = self.round(left)?;
            if left.is_empty() {
                return Ok(());
            }
            self.conflicts += 1;
        }
        // Other workers change these records too often; the messages are delivered again when the lease ends.
        Ok(())
    }

    /// Gives up messages that were delivered so often that they must have killed their workers or were never of any
    /// use.
    fn bury_hopeless(&mut self, claims: Vec<Claim>) -> Outcome<Vec<Claim>> {
        let (left, hopeless): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.attempts <= ATTEMPTS);
        self.bury_all(&hopeless, "given out too often")?;
        Ok(left)
    }

    /// Loads, computes and stores once. Returns the claims whose records another worker changed in the meantime.
    fn round(&mut self, claims: Vec<Claim>) -> Outcome<Vec<Claim>> {
        let now = now()?;
        let mut account = self.load_account()?;
        let before = account.revision();
        let (mut works, mut left) = (Vec::new(), Vec::new());
        let conversations = by_conversation(&claims);
        let names: Vec<Name> = conversations.iter().map(|(name, _)| *name).collect();
        let records = self.engine.conversations(&names)?;
        self.points.pass(Point::Loaded)?;
        for ((name, together), record) in conversations.into_iter().zip(records) {
            let list = if record.is_none() { self.engine.customer_list(name)? } else { None };
            let (named, found) = self.load_blocks(name, record.as_deref())?;
            if found.len() < named {
                // A newer record has ended some of them.
                left.extend(together);
                continue;
            }
            match desk::open(&account, &self.key, name, record.as_deref(), &found, list.as_deref(), now) {
                Ok(conversation) => works.push(Work::receive(&mut account, conversation, together, now)),
                // The customer's list may still arrive.
                Err(error) => together.iter().try_for_each(|claim| self.put_off(claim, &error.to_string()))?,
            }
        }
        // Only if pre-keys were used: then the account is stored anyway.
        let bundles = if account.revision() == before { Vec::new() } else { restock(&mut account, now)? };
        // What was received.
        let mut works = self.store(&mut account, works, (bundles, false), &mut left)?;
        for work in &mut works {
            for Refused { claim, why, again } in std::mem::take(&mut work.refused) {
                if again { self.put_off(&claim, why)? } else { self.engine.bury(&claim, why)? }
            }
        }
        // Rows, answers, and the state from which the envelopes came.
        while works.iter().any(Work::has_more) {
            works.iter_mut().for_each(|work| work.answer(&account, now));
            works = self.store(&mut account, works, (Vec::new(), false), &mut left)?;
        }
        // The envelopes, and that the relay has them.
        self.store(&mut account, works, (Vec::new(), true), &mut left)?;
        // If something was not stored, that may be what the copy in memory has.
        if left.is_empty() {
            self.account = Some(account);
        }
        Ok(left)
    }

    /// Stores one part. Returns the works that are stored; the claims of those of which another worker has changed the
    /// record go to `left`.
    fn store(
        &mut self,
        account: &mut Account,
        mut works: Vec<Work>,
        (bundles, last): (Vec<Vec<u8>>, bool),
        left: &mut Vec<Claim>,
    ) -> Outcome<Vec<Work>> {
        let mut batch = Batch { bundles, ..Batch::default() };
        works.iter_mut().try_for_each(|work| work.seal(account, &self.key, last, &mut batch))?;
        self.points.pass(Point::Computed)?;
        let verdicts = if batch.is_empty() {
            vec![Verdict::Stored; works.len()]
        } else {
            self.engine.commit(&batch, &mut self.points)?
        };
        let mut stored = Vec::new();
        for (mut work, verdict) in works.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Stored => {
                    work.is_stored();
                    stored.push(work);
                }
                Verdict::Conflict => left.extend(work.into_claims()),
            }
        }
        Ok(stored)
    }

    /// Retries a message that a later state may accept, a limited number of times.
    fn put_off(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        if claim.attempts < TRIES { self.engine.put_back(claim) } else { self.engine.bury(claim, why) }
    }

    fn bury_all(&mut self, claims: &[Claim], why: &str) -> Outcome<()> {
        claims.iter().try_for_each(|claim| self.engine.bury(claim, why))
    }

    /// Returns how many blocks a record names, and those that are there.
    fn load_blocks(&mut self, name: Name, record: Option<&[u8]>) -> Outcome<(usize, HashMap<BlockName, Vec<u8>>)> {
        let Some(record) = record else { return Ok((0, HashMap::new())) };
        let named = desk::blocks(&self.key, name, record)?;
        let found = named.iter().copied().zip(self.engine.blocks(&named)?);
        Ok((named.len(), found.filter_map(|(id, block)| Some((id, block?))).collect()))
    }

    /// Returns the account as the engine has it. The copy in memory is taken out; it is put back only when its changes
    /// are stored.
    fn load_account(&mut self) -> Outcome<Account> {
        let held = self.account.take();
        let known = held.as_ref().map_or(0, Account::revision);
        match (self.engine.account(known)?, held) {
            (Some(record), _) => Ok(Account::unseal(&self.key, &record)?),
            (None, Some(account)) => Ok(account),
            (None, None) => Err("there is no account".into()),
        }
    }
}

/// Returns the messages grouped by conversation, in order of arrival.
fn by_conversation(claims: &[Claim]) -> Vec<(Name, Vec<Claim>)> {
    let mut conversations: Vec<(Name, Vec<Claim>)> = Vec::new();
    for claim in claims {
        let name = claim.mail.conversation;
        match conversations.iter_mut().find(|(of, _)| *of == name) {
            Some((_, together)) => together.push(claim.clone()),
            None => conversations.push((name, vec![claim.clone()])),
        }
    }
    conversations
}

/// Creates one-time pre-keys for new customers, before they run out.
fn restock(account: &mut Account, now: Timestamp) -> Outcome<Vec<Vec<u8>>> {
    if account.pre_key_count(now).one_time >= STOCK / 2 {
        return Ok(Vec::new());
    }
    let count = RESTOCK.min(STOCK - account.pre_key_count(now).one_time);
    let upkeep = account.replenish(count, now, &mut rand::rng())?;
    // The transaction that stores the account publishes them.
    account.confirmed(&upkeep);
    Ok(upkeep.one_time.iter().map(PreKeyBundle::to_bytes).collect())
}

/// Messages claimed at once: enough to share the cost of a commit, few enough to repeat quickly.
pub const BATCH: usize = 32;
/// One-time pre-keys kept in stock.
pub const STOCK: usize = 1_000;
/// One-time pre-keys that are created at once, when half of the stock is used: as many as a batch of first messages can
/// use, and few enough for the transaction that stores the account to publish them.
const RESTOCK: usize = BATCH;
/// Deliveries after which a message that does not verify is given up.
const TRIES: u64 = 3;
/// Deliveries after which any message is given up: it is unlikely that more workers than this died of something else
/// while holding it.
const ATTEMPTS: u64 = 20;
/// Computations for one claim.
const ROUNDS: u32 = 10;
/// How long a worker with nothing to do waits before it looks again: each time twice as long, up to the longest.
const IDLE: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(16);
const TROUBLE: Duration = Duration::from_millis(200);
/// How long an engine may be unavailable.
const PATIENCE: Duration = Duration::from_secs(60);
