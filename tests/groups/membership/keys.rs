//! Who gets keys: receivers and endpoints.

use bisik::group::membership::{AdmittedEndpoint, GroupEvent, Role, Setting, Statement, WriteError};
use bisik::{DisclosureHash, Timestamp};

use super::world::{ALICE, BOB, CAROL, DAVE, NOW, RETIRE, World, act_hash, device, offer_all};

/// The secrets of a hosted device of Bob's account.
const ENDPOINT: u8 = 90;

fn admission(world: &World) -> AdmittedEndpoint {
    AdmittedEndpoint {
        endpoint: *device(ENDPOINT).public(),
        account: world.account(BOB),
        disclosure: DisclosureHash::from_bytes([3; 32]).unwrap(),
        until: Timestamp::from_unix_seconds(1_900_000_000),
    }
}

/// P-13.5 and P-13.13. A hosted device is admitted by the log, for every member to see, and any admin, or a device of its
/// account, ends that at once and for good.
#[test]
fn an_endpoint_is_admitted_by_the_log_and_retired_by_an_act() {
    let mut world = World::of_members(4);
    world.role(CAROL, Role::Admin);
    world.sync();
    let endpoint = *device(ENDPOINT).public();
    let admitted = admission(&world);
    world.write((ALICE, 0), |g, a, _| g.admit(a, admitted, NOW)).unwrap();
    assert!(world.catch_up((DAVE, 0)).contains(&GroupEvent::EndpointAdmitted(endpoint)));
    world.sync();
    assert_eq!(world.group((DAVE, 0)).endpoints(NOW).collect::<Vec<_>>(), [&admitted]);
    assert_eq!(world.group((DAVE, 0)).endpoints(admitted.until).count(), 0, "an admission runs out");
    assert_eq!(
        world.write((DAVE, 0), |g, a, _| g.retire(a, &endpoint, NOW)).err(),
        Some(WriteError::NotPermitted),
        "a member does not retire another account's"
    );
    world.catch_up((BOB, 1));
    let retired = world.write((BOB, 1), |g, a, _| g.retire(a, &endpoint, NOW)).unwrap();
    assert_eq!(world.offer((DAVE, 0), &retired[0]).unwrap().events, [GroupEvent::EndpointEnded(endpoint)]);
    assert_eq!(world.group((DAVE, 0)).endpoints(NOW).count(), 0);
    world.sync();
    assert_eq!(world.write((ALICE, 0), |g, a, _| g.admit(a, admitted, NOW)).err(), Some(WriteError::NotPermitted));
    // Another one goes with the membership of its account.
    let other = AdmittedEndpoint { endpoint: *device(91).public(), account: world.account(DAVE), ..admitted };
    world.write((ALICE, 0), |g, a, _| g.admit(a, other, NOW)).unwrap();
    assert_eq!(world.group((ALICE, 0)).endpoints(NOW).count(), 1);
    world.remove((ALICE, 0), DAVE).unwrap();
    assert_eq!(world.group((ALICE, 0)).endpoints(NOW).count(), 0);
}

