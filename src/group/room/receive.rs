//! Messages that arrive (docs/spec/rooms.md, section 15.4). Verify, then commit.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::Group;
use super::error::GroupReceiveError;
use super::id::GroupMessageId;
use super::items::Item;
use super::limits::{MESSAGE_OVERHEAD, SAME_NAME};
use super::received::GroupReceived;
use super::wire::Body;
use crate::account::Account;
use crate::conversation::{MAX_BODY, MemberDevice};
use crate::device::AccountKey;
use crate::group::chain::{ChainId, GroupMessage, OpenError, OpenedMessage, StagedMessage};
use crate::group::membership::GroupEvent;
use bisik_core::time::Timestamp;

/// A message of a group that arrived, with the sender that the relay claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupArrival {
    /// The account and the index of the device that wrote it, by the relay's word: only that device is asked for the chain.
    pub from: (AccountKey, u32),
    /// The message.
    pub message: Vec<u8>,
}

impl Group {
    /// Receives messages of members, in any order, and returns what became of each. What they gave is in the
    /// [inbox](Self::inbox) once the changes are stored: seal once for all of them, and [flush](Self::flush).
    #[must_use = "a message that was refused may have to be kept"]
    pub fn receive(
        &mut self,
        account: &Account,
        arrivals: &[GroupArrival],
        now: Timestamp,
    ) -> Vec<Result<(), GroupReceiveError>> {
        self.desk.expire(now);
        arrivals.iter().map(|arrival| self.receive_one(account, arrival, now)).collect()
    }

    fn receive_one(
        &mut self,
        account: &Account,
        GroupArrival { from, message }: &GroupArrival,
        now: Timestamp,
    ) -> Result<(), GroupReceiveError> {
        // P-12.58.
        if !account.knows_its_terms() {
            return Err(GroupReceiveError::DisclosureNeeded);
        }
        if message.len() > MAX_BODY.saturating_add(MESSAGE_OVERHEAD) {
            return Err(GroupReceiveError::Malformed);
        }
        if !self.desk.has_room(message.len()) {
            return Err(GroupReceiveError::InboxFull);
        }
        let message = GroupMessage::from_bytes(message)?;
        let id = message.chain();
        let (claimed, senders) = self.senders_of(from, id);
        let (view, _) = self.view(account);
        let (mut taken, mut refused) = (None, None);
        for sender in senders {
            let (is_member, writes) = self.standing(account, &sender, now);
            let Some(chains) = self.senders.get_mut(&sender) else { continue };
            match chains.stage(&message) {
                // It verified: nobody else has written it.
                Ok(staged) => {
                    taken = Some((sender, take(staged, is_member, writes)?));
                    break;
                }
                Err(error) => drop(refused.get_or_insert((sender, error))),
            }
        }
        let Some((sender, (opened, statements))) = taken else {
            return Err(match refused {
                // Another has given a chain of this name, and the device that may have written it has not.
                None | Some((_, OpenError::Rejected | OpenError::Closed)) if !claimed => {
                    self.need_chain(account, from, id);
                    GroupReceiveError::NeedsChain
                }
                Some((sender, error)) => self.refused(sender, id, error),
                None => GroupReceiveError::Internal,
            });
        };
        // P-15.11. From here on nothing fails.
        self.touch();
        let (same_view, mut after) = (opened.view == view, view);
        if let Some(items) = statements {
            self.take_items(items);
            self.retry_aside(account, now);
            after = self.view(account).0;
        } else {
            // One copy, which is wiped: a vector that grows would leave others.
            let (_kind, content) = opened.body.split_first().unzip();
            let body = Zeroizing::new(content.map_or_else(Vec::new, <[u8]>::to_vec));
            let id = GroupMessageId { chain: opened.chain, index: opened.index };
            // P-12.58.
            let delete_by = account.deadline(|_| true, now);
            let may_pass_on = opened.history;
            self.desk.give(GroupReceived::Message { from: sender, id, body, same_view, may_pass_on, delete_by });
        }
        drop(Zeroizing::new(opened.body));
        if opened.given_up > 0 {
            self.desk.give(GroupReceived::Lost { device: sender, messages: opened.given_up });
        }
        // P-15.7. After what the message itself has told.
        if opened.view != after {
            self.asks.differ(sender);
        }
        Ok(())
    }

