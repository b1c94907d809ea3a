//! Chains that end: by the next one, by a removal, by too many.

use bisik::group::{OpenError, TakeError, Taken};
use bisik_testkit::fuzz::forged_chain::ForgedChain;

use super::scene::{NOW, PLACE, Scene, distribution, forged, message, read, refused, reload, state};

const MORE: Taken = Taken { opens_more: true, given_up: 0 };

/// P-14.12, P-14.20: late messages of the former chain are read, and nothing beyond the length that the sender names.
#[test]
fn a_new_chain_ends_the_former_one_at_its_length() {
    let mut scene = Scene::new(40);
    let mut chains = scene.reader();
    let written: Vec<_> = (0..6_u8).map(|number| scene.write(&[number])).collect();
    let _ = read(&mut chains, &written[1]);
    let former = scene.chain.chain();
    scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
    let bob = scene.bob();
    let given = scene.give(&bob);
    let before = given.predecessor().unwrap();
    assert_eq!((before.chain, before.length), (former, 6));
    assert_eq!(chains.take(&given, &scene.sender.identity), Ok(MORE));
    assert_eq!(chains.kept_keys(), 5);
    reload(&mut chains);
    for number in [5, 0, 2, 4, 3_u8] {
        assert_eq!(read(&mut chains, &written[usize::from(number)]).body, [number]);
    }
    assert_eq!(chains.chains().collect::<Vec<_>>(), [scene.chain.chain()], "nothing of the former is left");
    assert_eq!(refused(&mut chains, &written[2]), OpenError::Closed);
    assert_eq!(chains.take(&given, &scene.sender.identity).map(|taken| taken.opens_more), Ok(false));
    assert_eq!(read(&mut chains, &scene.write(b"baru")).body, b"baru");
}

/// P-14.20: a thief of the former chain's secrets adds nothing to it.
#[test]
fn nothing_is_read_beyond_the_end_of_a_chain() {
    let scene = Scene::new(41);
    let first = forged(&scene, 1);
    let second = ForgedChain { predecessor: (first.id(), 4), ..forged(&scene, 2) };
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Ok(MORE));
    let _ = read(&mut chains, &message(&first.message(1, [1; 16], b"1")));
    assert_eq!(chains.take(&distribution(&second.distribution(0)), &scene.sender.identity), Ok(MORE));
    for number in [4, 5, 100, 999] {
        assert_eq!(refused(&mut chains, &message(&first.message(number, [1; 16], b"thief"))), OpenError::Closed);
    }
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Err(TakeError::Closed));
    assert_eq!(chains.take(&distribution(&first.distribution(9)), &scene.sender.identity), Err(TakeError::Closed));
    for number in [3, 0, 2] {
        let _ = read(&mut chains, &message(&first.message(number, [1; 16], b"late")));
    }
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Err(TakeError::Closed));
}

/// P-14.20: a length that was passed already ends the chain at once, and of the longest chain nothing is given up.
#[test]
fn a_length_that_was_passed_ends_a_chain_at_once_and_the_greatest_gives_nothing_up() {
    for (length, kept) in [(2, 2), (3, 2), (1_000, 999)] {
        let scene = Scene::new(42);
        let first = forged(&scene, 1);
        let second = ForgedChain { predecessor: (first.id(), length), ..forged(&scene, 2) };
        let mut chains = scene.nobody();
        assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Ok(MORE));
        let _ = read(&mut chains, &message(&first.message(2, [1; 16], b"2")));
        assert_eq!(chains.take(&distribution(&second.distribution(0)), &scene.sender.identity), Ok(MORE));
        reload(&mut chains);
        assert_eq!(chains.kept_keys(), kept);
        let next = message(&first.message(999, [1; 16], b"999"));
        if length == 1_000 {
            assert_eq!(read(&mut chains, &next).body, b"999");
        } else {
            assert_eq!(refused(&mut chains, &next), OpenError::Closed);
        }
        let _ = read(&mut chains, &message(&first.message(1, [1; 16], b"1")));
    }
}

