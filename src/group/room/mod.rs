//! [`Group`]: everything that one device has of one group ([section 15](crate::manual::spec::rooms)).
//!
//! An operation performs no I/O. It takes what arrived, and returns what to send, show and store.
//!
//! ```text
//!   invite, remove, set … ─┐                            ┌──▶ inbox ──▶ shown ──▶ settle
//!   send ──────────────────┤                            │
//!   relay ──▶ receive ─────┼──▶ flush ──▶ seal ──▶ database ──▶ stored
//!   letters ─▶ receive_letter ┘     └─── GroupOutgoing ──┴──▶ release ──▶ relay, conversations ──▶ handed
//! ```

mod ask; //      15.3 what a device knows, and what it is told
mod desk; //     15.4 what waits to be sent and shown
mod error; //         why not
mod flush; //    15.4 everything that is due
mod hear; //     15.2 letters
mod history; //  15.7 what a member passes on
mod id; //            names of messages
mod items; //    15.1 what devices give each other
mod kept; //     15.4 own contents, for those whom they did not reach
mod limits; //   15.5 every bound
mod lists; //    15.2 devices of members
mod members; //       who is in the group
mod pass_on; //  15.7 earlier messages, for newcomers
mod persist; //  15.4 records
mod receive; //  15.4 messages
mod received; //      what a group gives
mod send; //     15.4 messages
mod targets; //  15.2 who reads
mod wire; //     15.1 bodies and letters

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

pub use error::{GroupReceiveError, GroupSendError, HistoryError};
pub use flush::GroupOutgoing;
pub use history::{History, HistoryPointer, PassedOn, Remembered};
pub use id::GroupMessageId;
pub use lists::ListNeed;
pub use persist::{GroupChange, GroupChanges, GroupRecord, GroupRecordName, StoredGroup};
pub use receive::GroupArrival;
pub use received::GroupReceived;
pub(super) use targets::device_of;
pub use targets::{LeftOut, Reader};

use super::GroupId;
use super::chain::{ReceivingChains, SendingChain};
use super::membership::{Author, Membership, Role, Setting, Signers, Statement, Wanted, WriteError};
use crate::account::Account;
use crate::conversation::{MemberDevice, ReceivedLetter};
use crate::device::{AccountKey, DeviceDirectory, DeviceList, DeviceListError};
use ask::Asks;
use bisik_core::time::Timestamp;
use desk::Desk;
use lists::Lists;
use wire::Note;

/// One group, as one device has it: who is in it, the chains of keys, what is to be sent, and what waits for the program.
///
/// Members write with one ciphertext for all ([`send`](Self::send)), which a relay hands to every device that
/// [reads](super::GroupSent::to). Everything else between two devices of a group is a [`Letter`](crate::conversation::Letter) in
/// their [`Conversation`](crate::Conversation): the keys of chains, and what somebody missed. So there is a conversation
/// with each member, whose devices [`accept`](crate::Conversation::accept) nothing and are told nothing else by it. The
/// relay is trusted with nothing: it learns which devices get a message, and of no statement who is in the group.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::DeviceTerms;
/// use bisik::group::membership::Setting;
/// use bisik::{Account, Group, StorageKey, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
/// # let list_of_bob = bob.primary().ok_or("a primary device")?.list().clone();
/// # let key = StorageKey::generate(rng);
/// let mut group = Group::found(&alice, &[(Setting::NAME, b"Trip")], now, rng)?;
/// group.invite(&alice, *bob.key(), now, rng)?;
/// for need in group.needs(now) {
///     // Fetch the list from a server. Nobody believes it: the account has signed its list.
///     assert_eq!(need.account, *bob.key());
///     group.learn(&alice, &list_of_bob, now)?;
/// }
/// group.send(&alice, b"siapa ikut?", &[], now, rng)?;
/// let outgoing = group.flush(&alice, &[], now, rng)?;
///
/// let changes = group.seal(&key, rng)?; // store before you send
/// // ... write everything that `changes` names into the database, and then:
/// let stored = changes.stored();
/// group.stored(&stored);
/// let (sent, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
/// // Each letter goes to the conversation with its account, and the messages to the devices of `sent.to`: nobody reads
/// // them yet, and Bob's telephone is told of the group.
/// assert_eq!((sent.letters.len(), sent.letters[0].to().account), (1, *bob.key()));
/// assert!(!sent.messages.is_empty() && sent.to.is_empty());
/// group.handed(handover);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Every operation needs the [`Account`] of this device. Two rules keep a group safe across crashes, and its types enforce
/// them: what it gives and what it sends is released once the [`GroupChanges`] that it made are stored.
pub struct Group {
    membership: Membership,
    /// Lists under which acts are verified. Not stored: made of `lists`.
    signers: Signers,
    lists: Lists,
    chain: Option<SendingChain>,
    senders: BTreeMap<MemberDevice, ReceivingChains>,
    desk: Desk,
    /// What is asked, and what is to be answered. Not stored: the next message that shows a difference asks again.
    asks: Asks,
    /// Sequence numbers of lists that somebody has, and that are not known here. Not stored.
    outdated: BTreeMap<AccountKey, u64>,
    /// The revisions that the database certainly has.
    stored: BTreeMap<GroupRecordName, u64>,
}

