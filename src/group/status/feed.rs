//! [`Feed`]: the statuses that one account shows to this device (docs/spec/statuses.md, section 16.3).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::limits::{ASK_AGAIN, DAY, OVERHEAD, REMEMBERED, SOURCES};
use super::received::StatusReceived;
use super::wire::{Body, StatusNote};
use crate::account::Account;
use crate::conversation::{Letter, MAX_BODY, MemberDevice, ReceivedLetter};
use crate::device::{AccountKey, DeviceDirectory};
use crate::group::chain::{
    ChainId, GroupMessage, OpenError, OpenedMessage, ReceivingChains, Scope, StagedMessage, Taken,
};
use crate::group::inbox::Inbox;
use crate::group::{GroupArrival, GroupId, GroupMessageId, GroupReceiveError};
use crate::hosting::LabelState;
use crate::keys::IdentityKey;
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;

/// What one account shows to this device: its statuses, each for 24 hours at most
/// ([section 16.3](crate::manual::spec::statuses#163-reading)). One for each contact that shows something, and one for the own
/// account, which has what its other devices post.
///
/// Not `Clone`, like a session.
pub struct Feed {
    pub(super) author: AccountKey,
    /// This device.
    pub(super) local: IdentityKey,
    pub(super) sources: BTreeMap<(GroupId, MemberDevice), Source>,
    /// Counts what was heard of all sources.
    pub(super) heard: u64,
    pub(super) inbox: Inbox<StatusReceived>,
    /// Statuses that were taken back, and until when that is remembered.
    pub(super) deleted: BTreeMap<GroupMessageId, Timestamp>,
    /// Chains that are lacking. Not stored: the next message shows it again.
    pub(super) lacking: BTreeMap<MemberDevice, Lacking>,
    pub(super) lineage: Lineage,
}

/// A device of the author in one audience.
pub(super) struct Source {
    pub(super) chains: ReceivingChains,
    /// When something was last heard of it, as `Feed::heard` counts.
    pub(super) heard: u64,
}

/// What was asked of a device.
#[derive(Default)]
pub(super) struct Lacking {
    chain: Option<ChainId>,
    asked: Option<Timestamp>,
}

/// What the conversation with the author knows.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The author's devices ([`Conversation::peer`](crate::Conversation::peer)); for the own account
    /// [`Account::devices`](crate::Account::devices).
    pub devices: &'a DeviceDirectory,
    /// The label of the conversation ([`Conversation::label`](crate::Conversation::label)). Without it nothing of a hosted
    /// device is taken.
    pub label: Option<&'a LabelState>,
}

impl Feed {
    /// A feed of `author`, which has shown nothing yet.
    #[must_use]
    pub fn new(account: &Account, author: AccountKey) -> Self {
        Self {
            author,
            local: *account.identity().public(),
            sources: BTreeMap::new(),
            heard: 0,
            inbox: Inbox::new(),
            deleted: BTreeMap::new(),
            lacking: BTreeMap::new(),
            lineage: Lineage::new(1),
        }
    }

    /// Returns whose statuses these are.
    #[must_use]
    pub const fn author(&self) -> &AccountKey {
        &self.author
    }

    /// What waits for the program, as far as the database has it. Each thing has a number, under which it is given again
    /// until it is [settled](Self::settle).
    pub fn inbox(&self) -> impl Iterator<Item = (u64, &StatusReceived)> {
        self.inbox.iter()
    }

    /// Forgets what the program has stored or shown: everything up to this number that [`inbox`](Self::inbox) gave.
    pub fn settle(&mut self, through: u64) {
        if self.inbox.settle(through) {
            self.lineage.change();
        }
    }

    /// Drops what has ended. Call it when time has passed, and nothing is [received](Self::receive).
    pub fn expire(&mut self, now: Timestamp) {
        if let Some(expired) = self.inbox.expire(now) {
            self.lineage.change();
            expired.into_iter().for_each(|expired| self.give(expired));
        }
        let before = self.deleted.len();
        self.deleted.retain(|_, until| *until > now);
        if self.deleted.len() != before {
            self.lineage.change();
        }
    }

