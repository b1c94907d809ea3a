//! The distributed engine: etcd. A majority of its servers has each write on disk before it is acknowledged.
//!
//! One transaction compares the revisions of several keys and then changes several keys, or none. What one part of a
//! turn changes in a conversation (blocks, head, rows, envelopes, the queue), and with it the account, is one
//! transaction; `etcd/plan.rs` says what happens to what is too large for one.
//!
//! | key, after the business's prefix | value |
//! |---|---|
//! | `account`, `head/CONVERSATION` | a record; its revision in the store serves for compare-and-swap |
//! | `block/ID` | a block, written once |
//! | `in/LANE/CONVERSATION/ID` | the queue: a message |
//! | `lease/LANE/CONVERSATION/ID` | who may try it until when, how often that was, and whether it was received |
//! | `turn` | until when one worker has first messages |
//! | `row/CONVERSATION/ID/ATTEMPT` | a row of the application |
//! | `out/ID`, `sent/ID` | the outbox: an envelope for a customer, before and after its customer has fetched it |
//! | `list/CONVERSATION`, `published/NAME`, `bundle/ID`, `buried/ID` | lists, bundles, what was given up |

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use crate::engine::{Batch, BlockName, Claim, Engine, Lane, Name, Step, Verdict};
use crate::points::{Point, Points};
use crate::{Outcome, hex};

mod gateway;
mod plan;
mod post;
mod queue;

use gateway::{Entry, Gateway, If, Op};
use plan::{Cut, MOST, Plan, pieces};
use queue::{Held, Lease};

/// A connection to the servers.
pub struct Etcd {
    gateway: Gateway,
    prefix: String,
    lease: Duration,
    /// The revision of the key of each conversation that was loaded in this turn; 0 if there was none.
    seen: HashMap<Name, u64>,
    /// The revision of the key of the account that the worker holds.
    account: u64,
    claimed: HashMap<u64, Held>,
    tokens: u64,
    /// The revision of the key `turn`, if this worker has put it.
    turn: Option<u64>,
    compare: bool,
}

impl Etcd {
    /// Connects to servers (`http://host:port`, several separated by commas) and uses the keys that begin with
    /// `prefix`. After `lease`, a claimed message is delivered to another worker.
    ///
    /// # Errors
    ///
    /// If no server answers within half a minute.
    pub fn open(urls: &str, prefix: &str, lease: Duration) -> Outcome<Self> {
        let mut gateway = Gateway::new(urls);
        gateway.count(&format!("{prefix}/account"))?;
        let (seen, claimed) = (HashMap::new(), HashMap::new());
        let prefix = prefix.to_owned();
        Ok(Self { gateway, prefix, lease, seen, account: 0, claimed, tokens: 0, turn: None, compare: true })
    }

    /// For a test of the audit: stores conversations without comparing revisions.
    #[must_use]
    pub fn without_compare_and_swap(self) -> Self {
        Self { compare: false, ..self }
    }

    /// Removes everything that begins with the prefix.
    ///
    /// # Errors
    ///
    /// If no server answers.
    pub fn clear(urls: &str, prefix: &str) -> Outcome<()> {
        Gateway::new(urls).clear(&format!("{prefix}/"))
    }

    fn key(&self, rest: &str) -> String {
        format!("{}/{rest}", self.prefix)
    }

    /// Reads keys, each with its revision, as the store has them now.
    fn get(&mut self, keys: &[String]) -> Outcome<Vec<Option<Entry>>> {
        let mut found = Vec::new();
        for some in keys.chunks(MOST) {
            let reads: Vec<_> = some.iter().map(|key| Op::Get(key.clone())).collect();
            found.extend(self.gateway.transaction(&[], &reads, &[])?.read.into_iter().map(|mut entries| entries.pop()));
        }
        Ok(found)
    }

    fn get_one(&mut self, rest: &str) -> Outcome<Option<Vec<u8>>> {
        let key = self.key(rest);
        Ok(self.get(&[key])?.pop().flatten().map(|entry| entry.value))
    }

    /// Writes what may be repeated, in as many transactions as it needs.
    fn write(&mut self, operations: Vec<Op>) -> Outcome<()> {
        for piece in pieces(operations) {
            self.gateway.transaction(&[], &piece, &[])?;
        }
        Ok(())
    }

