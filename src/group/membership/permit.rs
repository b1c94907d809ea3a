//! Who may make which act: the last column of the table in
//! [section 13.3](crate::manual::spec::groups#133-acts).

use super::Role;
use super::act::{Act, Body};
use super::history::History;

/// Whether an act is permitted in the rights after the entry that it names. P-13.5.
pub(super) fn permits(history: &History, act: &Act) -> bool {
    let is_good = match &act.body {
        Body::Retire { endpoint, account } => history.admitted(endpoint, act.epoch) == Some(*account),
        // Who makes no acts by right has nothing to keep.
        Body::Leave { kept } => kept.is_empty() || history.role(&act.author, act.epoch).leads(),
        Body::Add(_)
        | Body::Accept
        | Body::Remove { .. }
        | Body::OpenLink(_)
        | Body::CloseLink { .. }
        | Body::Join { .. }
        | Body::Rekey => true,
    };
    is_good && still_permits(history, act, act.epoch)
}

/// Whether an act that was permitted at the entry that it names is permitted in the rights after the entry of this epoch.
/// Of an endpoint that was withdrawn since, retiring it stays permitted. P-13.8.
pub(super) fn still_permits(history: &History, act: &Act, epoch: u64) -> bool {
    let role = history.role(&act.author, epoch);
    !history.is_barred(&act.author.account, &act.device, epoch)
        && match &act.body {
            Body::Add(_) | Body::OpenLink(_) | Body::CloseLink { .. } | Body::Rekey => role.leads(),
            Body::Accept | Body::Join { .. } => true,
            Body::Leave { kept: _ } => act.is_by_primary() && role != Role::Owner,
            Body::Remove { target, kept: _ } => match role {
                Role::Owner => *target != act.author,
                Role::Admin => *target != act.author && !history.role(target, epoch).leads(),
                Role::Member | Role::Reader => false,
            },
            Body::Retire { endpoint: _, account } => role.leads() || *account == act.author.account,
        }
}
