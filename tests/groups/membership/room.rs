//! Room for acts: who has it when there is not enough, and that nothing changes for who has none.

use bisik::group::membership::{LinkPolicy, LinkSecret, OfferError, Role, Statement, Taken, WriteError};
use ed25519_dalek::{Signer, SigningKey};

use super::world::{ADD, ALICE, BOB, CAROL, JOIN, NOW, OPEN_LINK, World, device, encoded};

/// What a device holds, and what its record would say.
fn held(world: &World, at: (usize, u32)) -> (u64, u64, Vec<bisik::group::membership::ActHash>) {
    let group = world.group(at);
    (group.revision(), group.epoch(), group.act_bytes().map(|(hash, _)| hash).collect())
}

/// P-13.16. The bounds are those of what counts, in whatever portions it arrives: 300 links in one delivery are no more
/// than one after the other.
#[test]
fn a_batch_has_no_more_room_than_its_acts_one_by_one() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.sync();
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let key = *device(9).public().to_bytes().first_chunk::<32>().unwrap();
    let link = world.forge((BOB, 0), newest, stay, OPEN_LINK, &[&key[..], &[1]].concat());
    let links: Vec<_> = (0..300).map(|turn| world.again((BOB, 0), &link, turn)).collect();
    let one_by_one: Vec<_> =
        links.iter().map(|link| world.offer((ALICE, 0), link).map(|offered| offered.taken)).collect();
    assert_eq!(world.offer_all_at_once((CAROL, 0), &links), one_by_one);
    assert_eq!(one_by_one.iter().filter(|taken| **taken == Ok(Taken::Taken)).count(), 64);
    assert!(one_by_one[64..].iter().all(|taken| *taken == Err(OfferError::Full)));
    assert_eq!(world.state((CAROL, 0)), world.state((ALICE, 0)));
    assert_eq!(world.state((ALICE, 0)).links().count(), 64);
}

/// P-13.16. So it is with stays that are added.
#[test]
fn a_batch_adds_no_more_stays_than_there_is_room_for() {
    let mut world = World::of_members(3);
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), ALICE));
    let acts: Vec<_> = (0..2_100_u64)
        .map(|turn| {
            let mut added = stay;
            let id = [&turn.to_be_bytes()[..], &[0; 8]].concat();
            added.id = bisik::group::membership::StayId::from_bytes(id.try_into().unwrap());
            world.forge((ALICE, 1), newest, stay, ADD, &encoded(&added))
        })
        .collect();
    let taken = world.offer_all_at_once((CAROL, 0), &acts);
    assert_eq!(world.state((CAROL, 0)).stays().count(), 2_048);
    assert!(taken[..2_045].iter().all(|taken| *taken == Ok(Taken::Taken)));
    assert!(taken[2_045..].iter().all(|taken| *taken == Err(OfferError::Full)));
}

/// P-13.16. What is void before it arrives takes nobody's room: neither acts of an admin who was lowered since, nor those of
/// one who was removed.
#[test]
fn void_acts_of_a_batch_take_no_room() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.sync();
    let (lowered, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    world.role(BOB, Role::Member);
    world.role(BOB, Role::Admin);
    let newest = world.newest((ALICE, 0));
    let mut acts = world.rekeys((BOB, 0), lowered, stay, 4_096);
    acts.push(world.forge((BOB, 0), newest, stay, 9, &[]));
    let taken = world.offer_all_at_once((ALICE, 0), &acts);
    assert!(taken[..4_096].iter().all(|taken| matches!(taken, Err(OfferError::DoesNotCount(_)))));
    assert_eq!(taken[4_096], Ok(Taken::Taken));

    // Removed from the laptop, by an act alone; one act is kept by an entry.
    world.catch_up((ALICE, 1));
    let account = world.account(BOB);
    world.write((ALICE, 1), |group, author, _| group.remove(author, &account, &[], NOW)).unwrap();
    world.catch_up((CAROL, 0));
    let acts = world.rekeys((BOB, 0), newest, stay, 4_097);
    let kept = super::world::act_hash(acts[4_096].as_bytes()).id();
    world.catch_up((ALICE, 0));
    world.write((ALICE, 0), |group, author, _| group.keep(author, &[kept], NOW)).unwrap();
    world.catch_up((CAROL, 0));
    let taken = world.offer_all_at_once((CAROL, 0), &acts);
    assert!(taken[..4_096].iter().all(|taken| matches!(taken, Err(OfferError::DoesNotCount(_)))));
    assert_eq!(taken[4_096], Ok(Taken::Taken));
}

