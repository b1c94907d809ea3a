//! [`Standing`]: what the log alone says of an act ([section 13.4](crate::manual::spec::groups#134-which-acts-count)).

use super::act::Act;
use super::history::{History, Said};
use super::permit::still_permits;

/// What the log alone says of an act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// An entry keeps it: nothing but an entry undoes it.
    pub(super) confirmed: bool,
    /// An entry lifts it, or took the right away that it rests on.
    pub(super) void: bool,
    /// It is void because an entry lifts it.
    pub(super) lifted: bool,
}

impl Standing {
    /// P-13.8: reads the entries after the one that the act names, in order. Entries at which nothing changes that matters
    /// to the act are left out.
    pub(super) fn of(act: &Act, history: &History) -> Self {
        let mut standing = Self::default();
        for epoch in history.turns(act) {
            let said = history.said(&act.id(), epoch);
            let lifts = act.ends().is_some_and(|stay| history.hands_over(stay, epoch));
            if lifts || said == Some(Said::Lift) {
                standing = Self { confirmed: false, void: true, lifted: true };
            } else if said == Some(Said::Keep) {
                standing = Self { confirmed: true, void: false, lifted: false };
            } else if !standing.confirmed && !still_permits(history, act, epoch) {
                standing.void = true;
            }
        }
        standing
    }
}
