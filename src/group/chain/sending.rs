//! [`SendingChain`]: a device's own chain in one group (docs/spec/chains.md, section 14.3).
//!
//! The caller says to which devices a message goes, and what time it is.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use rand_core::CryptoRng;

use super::distribution::Constants;
use super::error::BeginError;
use super::limits::{MAX_GIVEN, MAX_MESSAGES};
use super::names::{ChainId, Place, Predecessor, Scope};
use crate::conversation::MemberDevice;
use crate::keys::IdentityKey;
use crate::ratchet::ChainKey;
use bisik_core::held::Lineage;
use bisik_core::primitives::ed25519::SignatureKeyPair;
use bisik_core::primitives::secret::Secret;
use bisik_core::time::Timestamp;

/// This device's own chain in one group or audience ([section 14.3](crate::manual::spec::chains#143-sending)).
///
/// Each message has a key of its own, which is deleted when it is written. A thief of this state reads and writes what
/// follows in the chain, and nothing before; a new chain ends that. [`plan`](Self::plan) says when a new one must begin.
///
/// Not `Clone`. Store it before a message or a distribution leaves: [`ReadyChain::encrypt_held`](super::ReadyChain::encrypt_held)
/// enforces that. A state that is restored from a backup never pairs one key and nonce with two plaintexts, but its
/// numbers repeat, and whom it was given to since is not remembered: tell it so ([`restored`](Self::restored)) before
/// anything else, and it begins a new chain.
pub struct SendingChain {
    pub(super) sender: MemberDevice,
    pub(super) place: Place,
    pub(super) history: bool,
    pub(super) begun: Timestamp,
    /// Why no further message may be written in it, if something outside of it says so.
    pub(super) retired: Option<Retired>,
    /// The number of the next message.
    pub(super) index: u32,
    pub(super) chain: Box<ChainKey>,
    pub(super) signing: SignatureKeyPair,
    /// The chain before this one, if any device was given it.
    pub(super) predecessor: Option<Predecessor>,
    pub(super) given: BTreeMap<IdentityKey, Given>,
    /// The revision, and what ties the value to its records and to what it holds.
    pub(super) lineage: Lineage,
}

/// What a device was given: this chain, the one before it, or both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) this: bool,
    pub(super) before: bool,
}

/// What ends a chain from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    Rekey,
    Restored,
}

impl SendingChain {
    /// Most devices that a chain is given to: 16,384.
    pub const MOST_DEVICES: usize = MAX_GIVEN;

    /// Most messages of a chain.
    pub(in crate::group) const MOST_MESSAGES: u32 = MAX_MESSAGES;

