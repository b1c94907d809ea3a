//! [`RetentionLedger`]: what an operator must have deleted by now (docs/spec/hosting.md, section 11.7).
//!
//! The ledger deletes nothing itself. The operator deletes what is due and reports it.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use bisik_core::time::Timestamp;

/// The messages that a hosted device still holds, with their deadlines. `Id` names a message in the operator's store.
///
/// The ledger takes at most `capacity` entries. The caller stores it; [`record`](Self::record) rebuilds it from its
/// [`entries`](Self::entries).
///
/// ```
/// use bisik::Timestamp;
/// use bisik::hosting::{Retention, RetentionLedger};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut ledger = RetentionLedger::new(1_000);
/// ledger.record("message 1", Retention::NO_STORAGE.deadline(now), now)?;
/// ledger.record("message 2", Retention::THIRTY_DAYS.deadline(now), now)?;
///
/// let later = now.plus_seconds(3_600);
/// let due: Vec<_> = ledger.due(later).copied().collect();
/// assert_eq!(due, ["message 1"]);
/// ledger.removed(&due); // once the store has deleted them
/// assert_eq!(ledger.due(later).count(), 0);
/// # Ok::<(), bisik::hosting::LedgerFull>(())
/// ```
#[derive(Clone)]
pub struct RetentionLedger<Id> {
    capacity: usize,
    by_id: BTreeMap<Id, Promise>,
    by_deadline: BTreeSet<(Timestamp, Id)>,
}

/// What was promised about a message.
#[derive(Clone, Copy)]
struct Promise {
    deadline: Timestamp,
    /// Seconds that were left when it was recorded: no more can ever be left.
    left: u64,
}

impl<Id: Ord + Clone> RetentionLedger<Id> {
    /// An empty ledger for at most `capacity` messages.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, by_id: BTreeMap::new(), by_deadline: BTreeSet::new() }
    }

    /// Records at `now` that the message `id` must be deleted by `deadline`. Of two deadlines for one message the earlier
    /// counts: later terms do not prolong what was promised when the message was sent. P-11.22.
    ///
    /// To rebuild a ledger from its entries, `now` is the time at which the entries were stored.
    ///
    /// # Errors
    ///
    /// [`LedgerFull`] if it holds `capacity` other messages: delete what is due, or accept no more messages.
    pub fn record(&mut self, id: Id, deadline: Timestamp, now: Timestamp) -> Result<(), LedgerFull> {
        match self.by_id.get(&id).copied() {
            Some(known) if known.deadline <= deadline => return Ok(()),
            Some(known) => {
                self.by_deadline.remove(&(known.deadline, id.clone()));
            }
            None if self.by_id.len() >= self.capacity => return Err(LedgerFull),
            None => {}
        }
        self.by_deadline.insert((deadline, id.clone()));
        let left = deadline.as_unix_seconds().saturating_sub(now.as_unix_seconds());
        self.by_id.insert(id, Promise { deadline, left });
        Ok(())
    }

    /// The messages whose deadline has come, the most overdue first. They stay until they are [`removed`](Self::removed).
    ///
    /// If the clock was set back, no message gets more time than was left when it was recorded. P-11.22.
    pub fn due(&mut self, now: Timestamp) -> impl Iterator<Item = &Id> {
        for (id, promise) in &mut self.by_id {
            let latest = now.plus_seconds(promise.left);
            if promise.deadline > latest {
                self.by_deadline.remove(&(promise.deadline, id.clone()));
                self.by_deadline.insert((latest, id.clone()));
                promise.deadline = latest;
            }
        }
        self.by_deadline.iter().take_while(move |(deadline, _)| *deadline <= now).map(|(_, id)| id)
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Forgets messages that the operator has deleted, due or not. Unknown ids are ignored.
    pub fn removed(&mut self, ids: &[Id]) {
        for id in ids {
            if let Some((id, promise)) = self.by_id.remove_entry(id) {
                self.by_deadline.remove(&(promise.deadline, id));
            }
        }
    }

    /// All messages and their deadlines, the earliest deadline first.
    pub fn entries(&self) -> impl Iterator<Item = (&Id, Timestamp)> {
        self.by_deadline.iter().map(|(deadline, id)| (id, *deadline))
    }

    /// The number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are no messages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl<Id> fmt::Debug for RetentionLedger<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capacity, by_id, by_deadline: _ } = self;
        f.debug_struct("RetentionLedger")
            .field("capacity", capacity)
            .field("held", &by_id.len())
            .finish_non_exhaustive()
    }
}

/// The ledger holds as many messages as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerFull;

bisik_core::error_texts! {
    LedgerFull => "hosting.ledger.full", "the retention ledger is full"
}