    /// P-15.22: whether the device that is said to have written in a chain has given one of this name, and all that have,
    /// that one first. Others than its author may have given it, too.
    fn senders_of(&self, (account, index): &(AccountKey, u32), id: ChainId) -> (bool, Vec<MemberDevice>) {
        let knowing = || self.senders.iter().filter(|(_, chains)| chains.knows(id)).map(|(sender, _)| *sender);
        let is_claimed = |sender: &MemberDevice| sender.account == *account && sender.device == *index;
        let claimed = knowing().filter(is_claimed);
        let senders: Vec<_> = claimed.chain(knowing().filter(|sender| !is_claimed(sender))).take(SAME_NAME).collect();
        (senders.first().is_some_and(is_claimed), senders)
    }

    /// What a message that a sender's chains refuse means.
    fn refused(&mut self, sender: MemberDevice, chain: ChainId, error: OpenError) -> GroupReceiveError {
        let is_new = error.asks_for_the_chain() && self.asks.need(sender, chain);
        if is_new && matches!(error, OpenError::WentBack { .. }) {
            self.touch();
            self.desk.give(GroupReceived::WentBack { device: sender });
        }
        error.into()
    }

    /// A message of an unknown chain was not verified at all: the device that is said to have written it is asked, if it is
    /// one of a member, and seldom.
    fn need_chain(&mut self, account: &Account, (member, index): &(AccountKey, u32), chain: ChainId) {
        let directory = if member == account.key() { Some(account.devices()) } else { self.lists.get(member) };
        let Some(entry) = directory.and_then(|directory| directory.at(*index)) else { return };
        if self.membership.state().is_member(member) && *entry.identity() != self.desk.local.identity {
            let device = MemberDevice { account: *member, device: *index, identity: *entry.identity() };
            self.asks.need(device, chain);
        }
    }

    /// Gives the program what changed, and follows it with the chains. P-14.8, P-14.21, P-15.12.
    pub(super) fn note(&mut self, events: Vec<GroupEvent>) {
        let own = self.desk.local.account;
        for event in events {
            let rekeys = matches!(event, GroupEvent::RekeyAsked { .. });
            if rekeys || event.ends().is_some_and(|stay| stay.account == own) {
                self.chain.iter_mut().for_each(|chain| chain.rekey());
            }
            // Who is a member by another stay begins a chain by itself.
            let out = event.ends().filter(|stay| !self.membership.state().is_member(&stay.account));
            if let Some(out) = out.filter(|stay| stay.account != own) {
                for (device, chains) in self.senders.iter_mut().filter(|(device, _)| device.account == out.account) {
                    // A message is committed as soon as it is staged, so that nothing is poisoned.
                    let Ok(messages) = chains.close_at_received() else { continue };
                    if messages > 0 {
                        self.desk.give(GroupReceived::Lost { device: *device, messages });
                    }
                }
            }
            self.desk.give(GroupReceived::Changed(event));
        }
    }
}

/// P-15.6: commits a message, if its sender may write it by the rights that are known here. What is missing may still come:
/// otherwise nothing has changed.
fn take(
    staged: StagedMessage<'_>,
    is_member: bool,
    writes: bool,
) -> Result<(OpenedMessage, Option<Vec<Item>>), GroupReceiveError> {
    let (statements, permitted) = match Body::decode(staged.body())? {
        Body::Content => (None, is_member && writes),
        Body::Statements(items) => (Some(items), is_member),
    };
    if permitted { Ok((staged.commit(), statements)) } else { Err(GroupReceiveError::NotPermitted) }
}
