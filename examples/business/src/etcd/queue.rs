//! The queue: messages and their leases.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gateway::{self, Entry, If, Op};
use super::{Etcd, decode, moment};
use crate::engine::{Claim, Lane, Mail};
use crate::{Outcome, hex};

/// A message that this worker has claimed.
pub(super) struct Held {
    /// Its name in the queue: lane, conversation, id.
    pub(super) name: String,
    pub(super) lease: Lease,
    /// The revision of the key of the lease.
    pub(super) revision: u64,
}

/// A lease. It saves other workers from doing the same work. The clocks of two machines may differ, and a worker may go
/// on after its lease has ended: then both compute, and the revisions decide whose result is stored.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Lease {
    /// Milliseconds since 1970, by the clock of who wrote it.
    pub(super) until: u64,
    pub(super) attempts: u64,
    /// Whether the message is in its conversation's record.
    pub(super) received: bool,
}

impl Etcd {
    /// Reads messages of a lane, each with its lease. Begins anywhere, so that workers do not all see the same ones.
    /// Any server answers, and it may lag behind: whoever claims compares.
    fn list(&mut self, lane: &str, most: usize) -> Outcome<Vec<(String, Mail, Lease, u64)>> {
        let middle = hex(&rand::random::<[u8; 1]>());
        let (mut mails, mut leases) = (Vec::new(), HashMap::new());
        let reads = ["in", "lease"].map(|kind| {
            let space = self.key(&format!("{kind}/{lane}/"));
            let middle = format!("{space}{middle}");
            [Op::Glance(middle.clone(), gateway::end(&space), most), Op::Glance(space, middle, most)]
        });
        let [mail, lease] = reads;
        let mut read = self.gateway.transaction(&[], &mail.into_iter().chain(lease).collect::<Vec<_>>(), &[])?.read;
        let (in_queue, leased) = (self.key("in/"), self.key("lease/"));
        for Entry { key, value, revision } in read.split_off(2.min(read.len())).into_iter().flatten() {
            leases.insert(key.strip_prefix(&leased).unwrap_or(&key).to_owned(), (decode::<Lease>(&value)?, revision));
        }
        for Entry { key, value, .. } in read.into_iter().flatten().take(most) {
            let name = key.strip_prefix(&in_queue).unwrap_or(&key).to_owned();
            // Without a lease, or with one that was not read: then the claim fails.
            let (lease, revision) = leases.get(&name).copied().unwrap_or_default();
            mails.push((name, decode(&value)?, lease, revision));
        }
        Ok(mails)
    }

    /// Lets others claim first messages.
    pub(super) fn pass_turn(&mut self) -> Outcome<()> {
        if let Some(revision) = self.turn.take() {
            let key = self.key("turn");
            self.gateway.transaction(&[If::Unchanged(key.clone(), revision)], &[Op::Delete(key)], &[])?;
        }
        Ok(())
    }

    /// Returns what removes a claimed message from the queue.
    pub(super) fn settle(&self, token: u64) -> Vec<Op> {
        let Some(held) = self.claimed.get(&token) else { return Vec::new() };
        ["in", "lease"].map(|kind| Op::Delete(self.key(&format!("{kind}/{}", held.name)))).into()
    }

    /// Claims messages that nobody has leased. Returns none if another worker was faster.
    pub(super) fn claim_some(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        let name = lane_name(lane);
        let (now, until) = (moment(Duration::ZERO)?, moment(self.lease)?);
        let over = |end| is_over(end, now, until);
        let mut free = self.list(name, 2 * most)?;
        free.retain(|(_, _, lease, _)| over(lease.until));
        match free.first() {
            None => return Ok(Vec::new()),
            // Alone, so that a message that kills its workers affects no other.
            Some((_, _, lease, _)) if lease.attempts >= SUSPECT => free.truncate(1),
            Some(_) => free.retain(|(_, _, lease, _)| lease.attempts < SUSPECT),
        }
        free.truncate(most);
        let (mut conditions, mut puts) = (Vec::new(), Vec::new());
        if lane == Lane::First {
            let key = self.key("turn");
            let turn = self.get(std::slice::from_ref(&key))?.pop().flatten();
            if let Some(turn) = &turn
                && !over(decode(&turn.value)?)
                && self.turn != Some(turn.revision)
            {
                return Ok(Vec::new());
            }
            conditions.push(If::Unchanged(key.clone(), turn.map_or(0, |turn| turn.revision)));
            puts.push(Op::Put(key, postcard::to_stdvec(&until)?));
        }
        for (name, _, lease, revision) in &mut free {
            *lease = Lease { until, attempts: lease.attempts + 1, ..*lease };
            let key = self.key(&format!("lease/{name}"));
            conditions.push(If::Exists(self.key(&format!("in/{name}"))));
            conditions.push(If::Unchanged(key.clone(), *revision));
            puts.push(Op::Put(key, postcard::to_stdvec(lease)?));
        }
        let done = self.gateway.transaction(&conditions, &puts, &[])?;
        if !done.succeeded {
            return Ok(Vec::new());
        }
        if lane == Lane::First {
            self.turn = Some(done.revision);
        }
        let mut claims = Vec::new();
        for (name, mail, lease, _) in free {
            self.tokens += 1;
            claims.push(Claim { token: self.tokens, attempts: lease.attempts, received: lease.received, mail });
            self.claimed.insert(self.tokens, Held { name, lease, revision: done.revision });
        }
        Ok(claims)
    }
}

/// Returns whether a lease or a turn that lasts until `end` is over, where one that begins now lasts until `until`. One
/// that ends much later was written by a clock that is wrong, or is seen by one.
const fn is_over(end: u64, now: u64, until: u64) -> bool {
    end <= now || end > until + until.saturating_sub(now)
}

/// Returns the name of a lane in keys.
pub(super) const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::First => "first",
        Lane::Rest => "rest",
    }
}

/// A message that was delivered this often is claimed alone.
const SUSPECT: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_a_wrong_clock_wrote_holds_up_nobody() {
        let (now, until) = (1_000_000, 1_003_000);
        assert!(is_over(0, now, until) && is_over(now, now, until));
        assert!(!is_over(now + 1, now, until) && !is_over(until, now, until));
        // A clock that is a lease ahead is not yet wrong.
        assert!(!is_over(until + 3_000, now, until));
        assert!(is_over(until + 3_001, now, until) && is_over(u64::MAX, now, until));
    }
}
