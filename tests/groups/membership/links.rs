//! Joining by a link, without a server that is trusted.

use bisik::group::membership::{
    ActId, ActKind, GroupEvent, LinkPolicy, LinkSecret, OfferError, Role, Statement, Stay, StayId, Taken, Wanted,
    WriteError,
};

use ed25519_dalek::{Signer, SigningKey};

use super::world::{ALICE, At, BOB, CAROL, DAVE, JOIN, NOW, World, act_hash, encoded, offer_all};

fn open(world: &mut World, by: (usize, u32), policy: LinkPolicy) -> LinkSecret {
    let mut secret = None;
    world
        .write(by, |group, author, rng| {
            let (link, written) = group.open_link(author, policy, NOW, rng)?;
            secret = Some(link);
            Ok(written)
        })
        .unwrap();
    secret.unwrap()
}

fn join(world: &mut World, who: usize, link: &LinkSecret) -> Result<ActId, WriteError> {
    world.catch_up((who, 0));
    let written = world.write((who, 0), |group, author, rng| group.join(author, link, NOW, rng))?;
    Ok(act_hash(written[0].as_bytes()).id())
}

/// P-13.11 and P-13.12. Whoever has the link is a member at once, or asks.
#[test]
fn a_link_adds_at_once_or_asks() {
    let mut world = World::new(4);
    let at_once = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    let asks = open(&mut world, (ALICE, 0), LinkPolicy::Ask);
    let copy = LinkSecret::from_bytes(&at_once.expose_bytes()).unwrap();
    assert_eq!((copy.group(), copy.id(), copy.expose_bytes().len()), (world.id, at_once.id(), LinkSecret::LENGTH));
    join(&mut world, BOB, &copy).unwrap();
    let events = world.catch_up((ALICE, 0));
    let stay = world.stay((ALICE, 0), BOB);
    assert_eq!((events, world.members((ALICE, 0))), (vec![GroupEvent::Joined { stay }], vec![ALICE, BOB]));
    join(&mut world, CAROL, &asks).unwrap();
    world.catch_up((ALICE, 0));
    assert_eq!(world.members((ALICE, 0)), [ALICE, BOB]);
    let waiting: Vec<_> = world.state((ALICE, 0)).requests().copied().collect();
    assert_eq!(waiting.iter().map(|stay| stay.account).collect::<Vec<_>>(), [world.account(CAROL)]);
    world.write((ALICE, 0), |group, author, _| group.admit_request(author, &waiting[0], NOW)).unwrap();
    assert_eq!(world.members((ALICE, 0)), [ALICE, BOB, CAROL]);
    world.sync();
    assert_eq!(world.state((BOB, 0)), world.state((ALICE, 0)));
}

/// P-13.6 and P-13.11. A join waits for the act that opens its link, and is asked for by its id.
#[test]
fn a_join_waits_for_its_link() {
    let mut world = World::new(4);
    world.invite((ALICE, 0), BOB);
    world.catch_up((BOB, 0));
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    let opened = world.said.last().unwrap().clone();
    join(&mut world, DAVE, &link).unwrap();
    let joined = world.said.last().unwrap().clone();
    assert_eq!(world.offer((BOB, 0), &joined).unwrap().taken, Taken::Aside);
    assert_eq!(world.group((BOB, 0)).wanted(0), [Wanted::Act(link.id())]);
    let events = world.offer((BOB, 0), &opened).unwrap().events;
    assert!(events.iter().any(|event| matches!(event, GroupEvent::Joined { .. })), "{events:?}");
    assert_eq!(world.group((BOB, 0)).aside(), (0, 0));
}

/// P-13.6 and P-13.11. A join that waits for its link is taken without it, once the owner keeps it or its stay is added.
#[test]
fn a_join_that_waits_is_taken_once_it_counts_without_its_link() {
    for keeps in [true, false] {
        let mut world = World::new(4);
        world.invite((ALICE, 0), BOB);
        world.catch_up((BOB, 0));
        let link = open(&mut world, (ALICE, 0), LinkPolicy::Ask);
        let id = join(&mut world, DAVE, &link).unwrap();
        let joined = world.said.last().unwrap().clone();
        assert_eq!(world.offer((BOB, 0), &joined).unwrap().taken, Taken::Aside);
        world.catch_up((ALICE, 0));
        let stay = *world.state((ALICE, 0)).requests().next().unwrap();
        let written = world.write((ALICE, 0), |group, author, _| match keeps {
            true => group.keep(author, &[id], NOW),
            false => group.admit_request(author, &stay, NOW),
        });
        let _ = world.offer((BOB, 0), &written.unwrap()[0]).unwrap();
        assert_eq!((world.members((BOB, 0)), world.group((BOB, 0)).aside()), (vec![ALICE, DAVE], (0, 0)));
    }
}