impl Group {
    /// Founds a group with the primary device of an account, which owns it. Draws 48 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// As for [`Membership::found`].
    pub fn found(
        account: &Account,
        settings: &[(Setting, &[u8])],
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, WriteError> {
        let author = Author::of(account.identity(), account.devices())?;
        // Nobody has to be told yet.
        let (membership, _written) = Membership::found(&author, settings, None, now, rng)?;
        Self::of(account, membership).ok_or(WriteError::DeviceNotListed)
    }

    /// Follows a group of which somebody has written to this device: a member who has invited its account, or another own
    /// device. Look at [`membership`](Self::membership) before the user is asked to [accept](Self::accept). Give the letter
    /// to nobody else.
    ///
    /// # Errors
    ///
    /// [`GroupReceiveError::Malformed`] if the letter does not begin a group; [`GroupReceiveError::Statement`] if its first
    /// entry is refused; [`GroupReceiveError::UnknownDevice`] if this device is in no list of its account.
    pub fn follow(account: &Account, letter: &ReceivedLetter, now: Timestamp) -> Result<Self, GroupReceiveError> {
        let Note::Statements { group, items } = Note::decode(letter.body())? else {
            return Err(GroupReceiveError::Malformed);
        };
        let Some(items::Item::Statement(Statement::Entry(first))) = items.first() else {
            return Err(GroupReceiveError::Malformed);
        };
        let membership = Membership::follow(group, first, account.key(), account.identity().public());
        let membership = membership.map_err(GroupReceiveError::Statement)?;
        let mut followed = Self::of(account, membership).ok_or(GroupReceiveError::UnknownDevice)?;
        followed.receive_letter(account, letter, now)?;
        Ok(followed)
    }

    /// `None` for a device that is in no list of its account.
    fn of(account: &Account, membership: Membership) -> Option<Self> {
        let device = account.index()?;
        let local = MemberDevice { account: *account.key(), device, identity: *account.identity().public() };
        Some(Self {
            desk: Desk::new(membership.id(), local),
            membership,
            signers: Signers::new(),
            lists: Lists::default(),
            chain: None,
            senders: BTreeMap::new(),
            asks: Asks::default(),
            outdated: BTreeMap::new(),
            stored: BTreeMap::new(),
        })
    }

    /// Returns the group's id.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.membership.id()
    }