/// P-14.20: the one that named it has ended and is forgotten meanwhile, and a thief has its secrets.
#[test]
fn a_chain_that_arrives_after_its_namer_has_ended_ends_where_that_one_said() {
    let scene = Scene::new(47);
    let first = forged(&scene, 1);
    let second = ForgedChain { predecessor: (first.id(), 4), ..forged(&scene, 2) };
    let third = ForgedChain { predecessor: (second.id(), 0), ..forged(&scene, 3) };
    let mut chains = scene.nobody();
    for chain in [&second, &third] {
        assert_eq!(chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity), Ok(MORE));
    }
    assert_eq!(chains.chains().collect::<Vec<_>>(), [bisik::group::ChainId::from_bytes(third.id())]);
    reload(&mut chains);
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Ok(MORE));
    reload(&mut chains);
    assert_eq!(chains.kept_keys(), 4);
    assert_eq!(refused(&mut chains, &message(&first.message(4, [1; 16], b"thief"))), OpenError::Closed);
    for number in [3, 0, 1, 2] {
        let _ = read(&mut chains, &message(&first.message(number, [1; 16], b"late")));
    }
}

/// P-14.20, P-14.23: a chain that was read to its end makes room for the next one.
#[test]
fn a_predecessor_that_was_read_to_its_end_displaces_no_other_chain() {
    let scene = Scene::new(48);
    let all: Vec<_> = (0..5).map(|number| forged(&scene, number)).collect();
    let mut chains = scene.nobody();
    for chain in &all {
        assert_eq!(chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity), Ok(MORE));
    }
    let _ = read(&mut chains, &message(&all[0].message(2, [1; 16], b"2")));
    let _ = read(&mut chains, &message(&all[4].message(0, [1; 16], b"0")));
    let next = ForgedChain { predecessor: (all[4].id(), 1), ..forged(&scene, 5) };
    assert_eq!(chains.take(&distribution(&next.distribution(0)), &scene.sender.identity), Ok(MORE));
    reload(&mut chains);
    assert_eq!((chains.chains().count(), chains.kept_keys()), (5, 2));
    let _ = read(&mut chains, &message(&all[0].message(1, [1; 16], b"1")));
}

/// P-14.8, P-14.21: its former chain has ended at those who knew of the removal, whatever the log says now.
#[test]
fn a_sender_that_is_a_member_again_is_heard_in_a_new_chain() {
    let mut scene = Scene::new(49);
    let mut chains = scene.reader();
    let _ = read(&mut chains, &scene.write(b"before"));
    assert_eq!(chains.close_at_received(), Ok(0));
    assert_eq!(refused(&mut chains, &scene.write(b"unheard")), OpenError::Closed);
    scene.chain.rekey();
    let renewed = match scene.chain.plan(&scene.targets, NOW) {
        bisik::group::SendPlan::Renew(why) => why,
        bisik::group::SendPlan::Ready(_) => panic!("the former chain is not used"),
    };
    assert_eq!(renewed, bisik::group::NewChain::Rekey);
    let again = bisik::group::Place::Group { id: super::scene::GROUP, origin: [0x0f; 32] };
    scene.chain.renew(again, false, NOW, &mut scene.rng).unwrap();
    let bob = scene.bob();
    assert_eq!(chains.take(&scene.give(&bob), &scene.sender.identity), Ok(MORE));
    assert_eq!(read(&mut chains, &scene.write(b"back")).body, b"back");
}

/// P-14.20: distributions come in sessions, in any order.
#[test]
fn a_former_chain_that_arrives_after_the_next_one_ends_when_it_arrives() {
    let mut scene = Scene::new(43);
    let bob = scene.bob();
    let first = scene.give(&bob);
    let written: Vec<_> = (0..3_u8).map(|number| scene.write(&[number])).collect();
    scene.chain.renew(PLACE, false, NOW, &mut scene.rng).unwrap();
    let second = scene.give(&bob);
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&second, &scene.sender.identity), Ok(MORE));
    assert_eq!(refused(&mut chains, &written[0]), OpenError::NeedsChain);
    assert_eq!(chains.take(&first, &scene.sender.identity), Ok(MORE));
    reload(&mut chains);
    assert_eq!((chains.chains().count(), chains.kept_keys()), (2, 3));
    for number in [2, 1, 0_u8] {
        assert_eq!(read(&mut chains, &written[usize::from(number)]).body, [number]);
    }
    assert_eq!(chains.take(&first, &scene.sender.identity), Err(TakeError::Closed));
}

