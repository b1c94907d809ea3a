//! A worker: claims messages, loads, computes, stores by compare-and-swap, and repeats if another worker was faster.
//!
//! It holds no lock and no transaction while it computes.

use std::time::{Duration, Instant};

use bisik::{Account, PreKeyBundle, StorageKey, Timestamp};

use crate::desk::{self, Refused, Work};
use crate::engine::{Claim, Engine, Lane, Name, Sealed, Verdict};
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
        let mut trouble: Option<Instant> = None;
        loop {
            match self.turn() {
                Ok(0) => std::thread::sleep(IDLE),
                Ok(_) => trouble = None,
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
        let mut account = self.load_account(claims.iter().any(|claim| Lane::of(&claim.mail) == Lane::First))?;
        let before = account.revision();
        let mut works = Vec::new();
        let conversations = by_conversation(&claims);
        let names: Vec<Name> = conversations.iter().map(|(name, _)| *name).collect();
        // Only the newest record may refuse a message for good.
        let fresh = claims.iter().any(|claim| claim.attempts >= TRIES);
        let records = self.engine.conversations(&names, fresh)?;
        self.points.pass(Point::Loaded)?;
        for ((name, together), record) in conversations.into_iter().zip(records) {
            let list = if record.is_none() { self.engine.customer_list(name)? } else { None };
            match desk::open(&account, &self.key, name, record.as_deref(), list.as_deref(), now) {
                Ok(conversation) => works.push(desk::attend(&mut account, conversation, together, now)),
                // The customer's list may still arrive.
                Err(error) => together.iter().try_for_each(|claim| self.put_off(claim, &error.to_string()))?,
            }
        }
        // Only if pre-keys were used: then the account is stored anyway.
        let bundles = if account.revision() == before { Vec::new() } else { restock(&mut account, now)? };
        let batch = desk::seal(&mut account, &mut works, bundles, &self.key)?;
        self.points.pass(Point::Computed)?;

        let verdicts = self.engine.commit(&batch, &mut self.points)?;
        if verdicts.iter().all(|verdict| *verdict == Verdict::Stored) {
            self.account = Some(account);
        }
        let verdict = |name: &Name| {
            let of_it = batch.steps.iter().zip(&verdicts).find(|(step, _)| step.conversation == *name);
            of_it.map_or(Verdict::Stored, |(_, verdict)| *verdict)
        };
        let mut behind: Vec<Claim> =
            claims.iter().filter(|claim| verdict(&claim.mail.conversation) == Verdict::KeysLeft).cloned().collect();
        let settled =
            |work: &Work| !matches!(verdict(work.conversation.id().as_bytes()), Verdict::Conflict | Verdict::Unknown);
        for work in works.into_iter().filter(settled) {
            behind.extend(work.known);
            self.refuse(&work.refused)?;
        }
        self.catch_up(&behind)?;
        Ok(claims.into_iter().filter(|claim| verdict(&claim.mail.conversation) == Verdict::Conflict).collect())
    }

    fn refuse(&mut self, refused: &[Refused]) -> Outcome<()> {
        refused.iter().try_for_each(
            |Refused { claim, why, again }| {
                if *again { self.put_off(claim, why) } else { self.engine.bury(claim, why) }
            },
        )
    }

    /// Retries a message that a later state may accept, a limited number of times.
    fn put_off(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        if claim.attempts < TRIES { self.engine.put_back(claim) } else { self.engine.bury(claim, why) }
    }

    fn bury_all(&mut self, claims: &[Claim], why: &str) -> Outcome<()> {
        claims.iter().try_for_each(|claim| self.engine.bury(claim, why))
    }

    /// Finishes messages whose conversation is already stored: deletes the pre-keys they used, and delivers their
    /// results.
    fn catch_up(&mut self, claims: &[Claim]) -> Outcome<()> {
        if claims.is_empty() {
            return Ok(());
        }
        while !self.forget_pre_keys(claims)? {
            self.conflicts += 1;
        }
        self.engine.finish(claims)
    }

    fn forget_pre_keys(&mut self, claims: &[Claim]) -> Outcome<bool> {
        if claims.iter().all(|claim| Lane::of(&claim.mail) != Lane::First) {
            return Ok(true);
        }
        let now = now()?;
        let mut account = self.load_account(true)?;
        let names: Vec<Name> = claims.iter().map(|claim| claim.mail.conversation).collect();
        for (claim, record) in claims.iter().zip(self.engine.conversations(&names, true)?) {
            let conversation = desk::open(&account, &self.key, claim.mail.conversation, record.as_deref(), None, now)?;
            let _forgotten = desk::forget_pre_key(&mut account, &conversation, &claim.mail, now);
        }
        let Some(sealed) = account.seal(&self.key, &mut rand::rng())? else {
            self.account = Some(account);
            return Ok(true);
        };
        let stored = self.engine.commit_account(&Sealed {
            expected: sealed.expected,
            revision: sealed.revision,
            bytes: sealed.bytes,
        })?;
        self.account = stored.then_some(account);
        Ok(stored)
    }

    /// Returns the account as the engine has it. The copy in memory is taken out; it is put back only when its changes
    /// are stored.
    fn load_account(&mut self, fresh: bool) -> Outcome<Account> {
        let held = self.account.take();
        let known = held.as_ref().map_or(0, Account::revision);
        match (self.engine.account(known, fresh)?, held) {
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
    let count = STOCK - account.pre_key_count(now).one_time;
    let upkeep = account.replenish(count, now, &mut rand::rng())?;
    // The transaction that stores the account publishes them.
    account.confirmed(&upkeep);
    Ok(upkeep.one_time.iter().map(PreKeyBundle::to_bytes).collect())
}

/// Messages claimed at once: enough to share the cost of a commit, few enough to repeat quickly.
pub const BATCH: usize = 32;
/// One-time pre-keys kept in stock.
pub const STOCK: usize = 1_000;
/// Deliveries after which a message that does not verify is given up.
const TRIES: u64 = 3;
/// Deliveries after which any message is given up: it is unlikely that more workers than this died of something else
/// while holding it.
const ATTEMPTS: u64 = 20;
/// Computations for one claim.
const ROUNDS: u32 = 10;
const IDLE: Duration = Duration::from_millis(2);
const TROUBLE: Duration = Duration::from_millis(200);
/// How long an engine may be unavailable.
const PATIENCE: Duration = Duration::from_secs(60);
