//! [`Audience`]: to whom one account shows a status (docs/spec/statuses.md, section 16.1).

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use rand_core::CryptoRng;

use super::error::StatusError;
use super::limits::{ASK_AGAIN, ENTRIES, MEMBERS};
use super::wire::StatusNote;
use crate::account::Account;
use crate::conversation::{MemberDevice, ReceivedLetter};
use crate::device::AccountKey;
use crate::group::chain::SendingChain;
use crate::group::outbox::Outbox;
use crate::group::{GroupHandover, GroupId, GroupReceiveError};
use crate::keys::IdentityKey;
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;

/// The accounts to which one account shows a status, as one of its devices has it. Nobody else knows them: no server, and
/// none of those who read ([section 16.1](crate::manual::spec::statuses#161-audiences)).
///
/// Whoever is excluded, and whatever device an account unlinks, reads nothing that is posted afterwards: the next status
/// begins a new chain of keys. Whoever is included reads from the next one on. Hosted devices read nothing unless the author
/// [says so](Self::show_hosted).
///
/// An audience is for contacts: the conversation that carries a [letter](crate::conversation::Letter) answers its devices from
/// then on.
///
/// Each device of the author posts in a chain of its own. For another one to post to the same audience, [open](Self::open)
/// it there by its id, and carry the [entries](Self::entries) over. Not `Clone`: a copy would repeat numbers of its chain.
pub struct Audience {
    pub(super) id: GroupId,
    /// This device.
    pub(super) local: MemberDevice,
    pub(super) entries: BTreeMap<AccountKey, Word>,
    /// Hosted devices read, as far as the labels permit.
    pub(super) hosted: bool,
    pub(super) chain: Option<SendingChain>,
    pub(super) outbox: Outbox,
    /// Devices that lack the chain. Not stored: they ask again.
    pub(super) lacking: BTreeSet<IdentityKey>,
    /// When devices were given the chain again. Not stored. All of them were given it before.
    pub(super) given_again: BTreeMap<IdentityKey, Timestamp>,
    pub(super) lineage: Lineage,
}

/// The newest word about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) version: u64,
    pub(super) included: bool,
}

/// What an audience says of one account, to be carried to other devices of the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudienceEntry {
    /// The account.
    pub account: AccountKey,
    /// Counts the changes: of two words the greater version holds, and of two with one version the exclusion.
    pub version: u64,
    /// Whether the account may read.
    pub included: bool,
}

impl Audience {
    /// Most accounts that may read: 4,096.
    pub const MOST_MEMBERS: usize = MEMBERS;