    fn plan(&self, step: &Step) -> Outcome<Plan> {
        let mut plan = Plan::default();
        if let Some(record) = &step.record {
            let key = self.key(&format!("head/{}", hex(&step.conversation)));
            let seen = self.seen.get(&step.conversation).copied().unwrap_or_default();
            if self.compare {
                plan.conditions.push(If::Unchanged(key.clone(), seen));
            }
            plan.core.push(Op::Put(key, record.bytes.clone()));
        }
        for row in &step.rows {
            let [conversation, id, attempt] = [hex(&row.conversation), hex(&row.id), hex(&row.attempt)];
            let key = self.key(&format!("row/{conversation}/{id}/{attempt}"));
            plan.core.push(Op::Put(key, postcard::to_stdvec(row)?));
        }
        for sent in &step.mail {
            let key = self.key(&format!("out/{}-{}", moment(Duration::ZERO)?, hex(&sent.mail.id)));
            plan.core.push(Op::Put(key, postcard::to_stdvec(sent)?));
        }
        for token in &step.received {
            let Some(Held { name, lease, revision }) = self.claimed.get(token) else { continue };
            let lease = postcard::to_stdvec(&Lease { received: true, ..*lease })?;
            // If the lease is another worker's by now, that one finds the message again in the record.
            plan.core.push(Op::PutOver(self.key(&format!("lease/{name}")), *revision, lease));
        }
        plan.blocks = step.blocks.iter().map(|(id, bytes)| Op::Put(self.block(id), bytes.clone())).collect();
        plan.gone = step.ended.iter().map(|id| Op::Delete(self.block(id))).collect();
        plan.gone.extend(step.claims.iter().flat_map(|token| self.settle(*token)));
        Ok(plan)
    }

    fn block(&self, id: &BlockName) -> String {
        self.key(&format!("block/{}", hex(id)))
    }

    /// Executes a plan. Returns the revision of what it has put, or `None` if another worker was faster: then nothing
    /// was written (or, if no answer arrived for a while, another worker has gone on from there already).
    fn execute(&mut self, plan: Plan, points: &mut Points) -> Outcome<Option<u64>> {
        let Cut { before, conditions, together, after } = plan.cut();
        // Nobody else writes these keys.
        let blocks: Vec<Op> = before.iter().flatten().filter_map(undo).collect();
        for piece in before {
            self.gateway.transaction(&[], &piece, &[])?;
        }
        points.pass(Point::BlocksWritten)?;
        // If no answer arrived the first time, a condition may be false the second time because of this very worker.
        let mine = together.iter().find_map(|operation| match (operation, conditions.first()) {
            (Op::Put(key, value), Some(If::Unchanged(of, _))) if key == of => Some((key.clone(), value.clone())),
            _ => None,
        });
        let look: Vec<_> = mine.iter().map(|(key, _)| Op::Get(key.clone())).collect();
        let mut done = self.gateway.transaction(&conditions, &together, &look)?;
        if !done.succeeded {
            let found = done.read.pop().and_then(|mut entries| entries.pop());
            // No two sealed records have the same bytes.
            let Some(found) = found.filter(|found| mine.is_some_and(|(_, value)| found.value == value)) else {
                // If it was executed all the same, and a later record is there already, that one names these blocks.
                if done.once {
                    self.write(blocks)?;
                }
                return Ok(None);
            };
            done.revision = found.revision;
        }
        for piece in after {
            self.gateway.transaction(&[], &piece, &[])?;
        }
        Ok(Some(done.revision))
    }

    /// Executes a plan for these steps, and remembers the new revision of their heads.
    fn execute_for<'a>(
        &mut self,
        plan: Plan,
        steps: impl IntoIterator<Item = &'a Step>,
        points: &mut Points,
    ) -> Outcome<Option<u64>> {
        let stored = self.execute(plan, points)?;
        if let Some(revision) = stored {
            let written = steps.into_iter().filter(|step| step.record.is_some());
            self.seen.extend(written.map(|step| (step.conversation, revision)));
        }
        Ok(stored)
    }

    /// Stores all steps with the account, or none: pre-keys may be deleted only if their sessions are stored.
    fn commit_with_account(&mut self, batch: &Batch, points: &mut Points) -> Outcome<bool> {
        let mut plan = Plan::default();
        for step in &batch.steps {
            plan.add(self.plan(step)?);
        }
        if let Some(account) = &batch.account {
            let expected = account.expected.map_or(0, |_| self.account);
            plan.conditions.push(If::Unchanged(self.key("account"), expected));
            plan.core.push(Op::Put(self.key("account"), account.bytes.clone()));
        }
        plan.core.extend(batch.bundles.iter().map(|bundle| self.bundle(bundle)));
        let stored = self.execute_for(plan, &batch.steps, points)?;
        if let (Some(revision), Some(_)) = (stored, &batch.account) {
            self.account = revision;
        }
        Ok(stored.is_some())
    }

    fn bundle(&self, bytes: &[u8]) -> Op {
        Op::Put(self.key(&format!("bundle/{}", hex(&rand::random::<[u8; 8]>()))), bytes.to_vec())
    }

    fn read_all<T: DeserializeOwned>(&mut self, space: &str) -> Outcome<Vec<T>> {
        let prefix = self.key(space);
        self.gateway.all(&prefix)?.iter().map(|entry| decode(&entry.value)).collect()
    }
}