/// P-13.16. What several acts do is done wholly or not at all: who has room for one act less has written nothing, no entry
/// either.
#[test]
fn who_has_no_room_for_all_acts_writes_none() {
    let mut world = World::of_members(3);
    // Two invitations of one account that cross: two stays.
    world.catch_up((ALICE, 1));
    let account = world.account(BOB);
    world.write((ALICE, 1), |group, author, rng| group.add(author, account, NOW, rng)).unwrap();
    world.sync();
    world.role(BOB, Role::Admin);
    world.sync();
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), ALICE));
    let own = world.group((ALICE, 0)).acts().filter(|act| act.by == stay).count();
    let laptop = 1;
    let free = 4_095 - (own - laptop);
    let acts = world.rekeys((ALICE, 0), newest, stay, free as u64);
    assert!(world.offer_all_at_once((ALICE, 0), &acts).iter().all(|taken| *taken == Ok(Taken::Taken)));
    let (before, state) = (held(&world, (ALICE, 0)), world.state((ALICE, 0)).clone());
    assert_eq!(world.remove((ALICE, 0), BOB).err(), Some(WriteError::Full));
    assert_eq!((held(&world, (ALICE, 0)), world.state((ALICE, 0))), (before, &state));
    // There is room for the one stay of another.
    assert!(world.remove((ALICE, 0), CAROL).is_ok());
}

/// P-13.16. Void acts give up their place for an act that is taken, and for no other.
#[test]
fn an_act_that_finds_no_room_displaces_nothing() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.role(CAROL, Role::Admin);
    world.sync();
    let newest = world.newest((ALICE, 0));
    let [bob, carol] = [BOB, CAROL].map(|who| world.stay((ALICE, 0), who));
    let of_carol = world.rekeys((CAROL, 0), newest, carol, 3);
    world.offer_all_at_once((ALICE, 0), &of_carol);
    let of_bob = world.rekeys((BOB, 0), newest, bob, 4_097);
    world.offer_all_at_once((ALICE, 0), &of_bob[..4_096]);
    let account = world.account(CAROL);
    let all: Vec<_> = of_carol.iter().map(|act| super::world::act_hash(act.as_bytes()).id()).collect();
    world.write((ALICE, 0), |g, a, _| g.set_role(a, &account, Role::Member, &all, NOW)).unwrap();
    let before = held(&world, (ALICE, 0));
    assert_eq!(world.offer((ALICE, 0), &of_bob[4_096]).err(), Some(OfferError::Full));
    assert_eq!(world.offer_all_at_once((ALICE, 0), &of_bob[4_096..]), [Err(OfferError::Full)]);
    assert_eq!(held(&world, (ALICE, 0)), before);
    assert!(of_carol.iter().all(|act| before.2.contains(&super::world::act_hash(act.as_bytes()))));
}

fn open(world: &mut World, policy: LinkPolicy) -> LinkSecret {
    let mut secret = None;
    let opened = world.write((ALICE, 0), |group, author, rng| {
        let (link, written) = group.open_link(author, policy, NOW, rng)?;
        secret = Some(link);
        Ok(written)
    });
    opened.unwrap();
    secret.unwrap()
}

