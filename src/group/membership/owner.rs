//! What the owner writes: entries ([section 13.1](crate::manual::spec::groups#131-entries)).

use alloc::vec::Vec;

use super::author::{Author, Statement, Written};
use super::change::Change;
use super::count::Verdict;
use super::entry::{Draft, UnverifiedEntry};
use super::error::EntryError;
use super::floor::Floor;
use super::history::History;
use super::limits::{FLOOR_GONE, KEPT};
use super::log::Checked;
use super::rights::consent_text;
use super::standing::Standing;
use super::{ActId, AdmittedEndpoint, LinkPolicy, Membership, OfferError, Role, Setting, Stay, WriteError};
use crate::device::AccountKey;
use crate::keys::{Identity, IdentityKey};
use crate::labels::group as labels;
use bisik_core::internal::InternalError;
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

impl Membership {
    /// Gives an account another role: that of every stay of it that has not ended. What it did as an admin stands, except
    /// for the acts in `drop`: the entry keeps them.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if the account is neither a member nor invited; [`WriteError::NotPermitted`] for the owner's
    /// role; otherwise [`WriteError`]. Nothing has changed then.
    pub fn set_role(
        &mut self,
        author: &Author<'_>,
        account: &AccountKey,
        role: Role,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let stays = self.state.stays.keys().filter(|stay| stay.account == *account);
        let changes: Vec<_> = stays.map(|stay| Change::Role { stay: *stay, role }).collect();
        if changes.is_empty() {
            return Err(WriteError::Unknown);
        }
        if role == Role::Owner {
            return Err(WriteError::NotPermitted);
        }
        self.write_entry(author, changes, drop, now)
    }

    /// Sets a setting; an empty value removes it.
    ///
    /// # Errors
    ///
    /// [`WriteError::BadValue`] if the setting does not [accept](Setting::accepts) the value; otherwise [`WriteError`].
    /// Nothing has changed then.
    pub fn set(
        &mut self,
        author: &Author<'_>,
        setting: Setting,
        value: &[u8],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let value = setting.value(value).map_err(|_| WriteError::BadValue)?;
        self.write_entry(author, [Change::Setting { setting, value }].into(), &[], now)
    }

    /// Admits a hosted device: it may be given keys of the group, and every member sees it. Its account asks for it.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotPermitted`] if the device was retired before, for good; otherwise [`WriteError`]. Nothing has
    /// changed then.
    pub fn admit(
        &mut self,
        author: &Author<'_>,
        admitted: AdmittedEndpoint,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        if self.state.retired.contains(&admitted.endpoint) {
            return Err(WriteError::NotPermitted);
        }
        self.write_entry(author, [Change::Admit(admitted)].into(), &[], now)
    }

