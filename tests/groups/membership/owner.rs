//! What the owner's log does: roles, settings, admitted endpoints, barring, keeping and lifting, handing over,
//! equivocation.

use bisik::group::membership::{ActKind, GroupEvent, OfferError, Role, Setting, Statement, Taken, Wanted, WriteError};

use super::world::{ALICE, BOB, CAROL, DAVE, NOW, REMOVE, World, act_hash, device, encoded, number};

/// P-13.1 and P-13.3. The log is one chain, by its owner's primary device alone.
#[test]
fn an_entry_waits_for_the_one_before_it_and_is_asked_for() {
    let mut world = World::of_members(2);
    let first = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
    let before = world.group((ALICE, 0)).newest_entry();
    let second = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::DISAPPEARING, &[0, 0, 1, 0], NOW)).unwrap();
    assert_eq!(world.offer((BOB, 0), &second[0]).unwrap().taken, Taken::Aside);
    assert_eq!(world.group((BOB, 0)).wanted(0), [Wanted::Entry(before)]);
    let events = world.offer((BOB, 0), &first[0]).unwrap().events;
    assert_eq!(events, [Setting::NAME, Setting::DISAPPEARING].map(GroupEvent::SettingChanged));
    assert_eq!(world.group((BOB, 0)).setting(Setting::NAME), Some(b"Bali".as_slice()));
    assert_eq!((world.group((BOB, 0)).wanted(0), world.group((BOB, 0)).epoch()), (vec![], 3));
}

/// P-13.1. A companion of the owner's, and an admin, write no log.
#[test]
fn nobody_but_the_owners_primary_device_writes_the_log() {
    let mut world = World::of_members(2);
    world.role(BOB, Role::Admin);
    world.sync();
    world.catch_up((ALICE, 1));
    for at in [(ALICE, 1), (BOB, 0)] {
        let set = world.write(at, |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW));
        assert_eq!(set.err(), Some(WriteError::NotThePrimary), "{at:?}");
    }
    // An entry that Alice signed, with another author's key and signature.
    let entry = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
    let mut text = entry[0].as_bytes().to_vec();
    text.truncate(text.len() - 64);
    let same_author = super::world::signed((BOB, 0), "bisik-1 group entry\0", &text);
    text[73..137].copy_from_slice(&world.account(BOB).to_bytes());
    let other_author = super::world::signed((BOB, 0), "bisik-1 group entry\0", &text);
    for (forged, refused) in [(same_author, OfferError::BadSignature), (other_author, OfferError::NotPermitted)] {
        assert_eq!(world.offer((BOB, 0), &Statement::Entry(forged)), Err(refused));
    }
}

/// P-13.2 and P-13.8. Who is lowered keeps what the owner knew of him, and nothing that turns up later.
#[test]
fn acts_of_a_lowered_admin_that_the_owner_did_not_keep_are_void() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.sync();
    world.remove((BOB, 0), CAROL).unwrap();
    let known = act_hash(world.said.last().unwrap().as_bytes()).id();
    world.catch_up((ALICE, 0));
    let mut before = world.copy((BOB, 0));
    world.role(BOB, Role::Member);
    world.sync();
    assert!(!world.members((DAVE, 0)).contains(&CAROL), "the removal that Alice knew was kept");
    assert!(world.group((DAVE, 0)).acts().any(|act| act.id == known && act.counts));
    std::mem::swap(world.groups.get_mut(&(BOB, 0)).unwrap(), &mut before);
    let late = world.remove((BOB, 0), DAVE).unwrap();
    assert!(matches!(world.offer((ALICE, 0), &late[0]), Err(OfferError::DoesNotCount(_))));
    // Unless the owner keeps it by name: then it is asked for, and taken.
    let id = act_hash(late[0].as_bytes()).id();
    world.write((ALICE, 0), |g, a, _| g.keep(a, &[id], NOW)).unwrap();
    assert_eq!(world.group((ALICE, 0)).wanted(0), [Wanted::Act(id)]);
    assert_eq!(world.offer((ALICE, 0), &late[0]).unwrap().taken, Taken::Taken);
    assert_eq!(world.members((ALICE, 0)), [ALICE, BOB, 4]);
    world.write((ALICE, 0), |g, a, _| g.lift(a, &[id], NOW)).unwrap();
    assert_eq!((world.members((ALICE, 0)), world.receivers((ALICE, 0))), (vec![0, 1, 3, 4], vec![0, 1, 3, 4]));
}

