//! What a crash at any moment, a lost message, and a restored backup do.

use bisik::group::GroupArrival;

use super::world::{ALICE, BOB, CAROL, DAY, HOUR, Mail, World};

/// P-15.10. What was encrypted and stored, and perhaps never sent, is sent again byte for byte: no number is used twice.
#[test]
fn after_a_crash_the_same_bytes_are_sent_again() {
    let mut world = World::of_members(11, &[1, 1, 1]);
    world.send((ALICE, 0), "sekali").unwrap();
    let device = world.at((ALICE, 0));
    let group = device.group.as_mut().unwrap();
    let mut rng = rand::rng();
    let outgoing = group.flush(&device.account, &[], bisik::Timestamp::from_unix_seconds(1_800_000_000), &mut rng);
    let stored = {
        let mut fixed = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
        device.store.write(group, &mut fixed)
    };
    let (before, _not_confirmed) = outgoing.unwrap().release(&stored).unwrap();
    assert_eq!(before.messages.len(), 1);
    // The transport has some of it; then the program is killed.
    for message in &before.messages {
        let from = (world.keys[ALICE], 0);
        world.receive((BOB, 0), vec![GroupArrival { from, message: message.clone() }]);
    }
    world.reload((ALICE, 0));
    let after = world.flush((ALICE, 0)).unwrap();
    assert_eq!(after.messages, before.messages);
    world.hand_over((ALICE, 0), after);
    world.run();
    for at in [(BOB, 0), (CAROL, 0)] {
        assert_eq!(world.texts(at), ["sekali"], "{:?}", world.devices[&at].told);
    }
    assert!(world.flush((ALICE, 0)).unwrap().messages.is_empty(), "handed over");
}

/// P-15.11. A group that was stored goes on where it was, and gives again what was not settled.
#[test]
fn a_group_goes_on_after_every_device_was_restarted() {
    let mut world = World::of_members(12, &[2, 1, 2]);
    let everybody: Vec<_> = world.devices.keys().copied().collect();
    for (turn, at) in everybody.iter().enumerate() {
        world.send(*at, &format!("{turn}")).unwrap();
        world.run();
        everybody.iter().for_each(|at| world.reload(*at));
    }
    world.remove((ALICE, 0), BOB);
    world.run();
    everybody.iter().for_each(|at| world.reload(*at));
    world.send((CAROL, 1), "tanpa Bob").unwrap();
    world.run();
    for at in everybody.into_iter().filter(|at| at.0 != BOB && *at != (CAROL, 1)) {
        assert_eq!(world.texts(at).last(), Some(&"tanpa Bob"));
        assert_eq!(world.devices[&at].shown.len(), 5, "{:?}", world.devices[&at].shown);
    }
    assert!(!world.texts((BOB, 0)).contains(&"tanpa Bob"));
}

/// P-15.7. A relay that withholds what a member did is found out with the next message, and the member tells it himself.
#[test]
fn a_withheld_statement_is_found_out_by_the_next_message() {
    let mut world = World::of_members(13, &[1, 1, 1, 1]);
    world.remove((ALICE, 0), BOB);
    world.work((ALICE, 0));
    // The relay keeps from Carol what Alice has written, the keys of the new chain too.
    world.mail.retain(|(to, ..)| to.0 != CAROL);
    world.run();
    assert_eq!(world.members((CAROL, 0)), [ALICE, BOB, CAROL, 3]);
    world.send((3, 0), "halo").unwrap();
    world.run();
    assert_eq!(world.devices[&(CAROL, 0)].shown, [(3, "halo".into(), false)], "shown, and marked");
    assert_eq!(world.members((CAROL, 0)), [ALICE, CAROL, 3], "asked, and told");
    world.send((CAROL, 0), "tanpa Bob").unwrap();
    world.run();
    assert!(world.texts((BOB, 0)).is_empty());
    assert_eq!(world.texts((3, 0)), ["tanpa Bob"]);
}

/// P-15.16. What a relay has lost, and what its reader knows to be missing, its author gives again.
#[test]
fn a_lost_message_is_given_again_by_its_author() {
    let mut world = World::of_members(17, &[1, 1, 1]);
    world.lose_the_second((ALICE, 0), CAROL);
    assert_eq!(world.texts((CAROL, 0)), ["satu", "tiga"]);
    world.reload((ALICE, 0));
    world.wait(60);
    assert_eq!(world.texts((CAROL, 0)), ["satu", "tiga"], "a relay mixes messages: it may still come");
    world.wait(HOUR);
    assert_eq!(world.texts((CAROL, 0)), ["satu", "tiga", "dua"], "{:?}", world.devices[&(CAROL, 0)].told);
    assert_eq!(world.texts((BOB, 0)), ["satu", "dua", "tiga"]);
    // The ciphertext comes after all.
    world.wait(DAY);
    assert_eq!(world.devices[&(CAROL, 0)].shown.len(), 3);
}

