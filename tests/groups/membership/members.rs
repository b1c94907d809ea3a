//! Adding, accepting, leaving, removing.

use bisik::group::membership::{GroupEvent, LinkPolicy, OfferError, Role, Stay, StayId, Taken, VoidReason, WriteError};

use super::world::{ACCEPT, ADD, ALICE, BOB, CAROL, DAVE, EVE, LEAVE, NOW, REMOVE, World, act_hash, encoded};

/// P-13.12. An account is a member once it was added and has accepted.
#[test]
fn an_invited_account_is_a_member_only_after_it_accepts() {
    let mut world = World::new(2);
    world.invite((ALICE, 0), BOB);
    assert_eq!((world.members((ALICE, 0)), world.receivers((ALICE, 0))), (vec![ALICE], vec![ALICE]));
    world.catch_up((BOB, 0));
    let accepted = world.write((BOB, 0), |group, author, _| group.accept(author, NOW)).unwrap();
    assert_eq!(world.members((BOB, 0)), [ALICE, BOB]);
    let events = world.offer((ALICE, 0), &accepted[0]).unwrap().events;
    let stay = world.stay((ALICE, 0), BOB);
    assert_eq!(events, [GroupEvent::Joined { stay }]);
    assert_eq!(world.state((ALICE, 0)), world.state((BOB, 0)));
    assert_eq!(world.offer((ALICE, 0), &accepted[0]).unwrap().taken, Taken::Known);
}

/// P-13.5 and P-13.6. Acts of a companion name a list of its account, and wait for it.
#[test]
fn a_companion_acts_under_a_list_that_the_receiver_fetches() {
    let mut world = World::of_members(2);
    world.role(BOB, Role::Admin);
    world.catch_up((BOB, 1));
    world.invite((BOB, 1), ALICE);
    let act = world.said.last().unwrap().clone();
    let signers = std::mem::take(&mut world.signers);
    assert_eq!(world.offer((ALICE, 0), &act).unwrap().taken, Taken::Aside);
    let list = world.people[BOB].directory.id();
    let wanted = bisik::group::membership::Wanted::List { account: world.account(BOB), list };
    assert_eq!(world.group((ALICE, 0)).wanted(0), [wanted]);
    let alice = world.groups.get_mut(&(ALICE, 0)).unwrap();
    assert!(!alice.retry(&signers).is_empty());
    assert_eq!((alice.wanted(0), alice.aside()), (vec![], (0, 0)));
}

/// P-13.12. A removal acts at once, at whoever knows it.
#[test]
fn a_removed_member_gets_no_keys_from_whoever_knows_the_removal() {
    let mut world = World::of_members(3);
    let stay = world.stay((ALICE, 0), CAROL);
    let removal = world.remove((ALICE, 0), CAROL).unwrap();
    assert_eq!((world.members((ALICE, 0)), world.receivers((ALICE, 0))), (vec![ALICE, BOB], vec![ALICE, BOB]));
    assert_eq!(world.receivers((BOB, 0)), [ALICE, BOB, CAROL], "Bob does not know it yet");
    let events = world.offer((BOB, 0), &removal[0]).unwrap().events;
    let by = Some(world.stay((BOB, 0), ALICE));
    assert_eq!((world.receivers((BOB, 0)), events), (vec![ALICE, BOB], vec![GroupEvent::Removed { stay, by }]));
}

/// P-13.12. Adding again is another stay: the removal of the first does not concern it.
#[test]
fn a_removed_member_who_is_added_again_is_a_member_by_another_stay() {
    let mut world = World::of_members(3);
    let before = world.stay((ALICE, 0), CAROL);
    let removal = world.remove((ALICE, 0), CAROL).unwrap();
    world.invite((ALICE, 0), CAROL);
    world.sync();
    world.write((CAROL, 0), |group, author, _| group.accept(author, NOW)).unwrap();
    world.sync();
    assert_eq!(world.members((BOB, 0)), [ALICE, BOB, CAROL]);
    assert_ne!(world.stay((BOB, 0), CAROL), before);
    assert_eq!(world.offer((BOB, 0), &removal[0]).unwrap().taken, Taken::Known);
    assert_eq!(world.members((BOB, 0)), [ALICE, BOB, CAROL]);
}

