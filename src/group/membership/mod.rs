//! Who is a member of a group ([section 13](crate::manual::spec::groups#13-membership)).
//!
//! Rights have one writer: the owner, whose primary device writes the [log](self#the-log). Everything else is a set of
//! signed acts of members, whose order does not matter. From both follows the [`State`]: who is a member, and who gets
//! keys. No server decides anything, and two devices that hold the same log and acts have the same state.
//!
//! ```text
//!   owner's primary ── entry ─▶ log ──────┐
//!                                         ├─▶ count ─▶ State ─▶ events
//!   members' devices ── act ──▶ acts ─────┘
//! ```
//!
//! # The log
//!
//! A chain of entries, each signed by the owner of its time: who has which role, settings, admitted hosted devices, barred
//! devices, which single acts stand or fall, who owns the group, and from time to time a *floor*, below which acts are
//! forgotten.

mod act; //      13.3 signed statements of members' devices
mod acts; //     13.3 those that are held
mod aside; //    13.1 what waits, and for what
mod author; //   13.3 who writes
mod change; //   13.1 what an entry does
mod count; //    13.4 THE COUNT: which acts count
mod encoding; //      pieces of all encodings
mod entry; //    13.1 signed entries of the owner
mod error; //         errors
mod event; //         what changed
mod event_record; //  what changed, in a record
mod floor; //    13.6 what counted at a settling
mod found; //         a new group, and one that is followed
mod history; //  13.2 what the log said at each epoch
mod id; //            names
pub(in crate::group) mod known; // 15.3 what two devices compare
mod limits; //   13.6 bounds
mod link; //     13.3 invitation links
mod load; //     13.6 how much room acts take
mod log; //      13.1 whether an entry may follow
mod offer; //         what arrives
mod owner; //    13.1 what the owner writes
mod pages; //         entries and acts in blocks
mod permit; //   13.3 who may make which act
mod persist; //       the record
mod receivers; // 13.5 who gets keys
mod repeat; //   13.4 acts that do the same
mod rights; //   13.2 what the log says now, in canonical bytes
mod role; //     13.2 roles, and one membership of one account
mod setting; //  13.2 settings
mod settle; //   13.6 what is carried over a floor
mod signers; //  13.3 device lists of members
mod standing; // 13.4 what the log alone says of an act
mod state; //    13.5 who is in the group, and who gets keys
mod take; //          what is taken, and counted again
mod wanted; //        what to ask for
mod write; //    13.3 what members write

pub use author::{ActKind, ActSummary, Author, Statement, Written};
pub use change::AdmittedEndpoint;
pub use count::VoidReason;
pub use error::{OfferError, WriteError};
pub use event::GroupEvent;
pub use id::{ActHash, ActId, EntryHash, StayId};
pub use link::{LinkPolicy, LinkSecret};
pub use offer::{Offered, OfferedActs, Taken};
pub use role::{Role, Stay};
pub use setting::Setting;
pub use signers::Signers;
pub use state::{MemberView, State, Suspension};
pub use wanted::Wanted;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use acts::Acts;
use aside::Aside;
use count::Tally;
use floor::Floor;
use log::Log;
use pages::Pages;
use repeat::Sayings;
use settle::Again;
use state::Carried;

use super::GroupId;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::blocks::{Ended, Place};
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;

/// One group, as one device knows it: the owner's log, the acts of members, and what follows from both.
///
/// What arrives is [offered](Self::offer_entry): it is verified, and then taken, kept aside or refused. What this device's
/// user does is written by the methods that take an [`Author`]: they return the bytes to send, and the group counts them
/// already. [Store](Self::seal) the group before you send them.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::DeviceTerms;
/// use bisik::group::membership::{Author, Membership, Setting, Signers, Statement};
/// use bisik::{Account, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
/// let by_alice = Author::of(alice.identity(), alice.devices())?;
/// let (mut at_alice, founded) = Membership::found(&by_alice, &[(Setting::NAME, b"Trip")], None, now, rng)?;
/// let invited = at_alice.add(&by_alice, *bob.key(), now, rng)?;
///
/// // At Bob, who was given the group's id and fetches the rest from the relay:
/// let mut at_bob = Membership::follow(at_alice.id(), founded.entry()?, bob.key(), bob.identity().public())?;
/// let signers = Signers::new();
/// for statement in &invited.statements {
///     let _ = at_bob.offer(statement, &signers)?;
/// }
/// let accepted = at_bob.accept(&Author::of(bob.identity(), bob.devices())?, now)?;
///
/// for statement in &accepted.statements {
///     let _ = at_alice.offer(statement, &signers)?;
/// }
/// assert!(at_alice.state().is_member(bob.key()));
/// assert_eq!(at_alice.state(), at_bob.state());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Membership {
    /// The account and the device that this is at.
    local: (AccountKey, IdentityKey),
    log: Log,
    /// The floor in force.
    floor: Option<Settled>,
    /// What stands for a floor where there is none.
    no_floor: Floor,
    acts: Acts,
    /// What acts below the floor hold back.
    carried: BTreeMap<ActId, Carried>,
    /// What this device has said, and the floor lacks.
    again: Vec<Again>,
    evidence: Option<Evidence>,
    aside: Aside,
    tally: Tally,
    sayings: Sayings,
    state: State,
    lineage: Lineage,
    pages: Pages,
    ended: Ended,
}