    /// Ends the admission of a hosted device.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn withdraw(
        &mut self,
        author: &Author<'_>,
        endpoint: IdentityKey,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        self.write_entry(author, [Change::Withdraw(endpoint)].into(), &[], now)
    }

    /// Bars a device of an account, for good: a companion that was stolen. What it did stands, except for the acts in
    /// `drop`.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotPermitted`] for a primary device; otherwise [`WriteError`]. Nothing has changed then.
    pub fn bar(
        &mut self,
        author: &Author<'_>,
        account: AccountKey,
        device: IdentityKey,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        self.write_entry(author, [Change::Bar { account, device }].into(), drop, now)
    }

    /// Makes acts stand whose authors have lost the right to them: for good, until they are [lifted](Self::lift). They need
    /// not be known here.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn keep(&mut self, author: &Author<'_>, acts: &[ActId], now: Timestamp) -> Result<Written, WriteError> {
        self.write_entry(author, lists(acts, Change::Keep), &[], now)
    }

    /// Undoes acts, and ends the [suspensions](super::Suspension) by them.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn lift(&mut self, author: &Author<'_>, acts: &[ActId], now: Timestamp) -> Result<Written, WriteError> {
        self.write_entry(author, lists(acts, Change::Lift), acts, now)
    }

    /// Agrees to own the group, with the identity of the account's primary device, as of the next entry. Send the 64 bytes
    /// to the owner.
    #[must_use]
    pub fn consent_to_own(&self, primary: &Identity) -> [u8; SIGNATURE] {
        let text = consent_text(self.log.group, self.next_epoch(), &self.log.newest());
        primary.sign_labelled(labels::OWNER, &text)
    }

    /// Hands the group over to a member who has [consented](Self::consent_to_own) to it. The former owner becomes an admin.
    /// What he did stands, except for the acts in `drop`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if the account is no member; [`WriteError::NotPermitted`] if the consent is not to this
    /// entry: ask again; otherwise [`WriteError`]. Nothing has changed then.
    pub fn hand_over(
        &mut self,
        author: &Author<'_>,
        account: &AccountKey,
        consent: [u8; SIGNATURE],
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let to = *self.state.stay_of(account).ok_or(WriteError::Unknown)?;
        self.write_entry(author, [Change::HandOver { to, consent }].into(), drop, now)
    }

    /// Settles the group: what counts now becomes a floor, and the acts up to here are forgotten.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] if more than 4,096 endpoints were retired, or more than 4,096 accounts removed and a link is
    /// open: close all links, and those who were removed before the last floor are left out; otherwise [`WriteError`].
    /// Nothing has changed then.
    pub fn settle_group(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        let mut floor = self.state.floor();
        if floor.removed.len() > FLOOR_GONE && floor.links.is_empty() {
            let older = self.floor.iter().flat_map(|settled| &settled.floor.removed);
            for account in older {
                floor.removed.remove(account);
            }
        }
        if !floor.fits() {
            return Err(WriteError::Full);
        }
        // Every device refuses a floor with a key that is not valid. No act and no entry brings one in.
        floor.check_keys().map_err(|_| InternalError)?;
        let bytes = floor.encode();
        let mut written = self.write_entry(author, [Change::Settle(Floor::hash(&bytes))].into(), &[], now)?;
        self.settle(self.log.epoch(), floor, &bytes, &mut written.events);
        written.statements.push(Statement::Floor(bytes));
        Ok(written)
    }

    /// Ends the group: no entry follows.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn end(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        self.write_entry(author, [Change::End].into(), &[], now)
    }

    /// Returns the admins who have left or were removed, and are admins in the log: the owner's device
    /// [lowers](Self::lower_departed) them, so that nothing that they say of the past counts.
    pub fn departed_admins(&self) -> impl Iterator<Item = &Stay> {
        let admins = self.log.rights.roles.iter().filter(|(_, role)| **role == Role::Admin);
        let ended = admins.filter(|(stay, _)| self.tally.is_ended(&self.view(), stay));
        ended.map(|(stay, _)| stay)
    }

    /// Makes members of admins who have [left or were removed](Self::departed_admins). What they did and somebody has kept
    /// stands.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if there are none; otherwise [`WriteError`]. Nothing has changed then.
    pub fn lower_departed(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        let lower = |stay: &Stay| Change::Role { stay: *stay, role: Role::Member };
        let changes: Vec<_> = self.departed_admins().map(lower).collect();
        if changes.is_empty() {
            return Err(WriteError::Unknown);
        }
        self.write_entry(author, changes, &[], now)
    }

    /// Whether this is the device that writes the log.
    pub(super) fn is_owner(&self, author: &Author<'_>) -> bool {
        author.is_primary() && author.account == self.log.rights.owner.account
    }

    pub(super) fn next_epoch(&self) -> u64 {
        // There are 4,096 entries at most.
        self.log.epoch().saturating_add(1)
    }

    /// Writes an entry with these changes. It keeps every act that counts and would not after them, except for those in
    /// `drop`.
    fn write_entry(
        &mut self,
        author: &Author<'_>,
        changes: Vec<Change>,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        self.check_writer(author)?;
        if !self.is_owner(author) {
            return Err(WriteError::NotThePrimary);
        }
        let mut draft = Draft {
            group: self.log.group,
            epoch: self.next_epoch(),
            previous: self.log.newest(),
            author: author.account,
            time: now,
            changes,
            rights: [0; 32],
        };
        let mut kept = lists(&self.shaken(&draft, drop), Change::Keep);
        kept.append(&mut draft.changes);
        draft.changes = kept;
        if !draft.fits() {
            return Err(WriteError::Full);
        }
        draft.rights = self.log.rights.after(draft.step(), self.log.group)?.hash();
        let bytes = draft.sign(author.identity);
        UnverifiedEntry::read(&bytes).map_err(|_| InternalError)?;
        let Checked::Next(entry, rights) = self.log.check(&bytes)? else { return Err(InternalError.into()) };
        let mut events = Vec::new();
        self.extend(*entry, *rights, &mut events);
        Ok(Written { statements: [Statement::Entry(bytes)].into(), events })
    }

    /// P-13.17. The acts that count, and that the draft would make void without meaning to. A join that has still to be confirmed by
    /// an `add` is none: to keep it would add its author.
    fn shaken(&self, draft: &Draft, drop: &[ActId]) -> Vec<ActId> {
        let mut history: History = self.log.history.clone();
        history.note(draft.step());
        let asks = |link: &ActId| self.tally.opened.get(link).is_none_or(|link| link.policy == LinkPolicy::Ask);
        let counting = self.tally.verdicts.iter().filter(|(_, verdict)| **verdict == Verdict::Counts);
        let acts = counting.filter_map(|(hash, _)| self.acts.get(hash));
        let shaken = acts.filter(|known| {
            let after = Standing::of(&known.act, &history);
            after.void && !after.lifted && known.act.is_worth_keeping() && !known.act.joins_by().is_some_and(asks)
        });
        shaken.map(|known| known.act.id()).filter(|id| !drop.contains(id)).collect()
    }
}

/// Lists of acts, each as long as one change may be.
fn lists(acts: &[ActId], change: impl Fn(Vec<ActId>) -> Change) -> Vec<Change> {
    let mut acts = acts.to_vec();
    acts.sort_unstable();
    acts.dedup();
    acts.chunks(KEPT).map(|ids| change(ids.to_vec())).collect()
}

impl From<EntryError> for WriteError {
    fn from(error: EntryError) -> Self {
        OfferError::from(error).into()
    }
}