/// P-13.5. The table of section 13.3: who may do what.
#[test]
fn only_the_owner_and_admins_add_and_remove_and_nobody_removes_who_stands_above() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.role(CAROL, Role::Admin);
    world.role(EVE, Role::Reader);
    world.sync();
    let account = world.account(DAVE);
    for (by, refused) in [((DAVE, 0), true), ((EVE, 0), true), ((BOB, 0), false)] {
        let added = world.write(by, |group, author, rng| group.add(author, account, NOW, rng));
        assert_eq!(added.err(), refused.then_some(WriteError::NotPermitted), "{by:?}");
    }
    assert_eq!(world.remove((BOB, 0), ALICE).err(), Some(WriteError::NotPermitted));
    assert_eq!(world.remove((BOB, 0), CAROL).err(), Some(WriteError::NotPermitted));
    assert_eq!(world.remove((BOB, 0), BOB).err(), Some(WriteError::NotPermitted));
    assert_eq!(world.remove((DAVE, 0), EVE).err(), Some(WriteError::NotPermitted));
    assert!(world.remove((BOB, 0), EVE).is_ok());
    // What a library refuses to write, another one writes: every receiver refuses it.
    let stays = [ALICE, BOB, CAROL, DAVE].map(|who| world.stay((ALICE, 0), who));
    let newest = world.newest((ALICE, 0));
    let unknown = Stay { account, id: StayId::from_bytes([5; 16]) };
    let kept = |stay: &Stay| [encoded(stay), vec![0, 0]].concat();
    for (by, kind, body) in [
        (DAVE, ADD, encoded(&unknown)),
        (DAVE, REMOVE, kept(&stays[1])),
        (BOB, REMOVE, kept(&stays[0])),
        (BOB, REMOVE, kept(&stays[2])),
        (BOB, REMOVE, kept(&stays[1])),
        (ALICE, REMOVE, kept(&stays[0])),
        (ALICE, LEAVE, vec![0, 0]),
    ] {
        let act = world.forge((by, 0), newest, stays[by], kind, &body);
        assert_eq!(world.offer((CAROL, 0), &act), Err(OfferError::NotPermitted), "{by} {kind}");
    }
}

