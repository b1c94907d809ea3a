//! Published attacks on the membership of other messengers' groups, each by its name.

use bisik::device::{Custody, DeviceListError, DeviceTerms, Primary};
use bisik::group::membership::{Membership, OfferError, Role, Signers, Statement, Stay, StayId, Taken};

use super::world::{ACCEPT, ADD, ALICE, BOB, CAROL, DAVE, EVE, NOW, REMOVE, World, device, encoded, offer_all};

/// "More is Less" (2018), WhatsApp: the server adds a member. P-13.5.
#[test]
fn a_relay_adds_nobody() {
    let mut world = World::of_members(3);
    let newest = world.newest((ALICE, 0));
    let [alice, bob] = [ALICE, BOB].map(|who| world.stay((ALICE, 0), who));
    let spy = Stay { account: bisik::device::AccountKey::of(&device(77)), id: StayId::from_bytes([1; 16]) };
    let before = world.state((CAROL, 0)).clone();
    // A relay has no member's key: it signs as Alice with its own.
    let mut as_alice = world.forge((ALICE, 0), newest, alice, ADD, &encoded(&spy)).as_bytes().to_vec();
    let signature = as_alice.len() - 64;
    as_alice[signature] ^= 1;
    assert_eq!(world.offer((CAROL, 0), &Statement::Act(as_alice)), Err(OfferError::BadSignature));
    // It changes whom an act of Alice's adds.
    let account = world.account(BOB);
    world.write((ALICE, 0), |group, author, rng| group.add(author, account, NOW, rng)).unwrap();
    let mut changed = world.said.last().unwrap().as_bytes().to_vec();
    changed[206..270].copy_from_slice(&spy.account.to_bytes());
    assert_eq!(world.offer((CAROL, 0), &Statement::Act(changed)), Err(OfferError::BadSignature));
    // A member's own act does not help it.
    let by_bob = world.forge((BOB, 0), newest, bob, ADD, &encoded(&spy));
    assert_eq!(world.offer((CAROL, 0), &by_bob), Err(OfferError::NotPermitted));
    assert_eq!(*world.state((CAROL, 0)), before);
}

/// "More is Less" (2018), Signal's former groups: whoever knows the group's id adds himself, and a former member adds
/// anybody. P-13.7.
#[test]
fn a_former_member_and_a_stranger_add_nobody_although_they_know_everything_about_the_group() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.sync();
    let mut former = world.copy((BOB, 0));
    let stay = world.stay((ALICE, 0), BOB);
    world.remove((ALICE, 0), BOB).unwrap();
    world.remove((ALICE, 0), EVE).unwrap();
    world.sync();
    let before = world.state((CAROL, 0)).clone();
    std::mem::swap(world.groups.get_mut(&(BOB, 0)).unwrap(), &mut former);
    let said = world.said.len();
    world.invite((BOB, 0), EVE);
    world.remove((BOB, 0), CAROL).unwrap();
    let newest = world.newest((ALICE, 0));
    let own = encoded(&Stay { account: world.account(BOB), id: StayId::from_bytes([4; 16]) });
    let mut acts = world.said[said..].to_vec();
    acts.push(world.forge((BOB, 0), newest, stay, ADD, &own));
    acts.push(world.forge((BOB, 0), newest, stay, ACCEPT, &[]));
    acts.push(world.forge((BOB, 1), newest, stay, ACCEPT, &[]));
    for act in acts {
        let _ = world.offer((CAROL, 0), &act);
        let _ = world.offer((DAVE, 0), &act);
    }
    assert_eq!(world.members((CAROL, 0)), [ALICE, CAROL, DAVE]);
    assert_eq!(world.receivers((DAVE, 0)), [ALICE, CAROL, DAVE]);
    // The acceptances count, of a stay that has ended.
    assert_eq!(world.state((CAROL, 0)).stays().count(), before.stays().count());
}

/// "More is Less" (2018): a message of one group is replayed in another. P-13.1 and P-13.5.
#[test]
fn entries_and_acts_of_one_group_are_refused_in_another() {
    let mut world = World::of_members(3);
    let mut other = World::of_members(2);
    let phone = device(super::world::number((ALICE, 0)));
    let author = bisik::group::membership::Author::of(&phone, &world.people[ALICE].directory).unwrap();
    let (group, written) = Membership::found(&author, &[], None, NOW, &mut other.rng).unwrap();
    assert_ne!(group.id(), world.id);
    other.groups = [((ALICE, 0), group)].into();
    other.said = written.statements;
    other.id = other.group((ALICE, 0)).id();
    other.invite((ALICE, 0), BOB);
    other.write((ALICE, 0), |g, a, _| g.end(a, NOW)).unwrap();
    for statement in other.said.clone() {
        assert_eq!(world.offer((BOB, 0), &statement), Err(OfferError::OtherGroup));
    }
    let first = other.said[0].as_bytes();
    let followed = Membership::follow(world.id, first, &world.account(BOB), device(2).public());
    assert_eq!(followed.err(), Some(OfferError::OtherGroup), "the id certifies the log");
}