/// P-13.7 and P-13.13. Nobody makes a device forget what somebody else has said: an admin who retires an endpoint too, under
/// a lesser id, and leaves without keeping it, does not give the endpoint keys again.
#[test]
fn an_act_that_another_repeats_is_neither_forgotten_nor_refused() {
    let mut world = World::of_members(4);
    world.role(CAROL, Role::Admin);
    let endpoint = *device(ENDPOINT).public();
    let admitted = admission(&world);
    world.write((ALICE, 0), |g, a, _| g.admit(a, admitted, NOW)).unwrap();
    world.sync();
    let retired = world.write((BOB, 0), |g, a, _| g.retire(a, &endpoint, NOW)).unwrap();
    world.sync();
    let (newest, stay) = (world.newest((CAROL, 0)), world.stay((CAROL, 0), CAROL));
    let body = [endpoint.to_bytes(), world.account(BOB).to_bytes()].concat();
    let first = world.forge((CAROL, 0), newest, stay, RETIRE, &body);
    let mut ground = (1..).map(|turn| world.again((CAROL, 0), &first, turn));
    let lesser = ground.find(|act| act_hash(act.as_bytes()) < act_hash(retired[0].as_bytes())).unwrap();
    world.said.push(lesser.clone());
    world.sync();
    let (mine, hers) = (act_hash(retired[0].as_bytes()), act_hash(lesser.as_bytes()));
    // Whoever gets hers first, or both at once, holds both too.
    let mut newcomers = [world.fresh((DAVE, 1)), world.fresh((DAVE, 1))];
    let acts: Vec<_> = world.group((ALICE, 0)).act_bytes().map(|(_, act)| act.to_vec()).collect();
    for entry in world.group((ALICE, 0)).entries_from(2).map(<[u8]>::to_vec).collect::<Vec<_>>() {
        newcomers.iter_mut().for_each(|newcomer| drop(newcomer.offer_entry(&entry, &world.signers).unwrap()));
    }
    let _ = newcomers[0].offer_acts(&acts.iter().map(Vec::as_slice).collect::<Vec<_>>(), &world.signers);
    offer_all(&mut newcomers[1], &acts.into_iter().map(Statement::Act).collect::<Vec<_>>(), &world.signers);
    let counts = |world: &World, id| world.group((ALICE, 0)).acts().find(|act| act.id == id).map(|act| act.counts);
    assert_eq!([mine, hers].map(|hash| counts(&world, hash.id())), [Some(false), Some(true)]);
    let left = world.write((CAROL, 0), |g, a, _| g.leave(a, &[hers.id()], NOW)).unwrap();
    world.sync();
    for newcomer in &mut newcomers {
        let _ = newcomer.offer(&left[0], &world.signers).unwrap();
        assert_eq!((newcomer.state(), newcomer.endpoints(NOW).count()), (world.state((ALICE, 0)), 0));
    }
    assert_eq!([mine, hers].map(|hash| counts(&world, hash.id())), [Some(true), Some(false)]);
    // A newcomer is told by a device that knew both.
    let mut newcomer = world.fresh((DAVE, 1));
    let from_alice: Vec<_> = world.group((ALICE, 0)).act_bytes().map(|(_, act)| Statement::Act(act.to_vec())).collect();
    let entries: Vec<_> =
        world.group((ALICE, 0)).entries_from(2).map(|entry| Statement::Entry(entry.to_vec())).collect();
    offer_all(&mut newcomer, &[entries, from_alice].concat(), &world.signers);
    assert_eq!(newcomer.state(), world.state((ALICE, 0)));
    for group in [&newcomer, world.group((ALICE, 0)), world.group((DAVE, 0))] {
        assert_eq!(group.endpoints(NOW).count(), 0);
    }
}

/// P-13.4. While the group is read-only, nobody is given keys, although its members are still shown.
#[test]
fn nobody_is_given_keys_once_the_owner_has_written_two_logs() {
    let mut world = World::of_members(3);
    let admitted = admission(&world);
    world.write((ALICE, 0), |g, a, _| g.admit(a, admitted, NOW)).unwrap();
    world.sync();
    let twin = world.copy((ALICE, 0));
    let one = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Bali", NOW)).unwrap();
    world.groups.insert((ALICE, 0), twin);
    let other = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"Flores", NOW)).unwrap();
    world.offer((CAROL, 0), &one[0]).map(drop).unwrap();
    let bob = (world.account(BOB), *device(super::world::number((BOB, 0))).public());
    assert_eq!(
        (world.receivers((CAROL, 0)), world.group((CAROL, 0)).endpoints(NOW).count()),
        (vec![ALICE, BOB, CAROL], 1)
    );
    assert!(world.group((CAROL, 0)).may_receive(&bob.0, &bob.1));
    world.offer((CAROL, 0), &other[0]).map(drop).unwrap();
    let copy = world.copy((CAROL, 0));
    for group in [world.group((CAROL, 0)), &copy] {
        assert_eq!((group.receivers().count(), group.endpoints(NOW).count()), (0, 0));
        assert!(!group.may_receive(&bob.0, &bob.1));
    }
    assert_eq!(world.members((CAROL, 0)), [ALICE, BOB, CAROL]);
}

/// P-13.15. Nor while the newest floor is missing: who was removed below it is not known to be out.
#[test]
fn nobody_is_given_keys_while_the_floor_is_missing() {
    let mut world = World::of_members(4);
    let admitted = admission(&world);
    world.write((ALICE, 0), |g, a, _| g.admit(a, admitted, NOW)).unwrap();
    world.sync();
    // Carol's device does not get the removal before the acts below the floor are forgotten.
    world.remove((ALICE, 0), DAVE).unwrap();
    let settled = world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    world.offer((CAROL, 0), &settled[0]).map(drop).unwrap();
    let copy = world.copy((CAROL, 0));
    for group in [world.group((CAROL, 0)), &copy] {
        assert_eq!((group.receivers().count(), group.endpoints(NOW).count()), (0, 0));
        assert!(!group.may_receive(&world.account(BOB), device(super::world::number((BOB, 0))).public()));
    }
    world.offer((CAROL, 0), &settled[1]).map(drop).unwrap();
    assert_eq!(
        (world.receivers((CAROL, 0)), world.group((CAROL, 0)).endpoints(NOW).count()),
        (vec![ALICE, BOB, CAROL], 1)
    );
}