impl Engine for Etcd {
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        if lane == Lane::First {
            // A new turn: earlier claims have been settled, or will be delivered again.
            self.claimed.clear();
            self.seen.clear();
        } else {
            self.pass_turn()?;
        }
        self.claim_some(lane, most)
    }

    fn account(&mut self, known: u64) -> Outcome<Option<Vec<u8>>> {
        let key = self.key("account");
        let held = if known == 0 { 0 } else { self.account };
        let done = self.gateway.transaction(&[If::Unchanged(key.clone(), held)], &[], &[Op::Get(key)])?;
        let Some(entry) = done.read.into_iter().flatten().next() else { return Ok(None) };
        self.account = entry.revision;
        Ok(Some(entry.value))
    }

    fn conversations(&mut self, names: &[Name]) -> Outcome<Vec<Option<Vec<u8>>>> {
        let keys: Vec<_> = names.iter().map(|name| self.key(&format!("head/{}", hex(name)))).collect();
        let found = self.get(&keys)?;
        self.seen
            .extend(names.iter().zip(&found).map(|(name, entry)| (*name, entry.as_ref().map_or(0, |e| e.revision))));
        Ok(found.into_iter().map(|entry| entry.map(|entry| entry.value)).collect())
    }

    fn blocks(&mut self, names: &[BlockName]) -> Outcome<Vec<Option<Vec<u8>>>> {
        let keys: Vec<_> = names.iter().map(|id| self.block(id)).collect();
        Ok(self.get(&keys)?.into_iter().map(|entry| entry.map(|entry| entry.value)).collect())
    }

    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        self.get_one(&format!("list/{}", hex(&name)))
    }

    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        batch.steps.iter().try_for_each(|step| points.pass_step(step))?;
        points.pass(Point::AccountWritten)?;
        if batch.account.is_some() || !batch.bundles.is_empty() {
            let stored = self.commit_with_account(batch, points)?;
            return Ok(vec![if stored { Verdict::Stored } else { Verdict::Conflict }; batch.steps.len()]);
        }
        // Conversations that do not depend on one another share transactions, to save time.
        let mut groups: Vec<(Plan, Vec<&Step>)> = Vec::new();
        for step in &batch.steps {
            let plan = self.plan(step)?;
            let alone = match groups.last_mut() {
                Some((group, steps)) => match group.join(plan) {
                    Ok(()) => {
                        steps.push(step);
                        continue;
                    }
                    Err(plan) => plan,
                },
                None => plan,
            };
            groups.push((alone, vec![step]));
        }
        let mut verdicts = Vec::new();
        for (plan, steps) in groups {
            if self.execute_for(plan, steps.iter().copied(), points)?.is_some() {
                verdicts.extend(steps.iter().map(|_| Verdict::Stored));
            } else if steps.len() == 1 {
                verdicts.push(Verdict::Conflict);
            } else {
                // One of them has changed: each by itself.
                for step in steps {
                    let stored = self.execute_for(self.plan(step)?, [step], points)?.is_some();
                    verdicts.push(if stored { Verdict::Stored } else { Verdict::Conflict });
                }
            }
        }
        Ok(verdicts)
    }

    fn finish(&mut self, claims: &[Claim]) -> Outcome<()> {
        self.write(claims.iter().flat_map(|claim| self.settle(claim.token)).collect())
    }

    fn put_back(&mut self, claim: &Claim) -> Outcome<()> {
        let Some(Held { name, lease, revision }) = self.claimed.remove(&claim.token) else { return Ok(()) };
        let lease = Lease { until: moment(self.lease / 4)?, ..lease };
        let put = Op::PutOver(self.key(&format!("lease/{name}")), revision, postcard::to_stdvec(&lease)?);
        self.write(vec![put])
    }

    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        let Some(held) = self.claimed.get(&claim.token) else { return Ok(()) };
        let there = If::Exists(self.key(&format!("in/{}", held.name)));
        let mut operations = self.settle(claim.token);
        let key = self.key(&format!("buried/{}", held.name));
        operations.push(Op::Put(key, postcard::to_stdvec(&(&claim.mail, why))?));
        self.gateway.transaction(&[there], &operations, &[])?;
        Ok(())
    }

    fn waiting(&mut self) -> Outcome<usize> {
        let prefix = self.key("in/");
        self.gateway.count(&prefix)
    }
}

/// Returns what takes back a put.
fn undo(operation: &Op) -> Option<Op> {
    if let Op::Put(key, _) = operation { Some(Op::Delete(key.clone())) } else { None }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Outcome<T> {
    Ok(postcard::from_bytes(bytes)?)
}

/// Returns the time `later` from now in milliseconds since 1970, by this machine's clock. Nothing depends on it but
/// which worker tries a message, and in which order.
fn moment(later: Duration) -> Outcome<u64> {
    Ok(u64::try_from((SystemTime::now().duration_since(UNIX_EPOCH)? + later).as_millis())?)
}