/// P-14.20.
#[test]
fn a_predecessor_that_nobody_knows_changes_nothing() {
    let scene = Scene::new(44);
    let first = forged(&scene, 1);
    let second = ForgedChain { predecessor: ([9; 8], 2), ..forged(&scene, 2) };
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Ok(MORE));
    assert_eq!(chains.take(&distribution(&second.distribution(0)), &scene.sender.identity), Ok(MORE));
    for number in 0..3 {
        let _ = read(&mut chains, &message(&first.message(number, [1; 16], b"first")));
        let _ = read(&mut chains, &message(&second.message(number, [1; 16], b"second")));
    }
}

/// P-14.21: gaps below the highest that was received are still read; everything above is refused.
#[test]
fn of_a_removed_sender_late_messages_are_read_and_nothing_above() {
    let scene = Scene::new(45);
    let first = forged(&scene, 1);
    let second = ForgedChain { predecessor: (first.id(), 9), ..forged(&scene, 2) };
    let mut chains = scene.nobody();
    assert_eq!(chains.take(&distribution(&first.distribution(0)), &scene.sender.identity), Ok(MORE));
    let _ = read(&mut chains, &message(&first.message(4, [1; 16], b"4")));
    assert_eq!(chains.take(&distribution(&second.distribution(0)), &scene.sender.identity), Ok(MORE));
    assert_eq!(chains.kept_keys(), 8, "0 to 3, and 5 to 8");
    assert_eq!(chains.close_at_received(), Ok(4));
    assert_eq!(chains.kept_keys(), 4);
    reload(&mut chains);
    for number in [5, 8, 9, 999] {
        assert_eq!(refused(&mut chains, &message(&first.message(number, [1; 16], b"above"))), OpenError::Closed);
    }
    assert_eq!(refused(&mut chains, &message(&second.message(0, [1; 16], b"above"))), OpenError::Closed);
    assert_eq!(refused(&mut chains, &message(&first.message(4, [1; 16], b"4"))), OpenError::Replayed);
    for number in [3, 0, 1, 2] {
        let _ = read(&mut chains, &message(&first.message(number, [1; 16], b"late")));
    }
    let none = state(&mut chains).len();
    assert_eq!((chains.chains().count(), none), (0, 226 + 2 * 20));
    for chain in [&first, &second] {
        assert_eq!(chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity), Err(TakeError::Closed));
    }
    // Added again, it begins a new chain.
    let third = forged(&scene, 3);
    assert_eq!(chains.take(&distribution(&third.distribution(0)), &scene.sender.identity), Ok(MORE));
    let _ = read(&mut chains, &message(&third.message(0, [1; 16], b"back")));
}

/// P-14.23: the oldest of more than five chains ends, and the oldest of more than 16 ended ones is forgotten.
#[test]
fn the_sixth_chain_ends_the_oldest_and_16_ended_ones_are_remembered() {
    let scene = Scene::new(46);
    let all: Vec<_> = (0..22).map(|number| forged(&scene, number)).collect();
    let mut chains = scene.nobody();
    for chain in &all[..5] {
        assert_eq!(chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity), Ok(MORE));
        let _ = read(&mut chains, &message(&chain.message(3, [1; 16], b"3")));
    }
    assert_eq!(chains.kept_keys(), 15);
    let sixth = chains.take(&distribution(&all[5].distribution(0)), &scene.sender.identity);
    assert_eq!(sixth, Ok(Taken { opens_more: true, given_up: 3 }));
    assert_eq!(refused(&mut chains, &message(&all[0].message(0, [1; 16], b"0"))), OpenError::Closed);
    let _ = read(&mut chains, &message(&all[1].message(0, [1; 16], b"0")));
    for chain in &all[6..] {
        let _ = chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity).unwrap();
    }
    reload(&mut chains);
    assert_eq!(chains.chains().count(), 5);
    // Of 17 that have ended, the first is forgotten.
    assert_eq!(refused(&mut chains, &message(&all[0].message(0, [1; 16], b"0"))), OpenError::NeedsChain);
    for chain in &all[1..17] {
        assert_eq!(chains.take(&distribution(&chain.distribution(0)), &scene.sender.identity), Err(TakeError::Closed));
    }
}
