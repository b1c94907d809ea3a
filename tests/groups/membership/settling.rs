//! Floors: what counted is written down, and the acts below are forgotten.

use bisik::group::membership::{GroupEvent, OfferError, Role, Statement, Taken, Wanted, WriteError};

use super::world::{ACCEPT, ALICE, BOB, CAROL, DAVE, NOW, World, act_hash};

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
    let target = [super::world::encoded(&world.stay((CAROL, 0), DAVE)), vec![0, 0]].concat();
    let removal = world.forge((BOB, 0), newest, stay, super::world::REMOVE, &target);
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
            let (secret, written) = group.open_link(author, bisik::group::membership::LinkPolicy::Member, NOW, rng)?;
            link = Some(secret);
            Ok(written)
        })
        .unwrap();
    world.catch_up((BOB, 0));
    let joined = world.write((BOB, 0), |group, author, rng| group.join(author, &link.unwrap(), NOW, rng));
    assert_eq!(joined.err(), Some(WriteError::NotPermitted));
}
