//! The cases in bisik: who is a member, by signed acts, and the keys of chains, given in sessions. Nothing is stored.
//!
//! A chain is given when its device writes next. Here every member writes after the change, which is the most that it
//! costs.

use std::collections::BTreeSet;
use std::hint::black_box;

use bisik::group::GroupId;

use super::Change;
use super::cases::NOW;
use super::support::meter::{Case, Meter};
use super::world::{
    Member, Sessions, Stored, World, accept, bytes_of, devices, follow, give, given, hear, invite, place, read, ready,
    send,
};

/// Nobody has a session with who joins.
pub(crate) fn add(count: usize) -> Change {
    let bytes = {
        let World { members, mut group, mut said } = World::new(count);
        let (id, joining, a) = (group.id(), Member::new(), &members[0]);
        let added = invite(&mut group, a, &joining);
        said.push(added.clone());
        let accepted = accept(&mut follow(id, &said, &joining), &joining);
        let (mut session, hello) = a.initiate(&joining.bundle, joining.identity().public());
        let mut theirs = joining.accept(&joining.fresh_keys(), &hello, a.identity().public());
        let targets = BTreeSet::from([*a.identity().public(), *joining.identity().public()]);
        let answer = give(&mut ready(&mut joining.begin(id), &targets), a.identity().public(), &mut theirs);
        let _ = a.take(&mut session, &answer, id, &joining.sender());
        let given = give(&mut ready(&mut a.begin(id), &targets), joining.identity().public(), &mut session);
        let all = bytes_of(&[added, accepted]);
        let [to, from] = [hello.len() + given.len(), answer.len()];
        vec![all, bytes_of(&said) + count * to, all + to + from, all + count * (to + from)]
    };
    Change { times: vec![adding(count), taking_in(count), joining(count)], bytes }
}

/// The founder adds one and gives the new device the own chain.
fn adding(count: usize) -> Case {
    let World { members, group, said } = World::new(count);
    let stored = Stored::new(group);
    let a = 0;
    Box::new(move |runs, meter| {
        for _ in 0..runs {
            let (mut group, joining) = (stored.restored(), Member::new());
            let mut added = None;
            meter.measure(&mut || added = Some(invite(&mut group, &members[a], &joining)));
            let said = [said[0].clone(), added.unwrap()];
            let accepted = accept(&mut follow(stored.id, &said, &joining), &joining);
            meet(&members, a, &joining, stored.id, meter, &mut || hear(&mut group, &accepted));
        }
    })
}

/// Another member hears of it, and gives the new device the own chain.
fn taking_in(count: usize) -> Case {
    let World { members, mut group, said } = World::new(count);
    let b = count / 2;
    let joining = Member::new();
    let added = invite(&mut group, &members[0], &joining);
    let accepted = accept(&mut follow(group.id(), &[said[0].clone(), added.clone()], &joining), &joining);
    let stored = Stored::new(follow(group.id(), &said, &members[b]));
    Box::new(move |runs, meter| {
        for _ in 0..runs {
            let mut group = stored.restored();
            meet(&members, b, &joining, stored.id, meter, &mut || {
                hear(&mut group, &added);
                hear(&mut group, &accepted);
            });
            assert!(group.state().is_member(joining.account.key()));
        }
    })
}

/// Measures what one of the members does so that `joining` and it can read each other: first this, then a session, and
/// the chains.
fn meet(
    members: &[Member],
    member: usize,
    joining: &Member,
    group: GroupId,
    meter: &mut dyn Meter,
    first: &mut dyn FnMut(),
) {
    let (member, before, targets) = (&members[member], devices(members), devices(members.iter().chain([joining])));
    let (device, new) = (member.identity().public(), joining.identity().public());
    let (keys, mut own, mut chain) = (joining.fresh_keys(), given(member, group, &before), joining.begin(group));
    let mut begun = None;
    meter.measure(&mut || {
        first();
        begun = Some(member.initiate(&joining.bundle, new));
    });
    let (mut session, hello) = begun.unwrap();
    let mut theirs = joining.accept(&keys, &hello, device);
    let answer = give(&mut ready(&mut chain, &targets), device, &mut theirs);
    let mut given = Vec::new();
    meter.measure(&mut || {
        black_box(member.take(&mut session, &answer, group, &joining.sender()));
        given = give(&mut ready(&mut own, &targets), new, &mut session);
    });
    let _ = joining.take(&mut theirs, &given, group, &member.sender());
}

