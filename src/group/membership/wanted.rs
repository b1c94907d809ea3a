//! [`Wanted`]: what a device should ask for.
//!
//! What entries and held acts name was signed by the owner and by admins. What waits aside was made by anybody: it hides
//! nothing that they name, and they hide nothing of it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::aside::Lack;
use super::{ActId, EntryHash, Membership};
use crate::device::{AccountKey, ListId};

/// Something that a device should ask for, from the relay or from whoever writes in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Wanted {
    /// An entry of the log: what waits comes after it.
    Entry(EntryHash),
    /// A device list of a member, for [`Signers`](super::Signers).
    List {
        /// The account.
        account: AccountKey,
        /// Which of its lists.
        list: ListId,
    },
    /// The floor with this hash: acts wait for it.
    Floor([u8; 32]),
    /// An act that an entry or another act keeps, or that opens a link by which somebody joins.
    Act(ActId),
}

impl Membership {
    /// Returns what to ask for, each once, the most important first, and 256 things at most: the floor that the newest
    /// settling names; acts that the log keeps, and that held acts keep, and that are not here; and what waiting entries and
    /// acts lack.
    ///
    /// Nobody may have what is named: where there is more than 256, `turn` says what comes next. Count up with each time
    /// that you ask.
    #[must_use]
    pub fn wanted(&self, turn: usize) -> Vec<Wanted> {
        let floor = self.missing_floor().map(Wanted::Floor);
        let by_log = self.lacking(self.log.history.kept_after(self.settled()));
        let by_acts = self.lacking(self.acts.iter().flat_map(|known| known.act.kept()));
        let entries = self.aside.entries_before().map(Wanted::Entry).collect();
        let lacks = || self.aside.lacks();
        let lists = lacks().filter_map(|lack| match lack {
            Lack::List(account, list) => Some(Wanted::List { account, list }),
            Lack::Entry(..) | Lack::Floor(_) | Lack::Link(..) | Lack::Stay(_) => None,
        });
        let others = lacks().filter_map(|lack| match lack {
            Lack::Entry(_, hash) => Some(Wanted::Entry(hash)),
            Lack::Link(id, _) => Some(Wanted::Act(id)),
            Lack::List(..) | Lack::Floor(_) | Lack::Stay(_) => None,
        });
        let sources: [BTreeSet<Wanted>; SOURCES] = [by_log, by_acts, entries, lists.collect(), others.collect()];
        let shares = sources.iter().flat_map(|source| part_of(source, turn).take(SHARE));
        let rest = sources.iter().flat_map(|source| part_of(source, turn).skip(SHARE));
        let mut seen = BTreeSet::new();
        let all = floor.into_iter().chain(shares.chain(rest).copied());
        all.filter(|wanted| seen.insert(*wanted)).take(MOST_WANTED).collect()
    }

    /// The acts among these that are not here: as many as are looked at in all turns.
    fn lacking<'a>(&self, ids: impl Iterator<Item = &'a ActId>) -> BTreeSet<Wanted> {
        ids.filter(|id| self.acts.find(id).is_none()).take(MOST_OF_A_SOURCE).map(|id| Wanted::Act(*id)).collect()
    }

    /// The hash of a floor that is named and not here.
    pub(super) fn missing_floor(&self) -> Option<[u8; 32]> {
        self.log.rights.settled.filter(|(epoch, _)| *epoch != self.settled()).map(|(_, hash)| hash)
    }
}

/// A source from where this turn begins to where the turn before began.
fn part_of(source: &BTreeSet<Wanted>, turn: usize) -> impl Iterator<Item = &Wanted> {
    let parts = source.len().div_ceil(SHARE);
    let begin = turn.checked_rem(parts).map_or(0, |part| part.saturating_mul(SHARE));
    source.iter().skip(begin).chain(source.iter().take(begin))
}

/// Where wishes come from, beside the floor.
const SOURCES: usize = 5;

/// Things that are asked for at a time.
const MOST_WANTED: usize = 256;

/// Those of each source for which there is room whatever the others ask for.
const SHARE: usize = 51;

/// Acts that are not here, of one source, among which the turns go.
const MOST_OF_A_SOURCE: usize = 16_384;