    /// Takes a letter of the author: the key of a chain in which it shows something to this account. Seal and store, then
    /// [settle](crate::Conversation::settle) it in the conversation.
    ///
    /// # Errors
    ///
    /// [`GroupReceiveError::Malformed`] if it is no such letter, [`GroupReceiveError::UnknownDevice`] if its sender is not
    /// one of the author's devices from which statuses are taken (P-16.8), [`GroupReceiveError::Chain`] if the chain contradicts
    /// what is known, [`GroupReceiveError::InboxFull`] or [`GroupReceiveError::DisclosureNeeded`]. Nothing has changed then.
    pub fn receive_letter(
        &mut self,
        account: &Account,
        author: Author<'_>,
        letter: &ReceivedLetter,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        let from = *letter.from();
        let StatusNote::Chain(distribution) = StatusNote::decode(letter.body())? else {
            return Err(GroupReceiveError::Malformed);
        };
        self.check(account)?;
        if !self.inbox.has_room(0) {
            return Err(GroupReceiveError::InboxFull);
        }
        if !self.takes_from(author, &from, now) {
            return Err(GroupReceiveError::UnknownDevice);
        }
        let key = (*distribution.scope().id(), from);
        let new = || ReceivingChains::new(Scope::Audience(key.0), from);
        let mut fresh = None;
        let chains = match self.sources.get_mut(&key) {
            Some(source) => &mut source.chains,
            None => fresh.insert(new()),
        };
        let Taken { opens_more: _, given_up } =
            chains.take(&distribution, &from.identity).map_err(GroupReceiveError::Chain)?;
        // From here on nothing fails.
        self.lineage.change();
        if let Some(chains) = fresh {
            self.make_room();
            self.sources.insert(key, Source { chains, heard: 0 });
        }
        self.hear(&key);
        // When it was asked last is remembered: an answer permits no further question.
        self.lacking.get_mut(&from).into_iter().for_each(|lacking| lacking.chain = None);
        if given_up > 0 {
            self.give(StatusReceived::Lost { device: from, messages: given_up });
        }
        Ok(())
    }

    /// Receives messages of the author, in any order, and returns what became of each. What they show is in the
    /// [inbox](Self::inbox) once the feed is stored.
    #[must_use = "a message that was refused may have to be kept"]
    pub fn receive(
        &mut self,
        account: &Account,
        author: Author<'_>,
        arrivals: &[GroupArrival],
        now: Timestamp,
    ) -> Vec<Result<(), GroupReceiveError>> {
        self.expire(now);
        arrivals.iter().map(|arrival| self.receive_one(account, author, arrival, now)).collect()
    }

    fn receive_one(
        &mut self,
        account: &Account,
        author: Author<'_>,
        GroupArrival { from, message }: &GroupArrival,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        if message.len() > MAX_BODY.saturating_add(OVERHEAD) {
            return Err(GroupReceiveError::Malformed);
        }
        self.check(account)?;
        let message = GroupMessage::from_bytes(message)?;
        let id = message.chain();
        let known = self.sources.iter().find(|(_, source)| source.chains.knows(id));
        let Some(key) = known.map(|(key, _)| *key) else {
            self.need(author, from, id);
            return Err(GroupReceiveError::NeedsChain);
        };
        let sender = key.1;
        // P-16.8: also of a device that was unlinked since it gave its chain.
        let permitted = self.takes_from(author, &sender, now);
        let Some(source) = self.sources.get_mut(&key) else { return Err(GroupReceiveError::Internal) };
        let has_room = |said: &Said| self.inbox.has_room_for(said.events(), said.len());
        let taken = source.chains.stage(&message).map(|staged| take(staged, permitted, has_room, now));
        let (opened, said) = taken.map_err(|error| self.refused(sender, id, error))??;
        // From here on nothing fails.
        self.lineage.change();
        self.hear(&key);
        let name = GroupMessageId { chain: opened.chain, index: opened.index };
        match said {
            Said::Post { until, body } => {
                let promised = account.deadline(|_| true, now);
                self.show(sender, name, body, promised.map_or(until, |promised| promised.min(until)), now);
            }
            Said::Delete(posts) => posts.into_iter().for_each(|post| self.delete(post, now)),
        }
        if opened.given_up > 0 {
            self.give(StatusReceived::Lost { device: sender, messages: opened.given_up });
        }
        Ok(())
    }

    /// Letters that ask the author's devices for chains that are lacking, to each at most once an hour: give them to the
    /// conversation with the author ([`Conversation::send_letter`](crate::Conversation::send_letter)). P-16.7.
    pub fn asks(&mut self, author: Author<'_>, now: Timestamp) -> Vec<Letter> {
        let mut letters = Vec::new();
        self.lacking.retain(|device, _| is_listed(author.devices, device));
        for (device, Lacking { chain, asked }) in &mut self.lacking {
            let due = asked.is_none_or(|asked| asked > now || asked.plus_seconds(ASK_AGAIN) <= now);
            if let Some(lacks) = chain.filter(|_| due) {
                (*chain, *asked) = (None, Some(now));
                letters.push(Letter::new(*device, StatusNote::NeedChain(lacks).encode()));
            }
        }
        letters
    }

    /// P-12.58.
    fn check(&self, account: &Account) -> Result<(), GroupReceiveError> {
        if account.knows_its_terms() { Ok(()) } else { Err(GroupReceiveError::DisclosureNeeded) }
    }

    /// P-16.8: whether a device is one of the author's newest list, and own-held or one that the user agrees to.
    fn takes_from(&self, author: Author<'_>, device: &MemberDevice, now: Timestamp) -> bool {
        let Author { devices, label } = author;
        let entry = devices.at(device.device).filter(|_| is_listed(devices, device) && !devices.is_expired(now));
        entry.filter(|_| device.account == self.author && device.identity != self.local).is_some_and(|entry| {
            let permits = |label: &LabelState| *label.account() == self.author && label.lets_read(entry, now);
            entry.custody().is_own_held() || label.is_some_and(permits)
        })
    }