    /// Begins the first chain of `sender`, which is this device, in a group or audience. `history` permits members to show
    /// newcomers what is written in it. Draws 32 bytes from `rng` for the chain, and 32 for its signing key.
    ///
    /// # Errors
    ///
    /// [`BeginError::NoOrigin`] if the place is a group without an origin.
    pub fn begin(
        place: Place,
        sender: MemberDevice,
        history: bool,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, BeginError> {
        check(&place)?;
        let (chain, signing) = draw(&mut rng);
        Ok(Self {
            sender,
            place,
            history,
            begun: now,
            retired: None,
            index: 0,
            chain,
            signing,
            predecessor: None,
            given: BTreeMap::new(),
            lineage: Lineage::default(),
        })
    }

    /// Begins a new chain in place of this one, whose keys are deleted. Draws what [`begin`](Self::begin) draws. Nothing of
    /// the new one follows from the old one. Devices that were given the old one will be told where it ended (P-14.12),
    /// unless the state was [restored](Self::restored), which makes that unknown.
    ///
    /// # Errors
    ///
    /// [`BeginError`] if the place is in another group, or has no origin. The chain is then unchanged.
    pub fn renew(
        &mut self,
        place: Place,
        history: bool,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), BeginError> {
        if place.scope() != self.place.scope() {
            return Err(BeginError::OtherGroup);
        }
        check(&place)?;
        let before = Predecessor { chain: self.chain(), length: self.index };
        let restored = self.retired == Some(Retired::Restored);
        let former = Given { this: false, before: true };
        self.given.retain(|_, given| !restored && core::mem::replace(given, former).this);
        self.predecessor = Some(before).filter(|_| !self.given.is_empty());
        // P-14.13: the keys of the former chain are gone with this.
        (self.chain, self.signing) = draw(&mut rng);
        self.place = place;
        self.history = history;
        self.begun = now;
        self.retired = None;
        self.index = 0;
        self.lineage.change();
        Ok(())
    }

    /// Takes note that a new chain must begin (P-14.8): because an act of the group asks for one, or a device to which this
    /// one seems to have gone back in time; or because this device's account was removed or left, or is a member by another
    /// stay than when the chain began, since whoever knew of that has ended the chain. The next [plan](Self::plan) says
    /// so.
    pub fn rekey(&mut self) {
        if self.retired.is_none() {
            self.retire(Retired::Rekey);
        }
    }

    /// Takes note that this state came from a backup: numbers that it gives may be used already, and devices may have been
    /// given the chain that it does not remember, and that may not read what is written now. The next [plan](Self::plan)
    /// asks for a new chain.
    pub fn restored(&mut self) {
        if self.retired != Some(Retired::Restored) {
            self.retire(Retired::Restored);
        }
    }

    fn retire(&mut self, why: Retired) {
        self.retired = Some(why);
        self.lineage.change();
    }

    /// Makes room for another device: forgets who was given only the former chain and is not to read. Returns whether there
    /// is room.
    pub(super) fn make_room(&mut self, targets: &BTreeSet<IdentityKey>) -> bool {
        if self.given.len() < MAX_GIVEN {
            return true;
        }
        self.given.retain(|device, given| given.this || targets.contains(device));
        // A chain that nobody of these was given is named to nobody.
        self.predecessor = self.predecessor.filter(|_| self.given.values().any(|given| given.before));
        self.given.len() < MAX_GIVEN
    }

    /// What a device is told of the chain beside its key. P-14.12: who was not given the former chain does not learn of it.
    pub(super) fn constants(&self, device: &IdentityKey) -> Constants {
        let had_the_former = self.given.get(device).is_some_and(|given| given.before);
        Constants {
            place: self.place,
            signing: self.signing.public(),
            predecessor: self.predecessor.filter(|_| had_the_former),
            history: self.history,
            begun: self.begun,
        }
    }

    /// Returns the name of the chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        ChainId::of(self.signing.public().as_bytes())
    }

    /// Whether members may show its messages to those who come later.
    pub(in crate::group) const fn permits_history(&self) -> bool {
        self.history
    }

    /// Returns the group or audience.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.place.scope()
    }

    /// Returns whose chain it is: this device.
    #[must_use]
    pub const fn sender(&self) -> &MemberDevice {
        &self.sender
    }

    /// When the chain began.
    pub(in crate::group) const fn begun(&self) -> Timestamp {
        self.begun
    }

    /// Returns the number of the next message.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Returns the devices that were given this chain, in ascending order.
    pub fn given(&self) -> impl Iterator<Item = &IdentityKey> {
        self.given.iter().filter(|(_, given)| given.this).map(|(device, _)| device)
    }

    /// Counts changes: store a record only over one with a lower revision.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }
}

/// P-14.3: without an origin, a chain of a group could not be given to anybody.
fn check(place: &Place) -> Result<(), BeginError> {
    if !place.is_audience() && *place.origin() == [0; 32] { Err(BeginError::NoOrigin) } else { Ok(()) }
}

/// P-14.1: both are fresh, whatever was before.
fn draw(rng: &mut dyn CryptoRng) -> (Box<ChainKey>, SignatureKeyPair) {
    let chain = Box::new(ChainKey::new(Secret::random(rng)));
    (chain, SignatureKeyPair::from_secret(&Secret::random(rng)))
}

impl fmt::Debug for SendingChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sender,
            place,
            history: _,
            begun,
            retired: _,
            index,
            chain: _,
            signing: _,
            predecessor,
            given,
            lineage,
        } = self;
        f.debug_struct("SendingChain")
            .field("scope", &place.scope())
            .field("device", &sender.device)
            .field("chain", &self.chain())
            .field("index", index)
            .field("begun", begun)
            .field("predecessor", predecessor)
            .field("given", &given.len())
            .field("revision", &lineage.revision())
            .finish_non_exhaustive()
    }
}
