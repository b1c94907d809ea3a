//! What members write: acts ([section 13.3](crate::manual::spec::groups#133-acts)).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::act::{Act, Body, Draft, UnverifiedAct};
use super::acts::Known;
use super::author::{Author, Statement, Written};
use super::count::{Verdict, VoidReason};
use super::limits::{ACCOUNTS, KEPT};
use super::link::{Link, join_text};
use super::permit::permits;
use super::{ActId, LinkPolicy, LinkSecret, Membership, OfferError, Role, Stay, StayId, Taken, WriteError};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::internal::InternalError;
use bisik_core::time::Timestamp;

impl Membership {
    /// Adds an account, for the owner or an admin: it is invited, and a member once it accepts. Draws 16 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] if 1,024 accounts are members or invited; otherwise [`WriteError`]. Nothing has changed then.
    pub fn add(
        &mut self,
        author: &Author<'_>,
        account: AccountKey,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Written, WriteError> {
        let accounts = self.state.accounts();
        if accounts.len() >= ACCOUNTS && !accounts.contains(&&account) {
            return Err(WriteError::Full);
        }
        let stay = Stay { account, id: StayId::generate(rng) };
        let own = self.own_stay(author)?;
        Ok(self.write_act(author, own, Body::Add(stay), now)?.1)
    }

    /// Adds an account that [asks](super::State::requests) by a link, for the owner or an admin: it is a member at once.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if it does not ask; otherwise as for [`add`](Self::add). Nothing has changed then.
    pub fn admit_request(&mut self, author: &Author<'_>, stay: &Stay, now: Timestamp) -> Result<Written, WriteError> {
        if !self.state.requests().any(|waiting| waiting == stay) {
            return Err(WriteError::Unknown);
        }
        let accounts = self.state.accounts();
        if accounts.len() >= ACCOUNTS && !accounts.contains(&&stay.account) {
            return Err(WriteError::Full);
        }
        let own = self.own_stay(author)?;
        Ok(self.write_act(author, own, Body::Add(*stay), now)?.1)
    }

    /// Accepts the invitations of the local account.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotAMember`] if it is not invited; otherwise [`WriteError`]. Nothing has changed then.
    pub fn accept(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        let invited: Vec<_> = self.own_stays(author).filter(|(_, accepted)| !accepted).collect();
        self.write_for_each(author, invited.into_iter().map(|(stay, _)| (stay, Body::Accept)), now)
    }

    /// Leaves the group, or declines the invitation, for the primary device of an account. What the account did as an admin
    /// stands, except for the acts in `drop`. The owner hands over or ends the group instead.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotThePrimary`]; [`WriteError::NotAMember`]; [`WriteError::Full`] if more than 1,024 acts would have to
    /// be kept: the owner settles the group first; otherwise [`WriteError`]. Nothing has changed then.
    pub fn leave(&mut self, author: &Author<'_>, drop: &[ActId], now: Timestamp) -> Result<Written, WriteError> {
        if !author.is_primary() {
            return Err(WriteError::NotThePrimary);
        }
        let stays: Vec<_> = self.own_stays(author).map(|(stay, _)| stay).collect();
        let mut acts = Vec::with_capacity(stays.len());
        for stay in stays {
            let leads = self.log.history.role(&stay, self.log.epoch()).leads();
            let kept = if leads { self.standing_acts_of(&stay, drop)? } else { Vec::new() };
            acts.push((stay, Body::Leave { kept }));
        }
        self.write_for_each(author, acts.into_iter(), now)
    }

    /// Removes an account, for the owner, or of a member or reader for an admin: every stay of it that has not ended,
    /// accepted or not. What it did as an admin stands, except for the acts in `drop`.
    ///
    /// An admin is first made a member by an entry, if this is the owner's primary device: from then on, nothing that the
    /// account says of the past counts.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if the account is neither a member nor invited; [`WriteError::Full`] if more than 1,024 acts
    /// would have to be kept; otherwise [`WriteError`]. Nothing has changed then.
    pub fn remove(
        &mut self,
        author: &Author<'_>,
        account: &AccountKey,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let own = self.own_stay(author)?;
        let stays: Vec<_> = self.state.stays.keys().filter(|stay| stay.account == *account).copied().collect();
        let mut acts = Vec::with_capacity(stays.len());
        for target in stays {
            acts.push((own, Body::Remove { target, kept: self.standing_acts_of(&target, drop)? }));
        }
        if acts.is_empty() {
            return Err(WriteError::Unknown);
        }
        self.check_all(author, &acts, now)?;
        let stays = self.state.stays.iter().filter(|(stay, _)| stay.account == *account);
        let leads = stays.map(|(_, view)| view.role).any(|role| role == Role::Admin);
        let mut written = Written::default();
        if leads && self.is_owner(author) {
            written.join(self.set_role(author, account, Role::Member, drop, now)?);
        }
        written.join(self.write_for_each(author, acts.into_iter(), now)?);
        Ok(written)
    }

    /// Ends the admission of a hosted device, for a device of its account, or for the owner or an admin.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if it is not admitted; otherwise [`WriteError`]. Nothing has changed then.
    pub fn retire(
        &mut self,
        author: &Author<'_>,
        endpoint: &IdentityKey,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let account = self.log.rights.endpoints.get(endpoint).ok_or(WriteError::Unknown)?.account;
        let own = self.own_stay(author)?;
        Ok(self.write_act(author, own, Body::Retire { endpoint: *endpoint, account }, now)?.1)
    }

    /// Opens a link, for the owner or an admin: whoever has it can join. Draws 32 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] if 64 links are open; otherwise [`WriteError`]. Nothing has changed then.
    pub fn open_link(
        &mut self,
        author: &Author<'_>,
        policy: LinkPolicy,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(LinkSecret, Written), WriteError> {
        let secret = LinkSecret::draw(&mut rng);
        let link = Link { verifier: *LinkSecret::pair(&secret).public().as_bytes(), policy };
        let own = self.own_stay(author)?;
        let (id, written) = self.write_act(author, own, Body::OpenLink(link), now)?;
        Ok((LinkSecret { group: self.log.group, link: id, secret }, written))
    }

    /// Closes a link, for the owner or an admin. Those who joined by it and are known here stay, except for the joins in
    /// `drop`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if the link is not open; [`WriteError::Full`] if more than 1,024 joins would have to be kept;
    /// otherwise [`WriteError`]. Nothing has changed then.
    pub fn close_link(
        &mut self,
        author: &Author<'_>,
        link: ActId,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        if !self.state.links.contains_key(&link) {
            return Err(WriteError::Unknown);
        }
        let own = self.own_stay(author)?;
        let kept = self.counting(|known| known.act.joins_by() == Some(&link), drop)?;
        Ok(self.write_act(author, own, Body::CloseLink { link, kept }, now)?.1)
    }

    /// Joins by a link, as an account that is no member. By a link that asks, somebody has still to add the account. Draws
    /// 16 bytes from `rng`; for an account that has joined by this link before, as often as it takes to draw a join with a
    /// lesser id: that is the one that counts.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if the link is of another group or is not open here; [`WriteError::NotPermitted`] if the
    /// account was removed before; [`WriteError::Full`] if it has joined by this link so often that no lesser id is found:
    /// it joins by another link, or after the owner has settled the group; otherwise [`WriteError`]. Nothing has changed
    /// then.
    pub fn join(
        &mut self,
        author: &Author<'_>,
        link: &LinkSecret,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Written, WriteError> {
        if link.group != self.log.group || !self.state.links.contains_key(&link.link) {
            return Err(WriteError::Unknown);
        }
        let pair = LinkSecret::pair(&link.secret);
        for _ in 0..JOIN_TRIES {
            let stay = Stay { account: author.account, id: StayId::generate(rng) };
            let proof = pair.sign(&join_text(link.group, &stay));
            let known = self.sign_act(author, stay, Body::Join { link: link.link, proof }, now)?;
            if self.counts_if_held(&known) != Err(VoidReason::Repeats) {
                return Ok(self.enter_written(known)?.1);
            }
        }
        Err(WriteError::Full)
    }

    /// Asks that everybody use new keys, for the owner or an admin: after the theft of a device, for example.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn rekey(&mut self, author: &Author<'_>, now: Timestamp) -> Result<Written, WriteError> {
        let own = self.own_stay(author)?;
        Ok(self.write_act(author, own, Body::Rekey, now)?.1)
    }

    /// Checks that this is the device of the record, and that the group takes anything.
    pub(super) fn check_writer(&self, author: &Author<'_>) -> Result<(), WriteError> {
        self.check_evidence()?;
        if self.local != (author.account, *author.identity.public()) {
            Err(WriteError::DeviceNotListed)
        } else if self.missing_floor().is_some() {
            Err(WriteError::FloorMissing)
        } else {
            Ok(())
        }
    }

    /// The stay as which the local account acts.
    pub(super) fn own_stay(&self, author: &Author<'_>) -> Result<Stay, WriteError> {
        self.state.stay_of(&author.account).copied().ok_or(WriteError::NotAMember)
    }

    /// The stays of the local account that have not ended, and whether each is accepted.
    fn own_stays(&self, author: &Author<'_>) -> impl Iterator<Item = (Stay, bool)> {
        let own = self.state.stays.iter().filter(|(stay, _)| stay.account == author.account);
        own.map(|(stay, view)| (*stay, view.accepted))
    }

    /// The acts of a stay that count, and would end with it: what whoever ends it keeps. P-13.17.
    fn standing_acts_of(&self, stay: &Stay, drop: &[ActId]) -> Result<Vec<ActId>, WriteError> {
        let is_kept = |act: &Act| act.author == *stay && act.ends_with_its_author() && act.is_worth_keeping();
        self.counting(|known| is_kept(&known.act), drop)
    }

    /// The acts that count and that `which` picks, ascending, without those in `drop`.
    fn counting(&self, which: impl Fn(&Known) -> bool, drop: &[ActId]) -> Result<Vec<ActId>, WriteError> {
        let counts = |known: &&Known| self.tally.verdicts.get(&known.act.hash) == Some(&Verdict::Counts);
        let found = self.acts.iter().filter(counts).filter(|known| which(known)).map(|known| known.act.id());
        let kept: Vec<_> = found.filter(|id| !drop.contains(id)).collect();
        if kept.len() > KEPT { Err(WriteError::Full) } else { Ok(kept) }
    }

    /// Writes several acts, all or none.
    fn write_for_each(
        &mut self,
        author: &Author<'_>,
        acts: impl Iterator<Item = (Stay, Body)>,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        let acts: Vec<_> = acts.collect();
        if acts.is_empty() {
            return Err(WriteError::NotAMember);
        }
        self.check_all(author, &acts, now)?;
        let mut written = Written::default();
        for (stay, body) in acts {
            written.join(self.write_act(author, stay, body, now)?.1);
        }
        Ok(written)
    }

    /// Checks that each of several acts would be taken, and that all have room: then all are taken, because none of them
    /// undoes another.
    fn check_all(&self, author: &Author<'_>, acts: &[(Stay, Body)], now: Timestamp) -> Result<(), WriteError> {
        let drafts = acts.iter().map(|(stay, body)| self.draft(author, *stay, body.clone(), now));
        let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
        if self.have_room(&drafts) { Ok(()) } else { Err(WriteError::Full) }
    }

    /// Signs an act, if it would count, or says what somebody else has said.
    fn draft(&self, author: &Author<'_>, stay: Stay, body: Body, now: Timestamp) -> Result<Known, WriteError> {
        let known = self.sign_act(author, stay, body, now)?;
        self.check_worth(&known)?;
        Ok(known)
    }

    fn check_worth(&self, known: &Known) -> Result<(), WriteError> {
        self.is_worth_holding(known).map_err(|reason| WriteError::from(OfferError::DoesNotCount(reason)))
    }

    /// Signs an act that is permitted.
    fn sign_act(&self, author: &Author<'_>, stay: Stay, body: Body, now: Timestamp) -> Result<Known, WriteError> {
        self.check_writer(author)?;
        let draft = Draft {
            group: self.log.group,
            epoch: self.log.epoch(),
            entry: self.log.newest(),
            author: stay,
            device: author.device,
            list: author.list,
            time: now,
            body,
        };
        let bytes = draft.sign(author.identity);
        let unverified = UnverifiedAct::read(&bytes).map_err(|_| InternalError)?;
        let act: Act = unverified.parse(*author.identity.public()).map_err(|_| InternalError)?;
        act.check_keys().map_err(|_| WriteError::NotPermitted)?;
        if !permits(&self.log.history, &act) {
            return Err(WriteError::NotPermitted);
        }
        Ok(self.known(act))
    }

    /// Writes one act.
    pub(super) fn write_act(
        &mut self,
        author: &Author<'_>,
        stay: Stay,
        body: Body,
        now: Timestamp,
    ) -> Result<(ActId, Written), WriteError> {
        let known = self.sign_act(author, stay, body, now)?;
        self.enter_written(known)
    }

    /// Takes an act of this device.
    fn enter_written(&mut self, known: Known) -> Result<(ActId, Written), WriteError> {
        self.check_worth(&known)?;
        let (id, bytes) = (known.act.id(), known.act.as_bytes().to_vec());
        let mut events = Vec::new();
        let outcome = self.enter([known].into(), &mut events).pop().ok_or(InternalError)?;
        match outcome? {
            Taken::Taken => Ok((id, Written { statements: [Statement::Act(bytes)].into(), events })),
            Taken::Known | Taken::Aside => Err(InternalError.into()),
        }
    }
}

/// Joins that a device draws for one with a lesser id than that of its account's last: each time somebody comes back by a
/// link, it takes twice as many.
const JOIN_TRIES: usize = 4_096;
