//! [`Acts`]: the acts that a device holds, in the order of their hashes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::act::{Act, Body};
use super::history::History;
use super::link::Link;
use super::load::Load;
use super::standing::Standing;
use super::{ActHash, ActId, GroupId};

/// An act that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) act: Act,
    pub(super) standing: Standing,
    /// For a join: the link's key is known, and has signed it.
    pub(super) has_link: bool,
}

/// The acts that are held.
#[derive(Clone, Debug, Default)]
pub(super) struct Acts {
    known: BTreeMap<ActHash, Known>,
    load: Load,
}

impl Known {
    /// What the log says of an act; of a join nothing is known of the link yet.
    pub(super) fn new(act: Act, history: &History) -> Self {
        let standing = Standing::of(&act, history);
        Self { act, standing, has_link: false }
    }

    /// Whether the act holds keys back even if it does not count. P-13.13.
    pub(super) const fn holds_back(&self) -> bool {
        self.act.holds_back().is_some() && !self.standing.lifted
    }

    /// Whether a join was signed by the key of the link.
    pub(super) fn try_link(&mut self, group: GroupId, link: &Link) {
        if let Body::Join { link: _, proof } = &self.act.body {
            self.has_link = link.proves(group, &self.act.author, proof);
        }
    }
}

impl Acts {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    pub(super) fn get(&self, hash: &ActHash) -> Option<&Known> {
        self.known.get(hash)
    }

    pub(super) fn holds(&self, hash: &ActHash) -> bool {
        self.known.contains_key(hash)
    }

    /// The act with this id.
    pub(super) fn find(&self, id: &ActId) -> Option<&Known> {
        let mut first = [0; ActHash::LENGTH];
        first.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
        let (_, known) = self.known.range(ActHash::from_bytes(first)..).next()?;
        Some(known).filter(|known| known.act.id() == *id)
    }

    /// Whether the act `by` keeps the act `id`.
    pub(super) fn keeps(&self, by: &ActHash, id: &ActId) -> bool {
        self.get(by).is_some_and(|known| known.act.kept().binary_search(id).is_ok())
    }

    /// Whether there is room for an act. P-13.16.
    pub(super) fn has_room(&self, known: &Known) -> bool {
        self.load.takes(&known.act)
    }

    /// Whether there is room for several acts, if those that `gone` picks were forgotten.
    pub(super) fn have_room(&self, more: &[Known], gone: impl Fn(&Known) -> bool) -> bool {
        let mut load = self.load.clone();
        self.iter().filter(|known| gone(known)).for_each(|known| load.subtract(&known.act));
        more.iter().all(|Known { act, .. }| {
            let takes = load.takes(act);
            load.add(act);
            takes
        })
    }

    /// Holds an act. One that is held already changes nothing: a batch may repeat it.
    pub(super) fn insert(&mut self, known: Known) {
        if self.holds(&known.act.hash) {
            return;
        }
        self.load.add(&known.act);
        self.known.insert(known.act.hash, known);
    }

    pub(super) fn remove(&mut self, hash: &ActHash) -> Option<Known> {
        let known = self.known.remove(hash)?;
        self.load.subtract(&known.act);
        Some(known)
    }

    /// Looks again at every act, after the log has another entry.
    pub(super) fn judge_again(&mut self, history: &History) {
        for known in self.known.values_mut() {
            known.standing = Standing::of(&known.act, history);
        }
    }

    /// Tries the joins by links whose keys have become known.
    pub(super) fn try_links(&mut self, group: GroupId, links: &BTreeMap<ActId, Link>) {
        for known in self.known.values_mut() {
            if let Some(link) = known.act.joins_by().and_then(|id| links.get(id)) {
                known.try_link(group, link);
            }
        }
    }

    /// The key of a link that an act opens, whether or not that counts.
    pub(super) fn link(&self, id: &ActId) -> Option<&Link> {
        self.find(id)?.act.opens()
    }

    /// Keeps only the acts for which `keep` says so, and returns the others.
    pub(super) fn split(&mut self, keep: impl Fn(&Known) -> bool) -> Vec<Known> {
        let gone: Vec<_> = self.iter().filter(|known| !keep(known)).cloned().collect();
        for known in &gone {
            self.remove(&known.act.hash);
        }
        gone
    }
}
