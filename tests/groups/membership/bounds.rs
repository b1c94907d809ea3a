//! Floods: forged acts, acts of strangers, and everything that waits.

use bisik::group::membership::{ActId, EntryHash, OfferError, Role, Statement, Stay, StayId, Taken, Wanted};

use super::world::{ACCEPT, ADD, ALICE, BOB, CAROL, LEAVE, NOW, REKEY, REMOVE, World, encoded};

fn record(world: &mut World) -> (u64, usize) {
    let group = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let key = bisik::StorageKey::from_bytes([3; 32]);
    let sealed = group.seal(&key, &mut bisik_testkit::SeededRng::new(1)).unwrap();
    let bytes = sealed.blocks().iter().map(|block| block.as_bytes().len()).sum::<usize>() + sealed.head().len();
    (group.revision(), bytes)
}

/// P-13.6 and P-13.7. Ten thousand acts that are forged, or signed by strangers, leave the record as it was, and no more
/// than 256 of them in memory.
#[test]
fn ten_thousand_forged_acts_leave_nothing_behind() {
    let mut world = World::of_members(3);
    let (newest, before) = (world.newest((ALICE, 0)), record(&mut world));
    let state = world.state((ALICE, 0)).clone();
    let stay = world.stay((ALICE, 0), BOB);
    let honest = world.forge((BOB, 0), newest, stay, ACCEPT, &[]);
    let mut rng = bisik_testkit::SeededRng::new(2);
    for turn in 0..10_000_u32 {
        let mut bytes = honest.as_bytes().to_vec();
        let at = rng.below(bytes.len());
        bytes[at] ^= 1 << (turn % 8);
        let outcome = world.offer((ALICE, 0), &Statement::Act(bytes));
        assert!(outcome.is_err_and(|error| error != OfferError::Full) || world.group((ALICE, 0)).aside().1 > 0);
    }
    // Signed by a stranger, each under a stay of its own.
    let stranger = super::world::device(77);
    let account = bisik::device::AccountKey::of(&stranger);
    let mut aside = 0;
    for turn in 0..600_u32 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&turn.to_be_bytes());
        let own = Stay { account, id: StayId::from_bytes(id) };
        for (kind, body) in [(ACCEPT, vec![]), (LEAVE, vec![0, 0])] {
            let text = stranger_act(&world, newest, own, kind, &body);
            aside += u32::from(world.offer((ALICE, 0), &text).unwrap().taken == Taken::Aside);
        }
        let act = stranger_act(&world, newest, own, ADD, &encoded(&own));
        assert_eq!(world.offer((ALICE, 0), &act), Err(OfferError::NotPermitted));
    }
    assert_eq!(aside, 1_200);
    assert_eq!(world.group((ALICE, 0)).aside().1, 256);
    assert_eq!((record(&mut world), world.state((ALICE, 0))), (before, &state));
    // Who is honest gets through.
    world.invite((ALICE, 0), CAROL);
    world.remove((ALICE, 0), CAROL).unwrap();
    assert_eq!(world.members((ALICE, 0)), [ALICE, BOB]);
}

fn stranger_act(world: &World, entry: (u64, EntryHash), stay: Stay, kind: u8, body: &[u8]) -> Statement {
    use ed25519_dalek::{Signer, SigningKey};
    let text = [
        &[1],
        world.id.as_bytes().as_slice(),
        &entry.0.to_be_bytes(),
        entry.1.as_bytes(),
        &encoded(&stay),
        &[0; 44],
        &NOW.as_unix_seconds().to_be_bytes(),
        &[kind],
        body,
    ]
    .concat();
    let whole = [b"bisik-1 group act\0".as_slice(), &stay.account.to_bytes(), &text].concat();
    Statement::Act([text, SigningKey::from_bytes(&[77; 32]).sign(&whole).to_bytes().to_vec()].concat())
}

/// P-13.10 and P-13.11. A member who says one thing many times makes no device hold more than one of it, and two leaves.
#[test]
fn acts_that_repeat_each_other_are_held_once_and_everywhere_the_same() {
    let mut world = World::of_members(3);
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let mut acts = Vec::new();
    for turn in 0..40_u64 {
        let entry = (newest.0, newest.1);
        let mut bytes = world.forge((BOB, 0), entry, stay, ACCEPT, &[]).as_bytes().to_vec();
        bytes.truncate(206);
        bytes[197..205].copy_from_slice(&turn.to_be_bytes());
        acts.push(Statement::Act(super::world::signed((BOB, 0), "bisik-1 group act\0", &bytes)));
        bytes[205] = LEAVE;
        bytes.extend([0, 0]);
        acts.push(Statement::Act(super::world::signed((BOB, 0), "bisik-1 group act\0", &bytes)));
    }
    for act in &acts {
        let _ = world.offer((ALICE, 0), act);
        let _ = world.offer((CAROL, 0), act);
    }
    for act in acts.iter().rev() {
        let _ = world.offer((CAROL, 0), act);
    }
    let held = |at| world.group(at).acts().filter(|act| act.by == stay).count();
    assert_eq!((held((ALICE, 0)), held((CAROL, 0))), (3, 3));
    assert_eq!(world.state((ALICE, 0)), world.state((CAROL, 0)));
}

/// P-13.3. Entries that nobody can verify yet are bounded, and the log goes on.
#[test]
fn orphan_entries_are_bounded() {
    let mut world = World::of_members(2);
    let entry =
        world.write((ALICE, 0), |g, a, _| g.set(a, bisik::group::membership::Setting::NAME, b"Bali", NOW)).unwrap();
    for turn in 0..500_u64 {
        let mut bytes = entry[0].as_bytes().to_vec();
        bytes[33..41].copy_from_slice(&(turn + 3).to_be_bytes());
        assert_eq!(world.offer((BOB, 0), &Statement::Entry(bytes)).unwrap().taken, Taken::Aside);
    }
    assert_eq!(world.group((BOB, 0)).aside().0, 64);
    assert_eq!(world.offer((BOB, 0), &entry[0]).unwrap().taken, Taken::Taken);
}