    /// Returns who is in the group, and what follows: everything to show.
    #[must_use]
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Returns the role of the local account; `None` if it is no member.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.membership.state().role_of(&self.desk.local.account)
    }

    /// Returns whether the local account was invited and has not accepted.
    #[must_use]
    pub fn is_invited(&self) -> bool {
        let mut own = self.membership.state().stays().filter(|(stay, _)| stay.account == self.desk.local.account);
        self.role().is_none() && own.any(|(_, view)| !view.accepted)
    }

    /// What waits for the program, as far as the database has it. Each thing has a number, under which it is given again
    /// until it is [settled](Self::settle).
    pub fn inbox(&self) -> impl Iterator<Item = (u64, &GroupReceived)> {
        self.desk.inbox()
    }

    /// Forgets what the program has stored or shown: everything up to this number that [`inbox`](Self::inbox) gave.
    pub fn settle(&mut self, through: u64) {
        self.desk.settle(through);
    }

    /// Says that this device came back from a backup: the next message begins a new chain, because nobody knows who was
    /// given the old one since. Requirement P-14.8.
    pub fn restored(&mut self) {
        self.touch();
        if let Some(chain) = &mut self.chain {
            chain.restored();
        }
    }

    /// Returns the device lists to fetch: those of members that are not known, have expired, or are older than what another
    /// member has, and older ones under which acts wait to be verified.
    #[must_use]
    pub fn needs(&self, now: Timestamp) -> Vec<ListNeed> {
        let own = &self.desk.local.account;
        let accounts = self.accounts().into_iter().filter(|account| account != own);
        let mut needs = lists::needed(&self.lists, accounts, &self.outdated, now);
        needs.extend(self.membership.wanted(self.asks.turn).into_iter().filter_map(|wanted| match wanted {
            Wanted::List { account, list } => Some(ListNeed { account, list: Some(list) }),
            Wanted::Entry(_) | Wanted::Floor(_) | Wanted::Act(_) => None,
        }));
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// Takes a device list of a member, from a server that nobody believes: the account has signed it. Acts and chains that
    /// waited for it are taken. A list of an account that has nothing to do with the group changes nothing.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]. Nothing has changed then, but what the list is older than is verified with it.
    pub fn learn(&mut self, account: &Account, list: &DeviceList, now: Timestamp) -> Result<(), DeviceListError> {
        let wanted = self.needs(now).iter().any(|need| need.account == *list.account());
        if !wanted && !self.accounts().contains(list.account()) {
            return Ok(());
        }
        self.signers.add(list)?;
        // The local account's own directory says which devices it has now.
        let own = *list.account() == self.desk.local.account;
        let accepted = if own { Ok(()) } else { self.lists.accept(list, now) };
        // What somebody said of newer lists has cost one fetch, and costs no more.
        self.outdated.remove(list.account());
        self.touch();
        let events = self.membership.retry(&self.signers);
        self.note(events);
        self.retry_aside(account, now);
        accepted
    }

    /// Takes what the conversation with a member knows of its devices
    /// ([`Conversation::peer`](crate::Conversation::peer)).
    pub fn learn_devices(&mut self, account: &Account, directory: &DeviceDirectory, now: Timestamp) {
        let own = *directory.account() == self.desk.local.account;
        if own || !self.accounts().contains(directory.account()) {
            return;
        }
        self.outdated.remove(directory.account());
        self.touch();
        self.signers.add_directory(directory);
        self.lists.follow(directory);
        let events = self.membership.retry(&self.signers);
        self.note(events);
        self.retry_aside(account, now);
    }

    /// Returns the accounts whose devices write letters to this one, ascending: members, and who is invited or asks to be
    /// added. Say so to the conversation with each ([`set_shares_group`](crate::Conversation::set_shares_group)): otherwise
    /// letters of somebody who is no contact wait until the user accepts a message request, as an invitation by a stranger
    /// does.
    #[must_use]
    pub fn peers(&self) -> Vec<AccountKey> {
        let own = self.desk.local.account;
        self.accounts().into_iter().filter(|account| *account != own).collect()
    }

    /// The accounts with which this device has to do in the group: those, and who has still to be told that it is out.
    fn accounts(&self) -> Vec<AccountKey> {
        let state = self.membership.state();
        let stays = state.stays().map(|(stay, _)| stay.account).chain(state.requests().map(|stay| stay.account));
        let mut accounts: Vec<_> = stays.chain(self.desk.notices.keys().copied()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Counts a change. The desk is stored with every step, so that its record covers all others.
    const fn touch(&mut self) {
        self.desk.lineage.change();
    }
}

impl ReceivedLetter {
    /// Returns the group that the letter is for: give it to [`Group::receive_letter`] of that group, or, if there is none,
    /// to [`Group::follow`].
    ///
    /// # Errors
    ///
    /// [`GroupReceiveError::Malformed`] if it is for none. It may be about a [status](ReceivedLetter::status).
    pub fn group(&self) -> Result<GroupId, GroupReceiveError> {
        if self.status().is_some() {
            return Err(GroupReceiveError::Malformed);
        }
        Ok(Note::group(self.body())?)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("membership", &self.membership)
            .field("senders", &self.senders.len())
            .field("revision", &self.desk.lineage.revision())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
