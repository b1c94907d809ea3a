//! [`Author`]: the device that writes. [`Written`]: what it wrote. [`ActSummary`]: an act, to be shown.

use alloc::vec::Vec;

use super::act::Body;
use super::count::Verdict;
use super::event::GroupEvent;
use super::{ActId, Membership, Stay, WriteError};
use crate::device::{AccountKey, DeviceDirectory, ListId};
use crate::keys::{Identity, IdentityKey};
use bisik_core::time::Timestamp;

/// A device of the local account that writes in groups, with the list that has it.
///
/// Acts of a companion name this list for ever: whoever verifies one needs it.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    pub(super) identity: &'a Identity,
    pub(super) account: AccountKey,
    pub(super) device: u32,
    pub(super) list: ListId,
}

impl<'a> Author<'a> {
    /// Returns the device of `identity`, which must be in the directory of its account and in the account's own custody.
    ///
    /// # Errors
    ///
    /// [`WriteError::DeviceNotListed`].
    pub fn of(identity: &'a Identity, own: &DeviceDirectory) -> Result<Self, WriteError> {
        let entry = own.find(identity.public()).ok_or(WriteError::DeviceNotListed)?;
        if !entry.custody().is_own_held() {
            return Err(WriteError::DeviceNotListed);
        }
        let list = if entry.is_primary() { ListId::from_bytes(&[0; ListId::LENGTH]) } else { own.id() };
        Ok(Self { identity, account: *own.account(), device: entry.index(), list })
    }

    /// Whether this is the account's primary device.
    pub(super) fn is_primary(&self) -> bool {
        self.identity.public() == self.account.identity()
    }
}

/// Something to send to the members and to the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// An entry of the owner's log. A relay stores it only over the entry that it names as the one before.
    Entry(Vec<u8>),
    /// An act.
    Act(Vec<u8>),
    /// A floor, for whoever asks for it.
    Floor(Vec<u8>),
}

impl Statement {
    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Entry(bytes) | Self::Act(bytes) | Self::Floor(bytes) => bytes,
        }
    }
}

/// What a device wrote: store the group, then send the statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what was written is sent to nobody"]
pub struct Written {
    /// What to send, in this order.
    pub statements: Vec<Statement>,
    /// What changed.
    pub events: Vec<GroupEvent>,
}

impl Written {
    /// Returns the bytes of the one entry that was written.
    ///
    /// # Errors
    ///
    /// [`WriteError::Unknown`] if none was written.
    pub fn entry(&self) -> Result<&[u8], WriteError> {
        let found = self.statements.iter().find(|statement| matches!(statement, Statement::Entry(_)));
        found.map(Statement::as_bytes).ok_or(WriteError::Unknown)
    }

    pub(super) fn join(&mut self, other: Self) {
        let Self { statements, events } = other;
        self.statements.extend(statements);
        self.events.extend(events);
    }
}

/// What an act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActKind {
    /// Adds an account under this stay.
    Add(Stay),
    /// Accepts the author's own stay.
    Accept,
    /// Ends the author's own stay.
    Leave,
    /// Ends this stay.
    Remove(Stay),
    /// Ends the admission of a hosted device.
    Retire(IdentityKey),
    /// Opens a link, which has the act's id.
    OpenLink,
    /// Closes this link.
    CloseLink(ActId),
    /// Joins by this link.
    Join(ActId),
    /// Asks that everybody use new keys.
    Rekey,
}

/// An act, to be shown: for the user who decides what of somebody's acts is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActSummary {
    /// Its id, by which entries and other acts name it.
    pub id: ActId,
    /// Who made it.
    pub by: Stay,
    /// With which device.
    pub device: IdentityKey,
    /// When, by that device's clock: to be shown, and for nothing else.
    pub time: Timestamp,
    /// What it does.
    pub kind: ActKind,
    /// Whether it counts.
    pub counts: bool,
}

impl Membership {
    /// Returns the acts that are held, in the order of their hashes.
    pub fn acts(&self) -> impl Iterator<Item = ActSummary> {
        self.acts.iter().map(|known| {
            let act = &known.act;
            ActSummary {
                id: act.id(),
                by: act.author,
                device: act.device,
                time: act.time,
                kind: match &act.body {
                    Body::Add(stay) => ActKind::Add(*stay),
                    Body::Accept => ActKind::Accept,
                    Body::Leave { kept: _ } => ActKind::Leave,
                    Body::Remove { target, kept: _ } => ActKind::Remove(*target),
                    Body::Retire { endpoint, account: _ } => ActKind::Retire(*endpoint),
                    Body::OpenLink(_) => ActKind::OpenLink,
                    Body::CloseLink { link, kept: _ } => ActKind::CloseLink(*link),
                    Body::Join { link, proof: _ } => ActKind::Join(*link),
                    Body::Rekey => ActKind::Rekey,
                },
                counts: self.tally.verdicts.get(&act.hash) == Some(&Verdict::Counts),
            }
        })
    }
}
