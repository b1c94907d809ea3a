//! [`ReceivingChains`]: the chains of one sending device (docs/spec/chains.md, section 14.4).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use super::distribution::Constants;
use super::kept::Kept;
use super::names::{ChainId, Predecessor, Scope};
use super::used::Used;
use crate::conversation::MemberDevice;
use crate::ratchet::ChainKey;
use bisik_core::held::Lineage;

/// The chains of one sending device in one group or audience: at most five, of which the newest is the one in use, and the
/// others have messages that may still arrive ([section 14.4](crate::manual::spec::chains#144-receiving)).
///
/// Keep one for each device that writes, by account, index and identity. Not `Clone`, like a session.
pub struct ReceivingChains {
    pub(super) scope: Scope,
    pub(super) sender: MemberDevice,
    /// Oldest first.
    pub(super) chains: VecDeque<Chain>,
    /// Chains that ended and are forgotten, oldest first: none of them is taken again.
    pub(super) gone: VecDeque<Gone>,
    /// Messages received, in all chains; stops at the greatest number.
    pub(super) received: u32,
    /// The revision, and what ties the value to its records and to what it holds.
    pub(super) lineage: Lineage,
}

/// A chain that has ended, and of which nothing can be read.
pub(super) struct Gone {
    pub(super) id: ChainId,
    /// It may arrive later, and ends then (P-14.20).
    pub(super) predecessor: Option<Predecessor>,
}

/// One chain.
pub(super) struct Chain {
    pub(super) id: ChainId,
    pub(super) constants: Constants,
    /// The lowest number whose key was given.
    pub(super) first: u32,
    /// The number of the message that `chain` gives next.
    pub(super) next: u32,
    /// The number after the highest that was received; 0 before any was.
    pub(super) heard: u32,
    /// Absent in a chain that has ended.
    pub(super) chain: Option<Box<ChainKey>>,
    pub(super) kept: Kept,
    pub(super) used: Used,
}

impl ReceivingChains {
    /// No chains yet, of `sender`: [`take`](Self::take) adds them.
    #[must_use]
    pub fn new(scope: Scope, sender: MemberDevice) -> Self {
        let (chains, gone) = (VecDeque::new(), VecDeque::new());
        Self { scope, sender, chains, gone, received: 0, lineage: Lineage::default() }
    }

    pub(super) fn position(&self, id: ChainId) -> Option<usize> {
        self.chains.iter().position(|chain| chain.id == id)
    }

    pub(super) fn is_gone(&self, id: ChainId) -> bool {
        self.gone.iter().any(|gone| gone.id == id)
    }

    /// Whether a chain of this name is, or was, one of these.
    pub(in crate::group) fn knows(&self, id: ChainId) -> bool {
        self.position(id).is_some() || self.is_gone(id)
    }

    /// The messages that are known to exist and have not arrived, oldest chain first.
    pub(in crate::group) fn missing(&self) -> impl Iterator<Item = (ChainId, u32)> {
        self.chains.iter().flat_map(|chain| chain.kept.numbers().map(|number| (chain.id, number)))
    }

    /// Takes note that a message has arrived in another way: its key is deleted. Whether it was missing. P-14.19.
    pub(in crate::group) fn arrived(&mut self, id: ChainId, index: u32) -> bool {
        let chain = self.chains.iter_mut().find(|chain| chain.id == id);
        let Some(chain) = chain.filter(|chain| chain.kept.get(index).is_some()) else { return false };
        chain.kept.remove(index);
        let _none = self.tidy();
        self.lineage.change();
        true
    }

    /// Whether the sender of a chain permits that its messages are passed on. P-15.18.
    pub(in crate::group) fn permits_history(&self, id: ChainId) -> bool {
        self.position(id).and_then(|at| self.chains.get(at)).is_some_and(|chain| chain.constants.history)
    }

    /// Whether it is remembered that a message was received: of each chain, the last ones are.
    pub(in crate::group) fn received(&self, id: ChainId, index: u32) -> bool {
        self.position(id).and_then(|at| self.chains.get(at)).is_some_and(|chain| chain.used.has(index))
    }

    /// What chains were said to follow, also by those that are gone, oldest first.
    pub(super) fn named(&self) -> impl Iterator<Item = Predecessor> {
        let gone = self.gone.iter().filter_map(|gone| gone.predecessor);
        gone.chain(self.chains.iter().filter_map(|chain| chain.constants.predecessor))
    }

    /// Returns the group or audience.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns whose chains these are.
    #[must_use]
    pub const fn sender(&self) -> &MemberDevice {
        &self.sender
    }

    /// Returns the names of the chains of which something can be read, oldest first.
    pub fn chains(&self) -> impl Iterator<Item = ChainId> {
        self.chains.iter().map(|chain| chain.id)
    }

    /// Returns how many keys of messages that have not arrived are kept: at most 2,000.
    #[must_use]
    pub fn kept_keys(&self) -> u32 {
        self.chains.iter().fold(0, |sum, chain| sum.saturating_add(chain.kept.len()))
    }

    /// Counts changes: store a record only over one with a lower revision.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }
}

impl fmt::Debug for ReceivingChains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, sender, chains, gone: _, received, lineage } = self;
        f.debug_struct("ReceivingChains")
            .field("scope", scope)
            .field("account", &sender.account)
            .field("device", &sender.device)
            .field("chains", chains)
            .field("received", received)
            .field("revision", &lineage.revision())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, constants: _, first, next, heard: _, chain, kept, used: _ } = self;
        f.debug_struct("Chain")
            .field("id", id)
            .field("first", first)
            .field("next", next)
            .field("ended", &chain.is_none())
            .field("kept", &kept.len())
            .finish_non_exhaustive()
    }
}