/// P-13.7. What arrives together is taken together, whatever comes first in it.
#[test]
fn a_join_that_comes_with_its_link_is_taken_in_either_order() {
    for link_first in [true, false] {
        let mut world = World::new(4);
        world.invite((ALICE, 0), BOB);
        world.catch_up((BOB, 0));
        let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
        let mut both = vec![world.said.last().unwrap().clone()];
        join(&mut world, DAVE, &link).unwrap();
        both.push(world.said.last().unwrap().clone());
        if !link_first {
            both.reverse();
        }
        assert_eq!(world.offer_all_at_once((BOB, 0), &both), [Ok(Taken::Taken); 2]);
        assert_eq!(world.members((BOB, 0)), [ALICE, DAVE]);
    }
}

/// P-13.11. Who does not have the link cannot join by it; neither can a relay that knows its id.
#[test]
fn a_join_without_the_links_secret_is_refused() {
    let mut world = World::new(3);
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    let mut guessed = link.expose_bytes();
    guessed[79] ^= 1;
    let guessed = LinkSecret::from_bytes(&guessed).unwrap();
    assert_eq!(join(&mut world, BOB, &guessed).err(), Some(WriteError::NotPermitted));
    // A proof for one stay does not serve another, nor the same act of another account.
    join(&mut world, BOB, &link).unwrap();
    let joined = world.said.last().unwrap().as_bytes().to_vec();
    let proof = &joined[206..286];
    let newest = world.newest((ALICE, 0));
    let stay = Stay { account: world.account(CAROL), id: world.stay((BOB, 0), BOB).id };
    let forged = world.forge((CAROL, 0), newest, stay, 8, proof);
    assert!(matches!(world.offer((ALICE, 0), &forged), Err(OfferError::DoesNotCount(_))));
    assert_eq!(world.members((ALICE, 0)), [ALICE]);
}

/// P-13.11. Who joined before a link was closed stays; who joins later, or says that he did, does not.
#[test]
fn a_closed_link_takes_nobody_whatever_entry_the_join_names() {
    let mut world = World::new(4);
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    join(&mut world, BOB, &link).unwrap();
    world.catch_up((CAROL, 0));
    world.catch_up((ALICE, 0));
    world.write((ALICE, 0), |group, author, _| group.close_link(author, link.id(), &[], NOW)).unwrap();
    // Carol's device does not know it yet.
    let joined = world.write((CAROL, 0), |group, author, rng| group.join(author, &link, NOW, rng)).unwrap();
    assert!(matches!(world.offer((ALICE, 0), &joined[0]), Err(OfferError::DoesNotCount(_))));
    world.sync();
    for at in [(ALICE, 0), (BOB, 0), (CAROL, 0)] {
        assert_eq!(world.members(at), [ALICE, BOB], "{at:?}");
    }
    assert_eq!(world.state((BOB, 0)).links().count(), 0);
}

/// P-13.11. A removed account does not come back by a link.
#[test]
fn a_link_does_not_bring_back_who_was_removed() {
    let mut world = World::of_members(3);
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    world.remove((ALICE, 0), BOB).unwrap();
    assert_eq!(join(&mut world, BOB, &link).err(), Some(WriteError::NotPermitted));
    world.invite((ALICE, 0), BOB);
    world.catch_up((BOB, 0));
    world.write((BOB, 0), |group, author, _| group.accept(author, NOW)).unwrap();
    world.sync();
    assert_eq!(world.members((CAROL, 0)), [ALICE, BOB, CAROL], "an admin brings him back");
}

/// P-13.9. The links of an admin who was removed are closed with him, unless his remover keeps them.
#[test]
fn a_link_ends_with_the_admin_who_opened_it() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let link = open(&mut world, (BOB, 0), LinkPolicy::Member);
    world.sync();
    let account = world.account(BOB);
    world.write((ALICE, 0), |group, author, _| group.remove(author, &account, &[link.id()], NOW)).unwrap();
    world.sync();
    assert_eq!(world.state((CAROL, 0)).links().count(), 0);
}

/// P-2.3, P-13.5 and P-13.15. Who has a link joins with a key that others can use, or not at all: a key that is not valid
/// would stand in the next floor, and every device would refuse it.
#[test]
fn who_joins_with_a_key_that_is_not_valid_is_refused_and_the_group_is_settled() {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::montgomery::MontgomeryPoint;

    let mut world = World::of_members(2);
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    let stranger = super::world::device(77).public().to_bytes();
    let point = MontgomeryPoint(stranger[32..].try_into().unwrap()).to_edwards(0).unwrap();
    let (epoch, entry) = world.newest((ALICE, 0));
    for (number, torsion) in EIGHT_TORSION.iter().enumerate() {
        let mut account = stranger;
        account[32..].copy_from_slice(&(point + torsion).to_montgomery().0);
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
            &[8],
            link.id().as_bytes(),
            &proof.to_bytes(),
        ]
        .concat();
        let whole = [b"bisik-1 group act\0".as_slice(), &account, &text].concat();
        let act = [text, SigningKey::from_bytes(&[77; 32]).sign(&whole).to_bytes().to_vec()].concat();
        // The neutral element makes the stranger's own key, which is valid.
        let mut other = world.copy((ALICE, 0));
        let offered = other.offer_act(&act, &world.signers).map(|offered| offered.taken);
        assert_eq!(offered, if number == 0 { Ok(Taken::Taken) } else { Err(OfferError::Malformed) }, "{number}");
        if number > 0 {
            assert_eq!(world.groups.get_mut(&(ALICE, 0)).unwrap().offer_act(&act, &world.signers).err(), offered.err());
        }
    }
    world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    world.sync();
    assert_eq!(world.group((BOB, 0)).floor(), world.group((ALICE, 0)).floor());
    assert_eq!((world.members((BOB, 0)), world.group((BOB, 0)).wanted(0)), (vec![ALICE, BOB], vec![]));
}

