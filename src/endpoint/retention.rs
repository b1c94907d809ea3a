//! [`Retention`]: how long an operator keeps what; [`RetentionLedger`]: what must be deleted by now.
//!
//! Does not know any message, and deletes nothing: the host does, and then says so.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use super::error::{LedgerFull, TextError};
use crate::codec::{Malformed, Reader, Writer};
use crate::time::Timestamp;

/// Where an operator keeps messages: 2 to 16 characters of `A-Z`, `0-9` and `-`, such as `ID` or `EU-CENTRAL-1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// Zeros behind the text.
    text: [u8; Self::LONGEST],
}

impl Region {
    /// Most characters of a region.
    pub const LONGEST: usize = 16;

    /// Checks a region.
    ///
    /// # Errors
    ///
    /// [`TextError::Region`] where it has another length or other characters.
    pub fn new(region: &str) -> Result<Self, TextError> {
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        if !(2..=Self::LONGEST).contains(&region.len()) || !region.bytes().all(plain) {
            return Err(TextError::Region);
        }
        let mut text = [0; Self::LONGEST];
        for (to, from) in text.iter_mut().zip(region.bytes()) {
            *to = from;
        }
        Ok(Self { text })
    }

    /// The region.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.text.iter().take_while(|byte| **byte != 0).count();
        self.text.get(..length).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.as_str())
    }
}

/// How long an operator keeps a message, counted from when its endpoint decrypted it.
///
/// ```
/// use bisik::Timestamp;
/// use bisik::endpoint::Retention;
///
/// let received = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(Retention::THIRTY_DAYS.deadline(received), received.plus_seconds(30 * 86_400));
/// assert_eq!(Retention::NO_STORAGE.deadline(received), received.plus_seconds(3_600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retention {
    /// Seconds for which it is stored; 0 where it is not, [`Retention::FOREVER`] where there is no limit.
    pub at_rest: u64,
    /// Seconds for which it is being worked on, in memory and queues.
    pub in_use: u64,
    /// Where it is stored; `None` where nothing is promised.
    pub region: Option<Region>,
}

impl Retention {
    /// No limit, in seconds.
    pub const FOREVER: u64 = u64::MAX;
    /// Worked on for an hour at most, and never stored: what cannot be decrypted within the hour cannot be asked for again.
    pub const NO_STORAGE: Self = Self { at_rest: 0, in_use: 3_600, region: None };
    /// Stored for 30 days.
    pub const THIRTY_DAYS: Self = Self { at_rest: 30 * 86_400, in_use: 3_600, region: None };

    /// P-11.21. When nothing of a message that was decrypted at `received` may be left: after the longer of the two.
    #[must_use]
    pub const fn deadline(&self, received: Timestamp) -> Timestamp {
        received.plus_seconds(if self.at_rest > self.in_use { self.at_rest } else { self.in_use })
    }

    /// When working copies of it must be gone.
    #[must_use]
    pub const fn working_deadline(&self, received: Timestamp) -> Timestamp {
        received.plus_seconds(self.in_use)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { at_rest, in_use, region } = self;
        let region = region.as_ref().map_or("", Region::as_str);
        writer.u64(*at_rest).u64(*in_use).u8(u8::try_from(region.len()).unwrap_or(u8::MAX)).bytes(region.as_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (at_rest, in_use) = (reader.u64()?, reader.u64()?);
        let region = match usize::from(reader.u8()?) {
            0 => None,
            length => {
                let region = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
                Some(Region::new(region).map_err(|_| Malformed)?)
            }
        };
        Ok(Self { at_rest, in_use, region })
    }
}

/// What a hosted endpoint still holds and when each must go. `Id` is whatever names a message in the host's store.
///
/// Bounded: it takes `capacity` entries and no more. The caller keeps it (its [`entries`](Self::entries) rebuild it).
///
/// ```
/// use bisik::Timestamp;
/// use bisik::endpoint::{Retention, RetentionLedger};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut ledger = RetentionLedger::new(1_000);
/// ledger.record("message 1", Retention::NO_STORAGE.deadline(now))?;
/// ledger.record("message 2", Retention::THIRTY_DAYS.deadline(now))?;
///
/// let later = now.plus_seconds(3_600);
/// let due: Vec<_> = ledger.due(later).copied().collect();
/// assert_eq!(due, ["message 1"]);
/// ledger.removed(&due); // once the store has deleted them
/// assert_eq!(ledger.due(later).count(), 0);
/// # Ok::<(), bisik::endpoint::LedgerFull>(())
/// ```
#[derive(Clone)]
pub struct RetentionLedger<Id> {
    capacity: usize,
    by_id: BTreeMap<Id, Timestamp>,
    by_deadline: BTreeSet<(Timestamp, Id)>,
}

impl<Id: Ord + Clone> RetentionLedger<Id> {
    /// An empty ledger for at most `capacity` messages.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, by_id: BTreeMap::new(), by_deadline: BTreeSet::new() }
    }

    /// P-11.22. Notes that `id` must be gone by `deadline`. Of two deadlines for one message the earlier counts: what
    /// was
    /// promised when it was sent is not prolonged by later terms.
    ///
    /// # Errors
    ///
    /// [`LedgerFull`] where it holds `capacity` others: delete what is due, or take no more messages.
    pub fn record(&mut self, id: Id, deadline: Timestamp) -> Result<(), LedgerFull> {
        match self.by_id.get(&id).copied() {
            Some(earlier) if earlier <= deadline => return Ok(()),
            Some(later) => {
                self.by_deadline.remove(&(later, id.clone()));
            }
            None if self.by_id.len() >= self.capacity => return Err(LedgerFull),
            None => {}
        }
        self.by_deadline.insert((deadline, id.clone()));
        self.by_id.insert(id, deadline);
        Ok(())
    }

    /// What must be deleted by `now`, the most overdue first. It stays here until it is [`removed`](Self::removed).
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Id> {
        self.by_deadline.iter().take_while(move |(deadline, _)| *deadline <= now).map(|(_, id)| id)
    }

    /// When the next deadline is.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Forgets what the host has deleted, due or not. Others are ignored.
    pub fn removed(&mut self, ids: &[Id]) {
        for id in ids {
            if let Some((id, deadline)) = self.by_id.remove_entry(id) {
                self.by_deadline.remove(&(deadline, id));
            }
        }
    }

    /// Everything that is held, the earliest deadline first.
    pub fn entries(&self) -> impl Iterator<Item = (&Id, Timestamp)> {
        self.by_deadline.iter().map(|(deadline, id)| (id, *deadline))
    }

    /// How many messages are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is held.
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
