//! Acts that do the same: which of them a device holds.
//!
//! Of several only the one with the least id counts, but another may count later: if the author of the least loses the right
//! to it, or leaves. So nobody makes a device forget what somebody else has said. What one author repeats is held once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::act::{Act, Body};
use super::acts::Acts;
use super::count::{LEAVES, Tally, Verdict, VoidReason};
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
    Join(AccountKey, ActId),
}

impl Saying {
    fn of(act: &Act) -> Option<Self> {
        let what = match &act.body {
            Body::Accept => What::Accept(act.author),
            Body::Leave { kept: _ } => What::Leave(act.author),
            Body::Retire { endpoint, account } => {
                let other = (*account != act.author.account).then_some(act.author);
                What::Retire(*endpoint, act.author.account, other)
            }
            Body::Join { link, proof: _ } => What::Join(act.author.account, *link),
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

/// The acts that another of the same author repeats, by a count: they are forgotten.
pub(super) fn superfluous(acts: &Acts, tally: &Tally) -> Vec<ActHash> {
    let mut said: BTreeMap<Saying, usize> = BTreeMap::new();
    let mut found = Vec::new();
    // The least ids come first.
    for (hash, verdict) in &tally.verdicts {
        let repeats = *verdict == Verdict::Void(VoidReason::Repeats);
        if !repeats && *verdict != Verdict::Counts {
            continue;
        }
        let Some(saying) = acts.get(hash).and_then(|known| Saying::of(&known.act)) else { continue };
        let count = said.entry(saying).or_default();
        if repeats && *count >= saying.most() {
            found.push(*hash);
        } else {
            *count = count.saturating_add(1);
        }
    }
    found
}
