//! [`Log`]: the owner's entries, and whether another may follow
//! ([section 13.1](crate::manual::spec::groups#131-entries)).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::encoding::check_key;
use super::entry::{Entry, UnverifiedEntry};
use super::error::{EntryError, OfferError};
use super::history::History;
use super::limits::{ENTRIES, LOG_BYTES};
use super::rights::{FIRST, Rights};
use super::{EntryHash, GroupId};
use bisik_core::codec::Malformed;
use bisik_core::convert::widened;

/// The entries of a group, and what they say.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) group: GroupId,
    entries: Vec<Entry>,
    bytes: usize,
    pub(super) rights: Rights,
    pub(super) history: History,
}

/// What an entry that was offered is.
pub(super) enum Checked {
    /// It is in the log.
    Known,
    /// It follows the newest entry, and leads to these rights.
    Next(Box<Entry>, Box<Rights>),
    /// It is valid, and stands where another valid one does. P-13.4.
    Rival(Box<Entry>),
    /// The entry before it is missing. P-13.3.
    Orphan,
}

impl Log {
    /// The log that a first entry begins. P-13.1.
    pub(super) fn begin(bytes: &[u8]) -> Result<Self, OfferError> {
        let unverified = UnverifiedEntry::read(bytes)?;
        let nothing = unverified.previous.as_bytes() == &[0; 32] && unverified.group.as_bytes() == &[0; 32];
        if unverified.epoch != FIRST || !nothing {
            return Err(OfferError::NotPermitted);
        }
        if !unverified.is_signed_by(&unverified.author) {
            return Err(OfferError::BadSignature);
        }
        let entry = unverified.parse()?;
        check_key(entry.author.identity())?;
        entry.check_keys()?;
        let rights = Rights::found(entry.step())?;
        if rights.hash() != entry.rights {
            return Err(OfferError::OtherRights);
        }
        let mut history = History::default();
        history.note(entry.step());
        Ok(Self { group: entry.group_id(), bytes: entry.as_bytes().len(), entries: [entry].into(), rights, history })
    }

    /// The log of a record, whose entries were checked before they were stored.
    pub(super) fn stored(entries: Vec<Entry>, group: GroupId) -> Result<Self, Malformed> {
        let first = entries.first().filter(|first| first.group_id() == group).ok_or(Malformed)?;
        let mut rights = Rights::found(first.step()).map_err(|_| Malformed)?;
        let mut history = History::default();
        history.note(first.step());
        let mut bytes = first.as_bytes().len();
        for pair in entries.windows(2) {
            let [before, entry] = pair else { return Err(Malformed) };
            if entry.previous != before.hash || before.epoch.checked_add(1) != Some(entry.epoch) {
                return Err(Malformed);
            }
            rights.follow(entry.step(), group).map_err(|_| Malformed)?;
            history.note(entry.step());
            bytes = bytes.saturating_add(entry.as_bytes().len());
        }
        // The hash of rights covers all that entries did: the newest is enough.
        let leads_here = entries.last().is_some_and(|last| last.rights == rights.hash());
        if entries.len() > ENTRIES || first.epoch != FIRST || !leads_here {
            return Err(Malformed);
        }
        Ok(Self { group, entries, bytes, rights, history })
    }

    /// Checks an entry that was offered, and changes nothing. P-13.1 to P-13.4.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<Checked, OfferError> {
        let unverified = UnverifiedEntry::read(bytes)?;
        if self.at(unverified.epoch).is_some_and(|entry| entry.hash == unverified.hash()) {
            return Ok(Checked::Known);
        }
        if unverified.group != self.group {
            return Err(OfferError::OtherGroup);
        }
        let before = unverified.epoch.checked_sub(1).and_then(|epoch| self.at(epoch));
        let Some(before) = before.filter(|before| before.hash == unverified.previous) else {
            return if unverified.epoch > FIRST { Ok(Checked::Orphan) } else { Err(OfferError::NotPermitted) };
        };
        let owner = self.history.owner(before.epoch).ok_or(OfferError::NotPermitted)?;
        if unverified.author != owner.account {
            return Err(OfferError::NotPermitted);
        }
        if !unverified.is_signed_by(&owner.account) {
            return Err(OfferError::BadSignature);
        }
        let entry = unverified.parse()?;
        entry.check_keys()?;
        let is_next = before.epoch == self.epoch();
        let rights = if is_next { self.rights.after(entry.step(), self.group) } else { self.again(&entry) }?;
        if rights.hash() != entry.rights {
            return Err(OfferError::OtherRights);
        }
        if !is_next {
            return Ok(Checked::Rival(entry.into()));
        }
        let bytes = self.bytes.saturating_add(entry.as_bytes().len());
        if self.entries.len() >= ENTRIES || bytes > LOG_BYTES {
            return Err(OfferError::Full);
        }
        Ok(Checked::Next(entry.into(), rights.into()))
    }

    /// The rights after `rival`, which stands where another entry of the log does. Computes the rights before it again, from
    /// the first entry: only somebody who was the owner then can make a device do so.
    fn again(&self, rival: &Entry) -> Result<Rights, EntryError> {
        let mut entries = self.entries.iter().take_while(|entry| entry.epoch < rival.epoch);
        let first = entries.next().ok_or(EntryError::NotPermitted)?;
        let mut rights = Rights::found(first.step())?;
        entries.try_for_each(|entry| rights.follow(entry.step(), self.group))?;
        rights.follow(rival.step(), self.group)?;
        Ok(rights)
    }

    /// Adds an entry that was checked.
    pub(super) fn push(&mut self, entry: Entry, rights: Rights) {
        self.history.note(entry.step());
        self.bytes = self.bytes.saturating_add(entry.as_bytes().len());
        self.rights = rights;
        self.entries.push(entry);
    }

    /// The entry of this epoch.
    pub(super) fn at(&self, epoch: u64) -> Option<&Entry> {
        let place = usize::try_from(epoch.checked_sub(FIRST)?).ok()?;
        self.entries.get(place)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The number of the newest entry.
    pub(super) fn epoch(&self) -> u64 {
        widened(self.entries.len())
    }

    /// The hash of the newest entry.
    pub(super) fn newest(&self) -> EntryHash {
        let last = self.entries.last().map(|entry| entry.hash);
        last.unwrap_or(EntryHash::from_bytes([0; 32]))
    }
}