/// P-13.13. A removal that has become void cuts its target off at whoever knows it, until the owner lifts it.
#[test]
fn a_void_removal_suspends_until_the_owner_lifts_it() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let removal = world.remove((BOB, 0), CAROL).unwrap();
    let id = act_hash(removal[0].as_bytes()).id();
    // Dave knows it; Alice does not, and lowers Bob.
    let _ = world.offer((DAVE, 0), &removal[0]).unwrap();
    let lowered = world.role(BOB, Role::Member);
    let events = world.offer((DAVE, 0), &lowered[0]).unwrap().events;
    let (stay, by) = (world.stay((ALICE, 0), CAROL), world.stay((ALICE, 0), BOB));
    let by = Some(bisik::group::membership::Suspension { act: id, by });
    assert!(events.contains(&GroupEvent::Suspended { stay, by }), "{events:?}");
    assert_eq!((world.members((DAVE, 0)), world.receivers((DAVE, 0))), (vec![0, 1, 2, 3], vec![0, 1, 3]));
    assert_eq!(world.receivers((ALICE, 0)), [0, 1, 2, 3]);
    assert_eq!(world.state((ALICE, 0)).acts_digest(), world.state((DAVE, 0)).acts_digest());
    let lifted = world.write((ALICE, 0), |g, a, _| g.lift(a, &[id], NOW)).unwrap();
    let events = world.offer((DAVE, 0), &lifted[0]).unwrap().events;
    assert_eq!((events, world.receivers((DAVE, 0))), (vec![GroupEvent::Restored { stay }], vec![0, 1, 2, 3]));
}

/// P-13.5 and P-13.8. A companion that was stolen and barred does nothing more; what it did before stands, but for what
/// the owner drops.
#[test]
fn a_barred_companion_makes_no_acts_whatever_entry_it_names() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    world.catch_up((BOB, 1));
    let stolen = world.copy((BOB, 1));
    world.invite((BOB, 1), CAROL);
    let kept = act_hash(world.said.last().unwrap().as_bytes()).id();
    world.remove((BOB, 1), DAVE).unwrap();
    let dropped = act_hash(world.said.last().unwrap().as_bytes()).id();
    world.sync();
    let (account, laptop) = (world.account(BOB), *device(number((BOB, 1))).public());
    world.write((ALICE, 0), |g, a, _| g.bar(a, account, laptop, &[dropped], NOW)).unwrap();
    world.sync();
    assert!(world.state((CAROL, 0)).is_barred(&account, &laptop));
    assert_eq!(world.members((CAROL, 0)), [0, 1, 2, 3], "the removal was dropped");
    assert!(world.group((CAROL, 0)).acts().any(|act| act.id == kept && act.counts));
    world.groups.insert((BOB, 1), stolen);
    let late = world.remove((BOB, 1), CAROL).unwrap();
    assert!(matches!(world.offer((CAROL, 0), &late[0]), Err(OfferError::DoesNotCount(_))));
    let (newest, stays) = (world.newest((ALICE, 0)), [BOB, CAROL].map(|who| world.stay((ALICE, 0), who)));
    let forged = world.forge((BOB, 1), newest, stays[0], REMOVE, &[encoded(&stays[1]), vec![0, 0]].concat());
    assert_eq!(world.offer((CAROL, 0), &forged), Err(OfferError::NotPermitted));
    let phone = world.write((ALICE, 0), |g, a, _| g.bar(a, account, *account.identity(), &[], NOW));
    assert_eq!(phone.err(), Some(WriteError::NotPermitted));
}