/// P-13.5. An account leaves with its primary device: a companion that was stolen cannot make it leave.
#[test]
fn a_companion_does_not_leave_for_its_account() {
    let mut world = World::of_members(2);
    world.catch_up((BOB, 1));
    let left = world.write((BOB, 1), |group, author, _| group.leave(author, &[], NOW));
    assert_eq!(left.err(), Some(WriteError::NotThePrimary));
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let forged = world.forge((BOB, 1), newest, stay, LEAVE, &[0, 0]);
    assert_eq!(world.offer((ALICE, 0), &forged), Err(OfferError::NotPermitted));
    world.write((BOB, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    let events = world.catch_up((ALICE, 0));
    assert_eq!((events, world.members((ALICE, 0))), (vec![GroupEvent::Left { stay }], vec![ALICE]));
}

/// P-13.9 and P-13.11. Who leaves says what of his acts stands; a second leave keeps nothing.
#[test]
fn a_leaver_takes_back_what_he_does_not_keep_and_only_his_own() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    world.remove((BOB, 0), CAROL).unwrap();
    let twice = world.copy((BOB, 0));
    world.write((BOB, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    world.sync();
    assert_eq!(world.members((ALICE, 0)), [ALICE, DAVE], "his removal stands: he has kept it");
    // He leaves again, from a copy of his record, at another moment.
    world.groups.insert((BOB, 0), twice);
    let later = NOW.plus_seconds(60);
    world.write((BOB, 0), |group, author, _| group.leave(author, &[], later)).unwrap();
    world.catch_up((ALICE, 0));
    assert_eq!(world.members((ALICE, 0)), [ALICE, CAROL, DAVE], "two leaves keep nothing");
    assert_eq!(world.receivers((ALICE, 0)), [ALICE, DAVE], "keys are more careful");
}

/// P-13.5. Who is no admin keeps nothing when he leaves: lists of acts take room.
#[test]
fn only_an_admin_keeps_acts_when_leaving() {
    let mut world = World::of_members(3);
    world.role(CAROL, Role::Admin);
    world.sync();
    let keeps = [&[0, 1][..], &[7; 16]].concat();
    for (who, expected) in [(BOB, Err(OfferError::NotPermitted)), (CAROL, Ok(Taken::Taken))] {
        let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), who));
        let leave = world.forge((who, 0), newest, stay, LEAVE, &keeps);
        assert_eq!(world.offer((ALICE, 0), &leave).map(|offered| offered.taken), expected);
    }
    // Bob was an admin once: what the log keeps of that stands without him.
    world.role(BOB, Role::Admin);
    world.sync();
    let opened =
        world.write((BOB, 0), |group, author, rng| Ok(group.open_link(author, LinkPolicy::Member, NOW, rng)?.1));
    let id = act_hash(opened.unwrap()[0].as_bytes()).id();
    world.catch_up((ALICE, 0));
    world.role(BOB, Role::Member);
    world.sync();
    world.write((BOB, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    world.sync();
    assert_eq!((world.members((ALICE, 0)), world.state((ALICE, 0)).links().count()), (vec![ALICE], 1));
    assert_eq!(world.state((ALICE, 0)).links().next(), Some((id, LinkPolicy::Member)));
}

/// P-13.9. Of an admin who was removed only what his remover keeps counts, whenever it was made.
#[test]
fn acts_of_a_removed_admin_that_his_remover_did_not_know_count_nowhere() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let mut thief = world.copy((BOB, 0));
    world.remove((ALICE, 0), BOB).unwrap();
    world.sync();
    std::mem::swap(world.groups.get_mut(&(BOB, 0)).unwrap(), &mut thief);
    let removal = world.remove((BOB, 0), CAROL).unwrap();
    let before = world.state((DAVE, 0)).clone();
    let outcome = world.offer((DAVE, 0), &removal[0]);
    assert!(matches!(outcome, Err(OfferError::DoesNotCount(_) | OfferError::NotPermitted)), "{outcome:?}");
    assert_eq!(*world.state((DAVE, 0)), before);
    // Who had it before the removal of its author has cut Carol off, until the owner lifts it.
    let mut late = world.fresh((DAVE, 1));
    let (others, last): (Vec<_>, Vec<_>) =
        world.said.iter().partition(|said| !matches!(said, s if s.as_bytes() == removal[0].as_bytes()));
    let entries = 1 + 1;
    drop(last);
    for statement in &others[..others.len() - entries] {
        let _ = late.offer(statement, &world.signers).unwrap();
    }
    let _ = late.offer(&removal[0], &world.signers).unwrap();
    for statement in &others {
        let _ = late.offer(statement, &world.signers);
    }
    let account = world.account(CAROL);
    assert_eq!(late.state().acts_digest(), before.acts_digest());
    assert!(late.state().is_member(&account) && !late.receivers().any(|receiver| *receiver == account));
}

/// P-13.5. Nobody accepts for somebody else, and a stay belongs to its account.
#[test]
fn nobody_accepts_or_leaves_for_another_account() {
    let mut world = World::of_members(2);
    let mut bigger = World::new(4);
    std::mem::swap(&mut world, &mut bigger);
    world.invite((ALICE, 0), BOB);
    world.catch_up((CAROL, 0));
    let (stay, _) = world.state((ALICE, 0)).stays().find(|(stay, _)| stay.account == world.account(BOB)).unwrap();
    let (stay, newest) = (*stay, world.newest((ALICE, 0)));
    let forged = world.forge((CAROL, 0), newest, stay, ACCEPT, &[]);
    assert_eq!(world.offer((ALICE, 0), &forged), Err(OfferError::BadSignature));
    let own = Stay { account: world.account(CAROL), id: stay.id };
    for (kind, body) in [(ACCEPT, vec![]), (LEAVE, vec![0, 0])] {
        let act = world.forge((CAROL, 0), newest, own, kind, &body);
        assert_eq!(world.offer((ALICE, 0), &act).unwrap().taken, Taken::Aside, "it may be added later");
    }
    assert_eq!(world.members((ALICE, 0)), [ALICE]);
    assert!(world.state((ALICE, 0)).stays().any(|(other, _)| *other == stay));
}

/// P-13.9: why an act is void is told.
#[test]
fn an_act_that_does_not_count_any_more_is_an_event() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    world.invite((BOB, 0), EVE.min(3));
    let act = world.said.last().unwrap().clone();
    world.sync();
    let account = world.account(BOB);
    let id = act_hash(act.as_bytes()).id();
    let by = world.stay((ALICE, 0), BOB);
    let lowered =
        world.write((ALICE, 0), |group, author, _| group.set_role(author, &account, Role::Member, &[id], NOW)).unwrap();
    let events = world.offer((CAROL, 0), &lowered[0]).unwrap().events;
    assert!(events.contains(&GroupEvent::Void { act: id, by, why: VoidReason::NoLongerPermitted }), "{events:?}");
}
