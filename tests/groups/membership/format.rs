//! The bytes of entries, acts and floors: one encoding each, and nothing else is read.

use bisik::group::membership::{OfferError, Role, Setting, Statement, Stay, StayId, Taken};

use super::world::{ADD, ALICE, BOB, CAROL, NOW, REMOVE, World, act_hash, encoded, hash, signed};

/// P-13.1 and P-13.5. Lengths and offsets of the specification.
#[test]
fn entries_and_acts_have_the_layout_of_the_specification() {
    let mut world = World::new(2);
    let first = world.said[0].as_bytes().to_vec();
    assert_eq!(first.len(), 243 + (1 + 32 + 16) + (1 + 1 + 2 + 6));
    assert_eq!(
        (first[0], &first[1..33], &first[33..41], &first[41..73]),
        (1, &[0; 32][..], &[0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 32][..])
    );
    assert_eq!(
        (&first[73..137], &first[137..145]),
        (&world.account(ALICE).to_bytes()[..], &NOW.as_unix_seconds().to_be_bytes()[..])
    );
    assert_eq!((&first[145..147], first[147], first[196]), (&[0, 59][..], 1, 3));
    assert_eq!(*world.id.as_bytes(), hash("bisik-1 group id\0", &first));
    // The rights after it, written by hand.
    let owner = encoded(world.state((ALICE, 0)).owner());
    let name = [&[1, 0, 6], b"Lombok".as_slice()].concat();
    let rights = [&[1][..], &owner, &[0, 0, 1], &owner, &[0, 0, 1], &name, &[0, 0, 0, 0], &[0; 40]].concat();
    assert_eq!(first[206..238], hash("bisik-1 group rights\0", &rights));
    world.invite((ALICE, 0), BOB);
    let act = world.said[1].as_bytes().to_vec();
    assert_eq!(act.len(), 270 + 80);
    assert_eq!((act[0], &act[1..33], &act[33..41]), (1, &world.id.as_bytes()[..], &[0, 0, 0, 0, 0, 0, 0, 1][..]));
    assert_eq!(act[41..73], hash("bisik-1 hash of a group entry\0", &first));
    assert_eq!((&act[73..153], &act[153..197], act[205]), (&owner[..], &[0; 44][..], ADD));
    let summary = world.group((ALICE, 0)).acts().next().unwrap();
    assert_eq!((summary.id, summary.time), (act_hash(&act).id(), NOW));
    let digest = hash("bisik-1 group acts\0", act_hash(&act).as_bytes());
    assert_eq!(*world.state((ALICE, 0)).acts_digest(), digest);
}

/// P-1.8 and P-13.2. Signed and still refused: what is cut, what is longer, what is in another order.
#[test]
fn changes_and_bodies_have_one_encoding() {
    let mut world = World::of_members(3);
    world.role(BOB, Role::Admin);
    world.sync();
    let newest = world.newest((ALICE, 0));
    let [bob, carol] = [BOB, CAROL].map(|who| world.stay((ALICE, 0), who));
    let target = encoded(&carol);
    let ids = |ids: &[u8]| {
        let count = u16::try_from(ids.len()).unwrap().to_be_bytes();
        [count.to_vec(), ids.iter().flat_map(|id| [*id; 16]).collect()].concat()
    };
    let unknown = encoded(&Stay { account: carol.account, id: StayId::from_bytes([1; 16]) });
    let mut zero_key = unknown.clone();
    zero_key[..64].fill(0);
    for (kind, body) in [
        (ADD, unknown[..79].to_vec()),
        (ADD, [unknown.clone(), vec![0]].concat()),
        (ADD, zero_key),
        (REMOVE, target.clone()),
        (REMOVE, [target.clone(), ids(&[2, 1])].concat()),
        (REMOVE, [target.clone(), ids(&[1, 1])].concat()),
        (REMOVE, [target.clone(), vec![4, 1], vec![0; 1_025 * 16]].concat()),
        (6, [[0; 32].to_vec(), vec![1]].concat()),
        (6, [carol.account.to_bytes()[..32].to_vec(), vec![3]].concat()),
    ] {
        let act = world.forge((BOB, 0), newest, bob, kind, &body);
        assert_eq!(world.offer((ALICE, 0), &act), Err(OfferError::Malformed), "{kind} {body:?}");
    }
    let later = world.forge((BOB, 0), newest, bob, 10, &[1, 2, 3]);
    assert_eq!(world.offer((ALICE, 0), &later), Err(OfferError::NewerVersion));
    // Of the primary's acts, none names a list; of a companion's, each does.
    for (by, at) in [((BOB, 0), 160), ((BOB, 1), 153)] {
        let mut bytes = world.forge(by, newest, bob, 9, &[]).as_bytes().to_vec();
        bytes.truncate(206);
        bytes[at..at + 4].copy_from_slice(if at == 153 { &[0; 4] } else { &[1; 4] });
        let act = Statement::Act(signed(by, "bisik-1 group act\0", &bytes));
        assert_eq!(world.offer((ALICE, 0), &act), Err(OfferError::Malformed), "{by:?}");
    }
    let kept = world.forge((BOB, 0), newest, bob, REMOVE, &[target, ids(&[1, 2])].concat());
    assert_eq!(world.offer((ALICE, 0), &kept).unwrap().taken, Taken::Taken);
}

