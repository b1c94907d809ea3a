//! Floors: what counted is written down, and the acts below are forgotten.

use bisik::group::membership::{GroupEvent, LinkPolicy, OfferError, Role, Statement, Taken, Wanted, WriteError};

use super::world::{ACCEPT, ALICE, BOB, CAROL, DAVE, NOW, REMOVE, World, act_hash, device, encoded, number};

fn settle(world: &mut World) -> (Statement, Statement) {
    let written = world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    let [entry, floor] = &written[..] else { panic!("an entry and its floor") };
    (entry.clone(), floor.clone())
}

/// P-13.15. The members stay, the acts go, and until the floor is there nothing new is taken.
#[test]
fn a_settled_group_has_the_same_members_and_none_of_the_acts() {
    let mut world = World::of_members(4);
    world.remove((ALICE, 0), DAVE).unwrap();
    world.sync();
    let (entry, floor) = settle(&mut world);
    world.invite((ALICE, 0), DAVE);
    let invited = world.said.last().unwrap().clone();
    let before = world.members((BOB, 0));
    let _ = world.offer((BOB, 0), &entry).unwrap();
    assert_eq!(world.offer((BOB, 0), &invited).unwrap().taken, Taken::Aside);
    let Statement::Floor(bytes) = &floor else { panic!() };
    let wanted = super::world::hash("bisik-1 group floor\0", bytes);
    assert_eq!(world.group((BOB, 0)).wanted(0), [Wanted::Floor(wanted)]);
    let added = world.write((BOB, 0), |group, author, _| group.rekey(author, NOW));
    assert_eq!(added.err(), Some(WriteError::FloorMissing));
    let events = world.offer((BOB, 0), &floor).unwrap().events;
    assert!(events.contains(&GroupEvent::Settled { epoch: 2 }), "{events:?}");
    assert_eq!((world.members((BOB, 0)), world.group((BOB, 0)).acts().count()), (before, 1));
    assert_eq!(world.offer((BOB, 0), &floor).unwrap().taken, Taken::Known);
    // A newcomer needs the log, the floor, and what came since.
    let mut fresh = world.fresh((CAROL, 1));
    for statement in [&entry, &floor, &invited] {
        let _ = fresh.offer(statement, &world.signers).unwrap();
    }
    assert_eq!(fresh.state(), world.state((BOB, 0)));
    assert_eq!(world.offer((BOB, 0), &world.said[1].clone()), Err(OfferError::Settled));
    let another = Statement::Floor([bytes.as_slice(), &[0]].concat());
    assert_eq!(world.offer((CAROL, 0), &another), Err(OfferError::UnknownFloor));
}

/// P-13.15. An admin who was removed before the settling is in the rights and not in the floor: he is out for good.
#[test]
fn a_floor_does_not_bring_back_an_admin_who_was_removed() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let stay = world.stay((ALICE, 0), BOB);
    // From her laptop, Alice removes him by an act alone: the log still says that he is an admin.
    world.catch_up((ALICE, 1));
    world.remove((ALICE, 1), BOB).unwrap();
    world.sync();
    settle(&mut world);
    world.sync();
    let newest = world.newest((CAROL, 0));
    let accept = world.forge((BOB, 0), newest, stay, ACCEPT, &[]);
    let _ = world.offer((CAROL, 0), &accept);
    assert_eq!((world.members((CAROL, 0)), world.receivers((CAROL, 0))), (vec![0, 2, 3], vec![0, 2, 3]));
    let target = [encoded(&world.stay((CAROL, 0), DAVE)), vec![0, 0]].concat();
    let removal = world.forge((BOB, 0), newest, stay, REMOVE, &target);
    assert!(matches!(world.offer((CAROL, 0), &removal), Err(OfferError::DoesNotCount(_))));
}