/// A join of a stay by a link, which only the holder of the link can make.
fn proved(world: &World, by: At, link: &LinkSecret, stay: Stay) -> Statement {
    let key = SigningKey::from_bytes(link.expose_bytes()[48..].try_into().unwrap());
    let proof = key.sign(&[b"bisik-1 group link\0".as_slice(), world.id.as_bytes(), &encoded(&stay)].concat());
    let body = [link.id().as_bytes().as_slice(), &proof.to_bytes()].concat();
    world.forge(by, world.newest((ALICE, 0)), stay, JOIN, &body)
}

/// With the greatest id first, so that each counts when it arrives.
fn descending(mut acts: Vec<Statement>) -> Vec<Statement> {
    acts.sort_by_key(|act| std::cmp::Reverse(act_hash(act.as_bytes())));
    acts
}

fn held(world: &World, at: At, who: usize) -> usize {
    let account = world.account(who);
    world.group(at).acts().filter(|act| act.by.account == account && matches!(act.kind, ActKind::Join(_))).count()
}

/// P-13.7 and P-13.11. Who is a member already joins once, however many links he names that do not exist.
#[test]
fn a_member_does_not_fill_the_group_with_joins_by_links_that_do_not_exist() {
    let mut world = World::of_members(3);
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let joins: Vec<_> = (0..60_u8).map(|turn| world.forge((BOB, 0), newest, stay, JOIN, &[turn; 80])).collect();
    let joins = descending(joins);
    for join in &joins {
        assert_eq!(world.offer((ALICE, 0), join).map(|offered| offered.taken), Ok(Taken::Taken));
    }
    offer_all(
        world.groups.get_mut(&(CAROL, 0)).unwrap(),
        &[joins[59..].to_vec(), joins.clone()].concat(),
        &world.signers,
    );
    assert_eq!((held(&world, (ALICE, 0), BOB), held(&world, (CAROL, 0), BOB)), (1, 1));
    assert_eq!(world.state((CAROL, 0)), world.state((ALICE, 0)));
    assert_eq!(world.state((ALICE, 0)).stays().count(), 3);
}

/// P-13.11 and P-13.12. An account has one stay by a link, or one request, however often it joins.
#[test]
fn an_account_takes_one_place_by_a_link_however_often_it_joins() {
    for policy in [LinkPolicy::Member, LinkPolicy::Ask] {
        let mut world = World::of_members(3);
        let link = open(&mut world, (ALICE, 0), policy);
        world.sync();
        let stay = |id: u8| Stay { account: device_account(77), id: StayId::from_bytes([id; 16]) };
        let joins: Vec<_> = (0..60).map(|turn| proved(&world, (76, 0), &link, stay(turn))).collect();
        let joins = descending(joins);
        for join in &joins {
            assert_eq!(world.offer((ALICE, 0), join).map(|offered| offered.taken), Ok(Taken::Taken));
        }
        offer_all(
            world.groups.get_mut(&(CAROL, 0)).unwrap(),
            &[joins[59..].to_vec(), joins.clone()].concat(),
            &world.signers,
        );
        let places = |at| (world.state(at).stays().count(), world.state(at).requests().count());
        let expected = if policy == LinkPolicy::Member { (4, 0) } else { (3, 1) };
        assert_eq!((places((ALICE, 0)), places((CAROL, 0))), (expected, expected));
        assert_eq!(world.group((ALICE, 0)).acts().filter(|act| matches!(act.kind, ActKind::Join(_))).count(), 1);
        assert_eq!(world.state((CAROL, 0)), world.state((ALICE, 0)));
    }
}

fn device_account(number: u8) -> bisik::device::AccountKey {
    bisik::device::AccountKey::of(&super::world::device(number))
}

/// P-13.17. Who left comes back by the same link, as often as he likes.
#[test]
fn who_left_joins_again_by_the_same_link() {
    let mut world = World::new(3);
    let link = open(&mut world, (ALICE, 0), LinkPolicy::Member);
    join(&mut world, BOB, &link).unwrap();
    for _ in 0..6 {
        join(&mut world, CAROL, &link).unwrap();
        world.sync();
        assert_eq!(
            (world.members((ALICE, 0)), world.members((BOB, 0))),
            (vec![ALICE, BOB, CAROL], vec![ALICE, BOB, CAROL])
        );
        assert_eq!(world.receivers((BOB, 0)), [ALICE, BOB, CAROL]);
        world.write((CAROL, 0), |group, author, _| group.leave(author, &[], NOW)).unwrap();
        world.sync();
        assert_eq!((world.members((ALICE, 0)), world.receivers((BOB, 0))), (vec![ALICE, BOB], vec![ALICE, BOB]));
    }
}