/// P-13.2. Changes that stand where they may not, that nobody may make, or that are of a later version.
#[test]
fn an_entry_with_a_change_that_is_not_permitted_is_refused() {
    let mut world = World::of_members(3);
    let owner = encoded(&world.stay((ALICE, 0), ALICE));
    let carol = world.stay((ALICE, 0), CAROL);
    let entry = world.write((ALICE, 0), |g, a, _| g.set(a, Setting::NAME, b"", NOW)).unwrap();
    let valid = entry[0].as_bytes().to_vec();
    let rights = valid[valid.len() - 96..valid.len() - 64].to_vec();
    let with = |changes: &[u8]| {
        let length = u16::try_from(changes.len()).unwrap().to_be_bytes();
        let text = [&valid[..145], &length, changes, &rights].concat();
        Statement::Entry(signed((ALICE, 0), "bisik-1 group entry\0", &text))
    };
    let settle = [&[10][..], &[7; 32]].concat();
    let role = |stay: &[u8], role: u8| [&[2][..], stay, &[role]].concat();
    let list = |byte: u8, ids: &[u8]| {
        let ids: Vec<_> = ids.iter().flat_map(|id| [*id; 16]).collect();
        [vec![byte, 0, u8::try_from(ids.len() / 16).unwrap()], ids].concat()
    };
    let primary = [&[6][..], &carol.account.to_bytes(), &carol.account.to_bytes()].concat();
    let handed = [&[9][..], &encoded(&carol), &[0; 64]].concat();
    for (changes, refused) in [
        ([&[1][..], &[0; 48]].concat(), OfferError::NotPermitted),
        ([&[11][..], &[0; 64]].concat(), OfferError::NotPermitted),
        ([settle.clone(), role(&encoded(&carol), 1)].concat(), OfferError::NotPermitted),
        ([settle.clone(), settle.clone()].concat(), OfferError::NotPermitted),
        (role(&owner, 1), OfferError::NotPermitted),
        (primary, OfferError::NotPermitted),
        (handed, OfferError::NotPermitted),
        ([list(7, &[1]), list(8, &[1])].concat(), OfferError::NotPermitted),
        (list(7, &[2, 1]), OfferError::Malformed),
        (role(&encoded(&carol), 0), OfferError::Malformed),
        (role(&encoded(&carol), 4), OfferError::Malformed),
        (vec![3, 3, 0, 1, 9], OfferError::Malformed),
        (vec![3, 1, 0, 1, 0xFF], OfferError::Malformed),
        (vec![12, 12, 12, 1], OfferError::Malformed),
        ([12; 257].to_vec(), OfferError::Malformed),
        (vec![13, 1, 2], OfferError::NewerVersion),
        ([&[12][..], &[13]].concat(), OfferError::NewerVersion),
        (vec![12], OfferError::OtherRights),
    ] {
        assert_eq!(world.offer((BOB, 0), &with(&changes)), Err(refused), "{changes:?}");
    }
    for length in 0..valid.len() {
        let cut = Statement::Entry(valid[..length].to_vec());
        assert!(world.offer((BOB, 0), &cut).is_err(), "{length}");
    }
    let longer = Statement::Entry([valid.as_slice(), &[0]].concat());
    assert_eq!(world.offer((BOB, 0), &longer), Err(OfferError::Malformed));
    assert_eq!(world.offer((BOB, 0), &entry[0]).unwrap().taken, Taken::Taken);
}

/// P-13.2. What settings accept.
#[test]
fn settings_accept_what_the_table_says() {
    for (setting, right, wrong) in [
        (Setting::NAME, vec![b'a'; 255], vec![b'a'; 256]),
        (Setting::DESCRIPTION, vec![b'a'; 2_048], vec![0xFF]),
        (Setting::WHO_WRITES, vec![2], vec![0]),
        (Setting::DISAPPEARING, vec![0; 4], vec![0; 3]),
        (Setting::HISTORY, vec![3], vec![4]),
        (Setting::PICTURE, vec![0; 1_024], vec![0; 1_025]),
        (Setting::GROUPS, vec![0; 64 * 32], vec![0; 33]),
        (Setting(200), vec![0; 4_096], vec![0; 4_097]),
    ] {
        assert!(setting.accepts(&right) && setting.accepts(&[]) && !setting.accepts(&wrong), "{setting:?}");
    }
}
