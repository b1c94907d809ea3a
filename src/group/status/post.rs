//! Writing to an audience (docs/spec/statuses.md, section 16.2).

use alloc::collections::BTreeSet;
use core::fmt;

use rand_core::CryptoRng;

use super::audience::Audience;
use super::error::StatusError;
use super::limits::{DAY, MOST_DELETED, OUTBOX, OUTBOX_BYTES};
use super::readers::Contacts;
use super::wire::Body;
use crate::account::Account;
use crate::conversation::{MAX_BODY, MemberDevice};
use crate::group::chain::{ListsDigest, Place, SendPlan, SendingChain, View};
use crate::group::outbox::{Outgoing, What};
use crate::group::write::{Targets, Writing, chain_letter};
use crate::group::{GroupHandover, GroupMessageId, GroupSent};
use bisik_core::held::Stored;
use bisik_core::internal::InternalError;
use bisik_core::time::Timestamp;

/// What is to be sent, once the audience is stored: **store before you send**.
#[must_use = "what was made is not sent"]
pub struct StatusOutgoing(Outgoing);

impl StatusOutgoing {
    /// Returns whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Releases what is to be sent, if `stored` proves that the audience was stored after it was made. Give the messages to
    /// the relay, store the conversations that took the letters, and tell the audience ([`handed`](Audience::handed)).
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &Stored) -> Result<(GroupSent, GroupHandover), Self> {
        self.0.release(stored).map_err(Self)
    }
}

impl fmt::Debug for StatusOutgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("StatusOutgoing", f)
    }
}

impl Audience {
    /// Encrypts a status for every device that [reads](Self::readers), and returns its name. It goes out with the next
    /// [`flush`](Self::flush). `content` is what the program shows, at most 256 KiB: a
    /// [`Content`](crate::content::Content), as a rule. It is shown for `lifetime` seconds, at most 24 hours. Draws 16 bytes
    /// from `rng`, and 64 more for a new chain.
    ///
    /// # Errors
    ///
    /// [`StatusError`]. Nothing has changed then.
    pub fn post(
        &mut self,
        account: &Account,
        content: &[u8],
        lifetime: u32,
        contacts: Contacts<'_>,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupMessageId, StatusError> {
        if lifetime == 0 || u64::from(lifetime) > DAY {
            return Err(StatusError::Lifetime);
        }
        if content.len() > MAX_BODY {
            return Err(StatusError::TooLong);
        }
        self.encrypt(account, &Body::Post { written: now, lifetime, content }, contacts, now, &mut rng)
    }

    /// Takes back statuses, 1 to 64, of this device or of another own one. Those who read now are told; whoever was excluded
    /// since keeps what it has. Draws what [`post`](Self::post) draws.
    ///
    /// # Errors
    ///
    /// [`StatusError`]. Nothing has changed then.
    pub fn delete(
        &mut self,
        account: &Account,
        posts: &[GroupMessageId],
        contacts: Contacts<'_>,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupMessageId, StatusError> {
        if posts.is_empty() || posts.len() > MOST_DELETED {
            return Err(StatusError::TooLong);
        }
        self.encrypt(account, &Body::Delete(posts.to_vec()), contacts, now, &mut rng)
    }

    /// Gives out what waits: messages, and the keys of chains. Call it after every operation. [Seal](Self::seal) and store,
    /// then [release](StatusOutgoing::release) it. What was given out before and not [handed over](Self::handed) is not given
    /// out again before the audience is loaded anew.
    ///
    /// # Errors
    ///
    /// [`StatusError`]. What is due then waits.
    pub fn flush(
        &mut self,
        account: &Account,
        contacts: Contacts<'_>,
        now: Timestamp,
    ) -> Result<StatusOutgoing, StatusError> {
        let targets = self.checked_targets(account, contacts, now)?;
        self.lineage.change();
        self.give_again(&targets, now)?;
        Ok(StatusOutgoing(self.outbox.give_out(targets.into_values().collect(), self.lineage.origin())))
    }

    /// P-12.1, P-12.2, and who reads.
    fn checked_targets(
        &self,
        account: &Account,
        contacts: Contacts<'_>,
        now: Timestamp,
    ) -> Result<Targets, StatusError> {
        if !account.acts_as(&self.local.identity, now) {
            return Err(StatusError::NotListed);
        }
        let targets = self.targets(account, contacts, now);
        if targets.len() > SendingChain::MOST_DEVICES { Err(StatusError::TooManyDevices) } else { Ok(targets) }
    }

    fn encrypt(
        &mut self,
        account: &Account,
        body: &Body<'_>,
        contacts: Contacts<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<GroupMessageId, StatusError> {
        let targets = self.checked_targets(account, contacts, now)?;
        let body = body.encode();
        let (count, bytes) = self.outbox.waiting();
        if count >= OUTBOX || bytes.saturating_add(body.len()) > OUTBOX_BYTES {
            return Err(StatusError::OutboxFull);
        }
        self.lineage.change();
        // P-16.6.
        let is_over = |chain: &&mut SendingChain| chain.begun().plus_seconds(DAY) <= now;
        self.chain.iter_mut().filter(is_over).for_each(SendingChain::rekey);
        let (view, lists) = (View::NONE, ListsDigest::NONE);
        let place = Place::Audience { id: self.id };
        let writing = Writing { place, sender: self.local, history: false, view, lists, targets: &targets, now };
        let expired = contacts.devices.iter().filter(|known| known.is_expired(now)).map(|known| *known.account());
        let expired: BTreeSet<_> = expired.collect();
        let is_current = |device: &MemberDevice| !expired.contains(&device.account);
        let written = writing.write(&mut self.chain, &mut self.outbox, is_current, &body, rng)?;
        if written.is_new {
            (self.lacking, self.given_again) = Default::default();
        }
        Ok(written.id)
    }

    /// P-16.7: gives the present chain again, at its present index, to those who lack it and read.
    fn give_again(&mut self, targets: &Targets, now: Timestamp) -> Result<(), StatusError> {
        let keys: BTreeSet<_> = targets.keys().copied().collect();
        let Some(chain) = &mut self.chain else { return Ok(()) };
        // Of a chain that may not be used any more, nobody is given anything.
        let SendPlan::Ready(mut ready) = chain.plan(&keys, now) else { return Ok(()) };
        for device in core::mem::take(&mut self.lacking) {
            let Some(to) = targets.get(&device) else { continue };
            self.given_again.insert(device, now);
            let given = ready.distribution_for(&device, View::NONE, &ListsDigest::NONE).map_err(|_| InternalError)?;
            self.outbox.make(What::Letter(*to, chain_letter(&given)));
        }
        Ok(())
    }
}