/// Who joins reads who is a member, accepts, and exchanges chains with all.
fn joining(count: usize) -> Case {
    let World { members, mut group, mut said } = World::new(count);
    let (id, joining) = (group.id(), Member::new());
    said.push(invite(&mut group, &members[0], &joining));
    let new = *joining.identity().public();
    let targets = devices(members.iter().chain([&joining]));
    Box::new(move |runs, meter| {
        for _ in 0..runs {
            let keys = joining.fresh_keys();
            let mut begun: Vec<_> = members.iter().map(|member| member.initiate(&joining.bundle, &new)).collect();
            let mut own = None;
            meter.measure(&mut || {
                let mut group = follow(id, &said, &joining);
                black_box(accept(&mut group, &joining));
                own = Some(joining.begin(id));
            });
            let mut chain = own.unwrap();
            let mut sessions = Vec::new();
            meter.measure(&mut || {
                for (member, (_, hello)) in members.iter().zip(&begun) {
                    let device = member.identity().public();
                    let mut session = joining.accept(&keys, hello, device);
                    let answer = give(&mut ready(&mut chain, &targets), device, &mut session);
                    sessions.push((session, answer));
                }
            });
            let answered = members.iter().zip(&mut begun).zip(&sessions);
            let given: Vec<_> = answered
                .map(|((member, (session, _)), (_, answer))| {
                    let _ = member.take(session, answer, id, &joining.sender());
                    give(&mut ready(&mut member.begin(id), &targets), &new, session)
                })
                .collect();
            meter.measure(&mut || {
                for ((member, (session, _)), given) in members.iter().zip(&mut sessions).zip(&given) {
                    black_box(joining.take(session, given, id, &member.sender()));
                }
            });
        }
    })
}

/// All members have sessions.
pub(crate) fn remove(count: usize) -> Change {
    let World { members, mut group, said: _ } = World::new(count);
    let removed = group.remove(&members[0].author(), members[count - 1].account.key(), &[], NOW).unwrap();
    let act = bytes_of(&removed.statements);
    let mut sessions = Sessions::new(&members[0], &members[1..2]);
    let targets = BTreeSet::from([*members[0].identity().public(), *members[1].identity().public()]);
    let given = sessions.give(&members[0], &mut members[0].begin(group.id()), &targets, &members[1..2]);
    let each = (count - 2) * given[0].len();
    let all = act + (count - 1) * each;
    let bytes = vec![act, act + each, all, all];
    Change { times: vec![removing(count), renewing(count)], bytes }
}

/// The founder removes one, and gives a new chain to all others.
fn removing(count: usize) -> Case {
    let World { members, group, .. } = World::new(count);
    let (all, rest, id) = (devices(&members), devices(&members[..count - 1]), group.id());
    let stored = Stored::new(group);
    let mut sessions = Sessions::new(&members[0], &members[1..count - 1]);
    Box::new(move |runs, meter| {
        let (a, others) = (&members[0], &members[1..count - 1]);
        for _ in 0..runs {
            // The others have answered since: each message takes a step of the ratchet.
            for (own, theirs) in &mut sessions.0 {
                let _ = read(a.identity(), own, &send(theirs, b""));
            }
            let (mut group, mut chain, mut given) = (stored.restored(), given(a, id, &all), Vec::new());
            meter.measure(&mut || {
                let _ = black_box(group.remove(&a.author(), members[count - 1].account.key(), &[], NOW).unwrap());
                chain.renew(place(id), false, NOW, &mut rand::rng()).unwrap();
                given = sessions.give(a, &mut chain, &rest, others);
            });
            for ((peer, (_, theirs)), given) in others.iter().zip(&mut sessions.0).zip(&given) {
                let _ = peer.take(theirs, given, id, &a.sender());
            }
        }
    })
}

/// Another member hears of it, gives a new chain to all others, and takes theirs.
fn renewing(count: usize) -> Case {
    let World { mut members, mut group, said } = World::new(count);
    let (all, rest) = (devices(&members), devices(&members[..count - 1]));
    let removed = group.remove(&members[0].author(), members[count - 1].account.key(), &[], NOW).unwrap();
    members.pop();
    let b = members.swap_remove(count / 2);
    let stored = Stored::new(follow(group.id(), &said, &b));
    let mut sessions = Sessions::new(&b, &members);
    Box::new(move |runs, meter| {
        for _ in 0..runs {
            let (mut group, mut chain) = (stored.restored(), given(&b, stored.id, &all));
            let peers = members.iter().zip(&mut sessions.0);
            let theirs: Vec<_> = peers
                .map(|(peer, (_, session))| {
                    give(&mut ready(&mut peer.begin(stored.id), &rest), b.identity().public(), session)
                })
                .collect();
            let mut given = Vec::new();
            meter.measure(&mut || {
                removed.statements.iter().for_each(|statement| hear(&mut group, statement));
                for ((peer, (own, _)), message) in members.iter().zip(&mut sessions.0).zip(&theirs) {
                    black_box(b.take(own, message, stored.id, &peer.sender()));
                }
                chain.renew(place(stored.id), false, NOW, &mut rand::rng()).unwrap();
                given = sessions.give(&b, &mut chain, &rest, &members);
            });
            for ((peer, (_, session)), given) in members.iter().zip(&mut sessions.0).zip(&given) {
                let _ = peer.take(session, given, stored.id, &b.sender());
            }
        }
    })
}

pub(crate) fn bundle_bytes() -> usize {
    Member::new().bundle.len()
}