    /// Takes note that a source was heard.
    fn hear(&mut self, key: &(GroupId, MemberDevice)) {
        self.heard = self.heard.saturating_add(1);
        let heard = self.heard;
        self.sources.get_mut(key).into_iter().for_each(|source| source.heard = heard);
    }

    /// Forgets the source that was not heard of for longest, if there is no room for another.
    fn make_room(&mut self) {
        if self.sources.len() >= SOURCES {
            let oldest = self.sources.iter().min_by_key(|(_, source)| source.heard).map(|(key, _)| *key);
            oldest.into_iter().for_each(|oldest| drop(self.sources.remove(&oldest)));
        }
    }

    /// Gives something to the program. The caller counts the change before.
    fn give(&mut self, received: StatusReceived) {
        self.inbox.give(received, self.lineage.revision());
    }

    /// P-16.9.
    fn show(
        &mut self,
        from: MemberDevice,
        id: GroupMessageId,
        body: Zeroizing<Vec<u8>>,
        until: Timestamp,
        now: Timestamp,
    ) {
        // It was told already.
        if self.deleted.contains_key(&id) {
            return;
        }
        let shown =
            if until > now { StatusReceived::Post { from, id, body, until } } else { StatusReceived::Expired { id } };
        self.give(shown);
    }

    /// P-16.10.
    fn delete(&mut self, post: GroupMessageId, now: Timestamp) {
        let is_it = |received: &StatusReceived| matches!(received, StatusReceived::Post { id, .. } if *id == post);
        // Instead of what the program would be told of a status that has ended.
        let _expired = self.inbox.remove(is_it);
        if self.deleted.insert(post, now.plus_seconds(DAY)).is_none() {
            self.give(StatusReceived::Deleted { id: post });
        }
        while self.deleted.len() > REMEMBERED {
            let oldest = self.deleted.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.deleted.remove(&oldest);
            }
        }
    }

    /// What a message that a sender's chains refuse means.
    fn refused(&mut self, sender: MemberDevice, chain: ChainId, error: OpenError) -> GroupReceiveError {
        let is_new = error.asks_for_the_chain() && self.lacks(sender, chain);
        if is_new && matches!(error, OpenError::WentBack { .. }) {
            self.lineage.change();
            self.give(StatusReceived::WentBack { device: sender });
        }
        error.into()
    }

    /// A message of an unknown chain was not verified at all: the device that is said to have written it is asked, if it is
    /// one of the author, and seldom.
    fn need(&mut self, author: Author<'_>, (account, index): &(AccountKey, u32), chain: ChainId) {
        let entry = author.devices.at(*index).filter(|_| account == &self.author);
        let identity = entry.filter(|_| author.devices.account() == account).map(|entry| *entry.identity());
        if let Some(identity) = identity.filter(|identity| *identity != self.local) {
            self.lacks(MemberDevice { account: *account, device: *index, identity }, chain);
        }
    }

    /// Notes that a chain is lacking. Whether it was not noted yet.
    fn lacks(&mut self, device: MemberDevice, chain: ChainId) -> bool {
        self.lacking.entry(device).or_default().chain.replace(chain) != Some(chain)
    }
}

/// What a message says, in memory of its own.
enum Said {
    Post { until: Timestamp, body: Zeroizing<Vec<u8>> },
    Delete(Vec<GroupMessageId>),
}

impl Said {
    /// How many things the program is told at most: one of each status, and one of what is lost.
    fn events(&self) -> usize {
        match self {
            Self::Post { .. } => 2,
            Self::Delete(posts) => posts.len().saturating_add(1),
        }
    }

    /// Bytes that wait with them.
    fn len(&self) -> usize {
        match self {
            Self::Post { body, .. } => body.len(),
            Self::Delete(_) => 0,
        }
    }
}

/// Commits a message, if it is well-formed, its sender may write it, and there is room for what it tells. Otherwise nothing has
/// changed.
fn take(
    staged: StagedMessage<'_>,
    permitted: bool,
    has_room: impl Fn(&Said) -> bool,
    now: Timestamp,
) -> Result<(OpenedMessage, Said), GroupReceiveError> {
    let said = match Body::decode(staged.body())? {
        // P-16.9: neither clock is believed to lengthen it.
        Body::Post { written, lifetime, content } => Said::Post {
            until: written.min(now).plus_seconds(u64::from(lifetime)),
            body: Zeroizing::new(content.to_vec()),
        },
        Body::Delete(posts) => Said::Delete(posts),
    };
    if !permitted {
        return Err(GroupReceiveError::NotPermitted);
    }
    if !has_room(&said) {
        return Err(GroupReceiveError::InboxFull);
    }
    let mut opened = staged.commit();
    drop(Zeroizing::new(core::mem::take(&mut opened.body)));
    Ok((opened, said))
}

/// Whether a device is in a list under its index.
fn is_listed(devices: &DeviceDirectory, device: &MemberDevice) -> bool {
    devices.account() == &device.account
        && devices.at(device.device).is_some_and(|entry| *entry.identity() == device.identity)
}

/// Does not show what the author says.
impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("author", &self.author)
            .field("sources", &self.sources.len())
            .field("revision", &self.lineage.revision())
            .finish_non_exhaustive()
    }
}