/// P-13.16. An admin whose device fills the group is stopped, and nobody is kept from leaving.
#[test]
fn one_device_cannot_fill_the_group() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.sync();
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), BOB));
    let acts: Vec<_> = (0..4_200_u64)
        .map(|turn| {
            let mut bytes = world.forge((BOB, 0), newest, stay, 9, &[]).as_bytes().to_vec();
            bytes.truncate(206);
            bytes[197..205].copy_from_slice(&turn.to_be_bytes());
            super::world::signed((BOB, 0), "bisik-1 group act\0", &bytes)
        })
        .collect();
    let slices: Vec<_> = acts.iter().map(Vec::as_slice).collect();
    let alice = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let taken = alice.offer_acts(&slices, &world.signers).taken;
    assert_eq!(taken.iter().filter(|taken| **taken == Ok(Taken::Taken)).count(), 4_096);
    assert!(taken[4_096..].iter().all(|taken| *taken == Err(OfferError::Full)));
    world.catch_up((CAROL, 0));
    let left = world.write((CAROL, 0), |g, a, _| g.leave(a, &[], NOW)).unwrap();
    assert_eq!(world.offer((ALICE, 0), &left[0]).unwrap().taken, Taken::Taken);
    assert!(world.write((ALICE, 0), |g, a, _| g.rekey(a, NOW)).is_ok(), "another device has room");
}

/// P-13.16. A relay that repeats an act within one delivery takes nobody's room.
#[test]
fn an_act_that_is_repeated_in_one_batch_is_counted_once() {
    let mut world = World::of_members(2);
    let (newest, stay) = (world.newest((ALICE, 0)), world.stay((ALICE, 0), ALICE));
    let act = world.forge((ALICE, 1), newest, stay, 9, &[]).as_bytes().to_vec();
    let batch = vec![act.as_slice(); 4_100];
    let alice = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let taken = alice.offer_acts(&batch, &world.signers).taken;
    assert_eq!(taken[0], Ok(Taken::Taken));
    assert!(taken[1..].iter().all(|taken| *taken == Ok(Taken::Known)));
    world.catch_up((ALICE, 1));
    let other = world.write((ALICE, 1), |g, a, _| g.rekey(a, NOW.plus_seconds(9))).unwrap();
    assert_eq!(world.offer((ALICE, 0), &other[0]).unwrap().taken, Taken::Taken);
}

/// P-13.6, P-13.7 and P-13.15. Acts of strangers that wait hide nothing that entries and held acts name, and the floor comes
/// first; what nobody has hides nothing for long.
#[test]
fn what_nobody_has_hides_nothing_that_is_asked_for() {
    let mut world = World::of_members(4);
    world.role(BOB, Role::Admin);
    world.sync();
    let (newest, [bob, dave]) = (world.newest((ALICE, 0)), [BOB, 3].map(|who| world.stay((ALICE, 0), who)));
    let numbered = |number: u16| [&number.to_be_bytes()[..], &[7; 30]].concat();
    let id = |number: u16| ActId::from_bytes(*numbered(number).first_chunk().unwrap());
    // An admin keeps 900 acts that do not exist, and the owner two that Carol's device does not have.
    let kept: Vec<_> = (0..900).flat_map(|number| id(number).as_bytes().to_vec()).collect();
    let body = [encoded(&dave), 900_u16.to_be_bytes().to_vec(), kept].concat();
    let removal = world.forge((BOB, 0), newest, bob, REMOVE, &body);
    assert_eq!(world.offer((CAROL, 0), &removal).unwrap().taken, Taken::Taken);
    let owners = [id(0xfffe), id(0xffff)];
    let entry = world.write((ALICE, 0), |group, author, _| group.keep(author, &owners, NOW)).unwrap();
    let _ = world.offer((CAROL, 0), &entry[0]).unwrap();
    // Anybody's acts name 256 entries that do not exist, and so do 64 entries.
    for number in 0..300 {
        let name = EntryHash::from_bytes(numbered(number).try_into().unwrap());
        let act = world.forge((3, 0), (u64::from(number) + 90, name), dave, REKEY, &[]);
        assert_eq!(world.offer((CAROL, 0), &act).unwrap().taken, Taken::Aside);
        let mut orphan = entry[0].as_bytes().to_vec();
        orphan[41..73].copy_from_slice(&[numbered(number), vec![]].concat());
        orphan[41] ^= 0x80;
        let _ = world.offer((CAROL, 0), &Statement::Entry(orphan));
    }
    let settled = world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    let _ = world.offer((CAROL, 0), &settled[0]).unwrap();
    let carol = world.group((CAROL, 0));
    let mut seen = std::collections::BTreeSet::new();
    for turn in 0..20 {
        let wanted = carol.wanted(turn);
        assert_eq!(wanted.len(), 256);
        assert!(matches!(wanted[0], Wanted::Floor(_)));
        assert!(owners.iter().all(|id| wanted.contains(&Wanted::Act(*id))), "{turn}");
        seen.extend(wanted);
    }
    assert!((0..900).all(|number| seen.contains(&Wanted::Act(id(number)))));
    assert!(
        (44..300).all(|number| {
            seen.contains(&Wanted::Entry(EntryHash::from_bytes(numbered(number).try_into().unwrap())))
        })
    );
}