/// P-13.15. What a device had said and the owner did not know, it says again; a suspension outlives the floor.
#[test]
fn what_a_floor_lacks_is_said_again_by_the_device_that_said_it() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.sync();
    let removal = world.remove((BOB, 0), CAROL).unwrap();
    let _ = world.offer((DAVE, 0), &removal[0]).unwrap();
    world.write((4, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    settle(&mut world);
    let events = world.catch_up((BOB, 0));
    assert!(events.contains(&GroupEvent::MustMakeAgain), "{events:?}");
    world.catch_up((DAVE, 0));
    assert_eq!(world.members((DAVE, 0)), [0, 1, 2, 3, 4]);
    assert!(!world.receivers((DAVE, 0)).contains(&CAROL), "Dave has seen the removal");
    world.write((BOB, 0), |group, author, _| group.make_again(author, NOW)).unwrap();
    world.catch_up((4, 0));
    world.write((4, 0), |group, author, _| group.make_again(author, NOW)).unwrap();
    assert!(world.write((4, 0), |group, author, _| group.make_again(author, NOW)).unwrap().is_empty());
    world.sync();
    assert_eq!((world.members((ALICE, 0)), world.members((DAVE, 0))), (vec![0, 1, 3], vec![0, 1, 3]));
}

/// P-13.15. The owner lifts what suspends somebody after the floor too.
#[test]
fn a_suspension_from_below_a_floor_is_lifted_by_its_id() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let removal = world.remove((BOB, 0), CAROL).unwrap();
    let _ = world.offer((DAVE, 0), &removal[0]).unwrap();
    world.role(BOB, Role::Member);
    settle(&mut world);
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [0, 1, 3]);
    let mut again = world.copy((DAVE, 0));
    std::mem::swap(&mut again, world.groups.get_mut(&(DAVE, 0)).unwrap());
    assert_eq!(world.receivers((DAVE, 0)), [0, 1, 3], "the record has it");
    let id = act_hash(removal[0].as_bytes()).id();
    world.write((ALICE, 0), |group, author, _| group.lift(author, &[id], NOW)).unwrap();
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [0, 1, 2, 3]);
}

/// P-13.15. Of many acts against one stay two are carried, and not those alone that have the least ids of all.
#[test]
fn two_acts_against_one_stay_are_carried_over_a_floor() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.sync();
    let (newest, bob) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let target = |world: &World, who| [encoded(&world.stay((ALICE, 0), who)), vec![0, 0]].concat();
    let against_carol = world.forge((BOB, 0), newest, bob, REMOVE, &target(&world, CAROL));
    let mut removals: Vec<_> = (0..4_400).map(|turn| world.again((BOB, 0), &against_carol, turn)).collect();
    removals.sort_by_key(|act| act_hash(act.as_bytes()));
    removals.truncate(4_094);
    // One against somebody else, with the greatest id of all.
    let against_eve = world.forge((BOB, 0), newest, bob, REMOVE, &target(&world, 4));
    let mut ground = (0..).map(|turn| world.again((BOB, 0), &against_eve, turn));
    let last = act_hash(removals[4_093].as_bytes());
    removals.push(ground.find(|act| act_hash(act.as_bytes()) > last).unwrap());
    assert!(world.offer_all_at_once((DAVE, 0), &removals).iter().all(|taken| *taken == Ok(Taken::Taken)));
    world.role(BOB, Role::Member);
    settle(&mut world);
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, BOB, DAVE]);
    let two: Vec<_> = removals[..2].iter().map(|act| act_hash(act.as_bytes()).id()).collect();
    world.write((ALICE, 0), |group, author, _| group.lift(author, &two, NOW)).unwrap();
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, BOB, CAROL, DAVE]);
}

