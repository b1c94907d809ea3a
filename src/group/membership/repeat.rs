//! Acts that do the same: which of them a device holds.
//!
//! Of several only the one with the least id counts, but another may count later: if the author of the least loses the right
//! to it, or leaves. So an act that repeats what somebody else has said is held beside it, whichever comes first: nobody
//! makes a device forget or refuse what another says. What one author repeats is held once.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::act::{Act, Body};
use super::count::{LEAVES, Tally, Verdict, View, VoidReason};
use super::{ActHash, ActId, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;

/// What an act does and who says it: the account's primary device, or any of its companions. What a stolen companion says
/// does not displace what the primary has said, and an account that makes many companions gains nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Saying {
    what: What,
    by_primary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Accept(Stay),
    Leave(Stay),
    /// The stay counts only for somebody else's endpoint.
    Retire(IdentityKey, AccountKey, Option<Stay>),
    /// The stay is added otherwise: of which link does not matter.
    Join(Stay),
    JoinByLink(AccountKey, ActId),
}

impl Saying {
    fn of(act: &Act, view: &View<'_>, tally: &Tally) -> Option<Self> {
        let what = match &act.body {
            Body::Accept => What::Accept(act.author),
            Body::Leave { kept: _ } => What::Leave(act.author),
            Body::Retire { endpoint, account } => {
                let other = (*account != act.author.account).then_some(act.author);
                What::Retire(*endpoint, act.author.account, other)
            }
            Body::Join { .. } if tally.adds(view, &act.author) => What::Join(act.author),
            Body::Join { link, proof: _ } => What::JoinByLink(act.author.account, *link),
            Body::Add(_) | Body::Remove { .. } | Body::OpenLink(_) | Body::CloseLink { .. } | Body::Rekey => {
                return None;
            }
        };
        Some(Self { what, by_primary: act.is_by_primary() })
    }

    const fn most(&self) -> usize {
        if matches!(self.what, What::Leave(_)) { LEAVES } else { 1 }
    }
}

/// What is said by the acts that a device holds, and by which.
#[derive(Clone, Debug, Default)]
pub(super) struct Sayings(BTreeSet<(Saying, ActHash)>);

impl Sayings {
    /// What is said after a count, and the acts that say nothing more than others of the same author: they are forgotten.
    pub(super) fn of(view: &View<'_>, tally: &Tally) -> (Self, Vec<ActHash>) {
        let (mut said, mut more) = (Self::default(), Vec::new());
        // The least ids come first.
        for (hash, verdict) in &tally.verdicts {
            let repeats = *verdict == Verdict::Void(VoidReason::Repeats);
            if !repeats && *verdict != Verdict::Counts {
                continue;
            }
            let Some(saying) = view.acts.get(hash).and_then(|known| Saying::of(&known.act, view, tally)) else {
                continue;
            };
            if repeats && said.has_enough_below(saying, *hash) {
                more.push(*hash);
            } else {
                said.0.insert((saying, *hash));
            }
        }
        (said, more)
    }

    /// Whether an act that repeats others says nothing that its author has not said.
    pub(super) fn cover(&self, view: &View<'_>, tally: &Tally, act: &Act) -> bool {
        match Saying::of(act, view, tally) {
            Some(saying) => self.has_enough_below(saying, act.hash),
            None => true,
        }
    }

    fn has_enough_below(&self, saying: Saying, hash: ActHash) -> bool {
        let first = (saying, ActHash::from_bytes([0; ActHash::LENGTH]));
        self.0.range(first..(saying, hash)).take(saying.most()).count() == saying.most()
    }
}