/// The floor in force.
#[derive(Debug)]
struct Settled {
    epoch: u64,
    floor: Floor,
    bytes: Vec<u8>,
    place: Place,
}

/// Two entries of one epoch, both signed by the owner of that time. Show them to whoever asks why the group ended.
#[derive(Debug)]
pub struct Evidence {
    known: Vec<u8>,
    rival: Vec<u8>,
    place: Place,
}

impl Evidence {
    /// Returns the entry that this device knew first.
    #[must_use]
    pub fn known(&self) -> &[u8] {
        &self.known
    }

    /// Returns the entry that contradicts it.
    #[must_use]
    pub fn rival(&self) -> &[u8] {
        &self.rival
    }

    /// Returns the account that has signed both: the owner of that time, who may be the owner no longer.
    #[must_use]
    pub fn signer(&self) -> Option<AccountKey> {
        entry::UnverifiedEntry::read(&self.rival).ok().map(|entry| entry.author)
    }
}

impl Membership {
    /// Returns the group's id.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.log.group
    }

    /// Returns who is in the group, and what follows.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Returns the number of the newest entry, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    /// Returns the hash of the newest entry.
    #[must_use]
    pub fn newest_entry(&self) -> EntryHash {
        self.log.newest()
    }

    /// Returns the hash and the time of the entry with this number.
    #[must_use]
    pub fn entry_at(&self, epoch: u64) -> Option<(EntryHash, Timestamp)> {
        self.log.at(epoch).map(|entry| (entry.hash, entry.time))
    }

    /// Returns the entries from this number on, as bytes, for whoever asks for them.
    pub fn entries_from(&self, epoch: u64) -> impl Iterator<Item = &[u8]> {
        self.log.entries().iter().filter(move |entry| entry.epoch >= epoch).map(entry::Entry::as_bytes)
    }

    /// Returns the acts that are held, as bytes, in the order of their hashes.
    pub fn act_bytes(&self) -> impl Iterator<Item = (ActHash, &[u8])> {
        self.acts.iter().map(|known| (known.act.hash, known.act.as_bytes()))
    }

    /// Returns the floor in force, as bytes, for whoever asks for it.
    #[must_use]
    pub fn floor(&self) -> Option<&[u8]> {
        self.floor.as_ref().map(|settled| settled.bytes.as_slice())
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn setting(&self, setting: Setting) -> Option<&[u8]> {
        self.log.rights.settings.get(&setting).map(Vec::as_slice)
    }

    /// Returns the role that a stay had after the entry with this number.
    #[must_use]
    pub fn role_at(&self, stay: &Stay, epoch: u64) -> Role {
        self.log.history.role(stay, epoch)
    }

    /// Returns two entries that contradict each other, if the owner has written such: the group is read-only then.
    #[must_use]
    pub const fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    /// Returns how many entries and how many acts wait for something. They are not stored.
    #[must_use]
    pub fn aside(&self) -> (usize, usize) {
        self.aside.len()
    }

    /// The epoch of the entry that the floor in force was settled by; 0 without one.
    fn settled(&self) -> u64 {
        self.floor.as_ref().map_or(0, |settled| settled.epoch)
    }

    /// Counts a change of the record.
    const fn change(&mut self) {
        self.lineage.change();
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("id", &self.id())
            .field("epoch", &self.epoch())
            .field("stays", &self.state.stays.len())
            .finish_non_exhaustive()
    }
}
