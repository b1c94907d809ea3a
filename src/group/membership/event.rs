//! [`GroupEvent`]: what changed, for the user.

use alloc::vec::Vec;

use super::acts::Acts;
use super::count::{Tally, Verdict, VoidReason};
use super::state::{MemberView, State};
use super::{ActId, LinkPolicy, Role, Setting, Stay, Suspension};
use crate::keys::IdentityKey;

/// Something that changed in a group. Show it: with every event a member can see who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEvent {
    /// An account was invited: it is a member once it accepts.
    Added {
        /// The invited stay.
        stay: Stay,
        /// Who added it; `None` if the owner's log names it.
        by: Option<Stay>,
    },
    /// An account has become a member.
    Joined {
        /// Its stay.
        stay: Stay,
    },
    /// An account has left.
    Left {
        /// The stay that ended.
        stay: Stay,
    },
    /// An account was removed, or its invitation was taken back.
    Removed {
        /// The stay that ended.
        stay: Stay,
        /// Who removed it; `None` if that is below the newest floor.
        by: Option<Stay>,
    },
    /// A stay is no longer added: the act that added it does not count any more.
    Undone {
        /// The stay.
        stay: Stay,
    },
    /// A member gets no keys, because of an act that does not count. The owner lifts the act, or somebody adds the account
    /// anew.
    Suspended {
        /// The stay.
        stay: Stay,
        /// What cuts it off; `None` if it is a link or a removal of another stay of the account that are in doubt.
        by: Option<Suspension>,
    },
    /// A member that was suspended gets keys again.
    Restored {
        /// The stay.
        stay: Stay,
    },
    /// A member has another role.
    RoleChanged {
        /// The stay.
        stay: Stay,
        /// The role before.
        from: Role,
        /// The role now.
        to: Role,
    },
    /// The group has another owner.
    OwnerChanged {
        /// The former owner's stay.
        from: Stay,
        /// The new owner's stay.
        to: Stay,
    },
    /// A setting has another value, or none.
    SettingChanged(Setting),
    /// A hosted device may be given keys of the group.
    EndpointAdmitted(IdentityKey),
    /// A hosted device may not be given keys of the group any more.
    EndpointEnded(IdentityKey),
    /// A link is open.
    LinkOpened {
        /// The link.
        link: ActId,
        /// What those who join by it become.
        policy: LinkPolicy,
    },
    /// A link is not open any more.
    LinkClosed(ActId),
    /// An act that counted does not count any more. Whoever has the right may do the same again.
    Void {
        /// The act.
        act: ActId,
        /// Who made it.
        by: Stay,
        /// Why.
        why: VoidReason,
    },
    /// Somebody asked that everybody use new keys.
    RekeyAsked {
        /// Who.
        by: Stay,
    },
    /// The owner has settled the group: acts before this entry are forgotten.
    Settled {
        /// The entry's epoch.
        epoch: u64,
    },
    /// The floor lacks something that this device had said for its user: call
    /// [`make_again`](super::Membership::make_again).
    MustMakeAgain,
    /// The owner has written two different logs. The group is read-only: found it again.
    Equivocation,
    /// The owner has ended the group.
    Ended,
}

impl GroupEvent {
    /// The stay that begins: it was invited, or is a member now.
    pub(in crate::group) const fn begins(&self) -> Option<&Stay> {
        if let Self::Added { stay, .. } | Self::Joined { stay } = self { Some(stay) } else { None }
    }

    /// The stay that ends.
    pub(in crate::group) const fn ends(&self) -> Option<&Stay> {
        if let Self::Left { stay } | Self::Removed { stay, .. } | Self::Undone { stay } = self {
            Some(stay)
        } else {
            None
        }
    }
}

/// What changed from one state to the next.
pub(super) fn difference(old: (&State, &Tally), new: (&State, &Tally), acts: &Acts) -> Vec<GroupEvent> {
    let ((before, counted), (after, counts)) = (old, new);
    let mut events = Vec::new();
    if before.owner != after.owner {
        events.push(GroupEvent::OwnerChanged { from: before.owner, to: after.owner });
    }
    for (stay, view) in &after.stays {
        match before.stays.get(stay) {
            None => appeared(*stay, view, counts, acts, &mut events),
            Some(known) => changed(*stay, known, view, &mut events),
        }
    }
    for stay in before.stays.keys().filter(|stay| !after.stays.contains_key(stay)) {
        let remover = counts.removals.get(stay).and_then(|removals| removals.first());
        let by = remover.and_then(|hash| acts.get(hash)).map(|known| known.act.author);
        events.push(if by.is_some() || after.removed.contains(&stay.account) && !counts.leaves.contains_key(stay) {
            GroupEvent::Removed { stay: *stay, by }
        } else if counts.leaves.contains_key(stay) {
            GroupEvent::Left { stay: *stay }
        } else {
            GroupEvent::Undone { stay: *stay }
        });
    }
    for (link, shown) in after.links.iter().filter(|(id, _)| !before.links.contains_key(id)) {
        events.push(GroupEvent::LinkOpened { link: *link, policy: shown.policy });
    }
    let closed = before.links.keys().filter(|id| !after.links.contains_key(id));
    events.extend(closed.map(|id| GroupEvent::LinkClosed(*id)));
    for endpoint in after.endpoints.keys().filter(|key| !before.endpoints.contains_key(key)) {
        events.push(GroupEvent::EndpointAdmitted(*endpoint));
    }
    for endpoint in before.endpoints.keys().filter(|key| !after.endpoints.contains_key(key)) {
        events.push(GroupEvent::EndpointEnded(*endpoint));
    }
    let rekeys = after.rekeys.difference(&before.rekeys).filter_map(|hash| acts.get(hash));
    events.extend(rekeys.map(|known| GroupEvent::RekeyAsked { by: known.act.author }));
    for (hash, verdict) in &counts.verdicts {
        let Verdict::Void(why) = verdict else { continue };
        if counted.verdicts.get(hash) == Some(&Verdict::Counts) {
            let voided = acts.get(hash).map(|known| (known.act.id(), known.act.author));
            events.extend(voided.map(|(act, by)| GroupEvent::Void { act, by, why: *why }));
        }
    }
    if after.ended && !before.ended {
        events.push(GroupEvent::Ended);
    }
    events
}

/// A stay that was not there, or had ended.
fn appeared(stay: Stay, view: &MemberView, counts: &Tally, acts: &Acts, events: &mut Vec<GroupEvent>) {
    let adder = counts.added.get(&stay).and_then(|hash| acts.get(hash));
    if !counts.joined.contains(&stay) {
        events.push(GroupEvent::Added { stay, by: adder.map(|known| known.act.author) });
    }
    if view.live {
        events.push(GroupEvent::Joined { stay });
    }
    if view.live && !view.receives() {
        events.push(GroupEvent::Suspended { stay, by: view.suspended });
    }
}

/// A stay that was there.
fn changed(stay: Stay, known: &MemberView, view: &MemberView, events: &mut Vec<GroupEvent>) {
    if view.live && !known.live {
        events.push(GroupEvent::Joined { stay });
    }
    if known.live && !view.live {
        events.push(GroupEvent::Undone { stay });
    }
    if known.role != view.role {
        events.push(GroupEvent::RoleChanged { stay, from: known.role, to: view.role });
    }
    let (cut_off, was_cut_off) = (view.live && !view.receives(), known.live && !known.receives());
    if cut_off && !was_cut_off {
        events.push(GroupEvent::Suspended { stay, by: view.suspended });
    }
    if was_cut_off && view.receives() {
        events.push(GroupEvent::Restored { stay });
    }
}