    /// Creates an audience without anybody. Draws 16 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`StatusError::NotListed`] if this device is in no list of its account.
    pub fn create(account: &Account, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, StatusError> {
        Self::open(account, GroupId::audience(account.key(), rng))
    }

    /// Begins to post to an audience that another device of the account has created, by its [id](Self::id). It has nobody
    /// until its entries are [applied](Self::apply).
    ///
    /// # Errors
    ///
    /// [`StatusError::NotListed`] if this device is in no list of its account.
    pub fn open(account: &Account, id: GroupId) -> Result<Self, StatusError> {
        let device = account.index().ok_or(StatusError::NotListed)?;
        Ok(Self {
            id,
            local: MemberDevice { account: *account.key(), device, identity: *account.identity().public() },
            entries: BTreeMap::new(),
            hosted: false,
            chain: None,
            outbox: Outbox::default(),
            lacking: BTreeSet::new(),
            given_again: BTreeMap::new(),
            lineage: Lineage::new(1),
        })
    }

    /// Returns the audience's id. Those who read see it too: it is the same for all of them.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// Returns the accounts that may read, ascending.
    pub fn members(&self) -> impl Iterator<Item = &AccountKey> {
        self.entries.iter().filter(|(_, word)| word.included).map(|(account, _)| account)
    }

    /// Lets an account read what is posted from now on. What was posted before it does not see.
    ///
    /// # Errors
    ///
    /// [`StatusError::OwnAccount`] or [`StatusError::Full`].
    pub fn include(&mut self, member: AccountKey) -> Result<(), StatusError> {
        let known = self.entries.get(&member).copied();
        if known.is_some_and(|word| word.included) {
            return Ok(());
        }
        let version = next(known)?;
        self.apply(&AudienceEntry { account: member, version, included: true }).map(drop)
    }

    /// Lets an account read nothing that is posted from now on. Returns whether it could before. What was posted already it
    /// may have kept.
    ///
    /// # Errors
    ///
    /// [`StatusError::Full`] if the account's word changed 2^64 − 1 times: create another audience.
    pub fn exclude(&mut self, member: &AccountKey) -> Result<bool, StatusError> {
        let Some(known) = self.entries.get(member).copied().filter(|word| word.included) else { return Ok(false) };
        let version = next(Some(known))?;
        self.apply(&AudienceEntry { account: *member, version, included: false })
    }

    /// Says whether hosted devices read, those of the own account included: each only as far as the label of its
    /// conversation permits. `false` at first.
    pub fn show_hosted(&mut self, shows: bool) {
        if self.hosted != shows {
            self.hosted = shows;
            self.lineage.change();
        }
    }

    /// Returns what this device knows of each account, also of those that were excluded, ascending: for the author's other
    /// devices, and for nobody else.
    pub fn entries(&self) -> impl Iterator<Item = AudienceEntry> {
        let entries = self.entries.iter();
        entries.map(|(account, Word { version, included })| AudienceEntry {
            account: *account,
            version: *version,
            included: *included,
        })
    }

    /// Takes what another own device says of an account, and returns whether it is news. In whatever order devices hear of
    /// changes, all of them come to the same audience. Requirement P-16.1.
    ///
    /// # Errors
    ///
    /// [`StatusError::OwnAccount`] or [`StatusError::Full`].
    pub fn apply(&mut self, entry: &AudienceEntry) -> Result<bool, StatusError> {
        let AudienceEntry { account, version, included } = *entry;
        if account == self.local.account {
            return Err(StatusError::OwnAccount);
        }
        let known = self.entries.get(&account);
        let holds = known.is_none_or(|known| (known.version, !known.included) < (version, !included));
        if !holds {
            return Ok(false);
        }
        let joins = included && !known.is_some_and(|known| known.included);
        if (known.is_none() && self.entries.len() >= ENTRIES) || (joins && self.members().count() >= MEMBERS) {
            return Err(StatusError::Full);
        }
        self.entries.insert(account, Word { version, included });
        self.lineage.change();
        Ok(true)
    }

    /// Takes a letter of a device that lacks the chain in which this one writes, and gives it again with the next
    /// [flush](Self::flush): at most once an hour to each, and only to devices that were given it.
    ///
    /// # Errors
    ///
    /// [`GroupReceiveError::OtherGroup`] if the chain is not this audience's: try the others.
    /// [`GroupReceiveError::UnknownDevice`] if the device was never given it. [`GroupReceiveError::Malformed`] if it is no
    /// such letter.
    pub fn receive_letter(&mut self, letter: &ReceivedLetter, now: Timestamp) -> Result<(), GroupReceiveError> {
        let StatusNote::NeedChain(lacks) = StatusNote::decode(letter.body())? else {
            return Err(GroupReceiveError::Malformed);
        };
        let Some(chain) = self.chain.as_ref().filter(|chain| chain.chain() == lacks) else {
            return Err(GroupReceiveError::OtherGroup);
        };
        let device = letter.from().identity;
        if !chain.given().any(|given| *given == device) {
            return Err(GroupReceiveError::UnknownDevice);
        }
        let last = self.given_again.get(&device);
        if last.is_none_or(|last| *last > now || last.plus_seconds(ASK_AGAIN) <= now) {
            self.lacking.insert(device);
        }
        Ok(())
    }

    /// Takes note that what one [`flush`](Self::flush) made has arrived at the relay and in the records of conversations.
    pub fn handed(&mut self, handover: GroupHandover) {
        self.outbox.handed(&handover);
        self.lineage.change();
    }

    /// Says that this device came back from a backup: the next status begins a new chain, because nobody knows who was given
    /// the old one since. Requirement P-14.8.
    pub fn restored(&mut self) {
        if let Some(chain) = &mut self.chain {
            chain.restored();
        }
        self.lineage.change();
    }
}

/// The version of the next word about an account.
fn next(known: Option<Word>) -> Result<u64, StatusError> {
    known.map_or(0, |known| known.version).checked_add(1).ok_or(StatusError::Full)
}

/// Does not show who reads.
impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience")
            .field("id", &self.id)
            .field("members", &self.members().count())
            .field("chain", &self.chain)
            .field("revision", &self.lineage.revision())
            .finish_non_exhaustive()
    }
}