/// An account that somebody has made up joins by a link that it has.
fn made_up(world: &World, link: &LinkSecret, number: u32) -> Statement {
    let mut secret = [0; 32];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    let (pair, (epoch, entry)) = (SigningKey::from_bytes(&secret), world.newest((ALICE, 0)));
    let account = [pair.verifying_key().as_bytes(), &device(77).public().to_bytes()[32..]].concat();
    let stay = [account.as_slice(), &[5; 16]].concat();
    let proof = SigningKey::from_bytes(link.expose_bytes()[48..].try_into().unwrap())
        .sign(&[b"bisik-1 group link\0".as_slice(), world.id.as_bytes(), &stay].concat());
    let text = [
        &[1],
        world.id.as_bytes().as_slice(),
        &epoch.to_be_bytes(),
        entry.as_bytes(),
        &stay,
        &[0; 44],
        &NOW.as_unix_seconds().to_be_bytes(),
        &[JOIN],
        link.id().as_bytes(),
        &proof.to_bytes(),
    ]
    .concat();
    let whole = [b"bisik-1 group act\0".as_slice(), &account, &text].concat();
    Statement::Act([text, pair.sign(&whole).to_bytes().to_vec()].concat())
}

/// P-13.16. Whoever floods a link with accounts that ask takes 4,096 places, and keeps nobody from adding, from leaving, or
/// from closing the link, which gives them back.
#[test]
fn a_flood_of_requests_keeps_nobody_from_adding_or_leaving() {
    let mut world = World::of_members(3);
    let link = open(&mut world, LinkPolicy::Ask);
    world.sync();
    let joins: Vec<_> = (0..4_100).map(|number| made_up(&world, &link, number)).collect();
    let taken = world.offer_all_at_once((ALICE, 0), &joins);
    assert!(taken[..4_096].iter().all(|taken| *taken == Ok(Taken::Taken)));
    assert!(taken[4_096..].iter().all(|taken| *taken == Err(OfferError::Full)));
    assert_eq!(world.state((ALICE, 0)).requests().count(), 4_096);
    let left = world.write((CAROL, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    assert_eq!(world.offer((ALICE, 0), &left[0]).unwrap().taken, Taken::Taken);
    world.invite((ALICE, 0), CAROL);
    let all: Vec<_> = world.group((ALICE, 0)).acts().map(|act| act.id).collect();
    world.write((ALICE, 0), |group, author, _| group.close_link(author, link.id(), &all, NOW)).unwrap();
    let other = open(&mut world, LinkPolicy::Ask);
    let late = made_up(&world, &other, 4_099);
    assert_eq!(world.offer((ALICE, 0), &late).unwrap().taken, Taken::Taken);
    assert_eq!(world.state((ALICE, 0)).requests().count(), 1);
}

/// P-13.17. New keys that were asked for are not kept: an admin who has asked for them thousands of times is lowered, and
/// leaves, in one entry and one act.
#[test]
fn an_admin_who_asked_for_new_keys_all_the_time_can_be_lowered_and_leave() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.role(CAROL, Role::Admin);
    world.sync();
    let newest = world.newest((ALICE, 0));
    for who in [BOB, CAROL] {
        let stay = world.stay((ALICE, 0), who);
        let rekeys = world.rekeys((who, 0), newest, stay, 2_100);
        for at in [(ALICE, 0), (who, 0)] {
            assert!(world.offer_all_at_once(at, &rekeys).iter().all(|taken| *taken == Ok(Taken::Taken)));
        }
    }
    let lowered = world.role(BOB, Role::Member);
    assert!(lowered[0].as_bytes().len() < 1_000);
    let left = world.write((CAROL, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
    assert_eq!(left[0].as_bytes().len(), 272);
    assert_eq!(world.offer((ALICE, 0), &left[0]).unwrap().taken, Taken::Taken);
    assert_eq!(world.state((ALICE, 0)).rekeys().count(), 0);
}