/// Matrix (2022): keys go to devices that the server names. A list that the account did not sign names nobody. P-13.5.
#[test]
fn a_server_that_invents_a_device_list_gets_no_act_accepted() {
    let mut world = World::of_members(2);
    world.role(BOB, Role::Admin);
    world.sync();
    let own = DeviceTerms::own_held(Custody::Person).unwrap();
    let server = device(77);
    let mut invented = Primary::new(&server, own, NOW).list().to_bytes();
    invented[1..65].copy_from_slice(&world.account(BOB).to_bytes());
    invented[129..193].copy_from_slice(&world.account(BOB).to_bytes());
    let list = bisik::device::DeviceList::from_bytes(&invented).unwrap();
    assert_eq!(Signers::new().add(&list), Err(DeviceListError::BadSignature));
    // An act that names an index which the account's list does not have.
    let newest = world.newest((ALICE, 0));
    let stay = world.stay((ALICE, 0), BOB);
    let mut bytes = world.forge((BOB, 1), newest, stay, 9, &[]).as_bytes().to_vec();
    bytes.truncate(206);
    bytes[153..157].copy_from_slice(&7_u32.to_be_bytes());
    let forged = Statement::Act(super::world::signed((BOB, 1), "bisik-1 group act\0", &bytes));
    assert_eq!(world.offer((ALICE, 0), &forged), Err(OfferError::UnknownDevice));
}

/// Multi-device WhatsApp (2025): revoking a device reaches others only when the server wishes. The log bars it for whoever
/// has the entry, and the entry is in the way of everything that comes later. P-13.3.
#[test]
fn a_relay_that_withholds_an_entry_stops_the_log_and_is_seen() {
    let mut world = World::of_members(3);
    let (account, laptop) = (world.account(BOB), *device(super::world::number((BOB, 1))).public());
    let barred = world.write((ALICE, 0), |g, a, _| g.bar(a, account, laptop, &[], NOW)).unwrap();
    world.write((ALICE, 0), |g, a, _| g.set(a, bisik::group::membership::Setting::NAME, b"x", NOW)).unwrap();
    world.invite((ALICE, 0), DAVE.min(2));
    let later: Vec<_> = world.said[world.said.len() - 2..].to_vec();
    for statement in &later {
        assert_eq!(world.offer((CAROL, 0), statement).unwrap().taken, Taken::Aside);
    }
    assert!(!world.group((CAROL, 0)).wanted(0).is_empty(), "it asks whoever writes");
    let _ = world.offer((CAROL, 0), &barred[0]).unwrap();
    assert!(world.state((CAROL, 0)).is_barred(&account, &laptop));
    assert_eq!(world.group((CAROL, 0)).aside(), (0, 0));
}

/// Marmot (MLS over relays without order): two admins act at once, and the group splits. Every order leads to one state.
/// P-13.8 to P-13.11.
#[test]
fn two_admins_at_once_lead_to_one_state_in_every_order() {
    let mut world = World::of_members(5);
    world.role(BOB, Role::Admin);
    world.role(CAROL, Role::Admin);
    world.sync();
    world.remove((ALICE, 0), EVE).unwrap();
    world.sync();
    let before = world.said.len();
    let base = world.said.clone();
    // At once: both admins, a member who leaves, the owner who lowers one admin, and removes the other from her laptop.
    world.catch_up((ALICE, 1));
    world.remove((BOB, 0), DAVE).unwrap();
    world.invite((BOB, 0), EVE);
    world.invite((CAROL, 0), EVE);
    world.write((DAVE, 0), |g, a, _| g.leave(a, &[], NOW)).unwrap();
    world.role(BOB, Role::Member);
    world.remove((ALICE, 1), CAROL).unwrap();
    let at_once = world.said[before..].to_vec();
    assert_eq!(at_once.len(), 6);
    let mut states = std::collections::BTreeSet::new();
    for order in permutations(at_once.len()) {
        let mut group = world.fresh((EVE, 1));
        for statement in &base {
            let _ = group.offer(statement, &world.signers);
        }
        let shuffled: Vec<_> = order.iter().map(|at| at_once[*at].clone()).collect();
        offer_all(&mut group, &shuffled, &world.signers);
        let members: Vec<_> = group.state().members().map(bisik::device::AccountKey::to_bytes).collect();
        let receivers: Vec<_> = group.receivers().map(bisik::device::AccountKey::to_bytes).collect();
        assert!(receivers.iter().all(|receiver| members.contains(receiver)));
        states.insert((members, *group.state().acts_digest()));
    }
    assert_eq!(states.len(), 1);
    let (members, _) = states.first().unwrap();
    let expected = [ALICE, BOB].map(|who| world.account(who).to_bytes());
    assert!(members.len() == 2 && expected.iter().all(|account| members.contains(account)));
}

/// prysm #120, WhatsApp clients: keys go to a removed member. Nobody who is removed is a receiver, from the moment of the
/// removal, at whoever knows it, whatever else becomes of it. P-13.13.
#[test]
fn nobody_whose_removal_is_known_is_a_receiver() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    for at in [(BOB, 0), (ALICE, 0)] {
        let target = if at.0 == BOB { CAROL } else { DAVE };
        world.remove(at, target).unwrap();
        world.sync();
        for who in [ALICE, BOB] {
            assert!(!world.receivers((who, 0)).contains(&target));
        }
    }
    // The removal loses its right: who knew it goes on sending nothing to Carol.
    let (account, dropped) = (world.account(BOB), world.group((ALICE, 0)).acts().map(|act| act.id).collect::<Vec<_>>());
    world.write((ALICE, 0), |g, a, _| g.set_role(a, &account, Role::Reader, &dropped, NOW)).unwrap();
    world.sync();
    assert!(world.members((BOB, 0)).contains(&CAROL) && !world.receivers((BOB, 0)).contains(&CAROL));
    let newest = world.newest((ALICE, 0));
    let (own, target) = (world.stay((ALICE, 0), BOB), world.stay((ALICE, 0), ALICE));
    let forged = world.forge((BOB, 0), newest, own, REMOVE, &[encoded(&target), vec![0, 0]].concat());
    assert_eq!(world.offer((ALICE, 0), &forged), Err(OfferError::NotPermitted));
}

/// Every order of so many items.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(count - 1);
    let extend = |order: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    shorter.into_iter().flat_map(extend).collect()
}