/// P-13.2. The new owner consents to this one entry; the old one becomes an admin, and his removals of admins stand.
#[test]
fn handing_over_needs_both_and_takes_nothing_back() {
    let mut world = World::of_members(4);
    world.role(CAROL, Role::Admin);
    world.sync();
    world.remove((ALICE, 0), CAROL).unwrap();
    world.sync();
    let consent = world.group((BOB, 0)).consent_to_own(&device(number((BOB, 0))));
    let account = world.account(BOB);
    let by_another = world.group((DAVE, 0)).consent_to_own(&device(number((DAVE, 0))));
    for wrong in [by_another, [0; 64]] {
        let handed = world.write((ALICE, 0), |g, a, _| g.hand_over(a, &account, wrong, &[], NOW));
        assert_eq!(handed.err(), Some(WriteError::NotPermitted));
    }
    let stale = consent;
    world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
    let handed = world.write((ALICE, 0), |g, a, _| g.hand_over(a, &account, stale, &[], NOW));
    assert_eq!(handed.err(), Some(WriteError::NotPermitted), "another entry came between");
    world.sync();
    let consent = world.group((BOB, 0)).consent_to_own(&device(number((BOB, 0))));
    let handed = world.write((ALICE, 0), |g, a, _| g.hand_over(a, &account, consent, &[], NOW)).unwrap();
    let (from, to) = (world.stay((DAVE, 0), ALICE), world.stay((DAVE, 0), BOB));
    let events = world.offer((DAVE, 0), &handed[0]).unwrap().events;
    assert!(events.contains(&GroupEvent::OwnerChanged { from, to }), "{events:?}");
    assert_eq!(world.members((DAVE, 0)), [ALICE, BOB, DAVE], "Carol, an admin, stays removed");
    assert_eq!(world.state((DAVE, 0)).role_of(&world.account(ALICE)), Some(Role::Admin));
    world.sync();
    let set = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Java", NOW));
    assert_eq!(set.err(), Some(WriteError::NotThePrimary));
    world.write((BOB, 0), |g, a, _| g.set(a, Setting::NAME, b"Java", NOW)).unwrap();
    world.sync();
    assert_eq!(world.group((ALICE, 0)).setting(Setting::NAME), Some(b"Java".as_slice()));
    assert!(world.write((ALICE, 0), |g, a, _| g.leave(a, &[], NOW)).is_ok(), "who has handed over may leave");
    assert_eq!(world.write((BOB, 0), |g, a, _| g.leave(a, &[], NOW)).err(), Some(WriteError::NotPermitted));
}

/// P-13.8. Removals and leaves of a stay that name an entry before it was handed the group end it neither then nor when it
/// hands over again.
#[test]
fn handing_over_to_a_member_undoes_what_would_end_it() {
    let mut world = World::of_members(3);
    world.role(CAROL, Role::Admin);
    world.sync();
    let mut stale = world.copy((CAROL, 0));
    for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
        let account = world.account(to);
        let consent = world.group((to, 0)).consent_to_own(&device(number((to, 0))));
        world.write((from, 0), |g, a, _| g.hand_over(a, &account, consent, &[], NOW)).unwrap();
        world.sync();
    }
    std::mem::swap(world.groups.get_mut(&(CAROL, 0)).unwrap(), &mut stale);
    let removal = world.remove((CAROL, 0), BOB).unwrap();
    let id = act_hash(removal[0].as_bytes()).id();
    assert!(matches!(world.offer((ALICE, 0), &removal[0]), Err(OfferError::DoesNotCount(_))));
    assert_eq!(world.receivers((ALICE, 0)), [0, 1, 2]);
    assert!(!world.group((ALICE, 0)).acts().any(|act| act.id == id));
}

/// P-13.8. Even a removal that the log keeps is undone by handing the group over to whom it removes, and stays so when he
/// hands it on.
#[test]
fn handing_over_undoes_a_removal_that_was_kept() {
    let mut world = World::of_members(4);
    world.role(CAROL, Role::Admin);
    world.sync();
    let mut absent = world.copy((ALICE, 0));
    let removal = world.remove((CAROL, 0), BOB).unwrap();
    let id = act_hash(removal[0].as_bytes()).id();
    let _ = world.offer((DAVE, 0), &removal[0]).unwrap();
    // Alice has not seen it when she keeps it by its id.
    std::mem::swap(world.groups.get_mut(&(ALICE, 0)).unwrap(), &mut absent);
    let kept = world.write((ALICE, 0), |g, a, _| g.keep(a, &[id], NOW)).unwrap();
    let _ = world.offer((DAVE, 0), &kept[0]).unwrap();
    let _ = world.offer((BOB, 0), &kept[0]).unwrap();
    assert_eq!(world.members((DAVE, 0)), [ALICE, CAROL, DAVE]);
    for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
        let account = world.account(to);
        let consent = world.group((to, 0)).consent_to_own(&device(number((to, 0))));
        let handed = world.write((from, 0), |g, a, _| g.hand_over(a, &account, consent, &[], NOW)).unwrap();
        for who in [ALICE, BOB, DAVE] {
            let _ = world.offer((who, 0), &handed[0]).unwrap();
        }
    }
    assert_eq!(world.members((DAVE, 0)), [ALICE, BOB, CAROL, DAVE]);
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, BOB, CAROL, DAVE]);
}