/// P-13.13 and P-13.15. Who was handed the group is suspended no longer, and not again by the next floor either.
#[test]
fn a_suspension_that_handing_over_has_ended_does_not_come_back_with_a_floor() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let removal = world.remove((BOB, 0), CAROL).unwrap();
    let _ = world.offer((DAVE, 0), &removal[0]).unwrap();
    world.role(BOB, Role::Member);
    settle(&mut world);
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, BOB, DAVE]);
    for (from, to) in [(ALICE, CAROL), (CAROL, ALICE)] {
        world.catch_up((to, 0));
        let consent = world.group((to, 0)).consent_to_own(&device(number((to, 0))));
        let account = world.account(to);
        world.catch_up((from, 0));
        world.write((from, 0), |group, author, _| group.hand_over(author, &account, consent, &[], NOW)).unwrap();
        world.catch_up((ALICE, 0));
    }
    settle(&mut world);
    world.catch_up((DAVE, 0));
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, BOB, CAROL, DAVE]);
}

/// P-13.15. What a device has said twice, it says once again.
#[test]
fn what_was_said_twice_is_made_again_once() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let target = [encoded(&world.stay((ALICE, 0), CAROL)), vec![0, 0]].concat();
    let removal = world.forge((BOB, 0), world.newest((BOB, 0)), world.stay((BOB, 0), BOB), REMOVE, &target);
    let twice = [world.again((BOB, 0), &removal, 1), world.again((BOB, 0), &removal, 2)];
    assert_eq!(world.offer_all_at_once((BOB, 0), &twice), [Ok(Taken::Taken); 2]);
    settle(&mut world);
    world.catch_up((BOB, 0));
    let again = world.write((BOB, 0), |group, author, _| group.make_again(author, NOW)).unwrap();
    assert_eq!((again.len(), world.members((BOB, 0))), (1, vec![ALICE, BOB, DAVE]));
}

/// P-13.15. More accounts are removed than a floor may name: once every link is closed, the oldest marks go.
#[test]
fn a_group_is_settled_however_many_accounts_were_removed() {
    let mut world = World::of_members(2);
    let owner = world.stay((ALICE, 0), ALICE);
    let other = device(77).public().to_bytes();
    for (round, count) in [(0, 4_090_u32), (1, 20)] {
        let newest = world.newest((ALICE, 0));
        let removals: Vec<_> = (0..count)
            .map(|turn| {
                let mut secret = [round; 32];
                secret[..4].copy_from_slice(&turn.to_be_bytes());
                let account = ed25519_dalek::SigningKey::from_bytes(&secret).verifying_key().to_bytes();
                let body = [&account[..], &other[32..], &[0; 16], &[0, 0]].concat();
                world.forge((ALICE, 1), newest, owner, REMOVE, &body)
            })
            .collect();
        assert!(world.offer_all_at_once((ALICE, 0), &removals).iter().all(|taken| *taken == Ok(Taken::Taken)));
        let mut link = None;
        world
            .write((ALICE, 0), |group, author, rng| {
                let (secret, written) = group.open_link(author, LinkPolicy::Ask, NOW, rng)?;
                link = Some(secret.id());
                Ok(written)
            })
            .unwrap();
        let settled = world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW));
        assert_eq!(settled.err(), if round == 0 { None } else { Some(WriteError::Full) });
        world.write((ALICE, 0), |group, author, _| group.close_link(author, link.unwrap(), &[], NOW)).unwrap();
        settle(&mut world);
    }
    assert_eq!(world.group((ALICE, 0)).floor().unwrap().len(), 1 + 2 + 2 * 81 + 2 + 2 + 2 + 20 * 64);
}

/// P-13.15. An account that was removed before a floor does not come back by a link after it.
#[test]
fn a_floor_remembers_who_was_removed() {
    let mut world = World::of_members(3);
    world.remove((ALICE, 0), BOB).unwrap();
    settle(&mut world);
    settle(&mut world);
    let mut link = None;
    world
        .write((ALICE, 0), |group, author, rng| {
            let (secret, written) = group.open_link(author, LinkPolicy::Member, NOW, rng)?;
            link = Some(secret);
            Ok(written)
        })
        .unwrap();
    world.catch_up((BOB, 0));
    let joined = world.write((BOB, 0), |group, author, rng| group.join(author, &link.unwrap(), NOW, rng));
    assert_eq!(joined.err(), Some(WriteError::NotPermitted));
}