/// P-15.16. Who was out meanwhile is given nothing of before again, although it knows what it lacks.
#[test]
fn who_was_removed_and_is_back_is_not_given_what_it_missed() {
    let mut world = World::of_members(18, &[1, 1, 1]);
    world.lose_the_second((ALICE, 0), CAROL);
    world.remove((ALICE, 0), CAROL);
    world.send((ALICE, 0), "tanpa Cici").unwrap();
    world.run();
    world.invite((ALICE, 0), CAROL);
    world.run();
    world.accept((CAROL, 0));
    world.run();
    world.send((ALICE, 0), "lagi").unwrap();
    world.run();
    for _ in 0..5 {
        world.wait(2 * HOUR);
    }
    assert_eq!(world.texts((CAROL, 0)), ["satu", "tiga", "lagi"]);
}

/// P-15.9. A device that has lost the keys of a chain asks for it, and reads on.
#[test]
fn a_lost_chain_is_asked_for_and_given_again() {
    let mut world = World::of_members(14, &[1, 1, 1]);
    world.send((ALICE, 0), "satu").unwrap();
    world.work((ALICE, 0));
    // The letter is lost for good, so that only the message arrives.
    world.mail.retain(|(to, _, mail)| to.0 != BOB || matches!(mail, Mail::Message(_)));
    world.run();
    assert!(world.texts((BOB, 0)).is_empty());
    world.wait(HOUR);
    world.send((ALICE, 0), "dua").unwrap();
    world.run();
    world.wait(DAY);
    assert!(world.texts((BOB, 0)).contains(&"dua"), "{:?} {:?}", world.devices[&(BOB, 0)].told, world.texts((BOB, 0)));
}

/// P-15.14. A record that is missing, of another name or another group, or changed, opens nothing.
#[test]
fn a_group_with_a_missing_foreign_or_changed_record_is_refused() {
    let mut world = World::of_members(16, &[1, 1, 1]);
    for at in [(ALICE, 0), (BOB, 0)] {
        world.send(at, "halo").unwrap();
    }
    world.run();
    let id = world.group((BOB, 0)).id();
    let store = world.devices[&(BOB, 0)].store.clone();
    assert!(store.try_open(id).is_ok());
    let names: Vec<_> = store.records.keys().cloned().collect();
    assert_eq!(names.len(), 5, "members, devices, chain, one sender, desk");
    for name in &names {
        let mut missing = store.clone();
        missing.records.remove(name);
        // An own chain that is not there was never begun.
        assert_eq!(missing.try_open(id).is_ok(), name[32] == 3, "{name:x?}");
        let mut changed = store.clone();
        *changed.records.get_mut(name).unwrap().1.last_mut().unwrap() ^= 1;
        assert!(changed.try_open(id).is_err());
        let other = world.devices[&(CAROL, 0)].store.records.get(name);
        if let Some(other) = other.filter(|_| name[32] != 4) {
            // Sealed with the same key for the same group, and of another device.
            let mut foreign = store.clone();
            foreign.records.insert(name.clone(), other.clone());
            foreign.blocks.extend(world.devices[&(CAROL, 0)].store.blocks.clone());
            assert!(foreign.try_open(id).is_err(), "{name:x?}");
        }
    }
}

/// P-14.8. After a restored backup the next message begins a new chain, and everybody reads it.
#[test]
fn a_restored_device_begins_a_new_chain_and_is_read() {
    let mut world = World::of_members(15, &[1, 1, 1]);
    world.send((BOB, 0), "satu").unwrap();
    world.run();
    let backup = world.devices[&(BOB, 0)].store.clone();
    world.send((BOB, 0), "dua").unwrap();
    world.run();
    let id = world.group((BOB, 0)).id();
    let device = world.at((BOB, 0));
    device.group = Some(backup.open(id));
    device.store = backup;
    device.group.as_mut().unwrap().restored();
    world.send((BOB, 0), "tiga").unwrap();
    world.run();
    for at in [(ALICE, 0), (CAROL, 0)] {
        assert_eq!(world.texts(at), ["satu", "dua", "tiga"], "{:?}", world.devices[&at].told);
    }
}