/// P-13.4. Two logs of one owner: whoever sees both keeps them and goes no further, whichever came first.
#[test]
fn an_owner_who_writes_two_logs_is_found_out_and_the_group_is_read_only() {
    for swapped in [false, true] {
        let mut world = World::of_members(3);
        let twin = world.copy((ALICE, 0));
        let mut one = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
        world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Java", NOW)).unwrap();
        world.groups.insert((ALICE, 0), twin);
        let mut other = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Flores", NOW)).unwrap();
        let late = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Sumba", NOW)).unwrap();
        if swapped {
            std::mem::swap(&mut one, &mut other);
        }
        let _ = world.offer((BOB, 0), &one[0]).unwrap();
        let before = world.state((BOB, 0)).clone();
        assert_eq!(world.offer((BOB, 0), &other[0]).unwrap().events, [GroupEvent::Equivocation]);
        let evidence = world.group((BOB, 0)).evidence().unwrap();
        assert_eq!(evidence.signer(), Some(world.account(ALICE)));
        assert_eq!((evidence.known(), evidence.rival()), (one[0].as_bytes(), other[0].as_bytes()));
        assert_eq!(*world.state((BOB, 0)), before);
        assert_eq!(world.offer((BOB, 0), &late[0]), Err(OfferError::Equivocated));
        assert_eq!(world.offer((BOB, 0), &other[0]).unwrap().taken, Taken::Known);
        let left = world.write((BOB, 0), |g, a, _| g.leave(a, &[], NOW));
        assert_eq!(left.err(), Some(WriteError::Equivocated));
        // Who follows the other log and is shown this one finds the point where they part.
        world.offer((CAROL, 0), if swapped { &one[0] } else { &other[0] }).map(drop).unwrap();
        world.offer((CAROL, 0), &late[0]).map(drop).unwrap();
        let mut part = world.said.iter().rev().take(4).cloned().collect::<Vec<_>>();
        part.reverse();
        assert_eq!(world.offer((CAROL, 0), &part[1]).unwrap().taken, Taken::Aside, "Java, over Bali");
        assert_eq!(world.group((CAROL, 0)).wanted(0).len(), 1);
        assert_eq!(world.offer((CAROL, 0), &part[0]).unwrap().events, [GroupEvent::Equivocation]);
    }
}

/// P-13.2. After the end, no entry.
#[test]
fn a_group_that_has_ended_takes_no_entry() {
    let mut world = World::of_members(2);
    let before = world.copy((ALICE, 0));
    world.write((ALICE, 0), |g, a, _| g.end(a, NOW)).unwrap();
    assert!(world.catch_up((BOB, 0)).contains(&GroupEvent::Ended));
    assert!(world.state((BOB, 0)).is_ended());
    let set = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"x", NOW));
    assert_eq!(set.err(), Some(WriteError::Ended));
    drop(before);
    world.remove((ALICE, 0), BOB).unwrap();
    assert_eq!(world.members((ALICE, 0)), [ALICE], "removing still stops keys");
}

/// P-13.1. The hash of the rights holds every receiver to the same rights.
#[test]
fn an_entry_with_another_hash_of_the_rights_is_refused() {
    let mut world = World::of_members(2);
    let entry = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
    let mut text = entry[0].as_bytes().to_vec();
    text.truncate(text.len() - 64);
    let at = text.len() - 1;
    text[at] ^= 1;
    let forged = Statement::Entry(super::world::signed((ALICE, 0), "bisik-1 group entry\0", &text));
    assert_eq!(world.offer((BOB, 0), &forged), Err(OfferError::OtherRights));
    let _ = world.offer((BOB, 0), &entry[0]).unwrap();
}

/// P-13.17. The owner's device lowers an admin whom it removes, and one that has left.
#[test]
fn an_admin_who_is_gone_is_lowered_in_the_log() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.role(CAROL, Role::Admin);
    world.sync();
    let stay = world.stay((ALICE, 0), BOB);
    let removed = world.remove((ALICE, 0), BOB).unwrap();
    assert!(matches!(removed[..], [Statement::Entry(_), Statement::Act(_)]));
    let epoch = world.group((ALICE, 0)).epoch();
    assert_eq!(world.group((ALICE, 0)).role_at(&stay, epoch), Role::Member);
    world.write((CAROL, 0), |g, a, _| g.leave(a, &[], NOW)).unwrap();
    world.sync();
    assert_eq!(world.group((ALICE, 0)).departed_admins().count(), 1);
    world.write((ALICE, 0), |g, a, _| g.lower_departed(a, NOW)).unwrap();
    assert_eq!(world.group((ALICE, 0)).departed_admins().count(), 0);
    let acts: Vec<_> = world.group((ALICE, 0)).acts().filter(|act| act.kind == ActKind::Leave).collect();
    assert!(acts.iter().all(|act| act.counts), "his leave stands");
    assert_eq!(world.members((ALICE, 0)), [ALICE, DAVE]);
}
